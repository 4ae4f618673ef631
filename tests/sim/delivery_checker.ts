/**
 * What the users of a simulated network sent and saw, and whether it fits together.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ClientEvent } from "../../client/event.ts";
import type { Instant } from "../../protocol/machine.ts";
import { FLAG_MORE } from "../../protocol/wire/frame.ts";
import type { Datagram } from "./datagram.ts";

type End = Extract<ClientEvent, { kind: "terminated" }> | "crash";

/** One end of a connection, as its user saw it. */
interface Talk {
  readonly run: Run;
  readonly number: number;
  readonly openedAt: Instant;
  /** The other's client id, and its host. */
  readonly peer: number;
  readonly peerHost: string;
  readonly sent: string[];
  readonly received: string[];
  delivered: number;
  /** How many texts were told as sent to their end. */
  toldSent: number;
  end: End | undefined;
  /** The other end. */
  other: Talk | undefined;
  /** The talk whose texts were received. */
  from: Talk | undefined;
  /** The talk that received the texts of this one. */
  to: Talk | undefined;
  /** The connection id of the other end, once a Message was sent to it. */
  remoteConnection: number | undefined;
  /** One above the seq of the last Message of each text that was sent. */
  readonly textEnds: number[];
  /** The highest `next` in an Ack that reached this end while the connection was open. */
  acked: number;
}

/** One run of a client, from its start to its end. */
export interface Run {
  readonly host: string;
  /** By the other's client id. */
  readonly talks: Map<number, Talk>;
  undelivered: number;
  /** Whether the user left, or stopped the run. */
  isOver: boolean;
  left: Extract<ClientEvent, { kind: "left" }> | undefined;
}

/** What happened in all, to see that a simulation does something. */
export interface Totals {
  talks: number;
  /** Those that were opened while the client had another one. */
  beside: number;
  sent: number;
  delivered: number;
  received: number;
  undelivered: number;
}

/** The book of one simulation. */
export class Book {
  readonly #talks: Talk[] = [];
  #beside = 0;
  /** By static public key. */
  readonly #hosts = new Map<string, string>();
  readonly #running = new Map<string, Run>();
  /** The connection id of one end by that of the other, as the Accepts tell. */
  readonly #otherEnd = new Map<number, number>();
  /** The end that sends to a connection id. */
  readonly #senders = new Map<number, Talk>();
  /** The hosts that chose connection ids, as their Requests and Accepts tell. */
  readonly #owners = new Map<number, string>();
  /** Where and when the two ends of a connection opened, by the connection id in the Accept. */
  readonly #openings = new Map<number, string[]>();

  /** Notes whose static public key is whose. */
  introduce(host: string, key: Uint8Array): void {
    this.#hosts.set(key.join(), host);
  }

  /** Notes that a client was started. */
  start(host: string): Run {
    const run: Run = { host, talks: new Map(), undelivered: 0, isOver: false, left: undefined };
    this.#running.set(host, run);
    return run;
  }

  /** Notes that a client was stopped without a word. */
  crash(run: Run): void {
    for (const talk of run.talks.values()) talk.end = "crash";
    run.talks.clear();
    run.isOver = true;
    this.#running.delete(run.host);
  }

  /** A text for the client with that id, unlike any other. */
  text(run: Run, peer: number, filling: string): string {
    const { number, sent } = run.talks.get(peer)!;
    return `${number}:${sent.length}:${filling}`;
  }

  /** Notes that the user of an open connection sent a text. */
  send(run: Run, peer: number, text: string): void {
    run.talks.get(peer)!.sent.push(text);
  }

