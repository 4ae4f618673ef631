/**
 * A hostile peer: it has keys of its own, makes valid handshakes, and seals whatever a test wants.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type DirectionKeys, Initiator, readMessageOne } from "../../protocol/crypto/noise.ts";
import { rekey, seal } from "../../protocol/crypto/aead.ts";
import { Opener, REKEY_INTERVAL } from "../../protocol/crypto/seal.ts";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { randomU32 } from "../../protocol/machine.ts";
import { encodeInitiation } from "../../protocol/session/macs.ts";
import { PROLOGUE } from "../../protocol/session/outgoing_handshake.ts";
import { decodeSessionId, encodeSessionId } from "../../protocol/session/session_id.ts";
import type { Address } from "../../protocol/wire/address.ts";
import {
  DatagramWriter,
  decodeDatagram,
  decodeFrames,
  encodeDatagram,
} from "../../protocol/wire/datagram.ts";
import {
  type ConnectionAccept,
  type ConnectionRequest,
  DatagramType,
  type Frame,
  HEADER_SIZE,
  PACKET_SIZE_MAX,
  TAG_SIZE,
} from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";

const writer = new DatagramWriter(PACKET_SIZE_MAX - TAG_SIZE);

/** Frames as they are sealed in a Packet, as many as fit into the largest one. */
export function encodeFrames(frames: readonly Frame[]): Uint8Array {
  writer.start({ type: DatagramType.Packet, session: 0, packet: 0 });
  for (const frame of frames) writer.add(frame);
  return writer.finish().slice(HEADER_SIZE);
}

/** The identity that a peer claims. */
export interface PeerIdentity {
  readonly id: number;
  readonly name: string;
  readonly address: Address;
  readonly identity: KeyPair;
}

/** One session of a hostile peer with a client, from the Initiation of either on. */
export class HostilePeer {
  readonly self: PeerIdentity;
  /** The peer's id of the session, and the client's, 0 before it is known. */
  readonly localId: number;
  remoteId = 0;
  /** Names the peer's request in this session. */
  readonly #request: number;
  readonly #prng: Prng;
  #initiator: Initiator | undefined;
  #opener: Opener | undefined;
  /** The key to send with, after how many changes, and the next packet counter. */
  #key: Uint8Array = new Uint8Array();
  #phase = 0;
  #packet = 0;

  constructor(prng: Prng, self: PeerIdentity, request = randomU32(prng.bytes)) {
    this.#prng = prng;
    this.self = self;
    this.localId = randomU32(prng.bytes);
    this.#request = request;
  }

  /** Whether both ends have the keys of the session. */
  get hasSession(): boolean {
    return this.#opener !== undefined;
  }

  /** An Initiation to the client with this key. */
  initiation(remoteKey: Uint8Array): Uint8Array {
    const ephemeral = makeKeyPair(this.#prng.bytes);
    this.#initiator = new Initiator(this.self.identity, ephemeral, remoteKey, PROLOGUE);
    const messageOne = this.#initiator.writeMessageOne(encodeSessionId(this.localId));
    assert(messageOne !== undefined);
    return encodeInitiation(messageOne, remoteKey).slice();
  }

  /** Takes a Response, if it is one to the Initiation. */
  handleResponse(bytes: Uint8Array): void {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok || decoded.value.header.session !== this.localId || this.hasSession) return;
    const [frame] = decoded.value.frames;
    if (frame?.kind !== "response") return;
    const result = this.#initiator?.readMessageTwo(frame.messageTwo);
    const remoteId = result && decodeSessionId(result.payload);
    assert(result !== undefined && remoteId !== undefined, "the client sent a bad Response");
    this.#begin(remoteId, result.keys, true);
  }

  /** The Response to an Initiation of the client; undefined where that is for somebody else. */
  response(initiation: Uint8Array): Uint8Array | undefined {
    const decoded = decodeDatagram(initiation);
    const [frame] = decoded.ok ? decoded.value.frames : [];
    assert(frame?.kind === "initiation");
    const responder = readMessageOne(this.self.identity, frame.messageOne, PROLOGUE);
    if (responder === undefined) return undefined;
    const remoteId = decodeSessionId(responder.payload);
    const result = responder.writeMessageTwo(
      makeKeyPair(this.#prng.bytes),
      encodeSessionId(this.localId),
    );
    assert(remoteId !== undefined && result !== undefined);
    this.#begin(remoteId, result.keys, false);
    const header = { type: DatagramType.Response, session: remoteId, packet: 0 };
    return encodeDatagram(header, [{ kind: "response", messageTwo: result.message }]).slice();
  }

  /** The peer's Connection Request. */
  requestFrame(responder: number): ConnectionRequest {
    const { id: requester, name } = this.self;
    return { kind: "connectionRequest", request: this.#request, requester, responder, name };
  }

  /** The peer's Accept. */
  acceptFrame(): ConnectionAccept {
    return { kind: "connectionAccept", responder: this.self.id, flags: 0, name: this.self.name };
  }

  /** The frames in a Packet of the client; none where it is of another session. */
  open(datagram: Uint8Array): readonly Frame[] {
    const decoded = decodeDatagram(datagram);
    if (!decoded.ok) return [];
    const { type, session, packet } = decoded.value.header;
    if (type !== DatagramType.Packet || session !== this.localId) return [];
    const plain = this.#opener?.open(packet, datagram);
    if (plain === undefined) return [];
    const opened = decodeFrames(plain);
    assert(opened !== undefined && opened.unknownFrames === 0, "the client sent malformed frames");
    return opened.frames;
  }

  /** Seals frames. */
  sealFrames(...frames: Frame[]): Uint8Array {
    return this.seal(encodeFrames(frames));
  }

  /** Seals any bytes. */
  seal(plain: Uint8Array): Uint8Array {
    assert(this.hasSession);
    const packet = this.#packet++;
    for (const phase = Math.floor(packet / REKEY_INTERVAL); this.#phase < phase; this.#phase++) {
      this.#key = rekey(this.#key);
    }
    const header = encodeDatagram(
      { type: DatagramType.Packet, session: this.remoteId, packet },
      [],
    );
    const datagram = new Uint8Array(HEADER_SIZE + plain.length + TAG_SIZE);
    datagram.set(header);
    datagram.set(seal(this.#key, packet, header, plain), HEADER_SIZE);
    return datagram;
  }

  /** Skips packet counters. */
  skip(packets: number): void {
    this.#packet += packets;
  }

  #begin(remoteId: number, { forward, backward }: DirectionKeys, isInitiator: boolean): void {
    this.remoteId = remoteId;
    this.#key = isInitiator ? forward : backward;
    this.#opener = new Opener(isInitiator ? backward : forward);
  }
}
