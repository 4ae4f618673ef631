/**
 * How large a datagram the path carries: Datagram Packetization Layer PMTU Discovery, RFC 8899.
 *
 * Sizes are bytes of UDP payload. A probe is a Path Challenge that Padding fills up: its loss says
 * something of its size alone, so it is neither sent again nor counted as congestion.
 *
 * @module
 */
import { type Address, isLoopback } from "../wire/address.ts";
import type { Instant } from "../machine.ts";
import { isCarried } from "../wire/remote.ts";
import {
  CARRIED_SIZE_MAX,
  DATAGRAM_SIZE_MAX,
  NARROW_SIZE_MAX,
  PACKET_SIZE_MAX,
} from "../wire/frame.ts";

/** The size that a path is taken to carry until something is lost, the BASE_PLPMTU. */
export const PATH_MTU_BASE: number = DATAGRAM_SIZE_MAX;
/** The size that fits the narrowest path, also in a Carry: the MIN_PLPMTU. */
export const PATH_MTU_MIN: number = NARROW_SIZE_MAX - (DATAGRAM_SIZE_MAX - CARRIED_SIZE_MAX);
/** Bytes of an IPv6 and a UDP header; that an IPv4 header is 20 bytes shorter is left unused. */
const OVERHEAD = 40 + 8;
/** The size that fits an Ethernet frame. */
export const PATH_MTU_ETHERNET = 1_500 - OVERHEAD;
/** The size that fits jumbo frames: a step on the way to loopback's. */
export const PATH_MTU_JUMBO = 9_000 - OVERHEAD;
/** The size that fits the loopback interface of Linux. */
export const PATH_MTU_LOOPBACK: number = PACKET_SIZE_MAX;
/** What the search tries first, as most paths carry just one of these. */
const COMMON_SIZES = [PATH_MTU_BASE, PATH_MTU_ETHERNET, PATH_MTU_JUMBO, PATH_MTU_LOOPBACK];
/** The search ends where the next step would add less than this part. */
const STEP_MIN = 1 / 64;
/** How often a size is tried before it is taken for too large. */
export const MAX_PROBES = 3;
/** Milliseconds that the answer to a probe is waited for, at least (RFC 8899, 5.1.1). */
export const PROBE_TIMER = 1_000;
/** Milliseconds after which a search that ended begins anew (RFC 8899, 5.1.1). */
export const PMTU_RAISE_TIMER = 600_000;
/** Milliseconds from the failure of the smallest size to the next try. */
export const BASE_RETRY_TIMER = 15_000;
/** Losses of what is larger than all that arrives meanwhile, which make a black hole if they go on. */
export const BLACK_HOLE_LOSSES = 6;
/** Timeouts in a row, without any arrival, that make a black hole. */
export const BLACK_HOLE_TIMEOUTS = 3;

/** Where the discovery stands (RFC 8899, 5.2). */
export type PathMtuState =
  /** The base size is being tried. */
  | "base"
  /** The base size is good, larger ones are being tried. */
  | "searching"
  /** The largest size is known, for now. */
  | "complete"
  /** The base size did not get through, the smallest one is being tried. */
  | "error";

/**
 * The largest size that is worth a probe to an address: the system fragments what does not fit the
 * interface, and no probe would find that out.
 */
export function pathMtuLimit(address: Address): number {
  if (isCarried(address)) return CARRIED_SIZE_MAX;
  return isLoopback(address.hostname) ? PATH_MTU_LOOPBACK : PATH_MTU_ETHERNET;
}

/** The size of datagrams on the path to one address. */
export class PathMtu {
  #state: PathMtuState = "base";
  #size = PATH_MTU_BASE;
  /** The largest size that may be tried. */
  #sizeMax: number;
  /** The smallest size that is known to be too large. */
  #tooLarge = Infinity;
  /** The size that is being tried, how often it was, and the nonce of the last probe. */
  #probeSize = PATH_MTU_BASE;
  #probes = 0;
  #nonce: bigint | undefined;
  /** When the next probe, or the next search, is due. */
  #deadline: Instant;
  /** The largest size that arrived since the path, or what it carries, changed. */
  #arrived = 0;
  /** Datagrams that were lost and are larger than all that arrived since, the oldest first. */
  #lost: { size: number; sentAt: Instant }[] = [];
  #timeouts = 0;

  /**
   * Starts with the base size; the first probe is due at once.
   *
   * @param sizeMax the largest size to try, as the interface allows.
   */
  constructor(now: Instant, sizeMax: number = PATH_MTU_ETHERNET) {
    this.#deadline = now;
    this.#sizeMax = sizeMax;
    this.#size = this.#probeSize = this.#base;
  }

  /** Bytes in the largest datagram that may be sent. */
  get size(): number {
    return this.#size;
  }

  /** Whether it is below what is taken to get through. */
  get isReduced(): boolean {
    return this.#size < this.#base;
  }

  /** What is taken to get through before anything is known. */
  get #base(): number {
    return Math.min(PATH_MTU_BASE, this.#sizeMax);
  }

  /** Where the discovery stands. */
  get state(): PathMtuState {
    return this.#state;
  }

  /** Begins anew: the path leads to another address. */
  restart(now: Instant, sizeMax: number = this.#sizeMax): void {
    this.#sizeMax = sizeMax;
    this.#tooLarge = Infinity;
    this.#startBase(now, this.#base);
  }

