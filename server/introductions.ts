/**
 * Introductions: what two clients learn about each other, and what is carried between them.
 *
 * @module
 */
import { TimedMac } from "../protocol/directory/timed_mac.ts";
import type { Instant, Random } from "../protocol/machine.ts";
import { type Address, sourceOf } from "../protocol/wire/address.ts";
import { readEndpoint } from "../protocol/wire/endpoint_bytes.ts";
import {
  type Call,
  CALL_SIZE,
  CARRIED_SIZE_MAX,
  type Carry,
  FLAG_CALLER,
  FLAG_NEAR,
  type Frame,
  HEADER_SIZE,
  type Inactive,
  type Meeting,
  PUBLIC_KEY_SIZE,
} from "../protocol/wire/frame.ts";
import type { ClientLimitName, LimitName, Limits } from "./limits.ts";
import { type EntryFields, NO_SLOT, type Table } from "./table/table.ts";

/** Bytes of a static key that name its entry in the number of a meeting. */
const KEY_PART_SIZE = 8;

/** Why a Call or a Carry comes to nothing. */
export type IntroductionProblem = "size" | "carry" | LimitName | ClientLimitName;

/** What introductions need of their directory. */
export interface IntroductionOptions {
  readonly table: Table;
  readonly limits: Limits;
  /** Whether datagrams are carried. */
  readonly isRelay: boolean;
  readonly random: Random;
  /** Tells the client in a slot something that it has not asked for. */
  readonly notify: (slot: number, frame: Frame) => void;
  /** Counts what comes to nothing. */
  readonly drop: (reason: IntroductionProblem) => void;
}

/** Makes clients meet, and carries datagrams between those that have met. */
export class Introductions {
  /** Calls that led to a meeting. */
  count = 0;
  /** Datagrams that were carried. */
  carriedDatagrams = 0;
  /** The bytes in them. */
  carriedBytes = 0;
  readonly #options: IntroductionOptions;
  readonly #entries: EntryFields;
  readonly #numbers: TimedMac;
  readonly #subject = new Uint8Array(2 * (4 + KEY_PART_SIZE));
  readonly #view = new DataView(this.#subject.buffer);
  readonly #key = new Uint8Array(PUBLIC_KEY_SIZE);
  readonly #shown = new Uint8Array(8);

  /** Starts with a key of its own for the numbers. */
  constructor(options: IntroductionOptions) {
    this.#options = options;
    this.#entries = options.table.entries;
    this.#numbers = new TimedMac(options.random);
  }

  /** Makes numbers with keys that several directories share: see `TimedMac.useKeys()`. */
  useKeys(current: Uint8Array, previous: Uint8Array): void {
    this.#numbers.useKeys(current, previous);
  }

  /**
   * Tells the client that is called who calls.
   *
   * @param size the bytes of the Call's datagram: no fewer than in both Meetings.
   * @returns the answer to the client in the slot, undefined for none.
   */
  call(
    now: Instant,
    slot: number,
    { id, name }: Call,
    size: number,
    from: Address,
  ): Meeting | Inactive | undefined {
    const { table, limits, notify, drop } = this.#options;
    if (size < CALL_SIZE) return void drop("size");
    if (!limits.take(now, "calls", from)) return void drop("calls");
    const callee = id === 0 ? table.findName(name) : table.find(id);
    if (callee === NO_SLOT) return { kind: "inactive", id, name };
    if (callee !== slot) {
      // The caller has its answer all the same: others who call, too, must not keep it from that.
      // The directory of a client that is elsewhere sees to its limit.
      if (!table.isHere(callee) || limits.takeMeeting(now, this.#entries.id(callee))) {
        this.count++;
        notify(callee, this.#meeting(now, callee, slot, false));
      } else drop("meetings");
    }
    return this.#meeting(now, slot, callee, true);
  }

  /** Carries a datagram to a client that the one in the slot has met. */
  carry(now: Instant, slot: number, { number, to, datagram }: Carry, from: Address): void {
    const { table, limits, isRelay, notify, drop } = this.#options;
    const target = table.find(to);
    const isMet = target !== NO_SLOT && target !== slot &&
      this.#isMeeting(now, number, slot, target);
    const id = this.#entries.id(slot);
    const isDatagram = datagram.length >= HEADER_SIZE && datagram.length <= CARRIED_SIZE_MAX;
    if (!isRelay || !isMet || !isDatagram) return drop("carry");
    if (!limits.takeCarried(now, id, from, datagram.length)) return drop("carried");
    this.carriedDatagrams++;
    this.carriedBytes += datagram.length;
    // A view of what the cipher will overwrite.
    notify(target, { kind: "carried", from: id, datagram: datagram.slice() });
  }

  /** Takes what another directory has for the client in a slot, which is here. */
  deliver(now: Instant, slot: number, frame: Frame): void {
    const { limits, notify, drop } = this.#options;
    const isMeeting = frame.kind === "meeting";
    if (isMeeting && !limits.takeMeeting(now, this.#entries.id(slot))) drop("meetings");
    else notify(slot, frame);
  }

  /** What the client in one slot learns about that in the other. */
  #meeting(now: Instant, slot: number, peer: number, isCaller: boolean): Meeting {
    const entries = this.#entries;
    this.#setSubject(slot, peer);
    const code = this.#numbers.make(now, this.#subject);
    const number = new DataView(code.buffer, code.byteOffset).getBigUint64(0);
    const publicKey = new Uint8Array(PUBLIC_KEY_SIZE);
    entries.copyKey(peer, publicKey, 0);
    const isNear = this.#sources(slot).some((source) => this.#sources(peer).includes(source));
    return {
      kind: "meeting",
      number,
      flags: (isCaller ? FLAG_CALLER : 0) | (isNear ? FLAG_NEAR : 0),
      id: entries.id(peer),
      name: entries.name(peer),
      publicKey,
      addresses: this.#addresses(peer),
    };
  }

  /** Whether a number names a meeting of these two in the last minute. */
  #isMeeting(now: Instant, number: bigint, slot: number, peer: number): boolean {
    this.#setSubject(slot, peer);
    new DataView(this.#shown.buffer).setBigUint64(0, number);
    return this.#numbers.isValid(now, this.#subject, this.#shown);
  }

  #addresses(slot: number): Address[] {
    const other = this.#entries.otherEndpoint(slot);
    const first = readEndpoint(this.#entries.endpoint(slot));
    return other === undefined ? [first] : [first, readEndpoint(other)];
  }

  #sources(slot: number): string[] {
    return this.#addresses(slot).map(sourceOf);
  }

  /** The ids and a part of the keys, those of the lower id first. */
  #setSubject(one: number, other: number): void {
    const isOrdered = this.#entries.id(one) < this.#entries.id(other);
    const slots = isOrdered ? [one, other] : [other, one];
    for (const [index, slot] of slots.entries()) {
      const at = index * (4 + KEY_PART_SIZE);
      this.#view.setUint32(at, this.#entries.id(slot));
      this.#entries.copyKey(slot, this.#key, 0);
      this.#subject.set(this.#key.subarray(0, KEY_PART_SIZE), at + 4);
    }
  }
}
