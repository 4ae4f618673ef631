/**
 * The connections of a client: live ones, one of which is current, and ended ones that still
 * acknowledge.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { Connection } from "../../protocol/connection/connection.ts";
import type { ConnectionEvent, ConnectionIds } from "../../protocol/connection/connection.ts";
import type { Instant, Random, Transmit } from "../../protocol/machine.ts";
import { DatagramType, type Header } from "../../protocol/wire/frame.ts";
import type { SessionKeys } from "../../protocol/session/handshake.ts";
import type { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { earlier } from "../../protocol/timers.ts";
import type { ClientEvent } from "../event.ts";
import { matchesClient, type Peer } from "../peer.ts";

/** Connections at a time. */
export const CONNECTIONS_MAX = 16;
/** Ended connections that are kept to acknowledge retransmissions. */
export const ENDED_CONNECTIONS_MAX = 16;

/** What the user has seen of a live connection. */
interface ConversationState {
  /** Messages that arrived while another connection was current. */
  unread: number;
  /** Higher for connections that were current later. */
  currentOrder: number;
}

/** The connections of one client; no two live ones are with the same peer. */
export class Connections {
  readonly #byId = new Map<number, Connection>();
  /** The live ones, in the order in which they were opened. */
  readonly #live = new Map<Connection, ConversationState>();
  #current: Connection | undefined;
  #lastOrder = 0;
  #undelivered = 0;

  /** The connection that the user talks on; there is one if there are live ones. */
  get current(): Connection | undefined {
    return this.#current;
  }

  /** The live connections, the oldest first, with their unread messages. */
  get live(): readonly { connection: Connection; unread: number }[] {
    return Array.from(this.#live, ([connection, { unread }]) => ({ connection, unread }));
  }

  /** The number of live connections. */
  get size(): number {
    return this.#live.size;
  }

  /** Messages that the ended connections left undelivered. */
  get undelivered(): number {
    return this.#undelivered;
  }

  /**
   * Opens a connection; ends a live one with the same peer.
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
    this.#live.set(connection, { unread: 0, currentOrder: 0 });
    const isCurrent = !isAside || this.#current === undefined || this.#current === replaced;
    if (isCurrent) this.choose(connection);
    return isCurrent;
  }

  /** Makes a live connection the current one. */
  choose(connection: Connection): void {
    this.#live.set(connection, { unread: 0, currentOrder: ++this.#lastOrder });
    this.#current = connection;
  }

  /** Records that the user has read the messages of a connection. */
  markRead(connection: Connection): void {
    const state = this.#live.get(connection);
    if (state !== undefined) state.unread = 0;
  }

  /** The connection with this local connection id. */
  get(localConnection: number): Connection | undefined {
    return this.#byId.get(localConnection);
  }

  /** The live connection with this client. */
  with(remote: number): Connection | undefined {
    return [...this.#live.keys()].findLast(({ ids }) => ids.remote === remote);
  }

  /** The live connections with clients that this id, name or fingerprint refers to. */
  matching(peer: Peer): Connection[] {
    return [...this.#live.keys()].filter(({ ids: { remote, remoteName }, keys }) =>
      matchesClient(peer, remote, remoteName, keys.remoteKey)
    );
  }

  /** The connection with this client and this remote connection id. */
  find(remote: number, remoteConnection: number): Connection | undefined {
    for (const connection of this.#byId.values()) {
      const { ids } = connection;
      if (ids.remote === remote && ids.remoteConnection === remoteConnection) return connection;
    }
    return undefined;
  }

  /** Takes a sealed datagram; false if it is for no connection, or not authentic. */
  handleDatagram(now: Instant, datagram: Uint8Array, header: Header, from: Address): boolean {
    const { type, connection, packet } = header;
    const own = this.#byId.get(connection);
    if (own?.handleDatagram(now, datagram, packet, from)) return true;
    if (type !== DatagramType.Handshake) return false;
    // A Handshake datagram has the connection id of the requester in both directions.
    for (const each of this.#byId.values()) {
      const isRemoteId = each.ids.remoteConnection === connection;
      if (isRemoteId && each.handleDatagram(now, datagram, packet, from)) return true;
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

  /** See `Machine`; returns the event with its connection. */
  pollEvent(): { connection: Connection; event: ClientEvent } | undefined {
    for (const connection of this.#byId.values()) {
      const event = connection.pollEvent();
      if (event === undefined) continue;
      if (event.kind === "message" && connection !== this.#current) {
        const state = this.#live.get(connection);
        if (state !== undefined) state.unread++;
      } else if (event.kind === "terminated") {
        this.#undelivered += event.undelivered;
        this.#end(connection);
      }
      return { connection, event: toClientEvent(connection.ids, event) };
    }
    return undefined;
  }

  /** Ends a connection; if it was the current one, the one before is current again. */
  #end(connection: Connection): void {
    this.#live.delete(connection);
    if (connection !== this.#current) return;
    this.#current = undefined;
    const others = [...this.#live].sort(([, a], [, b]) => b.currentOrder - a.currentOrder);
    const [next] = others.find(([{ state }]) => state === "open") ?? others[0] ?? [];
    if (next !== undefined) this.choose(next);
  }
}

function toClientEvent(
  { remote: peer, remoteName: name }: ConnectionIds,
  event: ConnectionEvent,
): ClientEvent {
  switch (event.kind) {
    // The frequent events are written out, which is faster.
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
