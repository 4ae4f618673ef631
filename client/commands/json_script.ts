/**
 * Runs the commands of a program, which reads the events: those for one peer in their order, those for
 * different peers, and those for none, without waiting for each other. Pure, as `script.ts`.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { earlier } from "../../protocol/timers.ts";
import type { Line } from "../../cli/line_splitter.ts";
import { type ClientEvent, type ErrorCode, type ErrorEvent, errorEvent } from "../event.ts";
import { ExitStatus, statusOfError } from "../exit.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { matchesIdOrName, type Peer, peerWords } from "../peer.ts";
import type { Command } from "./command_table.ts";
import { type LaneItem, LaneOrder, type Target, Targets } from "./lanes.ts";
import { parseCommand } from "./parse.ts";
import {
  type AnyScript,
  LINE_PROBLEMS,
  type ScriptOptions,
  SEND_WINDOW,
  type Step,
} from "./script.ts";
import { findCall, findConversation, findRequest, isBusy, type ScriptView } from "./script_view.ts";

/** Commands that may wait; with more, no line is read. */
export const WAITING_COMMANDS_MAX = 1024;
/** Characters of the lines with them. */
export const WAITING_CHARACTERS_MAX = 8 * 1024 * 1024;

/** Errors that may end a client that is registered. */
const FATAL_ERRORS: readonly ErrorCode[] = ["refused", "version", "serverKey"];

/** What the directory is asked, one at a time of each, so that each has its answer. */
const QUESTIONS = ["list", "nick"] as const;
type Question = typeof QUESTIONS[number];

type JsonScriptOptions = Pick<ScriptOptions, "connect" | "acceptAll" | "timeout">;

/** A command that is not done. */
interface Item extends LaneItem {
  /** Higher than those of the commands that came before. */
  readonly number: number;
  /** The characters of its line. */
  readonly size: number;
  isRunning: boolean;
  /** When the wait for it is given up. */
  deadline: Instant | undefined;
}

/** Runs the commands of one program. */
export class JsonScript implements AnyScript {
  readonly #options: JsonScriptOptions;
  readonly #targets = new Targets();
  #lines: Line[] = [];
  /** By their targets, each in the order in which they came. */
  readonly #items = new Map<Target | undefined, Item[]>();
  /** How many there are, and there were. */
  #count = 0;
  #added = 0;
  /** How many of them are under way. */
  #underWay = 0;
  /** The characters of the lines and of those of the items. */
  #size = 0;
  #isRegistered = false;
  #hasEnded = false;
  /** Whether a command or the end of the input makes the client leave. */
  #isLeaving = false;
  /** The first command to leave. */
  #leaveCommand: Command | undefined;
  /** What to do first. */
  readonly #steps: Step[] = [];
  /** The command that runs now: what fails before the next step is its doing. */
  #running: Command | undefined;
  /** The call from `--connect`: until the peer has decided, and whether it failed. */
  #firstCall: "none" | "open" | "failed" = "none";
  #failure: ExitStatus | undefined;
  /** Whether the transcript could not be kept. */
  #hasLogFailed = false;
  /** The last error that may end the client. */
  #fatal: ExitStatus | undefined;

  constructor(options: JsonScriptOptions) {
    this.#options = options;
    const { connect } = options;
    if (connect === undefined) return;
    this.#firstCall = "open";
    this.#add({ command: "connect", peer: connect }, 0);
  }

  /** Whether to feed the next line. */
  get wantsInput(): boolean {
    return this.#lines.length + this.#count < WAITING_COMMANDS_MAX &&
      this.#size < WAITING_CHARACTERS_MAX;
  }

  /** The current exit status: how the client ends, not what became of each command. */
  get status(): ExitStatus {
    return this.#failure ?? (this.#hasLogFailed ? ExitStatus.failure : ExitStatus.ok);
  }

  /** Takes a line, without its line end. */
  feed(line: Line): void {
    this.#lines.push(line);
    this.#size += sizeOf(line);
  }

  /** Takes the end of the input: terminates and leaves when everything before is done. */
  end(): void {
    this.#hasEnded = true;
  }

