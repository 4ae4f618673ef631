/**
 * A directory on a terminal, redrawn in place.
 *
 * @module
 */
import type { ChangeKind, TableClient } from "../table/table.ts";
import { type ClockReading, type LogLine, renderChangeLine, renderNoteLine } from "./render.ts";
import type { PageTurn } from "./page_keys.ts";
import { countPages, renderScreen, type ScreenSize, type ScreenState } from "./screen.ts";
import type { Server } from "../server.ts";

/** The least time between two redraws, in milliseconds. */
export const REDRAW_INTERVAL_MIN = 250;
/** Milliseconds between two redraws if nothing happens, so that ages count up. */
export const TICK = 1000;
/** Log lines that are kept to be shown. */
export const LOG_LINES_MAX = 200;

/** The alternate screen. */
const ENTER = "\x1b[?1049h";
/** Gives the terminal back as it was. */
export const RESTORE = "\x1b[?25h\x1b[?1049l";
/** The cursor goes to the top, hidden; it is shown after the frame, in case the process ends. */
const BEGIN = "\x1b[?25l\x1b[H";
const END = "\x1b[?25h";
const CLEAR_LINE_END = "\x1b[K";
const CLEAR_BELOW = "\x1b[J";

/** What a live screen shows of a directory. */
export type DirectoryState = Pick<Server, "clientsFrom" | "totals">;

/** The texts that stay the same. */
export type LiveScreenTexts = Pick<ScreenState, "title" | "hint">;

/** What a live screen needs of the system. */
export interface LiveScreenSystem {
  readClock(): ClockReading;
  size(): ScreenSize;
  /** Whether keys are read that turn pages. */
  readonly hasKeys: boolean;
  /** Calls `action` once, unless the returned function is called before. */
  after(ms: number, action: () => void): () => void;
  /** Settles when everything is written. */
  write(text: string): Promise<void>;
}

/** Shows a directory from its construction until close(). */
export class LiveScreen {
  readonly #texts: LiveScreenTexts;
  readonly #directory: DirectoryState;
  readonly #isColored: boolean;
  readonly #system: LiveScreenSystem;
  readonly #log: LogLine[] = [];
  /** The page of the table that is shown, and how many there were at the last drawing. */
  #page = 0;
  #pages = 1;
  #drawnAt = -Infinity;
  /** The next redraw. */
  #planned: { at: number; cancel(): void } | undefined;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  /** Whether the terminal shows the alternate screen, as far as is known. */
  #isEntered = false;
  #isSuspended = false;
  #isClosed = false;

  constructor(
    texts: LiveScreenTexts,
    directory: DirectoryState,
    isColored: boolean,
    system: LiveScreenSystem,
  ) {
    this.#texts = texts;
    this.#directory = directory;
    this.#isColored = isColored;
    this.#system = system;
    this.#draw();
  }

  /** Adds a change of the table to the log. */
  showChange(kind: ChangeKind, client: TableClient): void {
    this.#add(renderChangeLine(kind, client, this.#system.readClock()));
  }

  /** Adds a note to the log. */
  showNote(text: string): void {
    this.#add(renderNoteLine(text, this.#system.readClock()));
  }

  /** Shows another page of the table. */
  turnPage(turn: PageTurn): void {
    const last = this.#pages - 1;
    const page = { next: this.#page + 1, previous: this.#page - 1, first: 0, last }[turn];
    this.#page = Math.max(0, Math.min(page, last));
    this.#plan(this.#system.readClock().now);
  }

  /** Draws everything again, after a resize or when another program has used the terminal. */
  redraw(): void {
    this.#isEntered = false;
    this.#isSuspended = false;
    this.#plan(this.#drawnAt + REDRAW_INTERVAL_MIN);
  }

  /** Gives the terminal back as it was, until redraw(); settles when everything is written. */
  async suspend(): Promise<void> {
    if (this.#isClosed) return;
    this.#isSuspended = true;
    this.#planned?.cancel();
    this.#planned = undefined;
    this.#write(RESTORE);
    await this.#writing;
  }

  /** Gives the terminal back for good. */
  async close(): Promise<void> {
    const restored = this.suspend();
    this.#isClosed = true;
    await restored;
  }

  #add(line: LogLine): void {
    this.#log.push(line);
    if (this.#log.length > LOG_LINES_MAX) this.#log.shift();
    this.#plan(this.#drawnAt + REDRAW_INTERVAL_MIN);
  }

  /** Plans a redraw, unless an earlier one is planned. */
  #plan(at: number): void {
    if (this.#isClosed || this.#isSuspended) return;
    if (this.#planned !== undefined && this.#planned.at <= at) return;
    this.#planned?.cancel();
    const wait = Math.max(0, at - this.#system.readClock().now);
    this.#planned = { at, cancel: this.#system.after(wait, () => this.#draw()) };
  }

  #draw(): void {
    const { now } = this.#system.readClock();
    this.#planned = undefined;
    this.#drawnAt = now;
    this.#plan(now + TICK);
    // On a slow terminal frames are left out, so that none is late.
    if (this.#isWriting) return;
    const state = {
      ...this.#texts,
      clientsFrom: (index: number) => this.#directory.clientsFrom(index),
      page: this.#page,
      hasKeys: this.#system.hasKeys,
      log: this.#log,
      totals: this.#directory.totals,
      now,
    };
    const size = this.#system.size();
    this.#pages = countPages(state, size);
    this.#page = Math.min(this.#page, this.#pages - 1);
    const rows = renderScreen(state, size, this.#isColored);
    this.#isWriting = true;
    const frame = rows.join(`${CLEAR_LINE_END}\r\n`) + CLEAR_LINE_END + CLEAR_BELOW;
    this.#write((this.#isEntered ? "" : ENTER) + BEGIN + frame + END);
    this.#isEntered = true;
    this.#writing = this.#writing.then(() => {
      this.#isWriting = false;
    });
  }

  #write(text: string): void {
    // The directory goes on without its terminal.
    this.#writing = this.#writing.then(() => this.#system.write(text)).catch(() => {});
  }
}
