/**
 * Checks that what the users of a simulated network saw agrees with what they sent.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ClientEvent } from "../../client/event.ts";
import type { Instant } from "../../protocol/machine.ts";
import { FLAG_MORE } from "../../protocol/wire/frame.ts";
import type { Datagram } from "./datagram.ts";

type Ending = Extract<ClientEvent, { kind: "terminated" }> | "crash";

/** One end of a connection, as its user saw it. */
interface ConnectionEnd {
  readonly run: Run;
  readonly number: number;
  readonly openedAt: Instant;
  /** The peer's client id and host. */
  readonly peer: number;
  readonly peerHost: string;
  readonly sent: string[];
  readonly received: string[];
  delivered: number;
  /** Texts with a `sent` event. */
  sentEvents: number;
  ended: Ending | undefined;
  /** The same connection's other end. */
  remote: ConnectionEnd | undefined;
  /** The end that sent the texts received here. */
  from: ConnectionEnd | undefined;
  /** The end that received the texts sent here. */
  to: ConnectionEnd | undefined;
  /** The remote connection id, after the first Message. */
  remoteConnection: number | undefined;
  /** For each text that was sent, one above the seq of its last Message. */
  readonly textEnds: number[];
  /** The highest cumulative seq in an Ack that reached this end while the connection was open. */
  acked: number;
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
  sent: number;
  delivered: number;
  received: number;
  undelivered: number;
}

/** Records one simulation and checks it. */
export class DeliveryChecker {
  readonly #ends: ConnectionEnd[] = [];
  #concurrent = 0;
  /** By static public key. */
  readonly #hosts = new Map<string, string>();
  readonly #running = new Map<string, Run>();
  /** The connection id of each end by that of the remote end, from the Accepts. */
  readonly #remoteIds = new Map<number, number>();
  /** The end that sends to a connection id. */
  readonly #senders = new Map<number, ConnectionEnd>();
  /** The host that chose each connection id, from Requests and Accepts. */
  readonly #owners = new Map<number, string>();
  /** Where and when both ends of a connection opened, by the connection id in the Accept. */
  readonly #openings = new Map<number, string[]>();

  /** Records the static public key of a host. */
  addHost(host: string, key: Uint8Array): void {
    this.#hosts.set(key.join(), host);
  }

  /** Records the start of a client. */
  start(host: string): Run {
    const run: Run = {
      host,
      connections: new Map(),
      undelivered: 0,
      isOver: false,
      left: undefined,
    };
    this.#running.set(host, run);
    return run;
  }

