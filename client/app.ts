/**
 * Connects a client with its user or script: commands in, lines out.
 *
 * @module
 */
import type { Instant } from "../protocol/machine.ts";
import { fingerprint } from "../protocol/crypto/fingerprint.ts";
import type { Drive } from "../protocol/udp.ts";
import type { Client } from "./client.ts";
import { parseCommand } from "./commands/parse.ts";
import type { Command } from "./commands/command_table.ts";
import { complete, SeenClients } from "./commands/complete.ts";
import type { Surroundings } from "./commands/surroundings.ts";
import { type ClientEvent, type ErrorCode, errorEvent } from "./event.ts";
import { ExitStatus } from "./exit.ts";
import type { History } from "./screen/history_file.ts";
import type { Options } from "./options.ts";
import { Attention, titleOf } from "./screen/attention.ts";
import { LeaveGuard } from "./screen/leave_guard.ts";
import { hasCountdown, prompt } from "./screen/prompt.ts";
import type { PinnedDirectory } from "./identity/directory_trust.ts";
import type { RunFile } from "./identity/run_file.ts";
import type { PeerMemory } from "./identity/peer_memory.ts";
import { CommandRefs } from "./commands/command_refs.ts";
import { CommandRunner } from "./commands/command_runner.ts";
import { JsonScript } from "./commands/json_script.ts";
import { type PrintedLine, Printer, type PrinterSystem } from "./output/printer.ts";
import { Renderer } from "./output/render.ts";
import { type AnyScript, Script, type Step } from "./commands/script.ts";
import { ScriptRunner } from "./commands/script_runner.ts";
import { styles } from "../cli/style.ts";
import { Terminal } from "./screen/terminal.ts";
import { UnreadMessages } from "./screen/unread.ts";
import { wholeRun } from "./screen/whole_run.ts";
import { Transcript, TRANSCRIPT_SURFACE, type TranscriptSystem } from "./output/transcript.ts";
import { inspectStdio, openOutput, readLines, screenColumns, type StdioInfo } from "../cli/tty.ts";
import { label } from "./output/words.ts";

/** Milliseconds between two updates of a countdown. */
const COUNTDOWN_STEP = 1000;

/** What happens to a conversation that goes on. */
const DELIVERY_EVENTS: ReadonlySet<ClientEvent["kind"]> = new Set<ClientEvent["kind"]>([
  "message",
  "sent",
  "delivered",
  "unconfirmed",
]);

/** What the application needs of the system. */
export interface AppSystem extends PrinterSystem, TranscriptSystem {
  clock(): Instant;
  readonly trust: Pick<PinnedDirectory, "record">;
  readonly history: History;
  /** Keeps what continues this run where it is killed. */
  readonly runFile: Pick<RunFile, "save" | "end"> | undefined;
  /** The names in a folder; those of folders end with a slash. */
  listFolder(path: string): readonly string[];
}

/** A client with its user or script. */
export class ClientApp {
  readonly #options: Options;
  readonly #stdio: StdioInfo;
  readonly #client: Client;
  readonly #system: AppSystem;
  readonly #script: ScriptRunner;
  readonly #refs = new CommandRefs();
  readonly #renderer: Renderer;
  readonly #printer: Printer;
  readonly #memory: PeerMemory;
  readonly #commands: CommandRunner;
  readonly #transcript: Transcript;
  readonly #seenClients = new SeenClients();
  readonly #left = Promise.withResolvers<void>();
  readonly #leaveGuard = new LeaveGuard();
  readonly #attention: Attention;
  readonly #unread = new UnreadMessages((line) => this.#terminal?.placeOf(line) ?? "waiting");
  #terminal: Terminal | undefined;
  #drive: Drive | undefined;
  #stopCountdown: (() => void) | undefined;
  #isInterrupted = false;
  /** Whether the output could not be written. */
  #hasFailed = false;
  /** The current peer when the draft was started. */
  #draftPeer: number | undefined;

