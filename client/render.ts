/**
 * What happens, as lines for people.
 *
 * Every line of ours begins with the time; the further rows of a message are indented, so that no
 * message can pose as anything else. All remote text is cleaned here.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";
import { bold, cyan, dim, green, red, yellow } from "@std/fmt/colors";
import { formatAddress } from "../protocol/address.ts";
import { type ListEntry, RejectReason } from "../protocol/frame.ts";
import { cleanText } from "../protocol/text.ts";
import type { ClientEvent, Peer } from "./event.ts";
import { identityLines } from "./render_identity.ts";
import { hang } from "./wrap.ts";

/** Columns in front of a notice, and of the further rows of everything: `14:02 * `. */
const INDENT = 8;

/** Where the lines go. */
export interface Surface {
  /** Whether somebody is there who can be told what to type. */
  readonly isTyped: boolean;
  /** Whether a prompt shows what is going on. */
  readonly hasPrompt: boolean;
  /** Columns to wrap at, undefined for none. */
  readonly columns: number | undefined;
}

type Style = (text: string) => string;

/** Renders events; remembers what later ones need, such as which messages are unconfirmed. */
export class Renderer {
  readonly #surface: Surface;
  readonly #overdue = new Set<number>();
  #overdueTotal = 0;
  #ownId = 0;
  #peerName = "";

  constructor(surface: Surface) {
    this.#surface = surface;
  }

  /** Messages on the current connection that are unconfirmed since 5 s or more. */
  get overdue(): number {
    return this.#overdue.size;
  }

