/**
 * A client that others can be made to talk with, and that says whatever it is told to say: it has
 * real keys, makes real handshakes, and seals anything.
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

/** Who a peer says that it is. */
export interface PeerSelf {
  readonly id: number;
  readonly name: string;
  readonly address: Address;
  readonly identity: KeyPair;
}

/** One conversation of a peer with a client, from either's Connection Request on. */
export class FuzzPeer {
  readonly self: PeerSelf;
  readonly #prng: Prng;
  /** This end's connection id, and the other's once it is known. */
  readonly local: number;
  remote = 0;
  /** The requester's connection id, which Handshake datagrams carry. */
  #requester: number;
  #initiator: Initiator | undefined;
  #early: Seals | undefined;
  #seals: Seals | undefined;
  /** The key for what is sent, to make counters jump. */
  #sendKey: Uint8Array = new Uint8Array();

  constructor(prng: Prng, self: PeerSelf) {
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
    // Older than all Requests of this peer, which go on being heard.
    const rest = { timestamp: 0n, name };
    const content = encodeAcceptContent({ responder: id, connection: this.local, ...rest });
    const result = responder.writeMessageTwo(makeKeyPair(this.#prng.bytes), content);
    assert(result !== undefined);
    this.#connect(result, responderSeals, result.keys.backward);
    const accept: Frame = { kind: "connectionAccept", messageTwo: result.message };
    return this.say(DatagramType.Handshake, [accept]);
  }

  /** The frames of what the client sent, as far as they are for this conversation. */
  hear(datagram: Uint8Array): readonly Frame[] {
    const decoded = decodeDatagram(datagram);
    if (!decoded.ok || decoded.value.sealed === undefined) return [];
    const { header, sealed } = decoded.value;
    const isEarly = header.type === DatagramType.Handshake;
    const seals = isEarly ? this.#early : this.#seals;
    const plain = seals?.opener.open(header.packet, datagram.subarray(0, 16), sealed);
    if (plain === undefined) return [];
    const opened = decodeFrames(plain);
    assert(opened !== undefined, "the client sent what cannot be read");
    for (const frame of opened.frames) {
      if (frame.kind === "connectionAccept") this.#takeAccept(frame.messageTwo);
    }
    return opened.frames;
  }

  /** These frames, sealed. */
  say(type: DatagramType, frames: readonly Frame[]): Uint8Array {
    return this.seal(type, encodeDatagram({ type, connection: 0, packet: 0 }, frames).slice(16));
  }

  /** Anything, sealed: what a malicious peer may send. */
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

  /** Leaves packet counters out. */
  skip(packets: number): void {
    const { sealer, opener } = this.#seals!;
    this.#seals = { sealer: new Sealer(this.#sendKey, sealer.packet + packets), opener };
  }

  #takeAccept(messageTwo: Uint8Array): void {
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