  /** Takes an event of the client. */
  handle(event: ClientEvent): void {
    switch (event.kind) {
      case "registered":
        this.#isRegistered = true;
        this.#fatal = undefined;
        return this.#endQuestion("nick");
      case "connected":
        if (event.calledAs !== undefined) this.#endFirstCall(event.calledAs);
        else if (!event.isAside && !this.#isRunning("accept")) this.#targets.offer(event.peer);
        return;
      case "inactive":
        return this.#failCall(ExitStatus.inactive, event.peer);
      case "rejected":
        return this.#failCall(ExitStatus.rejected, event.peer, event.name);
      case "terminated":
        return event.undelivered > 0 ? this.#fail(ExitStatus.undelivered) : undefined;
      case "list":
        return this.#endQuestion("list");
      case "left":
        if (!this.#isLeaving) this.#failure ??= this.#fatal;
        if (event.undelivered > 0) this.#failure ??= ExitStatus.undelivered;
        else if (!event.acknowledged) this.#failure ??= ExitStatus.serverTimeout;
        return;
      case "error":
        return this.#handleError(event);
    }
  }

  #handleError({ code, of }: ErrorEvent): void {
    const status = statusOfError(code, this.#isRunning("send"));
    if (!this.#isRegistered) this.#failure ??= status;
    for (const asked of QUESTIONS) {
      if (of === asked || this.#isRunning(asked)) this.#endQuestion(asked);
    }
    if (typeof of === "object") return this.#failCall(status, of.calledAs);
    const running = this.#running;
    if (running?.command === "connect") return this.#failCall(status, running.peer);
    if (code === "log" && !this.#isRunning("log")) this.#hasLogFailed = true;
    else if (FATAL_ERRORS.includes(code) && of === undefined) this.#fatal = status;
    // Where the peer was quicker to terminate, that is no failure.
    else if (!this.#isRunning("terminate")) this.#fail(status);
  }

  /** The next step; to be called after every input, event and timeout until there is none. */
  poll(now: Instant, view: ScriptView): Step | undefined {
    this.#running = undefined;
    if (!this.#isRegistered || view.state === "leaving" || view.state === "left") return undefined;
    this.#takeLines(view);
    const step = this.#steps.shift() ?? this.#pollItems(now, view);
    if (step?.kind === "run") this.#running = step.command;
    return step;
  }

  /** When to call poll() again at the latest. */
  nextTimeout(): Instant | undefined {
    if (this.#options.timeout === undefined) return undefined;
    let timeout: Instant | undefined;
    for (const { deadline } of this.#candidates()) timeout = earlier(timeout, deadline);
    return timeout;
  }

  #takeLines(view: ScriptView): void {
    const lines = this.#lines;
    this.#lines = [];
    for (const line of lines) {
      const size = sizeOf(line);
      const command = this.#parse(line, view);
      if (command === undefined) this.#size -= size;
      else this.#add(command, size);
    }
  }

  /** The command of a line, if it has one; a bad line is reported. */
  #parse(line: Line, view: ScriptView): Command | undefined {
    if ("problem" in line) {
      this.#report(LINE_PROBLEMS[line.problem]);
      return undefined;
    }
    const isConnected = view.state === "connected" || this.#targets.isExpected;
    const parsed = parseCommand(line.text, { isConnected, isJson: true });
    if (parsed.ok) return parsed.value;
    this.#report(errorEvent("usage", parsed.error.message), parsed.error.ref);
    return undefined;
  }

  #add(command: Command, size: number): void {
    const target = this.#targets.add(command);
    const number = this.#added++;
    const item: Item = { command, target, size, number, isRunning: false, deadline: undefined };
    const queue = this.#items.get(target);
    if (queue === undefined) this.#items.set(target, [item]);
    else queue.push(item);
    this.#count++;
    if (command.command === "leave") this.#leaveCommand ??= command;
  }

  #remove(item: Item): void {
    const queue = this.#items.get(item.target) ?? [];
    queue.splice(queue.indexOf(item), 1);
    if (queue.length === 0) this.#items.delete(item.target);
    this.#count--;
    if (item.isRunning) this.#underWay--;
    this.#size -= item.size;
    this.#targets.remove(item.target);
  }

  /** The commands that are under way, and those that may be next, in the order in which they came. */
  #candidates(): Item[] {
    const found: Item[] = [];
    for (const [target, queue] of this.#items) {
      const waiting = queue.findIndex(({ isRunning }) => !isRunning);
      const isForPeer = target !== undefined && waiting >= 0;
      found.push(...isForPeer ? queue.slice(0, waiting + 1) : queue);
    }
    return found.sort((a, b) => a.number - b.number);
  }

  #pollItems(now: Instant, view: ScriptView): Step | undefined {
    if (this.#underWay > 0) this.#removeDone(view);
    if (this.#firstCall === "failed") return this.#leave({ command: "leave" });
    if (this.#leaveCommand !== undefined) return this.#leave(this.#leaveCommand);
    if (isBusy(view)) return undefined;
    if (this.#count === 0) return this.#hasEnded ? this.#pollEnd(view) : undefined;
    const order = new LaneOrder(view);
    for (const item of this.#candidates()) {
      const isFirst = order.enter(item);
      const isNext = isFirst && !item.isRunning;
      const step = isNext ? this.#pollItem(now, item, view) : undefined;
      // What comes after it may be next now.
      if (step === "skip") return this.#pollItems(now, view);
      const given = step ??
        (isNext || item.isRunning ? this.#pollOverdue(now, item, view) : undefined);
      if (given !== undefined) return given;
    }
    return undefined;
  }

  #removeDone(view: ScriptView): void {
    for (const item of this.#candidates()) {
      const { command, target, isRunning } = item;
      if (!isRunning) continue;
      const isDone = command.command === "connect" && findCall(command.peer, view) === undefined ||
        command.command === "terminate" && findConversation(target?.peer, view) === undefined;
      if (isDone) this.#remove(item);
    }
  }

  #endQuestion(asked: Question): void {
    const item = this.#runningQuestion(asked);
    if (item !== undefined) this.#remove(item);
  }

  #runningQuestion(asked: Question): Item | undefined {
    return this.#items.get(undefined)?.find(({ command, isRunning }) =>
      isRunning && command.command === asked
    );
  }

  /** Runs a command that waits for none before it, unless it waits for something else. */
  #pollItem(now: Instant, item: Item, view: ScriptView): Step | "skip" | undefined {
    const { command, target } = item;
    switch (command.command) {
      case "connect":
        if (isFull(view)) return undefined;
        if (this.#isAccepted(item, view)) {
          this.#endFirstCall(command.peer);
          return this.#run(item, { ...command, command: "switch" });
        }
        item.deadline = this.#deadline(now);
        return this.#start(item, command);
      case "accept":
      case "reject":
        return this.#pollAnswer(now, item, view);
      case "list":
      case "nick":
        return this.#runningQuestion(command.command) ? undefined : this.#start(item, command);
      case "terminate": {
        const conversation = findConversation(target?.peer, view);
        if (conversation === undefined) return this.#run(item, withPeer(command, target?.peer));
        if (conversation.unconfirmed > 0 && !conversation.isEnding) return undefined;
        if (target !== undefined) target.peer ??= conversation.id;
        return this.#start(item, withPeer(command, conversation.id));
      }
      case "send": {
        if (target !== undefined) target.peer ??= view.peer?.id;
        const { unconfirmed = 0 } = findConversation(target?.peer, view) ?? {};
        if (unconfirmed >= SEND_WINDOW) return undefined;
        return this.#run(item, withPeer(command, target?.peer));
      }
      case "verify":
        return this.#run(item, withPeer(command, target?.peer));
      default:
        return this.#run(item, command);
    }
  }

  /** Answers a request, when there is one. */
  #pollAnswer(now: Instant, item: Item, view: ScriptView): Step | "skip" | undefined {
    const { command, target } = item;
    const request = findRequest(target?.peer, view);
    if (request === undefined && command.command === "accept" && this.#isAccepted(item, view)) {
      this.#remove(item);
      return "skip";
    }
    item.deadline ??= this.#deadline(now);
    if (request === undefined || target === undefined) return undefined;
    target.peer ??= request.id;
    return this.#run(item, command);
  }

  /** Whether the client has accepted a request of that peer by itself. */
  #isAccepted({ target }: Item, view: ScriptView): boolean {
    return this.#options.acceptAll && findConversation(target?.peer, view)?.isEnding === false;
  }

  /** Gives up a command that takes too long. */
  #pollOverdue(now: Instant, item: Item, view: ScriptView): Step | undefined {
    const { command, target, deadline } = item;
    if (deadline === undefined || now < deadline) return undefined;
    item.deadline = undefined;
    const within = `within ${(this.#options.timeout ?? 0) / 1000} s`;
    const { ref } = command;
    if (command.command === "connect") {
      this.#failCall(ExitStatus.timeout, command.peer);
      const who = peerWords(command.peer, findCall(command.peer, view)?.name);
      this.#report(errorEvent("timeout", `No answer from ${who} ${within}`), ref);
      this.#steps.push({ kind: "run", command: withPeer({ command: "terminate" }, target?.peer) });
    } else {
      this.#fail(ExitStatus.timeout);
      this.#report(errorEvent("timeout", `No Connection Request came ${within}`), ref);
      this.#remove(item);
    }
    return this.#steps.shift();
  }

