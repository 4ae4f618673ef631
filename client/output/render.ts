/**
 * Events as lines for people.
 *
 * Every line begins with the time; the further rows of a message begin with a mark, so that no message
 * can look like a line of the program. All remote text is cleaned here.
 *
 * @module
 */
import { BoundedMap } from "../../protocol/bounded_map.ts";
import { cleanText, countPiledMarks } from "../../cli/text.ts";
import { type DeliveryNotice, type DeliveryState, MARKS } from "./deliveries.ts";
import type { ClientEvent, IdentityEvent } from "../event.ts";
import {
  FOLD_COLUMNS,
  type MessageHead,
  messageRows,
  RECEIVED,
  textForRows,
} from "./message_rows.ts";
import { brushOf, noticeOf } from "./render_notice.ts";
import type { Brush, Style } from "../../cli/style.ts";
import { clockTime, label, messages, textSize } from "./words.ts";
import { cutToWidth, hang, screenWidth } from "../../cli/wrap.ts";

/** Columns of the help where the width is not known. */
const HELP_COLUMNS = 80;
/** A line of the help with two columns: a command, and what it does. */
const ENTRY = /\S {2,}/;

/** Peers whose name and key are remembered; beyond that, the oldest is forgotten. */
const PEERS_MAX = 256;
/** Rows of a message that are shown at first on a terminal with a user: of one's own, of a peer. */
const OWN_ROWS = 5;
const REMOTE_ROWS = 20;
/** Rows that `show` shows at a time. */
const SHOWN_ROWS = 1000;

/** The least columns for the beginning of a paste, and for a hint. */
const BEGINNING_COLUMNS_MIN = 10;
/** Columns where the surface has none. */
const COLUMNS_DEFAULT = 80;

/** What the lines are printed on. */
export interface Surface {
  /** Whether there is a user to give hints on what to type. */
  readonly isTyped: boolean;
  /** Whether a prompt shows the state of the client. */
  readonly hasPrompt: boolean;
  /** Columns to wrap at, undefined for none. */
  readonly columns: number | undefined;
  /** Columns that no row of a message may be wider than, where that is known but not `columns`. */
  readonly messageColumns?: number | undefined;
  /** Adds the codes that have a run broken by the terminal; left out where it does so by itself. */
  readonly whole?: (run: string) => string;
  readonly style: Style;
  /** Whether the time of a line has seconds. */
  readonly hasSeconds?: boolean;
}

/** A message as it is shown: `text` is clean, `size` and `piled` are about what was before. */
interface Message extends MessageHead {
  readonly text: string;
  readonly size: string;
  /** The marks that were left out. */
  readonly piled: number;
}

/** A message from this client. */
export interface OwnMessage {
  readonly peer: number;
  /** The name of this client. */
  readonly name: string;
  /** The peer's name, only where more than one conversation is open. */
  readonly to?: string | undefined;
  readonly text: string;
}

/** Renders events; remembers what later ones need, such as the keys of peers. */
export class Renderer {
  readonly #surface: Surface;
  readonly #ownKey: Uint8Array | undefined;
  readonly #peers = new BoundedMap<number, { name: string; key: Uint8Array }>(PEERS_MAX);
  /** The ids of the connected peers. */
  readonly #connected = new Set<number>();
  /** The last message of a peer that was cut, and how far `show` has shown it at that width. */
  #cut: { message: Message; shown: number; columns: number } | undefined;
  #ownId = 0;
  #ownName = "";
  #lostSince = "";

  /** @param ownKey the static public key of this client, which gives its name a color. */
  constructor(surface: Surface, ownKey?: Uint8Array) {
    this.#surface = surface;
    this.#ownKey = ownKey;
  }

  /** When the directory stopped answering, as `14:02`; empty while it answers. */
  get lostSince(): string {
    return this.#lostSince;
  }

