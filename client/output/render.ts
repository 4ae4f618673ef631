/**
 * Events as lines for people.
 *
 * Every line begins with the time; the further rows of a message begin with a mark, so that no message
 * can look like a line of the program. All remote text is cleaned here.
 *
 * @module
 */
import { cleanText, countPiledMarks } from "../../cli/text.ts";
import { type DeliveryNotice, type DeliveryState, MARKS } from "./deliveries.ts";
import type { ClientEvent, IdentityEvent } from "../event.ts";
import {
  FOLD_COLUMNS,
  INDENT,
  type MessageHead,
  messageRows,
  RECEIVED,
  textForRows,
} from "./message_rows.ts";
import { brushOf, noticeOf } from "./render_notice.ts";
import type { Brush, Style } from "../../cli/style.ts";
import { clockTime, label, messages, textSize, who } from "./words.ts";
import { cutToWidth, hang, screenWidth } from "../../cli/wrap.ts";

/** The column of the mark of a message, counted from 1. */
export const MARK_COLUMN = 7;
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
  readonly style: Style;
}

/** A message as it is shown: `text` is clean, `size` and `piled` are about what was before. */
interface Message extends MessageHead {
  readonly text: string;
  readonly size: string;
  /** The marks that were left out. */
  readonly piled: number;
}

/** Renders events; remembers what later ones need, such as the keys of peers. */
export class Renderer {
  readonly #surface: Surface;
  readonly #ownKey: Uint8Array | undefined;
  readonly #peers = new Map<number, { name: string; key: Uint8Array }>();
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
  own(name: string, text: string, time: Date): string {
    const shown = name === "" ? "you" : cleanText(name);
    const brush = (name: string): string => this.#surface.style.name(name, this.#ownKey);
    const clean = cleanText(text, { keepLines: true });
    const message = this.#messageOf({ mark: MARKS.sent, name: shown, brush }, text, clean, time);
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
    const { rows, isCut } = this.#rowsOf(message, start, SHOWN_ROWS);
    const next = isCut ? start + rows.length : 0;
    this.#cut = { message, shown: next, columns: this.#messageColumns };
    return this.#withHint(rows, isCut ? ["type show to go on"] : piledWords(message));
  }

  /** The mark at {@linkcode MARK_COLUMN} of a message in this state. */
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
    const left = columns - INDENT - screenWidth(what) - 3;
    const room = left < BEGINNING_COLUMNS_MIN ? columns - INDENT : left;
    return this.note([`${what} · ${cutToWidth(cleanText(first.slice(0, columns)), room)}`], time);
  }

  /** The line for a request that the user rejected. */
  rejection({ id, name }: { id: number; name: string }, time: Date): string {
    const text = `Connection Request from ${who(id, name)} rejected`;
    return this.#line(text, time, this.#surface.style.dim);
  }

  /** Lines that answer a command. */
  note(lines: readonly string[], time: Date): string {
    return lines.map((line) => this.#line(cleanText(line), time, plain)).join("\n");
  }

  /** Help, whose lines keep their indent; two columns become one where the screen is too narrow. */
  help(text: string): string {
    const { columns } = this.#surface;
    const lines = text.split("\n");
    const isNarrow = columns !== undefined && lines.some((line) => screenWidth(line) > columns);
    return lines.map((line) => {
      const words = line.trimStart();
      const indent = line.length - words.length;
      const row = isNarrow ? words.replace(/ {2,}/, " · ") : words;
      return hang(" ".repeat(indent), indent, row, indent + 2, columns);
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
        this.#lostSince = "";
        return;
      case "connected":
        this.#connected.add(event.peer);
        return this.#addPeer(event.peer, event.name, event.key);
      case "terminated":
        this.#connected.delete(event.peer);
    }
  }

  #addPeer(peer: number, name: string, key: Uint8Array): void {
    this.#peers.delete(peer);
    this.#peers.set(peer, { name, key });
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > PEERS_MAX && oldest !== undefined) this.#peers.delete(oldest);
  }

  #line(text: string, time: Date, brush: Brush): string {
    const prefix = `${this.#surface.style.dim(clockTime(time))} ${brush("*")} `;
    return brushLines(brush, hang("", INDENT, text, INDENT, this.#surface.columns), prefix);
  }

  #received(event: Extract<ClientEvent, { kind: "message" }>, time: Date): string {
    const { style } = this.#surface;
    const { text } = event;
    const key = this.#peers.get(event.peer)?.key;
    const brush = (name: string): string => style.bold(style.name(name, key));
    const head = { mark: RECEIVED, name: label(event.peer, event.name), brush };
    const message = this.#messageOf(head, text, textForRows(text), time);
    const { lines, isCut } = this.#beginning(message, REMOTE_ROWS, "type show to see it all");
    if (isCut) this.#cut = { message, shown: 0, columns: this.#messageColumns };
    return lines;
  }

  #messageOf(
    head: Omit<MessageHead, "clock">,
    text: string,
    clean: string,
    time: Date,
  ): Message {
    const clock = this.#surface.style.dim(clockTime(time));
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

  /** So many rows of a message from `start` on, and whether there are more. */
  #rowsOf(message: Message, start: number, count: number): { rows: string[]; isCut: boolean } {
    const rows: string[] = [];
    let index = 0;
    for (const row of messageRows(message, message.text, this.#messageColumns)) {
      if (index >= start + count) return { rows, isCut: true };
      if (index >= start) rows.push(row);
      index++;
    }
    return { rows, isCut: false };
  }

  /** The rows, and below them words of the program, which have no mark. */
  #withHint(rows: readonly string[], words: readonly string[]): string {
    if (words.length === 0) return rows.join("\n");
    const { columns } = this.#surface;
    const indent = Math.max(0, Math.min(INDENT, this.#messageColumns - BEGINNING_COLUMNS_MIN));
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
