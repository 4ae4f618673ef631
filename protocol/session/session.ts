/**
 * A session: what two clients share after a handshake. Keys, packet counters, and a path.
 *
 * @module
 */
import type { HandshakeResult } from "../crypto/noise.ts";
import { Opener, Sealer } from "../crypto/seal.ts";
import type { Instant, Random, Transmit } from "../machine.ts";
import type { RttEstimator } from "../recovery/rtt.ts";
import { type Address, formatAddress } from "../wire/address.ts";
import { type Datagram, DatagramWriter, decodeFrames } from "../wire/datagram.ts";
import {
  CANDIDATES_LENGTH_MAX,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
} from "../wire/frame.ts";
import { Path, type ReceivedPacket } from "./path.ts";
import { isPrivate } from "../wire/remote.ts";

/** What a client knows from the directory about where its peer is. */
export interface Whereabouts {
  /** Where the directory saw it, and whether the directory carries datagrams to it. */
  readonly addresses: readonly Address[];
  /** Whether both are in one network, as far as the directory sees. */
  readonly isNear: boolean;
  /** Where this client may be reached in that network; none where they are not near. */
  readonly own: readonly Address[];
}

/** What a handshake leaves to its session. */
export interface SessionOptions {
  /** Whether this end sent the Initiation. */
  readonly isInitiator: boolean;
  /** This end's id of the session, which the peer writes into its headers. */
  readonly localId: number;
  /** The peer's id of the session. */
  readonly remoteId: number;
  /** The peer's static key. */
  readonly remoteKey: Uint8Array;
  /** The keys, and the hash that names the handshake. */
  readonly handshake: HandshakeResult;
  /** Where the peer is. */
  readonly address: Address;
  /** With the sample that the handshake gave, if it gave one. */
  readonly rtt: RttEstimator;
  /** A cryptographic source. */
  readonly random: Random;
}

/** One end of a session. */
export class Session {
  /** Whether this end sent the Initiation. */
  readonly isInitiator: boolean;
  /** This end's id of the session. */
  readonly localId: number;
  /** The peer's static key. */
  readonly remoteKey: Uint8Array;
  /** Names the handshake: the same at both ends. */
  readonly hash: Uint8Array;
  /** When this end had its keys. */
  readonly since: Instant;
  /** The round-trip time. */
  readonly rtt: RttEstimator;
  readonly #remoteId: number;
  readonly #random: Random;
  #path: Path;
  #isNear = false;
  #isTold = false;
  /** What the peer named last: this end may be told later that it is near. */
  #candidates: readonly Address[] = [];
  /** Addresses that the peer named since the directory introduced it, and that were tried. */
  readonly #named = new Set<string>();
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #writer = new DatagramWriter(DATAGRAM_SIZE_MAX, true);

  /** Begins a session. */
  constructor(now: Instant, options: SessionOptions) {
    const { isInitiator, localId, remoteId, remoteKey, handshake, address, rtt, random } = options;
    const { forward, backward } = handshake.keys;
    this.isInitiator = isInitiator;
    this.localId = localId;
    this.#remoteId = remoteId;
    this.remoteKey = remoteKey;
    this.hash = handshake.hash;
    this.since = now;
    this.rtt = rtt;
    this.#random = random;
    this.#path = new Path(address, random, isInitiator);
    this.#sealer = new Sealer(isInitiator ? forward : backward);
    this.#opener = new Opener(isInitiator ? backward : forward);
  }

  /** Where the peer is. */
  get address(): Address {
    return this.#path.address;
  }

  /** The same where it has shown that it receives there: anybody can name a source. */
  get provenAddress(): Address | undefined {
    return this.#path.isProven ? this.#path.address : undefined;
  }

  /** Whether the peer named addresses, which are of no use before the directory introduced it. */
  get isUntold(): boolean {
    return this.#candidates.length > 0 && !this.#isTold;
  }

