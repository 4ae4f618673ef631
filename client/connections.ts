/**
 * The connections of a client: the one that is current, and ended ones that still acknowledge.
 *
 * @module
 */
import type { Address } from "../protocol/address.ts";
import { Connection, type ConnectionEvent, type Ends } from "../protocol/connection.ts";
import type { Instant, Transmit } from "../protocol/driven.ts";
import type { Frame, Header } from "../protocol/frame.ts";
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
    packet: number,
    acceptName?: string,
  ): void {
    if (this.#byId.size > ENDED_CONNECTIONS_MAX) {
      const [oldest] = this.#byId.keys();
      if (oldest !== undefined) this.#byId.delete(oldest);
    }
    this.#current = new Connection(now, ends, address, rtt, packet, acceptName);
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

  /** Takes the frames of a datagram for a local connection id; false where there is none such. */
  handleFrames(now: Instant, header: Header, frames: readonly Frame[], from: Address): boolean {
    const connection = this.#byId.get(header.connection);
    connection?.handleFrames(now, header, frames, from);
    return connection !== undefined;
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
    case "message":
    case "terminated":
      return { ...event, peer, name };
    default:
      return { ...event, peer };
  }
}
