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
interface Session {
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
  other: Session | undefined;
  /** The session whose texts were received. */
  from: Session | undefined;
  /** The session that received the texts of this one. */
  to: Session | undefined;
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
  session: Session | undefined;
  undelivered: number;
  /** Whether the user left, or stopped the run. */
  isOver: boolean;
  left: Extract<ClientEvent, { kind: "left" }> | undefined;
}

/** What happened in all, to see that a simulation does something. */
export interface Totals {
  sessions: number;
  sent: number;
  delivered: number;
  received: number;
  undelivered: number;
}

/** The book of one simulation. */
export class Book {
  readonly #sessions: Session[] = [];
  readonly #running = new Map<string, Run>();
  /** The connection id of one end by that of the other, as the Accepts tell. */
  readonly #otherEnd = new Map<number, number>();
  /** The end that sends to a connection id. */
  readonly #senders = new Map<number, Session>();
  /** Where and when the two ends of a connection opened, by the connection id in the Accept. */
  readonly #openings = new Map<number, string[]>();

  /** Notes that a client was started. */
  start(host: string): Run {
    const run: Run = { host, session: undefined, undelivered: 0, isOver: false, left: undefined };
    this.#running.set(host, run);
    return run;
  }

  /** Notes that a client was stopped without a word. */
  crash(run: Run): void {
    if (run.session !== undefined) run.session.end = "crash";
    run.session = undefined;
    run.isOver = true;
    this.#running.delete(run.host);
  }

  /** A text that is unlike any other. */
  text(run: Run, filling: string): string {
    const { number, sent } = run.session!;
    return `${number}:${sent.length}:${filling}`;
  }

  /** Notes that the user of an open connection sent a text. */
  send(run: Run, text: string): void {
    run.session!.sent.push(text);
  }

  /** Checks an event against what happened before. */
  take(now: Instant, run: Run, event: ClientEvent): void {
    assert(run.left === undefined, `after the last event: ${event.kind}`);
    const { session } = run;
    switch (event.kind) {
      case "connected":
        assertEquals(session, undefined, "connected twice");
        return this.#open(now, run, event.peer);
      case "message":
        assert(session !== undefined, "a message without a connection");
        return this.#receive(session, event);
      case "delivered":
        assert(session !== undefined, "delivered without a connection");
        assertEquals(event.seq, session.delivered++, "delivered out of order");
        return;
      case "sent":
      case "unconfirmed":
        assert(session !== undefined, `${event.kind} without a connection`);
        assert(event.seq < session.sent.length, `${event.kind}: never sent`);
        if (event.kind === "sent") assertEquals(event.seq, session.toldSent++, "sent twice");
        return;
      case "terminated":
        assert(session !== undefined, "terminated twice");
        run.undelivered += event.undelivered;
        session.end = event;
        run.session = undefined;
        return;
      case "left":
        assertEquals(session, undefined, "left without a termination");
        assertEquals(event.undelivered, run.undelivered, "left.undelivered");
        run.left = event;
    }
  }

  /** Notes what the network saw being sent. */
  noteSent(datagram: Datagram): void {
    const { decoded } = datagram;
    const accept = datagram.frame("connectionAccept");
    if (!decoded.ok) return;
    if (accept !== undefined) {
      this.#otherEnd.set(accept.connection, decoded.header.connection);
      this.#otherEnd.set(decoded.header.connection, accept.connection);
      this.#noteOpening(accept.connection, datagram.from, datagram.time);
    }
    for (const frame of decoded.frames) {
      if (frame.kind !== "message") continue;
      const session = this.#running.get(datagram.from)?.session;
      assert(session !== undefined, "a Message without a connection");
      session.remoteConnection ??= decoded.header.connection;
      assertEquals(session.remoteConnection, decoded.header.connection, "a Message to another");
      this.#senders.set(decoded.header.connection, session);
      const isNew = frame.seq >= (session.textEnds.at(-1) ?? 0);
      if (isNew && (frame.flags & FLAG_MORE) === 0) session.textEnds.push(frame.seq + 1);
    }
  }

  /** Notes what the network delivered. */
  noteDelivered(now: Instant, datagram: Datagram): void {
    const accept = datagram.frame("connectionAccept");
    if (accept !== undefined) this.#noteOpening(accept.connection, datagram.to, now);
    const ack = datagram.frame("ack");
    if (ack === undefined || !datagram.decoded.ok) return;
    const remote = this.#otherEnd.get(datagram.decoded.header.connection);
    const session = remote === undefined ? undefined : this.#senders.get(remote);
    if (session?.end === undefined && session !== undefined) {
      session.acked = Math.max(session.acked, ack.next);
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
    const totals = { sessions: 0, sent: 0, delivered: 0, received: 0, undelivered: 0 };
    for (const session of this.#sessions) {
      this.#check(session);
      if (isFair) this.#checkFair(session);
      totals.sessions++;
      totals.sent += session.sent.length;
      totals.delivered += session.delivered;
      totals.received += session.received.length;
      if (session.end !== "crash") totals.undelivered += session.end?.undelivered ?? 0;
    }
    return totals;
  }

  #noteOpening(connection: number, host: string, time: Instant): void {
    const places = this.#openings.get(connection) ?? [];
    places.push(`${host} ${time}`);
    this.#openings.set(connection, places);
  }

  /** Finds out which sessions are the two ends of one connection. */
  #pair(): void {
    const byPlace = new Map(
      this.#sessions.map((each) => [`${each.run.host} ${each.openedAt}`, each]),
    );
    for (const places of this.#openings.values()) {
      const [a, b] = new Set(places.map((place) => byPlace.get(place)).filter((each) => each));
      if (a === undefined || b === undefined) continue;
      a.other = b;
      b.other = a;
    }
  }

  #open(now: Instant, run: Run, peer: number): void {
    run.session = {
      run,
      openedAt: now,
      number: this.#sessions.length,
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
    this.#sessions.push(run.session);
  }

  #receive(session: Session, event: Extract<ClientEvent, { kind: "message" }>): void {
    const { text, seq, peer } = event;
    const sender = this.#sessions[Number(text.slice(0, text.indexOf(":")))];
    assert(sender !== undefined, `a message that nobody sent: ${text.slice(0, 20)}`);
    session.from ??= sender;
    sender.to ??= session;
    assert(session.from === sender && sender.to === session, "messages of two connections mixed");
    assertEquals(seq, session.received.length, "messages out of order");
    assert(text === sender.sent[seq], `not what was sent as ${seq}: ${text.slice(0, 20)}`);
    assertEquals(peer, session.peer);
    session.received.push(text);
  }

  #check({ number, run, sent, delivered, end, to, acked, textEnds }: Session): void {
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
  #checkFair({ number, run, end, other, delivered, toldSent }: Session): void {
    if (end === "crash" || end === undefined || other === undefined) return;
    if (other.end === "crash" || other.run.isOver || run.isOver) return;
    const who = `${run.host}'s connection ${number}`;
    assert(end.by !== "timeout", `${who} ended by timeout`);
    if (end.by === "peer") assert(other.end?.by === "local", `${who}: who ended it?`);
    assertEquals(delivered, toldSent, `${who}: delivered and sent`);
  }
}