  /** Checks an event against what happened before. */
  take(now: Instant, run: Run, event: ClientEvent): void {
    assert(run.left === undefined, `after the last event: ${event.kind}`);
    const talk = "peer" in event && typeof event.peer === "number"
      ? run.talks.get(event.peer)
      : undefined;
    switch (event.kind) {
      case "connected":
        assertEquals(talk, undefined, "connected twice");
        return this.#open(now, run, event.peer, this.#hosts.get(event.key.join())!);
      case "current":
        assert(talk !== undefined, "no connection to be the current one");
        return;
      case "message":
        assert(talk !== undefined, "a message without a connection");
        return this.#receive(talk, event);
      case "delivered":
        assert(talk !== undefined, "delivered without a connection");
        assertEquals(event.textSeq, talk.delivered++, "delivered out of order");
        return;
      case "sent":
      case "unconfirmed":
        assert(talk !== undefined, `${event.kind} without a connection`);
        assert(event.textSeq < talk.sent.length, `${event.kind}: never sent`);
        if (event.kind === "sent") assertEquals(event.textSeq, talk.toldSent++, "sent twice");
        return;
      case "terminated":
        assert(talk !== undefined, "terminated twice");
        run.undelivered += event.undelivered;
        talk.end = event;
        run.talks.delete(event.peer);
        return;
      case "left":
        assertEquals(run.talks.size, 0, "left without a termination");
        assertEquals(event.undelivered, run.undelivered, "left.undelivered");
        run.left = event;
    }
  }

  /** Notes what the network saw being sent. */
  noteSent(datagram: Datagram): void {
    const { decoded } = datagram;
    const accept = datagram.frame("connectionAccept")?.content;
    if (!decoded.ok) return;
    const request = datagram.frame("connectionRequest");
    if (request !== undefined && !datagram.isForged) {
      this.#owners.set(request.connection, datagram.from);
    }
    if (accept !== undefined) {
      if (!datagram.isForged) this.#owners.set(accept.connection, datagram.from);
      this.#otherEnd.set(accept.connection, decoded.header.connection);
      this.#otherEnd.set(decoded.header.connection, accept.connection);
      const requester = this.#owners.get(decoded.header.connection);
      this.#noteOpening(accept.connection, datagram.from, requester, datagram.time);
    }
    for (const frame of decoded.frames) {
      if (frame.kind !== "message") continue;
      const talk = this.#senderOf(datagram.from, decoded.header.connection);
      assert(talk !== undefined, "a Message without a connection");
      talk.remoteConnection ??= decoded.header.connection;
      assertEquals(talk.remoteConnection, decoded.header.connection, "a Message to another");
      this.#senders.set(decoded.header.connection, talk);
      const isNew = frame.seq >= (talk.textEnds.at(-1) ?? 0);
      if (isNew && (frame.flags & FLAG_MORE) === 0) talk.textEnds.push(frame.seq + 1);
    }
  }

  /** Notes what the network delivered. */
  noteDelivered(now: Instant, datagram: Datagram): void {
    const accept = datagram.frame("connectionAccept")?.content;
    if (accept !== undefined) {
      this.#noteOpening(accept.connection, datagram.to, this.#owners.get(accept.connection), now);
    }
    const ack = datagram.frame("ack");
    if (ack === undefined || !datagram.decoded.ok) return;
    const remote = this.#otherEnd.get(datagram.decoded.header.connection);
    const talk = remote === undefined ? undefined : this.#senders.get(remote);
    if (talk?.end === undefined && talk !== undefined) {
      talk.acked = Math.max(talk.acked, ack.cumulativeSeq);
    }
  }

  /**
   * Checks that every text was delivered once and in order, or told as undelivered.
   *
   * A text may be both, where no Ack for it reached the sender: then the sender cannot know. So it
   * must count exactly the texts that the Acks it got do not cover.
   *
   * @param isFair whether the network lost nothing: then everything that was sent was delivered.
   */
  close(isFair: boolean): Totals {
    this.#pair();
    const totals = {
      ...{ talks: 0, beside: this.#beside, sent: 0 },
      ...{ delivered: 0, received: 0, undelivered: 0 },
    };
    for (const talk of this.#talks) {
      this.#check(talk);
      if (isFair) this.#checkFair(talk);
      totals.talks++;
      totals.sent += talk.sent.length;
      totals.delivered += talk.delivered;
      totals.received += talk.received.length;
      if (talk.end !== "crash") totals.undelivered += talk.end?.undelivered ?? 0;
    }
    return totals;
  }

  #noteOpening(connection: number, host: string, peer: string | undefined, time: Instant): void {
    const places = this.#openings.get(connection) ?? [];
    places.push(`${host} ${peer} ${time}`);
    this.#openings.set(connection, places);
  }

