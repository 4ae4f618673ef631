/**
 * Runs a script: gives it lines and events, does its steps, and wakes it when its time has come.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Line } from "../../cli/line_splitter.ts";
import type { ClientEvent } from "../event.ts";
import type { ExitStatus } from "../exit.ts";
import type { AnyScript, Step } from "./script.ts";
import type { ScriptView } from "./script_view.ts";

/** What a script runs on. */
export interface ScriptContext {
  clock(): Instant;
  view(): ScriptView;
  /** Does an action after so many milliseconds, unless the returned function stops it. */
  after(ms: number, action: () => void): () => void;
  /** Does a step. */
  step(step: Step): void;
  /** There is no further step for now. */
  onWait(): void;
}

/** Runs one script. */
export class ScriptRunner {
  readonly #script: AnyScript;
  readonly #context: ScriptContext;
  #isScheduled = false;
  #stopTimer: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;

  constructor(script: AnyScript, context: ScriptContext) {
    this.#script = script;
    this.#context = context;
  }

  /** The current exit status. */
  get status(): ExitStatus {
    return this.#script.status;
  }

  /** Takes a line of the input, when there is room for it. */
  async feed(line: Line): Promise<void> {
    await this.#waitForRoom();
    this.#script.feed(line);
    this.run();
  }

  /** Takes the end of the input. */
  async end(): Promise<void> {
    await this.#waitForRoom();
    this.#script.end();
    this.run();
  }

  /** Takes an event of the client; schedule() is to follow. */
  handle(event: ClientEvent): void {
    this.#script.handle(event);
  }

  /** Runs soon: not at once, since events come in the middle of an input. */
  schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.run());
  }

  /** Does the steps of the script until it waits for something. */
  run(): void {
    this.#isScheduled = false;
    const { clock, view, step: doStep, onWait } = this.#context;
    for (;;) {
      const step = this.#script.poll(clock(), view());
      if (step === undefined) break;
      doStep(step);
    }
    if (this.#script.wantsInput) this.#wakeReader?.();
    this.#awaitTimeout();
    onWait();
  }

  /** Wakes the script no more. */
  stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #awaitTimeout(): void {
    this.stop();
    const timeout = this.#script.nextTimeout();
    if (timeout === undefined) return;
    const left = Math.max(0, Math.ceil(timeout - this.#context.clock()));
    this.#stopTimer = this.#context.after(left, () => this.run());
  }

  async #waitForRoom(): Promise<void> {
    while (!this.#script.wantsInput) {
      await new Promise<void>((resolve) => this.#wakeReader = resolve);
    }
  }
}
