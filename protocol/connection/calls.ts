/**
 * Whom the directory is asked for again: peers that do not answer.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import type { ConnectIntent } from "./outgoing_requests.ts";

/** A connection, or a request for one, as far as its peer is to be called. */
export interface Calling {
  /** Who its peer is. */
  readonly ids: { readonly remote: number };
  /** When the directory is to be asked where the peer is; undefined where it is not. */
  readonly callAt: Instant | undefined;
  /** Notes that the directory was asked. */
  noteCall(now: Instant): void;
}

/** When the next peer is to be called. */
export function nextCallAt(all: readonly Calling[]): Instant | undefined {
  const next = Math.min(...all.map(({ callAt = Infinity }) => callAt));
  return next < Infinity ? next : undefined;
}

/** Notes that the peer with this client id was called. */
export function noteCalls(now: Instant, all: readonly Calling[], id: number): void {
  for (const each of all) if (each.ids.remote === id) each.noteCall(now);
}

/** The client ids of the peers to be called now: it is noted that they are. */
export function takeCalls(now: Instant, all: readonly Calling[]): Set<number> {
  const due = all.filter(({ callAt = Infinity }) => callAt <= now);
  for (const each of due) each.noteCall(now);
  return new Set(due.map(({ ids }) => ids.remote));
}

/**
 * What this client wants of the client with this id, where the session that its request goes in is, it
 * seems, with another client of the same user: nobody there answers it.
 */
export function strayOf(
  intents: readonly ConnectIntent[],
  id: number,
): ConnectIntent | undefined {
  return intents.find(({ request }) =>
    request?.ids.remote === id && request.session !== undefined && !request.isRinging
  );
}