  /**
   * The lines for an event, undefined for one that is not shown.
   *
   * @param identity with a request: the identity of its sender.
   */
  event(event: ClientEvent, time: Date, identity?: IdentityEvent): string | undefined {
    if (event.kind === "message") return this.#received(event, time);
    const { isTyped, hasPrompt, style } = this.#surface;
    const known = { ownId: this.#ownId, ownName: this.#ownName, connected: this.#connected };
    const notice = noticeOf(event, { isTyped, hasPrompt, ...known, time, identity });
    this.#remember(event, time);
    if (notice === undefined) return undefined;
    const lines = typeof notice === "string" ? [notice] : notice;
    return lines.map((line) => this.#line(line, time, brushOf(event, style))).join("\n");
  }

  /** The lines for a message from this client; of a long one, the beginning and the size. */
  own({ peer, name, to, text }: OwnMessage, time: Date): string {
    const head = {
      mark: MARKS.sent,
      name: name === "" ? "you" : cleanText(name),
      brush: this.#nameBrush(this.#ownKey),
      to: to === undefined
        ? undefined
        : { name: label(peer, to), brush: this.#nameBrush(this.#peers.get(peer)?.key) },
    };
    const message = this.#messageOf(head, text, cleanText(text, { keepLines: true }), time);
    return this.#beginning(message, OWN_ROWS).lines;
  }

  /**
   * The lines for the last message of a peer that was cut, so many rows at a time; after the last
   * one, the first again.
   */
  fullMessage(): string | undefined {
    if (this.#cut === undefined) return undefined;
    const { message, shown, columns } = this.#cut;
    const start = columns === this.#messageColumns ? shown : 0;
    const { rows, isCut, next } = this.#rowsOf(message, start, SHOWN_ROWS);
    this.#cut = { message, shown: isCut ? next : 0, columns: this.#messageColumns };
    return this.#withHint(rows, isCut ? ["type show to go on"] : piledWords(message));
  }

  /** The column of the mark of a message, counted from 1. */
  get markColumn(): number {
    return this.#indent - 1;
  }

  /** The mark at {@linkcode markColumn} of a message in this state. */
  mark(state: DeliveryState): string {
    const { style } = this.#surface;
    const brush = {
      sent: plain,
      delivered: style.green,
      unconfirmed: style.yellow,
      lost: style.red,
    };
    return brush[state](MARKS[state]);
  }

  /** The line for the state of messages whose own lines cannot show it. */
  delivery({ kind, peer, count, wasLate }: DeliveryNotice, time: Date): string {
    const { style } = this.#surface;
    const name = label(peer, this.#peers.get(peer)?.name ?? "");
    if (kind === "unconfirmed") {
      return this.#line(`Unconfirmed by ${name} after 5 s · still trying`, time, style.yellow);
    }
    const late = wasLate ? " after all" : "";
    return this.#line(`${messages(count)} delivered to ${name}${late}`, time, style.dim);
  }

  /** The line for a text that was pasted into the draft. */
  paste(text: string, isConnected: boolean, time: Date): string {
    const keys = isConnected ? "Enter sends, Ctrl-C drops" : "Ctrl-C drops";
    const what = `Pasted ${textSize(text)}: ${keys}`;
    const [first = ""] = text.trimStart().split("\n", 1);
    const { columns = COLUMNS_DEFAULT } = this.#surface;
    // The beginning goes in the same row, or in a second one where there is too little room.
    const left = columns - this.#indent - screenWidth(what) - 3;
    const room = left < BEGINNING_COLUMNS_MIN ? columns - this.#indent : left;
    return this.note([`${what} · ${cutToWidth(cleanText(first.slice(0, columns)), room)}`], time);
  }

  /** The line for a request that the user rejected. */
  rejection({ id, name }: { id: number; name: string }, time: Date): string {
    const text = `Connection Request from ${label(id, name)} rejected`;
    return this.#line(text, time, this.#surface.style.dim);
  }

  /** Lines that answer a command. */
  note(lines: readonly string[], time: Date): string {
    return lines.map((line) => this.#line(cleanText(line), time, plain)).join("\n");
  }

  /** Help, whose lines keep their indent; two columns become one where the screen is too narrow. */
  help(text: string): string {
    const { columns = HELP_COLUMNS } = this.#surface;
    const lines = text.split("\n");
    const isNarrow = lines.some((line) => ENTRY.test(line) && screenWidth(line) > columns);
    return lines.map((line) => {
      const words = line.trimStart();
      const indent = line.length - words.length;
      const row = isNarrow ? words.replace(/ {2,}/, " · ") : words;
      const hanging = ENTRY.test(line) ? indent + 2 : indent;
      return hang(" ".repeat(indent), indent, row, hanging, columns);
    }).join("\n");
  }

  /** Keeps what later events need. */
  #remember(event: ClientEvent, time: Date): void {
    switch (event.kind) {
      case "registered":
        this.#ownId = event.id;
        this.#ownName = event.name;
        this.#lostSince = "";
        return;
      case "serverLost":
        this.#lostSince = clockTime(time);
        return;
      case "serverBack":
      case "serverMoved":
        this.#lostSince = "";
        return;
      case "connected":
        this.#connected.add(event.peer);
        this.#peers.set(event.peer, { name: event.name, key: event.key });
        return;
      case "terminated":
        this.#connected.delete(event.peer);
    }
  }

  #line(text: string, time: Date, brush: Brush): string {
    const prefix = `${this.#surface.style.dim(this.#clock(time))} ${brush("*")} `;
    return brushLines(
      brush,
      hang("", this.#indent, text, this.#indent, this.#surface.columns),
      prefix,
    );
  }

  #received(event: Extract<ClientEvent, { kind: "message" }>, time: Date): string {
    const { bold } = this.#surface.style;
    const { text } = event;
    const color = this.#nameBrush(this.#peers.get(event.peer)?.key);
    const brush = (name: string): string => bold(color(name));
    const head = { mark: RECEIVED, name: label(event.peer, event.name), brush };
    const message = this.#messageOf(head, text, textForRows(text), time);
    const { lines, isCut } = this.#beginning(message, REMOTE_ROWS, "type show to see it all");
    if (isCut) this.#cut = { message, shown: 0, columns: this.#messageColumns };
    return lines;
  }

  #clock(time: Date): string {
    return clockTime(time, this.#surface.hasSeconds);
  }

  /** Columns in front of a text: `14:02 * `. */
  get #indent(): number {
    return this.#surface.hasSeconds ? 11 : 8;
  }

  #nameBrush(key: Uint8Array | undefined): Brush {
    return (name) => this.#surface.style.name(name, key);
  }

  #messageOf(
    head: Omit<MessageHead, "clock">,
    text: string,
    clean: string,
    time: Date,
  ): Message {
    const clock = this.#surface.style.dim(this.#clock(time));
    return { ...head, clock, text: clean, size: textSize(text), piled: countPiledMarks(text) };
  }

  /** The lines for a message; on a terminal with a user, of a long one the beginning and the size. */
  #beginning(
    message: Message,
    rowsMax: number,
    hint?: string,
  ): { lines: string; isCut: boolean } {
    const { isTyped } = this.#surface;
    const { rows, isCut } = this.#rowsOf(message, 0, isTyped ? rowsMax : Infinity);
    const words = isCut ? [message.size, ...piledWords(message)] : piledWords(message);
    if (isCut && hint !== undefined) words.push(hint);
    return { lines: this.#withHint(rows, words), isCut };
  }

  /** So many rows of a message from `start` on, whether there are more, and from where on. */
  #rowsOf(
    message: Message,
    start: number,
    count: number,
  ): { rows: string[]; isCut: boolean; next: number } {
    const { whole = plain } = this.#surface;
    const space = { indent: this.#indent, columns: this.#messageColumns, runRows: count, whole };
    const rows: string[] = [];
    let next = 0;
    for (const { text, height } of messageRows(message, message.text, space)) {
      if (next + height > start + count) return { rows, isCut: true, next };
      if (next >= start) rows.push(text);
      next += height;
    }
    return { rows, isCut: false, next };
  }

  /** The rows, and below them words of the program, which have no mark. */
  #withHint(rows: readonly string[], words: readonly string[]): string {
    if (words.length === 0) return rows.join("\n");
    const { columns } = this.#surface;
    const indent = Math.max(
      0,
      Math.min(this.#indent, this.#messageColumns - BEGINNING_COLUMNS_MIN),
    );
    const hint = hang(" ".repeat(indent), indent, `… ${words.join(" · ")}`, indent, columns);
    return [...rows, hint].join("\n");
  }

  get #messageColumns(): number {
    return this.#surface.columns ?? this.#surface.messageColumns ?? FOLD_COLUMNS;
  }
}

/** What is not shown of a message, even by `show`. */
function piledWords({ piled }: Message): string[] {
  return piled === 0 ? [] : [`${piled} marks piled up on letters left out`];
}

function plain(text: string): string {
  return text;
}

/** Styles each row by itself, so that a pager shows the colors of every row. */
function brushLines(brush: Brush, text: string, prefix: string): string {
  return prefix + text.split("\n").map(brush).join("\n");
}
