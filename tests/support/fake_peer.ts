/**
 * Datagrams of a peer that a test plays: it has keys of its own, and makes valid handshakes.
 *
 * @module
 */
import { assert } from "@std/assert";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import type { Random } from "../../protocol/machine.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import {
  type AcceptContent,
  encodeAcceptContent,
  encodeRequest,
  encodeRequestContent,
  encodeSealed,
  PROLOGUE,
  requesterEarlySeals,
  responderEarlySeals,
  type Seals,
  sessionKeys,
} from "../../protocol/session/handshake.ts";
import { Initiator, readMessageOne, type Responder } from "../../protocol/crypto/noise.ts";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";

/** The content of a request, all of it optional. */
export interface RequestFields {
  requester?: number;
  responder?: number;
  name?: string;
  connection?: number;
  timestamp?: bigint;
  /** The requester's static key. */
  identity?: KeyPair;
}

/** A Connection Request to a client. */
export class FakeRequest {
  readonly bytes: Uint8Array;
  readonly connection: number;
  readonly early: Seals;

  /** @param remoteKey the static key of the client that is requested. */
  constructor(random: Random, remoteKey: Uint8Array, fields: RequestFields = {}) {
    const { requester = 66, responder = 1, name = "", connection = 4711, timestamp = 1n } = fields;
    const { identity = makeKeyPair(random) } = fields;
    const initiator = new Initiator(identity, makeKeyPair(random), remoteKey, PROLOGUE);
    const content = encodeRequestContent({ requester, responder, timestamp, name });
    const messageOne = initiator.writeMessageOne(content);
    assert(messageOne !== undefined);
    this.connection = connection;
    this.bytes = encodeRequest(connection, 0, messageOne, remoteKey, undefined);
    this.early = requesterEarlySeals(initiator.earlyKeys());
  }

  /** A Handshake datagram of the requester. */
  seal(...frames: Frame[]): Uint8Array {
    return encodeSealed(DatagramType.Handshake, this.connection, this.early.sealer, frames);
  }
}

/** The responder to a Connection Request of a client. */
export class FakeResponder {
  readonly #random: Random;
  readonly #handshake: Responder;
  readonly #connection: number;
  readonly early: Seals;
  /** After accept(). */
  seals: Seals | undefined;

  /** @param identity the static key pair of the client that was requested. */
  constructor(random: Random, request: Uint8Array, identity: KeyPair) {
    const decoded = decodeDatagram(request);
    assert(decoded.ok && decoded.value.sealed === undefined);
    const frame = decoded.value.frames.find((each) => each.kind === "connectionRequest");
    assert(frame !== undefined);
    const handshake = readMessageOne(identity, frame.messageOne, PROLOGUE);
    assert(handshake !== undefined);
    this.#random = random;
    this.#handshake = handshake;
    this.#connection = frame.connection;
    this.early = responderEarlySeals(handshake.earlyKeys(), 0, random);
  }

  /** The Accept with this content. */
  accept(content: AcceptContent): Frame {
    const ephemeral = makeKeyPair(this.#random);
    const result = this.#handshake.writeMessageTwo(ephemeral, encodeAcceptContent(content));
    assert(result !== undefined);
    const { message: messageTwo } = result;
    this.seals = sessionKeys(result, this.early, this.#handshake.remoteStatic, messageTwo).seals;
    return { kind: "connectionAccept", messageTwo };
  }

  /** A Handshake datagram of the responder. */
  seal(...frames: Frame[]): Uint8Array {
    return encodeSealed(DatagramType.Handshake, this.#connection, this.early.sealer, frames);
  }
}