  /** Records a crash of a client. */
  crash(run: Run): void {
    for (const end of run.connections.values()) end.ended = "crash";
    run.connections.clear();
    run.isOver = true;
    this.#running.delete(run.host);
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
  onEvent(now: Instant, run: Run, event: ClientEvent): void {
    assert(run.left === undefined, `after the last event: ${event.kind}`);
    const end = "peer" in event && typeof event.peer === "number"
      ? run.connections.get(event.peer)
      : undefined;
    switch (event.kind) {
      case "connected":
        assertEquals(end, undefined, "connected twice");
        return this.#open(now, run, event.peer, this.#hosts.get(event.key.join())!);
      case "current":
        assert(end !== undefined, "no connection to be the current one");
        return;
      case "message":
        assert(end !== undefined, "a message without a connection");
        return this.#receive(end, event);
      case "delivered":
        assert(end !== undefined, "delivered without a connection");
        assertEquals(event.textSeq, end.delivered++, "delivered out of order");
        return;
      case "sent":
      case "unconfirmed":
        assert(end !== undefined, `${event.kind} without a connection`);
        assert(event.textSeq < end.sent.length, `${event.kind}: never sent`);
        if (event.kind === "sent") assertEquals(event.textSeq, end.sentEvents++, "sent twice");
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
  onSent(datagram: Datagram): void {
    const { decoded } = datagram;
    const accept = datagram.frame("connectionAccept")?.content;
    if (!decoded.ok) return;
    const request = datagram.frame("connectionRequest");
    if (request !== undefined && !datagram.isForged) {
      this.#owners.set(request.connection, datagram.from);
    }
    if (accept !== undefined) {
      if (!datagram.isForged) this.#owners.set(accept.connection, datagram.from);
      this.#remoteIds.set(accept.connection, decoded.header.connection);
      this.#remoteIds.set(decoded.header.connection, accept.connection);
      const requester = this.#owners.get(decoded.header.connection);
      this.#addOpening(accept.connection, datagram.from, requester, datagram.time);
    }
    for (const frame of decoded.frames) {
      if (frame.kind !== "message") continue;
      const end = this.#senderOf(datagram.from, decoded.header.connection);
      assert(end !== undefined, "a Message without a connection");
      end.remoteConnection ??= decoded.header.connection;
      assertEquals(end.remoteConnection, decoded.header.connection, "a Message to another");
      this.#senders.set(decoded.header.connection, end);
      const isNew = frame.seq >= (end.textEnds.at(-1) ?? 0);
      if (isNew && (frame.flags & FLAG_MORE) === 0) end.textEnds.push(frame.seq + 1);
    }
  }

  /** Records a datagram that reached its receiver. */
  onDelivered(now: Instant, datagram: Datagram): void {
    const accept = datagram.frame("connectionAccept")?.content;
    if (accept !== undefined) {
      this.#addOpening(accept.connection, datagram.to, this.#owners.get(accept.connection), now);
    }
    const ack = datagram.frame("ack");
    if (ack === undefined || !datagram.decoded.ok) return;
    const remote = this.#remoteIds.get(datagram.decoded.header.connection);
    const end = remote === undefined ? undefined : this.#senders.get(remote);
    if (end !== undefined && end.ended === undefined) {
      end.acked = Math.max(end.acked, ack.cumulativeSeq);
    }
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
    this.#pair();
    const totals = {
      ...{ connections: 0, concurrent: this.#concurrent, sent: 0 },
      ...{ delivered: 0, received: 0, undelivered: 0 },
    };
    for (const end of this.#ends) {
      this.#check(end);
      if (isLossless) this.#checkLossless(end);
      totals.connections++;
      totals.sent += end.sent.length;
      totals.delivered += end.delivered;
      totals.received += end.received.length;
      if (end.ended !== "crash") totals.undelivered += end.ended?.undelivered ?? 0;
    }
    return totals;
  }

  #addOpening(connection: number, host: string, peer: string | undefined, time: Instant): void {
    const places = this.#openings.get(connection) ?? [];
    places.push(`${host} ${peer} ${time}`);
    this.#openings.set(connection, places);
  }

  /** The end at a host that sends to a connection id. */
  #senderOf(host: string, remote: number): ConnectionEnd | undefined {
    const known = this.#senders.get(remote);
    if (known !== undefined) return known;
    const local = this.#remoteIds.get(remote);
    const places = [
      ...this.#openings.get(remote) ?? [],
      ...this.#openings.get(local ?? 0) ?? [],
    ];
    const open = [...this.#running.get(host)?.connections.values() ?? []];
    return open.find((end) => places.includes(placeOf(end)));
  }

  /** Finds the remote end of each end. */
  #pair(): void {
    const byPlace = new Map(this.#ends.map((each) => [placeOf(each), each]));
    for (const places of this.#openings.values()) {
      const [a, b] = new Set(places.map((place) => byPlace.get(place)).filter((each) => each));
      if (a === undefined || b === undefined) continue;
      a.remote = b;
      b.remote = a;
    }
  }

  #open(now: Instant, run: Run, peer: number, peerHost: string): void {
    const end: ConnectionEnd = {
      run,
      openedAt: now,
      peerHost,
      number: this.#ends.length,
      peer,
      sent: [],
      received: [],
      delivered: 0,
      sentEvents: 0,
      ended: undefined,
      remote: undefined,
      from: undefined,
      to: undefined,
      remoteConnection: undefined,
      textEnds: [],
      acked: 0,
    };
    run.connections.set(peer, end);
    this.#ends.push(end);
    if (run.connections.size > 1) this.#concurrent++;
  }

  #receive(end: ConnectionEnd, event: Extract<ClientEvent, { kind: "message" }>): void {
    const { text, textSeq: seq, peer } = event;
    const sender = this.#ends[Number(text.slice(0, text.indexOf(":")))];
    assert(sender !== undefined, `a message that nobody sent: ${text.slice(0, 20)}`);
    end.from ??= sender;
    sender.to ??= end;
    assert(end.from === sender && sender.to === end, "messages of two connections mixed");
    assertEquals(seq, end.received.length, "messages out of order");
    assert(text === sender.sent[seq], `not what was sent as ${seq}: ${text.slice(0, 20)}`);
    assertEquals(peer, end.peer);
    end.received.push(text);
  }

  #check({ number, run, sent, delivered, ended, to, acked, textEnds }: ConnectionEnd): void {
    const who = `connection ${number} of ${run.host}`;
    const received = to?.received.length ?? 0;
    assert(ended !== undefined, `${who} never ended`);
    assert(delivered <= received, `${who}: ${delivered} reported as delivered, ${received} were`);
    const covered = textEnds.filter((textEnd) => textEnd <= acked).length;
    assertEquals(delivered, covered, `${who}: delivered, and what the Acks cover`);
    if (ended === "crash") return;
    assertEquals(delivered + ended.undelivered, sent.length, `${who}: delivered and undelivered`);
    // The end that terminates waits for what is in flight.
    if (ended.by === "local") assertEquals(ended.undelivered, 0, `${who}: undelivered`);
  }

  /** Without losses a connection ends when a user ends it, and what was sent arrives. */
  #checkLossless({ number, run, ended, remote, delivered, sentEvents }: ConnectionEnd): void {
    if (ended === "crash" || ended === undefined || remote === undefined) return;
    if (remote.ended === "crash" || remote.run.isOver || run.isOver) return;
    const who = `connection ${number} of ${run.host}`;
    assert(ended.by !== "timeout", `${who} ended by timeout`);
    if (ended.by === "peer") assert(remote.ended?.by === "local", `${who}: no end terminated`);
    assertEquals(delivered, sentEvents, `${who}: delivered and sent`);
  }
}

/** Where, with which peer and when an end opened: together they identify it. */
function placeOf({ run, peerHost, openedAt }: ConnectionEnd): string {
  return `${run.host} ${peerHost} ${openedAt}`;
}