  /** Takes the addresses that the directory has of the peer. */
  tell(now: Instant, { addresses, isNear, own }: Whereabouts): void {
    this.#isTold = true;
    this.#isNear ||= isNear;
    this.#named.clear();
    this.#handleCandidates(now, this.#candidates);
    this.#path.tell(now, addresses, own, this.rtt.patience);
  }

  /** The packet counter of the next packet. */
  get nextPacket(): number {
    return this.#sealer.packet;
  }

  /** Of the 32 counters from this one down, which came: bit n for `packet` − n. */
  receivedFrom(packet: number): number {
    return this.#opener.receivedFrom(packet);
  }

  /** Takes a Packet with this session's id; undefined where it came before, or is not authentic. */
  receive(now: Instant, datagram: Datagram, from: Address): ReceivedPacket | undefined {
    const { bytes, header: { packet } } = datagram;
    const opener = this.#opener;
    const { highest } = opener;
    const { patience } = this.rtt;
    const plain = opener.open(packet, bytes);
    if (plain === undefined) {
      const isCopy = this.#path.mayBeCopy(now, packet, from) && opener.isAuthentic(packet, bytes);
      if (isCopy) this.#path.handleCopy(now, bytes.length, from, patience);
      return undefined;
    }
    const frames = decodeFrames(plain)?.frames;
    if (frames === undefined) return undefined;
    // Anybody may have sent the Initiation, but not this.
    if (highest < 0 && !this.isInitiator) this.#path = new Path(from, this.#random, false);
    const received = { size: bytes.length, packet, frames, isNewest: packet > highest, from };
    this.#path.handlePacket(now, received, patience);
    for (const frame of frames) {
      if (frame.kind === "pathChallenge") this.#path.handleChallenge(now, frame, from, patience);
      else if (frame.kind === "pathResponse") this.#path.handleResponse(now, frame, from);
      else if (frame.kind === "candidates") this.#handleCandidates(now, frame.addresses);
    }
    return received;
  }

  /** Only in one network a peer may name addresses: elsewhere they would be somebody else's. */
  #handleCandidates(now: Instant, addresses: readonly Address[]): void {
    this.#candidates = addresses.slice(0, CANDIDATES_LENGTH_MAX);
    if (!this.#isNear) return;
    const told = addresses
      .filter((each) => isPrivate(each.hostname) && !this.#named.has(formatAddress(each)))
      .slice(0, CANDIDATES_LENGTH_MAX - this.#named.size);
    for (const each of told) this.#named.add(formatAddress(each));
    this.#path.tell(now, told, [], this.rtt.patience);
  }

  /** Begins a packet of at most so many bytes: add frames to the writer, then seal(). */
  start(sizeMax: number = DATAGRAM_SIZE_MAX): DatagramWriter {
    this.#writer.limit = sizeMax;
    this.#writer.start({
      type: DatagramType.Packet,
      session: this.#remoteId,
      packet: this.#sealer.packet,
    });
    return this.#writer;
  }

  /** Seals the packet that was begun; its bytes are valid until the next start(). */
  seal(): Uint8Array {
    const datagram = this.#writer.finish();
    this.#sealer.seal(datagram);
    return datagram;
  }

  /** A packet with one frame, and Padding up to `size` bytes. */
  encode(frame: Frame, size = 0): Uint8Array {
    const writer = this.start(Math.max(size, DATAGRAM_SIZE_MAX));
    writer.add(frame);
    writer.padTo(size);
    return this.seal();
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    this.#path.handleTimeout(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#path.nextTimeout();
  }

  /** See {@linkcode Machine}: what the path has to send to an address. */
  pollTransmit(): Transmit | undefined {
    let due = this.#path.pollFrame();
    if (due === undefined) return undefined;
    const { to } = due;
    const writer = this.start();
    for (; due !== undefined; due = this.#path.pollFrame(to)) writer.add(due.frame);
    return { bytes: this.seal(), to };
  }
}
