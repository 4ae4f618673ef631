/**
 * Commands in order, each waiting for the one before, so that a script needs no sleep; and the exit
 * status that comes of them. Pure: lines, events and the client's view go in, steps come out.
 *
 * @module
 */
import { success } from "../../protocol/result.ts";
import { type LineError, parseCommand, type ParsedLine } from "./parse.ts";
import type { Command } from "./command_table.ts";
import { CONNECTIONS_MAX } from "../state/connections.ts";
import type { ClientEvent, ErrorCode } from "../event.ts";
import type { Peer } from "../peer.ts";
import { ExitStatus, statusOfError } from "../exit.ts";
import { LINE_LENGTH_MAX } from "../../cli/line_splitter.ts";
import {
  addressee,
  isBusy,
  isMeant,
  isPeerRestarted,
  isSending,
  type ScriptView,
} from "./script_view.ts";

/** Texts on one connection that may be sent and not yet delivered before the next one waits. */
export const SEND_WINDOW = 64;

/** Errors that come of registering and of `--connect`, not of what somebody types meanwhile. */
const UNTYPED_ERRORS: readonly ErrorCode[] = [
  "serverTimeout",
  "refused",
  "version",
  "peerTimeout",
  "self",
];

/** How a script is run. */
export interface ScriptOptions {
  /** From `--connect`: the first command. A failure then ends the run at once. */
  connect: Peer | undefined;
  /** From `--send`: the second command, and the last. */
  send: string | undefined;
  /** Whether the client accepts requests by itself. */
  acceptAll: boolean;
  isJson: boolean;
  /**
   * Whether a person types: the typed commands do not go through here, and the exit status is that
   * of the registration, of `--connect` and of the leave.
   */
  isTyped: boolean;
}

/** What is to be done next. */
export type Step =
  | { kind: "run"; command: Command }
  | { kind: "report"; event: Extract<ClientEvent, { kind: "error" }> };

/** A line of input, a command from an option, or the end of the input. */
type Item = { line: string } | { command: Command } | "tooLong" | "end";

/** A decision on the request, the list, the end of the run, or that of the connection with a client. */
type Wait = "decision" | "list" | "left" | { end: number };

/** The runner of one script. */
export class Script {
  readonly #options: ScriptOptions;
  readonly #items: Item[] = [];
  /** The first item as it was understood when its turn came. */
  #parsed: ParsedLine | undefined;
  /** What the command before is still waiting for. */
  #wait: Wait | undefined;
  #lastRun: Command["command"] | undefined;
  #isRegistered = false;
  #hasBeenConnected = false;
  /** The clients whose connections ended last. */
  #ended: { id: number; name: string }[] = [];
  /**
   * Whether the current connection is not the one that the script means: that one has ended, or did
   * not come about. What it says without a name is then for nobody.
   */
  #hasTargetChanged = false;
  /** Whether it was this script that ended the connection that ended last. */
  #hasTerminated = false;
  /** Whether the commands that came from options are done. */
  #isStarted: boolean;
  #failure: ExitStatus | undefined;

  constructor(options: ScriptOptions) {
    this.#options = options;
    const { connect, send } = options;
    if (connect !== undefined) this.#items.push({ command: { command: "connect", peer: connect } });
    if (send !== undefined) this.#items.push({ command: { command: "send", text: send } }, "end");
    this.#isStarted = connect === undefined;
  }

  /** Whether the next line may be fed; so only one line waits here. */
  get wantsInput(): boolean {
    return this.#items.length === 0;
  }

  /** The exit status as of now: that of the first failure. */
  get status(): ExitStatus {
    return this.#failure ?? ExitStatus.ok;
  }

  /** Takes a line, without its line end. */
  feed(line: string): void {
    this.#items.push({ line });
  }

  /** Notes a line that was too long to be read. */
  feedTooLong(): void {
    this.#items.push("tooLong");
  }

  /** Notes the end of the input: terminates and leaves when everything before is done. */
  end(): void {
    this.#items.push("end");
  }