  constructor(options: Options, client: Client, memory: PeerMemory, system: AppSystem) {
    this.#options = options;
    this.#client = client;
    this.#memory = memory;
    this.#system = system;
    this.#attention = new Attention(system.clock());
    const { send, isJson } = options;
    this.#stdio = stdioFor(options);
    const { isTyped, isScreen, isInteractive, wantsColor } = this.#stdio;
    const surface = {
      isTyped: isTyped && isScreen,
      hasPrompt: isInteractive,
      style: styles(wantsColor),
      hasSeconds: options.time === "seconds",
      ...isInteractive && { whole: wholeRun },
      get columns(): number | undefined {
        return isInteractive ? screenColumns() : undefined;
      },
      get messageColumns(): number | undefined {
        return isScreen ? screenColumns() : undefined;
      },
    };
    this.#renderer = new Renderer(surface, memory.ownKey);
    this.#script = new ScriptRunner(scriptFor(options, isTyped), {
      clock: () => system.clock(),
      view: () => client.view(),
      after: (ms, action) => this.#after(ms, action),
      step: (step) => this.#runStep(step),
      onWait: () => this.#update(),
    });
    const output = openOutput((problem) => this.#handleBrokenOutput(problem));
    this.#transcript = new Transcript(
      system,
      new Renderer({ ...TRANSCRIPT_SURFACE, hasSeconds: surface.hasSeconds }, memory.ownKey),
      (message) => this.#handleLogProblem(message),
    );
    const reportsAll = send !== undefined;
    this.#printer = new Printer(
      isJson,
      reportsAll,
      this.#renderer,
      output,
      system,
      this.#transcript,
    );
    this.#commands = new CommandRunner({
      client,
      memory,
      printer: this.#printer,
      transcript: this.#transcript,
      refs: this.#refs,
      // A terminal that cannot redraw keeps the typed line.
      showsOwn: isJson ? "none" : surface.isTyped && !isInteractive ? "several" : "all",
      date: () => system.date(),
      input: (action) => this.#drive?.input(action),
      handleEvent: (event, ref) => this.#handleEvent(event, ref),
    });
  }

  /** Runs until the client has left; returns the exit status. */
  async run(drive: Drive): Promise<number> {
    this.#drive = drive;
    try {
      if (this.#stdio.isInteractive) this.#printer.useScreen(this.#openTerminal());
      else if (this.#options.send === undefined) this.#readInput();
      if (this.#stdio.isTyped && !this.#options.isJson) this.#printer.watchMidnight();
      if (this.#options.log !== undefined) this.#startLog(this.#options.log);
      this.#script.run();
      await Promise.race([this.#left.promise, drive.finished]);
      if (this.#isInterrupted) return ExitStatus.interrupted;
      return this.#hasFailed ? ExitStatus.failure : this.#script.status;
    } finally {
      this.#stopCountdown?.();
      this.#script.stop();
      this.#transcript.stop();
      await this.#printer.finish(this.#terminal?.close());
    }
  }

  #openTerminal(): Terminal {
    const { history } = this.#system;
    const unread = this.#unread;
    return this.#terminal = new Terminal({
      prompt: () => {
        const columns = screenColumns();
        const view = this.#client.view();
        if (view.peer !== undefined) unread.look(view.peer.id);
        return prompt(view, {
          now: this.#system.clock(),
          server: this.#options.server.text,
          overdue: this.#printer.overdue,
          lostSince: this.#renderer.lostSince,
          columns,
          unreadOf: (peer) => unread.of(peer),
        });
      },
      complete: (text) =>
        complete(text, {
          ...this.#surroundings(),
          isConnected: this.#client.view().state === "connected",
          listFolder: this.#system.listFolder,
        }),
      title: () => titleOf(this.#client.view(), this.#attention.unseen),
      onKey: () => {
        unread.press();
        this.#attention.press(this.#system.clock());
      },
      onFocus: (hasFocus) => this.#attention.setFocus(this.#system.clock(), hasFocus),
      onDraftStart: () => this.#draftPeer = this.#client.view().peer?.id,
      onLine: (line) => {
        unread.enter();
        return this.#handleTypedLine(line);
      },
      onHistoryLine: (line) => history.add(line),
      onPaste: (text) => this.#printer.paste(text, this.#client.view().state === "connected"),
      onInterrupt: (hasDraft) => this.#handleCtrlC(hasDraft),
      onEnd: () => this.#handleCtrlD(),
      onEndOfInput: () => this.leave(),
      after: (ms, action) => this.#after(ms, action),
      onLeftOut: (lines) => this.note(`Left out ${lines} lines: the terminal took no output`),
      onStopFailed: (why) => this.#printer.note([`Ctrl-Z does not work here: ${why}`]),
    }, history.load().toReversed());
  }

  /** What a typed line can refer to. */
  #surroundings(): Surroundings {
    const { requests, peer, others, id: ownId } = this.#client.view();
    return {
      clients: this.#seenClients.list().filter(({ id }) => id !== ownId),
      connected: peer === undefined ? [] : [peer, ...others],
      requests,
      met: this.#memory.names(),
      blocked: this.#memory.blockedWords(),
      isLogging: this.#transcript.isKept,
    };
  }

  /** Feeds the lines of standard input to the script; runs them at once if they are typed. */
  async #readInput(): Promise<void> {
    try {
      for await (const line of readLines()) {
        if (this.#stdio.isTyped && "text" in line) {
          this.#handleTypedLine(line.text);
          continue;
        }
        await this.#script.feed(line);
      }
    } catch (error) {
      this.#printError(
        "usage",
        `Cannot read the input: ${error instanceof Error ? error.message : error}`,
      );
    }
    if (this.#stdio.isTyped) return this.leave();
    await this.#script.end();
  }

  /** Runs a typed line; false if it has to be entered again. */
  #handleTypedLine(line: string): boolean {
    const isConnected = this.#client.view().state === "connected";
    const surroundings = this.#surroundings();
    const parsed = parseCommand(line, { isConnected, isJson: this.#options.isJson, surroundings });
    if (!parsed.ok) {
      const { message, ref } = parsed.error;
      this.#printer.event(errorEvent("usage", message), { ref });
      return parsed.error.isForMending !== true;
    }
    if (parsed.value === undefined) this.#terminal?.eraseTyped();
    else if (this.#hasTargetChanged(parsed.value)) return false;
    else this.#runCommand(parsed.value);
    return true;
  }

  /** Whether the current peer changed since a draft without a name was started; says so. */
  #hasTargetChanged(command: Command): boolean {
    const { peer } = this.#client.view();
    const isForCurrent = (command.command === "send" || command.command === "terminate") &&
      command.peer === undefined;
    if (!isForCurrent || this.#draftPeer === undefined || peer === undefined) return false;
    if (peer.id === this.#draftPeer) return false;
    this.#draftPeer = peer.id;
    const name = label(peer.id, peer.name);
    const what = command.command === "send"
      ? `Not sent: you talk with ${name} now · Enter sends it to ${name}`
      : `Not terminated: you talk with ${name} now · Enter ends that`;
    this.#printer.note([what]);
    return true;
  }

  #runCommand(command: Command): void {
    this.#commands.run(command);
    this.#saveRun();
    this.#update();
  }

  #runStep(step: Step): void {
    switch (step.kind) {
      case "run":
        return this.#runCommand(step.command);
      case "report":
        this.#printer.event(step.event, { ref: step.ref });
        return;
      case "abandon":
        return this.stop();
    }
  }

  /** Takes an event of the client. */
  handleEvent(event: ClientEvent): void {
    this.#handleEvent(event, this.#refs.handle(event));
  }

  /** @param ref the reference of the command that caused it, if it has one. */
  #handleEvent(event: ClientEvent, ref: string | undefined): void {
    const { trust } = this.#system;
    const date = this.#system.date();
    const identity = this.#memory.handle(event, date);
    this.#noteUnread(event, this.#printer.event(event, { identity, ref }));
    if (event.kind === "message") this.#takeWhenShown();
    if (event.kind === "registered" && trust.record(event.serverKey, date)) {
      const digits = fingerprint(event.serverKey);
      this.note(`The directory's key is new here: ${digits} · serve shows the same there`);
    }
    this.#seenClients.handle(event);
    this.#script.handle(event);
    if (event.kind === "left") {
      this.#system.runFile?.end(this.#client.run(), event.acknowledged);
      return this.#left.resolve();
    }
    // Of these there are many.
    if (!DELIVERY_EVENTS.has(event.kind)) this.#saveRun();
    this.#alert(event);
    this.#script.schedule();
  }

  #saveRun(): void {
    if (this.#client.view().state !== "left") this.#system.runFile?.save(this.#client.run());
  }

  /** Calls for the user's attention, where the event does. */
  #alert(event: ClientEvent): void {
    const alert = this.#attention.handle(this.#system.clock(), event);
    if (alert === undefined) return;
    this.#terminal?.alert(this.#options.notifies ? alert.notification : undefined);
  }

  /** Notes what an event changes in what is unread; `line` is where it was printed. */
  #noteUnread(event: ClientEvent, line: PrintedLine | undefined): void {
    if (event.kind === "sent" || event.kind === "terminated") this.#unread.look(event.peer);
    const isMessage = event.kind === "message" && line !== undefined;
    const isAside = isMessage && event.peer !== this.#client.view().peer?.id;
    if (isAside) this.#unread.add(event.peer, line);
  }

  /** Tells the sender of the message that was just printed when it is shown; without a reader, leaves. */
  async #takeWhenShown(): Promise<void> {
    if (await this.#printer.shown()) {
      return this.#drive?.input((now) => this.#client.takeMessage(now));
    }
    this.#hasFailed = true;
    this.#drive?.input((now) => this.#client.forsakeMessages(now));
    this.leave();
  }

  /** Prints something that the user should know; the client continues. */
  note(message: string): void {
    this.#printer.note([message]);
  }

  /** Prints what goes wrong with the network; the client continues. */
  noteTrouble(message: string): void {
    this.#printer.noteTrouble([message]);
  }

  /** Reports a problem with the file of known peers; the client continues. */
  warn(message: string): void {
    this.#printError("knownPeers", message);
  }

  #printError(code: ErrorCode, message: string): void {
    this.#printer.event(errorEvent(code, message));
  }

  #startLog(path: string): void {
    const started = this.#transcript.start(path);
    if (!started.ok) this.#handleLogProblem(started.error);
  }

  /** The transcript that was asked for cannot be kept. */
  #handleLogProblem(message: string): void {
    this.#printError("log", message);
    this.#script.handle(errorEvent("log", message));
  }

  #after(ms: number, action: () => void): () => void {
    const stop = this.#system.every(ms, () => {
      stop();
      action();
    });
    return stop;
  }

  /** Refreshes the prompt, and keeps doing so while it has a countdown. */
  #update(): void {
    if (this.#terminal === undefined) return;
    this.#terminal.refresh();
    const counts = hasCountdown(this.#client.view());
    if (counts) {
      this.#stopCountdown ??= this.#system.every(COUNTDOWN_STEP, () => this.#terminal?.refresh());
    } else {
      this.#stopCountdown?.();
      this.#stopCountdown = undefined;
    }
  }

  /** Handles Ctrl-C as a key: ends what the prompt says, else drops the draft, else leaves. */
  #handleCtrlC(hasDraft: boolean): void {
    const { state, outgoing } = this.#client.view();
    if (state === "leaving" || outgoing !== undefined) return this.interrupt();
    if (!hasDraft) return this.#mayLeave("Ctrl-C") ? this.interrupt() : undefined;
    this.#leaveGuard.reset();
    this.#terminal?.dropDraft();
    this.#printer.note(["Dropped · Ctrl-Y brings it back"]);
  }

  /** Handles Ctrl-D on an empty line. */
  #handleCtrlD(): void {
    if (this.#mayLeave("Ctrl-D")) this.leave();
  }

  /** Whether a key leaves: while connected the second one in time, which the first one says. */
  #mayLeave(key: string): boolean {
    const { state, peer } = this.#client.view();
    if (state === "leaving" || peer === undefined) return true;
    if (this.#leaveGuard.isSecond(this.#system.clock())) return true;
    const name = label(peer.id, peer.name);
    this.#printer.note([`You talk with ${name} · ${key} again within 2 s leaves`]);
    return false;
  }

  /**
   * Handles SIGINT: cancels a request of somebody who types, else leaves, the second time without
   * waiting. It comes from Ctrl-C where nothing is redrawn.
   */
  interrupt(): void {
    const { state, outgoing } = this.#client.view();
    const isKey = this.#stdio.isTyped && this.#terminal === undefined;
    if (isKey && this.#stdio.isScreen) this.#printer.endEchoedRow();
    if (state !== "leaving" && outgoing !== undefined && this.#stdio.isTyped) {
      this.#drive?.input((now) => this.#client.cancel(now));
      return this.#update();
    }
    if (isKey && !this.#mayLeave("Ctrl-C")) return;
    this.#isInterrupted = true;
    this.stop();
  }

  /** Leaves, with the time that it takes. */
  leave(): void {
    this.#runCommand({ command: "leave" });
  }

  /** Leaves; the second time without waiting. */
  stop(): void {
    const isLeaving = this.#client.view().state === "leaving";
    this.#drive?.input((now) => isLeaving ? this.#client.abandon(now) : this.#client.leave(now));
    this.#update();
  }

  /** The process was stopped, and continues. */
  resume(): void {
    this.#terminal?.resume();
  }

  /**
   * The reader of the output has gone (`| head -1`), or the disk is full. A user leaves, and who only
   * listens; a script goes on until there is a message that nobody can read.
   */
  #handleBrokenOutput(problem?: string): void {
    if (problem !== undefined) {
      this.#hasFailed = true;
      this.#system.printError(`Cannot print any more: ${problem}`);
    }
    if (problem !== undefined || this.#stdio.isTyped || this.#options.acceptAll) this.leave();
  }
}

/** The script for the lines of the input, or for what the options ask for. */
function scriptFor(options: Options, isTyped: boolean): AnyScript {
  const { acceptAll, connect, send, isJson } = options;
  const timeout = options.timeout === 0 ? undefined : options.timeout * 1000;
  const waitReply = options.waitReply === 0 ? undefined : options.waitReply * 1000;
  const isProgram = isJson && !isTyped && send === undefined;
  if (isProgram) return new JsonScript({ connect, acceptAll, timeout });
  return new Script({ connect, send, waitReply, timeout, acceptAll, isTyped });
}

/** Standard input and output, as the options want them used. */
export function stdioFor({ send, isJson, isPlain, color }: Options): StdioInfo {
  const stdio = inspectStdio();
  // With --send there is nothing to type: it runs like a script.
  const isTyped = stdio.isTyped && send === undefined;
  const isWanted = color === "always" || color === "auto" && stdio.wantsColor;
  return {
    ...stdio,
    isTyped,
    wantsColor: isWanted && !isPlain && !isJson,
    isInteractive: stdio.isInteractive && isTyped && !isJson && !isPlain,
  };
}
