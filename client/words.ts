/**
 * Words for clients and for what becomes of them, the same wherever they are shown.
 *
 * @module
 */
import type { ListEntry } from "../protocol/frame.ts";
import { cleanText } from "../protocol/text.ts";
import type { ClientEvent, Peer } from "./event.ts";

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

/** ` · 2 messages left undelivered`, or nothing. */
export function undelivered(count: number): string {
  return count === 0 ? "" : ` · ${messages(count)} left undelivered`;
}

/** What became of a Connection Request that was not answered. */
export function requestEnded(from: string, why: "cancelled" | "expired" | "busy"): string {
  switch (why) {
    case "cancelled":
      return `Connection Request from ${from} withdrawn`;
    case "expired":
      return `Connection Request from ${from} expired`;
    case "busy":
      return `Connection Request from ${from} rejected: you are busy`;
  }
}

/** How a connection ended. */
export function terminated(event: Extract<ClientEvent, { kind: "terminated" }>): string {
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

/** The answer to `list`. `connected`: the ids of those with whom one is connected. */
export function listLines(
  clients: readonly ListEntry[],
  ownId: number,
  connected: ReadonlySet<number>,
): string[] {
  if (clients.length === 0) return ["No active clients"];
  const width = Math.max(...clients.map(({ id }) => `${id}`.length));
  const rows = clients.map(({ id, name }) => {
    const use = id === ownId ? "(you)" : connected.has(id) ? "(connected)" : "";
    return [`${id}`.padStart(width), cleanText(name), use].filter((part) => part !== "").join("  ");
  });
  return [clients.length === 1 ? "1 active client" : `${clients.length} active clients`, ...rows];
}

/** `14:02` */
export function clockTime(time: Date): string {
  const two = (value: number): string => `${value}`.padStart(2, "0");
  return `${two(time.getHours())}:${two(time.getMinutes())}`;
}
