/**
 * Who a peer is, and what became of a request to it.
 *
 * @module
 */
import { fingerprint, parseFingerprint } from "../../protocol/crypto/fingerprint.ts";
import { RejectReason, VERSION } from "../../protocol/wire/frame.ts";
import { nameKey } from "../../protocol/directory/name.ts";
import type { OutgoingRequestEvent } from "../../protocol/connection/outgoing_request.ts";
import type { ClientEvent, Peer } from "../event.ts";

/** Who this client is. */
export interface Self {
  id: number;
  name: string;
}

/** Whether a client id or name means the client with this id and name. */
export function isPeer(peer: Peer, id: number, name: string): boolean {
  return typeof peer === "number" ? peer === id : name !== "" && nameKey(peer) === nameKey(name);
}

/** Whether two static keys are the same. */
export function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Whether a client id, name or fingerprint means the client with this id, name and static key. */
export function isCalled(peer: Peer, id: number, name: string, key: Uint8Array): boolean {
  const print = typeof peer === "string" ? parseFingerprint(peer) : undefined;
  return print === undefined ? isPeer(peer, id, name) : print === fingerprint(key);
}

/** `client 2`, or the name or fingerprint where only that is known. */
export function peerWords(peer: Peer): string {
  return typeof peer === "number" ? `client ${peer}` : peer;
}

/** What the user is told of a request to the client with the id `peer`. */
export function toClientEvent(
  peer: number,
  event: Exclude<OutgoingRequestEvent, { kind: "accepted" }>,
): ClientEvent {
  switch (event.kind) {
    case "requesting":
    case "ringing":
      return { ...event, peer };
    case "timeout":
      return { kind: "error", code: "peerTimeout", message: `Client ${peer} does not answer` };
    case "otherVersion": {
      const versions = `speaks version ${event.version}, this client ${VERSION}`;
      return { kind: "error", code: "version", message: `Client ${peer} ${versions}` };
    }
    case "rejected":
      return event.reason === RejectReason.notThisClient
        ? { kind: "inactive", peer }
        : { kind: "rejected", peer, reason: event.reason };
  }
}
