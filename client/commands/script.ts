/**
 * Runs commands in order, each after the one before is done, so that a script needs no sleep; and
 * keeps the exit status. Pure: lines, events, the time and the client's view go in, steps come out.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { success } from "../../protocol/result.ts";
import { type LineError, parseCommand, type ParsedLine } from "./parse.ts";
import type { Command } from "./command_table.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { type ClientEvent, type ErrorCode, type ErrorEvent, errorEvent } from "../event.ts";
import { type Peer, peerWords } from "../peer.ts";
import { ExitStatus, statusOfError } from "../exit.ts";
import { type Line, LINE_SIZE_MAX, type LineProblem } from "../../cli/line_splitter.ts";
import {
  findConversation,
  findRequest,
  isBusy,
  isSending,
  refersTo,
  type ScriptView,
} from "./script_view.ts";

/** Messages on one connection that may be undelivered before the next one waits. */
export const SEND_WINDOW = 64;

/** Errors of the registration and of `--connect`, not of a command typed meanwhile. */
const UNTYPED_ERRORS: readonly ErrorCode[] = [
  "serverTimeout",
  "serverUnavailable",
  "refused",
  "version",
  "serverKey",
  "peerTimeout",
  "self",
];

/** Why a line of the input cannot be read, and what to do. */
export const LINE_PROBLEMS: Readonly<Record<LineProblem, ErrorEvent>> = {
  tooLong: errorEvent("tooLong", `Cannot read a line of more than ${LINE_SIZE_MAX} bytes`),
  notUtf8: errorEvent(
    "encoding",
    "Cannot read a line that is not UTF-8; convert the input, as with iconv -t UTF-8",
  ),
  utf16: errorEvent(
    "encoding",
    "Cannot read the input, which is UTF-16; convert it, as with iconv -f UTF-16 -t UTF-8",
  ),
};

/** What a script is created with. */
export interface ScriptOptions {
  /** From `--connect`: the first command. A failure ends the run at once. */
  connect: Peer | undefined;
  /** From `--send`: the second and last command. */
  send: string | undefined;
  /** From `--wait-reply`, in ms: how long to wait for a message after that; undefined for not at all. */
  waitReply: number | undefined;
  /** From `--timeout`, in ms: how long to wait for each step; undefined for as long as it takes. */
  timeout: number | undefined;
  /** Whether the client accepts requests without asking the user. */
  acceptAll: boolean;
  /**
   * Whether commands are typed: these do not go through the script, and the exit status is that of
   * the registration, of `--connect` and of the leave.
   */
  isTyped: boolean;
}

/** What to do next. */
export type Step =
  | { kind: "run"; command: Command }
  /** `ref`: of the command that failed. */
  | { kind: "report"; event: ErrorEvent; ref?: string }
  /** The leave takes too long: to end at once. */
  | { kind: "abandon" };

/** What the application needs of a script. */
export type AnyScript = Pick<Script, keyof Script>;

/** A line of input, a command from an option, the wait for a reply, or the end of the input. */
type Item = Line | { command: Command } | "reply" | "end";

/** The decision on the request, the list, the name, the end of the leave, or that of a connection. */
type Wait = "decision" | "list" | "name" | "left" | { end: number };

/** Runs one script. */
export class Script {
  readonly #options: ScriptOptions;
  readonly #items: Item[] = [];
  /** The first item, parsed when its turn came. */
  #parsed: ParsedLine | undefined;
  /** What the command before still waits for. */
  #wait: Wait | undefined;
  #lastRun: Command["command"] | undefined;
  #isRegistered = false;
  #hasBeenConnected = false;
  /** The peers whose conversations went on, after a crash, without asking: an `accept` may be for them. */
  #returned: { id: number; name: string }[] = [];
  /** The peers whose connections ended most recently. */
  #ended: { id: number; name: string }[] = [];
  /**
   * Whether the current connection is not the one that the script refers to, which has ended or was
   * never opened. A message without a name is then not sent.
   */
  #hasTargetChanged = false;
  /** Whether this script terminated the connection that ended last. */
  #hasTerminated = false;
  /** Whether the commands from options are done. */
  #isStarted: boolean;
  #failure: ExitStatus | undefined;
  /** Whether the transcript could not be kept. */
  #hasLogFailed = false;
  /** Whom the last message was sent to, and whether one came back since the first. */
  #sentTo: number | undefined;
  #hasReply = false;
  /** The call to cancel, because it was not answered in time. */
  #overdueCall: Peer | undefined;
  /** When the wait for the current step is given up. */
  #deadline: Instant | undefined;
  /** Whether the script goes on without the messages that are not delivered. */
  #isImpatient = false;