  /** Takes an event of the client. */
  handle(event: ClientEvent): void {
    switch (event.kind) {
      case "registered":
        this.#isRegistered = true;
        return;
      case "connected":
        this.#hasBeenConnected = true;
        if (!event.isAside) this.#hasTargetChanged = false;
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
      case "list":
        if (this.#wait === "list") this.#wait = undefined;
        return;
      case "left":
        // Nothing is typed any more: this decides in every mode.
        if (event.undelivered > 0) this.#failure ??= ExitStatus.undelivered;
        else if (!event.acknowledged) this.#failure ??= ExitStatus.serverTimeout;
        return;
      case "error":
        if (this.#wait === "list") this.#wait = undefined;
        if (this.#options.isTyped && !UNTYPED_ERRORS.includes(event.code)) return;
        return this.#fail(statusOfError(event.code, this.#lastRun === "send"));
    }
  }

  /** The next thing to do; to be called after every input and event until there is none. */
  poll(view: ScriptView): Step | undefined {
    if (!this.#isRegistered || isBusy(view)) return undefined;
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
      if (item === "tooLong") {
        const message = `Cannot read a line of more than ${LINE_LENGTH_MAX} characters`;
        return this.#reportUndelivered("tooLong", message);
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
    this.#hasTerminated = typeof this.#wait === "object" && this.#wait.end === id;
    if (this.#hasTerminated) this.#wait = undefined;
  }

  /** Whether the command before is done. */
  #isReady({ outgoing }: ScriptView): boolean {
    if (this.#wait === "decision" && outgoing === undefined) this.#wait = undefined;
    return this.#wait === undefined;
  }

  #parse(item: Exclude<Item, string>, { state }: ScriptView): ParsedLine {
    if ("command" in item) return success(item.command);
    const { isJson } = this.#options;
    return parseCommand(item.line, { isConnected: state === "connected", isJson });
  }

  #pollCommand(command: Command, view: ScriptView): Step | "skip" | undefined {
    if (command.command === "help") {
      this.#shift();
      return { kind: "run", command };
    }
    if (command.command === "send") {
      if (command.peer === undefined && this.#hasTargetChanged && view.peer !== undefined) {
        const message = "Nothing was sent: not connected any more to whom it was for";
        return this.#reportUndelivered("notConnected", message);
      }
      const isFull = (addressee(command.peer, view)?.unconfirmed ?? 0) >= SEND_WINDOW;
      return isFull ? undefined : this.#next(command);
    }
    if (isSending(view) && !isPeerRestarted(command, view)) return undefined;
    switch (command.command) {
      case "connect":
        // Where it fails, what follows was meant for somebody else than the current one.
        this.#hasTargetChanged = view.peer !== undefined && !isMeant(command.peer, view.peer);
        return this.#next(command, "decision");
      case "accept":
      case "reject": {
        const { peer } = command;
        if (view.requests.some((request) => isMeant(peer, request))) return this.#next(command);
        const isAccepted = this.#options.acceptAll && command.command === "accept" &&
          addressee(peer, view) !== undefined;
        return isAccepted ? "skip" : undefined;
      }
      case "terminate":
        return this.#pollTerminate(command, view);
      case "switch":
        this.#hasTargetChanged = false;
        return this.#next(command);
      case "list":
        return this.#next(command, "list");
      case "leave":
        return this.#next(command, "left");
      case "requests":
      case "show":
      case "fingerprint":
      case "verify":
      case "block":
      case "unblock":
      case "log":
        return this.#next(command);
    }
  }

  #pollTerminate(
    command: Extract<Command, { command: "terminate" }>,
    view: ScriptView,
  ): Step | "skip" {
    const { peer } = command;
    // The other may have been quicker.
    const isOver = peer === undefined
      ? this.#hasTargetChanged || view.peer === undefined && this.#hasBeenConnected
      : addressee(peer, view) === undefined && this.#ended.some((each) => isMeant(peer, each));
    if (isOver) {
      this.#hasTargetChanged &&= peer !== undefined;
      return "skip";
    }
    const whom = addressee(peer, view);
    return this.#next(command, whom && { end: whom.id });
  }

  #pollEnd(view: ScriptView): Step | undefined {
    if (isSending(view)) return undefined;
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
    // Where there was a connection, text that nobody gets is a message left undelivered.
    const isUndelivered = isText && this.#hasBeenConnected;
    this.#fail(isUndelivered ? ExitStatus.undelivered : ExitStatus.usage);
    return { kind: "report", event: { kind: "error", code: "usage", message } };
  }

  #reportUndelivered(code: ErrorCode, message: string): Step {
    this.#shift();
    this.#fail(ExitStatus.undelivered);
    return { kind: "report", event: { kind: "error", code, message } };
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
