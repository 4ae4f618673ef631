/**
 * Checks that what the users of a simulated network saw agrees with what they sent.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ClientEvent } from "../../client/event.ts";
import { FLAG_MORE } from "../../protocol/wire/frame.ts";
import { toHex } from "../support/hex.ts";
import type { Datagram } from "./datagram.ts";

type Ending = Extract<ClientEvent, { kind: "terminated" }> | "crash";

/** What carries one end of a connection: a session, until the peer comes back in another one. */
export interface Carrier {
  /** Names the session: the hash of its handshake. */
  readonly session: string;
  /** The number of the first text that is sent in it: those before are known to be delivered. */
  readonly firstText: number;
  /** For each text that was sent in it, one above the seq of its last Message. */
  readonly textEnds: number[];
  /** The highest cumulative seq in an Ack that reached this end while it was the connection's. */
  acked: number;
  /** Texts that were received in it. */
  received: number;
}

/** One end of a connection, as its user saw it. */
export interface ConnectionEnd {
  readonly run: Run;
  readonly number: number;
  /** The peer's client id and host. */
  readonly peer: number;
  readonly peerHost: string;
  readonly sent: string[];
  delivered: number;
  /** Texts with a `sent` event, and one above the last text with an `unconfirmed` event. */
  sentEvents: number;
  unconfirmed: number;
  received: number;
  ended: Ending | undefined;
  carrier: Carrier;
}

/** One run of a client, from its start to its end. */
export interface Run {
  readonly host: string;
  /** The open connections by the peer's client id. */
  readonly connections: Map<number, ConnectionEnd>;
  undelivered: number;
  /** Whether the user left, or the client crashed. */
  isOver: boolean;
  left: Extract<ClientEvent, { kind: "left" }> | undefined;
}

/** Sums that show that a simulation exercised something. */
export interface Totals {
  /** Both ends of each connection. */
  connections: number;
  /** Ends that opened while the client had another connection. */
  concurrent: number;
  /** How often a connection went on with a peer that had started again. */
  returned: number;
  sent: number;
  delivered: number;
  received: number;
  undelivered: number;
}

/** Records one simulation and checks it. */
export class DeliveryChecker {
  readonly #ends: ConnectionEnd[] = [];
  #concurrent = 0;
  #returned = 0;
  /** By static public key. */
  readonly #hosts = new Map<string, string>();
  /** What each host has of each session. */
  readonly #carriers = new Map<string, ConnectionEnd>();

  /** Records the static public key of a host. */
  addHost(host: string, key: Uint8Array): void {
    this.#hosts.set(toHex(key), host);
  }

  /** The host that has a static public key. */
  hostOf(key: Uint8Array): string | undefined {
    return this.#hosts.get(toHex(key));
  }

  /** Records the start of a client. */
  start(host: string): Run {
    return { host, connections: new Map(), undelivered: 0, isOver: false, left: undefined };
  }

  /** Records a crash of a client. */
  crash(run: Run): void {
    for (const end of run.connections.values()) end.ended = "crash";
    run.connections.clear();
    run.isOver = true;
  }

  /** A unique text for a peer. */
  makeText(run: Run, peer: number, filling: string): string {
    const { number, sent } = run.connections.get(peer)!;
    return `${number}:${sent.length}:${filling}`;
  }

  /** Records that the user sent a text. */
  addText(run: Run, peer: number, text: string): void {
    run.connections.get(peer)!.sent.push(text);
  }

