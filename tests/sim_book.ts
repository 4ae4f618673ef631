/**
 * What the users of a simulated network sent and saw, and whether it fits together.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ClientEvent } from "../client/event.ts";
import type { Instant } from "../protocol/driven.ts";
import { FLAG_MORE } from "../protocol/frame.ts";
import type { Datagram } from "./sim_datagram.ts";

type End = Extract<ClientEvent, { kind: "terminated" }> | "crash";

/** One end of a connection, as its user saw it. */
interface Talk {
  readonly run: Run;
  readonly number: number;
  readonly openedAt: Instant;
  readonly peer: number;
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
  talk: Talk | undefined;
  undelivered: number;
  /** Whether the user left, or stopped the run. */
  isOver: boolean;
  left: Extract<ClientEvent, { kind: "left" }> | undefined;
}

/** What happened in all, to see that a simulation does something. */
export interface Totals {
  talks: number;
  sent: number;
  delivered: number;
  received: number;
  undelivered: number;
}

/** The book of one simulation. */
export class Book {
  readonly #talks: Talk[] = [];
  readonly #running = new Map<string, Run>();
  /** The connection id of one end by that of the other, as the Accepts tell. */
  readonly #otherEnd = new Map<number, number>();
  /** The end that sends to a connection id. */
  readonly #senders = new Map<number, Talk>();
  /** Where and when the two ends of a connection opened, by the connection id in the Accept. */
  readonly #openings = new Map<number, string[]>();

  /** Notes that a client was started. */
  start(host: string): Run {
    const run: Run = { host, talk: undefined, undelivered: 0, isOver: false, left: undefined };
    this.#running.set(host, run);
    return run;
  }

  /** Notes that a client was stopped without a word. */
  crash(run: Run): void {
    if (run.talk !== undefined) run.talk.end = "crash";
    run.talk = undefined;
    run.isOver = true;
    this.#running.delete(run.host);
  }

  /** A text that is unlike any other. */
  text(run: Run, filling: string): string {
    const { number, sent } = run.talk!;
    return `${number}:${sent.length}:${filling}`;
  }

  /** Notes that the user of an open connection sent a text. */
  send(run: Run, text: string): void {
    run.talk!.sent.push(text);
  }

  /** Checks an event against what happened before. */
  take(now: Instant, run: Run, event: ClientEvent): void {
    assert(run.left === undefined, `after the last event: ${event.kind}`);
    const { talk } = run;
    switch (event.kind) {
      case "connected":
        assertEquals(talk, undefined, "connected twice");
        return this.#open(now, run, event.peer);
      case "message":
        assert(talk !== undefined, "a message without a connection");
        return this.#receive(talk, event);
      case "delivered":
        assert(talk !== undefined, "delivered without a connection");
        assertEquals(event.seq, talk.delivered++, "delivered out of order");
        return;
      case "sent":
      case "unconfirmed":
        assert(talk !== undefined, `${event.kind} without a connection`);
        assert(event.seq < talk.sent.length, `${event.kind}: never sent`);
        if (event.kind === "sent") assertEquals(event.seq, talk.toldSent++, "sent twice");
        return;
      case "terminated":
        assert(talk !== undefined, "terminated twice");
        run.undelivered += event.undelivered;
        talk.end = event;
        run.talk = undefined;
        return;
      case "left":
        assertEquals(talk, undefined, "left without a termination");
        assertEquals(event.undelivered, run.undelivered, "left.undelivered");
        run.left = event;
    }
  }

  /** Notes what the network saw being sent. */
  noteSent(datagram: Datagram): void {
    const { decoded } = datagram;
    const accept = datagram.frame("connectionAccept")?.content;
    if (!decoded.ok) return;
    if (accept !== undefined) {
      this.#otherEnd.set(accept.connection, decoded.header.connection);
      this.#otherEnd.set(decoded.header.connection, accept.connection);
      this.#noteOpening(accept.connection, datagram.from, datagram.time);
    }
    for (const frame of decoded.frames) {
      if (frame.kind !== "message") continue;
      const talk = this.#running.get(datagram.from)?.talk;
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
    if (accept !== undefined) this.#noteOpening(accept.connection, datagram.to, now);
    const ack = datagram.frame("ack");
    if (ack === undefined || !datagram.decoded.ok) return;
    const remote = this.#otherEnd.get(datagram.decoded.header.connection);
    const talk = remote === undefined ? undefined : this.#senders.get(remote);
    if (talk?.end === undefined && talk !== undefined) {
      talk.acked = Math.max(talk.acked, ack.next);
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
    const totals = { talks: 0, sent: 0, delivered: 0, received: 0, undelivered: 0 };
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

  #noteOpening(connection: number, host: string, time: Instant): void {
    const places = this.#openings.get(connection) ?? [];
    places.push(`${host} ${time}`);
    this.#openings.set(connection, places);
  }

  /** Finds out which talks are the two ends of one connection. */
  #pair(): void {
    const byPlace = new Map(
      this.#talks.map((each) => [`${each.run.host} ${each.openedAt}`, each]),
    );
    for (const places of this.#openings.values()) {
      const [a, b] = new Set(places.map((place) => byPlace.get(place)).filter((each) => each));
      if (a === undefined || b === undefined) continue;
      a.other = b;
      b.other = a;
    }
  }

  #open(now: Instant, run: Run, peer: number): void {
    run.talk = {
      run,
      openedAt: now,
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
    this.#talks.push(run.talk);
  }

  #receive(talk: Talk, event: Extract<ClientEvent, { kind: "message" }>): void {
    const { text, seq, peer } = event;
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
