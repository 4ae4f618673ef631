/**
 * Which datagrams arrived and which are lost, as in RFC 9002 section 6.1.
 *
 * Every datagram has a packet counter of its own, so what arrived is never in doubt, and each newest
 * arrival is a sample of the round-trip time. What is sent again is for others to decide.
 *
 * @module
 */
import type { CongestionController } from "./congestion.ts";
import type { Instant } from "../machine.ts";
import type { PathMtu } from "./path_mtu.ts";
import type { RttEstimator } from "./rtt.ts";
import { RESEND_INTERVAL } from "./timer_policy.ts";

/** Packet counters that are kept; an older one is taken for lost. A power of two. */
export const SENT_PACKETS_MAX = 4096;
/** A datagram is lost when one arrived whose counter is higher by this (RFC 9002, 6.1.1). */
export const PACKET_THRESHOLD = 3;
/** … or when a later one arrived, and this many round-trip times went by (RFC 9002, 6.1.2). */
export const TIME_THRESHOLD = 9 / 8;
/** Timeouts that losses without an arrival must span to be persistent congestion (RFC 9002, 7.6.1). */
export const PERSISTENT_CONGESTION_THRESHOLD = 3;
/** Milliseconds that a datagram is waited for, at least. */
const GRANULARITY = 1;
const MASK = SENT_PACKETS_MAX - 1;

/** The datagrams of a connection that ask for an ack, from the first one in flight on. */
export class LossDetector {
  readonly #rtt: RttEstimator;
  readonly #congestion: CongestionController;
  readonly #pathMtu: PathMtu;
  /** Bytes by counter: negative where it arrived, 0 where it does not count. */
  readonly #sizes = new Int32Array(SENT_PACKETS_MAX);
  /** Instants by counter, NaN where it asks for no ack. */
  readonly #sentAt = new Float64Array(SENT_PACKETS_MAX);
  #resolvedUpTo = -1;
  #highestSent = -1;
  #highestArrived = -1;
  #bytesInFlight = 0;
  #packetsInFlight = 0;
  #latestRtt = 0;
  /** When the newest arrival that is not yet sampled was sent. */
  #sampleSentAt: Instant | undefined;
  /** When the first sample was taken: earlier losses do not show persistent congestion. */
  #measuredAt = Infinity;
  /** When the first of the losses was sent that no arrival interrupts. */
  #lossesSince: Instant | undefined;
  #lossAt: Instant | undefined;

  /** Starts with nothing sent. */
  constructor(rtt: RttEstimator, congestion: CongestionController, pathMtu: PathMtu) {
    this.#rtt = rtt;
    this.#congestion = congestion;
    this.#pathMtu = pathMtu;
  }

  /** Bytes that were sent and have neither arrived nor been lost. */
  get bytesInFlight(): number {
    return this.#bytesInFlight;
  }

  /** Every datagram up to this packet counter has arrived or is lost, -1 for none. */
  get resolvedUpTo(): number {
    return this.#resolvedUpTo;
  }

