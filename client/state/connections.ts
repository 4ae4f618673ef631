/**
 * The connections of a client: those that are open, one of them current, and ended ones that still
 * acknowledge.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { Connection } from "../../protocol/connection/connection.ts";
import type { ConnectionEvent, ConnectionIds } from "../../protocol/connection/ends.ts";
import type { Instant, Random, Transmit } from "../../protocol/machine.ts";
import { DatagramType, type Header } from "../../protocol/wire/frame.ts";
import type { SessionKeys } from "../../protocol/session/handshake.ts";
import type { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { earlier } from "../../protocol/timers.ts";
import type { ClientEvent } from "../event.ts";
import { matchesClient, type Peer } from "../peer.ts";

/** Connections at a time. */
export const CONNECTIONS_MAX = 16;
/** Ended connections that are kept to acknowledge repeats. */
export const ENDED_CONNECTIONS_MAX = 16;

/** How the user has to do with a connection that has not ended. */
interface Use {
  /** Messages that came while another connection was current. */
  unread: number;
  /** Higher than that of all connections that were current before. */
  lastCurrent: number;
}

/** Connections by their local connection id; no two that have not ended are with the same client. */
export class Connections {
  readonly #byId = new Map<number, Connection>();
  /** Those that have not ended, in the order in which they were opened. */
  readonly #live = new Map<Connection, Use>();
  #current: Connection | undefined;
  #uses = 0;
  #undelivered = 0;

  /** The connection that the user talks on; there is one as long as there are any. */
  get current(): Connection | undefined {
    return this.#current;
  }

  /** Those that have not ended, the oldest first, with the number of unread messages. */
  get live(): readonly { connection: Connection; unread: number }[] {
    return Array.from(this.#live, ([connection, { unread }]) => ({ connection, unread }));
  }

  /** How many have not ended. */
  get size(): number {
    return this.#live.size;
  }

  /** Texts left undelivered by the connections that ended. */
  get undelivered(): number {
    return this.#undelivered;
  }

  /**
   * Opens a connection; one with the same client ends.
   *
   * @param isAside whether another connection stays the current one.
   * @returns whether it is the current one.
   */
  open(
    now: Instant,
    ids: ConnectionIds,
    address: Address,
    rtt: RttEstimator,
    keys: SessionKeys,
    random: Random,
    isAside = false,
  ): boolean {
    const ended = [...this.#byId].filter(([, connection]) => !this.#live.has(connection));
    const [oldest] = ended;
    if (ended.length >= ENDED_CONNECTIONS_MAX && oldest !== undefined) this.#byId.delete(oldest[0]);
    const replaced = this.with(ids.remote);
    replaced?.abandon(now, "peer");
    const connection = new Connection(now, ids, address, rtt, keys, random);
    this.#byId.set(ids.localConnection, connection);
    this.#live.set(connection, { unread: 0, lastCurrent: 0 });
    const isCurrent = !isAside || this.#current === undefined || this.#current === replaced;
    if (isCurrent) this.choose(connection);
    return isCurrent;
  }

  /** Makes a connection that has not ended the current one. */
  choose(connection: Connection): void {
    this.#live.set(connection, { unread: 0, lastCurrent: ++this.#uses });
    this.#current = connection;
  }

  /** Notes that the user answered on a connection. */
  noteRead(connection: Connection): void {
    const use = this.#live.get(connection);
    if (use !== undefined) use.unread = 0;
  }

  /** The connection with this local connection id. */
  get(localConnection: number): Connection | undefined {
    return this.#byId.get(localConnection);
  }

  /** The connection with this client that has not ended. */
  with(remote: number): Connection | undefined {
    return [...this.#live.keys()].findLast(({ ids }) => ids.remote === remote);
  }

  /** Those that have not ended with whom this id, name or fingerprint means. */
  called(peer: Peer): Connection[] {
    return [...this.#live.keys()].filter(({ ids: { remote, remoteName }, keys }) =>
      matchesClient(peer, remote, remoteName, keys.remoteKey)
    );
  }

  /** The connection with this client under this connection id of its. */
  find(remote: number, remoteConnection: number): Connection | undefined {
    for (const connection of this.#byId.values()) {
      const { ids } = connection;
      if (ids.remote === remote && ids.remoteConnection === remoteConnection) return connection;
    }
    return undefined;
  }

  /** Takes a sealed datagram; false where it is for no connection, or not authentic. */
  handleDatagram(now: Instant, datagram: Uint8Array, header: Header, from: Address): boolean {
    const { type, connection, packet } = header;
    const own = this.#byId.get(connection);
    if (own?.handleDatagram(now, datagram, packet, from)) return true;
    if (type !== DatagramType.Handshake) return false;
    // A Handshake datagram carries the requester's connection id, also on its way to the responder.
    for (const each of this.#byId.values()) {
      const isTheirs = each.ids.remoteConnection === connection;
      if (isTheirs && each.handleDatagram(now, datagram, packet, from)) return true;
    }
    return false;
  }

  /** See `Machine`. */
  handleTimeout(now: Instant): void {
    for (const [id, connection] of this.#byId) {
      connection.handleTimeout(now);
      if (connection.state === "gone") this.#byId.delete(id);
    }
  }

  /** See `Machine`. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const connection of this.#byId.values()) {
      timeout = earlier(timeout, connection.nextTimeout());
    }
    return timeout;
  }

  /** See `Machine`. */
  pollTransmit(now: Instant): Transmit | undefined {
    for (const connection of this.#byId.values()) {
      const transmit = connection.pollTransmit(now);
      if (transmit !== undefined) return transmit;
    }
    return undefined;
  }

  /** See `Machine`. */
  prepare(): void {
    const seals = this.#current?.keys.seals;
    seals?.sealer.prepare();
    seals?.opener.prepare();
  }

  /** See `Machine`; the connection that the event is about comes with it. */
  pollEvent(): { connection: Connection; event: ClientEvent } | undefined {
    for (const connection of this.#byId.values()) {
      const event = connection.pollEvent();
      if (event === undefined) continue;
      if (event.kind === "message" && connection !== this.#current) {
        const use = this.#live.get(connection);
        if (use !== undefined) use.unread++;
      } else if (event.kind === "terminated") {
        this.#undelivered += event.undelivered;
        this.#end(connection);
      }
      return { connection, event: toClientEvent(connection.ids, event) };
    }
    return undefined;
  }

  /** Where it was the current one, the one that was so before is it again. */
  #end(connection: Connection): void {
    this.#live.delete(connection);
    if (connection !== this.#current) return;
    this.#current = undefined;
    const others = [...this.#live].sort(([, a], [, b]) => b.lastCurrent - a.lastCurrent);
    const [next] = others.find(([{ state }]) => state === "open") ?? others[0] ?? [];
    if (next !== undefined) this.choose(next);
  }
}

function toClientEvent(
  { remote: peer, remoteName: name }: ConnectionIds,
  event: ConnectionEvent,
): ClientEvent {
  switch (event.kind) {
    // Of these there are many: written out, which is quicker.
    case "message":
      return { kind: "message", textSeq: event.textSeq, text: event.text, peer, name };
    case "sent":
      return { kind: "sent", textSeq: event.textSeq, peer };
    case "delivered":
      return { kind: "delivered", textSeq: event.textSeq, rttMs: event.rttMs, peer };
    case "terminated":
      return { ...event, peer, name };
    default:
      return { ...event, peer };
  }
}
