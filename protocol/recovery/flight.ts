/**
 * What is on its way to the peer: how much may be, how large datagrams are, what was lost.
 *
 * @module
 */
import { type Address, sameAddress } from "../wire/address.ts";
import { CongestionController } from "./congestion.ts";
import { type Instant, type Random, randomU64 } from "../machine.ts";
import { type Ack, DATAGRAM_SIZE_MAX, type PathChallenge } from "../wire/frame.ts";
import { LossDetector } from "./loss_detection.ts";
import { PathMtu, pathMtuLimit } from "./path_mtu.ts";
import type { RttEstimator } from "./rtt.ts";

const SPAN = 2 ** 32;
/** Packet counters that an Ack names, from the largest one down. */
const BITMAP_BITS = 32;

/** A question to the path. */
export interface Probe {
  /** Bytes in the datagram. */
  readonly size: number;
  /** The only frame but for Padding. */
  readonly frame: PathChallenge;
}

/** The datagrams of one direction, on the path to the peer. */
export class Flight {
  readonly #rtt: RttEstimator;
  readonly #congestion = new CongestionController();
  readonly #pathMtu: PathMtu;
  readonly #detector: LossDetector;
  #address: Address;
  #size: number;
  #highest = -1;

  /** Starts on the path to an address. */
  constructor(now: Instant, rtt: RttEstimator, address: Address) {
    this.#rtt = rtt;
    this.#address = address;
    this.#pathMtu = new PathMtu(now, pathMtuLimit(address));
    this.#detector = new LossDetector(rtt, this.#congestion, this.#pathMtu);
    this.#size = this.#pathMtu.size;
  }

  /** Bytes in a full datagram. */
  get datagramSize(): number {
    return this.#size;
  }

  /** Every datagram up to this packet counter has arrived or is lost, -1 for none. */
  get resolvedUpTo(): number {
    return this.#detector.resolvedUpTo;
  }

  /** When a datagram of `size` bytes may leave, undefined where acks have to come first. */
  sendableAt(size: number): Instant | undefined {
    return this.#rtt.policy.hasLossRecovery ? this.#detector.sendableAt(size) : -Infinity;
  }

  /** Notes a datagram that asks for an Ack; with `size` 0 it only tells the round-trip time. */
  onSent(now: Instant, packet: number, size: number): void {
    this.#highest = packet;
    this.#detector.onSent(now, packet, size);
  }

  /** Takes an Ack's word for what arrived; false where it names what was never sent. */
  handleAck(now: Instant, { largestPacket, delay, packetBitmap }: Ack): boolean {
    if (packetBitmap === 0) return true;
    let largest = Math.floor(this.#highest / SPAN) * SPAN + largestPacket;
    if (largest > this.#highest) largest -= SPAN;
    if (largest < 0) return false;
    const first = Math.max(largest - BITMAP_BITS, this.#detector.knownUpTo) + 1;
    for (let packet = first; packet <= largest; packet++) {
      if ((packetBitmap >>> (largest - packet) & 1) === 1) this.#detector.onArrived(now, packet);
    }
    const sample = this.#detector.takeSample(now);
    if (sample !== undefined) this.#rtt.sample(sample, delay / 10);
    this.update(now);
    return true;
  }

  /** Finds what is lost. */
  update(now: Instant): void {
    this.#detector.update(now);
    this.#setSize();
  }

  /** When update() is to be called. */
  nextTimeout(): Instant | undefined {
    return this.#detector.nextTimeout();
  }

  /** Lets a few datagrams leave whatever is in flight. */
  allowProbes(): void {
    this.#congestion.allowProbes();
  }

  /** No Ack came in time. */
  onTimeout(now: Instant): void {
    this.#congestion.allowProbes();
    this.#pathMtu.onTimeout(now);
    this.#setSize();
  }

  /** Nothing that is in flight matters any more. */
  forget(): void {
    this.#detector.forget();
  }

  /** Begins anew where the path leads to another address. */
  follow(now: Instant, address: Address): boolean {
    if (address === this.#address || sameAddress(address, this.#address)) return false;
    this.#address = address;
    this.#detector.forget();
    this.#congestion.restart();
    this.#pathMtu.restart(now, pathMtuLimit(address));
    this.#size = this.#pathMtu.size;
    return true;
  }

  /** When pollProbe() is to be called. */
  probeAt(waiting: number): Instant | undefined {
    const isSearched = this.#rtt.policy.hasLossRecovery || this.#pathMtu.isReduced;
    return isSearched && waiting >= this.#size ? this.#pathMtu.nextTimeout() : undefined;
  }

  /**
   * The Path Challenge that is due to find out whether the path carries a datagram of this size.
   *
   * @param waiting bytes that wait to be sent: where they are few, larger datagrams are of no use.
   */
  pollProbe(now: Instant, waiting: number, random: Random): Probe | undefined {
    if ((this.probeAt(waiting) ?? Infinity) > now) return undefined;
    const size = this.#pathMtu.pollProbe(now);
    if (size === undefined) return undefined;
    const nonce = randomU64(random);
    this.#pathMtu.onProbeSent(now, nonce, this.#rtt.timeout(1));
    return { frame: { kind: "pathChallenge", nonce }, size };
  }

  /** Takes the nonce of a Path Response. */
  handleResponse(now: Instant, nonce: bigint): void {
    this.#pathMtu.handleResponse(now, nonce);
    this.#setSize();
  }

  #setSize(): void {
    const { size } = this.#pathMtu;
    if (size === this.#size) return;
    this.#size = size;
    // Smaller datagrams are no reason to send less.
    this.#congestion.setDatagramSize(Math.max(size, DATAGRAM_SIZE_MAX));
  }
}
