/**
 * The Registers that a store is deciding.
 *
 * @module
 */
import { toHex } from "../../cli/hex.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { Result } from "../../protocol/result.ts";
import { SESSION_MARK_SIZE } from "./client_record.ts";
import type { OnDecided, RegisterRequest } from "./table.ts";

/** Registers that wait at most; further ones are refused, as the store is too slow. */
export const PENDING_REGISTERS_MAX = 4096;
/** Milliseconds after which one is refused. */
export const PENDING_TIMEOUT = 3_000;

/** A Register that waits. */
export interface PendingRegister {
  readonly request: RegisterRequest;
  until: Instant;
  /** The number of the question, 0 where it waits for a change. */
  number: number;
  /** The id that it asks the store for. */
  id: number;
  /** How often the store said that something had changed meanwhile. */
  conflicts: number;
  /** It is decided anew when the change of this number is there. */
  decideAt: number;
  readonly onDecided: OnDecided;
}

/** Those that wait, the one that came first being the first. */
export class PendingRegisters {
  readonly #bySession = new Map<string, PendingRegister>();
  readonly #byNumber = new Map<number, PendingRegister>();
  /** Those that wait for a change. */
  readonly #waiting = new Set<PendingRegister>();

  /** How many there are. */
  get size(): number {
    return this.#bySession.size;
  }

  /** Adds one; undefined where it waits already. */
  add(now: Instant, request: RegisterRequest, onDecided: OnDecided): PendingRegister | undefined {
    const session = markOf(request.sessionKey);
    if (this.#bySession.has(session)) return undefined;
    const until = now + PENDING_TIMEOUT;
    const rest = { number: 0, id: 0, conflicts: 0, decideAt: 0 };
    const pending = { request: copyOf(request), onDecided, until, ...rest };
    this.#bySession.set(session, pending);
    return pending;
  }

  /** The one whose question has this number. */
  find(number: number): PendingRegister | undefined {
    return this.#byNumber.get(number);
  }

  /** The one of the session whose key begins with these bytes. */
  findSession(session: Uint8Array): PendingRegister | undefined {
    return this.#bySession.get(markOf(session));
  }

  /** Its question has another number now, 0 for none. */
  setNumber(pending: PendingRegister, number: number): void {
    this.#byNumber.delete(pending.number);
    pending.number = number;
    if (number !== 0) this.#byNumber.set(number, pending);
  }

  /** Those that wait for the change of this number. */
  waitingFor(last: number): PendingRegister[] {
    const waiting: PendingRegister[] = [];
    for (const each of this.#waiting) if (each.decideAt <= last) waiting.push(each);
    for (const each of waiting) this.#waiting.delete(each);
    return waiting;
  }

  /** It is decided anew when the change of this number is there. */
  wait(pending: PendingRegister, decideAt: number): void {
    this.setNumber(pending, 0);
    pending.decideAt = decideAt;
    this.#waiting.add(pending);
  }

  /** It is decided. */
  finish(pending: PendingRegister, result: Result<number, number>): void {
    this.drop(pending);
    pending.onDecided(result);
  }

  /** Nothing is to be answered. */
  drop(pending: PendingRegister): void {
    this.#bySession.delete(markOf(pending.request.sessionKey));
    this.#waiting.delete(pending);
    this.setNumber(pending, 0);
  }

  /** The time of all is over. */
  end(now: Instant): void {
    for (const each of this.#bySession.values()) each.until = Math.min(each.until, now);
  }

  /** One whose time is over. */
  late(now: Instant): PendingRegister | undefined {
    const [first] = this.#bySession.values();
    return first !== undefined && first.until <= now ? first : undefined;
  }

  /** When late() has one. */
  nextTimeout(): Instant | undefined {
    const [first] = this.#bySession.values();
    return first?.until;
  }
}

/** What tells a session from others. */
function markOf(sessionKey: Uint8Array): string {
  return toHex(sessionKey.subarray(0, SESSION_MARK_SIZE));
}

/** Its bytes are views of a datagram. */
function copyOf(request: RegisterRequest): RegisterRequest {
  const { sessionKey, token, publicKey, endpoint } = request;
  return {
    ...request,
    sessionKey: sessionKey.slice(),
    token: token.slice(),
    publicKey: publicKey.slice(),
    endpoint: endpoint.slice(),
  };
}