  /** When something is due that handleTimeout() or pollProbe() does; who sees to it calls both. */
  nextTimeout(): Instant {
    return this.#deadline;
  }

  /** Gives up a probe that was not answered, or begins the next search. */
  handleTimeout(now: Instant): void {
    if (now < this.#deadline) return;
    if (this.#state === "complete") {
      this.#tooLarge = Infinity;
      this.#search(now);
    } else if (this.#nonce !== undefined) {
      if (this.#probes >= MAX_PROBES) this.#fail(now);
    }
    this.#nonce = undefined;
  }

  /**
   * The size of the probe that is due, undefined for none: send a Path Challenge in a datagram of
   * just that size, and note it with onProbeSent().
   */
  pollProbe(now: Instant): number | undefined {
    this.handleTimeout(now);
    return this.#state === "complete" || now < this.#deadline ? undefined : this.#probeSize;
  }

  /**
   * Notes that the probe was sent.
   *
   * @param nonce the one in its Path Challenge.
   * @param timeout milliseconds in which an answer can be expected.
   */
  onProbeSent(now: Instant, nonce: bigint, timeout: number): void {
    this.#nonce = nonce;
    this.#probes++;
    this.#deadline = now + Math.max(PROBE_TIMER, timeout);
  }

  /** Takes a Path Response. */
  handleResponse(now: Instant, nonce: bigint): void {
    if (nonce !== this.#nonce) return;
    this.#nonce = undefined;
    if (this.#state === "error") this.#tooLarge = this.#base;
    this.#size = this.#probeSize;
    this.#arrived = Math.max(this.#arrived, this.#size);
    this.#lost = [];
    this.#timeouts = 0;
    this.#search(now);
  }

  /** Notes that a datagram arrived which was no probe. */
  onArrived(size: number): void {
    this.#timeouts = 0;
    this.#arrived = Math.max(this.#arrived, size);
    if (this.#lost.length > 0) this.#lost = this.#lost.filter((each) => each.size > size);
  }

  /**
   * Notes that a datagram was lost which was no probe. One as large as nothing that ever arrived here
   * may be too large; when only small ones arrive any more, what seemed good is too large now (RFC
   * 8899, 4.3).
   *
   * @param sentAt when it was sent.
   * @param patience milliseconds that losses go on, at least, to be no mere congestion.
   */
  onLost(now: Instant, size: number, sentAt: Instant, patience: number): void {
    if (size <= PATH_MTU_MIN || size > this.#size) return;
    if (size > this.#arrived) return this.#startBase(now, PATH_MTU_MIN);
    const lost = this.#lost;
    lost.push({ size, sentAt });
    // The first tells how long it takes.
    if (lost.length > BLACK_HOLE_LOSSES) lost.splice(1, 1);
    const isLong = sentAt - lost[0]!.sentAt >= patience;
    if (!isLong || lost.length < BLACK_HOLE_LOSSES) return;
    this.#tooLarge = this.#size;
    this.#startBase(now, PATH_MTU_MIN);
  }

  /** Notes that no ack came in time. */
  onTimeout(now: Instant): void {
    if (this.#size <= PATH_MTU_MIN) return;
    const isUnproven = this.#size > this.#arrived;
    if (!isUnproven && ++this.#timeouts < BLACK_HOLE_TIMEOUTS) return;
    // Nothing arrives at all, which may have other reasons: all sizes are worth a try again.
    this.#tooLarge = Infinity;
    this.#startBase(now, PATH_MTU_MIN);
  }

  /** Tries the base size; until it is known to be good, datagrams have at most `size` bytes. */
  #startBase(now: Instant, size: number): void {
    this.#state = "base";
    this.#size = size;
    this.#arrived = this.#timeouts = 0;
    this.#lost = [];
    this.#probe(now, this.#base);
  }

  /** Goes on to the next size, or ends the search. */
  #search(now: Instant): void {
    const next = this.#nextSize();
    this.#state = next === undefined ? "complete" : "searching";
    if (next === undefined) this.#deadline = now + PMTU_RAISE_TIMER;
    else this.#probe(now, next);
  }

  /** The common sizes from small to large, then by halves between the largest good and the smallest bad. */
  #nextSize(): number | undefined {
    const limit = Math.min(this.#sizeMax, this.#tooLarge - 1);
    const common = COMMON_SIZES.find((size) => size > this.#size && size <= limit);
    if (common !== undefined) return common;
    if (limit <= this.#size) return undefined;
    // Where nothing was too large yet, the limit itself is worth a try.
    if (this.#tooLarge > this.#sizeMax) return limit;
    const next = (this.#size + limit) >>> 1;
    return next - this.#size >= this.#size * STEP_MIN ? next : undefined;
  }

  #probe(at: Instant, size: number): void {
    this.#probeSize = size;
    this.#probes = 0;
    this.#nonce = undefined;
    this.#deadline = at;
  }

  #fail(now: Instant): void {
    if (this.#state === "searching") {
      this.#tooLarge = this.#probeSize;
      this.#search(now);
    } else if (this.#state === "base") {
      this.#state = "error";
      this.#size = PATH_MTU_MIN;
      this.#probe(now, PATH_MTU_MIN);
    } else {
      this.#state = "base";
      this.#probe(now + BASE_RETRY_TIMER, this.#base);
    }
  }
}
