/**
 * The part of a client's view that a script depends on, and questions to it.
 *
 * @module
 */
import { parseFingerprint } from "../../protocol/crypto/fingerprint.ts";
import { matchesIdOrName, type Peer } from "../peer.ts";
import type { CallView, ClientView, ConversationView } from "../view.ts";

/** The part of a client's view that a script depends on. */
export type ScriptView = Pick<
  ClientView,
  "state" | "peer" | "others" | "outgoing" | "calls" | "requests"
>;

/** Whether the client takes no commands now, because it registers (again) or leaves. */
export function isBusy({ state }: ScriptView): boolean {
  return state === "registering" || state === "leaving" || state === "left";
}

/** Whether messages are still unconfirmed. */
export function isSending({ state, peer, others }: ScriptView): boolean {
  return state === "terminating" || (peer?.unconfirmed ?? 0) > 0 ||
    others.some(({ unconfirmed }) => unconfirmed > 0);
}

/** The connections, the current one first. */
export function openConversations({ peer, others }: ScriptView): readonly ConversationView[] {
  return peer === undefined ? others : [peer, ...others];
}

/** The connection that a command refers to; without a name, the current one. */
export function findConversation(
  peer: Peer | undefined,
  view: ScriptView,
): ConversationView | undefined {
  return openConversations(view).find((each) => refersTo(peer, each));
}

/** The call that a command refers to. */
export function findCall(peer: Peer, { calls }: ScriptView): CallView | undefined {
  return calls.find(({ peer: called, name }) =>
    matchesIdOrName(peer, typeof called === "number" ? called : 0, name)
  );
}

/**
 * The request that a command refers to; without a name, the oldest. Whose fingerprint it is only the
 * client knows.
 */
export function findRequest(
  peer: Peer | undefined,
  { requests }: ScriptView,
): ScriptView["requests"][number] | undefined {
  const isFingerprint = typeof peer === "string" && parseFingerprint(peer) !== undefined;
  return requests.find((each) => isFingerprint || refersTo(peer, each));
}

/** Whether a peer refers to this client; without a name, it refers to any. */
export function refersTo(
  peer: Peer | undefined,
  { id, name }: { id: number; name: string },
): boolean {
  return peer === undefined || matchesIdOrName(peer, id, name);
}