  /** Ends the connections, each when its messages are delivered, and then leaves. */
  #pollEnd(view: ScriptView): Step | undefined {
    const { peer, others } = view;
    const open = [...others, ...peer === undefined ? [] : [peer]];
    if (open.length === 0) return this.#leave({ command: "leave" });
    const done = open.find(({ unconfirmed, isEnding }) => unconfirmed === 0 && !isEnding);
    return done && { kind: "run", command: { command: "terminate", peer: done.id } };
  }

  /** Leaves at once; says what is not done. */
  #leave(command: Command): Step | undefined {
    this.#isLeaving = true;
    const undone = [...this.#items.values()].flat()
      .filter(({ isRunning, command: { command } }) => !isRunning && command !== "leave")
      .sort((a, b) => a.number - b.number);
    // To leave is what the program wants; but nobody may take a message for delivered.
    const hasMessages = undone.some(({ command: { command } }) => command === "send");
    if (hasMessages) this.#fail(ExitStatus.undelivered);
    for (const { command: { command, ref } } of undone) {
      this.#tell(errorEvent("notRegistered", `Cannot ${command}: the client is leaving`), ref);
    }
    this.#items.clear();
    this.#steps.push({ kind: "run", command });
    return this.#steps.shift();
  }

  /** Runs a command that is done with that. */
  #run(item: Item, command: Command): Step {
    this.#remove(item);
    return { kind: "run", command };
  }

  /** Runs a command that is done later. */
  #start(item: Item, command: Command): Step {
    item.isRunning = true;
    this.#underWay++;
    return { kind: "run", command };
  }

  #deadline(now: Instant): Instant | undefined {
    const { timeout } = this.#options;
    return timeout === undefined ? undefined : now + timeout;
  }

  #report(event: ErrorEvent, ref?: string): void {
    this.#fail(statusOfError(event.code, false));
    this.#tell(event, ref);
  }

  #tell(event: ErrorEvent, ref: string | undefined): void {
    this.#steps.push({ kind: "report", event, ...ref !== undefined && { ref } });
  }

  #isRunning(command: Command["command"]): boolean {
    return this.#running?.command === command;
  }

  /** A call failed. */
  #failCall(status: ExitStatus, peer: Peer, name?: string): void {
    if (!this.#isFirstCall(peer, name)) return this.#fail(status);
    this.#firstCall = "failed";
    this.#failure ??= status;
  }

  /** The peer of a call is connected. */
  #endFirstCall(peer: Peer): void {
    if (this.#isFirstCall(peer)) this.#firstCall = "none";
  }

  #isFirstCall(peer: Peer, name = ""): boolean {
    const { connect } = this.#options;
    if (connect === undefined || this.#firstCall !== "open") return false;
    return typeof peer === "number" ? matchesIdOrName(connect, peer, name) : peer === connect;
  }

  /** Only what fails after the end of the input says how the client ends. */
  #fail(status: ExitStatus): void {
    if (this.#hasEnded || this.#isLeaving) this.#failure ??= status;
  }
}

/** Whether a call has to wait until one before is decided. */
function isFull({ calls, peer, others }: ScriptView): boolean {
  const connected = others.length + (peer === undefined ? 0 : 1);
  return calls.length > 0 && calls.length + connected >= CONNECTIONS_MAX;
}

function sizeOf(line: Line): number {
  return "text" in line ? line.text.length : 0;
}

/** The command with the peer that it is for. */
function withPeer(
  command: Extract<Command, { command: "send" | "terminate" | "verify" }>,
  peer: Peer | undefined,
): Command {
  return peer === undefined ? command : { ...command, peer };
}
