/**
 * One run of a client: a person or a script in front of it, and the lines that come of it.
 *
 * @module
 */
import type { Instant } from "../protocol/machine.ts";
import type { Drive } from "../protocol/udp.ts";
import type { Client } from "./client.ts";
import { parseCommand } from "./commands/parse.ts";
import type { Command } from "./commands/command_table.ts";
import { complete, SeenClients } from "./commands/complete.ts";
import type { ClientEvent, ErrorCode } from "./event.ts";
import { ExitStatus } from "./exit.ts";
import type { History } from "./screen/history_file.ts";
import type { Options } from "./options.ts";
import { hasCountdown, prompt } from "./screen/prompt.ts";
import type { PeerMemory } from "./identity/peer_memory.ts";
import { CommandRunner } from "./commands/command_runner.ts";
import { Printer, type PrinterSystem } from "./output/printer.ts";
import { Renderer } from "./output/render.ts";
import { Script } from "./commands/script.ts";
import { styles } from "../cli/style.ts";
import { Terminal } from "./screen/terminal.ts";
import { Transcript, type TranscriptSystem } from "./output/transcript.ts";
import { inspectStdio, openOutput, readLines, screenColumns, type StdioInfo } from "../cli/tty.ts";
import { label } from "./output/words.ts";

/** Milliseconds between two looks at a countdown. */
const COUNTDOWN_STEP = 1000;

/** What a run needs from outside. */
export interface System extends PrinterSystem, TranscriptSystem {
  clock(): Instant;
  readonly history: History;
}

/** One run of a client. */
export class Run {
  readonly #options: Options;
  readonly #stdio: StdioInfo;
  readonly #client: Client;
  readonly #system: System;
  readonly #script: Script;
  readonly #renderer: Renderer;
  readonly #printer: Printer;
  readonly #memory: PeerMemory;
  readonly #commands: CommandRunner;
  readonly #transcript: Transcript;
  readonly #known = new SeenClients();
  readonly #left = Promise.withResolvers<void>();
  #terminal: Terminal | undefined;
  #drive: Drive | undefined;
  #stopCountdown: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;
  #isPumping = false;
  #isInterrupted = false;
  /** With whom the user talked when the line being typed was begun. */
  #begunWith: number | undefined;

