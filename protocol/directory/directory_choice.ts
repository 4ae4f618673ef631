/**
 * Which of its directory's addresses a client uses, and which others it tries when that one is silent
 * or cannot answer: behind them may be several directories that share one table.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import { type Address, isIpv6, sameAddress } from "../wire/address.ts";
import { keepaliveInterval } from "./lease.ts";
import { DIRECTORY_LOST_AFTER } from "./liveness.ts";

/** Milliseconds between two Lease Keepalives at most, where there are several directories. */
export const SEVERAL_KEEPALIVE_MAX = 4_000;
/** Milliseconds until a request is sent again at most, where another directory can be asked. */
export const SEVERAL_RESEND_MAX = 1_000;
/** Milliseconds that a directory is silent, at three tries or more, when another one is tried. */
export const SEVERAL_SILENT_AFTER = 3_000;
/** Milliseconds in which an address that was left is tried only where there is no other. */
export const ADDRESS_AVOIDED = 60_000;
/** Milliseconds after a move before the next one; twice as long each time until a lease is renewed. */
export const MOVE_PAUSE_FIRST = 5_000;
/** The same at most. */
export const MOVE_PAUSE_MAX = 10_000;
/** Milliseconds after which a Register that no directory can answer now is begun anew. */
export const UNAVAILABLE_RETRY = 5_000;

/** Why a client tries other directories than the one in use. */
export type MoveReason = "silent" | "unavailable";

/** A search for another directory. */
export interface Move {
  readonly why: MoveReason;
  /** Whether the client needs a registration, and has none that the directory in use knows. */
  readonly isNeeded: boolean;
  /** Whether one of the others refused. */
  readonly isRefused: boolean;
  /** Those that are left to be tried. */
  readonly addresses: readonly Address[];
}

/** The addresses of one client's directory. */
export class DirectoryChoice {
  #all: readonly Address[] = [];
  #hasSeveral = false;
  /** Those that were left, and until when they are tried last. */
  #avoided: readonly { readonly address: Address; readonly until: Instant }[] = [];
  #move: Move | undefined;
  #nextMoveAt: Instant = -Infinity;
  #refusedAt: Instant = -Infinity;
  #pause = MOVE_PAUSE_FIRST;

  /** Begins with these addresses, one at least. */
  constructor(addresses: readonly Address[]) {
    this.change(addresses);
  }

  /** All of them. */
  get all(): readonly Address[] {
    return this.#all;
  }

  /** Those that a Register goes to now. */
  get tried(): readonly Address[] {
    return this.#move?.addresses ?? this.#all;
  }

  /** Whether there are more than one directory has, which is one of each family. */
  get hasSeveral(): boolean {
    return this.#hasSeveral;
  }

  /** The search that is under way. */
  get move(): Move | undefined {
    return this.#move;
  }

  /** When a Register was refused last. */
  get refusedAt(): Instant {
    return this.#refusedAt;
  }

  /** When the next search may begin. */
  get nextMoveAt(): Instant {
    return this.#nextMoveAt;
  }

  /** Milliseconds without an answer after which the directory in use counts as silent. */
  get silentAfter(): number {
    return this.#hasSeveral ? SEVERAL_SILENT_AFTER : DIRECTORY_LOST_AFTER;
  }

  /** Takes the addresses that the directory has now; one that is there twice counts once. */
  change(given: readonly Address[]): void {
    const addresses = given.filter((each, index) =>
      given.findIndex((other) => sameAddress(each, other)) === index
    );
    this.#all = addresses;
    const ipv6 = addresses.filter(isIpv6).length;
    const ports = new Set(addresses.map(({ port }) => port)).size;
    this.#hasSeveral = ipv6 > 1 || addresses.length - ipv6 > 1 || ports > 1;
  }

  /** Milliseconds until the next Lease Keepalive. */
  keepaliveInterval(lease: number): number {
    const usual = keepaliveInterval(lease);
    return this.#hasSeveral ? Math.min(usual, SEVERAL_KEEPALIVE_MAX) : usual;
  }

  /** Begins to search for another directory; false where there is none, or it is too soon. */
  begin(now: Instant, from: Address, why: MoveReason): boolean {
    const others = this.#all.filter((each) => !sameAddress(each, from));
    if (others.length === 0 || now < this.#nextMoveAt) return false;
    const preferred = others.filter((each) => !this.#isAvoided(now, each));
    this.#avoid(now, from);
    const addresses = preferred.length > 0 ? preferred : others;
    this.#move = { why, isNeeded: false, isRefused: false, addresses };
    return true;
  }

  /** Goes on at all others, also at those that were left; false where these are tried already. */
  widen(from: Address): boolean {
    const others = this.#all.filter((each) => !sameAddress(each, from));
    const move = this.#move;
    const isTried = (each: Address): boolean =>
      move?.addresses.some((tried) => sameAddress(tried, each)) === true;
    if (move === undefined || others.every(isTried)) return false;
    this.#move = { ...move, addresses: others };
    return true;
  }

  /** Takes the refusal of a Register at this address; returns whether another is left to be tried. */
  refuse(now: Instant, address: Address): boolean {
    const { why, isNeeded, addresses } = this.#move ??
      { why: "unavailable", isNeeded: true, addresses: this.#all };
    const left = addresses.filter((each) => !sameAddress(each, address));
    this.#avoid(now, address);
    this.#refusedAt = now;
    this.#move = { why, isNeeded, isRefused: true, addresses: left };
    return left.length > 0;
  }

  /** Ends the search, which came to an end; returns it. */
  end(now: Instant): Move | undefined {
    const move = this.#move;
    if (move !== undefined) {
      this.#nextMoveAt = now + this.#pause;
      this.#pause = Math.min(2 * this.#pause, MOVE_PAUSE_MAX);
    }
    this.cancel();
    return move;
  }

  /** Ends the search: the directory in use answers. */
  cancel(): void {
    this.#move = undefined;
  }

  /** The directory in use renewed the lease. */
  handleRenewal(): void {
    this.#pause = MOVE_PAUSE_FIRST;
  }

  #isAvoided(now: Instant, address: Address): boolean {
    return this.#avoided.some((each) => each.until > now && sameAddress(each.address, address));
  }

  #avoid(now: Instant, address: Address): void {
    const others = this.#avoided.filter((each) =>
      each.until > now && !sameAddress(each.address, address)
    );
    this.#avoided = [...others, { address, until: now + ADDRESS_AVOIDED }];
  }
}
