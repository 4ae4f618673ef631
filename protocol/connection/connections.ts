/**
 * The connections of an endpoint: those that are open, and ended ones that still acknowledge.
 *
 * @module
 */
import { isSameKey } from "../crypto/x25519.ts";
import type { Instant, Transmit } from "../machine.ts";
import type { Session } from "../session/session.ts";
import { earlier } from "../timers.ts";
import { type Address, sameAddress } from "../wire/address.ts";
import { ReceivePool } from "./receive_pool.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionEvent } from "./connection_event.ts";

/** Connections at a time, the calls of this client included. */
export const CONNECTIONS_MAX = 16;
/** Ended connections that are kept to acknowledge repeats. */
export const ENDED_CONNECTIONS_MAX = 16;

/** Connections by their session ids; no two that have not ended are with the same client. */
export class Connections {
  readonly #bySession = new Map<number, Connection>();
  /** Those that have not ended, the oldest first. */
  readonly #live = new Set<Connection>();
  /** What all of them may hold of what they received. */
  readonly receivePool = new ReceivePool();
  /** Where the last event came from. */
  #lastPolled: Connection | undefined;

  /** Those that have not ended, the oldest first. */
  get live(): Connection[] {
    return [...this.#live];
  }

  /** How many have not ended. */
  get size(): number {
    return this.#live.size;
  }

  /** The connection in the session with this id. */
  get(localId: number): Connection | undefined {
    return this.#bySession.get(localId);
  }

  /** The connection with this client that has not ended. */
  with(remote: number): Connection | undefined {
    for (const connection of this.#live) {
      if (connection.ids.remote === remote && connection.state !== "closed") return connection;
    }
    return undefined;
  }

  /** The open connection with this client under this static key. */
  withKey(remote: number, key: Uint8Array): Connection | undefined {
    const connection = this.with(remote);
    const isMeant = connection?.state === "open" && isSameKey(connection.remoteKey, key);
    return isMeant ? connection : undefined;
  }

  /**
   * The open connection with the client under this static key at one of these addresses, whatever its
   * client id was when it was opened: a directory that started again may have given it another one.
   */
  at(addresses: readonly Address[], key: Uint8Array): Connection | undefined {
    return this.live.find(({ state, remoteKey, session }) =>
      state === "open" && isSameKey(remoteKey, key) &&
      addresses.some((each) => sameAddress(each, session.address))
    );
  }

  /** Adds one; of the ended ones, the oldest makes room. */
  add(connection: Connection): void {
    const ended = [...this.#bySession].filter(([, each]) => !this.#live.has(each));
    const [oldest] = ended;
    if (ended.length >= ENDED_CONNECTIONS_MAX && oldest !== undefined) {
      this.#bySession.delete(oldest[0]);
    }
    this.#bySession.set(connection.session.localId, connection);
    this.#live.add(connection);
  }

  /** Goes on with a connection in another session. */
  resume(now: Instant, connection: Connection, session: Session, isReturn: boolean): void {
    this.#bySession.delete(connection.session.localId);
    connection.resume(now, session, isReturn);
    this.#bySession.set(session.localId, connection);
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    for (const [id, connection] of this.#bySession) {
      connection.handleTimeout(now);
      if (connection.state === "gone") this.#bySession.delete(id);
    }
  }

  /** See {@linkcode DatagramMachine}. */
  handleWake(now: Instant, slept: number): void {
    for (const connection of this.#live) connection.handleWake(now, slept);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const connection of this.#bySession.values()) {
      timeout = earlier(timeout, connection.nextTimeout());
    }
    return timeout;
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    for (const connection of this.#bySession.values()) {
      const transmit = connection.pollTransmit(now);
      if (transmit !== undefined) return transmit;
    }
    return undefined;
  }

  /**
   * See {@linkcode Machine}; the connection that the event is about comes with it.
   *
   * @param except whose events have to wait.
   */
  pollEvent(except?: Connection): ConnectionEvent & { connection: Connection } | undefined {
    // Where one came from, more may follow.
    const last = this.#lastPolled;
    const next = last === except ? undefined : last?.pollEvent();
    if (last !== undefined && next !== undefined) return this.#report(last, next);
    for (const connection of this.#bySession.values()) {
      const event = connection === except ? undefined : connection.pollEvent();
      if (event === undefined) continue;
      this.#lastPolled = connection;
      return this.#report(connection, event);
    }
    return undefined;
  }

  #report(
    connection: Connection,
    event: ConnectionEvent,
  ): ConnectionEvent & { connection: Connection } {
    if (event.kind === "terminated") this.#live.delete(connection);
    // Of these there are many: no copy is made.
    const reported = event as ConnectionEvent & { connection: Connection };
    reported.connection = connection;
    return reported;
  }
}
