/**
 * The connection or request that a command refers to, or why there is none.
 *
 * @module
 */
import type { Connection } from "../../protocol/connection/connection.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import type { IncomingRequest } from "../../protocol/connection/incoming_requests.ts";
import { formatSize } from "../../cli/format.ts";
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { type ErrorCode, type ErrorEvent, errorEvent } from "../event.ts";
import { isSameKey } from "../../protocol/crypto/x25519.ts";
import type { EndpointProblem } from "../../protocol/endpoint.ts";
import { matchesClient, type Peer, peerWords } from "../peer.ts";
import type { Conversations } from "./conversations.ts";

/** The current connection, or that with `peer`; `consequence` completes the error message. */
export function chooseConnection(
  conversations: Conversations,
  peer: Peer | undefined,
  consequence: string,
): Result<Connection, ErrorEvent> {
  if (peer === undefined) {
    const { current } = conversations;
    return current === undefined
      ? failed("notConnected", `Not connected: ${consequence}`)
      : success(current);
  }
  const [connection, ...more] = conversations.matching(peer);
  if (connection === undefined) {
    return failed("notConnected", `Not connected to ${peerWords(peer)}: ${consequence}`);
  }
  if (more.length === 0) return success(connection);
  const ids = [connection, ...more].map(({ ids }) => ids.remote).join(", ");
  return failed("unknownPeer", `More than one is called ${peer}; name the client id: ${ids}`);
}

/** The same, but only an open one. */
export function chooseOpen(
  conversations: Conversations,
  peer: Peer | undefined,
  consequence: string,
): Result<Connection, ErrorEvent> {
  const chosen = chooseConnection(conversations, peer, consequence);
  if (!chosen.ok || chosen.value.state === "open") return chosen;
  const to = peer === undefined ? "" : ` to ${peerWords(peer)}`;
  return failed("notConnected", `Not connected${to}: ${consequence}`);
}

/** The same, for a message of this text. */
export function chooseForText(
  conversations: Conversations,
  peer: Peer | undefined,
  text: string,
): Result<Connection, ErrorEvent> {
  const chosen = chooseOpen(conversations, peer, "nothing was sent");
  if (!chosen.ok) return chosen;
  // A code unit is three bytes at most, so that only long texts need to be encoded.
  if (3 * text.length <= TEXT_SIZE_MAX) return chosen;
  const size = new TextEncoder().encode(text).length;
  if (size <= TEXT_SIZE_MAX) return chosen;
  const message = `Cannot send ${size} bytes: a message has at most ${formatSize(TEXT_SIZE_MAX)}`;
  return failed("tooLong", message);
}

/** The oldest pending request, or the one of `peer`. */
export function choosePending(
  requests: readonly IncomingRequest[],
  peer: Peer | undefined,
): Result<IncomingRequest, ErrorEvent> {
  const found = requests.filter(({ requester, name, key }) =>
    peer === undefined || matchesClient(peer, requester, name, key)
  );
  const [oldest] = found;
  if (oldest === undefined) {
    const nobody = peer === undefined
      ? "Nobody asks to connect"
      : `No request from ${peerWords(peer)}`;
    return failed("noRequest", nobody);
  }
  // Any client can claim an id and a name.
  const isCertain = peer === undefined || found.every(({ key }) => isSameKey(key, oldest.key));
  if (isCertain) return success(oldest);
  const prints = found.map(({ key }) => fingerprint(key).replaceAll(" ", "-")).join(", ");
  const message = `More than one asks as ${peerWords(peer)}; name the fingerprint: ${prints}`;
  return failed("unknownPeer", message);
}

/** The error for a second connection with the same client. */
export function alreadyConnected(id: number, name: string): ErrorEvent {
  const peer = name || id;
  const hint = `type switch ${peer}, or terminate ${peer} first`;
  return errorEvent("alreadyConnected", `Connected to ${peerWords(id, name)} already: ${hint}`);
}

/** The error for a second call of the same client. */
export function alreadyRequesting(id: number, name: string): ErrorEvent {
  const message = `You call ${peerWords(id, name)} already: terminate ${name || id} cancels that`;
  return errorEvent("alreadyRequesting", message);
}

/** The error for a command that the endpoint cannot carry out. */
export function problemEvent(problem: EndpointProblem, peer: Peer | undefined): ErrorEvent {
  const [id, name] = typeof peer === "string" ? [0, peer] : [peer ?? 0, ""];
  switch (problem) {
    case "notRegistered":
      return errorEvent("notRegistered", "Not registered yet");
    case "leaving":
      return errorEvent("notRegistered", "Leaving: not registered");
    case "self":
      return errorEvent("self", "That is you");
    case "alreadyConnected":
      return alreadyConnected(id, name);
    case "alreadyRequesting":
      return alreadyRequesting(id, name);
    case "tooManyConnections": {
      const message = `No more than ${CONNECTIONS_MAX} connections: terminate one first`;
      return errorEvent("tooManyConnections", message);
    }
    case "noRequest":
      return errorEvent("noRequest", "Nobody asks to connect");
  }
}

function failed(code: ErrorCode, message: string): { ok: false; error: ErrorEvent } {
  return failure(errorEvent(code, message));
}