  /** The lines for an event, or undefined for one that nobody needs to see. */
  event(event: ClientEvent, time: Date): string | undefined {
    if (event.kind === "message") {
      const name = label(event.peer, event.name);
      return this.#message("←", bold(green(name)), name, event.text, time);
    }
    const notice = this.#notice(event, time);
    if (notice === undefined) return undefined;
    const lines = typeof notice === "string" ? [notice] : notice;
    return lines.map((line) => this.#line(line, time, styleOf(event))).join("\n");
  }

  /** The lines for a message that this client sends. */
  own(name: string, text: string, time: Date): string {
    const shown = name === "" ? "you" : cleanText(name);
    return this.#message("→", cyan(shown), shown, text, time);
  }

  /** The line for a request that this client's user rejected. */
  rejection({ id, name }: { id: number; name: string }, time: Date): string {
    return this.#line(`Connection Request from ${who(id, name)} rejected`, time, dim);
  }

  /** Lines that answer a command. */
  note(lines: readonly string[], time: Date): string {
    return lines.map((line) => this.#line(cleanText(line), time, (text) => text)).join("\n");
  }

  #line(text: string, time: Date, style: Style): string {
    const prefix = `${dim(clockTime(time))} ${style("*")} `;
    return styleLines(style, hang("", INDENT, text, INDENT, this.#surface.columns), prefix);
  }

  #message(arrow: string, styledName: string, name: string, text: string, time: Date): string {
    const prefix = `${dim(clockTime(time))} ${arrow} ${styledName}: `;
    const width = INDENT + unicodeWidth(name) + 2;
    const clean = cleanText(text, { keepLines: true });
    return hang(prefix, width, clean, INDENT, this.#surface.columns);
  }

  #hint(text: string): string {
    return this.#surface.isTyped ? ` · ${text}` : "";
  }

  #notice(
    event: Exclude<ClientEvent, { kind: "message" }>,
    time: Date,
  ): string | string[] | undefined {
    switch (event.kind) {
      case "registered":
        return this.#registered(event);
      case "serverLost":
        return `The directory at ${event.server} does not answer · trying again`;
      case "serverBack":
        return `The directory at ${event.server} answers again`;
      case "requesting":
        return this.#requesting(event.peer, event.attempt);
      case "ringing":
        return `Client ${event.peer} is ringing`;
      case "inactive":
        return `Client ${peerText(event.peer)} Inactive`;
      case "rejected": {
        const why = event.reason === RejectReason.busy ? ": busy" : "";
        return `Connection Reject from client ${event.peer}${why}`;
      }
      case "cancelled":
        return `Connection Request to client ${peerText(event.peer)} cancelled`;
      case "request": {
        const again = event.isAgain ? ", which started anew" : "";
        const hint = this.#hint("type accept or reject");
        return `Connection Request from ${who(event.peer, event.name)}${again}${hint}`;
      }
      case "requestEnded":
        return requestEnded(who(event.peer, event.name), event.why);
      case "connected": {
        this.#peerName = event.name;
        const hint = this.#hint("type to talk, terminate to end");
        return `Connected to ${who(event.peer, event.name)}${hint}`;
      }
      case "identity":
        return identityLines(event, time);
      case "terminated":
        this.#overdue.clear();
        return terminated(event);
      case "sent":
        return undefined;
      case "unconfirmed":
        return this.#unconfirmed(event.peer, event.seq);
      case "delivered":
        return this.#delivered(event.peer, event.seq);
      case "list":
        return list(event.clients, this.#ownId);
      case "left": {
        if (this.#ownId === 0) return undefined;
        const ack = event.acknowledged ? "acknowledged" : "not acknowledged by the directory";
        return `Client Leave ${ack}${undelivered(event.undelivered)}`;
      }
      case "error":
        return cleanText(event.message);
    }
  }

  #registered({ id, name, address, server }: Extract<ClientEvent, { kind: "registered" }>): string {
    const isFirst = this.#ownId === 0;
    this.#ownId = id;
    const registered = `Registered ${isFirst ? "" : "again "}at ${server} as ${who(id, name)}`;
    if (!this.#surface.isTyped) return `${registered}, seen at ${formatAddress(address)}`;
    return isFirst ? `${registered} · type help` : registered;
  }

  /** The prompt shows every attempt; elsewhere each one is a line. */
  #requesting(peer: number, attempt: number): string | undefined {
    if (attempt === 1) return `Connection Request sent to client ${peer}`;
    if (this.#surface.hasPrompt) return undefined;
    return `Connection Request sent to client ${peer} again · attempt ${attempt}`;
  }

  /** One line when messages begin to be overdue, and one when all of them are delivered. */
  #unconfirmed(peer: number, seq: number): string | undefined {
    if (this.#overdue.size === 0) this.#overdueTotal = 0;
    this.#overdue.add(seq);
    this.#overdueTotal++;
    if (this.#overdue.size > 1) return undefined;
    return `Unconfirmed by ${who(peer, this.#peerName)} after 5 s · still trying`;
  }

  #delivered(peer: number, seq: number): string | undefined {
    if (!this.#overdue.delete(seq) || this.#overdue.size > 0) return undefined;
    const count = this.#overdueTotal === 1 ? "" : ` · ${this.#overdueTotal} messages`;
    return `Delivered to ${who(peer, this.#peerName)} after all${count}`;
  }
}

/** `client 2 (bob)` */
export function who(id: number, name: string): string {
  const clean = cleanText(name);
  return clean === "" ? `client ${id}` : `client ${id} (${clean})`;
}

/** `bob`, or `client 2` where it has no name. */
export function label(id: number, name: string): string {
  return cleanText(name) || `client ${id}`;
}

/** `2`, or `bob` where only the name is known. */
export function peerText(peer: Peer): string {
  return typeof peer === "number" ? `${peer}` : cleanText(peer);
}

/** `1 message`, `2 messages` */
export function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

function undelivered(count: number): string {
  return count === 0 ? "" : ` · ${messages(count)} left undelivered`;
}

function requestEnded(from: string, why: "cancelled" | "expired" | "busy"): string {
  switch (why) {
    case "cancelled":
      return `Connection Request from ${from} withdrawn`;
    case "expired":
      return `Connection Request from ${from} expired`;
    case "busy":
      return `Connection Request from ${from} rejected: you are busy`;
  }
}

function terminated(event: Extract<ClientEvent, { kind: "terminated" }>): string {
  const peer = who(event.peer, event.name);
  const rest = undelivered(event.undelivered);
  switch (event.by) {
    case "local":
      return `Connection Termination by you, with ${peer}${rest}`;
    case "peer":
      return `Connection Termination by ${peer}${rest}`;
    case "timeout":
      return `Connection with ${peer} ended: no answer${rest}`;
  }
}

function list(clients: readonly ListEntry[], ownId: number): string[] {
  if (clients.length === 0) return ["No active clients"];
  const width = Math.max(...clients.map(({ id }) => `${id}`.length));
  const rows = clients.map(({ id, name }) => {
    const own = id === ownId ? "(you)" : "";
    return [`${id}`.padStart(width), cleanText(name), own].filter((part) => part !== "").join("  ");
  });
  return [clients.length === 1 ? "1 active client" : `${clients.length} active clients`, ...rows];
}

function styleOf(event: ClientEvent): Style {
  switch (event.kind) {
    case "error":
      return red;
    case "inactive":
    case "rejected":
    case "serverLost":
    case "unconfirmed":
      return yellow;
    case "terminated":
    case "left":
      return event.undelivered > 0 ? yellow : dim;
    case "request":
    case "connected":
      return cyan;
    case "identity":
      return event.known === "changed" ? warning : dim;
    default:
      return dim;
  }
}

function warning(text: string): string {
  return bold(red(text));
}

function clockTime(time: Date): string {
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Styles each row by itself, so that a pager or a cut keeps the colors right. */
function styleLines(style: Style, text: string, prefix: string): string {
  return prefix + text.split("\n").map(style).join("\n");
}
