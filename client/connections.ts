/**
 * The connections of a client: the one that is current, and ended ones that still acknowledge.
 *
 * @module
 */
import type { Address } from "../protocol/address.ts";
import { Connection } from "../protocol/connection.ts";
import type { ConnectionEvent, Ends } from "../protocol/ends.ts";
import type { Instant, Random, Transmit } from "../protocol/driven.ts";
import { DatagramType, type Header } from "../protocol/frame.ts";
import type { Agreement } from "../protocol/handshake.ts";
import type { RttEstimator } from "../protocol/rtt.ts";
import { earlier } from "../protocol/timers.ts";
import type { ClientEvent } from "./event.ts";

/** Ended connections that are kept to acknowledge repeats. */
export const ENDED_CONNECTIONS_MAX = 16;

/** Connections by their local connection id. */
export class Connections {
  readonly #byId = new Map<number, Connection>();
  #current: Connection | undefined;
  #undelivered = 0;

  /** The connection that the user talks on, from its acceptance to its end. */
  get current(): Connection | undefined {
    return this.#current;
  }

  /** Texts left undelivered by the connections that ended. */
  get undelivered(): number {
    return this.#undelivered;
  }

  /** Opens a connection and makes it the current one. */
  open(
    now: Instant,
    ends: Ends,
    address: Address,
    rtt: RttEstimator,
    agreement: Agreement,
    random: Random,
  ): void {
    if (this.#byId.size > ENDED_CONNECTIONS_MAX) {
      const [oldest] = this.#byId.keys();
      if (oldest !== undefined) this.#byId.delete(oldest);
    }
    this.#current = new Connection(now, ends, address, rtt, agreement, random);
    this.#byId.set(ends.localConnection, this.#current);
  }

  /** The connection with this local connection id. */
  get(localConnection: number): Connection | undefined {
    return this.#byId.get(localConnection);
  }

  /** The connection with this client under this connection id of its. */
  find(remote: number, remoteConnection: number): Connection | undefined {
    for (const connection of this.#byId.values()) {
      const { ends } = connection;
      if (ends.remote === remote && ends.remoteConnection === remoteConnection) return connection;
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
      const isTheirs = each.ends.remoteConnection === connection;
      if (isTheirs && each.handleDatagram(now, datagram, packet, from)) return true;
    }
    return false;
  }

  /** See `Driven`. */
  handleTimeout(now: Instant): void {
    for (const [id, connection] of this.#byId) {
      connection.handleTimeout(now);
      if (connection.state === "gone") this.#byId.delete(id);
    }
  }

  /** See `Driven`. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const connection of this.#byId.values()) {
      timeout = earlier(timeout, connection.nextTimeout());
    }
    return timeout;
  }

  /** See `Driven`. */
  pollTransmit(now: Instant): Transmit | undefined {
    for (const connection of this.#byId.values()) {
      const transmit = connection.pollTransmit(now);
      if (transmit !== undefined) return transmit;
    }
    return undefined;
  }

  /** See `Driven`. */
  prepare(): void {
    const seals = this.#current?.agreement.seals;
    seals?.sealer.prepare();
    seals?.opener.prepare();
  }

  /** See `Driven`; the connection that the event is about comes with it. */
  pollEvent(): { connection: Connection; event: ClientEvent } | undefined {
    for (const connection of this.#byId.values()) {
      const event = connection.pollEvent();
      if (event === undefined) continue;
      if (event.kind === "terminated") {
        this.#undelivered += event.undelivered;
        if (connection === this.#current) this.#current = undefined;
      }
      return { connection, event: toClientEvent(connection.ends, event) };
    }
    return undefined;
  }
}

function toClientEvent(
  { remote: peer, remoteName: name }: Ends,
  event: ConnectionEvent,
): ClientEvent {
  switch (event.kind) {
    // Of these there are many: written out, which is quicker.
    case "message":
      return { kind: "message", seq: event.seq, text: event.text, peer, name };
    case "sent":
      return { kind: "sent", seq: event.seq, peer };
    case "delivered":
      return { kind: "delivered", seq: event.seq, rttMs: event.rttMs, peer };
    case "terminated":
      return { ...event, peer, name };
    default:
      return { ...event, peer };
  }
}
