/**
 * Events as lines for people.
 *
 * Every line begins with the time; the further rows of a message are indented, so that no message
 * can look like a line of the program. All remote text is cleaned here.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";
import { type DeliveryNotice, type DeliveryState, MARKS } from "./deliveries.ts";
import type { ClientEvent, IdentityEvent } from "../event.ts";
import { brushOf, noticeOf } from "./render_notice.ts";
import type { Brush, Style } from "../../cli/style.ts";
import { clockTime, label, messages, textSize, who } from "./words.ts";
import { cutToWidth, hang, screenWidth } from "../../cli/wrap.ts";

/** Columns in front of a notice, and of the further rows of everything: `14:02 * `. */
const INDENT = 8;
/** The column of the mark of a message, counted from 1. */
export const MARK_COLUMN = 7;
/** Peers whose name and key are remembered; beyond that, the oldest is forgotten. */
const PEERS_MAX = 256;
/** How much of a message is shown at first on a terminal with a user. */
interface Limit {
  readonly lines: number;
  readonly characters: number;
}
const OWN_LIMIT: Limit = { lines: 5, characters: 500 };
const REMOTE_LIMIT: Limit = { lines: 20, characters: 1500 };

/** The least columns for the beginning of a paste. */
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
  readonly style: Style;
}

/** A message as it is shown; `styled` is the name in its color. */
interface Message {
  readonly mark: string;
  readonly name: string;
  readonly styled: string;
  readonly text: string;
  readonly time: Date;
}

/** Renders events; remembers what later ones need, such as the keys of peers. */
export class Renderer {
  readonly #surface: Surface;
  readonly #ownKey: Uint8Array | undefined;
  readonly #peers = new Map<number, { name: string; key: Uint8Array }>();
  /** The ids of the connected peers. */
  readonly #connected = new Set<number>();
  /** The last message of a peer that was cut. */
  #cut: Message | undefined;
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
    const styled = this.#surface.style.name(shown, this.#ownKey);
    const short = this.#shortened(text, OWN_LIMIT);
    return this.#message({ mark: MARKS.sent, name: shown, styled, text: short, time });
  }

  /** The lines for the last message of a peer that was cut, in full. */
  fullMessage(): string | undefined {
    return this.#cut && this.#message(this.#cut);
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
    const name = who(peer, this.#peers.get(peer)?.name ?? "");
    if (kind === "unconfirmed") {
      return this.#line(`Unconfirmed by ${name} after 5 s · still trying`, time, style.yellow);
    }
    const some = count === 1 ? "" : ` · ${messages(count)}`;
    return this.#line(`Delivered to ${name}${wasLate ? " after all" : ""}${some}`, time, style.dim);
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
    const name = label(event.peer, event.name);
    const styled = style.bold(style.name(name, this.#peers.get(event.peer)?.key));
    const message = { mark: "←", name, styled, text, time };
    const short = this.#shortened(text, REMOTE_LIMIT);
    if (short === text) return this.#message(message);
    this.#cut = message;
    return this.#message({ ...message, text: `${short} · type show to see it all` });
  }

  /** The text; on a terminal with a user, the beginning and the size of a long one. */
  #shortened(text: string, { lines, characters }: Limit): string {
    if (!this.#surface.isTyped) return text;
    const beginning = cutToWidth(text.split("\n").slice(0, lines).join("\n"), characters);
    return beginning === text ? text : `${beginning}\n… ${textSize(text)}`;
  }

  #message({ mark, name, styled, text, time }: Message): string {
    const prefix = `${this.#surface.style.dim(clockTime(time))} ${mark} ${styled}: `;
    const width = INDENT + screenWidth(name) + 2;
    const clean = cleanText(text, { keepLines: true });
    return hang(prefix, width, clean, INDENT, this.#surface.columns);
  }
}

function plain(text: string): string {
  return text;
}

/** Styles each row by itself, so that a pager shows the colors of every row. */
function brushLines(brush: Brush, text: string, prefix: string): string {
  return prefix + text.split("\n").map(brush).join("\n");
}