  constructor(options: ScriptOptions) {
    this.#options = options;
    const { connect, send, waitReply } = options;
    if (connect !== undefined) this.#items.push({ command: { command: "connect", peer: connect } });
    if (send !== undefined) this.#items.push({ command: { command: "send", text: send } });
    if (waitReply !== undefined) this.#items.push("reply");
    if (send !== undefined) this.#items.push("end");
    this.#isStarted = connect === undefined;
  }

  /** Whether to feed the next line: only one line waits here. */
  get wantsInput(): boolean {
    return this.#items.length === 0;
  }

  /** The current exit status: that of the first failure. */
  get status(): ExitStatus {
    return this.#failure ?? (this.#hasLogFailed ? ExitStatus.failure : ExitStatus.ok);
  }

  /** Takes a line, without its line end. */
  feed(line: Line): void {
    this.#items.push(line);
  }

  /** Takes the end of the input: terminates and leaves when everything before is done. */
  end(): void {
    this.#items.push("end");
  }

  /** Takes an event of the client. */
  handle(event: ClientEvent): void {
    switch (event.kind) {
      case "registered":
        this.#isRegistered = true;
        if (this.#wait === "name") this.#wait = undefined;
        return;
      case "connected":
        this.#hasBeenConnected = true;
        if (!event.isAside) this.#hasTargetChanged = false;
        return;
      case "returned":
        this.#returned = [...this.#returned, { id: event.peer, name: event.name }]
          .slice(-CONNECTIONS_MAX);
        return;
      case "current":
        this.#hasTargetChanged = event.why === "ended" && !this.#hasTerminated;
        return;
      case "inactive":
        return this.#fail(ExitStatus.inactive);
      case "rejected":
        return this.#fail(ExitStatus.rejected);
      case "terminated":
        this.#noteEnd(event.peer, event.name);
        if (event.undelivered > 0) this.#fail(ExitStatus.undelivered);
        return;
      case "sent":
        this.#sentTo = event.peer;
        return;
      case "delivered":
        // The others are still on their way.
        this.#deadline = undefined;
        return;
      case "message":
        this.#hasReply ||= event.peer === this.#sentTo;
        return;
      case "list":
        if (this.#wait === "list") this.#wait = undefined;
        return;
      case "left":
        // Nothing is typed any more, so this counts in every mode.
        if (event.undelivered > 0) this.#failure ??= ExitStatus.undelivered;
        else if (!event.acknowledged) this.#failure ??= ExitStatus.serverTimeout;
        return;
      case "error":
        if (this.#wait === "list" || this.#wait === "name") this.#wait = undefined;
        if (event.code === "log") {
          this.#hasLogFailed ||= !this.#options.isTyped;
          return;
        }
        if (this.#options.isTyped && !UNTYPED_ERRORS.includes(event.code)) return;
        return this.#fail(statusOfError(event.code, this.#lastRun === "send"));
    }
  }

  /** The next step; to be called after every input, event and timeout until there is none. */
  poll(now: Instant, view: ScriptView): Step | undefined {
    if (!isSending(view)) this.#isImpatient = false;
    const step = this.#pollStep(view);
    const patience = this.#isRegistered ? this.#patience(view) : undefined;
    if (step !== undefined || patience === undefined) {
      this.#deadline = undefined;
      return step;
    }
    this.#deadline ??= now + patience;
    if (now < this.#deadline) return undefined;
    this.#deadline = undefined;
    return this.#giveUp(view, patience / 1000);
  }

  /** When to call poll() again at the latest. */
  nextTimeout(): Instant | undefined {
    return this.#deadline;
  }

  /** How long to wait for the current step. */
  #patience(view: ScriptView): number | undefined {
    if (isBusy(view) && this.#wait !== "left") return undefined;
    const { timeout, waitReply } = this.#options;
    const isReply = this.#items[0] === "reply" && this.#isReady(view) && !this.#isSending(view);
    if (isReply) return waitReply;
    const isIdle = this.#wait === undefined && this.#items.length === 0;
    return isIdle ? undefined : timeout;
  }

  /** Goes on without what the current step waits for. */
  #giveUp(view: ScriptView, seconds: number): Step | undefined {
    const wait = this.#wait;
    if (wait === "left") return { kind: "abandon" };
    this.#wait = undefined;
    const within = `within ${seconds} s`;
    if (wait === "decision") {
      const { outgoing } = view;
      this.#overdueCall = outgoing?.peer;
      const who = peerWords(outgoing?.peer ?? 0, outgoing?.name);
      return this.#reportTimeout(`No answer from ${who} ${within}`);
    }
    if (wait === "list") return this.#reportTimeout(`The list did not come ${within}`);
    if (wait !== undefined) return this.#reportTimeout(`The connection did not end ${within}`);
    if (this.#isSending(view)) {
      this.#isImpatient = true;
      this.#fail(ExitStatus.undelivered);
      return { kind: "report", event: errorEvent("timeout", `Not delivered ${within}`) };
    }
    const [item] = this.#items;
    this.#shift();
    return this.#reportTimeout(
      item === "reply" ? `No reply came ${within}` : `No Connection Request came ${within}`,
    );
  }

  #reportTimeout(message: string): Step {
    this.#fail(ExitStatus.timeout);
    return { kind: "report", event: errorEvent("timeout", message) };
  }

  #isSending(view: ScriptView): boolean {
    return !this.#isImpatient && isSending(view);
  }

  #pollStep(view: ScriptView): Step | undefined {
    if (!this.#isRegistered || isBusy(view)) return undefined;
    const peer = this.#overdueCall;
    this.#overdueCall = undefined;
    if (peer !== undefined) return { kind: "run", command: { command: "terminate", peer } };
    const isStrict = this.#options.connect !== undefined &&
      !(this.#options.isTyped && this.#isStarted);
    if (isStrict && this.#failure !== undefined) return this.#run({ command: "leave" }, "left");
    while (this.#isReady(view)) {
      const item = this.#items[0];
      if (item === undefined) {
        this.#isStarted = true;
        return undefined;
      }
      if (item === "end") return this.#pollEnd(view);
      if (item === "reply") {
        const step = this.#pollReply(view);
        if (step !== "skip") return step;
        this.#shift();
        continue;
      }
      if ("problem" in item) {
        const { code, message } = LINE_PROBLEMS[item.problem];
        return this.#reportUndelivered(code, message);
      }
      this.#parsed ??= this.#parse(item, view);
      if (!this.#parsed.ok) return this.#reportInvalid(this.#parsed.error);
      const { value: command } = this.#parsed;
      const step = command === undefined ? "skip" : this.#pollCommand(command, view);
      if (step !== "skip") return step;
      this.#shift();
    }
    return undefined;
  }

  #noteEnd(id: number, name: string): void {
    this.#ended = [...this.#ended, { id, name }].slice(-CONNECTIONS_MAX);
    this.#returned = this.#returned.filter((each) => each.id !== id);
    this.#hasTerminated = typeof this.#wait === "object" && this.#wait.end === id;
    if (this.#hasTerminated) this.#wait = undefined;
  }

  /** Whether the command before is done. */
  #isReady({ outgoing }: ScriptView): boolean {
    if (this.#wait === "decision" && outgoing === undefined) this.#wait = undefined;
    return this.#wait === undefined;
  }

  #parse(
    item: Exclude<Item, string | { problem: LineProblem }>,
    { state }: ScriptView,
  ): ParsedLine {
    if ("command" in item) return success(item.command);
    return parseCommand(item.text, { isConnected: state === "connected", isJson: false });
  }

  #pollCommand(command: Command, view: ScriptView): Step | "skip" | undefined {
    if (command.command === "help") {
      this.#shift();
      return { kind: "run", command };
    }
    if (command.command === "send") {
      if (command.peer === undefined && this.#hasTargetChanged && view.peer !== undefined) {
        const message = "Nothing was sent: not connected any more to the peer that it was for";
        return this.#reportUndelivered("notConnected", message);
      }
      const { unconfirmed = 0 } = findConversation(command.peer, view) ?? {};
      const isFull = !this.#isImpatient && unconfirmed >= SEND_WINDOW;
      return isFull ? undefined : this.#next(command);
    }
    if (this.#isSending(view)) return undefined;
    switch (command.command) {
      case "connect":
        // Who called first was accepted, or the conversation goes on: that is the connection.
        if (this.#isConnected(command.peer, view) || this.#goesOn(command.peer, view)) {
          return this.#next({ command: "switch", peer: command.peer });
        }
        // If it fails, what follows is not for the current peer.
        this.#hasTargetChanged = view.peer !== undefined && !refersTo(command.peer, view.peer);
        return this.#next(command, "decision");
      case "accept":
      case "reject": {
        const { peer } = command;
        if (findRequest(peer, view) !== undefined) return this.#next(command);
        const isAccepted = command.command === "accept" && this.#isAccepted(peer, view);
        return isAccepted ? "skip" : undefined;
      }
      case "terminate":
        return this.#pollTerminate(command, view);
      case "switch":
        this.#hasTargetChanged = false;
        return this.#next(command);
      case "list":
        return this.#next(command, "list");
      case "nick":
        return this.#next(command, "name");
      case "leave":
        return this.#next(command, "left");
      case "requests":
      case "show":
      case "fingerprint":
      case "verify":
      case "block":
      case "trust":
      case "unblock":
      case "log":
        return this.#next(command);
    }
  }

  /** Whether the client has accepted such a request by itself; of one that came back, once. */
  #isAccepted(peer: Peer | undefined, view: ScriptView): boolean {
    const returned = this.#returned.findIndex((each) => refersTo(peer, each));
    if (returned >= 0) this.#returned.splice(returned, 1);
    return returned >= 0 || this.#isConnected(peer, view);
  }

  /** Whether a conversation with that peer went on after a crash, and is open. */
  #goesOn(peer: Peer, view: ScriptView): boolean {
    return this.#returned.some((each) => refersTo(peer, each)) &&
      findConversation(peer, view)?.isEnding === false;
  }

  /** Whether the client may have accepted a request of that peer by itself, and is connected. */
  #isConnected(peer: Peer | undefined, view: ScriptView): boolean {
    return this.#options.acceptAll && findConversation(peer, view)?.isEnding === false;
  }

