/**
 * A hostile peer: it has keys of its own, makes valid handshakes, and seals whatever a test wants.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { decodeDatagram, decodeFrames, encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import {
  decodeAcceptContent,
  encodeAcceptContent,
  encodeRequest,
  encodeRequestContent,
  PROLOGUE,
  requesterEarlySeals,
  requesterSeals,
  responderEarlySeals,
  responderSeals,
  sealDatagram,
  type Seals,
} from "../../protocol/session/handshake.ts";
import {
  type DirectionKeys,
  type HandshakeResult,
  Initiator,
  readMessageOne,
} from "../../protocol/crypto/noise.ts";
import { Sealer } from "../../protocol/crypto/seal.ts";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import type { Prng } from "../support/random.ts";

/** The identity that a peer claims. */
export interface PeerIdentity {
  readonly id: number;
  readonly name: string;
  readonly address: Address;
  readonly identity: KeyPair;
}

/** One connection of a hostile peer with a client, from the Connection Request of either on. */
export class HostilePeer {
  readonly self: PeerIdentity;
  readonly #prng: Prng;
  /** The connection ids; 0 if the remote one is not known yet. */
  readonly local: number;
  remote = 0;
  /** The requester's connection id, which Handshake datagrams carry. */
  #requester: number;
  #initiator: Initiator | undefined;
  #early: Seals | undefined;
  #seals: Seals | undefined;
  /** The key to send with, kept for skip(). */
  #sendKey: Uint8Array = new Uint8Array();

  constructor(prng: Prng, self: PeerIdentity) {
    this.#prng = prng;
    this.self = self;
    this.local = prng.u32() || 1;
    this.#requester = this.local;
  }

  /** Whether both ends have the keys of the connection. */
  get isConnected(): boolean {
    return this.#seals !== undefined;
  }

  /** A Connection Request to the client with this key. */
  request(responder: number, remoteKey: Uint8Array, timestamp: bigint): Uint8Array {
    const { id: requester, name, identity } = this.self;
    const ephemeral = makeKeyPair(this.#prng.bytes);
    this.#initiator = new Initiator(identity, ephemeral, remoteKey, PROLOGUE);
    const content = encodeRequestContent({ requester, responder, timestamp, name });
    const messageOne = this.#initiator.writeMessageOne(content);
    assert(messageOne !== undefined);
    this.#early = requesterEarlySeals(this.#initiator.earlyKeys());
    return encodeRequest(this.local, 0, messageOne, remoteKey, undefined).slice();
  }

  /** The Accept that answers a Connection Request. */
  accept(request: Uint8Array): Uint8Array {
    const decoded = decodeDatagram(request);
    assert(decoded.ok && decoded.value.sealed === undefined);
    const [frame] = decoded.value.frames;
    assert(frame?.kind === "connectionRequest");
    const { id, name, identity } = this.self;
    const responder = readMessageOne(identity, frame.messageOne, PROLOGUE);
    assert(responder !== undefined);
    this.#requester = this.remote = frame.connection;
    this.#early = responderEarlySeals(responder.earlyKeys(), 0, this.#prng.bytes);
    // Older than all Requests of this peer, so that the client still accepts those.
    const rest = { timestamp: 0n, name };
    const content = encodeAcceptContent({ responder: id, connection: this.local, ...rest });
    const result = responder.writeMessageTwo(makeKeyPair(this.#prng.bytes), content);
    assert(result !== undefined);
    this.#connect(result, responderSeals, result.keys.backward);
    const accept: Frame = { kind: "connectionAccept", messageTwo: result.message };
    return this.sealFrames(DatagramType.Handshake, [accept]);
  }

  /** The frames in a datagram of the client; none if it is for another connection. */
  open(datagram: Uint8Array): readonly Frame[] {
    const decoded = decodeDatagram(datagram);
    if (!decoded.ok || decoded.value.sealed === undefined) return [];
    const { header, sealed } = decoded.value;
    const isEarly = header.type === DatagramType.Handshake;
    const seals = isEarly ? this.#early : this.#seals;
    const plain = seals?.opener.open(header.packet, datagram.subarray(0, 16), sealed);
    if (plain === undefined) return [];
    const opened = decodeFrames(plain);
    assert(opened !== undefined, "the client sent malformed frames");
    for (const frame of opened.frames) {
      if (frame.kind === "connectionAccept") this.#readAccept(frame.messageTwo);
    }
    return opened.frames;
  }

  /** Seals frames. */
  sealFrames(type: DatagramType, frames: readonly Frame[]): Uint8Array {
    return this.seal(type, encodeDatagram({ type, connection: 0, packet: 0 }, frames).slice(16));
  }

  /** Seals any bytes. */
  seal(type: DatagramType, plain: Uint8Array): Uint8Array {
    const isEarly = type === DatagramType.Handshake;
    const sealer = (isEarly ? this.#early : this.#seals)?.sealer;
    assert(sealer !== undefined);
    const connection = isEarly ? this.#requester : this.remote;
    const datagram = new Uint8Array(16 + plain.length);
    datagram.set(encodeDatagram({ type, connection, packet: sealer.packet }, []));
    datagram.set(plain, 16);
    return sealDatagram(sealer, datagram);
  }

  /** Skips packet numbers. */
  skip(packets: number): void {
    const { sealer, opener } = this.#seals!;
    this.#seals = { sealer: new Sealer(this.#sendKey, sealer.packet + packets), opener };
  }

  #readAccept(messageTwo: Uint8Array): void {
    if (this.#initiator === undefined || this.isConnected) return;
    const result = this.#initiator.readMessageTwo(messageTwo);
    const content = result && decodeAcceptContent(result.payload);
    assert(result !== undefined && content !== undefined, "the client accepted with a bad message");
    this.remote = content.connection;
    this.#connect(result, requesterSeals, result.keys.forward);
  }

  #connect(
    { keys }: HandshakeResult,
    sealsOf: (keys: DirectionKeys) => Seals,
    sendKey: Uint8Array,
  ): void {
    this.#seals = sealsOf(keys);
    this.#sendKey = sendKey;
  }
}
