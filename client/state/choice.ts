/**
 * Whom a command means, and why it cannot do what it should.
 *
 * @module
 */
import type { Connection } from "../../protocol/connection/connection.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import type { IncomingRequest } from "../../protocol/connection/incoming_requests.ts";
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import { type Connections, CONNECTIONS_MAX } from "./connections.ts";
import type { ClientEvent, ErrorCode } from "../event.ts";
import { isSameKey, type Peer, peerWords } from "../peer.ts";
import type { Requests } from "./requests.ts";

/** Why a command failed. */
export type Failure = Extract<ClientEvent, { kind: "error" }>;

/** A failure, in words for people. */
export function failure(code: ErrorCode, message: string): Failure {
  return { kind: "error", code, message };
}

/** Whether something is a failure. */
export function isFailure(value: object): value is Failure {
  return "kind" in value && value.kind === "error";
}

/** The current connection, or that with `peer`; `lost` says what comes of it where there is none. */
export function chooseConnection(
  connections: Connections,
  peer: Peer | undefined,
  lost: string,
): Connection | Failure {
  if (peer === undefined) {
    return connections.current ?? failure("notConnected", `Not connected: ${lost}`);
  }
  const [connection, ...more] = connections.called(peer);
  if (connection === undefined) {
    return failure("notConnected", `Not connected to ${peerWords(peer)}: ${lost}`);
  }
  if (more.length === 0) return connection;
  const ids = [connection, ...more].map(({ ids }) => ids.remote).join(", ");
  return failure("unknownPeer", `More than one is called ${peer}; name the client id: ${ids}`);
}

/** The same, but only one that takes texts. */
export function chooseOpen(
  connections: Connections,
  peer: Peer | undefined,
  lost: string,
): Connection | Failure {
  const chosen = chooseConnection(connections, peer, lost);
  if (isFailure(chosen) || chosen.state === "open") return chosen;
  const to = peer === undefined ? "" : ` to ${peerWords(peer)}`;
  return failure("notConnected", `Not connected${to}: ${lost}`);
}

/** The same, to send a text on. */
export function chooseForText(
  connections: Connections,
  peer: Peer | undefined,
  text: string,
): Connection | Failure {
  const chosen = chooseOpen(connections, peer, "nothing was sent");
  if (isFailure(chosen)) return chosen;
  // A code unit makes three bytes at most, so that few texts need to be counted.
  if (3 * text.length <= TEXT_SIZE_MAX) return chosen;
  const size = new TextEncoder().encode(text).length;
  if (size <= TEXT_SIZE_MAX) return chosen;
  const message = `Cannot send ${size} bytes: a message has at most ${TEXT_SIZE_MAX}`;
  return failure("tooLong", message);
}

/** The oldest pending request, or the one of `peer`. */
export function choosePending(
  requests: Requests,
  peer: Peer | undefined,
): IncomingRequest | Failure {
  const found = peer === undefined ? requests.pending() : requests.pendingOf(peer);
  const [oldest] = found;
  if (oldest === undefined) {
    const nobody = peer === undefined
      ? "Nobody asks to connect"
      : `No request from ${peerWords(peer)}`;
    return failure("noRequest", nobody);
  }
  // Anybody can claim an id and a name.
  const isCertain = peer === undefined || found.every(({ key }) => isSameKey(key, oldest.key));
  if (isCertain) return oldest;
  const prints = found.map(({ key }) => fingerprint(key).replaceAll(" ", "-")).join(", ");
  const message = `More than one asks as ${peerWords(peer)}; name the fingerprint: ${prints}`;
  return failure("unknownPeer", message);
}

/** Why there is no second connection with the same client. */
export function alreadyConnected({ ids: { remote } }: Connection): Failure {
  const hint = `type switch ${remote}, or terminate ${remote} first`;
  return failure("alreadyConnected", `Connected to client ${remote} already: ${hint}`);
}

/** Why nobody can be asked for a connection by that id or name now. */
export function connectProblem(
  connections: Connections,
  requests: Requests,
  peer: Peer,
): Failure | undefined {
  const [connected] = connections.called(peer);
  if (connected !== undefined) return alreadyConnected(connected);
  if (requests.outgoing !== undefined) {
    return failure("alreadyRequesting", "A Connection Request is under way: cancel it first");
  }
  return requests.isFull ? tooManyConnections() : undefined;
}

/** Why a pending request cannot be accepted now. */
export function acceptProblem(
  connections: Connections,
  requests: Requests,
  { requester }: IncomingRequest,
): Failure | undefined {
  const isReplacing = connections.with(requester) !== undefined;
  return requests.isFull && !isReplacing ? tooManyConnections() : undefined;
}

function tooManyConnections(): Failure {
  const message = `No more than ${CONNECTIONS_MAX} connections: terminate one first`;
  return failure("tooManyConnections", message);
}