  #pollTerminate(
    command: Extract<Command, { command: "terminate" }>,
    view: ScriptView,
  ): Step | "skip" {
    const { peer } = command;
    // The peer may have terminated first.
    const isOver = peer === undefined
      ? this.#hasTargetChanged || view.peer === undefined && this.#hasBeenConnected
      : findConversation(peer, view) === undefined &&
        this.#ended.some((each) => refersTo(peer, each));
    if (isOver) {
      this.#hasTargetChanged &&= peer !== undefined;
      return "skip";
    }
    const conversation = findConversation(peer, view);
    return this.#next(command, conversation && { end: conversation.id });
  }

  #pollReply(view: ScriptView): Step | "skip" | undefined {
    if (this.#isSending(view)) return undefined;
    if (this.#hasReply) return "skip";
    if (view.peer !== undefined) return undefined;
    this.#shift();
    return this.#reportTimeout("No reply came: the connection has ended");
  }

  #pollEnd(view: ScriptView): Step | undefined {
    if (this.#isSending(view)) return undefined;
    if (view.peer !== undefined) return this.#run({ command: "terminate" }, { end: view.peer.id });
    return this.#next({ command: "leave" }, "left");
  }

  #next(command: Command, wait?: Wait): Step {
    this.#shift();
    return this.#run(command, wait);
  }

  #run(command: Command, wait?: Wait): Step {
    this.#lastRun = command.command;
    this.#wait = wait;
    return { kind: "run", command };
  }

  #reportInvalid({ message, isText }: LineError): Step {
    this.#shift();
    // After a connection, text that is no command is a message left undelivered.
    const isUndelivered = isText && this.#hasBeenConnected;
    this.#fail(isUndelivered ? ExitStatus.undelivered : ExitStatus.usage);
    return { kind: "report", event: errorEvent("usage", message) };
  }

  #reportUndelivered(code: ErrorCode, message: string): Step {
    this.#shift();
    this.#fail(ExitStatus.undelivered);
    return { kind: "report", event: errorEvent(code, message) };
  }

  #shift(): void {
    this.#items.shift();
    this.#parsed = undefined;
  }

  #fail(status: ExitStatus): void {
    const counts = !this.#options.isTyped || !this.#isRegistered || !this.#isStarted;
    if (counts) this.#failure ??= status;
  }
}