  /** The talk of a host whose texts go to that connection id. */
  #senderOf(host: string, remote: number): Talk | undefined {
    const known = this.#senders.get(remote);
    if (known !== undefined) return known;
    const local = this.#otherEnd.get(remote);
    const places = [
      ...this.#openings.get(remote) ?? [],
      ...this.#openings.get(local ?? 0) ?? [],
    ];
    const talks = [...this.#running.get(host)?.talks.values() ?? []];
    return talks.find((talk) => places.includes(placeOf(talk)));
  }

  /** Finds out which talks are the two ends of one connection. */
  #pair(): void {
    const byPlace = new Map(
      this.#talks.map((each) => [placeOf(each), each]),
    );
    for (const places of this.#openings.values()) {
      const [a, b] = new Set(places.map((place) => byPlace.get(place)).filter((each) => each));
      if (a === undefined || b === undefined) continue;
      a.other = b;
      b.other = a;
    }
  }

  #open(now: Instant, run: Run, peer: number, peerHost: string): void {
    const talk: Talk = {
      run,
      openedAt: now,
      peerHost,
      number: this.#talks.length,
      peer,
      sent: [],
      received: [],
      delivered: 0,
      toldSent: 0,
      end: undefined,
      other: undefined,
      from: undefined,
      to: undefined,
      remoteConnection: undefined,
      textEnds: [],
      acked: 0,
    };
    run.talks.set(peer, talk);
    this.#talks.push(talk);
    if (run.talks.size > 1) this.#beside++;
  }

  #receive(talk: Talk, event: Extract<ClientEvent, { kind: "message" }>): void {
    const { text, textSeq: seq, peer } = event;
    const sender = this.#talks[Number(text.slice(0, text.indexOf(":")))];
    assert(sender !== undefined, `a message that nobody sent: ${text.slice(0, 20)}`);
    talk.from ??= sender;
    sender.to ??= talk;
    assert(talk.from === sender && sender.to === talk, "messages of two connections mixed");
    assertEquals(seq, talk.received.length, "messages out of order");
    assert(text === sender.sent[seq], `not what was sent as ${seq}: ${text.slice(0, 20)}`);
    assertEquals(peer, talk.peer);
    talk.received.push(text);
  }

  #check({ number, run, sent, delivered, end, to, acked, textEnds }: Talk): void {
    const who = `${run.host}'s connection ${number}`;
    const received = to?.received.length ?? 0;
    assert(end !== undefined, `${who} never ended`);
    assert(delivered <= received, `${who}: ${delivered} told as delivered, ${received} were`);
    const covered = textEnds.filter((textEnd) => textEnd <= acked).length;
    assertEquals(delivered, covered, `${who}: delivered, and what the Acks cover`);
    if (end === "crash") return;
    assertEquals(delivered + end.undelivered, sent.length, `${who}: delivered and undelivered`);
    // Who terminates waits for what is in flight.
    if (end.by === "local") assertEquals(end.undelivered, 0, `${who}: undelivered`);
  }

  /** Where nothing is lost, a connection ends when a user ends it, and what was sent arrives. */
  #checkFair({ number, run, end, other, delivered, toldSent }: Talk): void {
    if (end === "crash" || end === undefined || other === undefined) return;
    if (other.end === "crash" || other.run.isOver || run.isOver) return;
    const who = `${run.host}'s connection ${number}`;
    assert(end.by !== "timeout", `${who} ended by timeout`);
    if (end.by === "peer") assert(other.end?.by === "local", `${who}: who ended it?`);
    assertEquals(delivered, toldSent, `${who}: delivered and sent`);
  }
}

/** Where, with whom and when a talk was opened: that names it. */
function placeOf({ run, peerHost, openedAt }: Talk): string {
  return `${run.host} ${peerHost} ${openedAt}`;
}
