/**
 * Words for clients, numbers and times.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";
import { type Peer, peerWords } from "../peer.ts";

/** `client 2 (bob)` */
export function who(id: number, name: string): string {
  const clean = cleanText(name);
  return clean === "" ? `client ${id}` : `client ${id} (${clean})`;
}

/** `bob`, or `client 2` for one without a name. */
export function label(id: number, name: string): string {
  return cleanText(name) || `client ${id}`;
}

/** What a user types for a client: `bob`, or `2` for one without a name. */
export function typedAs(id: number, name: string): string {
  return cleanText(name) || `${id}`;
}

/** `bob`, or `client 2` where no name is known. */
export function calledPeer({ peer, name }: { peer: Peer; name: string }): string {
  return cleanText(peerWords(peer, name));
}

/** `1 message`, `2 messages` */
export function messages(count: number): string {
  return count === 1 ? "1 message" : `${count} messages`;
}

/** `3 lines, 120 characters` */
export function textSize(text: string): string {
  const lines = text.split("\n").length;
  return `${lines > 1 ? `${lines} lines, ` : ""}${text.length} characters`;
}

/** ` · 2 messages left undelivered`, or nothing. */
export function undelivered(count: number): string {
  return count === 0 ? "" : ` · ${messages(count)} left undelivered`;
}

/** `14:02`, or `14:02:59` */
export function clockTime(time: Date, hasSeconds = false): string {
  const parts = [time.getHours(), time.getMinutes(), ...hasSeconds ? [time.getSeconds()] : []];
  return parts.map((value) => `${value}`.padStart(2, "0")).join(":");
}