  /** Of datagrams up to this packet counter, nothing more can be learned. */
  get knownUpTo(): number {
    return Math.min(this.#resolvedUpTo, this.#highestArrived);
  }

  /**
   * When a datagram may leave: at once where that is not in the future; undefined where acks have to
   * come first.
   *
   * @param size its bytes, those of a full one where they are not known yet.
   */
  sendableAt(size: number): Instant | undefined {
    if (
      this.#packetsInFlight > 0 && this.#highestSent - this.#resolvedUpTo >= SENT_PACKETS_MAX - 1
    ) {
      return undefined;
    }
    return this.#congestion.sendableAt(size, this.#bytesInFlight, this.#packetsInFlight);
  }

  /**
   * Notes a datagram that asks for an ack.
   *
   * @param packet its packet counter, higher than any before.
   * @param size its bytes, sealed; 0 where it does not count as in flight, and only tells the
   * round-trip time.
   */
  onSent(now: Instant, packet: number, size: number): void {
    while (
      this.#resolvedUpTo < this.#highestSent && packet - this.#resolvedUpTo > SENT_PACKETS_MAX
    ) {
      this.#resolveNext(now);
    }
    for (
      let skipped = Math.max(this.#highestSent + 1, packet - MASK);
      skipped < packet;
      skipped++
    ) {
      this.#sizes[skipped & MASK] = 0;
      this.#sentAt[skipped & MASK] = NaN;
    }
    this.#highestSent = packet;
    if (this.#packetsInFlight === 0) this.#resolvedUpTo = packet - 1;
    this.#sizes[packet & MASK] = size;
    this.#sentAt[packet & MASK] = now;
    if (size === 0) return;
    this.#bytesInFlight += size;
    this.#packetsInFlight++;
    this.#congestion.onSent(now, size, this.#bytesInFlight, this.#rtt.srtt);
  }

  /** Notes that a datagram arrived; when all are noted that an Ack names, takeSample() and update(). */
  onArrived(now: Instant, packet: number): void {
    if (packet > this.#highestSent || packet <= this.#highestSent - SENT_PACKETS_MAX) return;
    const size = this.#sizes[packet & MASK]!;
    const sentAt = this.#sentAt[packet & MASK]!;
    if (Number.isNaN(sentAt)) return;
    if (packet > this.#highestArrived) {
      this.#highestArrived = packet;
      this.#sampleSentAt = sentAt;
    }
    if (packet <= this.#resolvedUpTo || size <= 0) return;
    this.#sizes[packet & MASK] = -size;
    this.#bytesInFlight -= size;
    this.#packetsInFlight--;
    this.#congestion.onArrived(now, size, sentAt, this.#bytesInFlight);
  }

  /**
   * Milliseconds that the newest datagram and its Ack took, for the RttEstimator; undefined where the
   * Ack named nothing newer than one before.
   */
  takeSample(now: Instant): number | undefined {
    if (this.#sampleSentAt === undefined) return undefined;
    this.#latestRtt = now - this.#sampleSentAt;
    this.#sampleSentAt = undefined;
    this.#measuredAt = Math.min(this.#measuredAt, now);
    return this.#latestRtt;
  }

  /** Finds what is lost. */
  update(now: Instant): void {
    this.#lossAt = undefined;
    const wait = Math.max(
      TIME_THRESHOLD * Math.max(this.#rtt.srtt ?? 0, this.#latestRtt),
      GRANULARITY,
    );
    while (this.#resolvedUpTo < this.#highestSent) {
      const packet = this.#resolvedUpTo + 1;
      if (this.#sizes[packet & MASK]! > 0) {
        if (packet > this.#highestArrived) return;
        const lossAt = this.#sentAt[packet & MASK]! + wait;
        if (packet > this.#highestArrived - PACKET_THRESHOLD && lossAt > now) {
          this.#lossAt = lossAt;
          return;
        }
      }
      this.#resolveNext(now);
    }
  }

  /** When something is lost if no Ack comes before: call update() then. */
  nextTimeout(): Instant | undefined {
    return this.#lossAt;
  }

  /** Takes all that is in flight for gone, without blame: the path is another one. */
  forget(): void {
    this.#resolvedUpTo = this.#highestArrived = this.#highestSent;
    this.#bytesInFlight = this.#packetsInFlight = 0;
    this.#lossesSince = this.#lossAt = this.#sampleSentAt = undefined;
  }

  /** Goes past the first counter that is not resolvedUpTo: a datagram in flight is lost. */
  #resolveNext(now: Instant): void {
    const slot = ++this.#resolvedUpTo & MASK;
    const size = this.#sizes[slot]!;
    const sentAt = this.#sentAt[slot]!;
    if (size < 0) {
      this.#lossesSince = undefined;
      this.#pathMtu.onArrived(-size);
    } else if (size > 0) {
      this.#lose(now, size, sentAt);
    }
  }

  #lose(now: Instant, size: number, sentAt: Instant): void {
    this.#bytesInFlight -= size;
    this.#packetsInFlight--;
    this.#congestion.onLost(now, sentAt);
    const patience = PERSISTENT_CONGESTION_THRESHOLD * this.#rtt.timeout(1);
    this.#pathMtu.onLost(now, size, sentAt, Math.min(patience, RESEND_INTERVAL));
    if (sentAt <= this.#measuredAt) return;
    this.#lossesSince ??= sentAt;
    if (sentAt - this.#lossesSince <= patience) return;
    this.#congestion.onPersistentCongestion();
    this.#lossesSince = sentAt;
  }
}
