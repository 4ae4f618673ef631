/**
 * A directory on a terminal: the screen, redrawn in place.
 *
 * @module
 */
import type { ChangeKind } from "../event.ts";
import type { TableClient } from "../table/entry.ts";
import { type Change, changeOf, type Moment, noteOf } from "./render.ts";
import { renderScreen, type ScreenSize, type ScreenState } from "./screen.ts";
import type { Server } from "../server.ts";

/** Milliseconds between two redraws at least, however much happens. */
export const REDRAW_INTERVAL_MIN = 250;
/** Milliseconds between two redraws where nothing happens: ages tick. */
export const TICK = 1000;
/** Changes that are kept to be shown. */
export const CHANGES_MAX = 200;

/** The alternate screen. */
const ENTER = "\x1b[?1049h";
/** What gives the terminal back as it was. */
export const RESTORE = "\x1b[?25h\x1b[?1049l";
/** The cursor goes to the top unseen; it is shown again, for whoever stops the process. */
const BEGIN = "\x1b[?25l\x1b[H";
const END = "\x1b[?25h";
const CLEAR_LINE_END = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** What stays the same. */
export type LiveTexts = Pick<ScreenState, "title" | "hint">;

/** What a live screen needs from outside. */
export interface LiveSystem {
  moment(): Moment;
  size(): ScreenSize;
  /** Calls `action` once, unless the returned function is called before. */
  after(ms: number, action: () => void): () => void;
  /** Writes; settles when the terminal has taken it. */
  write(text: string): Promise<void>;
}

/** Shows a directory from its construction until close(). */
export class Live {
  readonly #texts: LiveTexts;
  readonly #server: Server;
  readonly #isColored: boolean;
  readonly #system: LiveSystem;
  readonly #changes: Change[] = [];
  #drawnAt = -Infinity;
  /** The next redraw, and how to call it off. */
  #planned: { at: number; cancel(): void } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  /** Whether the terminal shows the alternate screen, as far as is known. */
  #isEntered = false;
  #isSuspended = false;
  #isClosed = false;

  constructor(texts: LiveTexts, server: Server, isColored: boolean, system: LiveSystem) {
    this.#texts = texts;
    this.#server = server;
    this.#isColored = isColored;
    this.#system = system;
    this.#draw();
  }

  /** Takes a change of the table. */
  change(kind: ChangeKind, client: TableClient): void {
    this.#add(changeOf(kind, client, this.#system.moment()));
  }

  /** Shows, among the changes, what else whoever sits there should know. */
  note(text: string): void {
    this.#add(noteOf(text, this.#system.moment()));
  }

  /** Draws all of it anew: the terminal has another size, or another program used it. */
  redraw(): void {
    this.#isEntered = false;
    this.#isSuspended = false;
    this.#plan(this.#drawnAt + REDRAW_INTERVAL_MIN);
  }

  /** Gives the terminal back as it was, until redraw(); settles when it has taken all. */
  async suspend(): Promise<void> {
    if (this.#isClosed) return;
    this.#isSuspended = true;
    this.#planned?.cancel();
    this.#planned = undefined;
    this.#put(RESTORE);
    await this.#writing;
  }

  /** Gives the terminal back for good. */
  async close(): Promise<void> {
    const restored = this.suspend();
    this.#isClosed = true;
    await restored;
  }

  #add(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > CHANGES_MAX) this.#changes.shift();
    this.#plan(this.#drawnAt + REDRAW_INTERVAL_MIN);
  }

  /** Plans a redraw, unless an earlier one is planned. */
  #plan(at: number): void {
    if (this.#isClosed || this.#isSuspended) return;
    if (this.#planned !== undefined && this.#planned.at <= at) return;
    this.#planned?.cancel();
    const wait = Math.max(0, at - this.#system.moment().now);
    this.#planned = { at, cancel: this.#system.after(wait, () => this.#draw()) };
  }

  #draw(): void {
    const { now } = this.#system.moment();
    this.#planned = undefined;
    this.#drawnAt = now;
    this.#plan(now + TICK);
    // A slow terminal gets fewer frames, not older ones.
    if (this.#isWriting) return;
    const state = {
      ...this.#texts,
      table: this.#server.table(),
      changes: this.#changes,
      lookUps: this.#server.lookUps,
      dropped: this.#server.dropped,
      now,
    };
    const rows = renderScreen(state, this.#system.size(), this.#isColored);
    this.#isWriting = true;
    const picture = rows.join(`${CLEAR_LINE_END}\r\n`) + CLEAR_LINE_END + CLEAR_BELOW;
    this.#put((this.#isEntered ? "" : ENTER) + BEGIN + picture + END);
    this.#isEntered = true;
    this.#writing = this.#writing.then(() => {
      this.#isWriting = false;
    });
  }

  #put(text: string): void {
    // Where nobody looks any more, the directory goes on.
    this.#writing = this.#writing.then(() => this.#system.write(text)).catch(() => {});
  }
}