  constructor(options: Options, client: Client, memory: PeerMemory, system: System) {
    this.#options = options;
    this.#client = client;
    this.#memory = memory;
    this.#system = system;
    const { acceptAll, connect, send, isJson } = options;
    this.#stdio = stdioFor(options);
    const { isTyped, isScreen, isInteractive, wantsColor } = this.#stdio;
    const surface = {
      isTyped: isTyped && isScreen,
      hasPrompt: isInteractive,
      style: styles(wantsColor),
      get columns(): number | undefined {
        return isInteractive ? screenColumns() : undefined;
      },
    };
    this.#renderer = new Renderer(surface, memory.ownKey);
    this.#script = new Script({ connect, send, acceptAll, isJson, isTyped });
    const output = openOutput(() => this.#handleBrokenOutput());
    const file = { isTyped: false, hasPrompt: false, style: styles(false), columns: undefined };
    const forFile = new Renderer(file, memory.ownKey);
    this.#transcript = new Transcript(system, forFile, (message) => this.#fail("log", message));
    this.#printer = new Printer(isJson, this.#renderer, output, system, this.#transcript);
    this.#commands = new CommandRunner({
      client,
      memory,
      printer: this.#printer,
      transcript: this.#transcript,
      // A terminal that cannot redraw shows what was typed.
      showsOwn: !isJson && (!surface.isTyped || isInteractive),
      input: (action) => this.#drive?.input(action),
      handleEvent: (event) => this.handleEvent(event),
    });
  }

  /** Runs until the client has left; returns the exit status. */
  async run(drive: Drive): Promise<number> {
    this.#drive = drive;
    try {
      if (this.#stdio.isInteractive) this.#printer.useScreen(this.#openTerminal());
      else if (this.#options.send === undefined) this.#readInput();
      if (this.#options.log !== undefined) this.#transcript.start(this.#options.log);
      this.#pump();
      await Promise.race([this.#left.promise, drive.finished]);
      return this.#isInterrupted ? ExitStatus.interrupted : this.#script.status;
    } finally {
      this.#stopCountdown?.();
      this.#terminal?.close();
      this.#transcript.stop();
      await this.#printer.finish();
    }
  }

  #openTerminal(): Terminal {
    const { history } = this.#system;
    return this.#terminal = new Terminal({
      prompt: () => {
        const columns = screenColumns();
        return prompt(this.#client.view(), {
          now: this.#system.clock(),
          server: this.#options.serverName,
          overdue: this.#printer.overdue,
          lostSince: this.#renderer.lostSince,
          columns,
        });
      },
      complete: (line) => {
        const { state, requests, peer, others, id: ownId } = this.#client.view();
        const clients = this.#known.list().filter(({ id }) => id !== ownId);
        const blocked = this.#memory.blockedWords();
        const connected = peer === undefined ? [] : [peer, ...others];
        const isConnected = state === "connected";
        return complete(line, { isConnected, clients, connected, requests, blocked });
      },
      onBegin: () => this.#begunWith = this.#client.view().peer?.id,
      onLine: (line) => this.#handleTyped(line),
      onRecallable: (line) => history.add(line),
      onPaste: (text) => this.#printer.paste(text, this.#client.view().state === "connected"),
      onDrop: () => this.#printer.note(["Dropped"]),
      onInterrupt: () => this.interrupt(),
      onEnd: () => this.#perform({ command: "leave" }),
      onNotStopped: (why) => this.#printer.note([`Ctrl-Z does not work here: ${why}`]),
    }, history.load().toReversed());
  }

  /** Feeds the lines of standard input to the script, or acts on them at once where they are typed. */
  async #readInput(): Promise<void> {
    try {
      for await (const line of readLines()) {
        if (this.#stdio.isTyped && line !== undefined) {
          this.#handleTyped(line);
          continue;
        }
        await this.#untilWanted();
        if (line === undefined) this.#script.feedTooLong();
        else this.#script.feed(line);
        this.#pump();
      }
    } catch (error) {
      this.#fail(
        "usage",
        `Cannot read the input: ${error instanceof Error ? error.message : error}`,
      );
    }
    if (this.#stdio.isTyped) return this.#perform({ command: "leave" });
    await this.#untilWanted();
    this.#script.end();
    this.#pump();
  }

  async #untilWanted(): Promise<void> {
    while (!this.#script.wantsInput) {
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }

  /** Acts on a typed line; false where it has to be entered once more. */
  #handleTyped(line: string): boolean {
    const isConnected = this.#client.view().state === "connected";
    const parsed = parseCommand(line, { isConnected, isJson: this.#options.isJson });
    if (!parsed.ok) this.#fail("usage", parsed.error.message);
    else if (parsed.value === undefined) this.#terminal?.eraseTyped();
    else if (this.#hasTargetChanged(parsed.value)) return false;
    else this.#perform(parsed.value);
    return true;
  }

  /** Whether the user talked with somebody else when a line without a name was begun; tells it. */
  #hasTargetChanged(command: Command): boolean {
    const { peer } = this.#client.view();
    const isForCurrent = (command.command === "send" || command.command === "terminate") &&
      command.peer === undefined;
    if (!isForCurrent || this.#begunWith === undefined || peer === undefined) return false;
    if (peer.id === this.#begunWith) return false;
    this.#begunWith = peer.id;
    const name = label(peer.id, peer.name);
    const what = command.command === "send"
      ? `Not sent: you talk with ${name} now · Enter sends it to ${name}`
      : `Not terminated: you talk with ${name} now · Enter ends that`;
    this.#printer.note([what]);
    return true;
  }

  #perform(command: Command): void {
    this.#commands.run(command);
    this.#update();
  }

  /** Does what the script wants next, until it waits for something. */
  #pump(): void {
    this.#isPumping = false;
    for (;;) {
      const step = this.#script.poll(this.#client.view());
      if (step === undefined) break;
      if (step.kind === "run") this.#perform(step.command);
      else this.#printer.event(step.event);
    }
    if (this.#script.wantsInput) this.#wakeReader?.();
    this.#update();
  }

  /** Takes an event of the client. */
  handleEvent(event: ClientEvent): void {
    this.#printer.event(event, this.#memory.handle(event, this.#system.date()));
    this.#known.handle(event);
    this.#script.handle(event);
    if (event.kind === "left") return this.#left.resolve();
    if (event.kind === "request") this.#terminal?.bell();
    if (this.#isPumping) return;
    // Not at once: events come from the middle of inputs.
    this.#isPumping = true;
    queueMicrotask(() => this.#pump());
  }

  /** Tells something that the user should know; the client goes on. */
  note(message: string): void {
    this.#printer.note([message]);
  }

  /** Tells that the known peers cannot be kept; the client goes on. */
  warn(message: string): void {
    this.#fail("knownPeers", message);
  }

  #fail(code: ErrorCode, message: string): void {
    this.#printer.event({ kind: "error", code, message });
  }

  /** Brings the prompt up to date, and keeps it so while it counts down. */
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

  /** Ctrl-C: cancels the request, else leaves, at last at once. */
  interrupt(): void {
    const { state, outgoing } = this.#client.view();
    if (state !== "leaving" && outgoing !== undefined && this.#terminal !== undefined) {
      this.#drive?.input((now) => this.#client.cancel(now));
      return this.#update();
    }
    this.#isInterrupted = true;
    this.stop();
  }

  /** Leaves; the second time without waiting. */
  stop(): void {
    const isLeaving = this.#client.view().state === "leaving";
    this.#drive?.input((now) => isLeaving ? this.#client.abandon(now) : this.#client.leave(now));
    this.#update();
  }

  /** The process was stopped, and goes on. */
  resume(): void {
    this.#terminal?.resume();
  }

  /** Nobody reads any more (`| head -1`): a script goes on to its end, a person has gone. */
  #handleBrokenOutput(): void {
    if (this.#stdio.isTyped) this.#perform({ command: "leave" });
  }
}

/** What stands at both ends, as far as the options want it used. */
function stdioFor({ send, isJson, isPlain, color }: Options): StdioInfo {
  const stdio = inspectStdio();
  // With --send there is nothing to type: it runs like a script.
  const isTyped = stdio.isTyped && send === undefined;
  const isWanted = color === "always" || color === "auto" && stdio.wantsColor;
  return {
    isTyped,
    isScreen: stdio.isScreen,
    wantsColor: isWanted && !isPlain && !isJson,
    isInteractive: stdio.isInteractive && isTyped && !isJson && !isPlain,
  };
}