  /** Records an event, and checks it against what happened before. */
  onEvent(run: Run, event: ClientEvent): void {
    assert(run.left === undefined, `after the last event: ${event.kind}`);
    const end = "peer" in event && typeof event.peer === "number"
      ? run.connections.get(event.peer)
      : undefined;
    switch (event.kind) {
      case "connected":
        assertEquals(end, undefined, "connected twice");
        return this.#open(run, event.peer, event.key, toHex(event.hash));
      case "returned":
        assert(end !== undefined, "returned without a connection");
        this.#returned++;
        if (event.who === "peer") this.#carryOn(end, toHex(event.hash));
        else assertEquals(toHex(event.hash), end.carrier.session);
        return;
      case "renewed":
        assert(end !== undefined, "renewed without a connection");
        assertEquals([end.sentEvents, end.received], [0, 0], "renewed after something was said");
        return this.#carryOn(end, toHex(event.hash));
      case "current":
        assert(end !== undefined, "no connection to be the current one");
        return;
      case "message":
        assert(end !== undefined, "a message without a connection");
        return this.#receive(end, event);
      case "delivered":
        assert(end !== undefined, "delivered without a connection");
        assertEquals(event.textSeq, end.delivered++, "delivered out of order");
        return this.#assertReceived(end);
      case "sent":
      case "unconfirmed":
        assert(end !== undefined, `${event.kind} without a connection`);
        assert(event.textSeq < end.sent.length, `${event.kind}: never sent`);
        if (event.kind === "sent") assertEquals(event.textSeq, end.sentEvents++, "sent twice");
        else {
          assert(event.textSeq >= end.unconfirmed, "unconfirmed twice");
          end.unconfirmed = event.textSeq + 1;
        }
        return;
      case "terminated":
        assert(end !== undefined, "terminated twice");
        run.undelivered += event.undelivered;
        end.ended = event;
        run.connections.delete(event.peer);
        return;
      case "left":
        assertEquals(run.connections.size, 0, "left without a termination");
        assertEquals(event.undelivered, run.undelivered, "left.undelivered");
        run.left = event;
    }
  }

  /** Records a datagram that a client sent. */
  onSent({ from, decoded, frames }: Datagram): void {
    if (!decoded.ok || decoded.sealedBy === undefined) return;
    for (const frame of frames) {
      if (frame.kind !== "message") continue;
      const carrier = this.#carrierOf(from, decoded.sealedBy.hash);
      assert(carrier !== undefined, "a Message without a connection");
      const isNew = frame.seq >= (carrier.textEnds.at(-1) ?? 0);
      if (isNew && (frame.flags & FLAG_MORE) === 0) carrier.textEnds.push(frame.seq + 1);
    }
  }

  /** Records a datagram that reached a client, which may have moved to where it went. */
  onDelivered(datagram: Datagram, to: string): void {
    const { decoded } = datagram;
    const ack = datagram.frame("ack");
    if (ack === undefined || !decoded.ok || decoded.sealedBy === undefined) return;
    const carrier = this.#carrierOf(to, decoded.sealedBy.hash);
    if (carrier !== undefined) carrier.acked = Math.max(carrier.acked, ack.cumulativeSeq);
  }

  /**
   * Checks at the end that every text was delivered once and in order, or reported as undelivered.
   *
   * A text may be both if no Ack for it reached the sender. So the sender must report exactly the
   * texts that the Acks it received do not cover.
   *
   * @param isLossless whether everything that was sent must have been delivered.
   */
  finish(isLossless: boolean): Totals {
    const totals = {
      ...{ connections: 0, concurrent: this.#concurrent, returned: this.#returned },
      ...{ sent: 0, delivered: 0, received: 0, undelivered: 0 },
    };
    for (const end of this.#ends) {
      this.#check(end);
      if (isLossless) this.#checkLossless(end);
      totals.connections++;
      totals.sent += end.sent.length;
      totals.delivered += end.delivered;
      totals.received += end.received;
      if (end.ended !== "crash") totals.undelivered += end.ended?.undelivered ?? 0;
    }
    return totals;
  }

  #open(run: Run, peer: number, key: Uint8Array, session: string): void {
    const end: ConnectionEnd = {
      run,
      number: this.#ends.length,
      peer,
      peerHost: this.#hosts.get(toHex(key))!,
      sent: [],
      delivered: 0,
      sentEvents: 0,
      unconfirmed: 0,
      received: 0,
      ended: undefined,
      carrier: makeCarrier(session, 0),
    };
    run.connections.set(peer, end);
    this.#ends.push(end);
    this.#carriers.set(`${run.host} ${session}`, end);
    if (run.connections.size > 1) this.#concurrent++;
    this.#assertOnlyOne(end);
  }

