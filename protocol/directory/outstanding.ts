/**
 * The requests to the directory that are under way.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import type { Header } from "../wire/frame.ts";
import type { DirectorySession } from "./directory_session.ts";
import type { Query } from "./registration_event.ts";
import { REFUSAL_PACKET_MIN } from "./registration_key.ts";

/** Transmissions of a request whose answers are recognized: the last ones. */
const SENT_MAX = 8;

/** A datagram with a request. */
export interface Sent {
  /** What it was sealed in. */
  readonly session: DirectorySession;
  /** Its packet counter, which its answer has, too. */
  readonly packet: number;
  /** When it was sent. */
  readonly at: Instant;
}

/** A request, sent again until it is answered. */
export class Outstanding {
  /** What it is. */
  readonly kind: "register" | "leaseKeepalive" | "leave" | "query";
  /** With `query`: what is asked. */
  readonly query: Query | undefined;
  /** When it was asked. */
  readonly since: Instant;
  /** How often it was sent. */
  transmissions = 0;
  /** When it is sent again. */
  nextAt: Instant;
  /** The latest datagrams, the last one at the end. */
  #sent: Sent[] = [];

  /** Asks for something; it is to be sent at once. */
  constructor(now: Instant, kind: Outstanding["kind"], query?: Query) {
    this.kind = kind;
    this.query = query;
    this.since = this.nextAt = now;
  }

  /** Whether silence in answer to it means that the directory is lost. */
  get isHeartbeat(): boolean {
    return this.kind === "leaseKeepalive" || this.kind === "register";
  }

  /** Notes a datagram that is sent in this session. */
  noteSent(now: Instant, session: DirectorySession): void {
    this.#sent.push({ session, packet: session.nextPacket, at: now });
    if (this.#sent.length > SENT_MAX) this.#sent.shift();
  }

  /** The datagram that an Answer with this header can be to. */
  findSent({ session: localId, packet }: Header): Sent | undefined {
    const isRefusal = packet >= REFUSAL_PACKET_MIN && this.kind === "register";
    return this.#sent.find((sent) =>
      sent.session.localId === localId && (sent.packet === packet || isRefusal)
    );
  }

  /** Whether it was sent in this session under this packet counter. */
  wasSent(session: DirectorySession, packet: number): boolean {
    return this.#sent.some((sent) => sent.session === session && sent.packet === packet);
  }
}
