/**
 * What of a client's view a script looks at, and what it reads in it.
 *
 * @module
 */
import type { Command } from "./command_table.ts";
import { matchesIdOrName, type Peer } from "../peer.ts";
import type { ClientView, ConversationView } from "../view.ts";

/** What of the client's view a script looks at. */
export type ScriptView = Pick<ClientView, "state" | "peer" | "others" | "outgoing" | "requests">;

/** Whether the client takes no commands now: it registers (again), or it is on its way out. */
export function isBusy({ state }: ScriptView): boolean {
  return state === "registering" || state === "leaving" || state === "left";
}

/** Whether texts are still on their way. */
export function isSending({ state, peer, others }: ScriptView): boolean {
  return state === "terminating" || (peer?.unconfirmed ?? 0) > 0 ||
    others.some(({ unconfirmed }) => unconfirmed > 0);
}

/** The connection that a command means, or the current one. */
export function addressee(
  peer: Peer | undefined,
  { peer: current, others }: ScriptView,
): ConversationView | undefined {
  return [current, ...others].find((each) => each !== undefined && isMeant(peer, each));
}

/**
 * Whether a command accepts a client that this one is connected with, and that started anew: what
 * was sent to its earlier run will never be delivered.
 */
export function isPeerRestarted(command: Command, view: ScriptView): boolean {
  if (command.command !== "accept") return false;
  const request = view.requests.find((each) => isMeant(command.peer, each));
  return request !== undefined && addressee(request.id, view) !== undefined;
}

/** Whether that client is meant; without a name, any is. */
export function isMeant(
  peer: Peer | undefined,
  { id, name }: { id: number; name: string },
): boolean {
  return peer === undefined || matchesIdOrName(peer, id, name);
}