  /** The peer came back, or took the session for lost: the connection goes on in another one. */
  #carryOn(end: ConnectionEnd, session: string): void {
    assertCovered(end);
    end.carrier = makeCarrier(session, end.delivered);
    this.#carriers.set(`${end.run.host} ${session}`, end);
    this.#assertOnlyOne(end);
  }

  /** Checks that two running clients have one connection with one another, at most. */
  #assertOnlyOne(end: ConnectionEnd): void {
    for (const other of end.run.connections.values()) {
      if (other === end || other.peerHost !== end.peerHost) continue;
      const remote = this.#remoteOf(other);
      const isOpen = remote !== undefined && remote.ended === undefined;
      assert(!isOpen, `${end.run.host} and ${end.peerHost} have two connections`);
    }
  }

  /** What this host has of a session that carries an open connection of it. */
  #carrierOf(host: string, session: string): Carrier | undefined {
    const end = this.#carriers.get(`${host} ${session}`);
    const isCurrent = end?.carrier.session === session && end.ended === undefined;
    return isCurrent ? end.carrier : undefined;
  }

  /** The peer's end of the same session, if that is still what carries it. */
  #remoteOf({ peerHost, carrier: { session } }: ConnectionEnd): ConnectionEnd | undefined {
    const remote = this.#carriers.get(`${peerHost} ${session}`);
    return remote?.carrier.session === session ? remote : undefined;
  }

  #receive(end: ConnectionEnd, event: Extract<ClientEvent, { kind: "message" }>): void {
    const { text, textSeq, peer } = event;
    const sender = this.#remoteOf(end);
    const [number, index] = text.split(":", 2).map(Number);
    assert(sender !== undefined, "a message from nobody");
    assertEquals(number, sender.number, "a message of another connection");
    assertEquals(textSeq, end.carrier.received, "messages out of order");
    assertEquals(index, sender.carrier.firstText + textSeq, "lost, doubled or out of order");
    assert(text === sender.sent[index!], `not what was sent as ${index}: ${text.slice(0, 20)}`);
    assertEquals(peer, end.peer);
    end.received++;
    end.carrier.received++;
  }

  /** Checks that the peer's user has seen what is reported as delivered. */
  #assertReceived(end: ConnectionEnd): void {
    const { carrier: { session, firstText }, delivered, peerHost } = end;
    const remote = this.#carriers.get(`${peerHost} ${session}`);
    // A peer that has gone on in another session has received more than can be told.
    if (remote === undefined || remote.carrier.session !== session) return;
    const { received } = remote.carrier;
    assert(delivered - firstText <= received, `${delivered} were delivered, ${received} received`);
  }

  #check(end: ConnectionEnd): void {
    const { number, run, sent, delivered, ended } = end;
    const who = `connection ${number} of ${run.host}`;
    assert(ended !== undefined, `${who} never ended`);
    assertCovered(end);
    if (ended === "crash") return;
    assertEquals(delivered + ended.undelivered, sent.length, `${who}: delivered and undelivered`);
    // The end that terminates waits for what is in flight.
    if (ended.by === "local") assertEquals(ended.undelivered, 0, `${who}: undelivered`);
  }

  /** Without losses a connection ends when a user ends it, and what was sent arrives. */
  #checkLossless(end: ConnectionEnd): void {
    const { number, run, ended, delivered, sentEvents } = end;
    const remote = this.#remoteOf(end);
    if (ended === "crash" || ended === undefined || remote === undefined) return;
    if (remote.ended === "crash" || remote.run.isOver || run.isOver) return;
    const who = `connection ${number} of ${run.host}`;
    assert(ended.by !== "timeout", `${who} ended by timeout`);
    if (ended.by === "peer") assert(remote.ended?.by === "local", `${who}: no end terminated`);
    assertEquals(delivered, sentEvents, `${who}: delivered and sent`);
  }
}

function makeCarrier(session: string, firstText: number): Carrier {
  return { session, firstText, textEnds: [], acked: 0, received: 0 };
}

/** Checks that those texts were reported as delivered that the Acks cover, which came. */
function assertCovered({ number, run, delivered, carrier }: ConnectionEnd): void {
  const { firstText, textEnds, acked } = carrier;
  const covered = firstText + textEnds.filter((textEnd) => textEnd <= acked).length;
  const who = `connection ${number} of ${run.host}`;
  assertEquals(delivered, covered, `${who}: delivered, and what the Acks cover`);
}
