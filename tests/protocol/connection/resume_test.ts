// A connection that goes on in another session: protocol/README.md, "Coming back".
import { assert, assertEquals } from "@std/assert";
import { CONNECTION_TIMEOUT } from "../../../protocol/connection/silence.ts";
import {
  type SendQueue,
  TEXT_SIZE_MAX,
  UNCONFIRMED_AFTER,
} from "../../../protocol/connection/send_queue.ts";
import { RTO_MIN } from "../../../protocol/recovery/rtt.ts";
import type { ConnectionEvent } from "../../../protocol/connection/connection_event.ts";
import {
  FLAG_MORE,
  FLAG_RESUMED,
  FRAGMENT_SIZE_MAX,
  type Frame,
  type Message,
} from "../../../protocol/wire/frame.ts";
import { ack, ConnectionHarness, message, type Sent } from "../../support/connection_harness.ts";
import { ack as ackOf, makeQueue, send, sendOne, seqs } from "../../support/send_queue_harness.ts";

const KEEPALIVE: Frame = { kind: "connectionKeepalive" };

/** An open connection that has told its beginning. */
function atRest(timers: "adaptive" | "fixed" = "adaptive"): ConnectionHarness {
  const harness = new ConnectionHarness("requester", timers);
  harness.sent();
  return harness;
}

/** The Messages in what was sent, each once, by their seqs. */
function messagesIn(sent: readonly Sent[]): Message[] {
  const bySeq = new Map<number, Message>();
  for (const frame of sent.flatMap(({ frames }) => frames)) {
    if (frame.kind === "message") bySeq.set(frame.seq, frame);
  }
  return [...bySeq.values()].toSorted((a, b) => a.seq - b.seq);
}

/** The texts in Messages without a gap from seq 0 on. */
function textsIn(messages: readonly Message[]): string[] {
  const texts: string[] = [];
  let text = "";
  messages.forEach((each, index) => {
    assertEquals(each.seq, index);
    text += each.text;
    if ((each.flags & FLAG_MORE) !== 0) return;
    texts.push(text);
    text = "";
  });
  assertEquals(text, "", "the last text has an end");
  return texts;
}

/** Confirms the Accept, and acknowledges all that follows; returns it. */
function deliverAll(harness: ConnectionHarness): Message[] {
  const all: Sent[] = harness.receive(harness.seal(KEEPALIVE));
  for (let rounds = 0; rounds < 200; rounds++) {
    const next = messagesIn(all).length;
    all.push(...harness.receive(harness.seal(ack(next))), ...harness.advance(5));
    if (harness.connection.undelivered === 0) return messagesIn(all);
  }
  throw new Error(`${harness.connection.undelivered} texts are not delivered`);
}

function textSeqs(events: readonly ConnectionEvent[], kind: ConnectionEvent["kind"]): number[] {
  return events.filter((event) => event.kind === kind)
    .map((event) => "textSeq" in event ? event.textSeq : NaN);
}

Deno.test("Connection.resume() reports the return, and sends an Accept with the flag, until it is confirmed", () => {
  const harness = atRest();
  const before = harness.peer;
  harness.resume(true);
  assertEquals(harness.events(), [{ kind: "returned" }]);
  const accept: Frame = {
    kind: "connectionAccept",
    responder: 1,
    flags: FLAG_RESUMED,
    name: "ana",
  };
  assertEquals(harness.sent().map(({ frames }) => frames), [[accept]]);
  assertEquals(harness.advance(RTO_MIN).map(({ frames }) => frames), [[accept]]);
  harness.deliver(ack(0));
  assert(!harness.advance(9000).some(({ frames }) => frames[0]?.kind === "connectionAccept"));
  // What is sealed in the session before is forgotten without a word.
  const late = before.seal(message(0));
  assertEquals([harness.handle(late), harness.sent(), harness.events()], [false, [], []]);
});

Deno.test("Connection.resume() after a lost Accept reports no return, and flags none", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  harness.resume(false);
  assertEquals(harness.events().filter(({ kind }) => kind === "returned"), []);
  const [frame] = harness.sent().flatMap(({ frames }) => frames);
  assert(frame?.kind === "connectionAccept" && frame.flags === 0);
});

Deno.test("an Accept keeps its flag where the one in the session before was lost, too", () => {
  const harness = atRest();
  harness.resume(true);
  harness.sent();
  harness.resume(false, 13);
  const [frame] = harness.sent().flatMap(({ frames }) => frames);
  assert(frame?.kind === "connectionAccept" && frame.flags === FLAG_RESUMED);
});

Deno.test("texts that are not delivered follow once, in order, before later ones, from seq 0", () => {
  const harness = atRest();
  const texts = Array.from({ length: 10 }, (_, number) => `text ${number}`);
  for (const text of texts.slice(0, 6)) harness.connection.send(text);
  harness.sent();
  harness.receive(harness.seal(ack(2, [3, 3])));
  harness.connection.send(texts[6]!);
  assertEquals(textSeqs(harness.events(), "delivered"), [0, 1]);
  harness.resume(true);
  assertEquals(harness.connection.undelivered, 5);
  for (const text of texts.slice(7)) harness.connection.send(text);
  // Nothing before the Accept is confirmed.
  assertEquals(messagesIn([...harness.sent(), ...harness.advance(500)]), []);
  // What was acknowledged after a gap was not shown to the other user: it comes again.
  assertEquals(textsIn(deliverAll(harness)), texts.slice(2));
  const events = harness.events();
  assertEquals(textSeqs(events, "delivered"), [2, 3, 4, 5, 6, 7, 8, 9]);
  assertEquals(textSeqs(events, "sent"), [6, 7, 8, 9], "the others were reported before");
});

Deno.test("a long text that was acknowledged in part follows whole", () => {
  const long = ["a", "b", "c"].map((letter) => letter.repeat(5 * FRAGMENT_SIZE_MAX));
  for (const acked of [0, 1, 3, 4, 5, 7, 11]) {
    const harness = atRest("fixed");
    for (const text of long) harness.connection.send(text);
    harness.sent();
    harness.receive(harness.seal(ack(acked)));
    harness.events();
    harness.resume(true);
    assertEquals(textsIn(deliverAll(harness)), long.slice(Math.floor(acked / 5)), `${acked}`);
  }
});

Deno.test("a text that was sent in part only follows whole, and is reported as sent once", () => {
  const harness = atRest("fixed");
  const [first, second] = ["x".repeat(60_000), "y".repeat(60_000)];
  harness.connection.send(first);
  harness.connection.send(second);
  harness.sent();
  assertEquals(textSeqs(harness.events(), "sent"), [0]);
  harness.resume(true);
  assertEquals(textsIn(deliverAll(harness)), [first, second]);
  assertEquals(textSeqs(harness.events(), "sent"), [1]);
});

Deno.test("texts follow again and again where the peer comes back several times", () => {
  const harness = atRest();
  for (let number = 0; number < 4; number++) harness.connection.send(`text ${number}`);
  harness.sent();
  for (let times = 0; times < 3; times++) {
    harness.resume(true, 20 + times);
    harness.receive(harness.seal(KEEPALIVE));
    harness.receive(harness.seal(ack(1)));
  }
  assertEquals(harness.connection.undelivered, 1);
  harness.resume(true, 30);
  assertEquals(textsIn(deliverAll(harness)), ["text 3"]);
  assertEquals(textSeqs(harness.events(), "delivered"), [0, 1, 2, 3]);
});

Deno.test("the peer's texts count from 0 in the new session, and what it had begun is dropped", () => {
  const harness = atRest();
  harness.deliver(message(0, "before"), message(1, "never ended", FLAG_MORE), message(3));
  harness.events();
  harness.resume(true);
  harness.events();
  harness.deliver(message(0, "after"));
  assertEquals(harness.events(), [{ kind: "message", textSeq: 0, text: "after" }]);
  const [answer] = harness.sent().flatMap(({ frames }) => frames)
    .filter(({ kind }) => kind === "ack");
  assertEquals(answer, { ...ack(1), largestPacket: 1, packetBitmap: 3 });
});

Deno.test("a text is called unconfirmed once, before or after a return, and not sooner for it", () => {
  const harness = atRest("fixed");
  harness.connection.send("early");
  harness.sent();
  harness.advance(UNCONFIRMED_AFTER);
  harness.connection.send("late");
  harness.sent();
  assertEquals(textSeqs(harness.events(), "unconfirmed"), [0]);
  harness.resume(true);
  harness.receive(harness.seal(KEEPALIVE));
  harness.advance(UNCONFIRMED_AFTER - 1);
  assertEquals(textSeqs(harness.events(), "unconfirmed"), []);
  harness.advance(1);
  assertEquals(textSeqs(harness.events(), "unconfirmed"), [1]);
});

Deno.test("a connection that the peer came back to ends by silence as any other, with its texts undelivered", () => {
  const harness = atRest();
  harness.connection.send("one");
  harness.sent();
  harness.advance(CONNECTION_TIMEOUT - 1);
  harness.resume(true);
  harness.events();
  harness.advance(CONNECTION_TIMEOUT - 1);
  assertEquals(harness.connection.state, "open");
  harness.advance(1);
  assertEquals(harness.events(), [{ kind: "terminated", by: "timeout", undelivered: 1 }]);
});

Deno.test("a connection that drains goes on draining in the session that takes the place of its own", () => {
  const harness = new ConnectionHarness("responder");
  harness.connection.send("last words");
  harness.connection.terminate(harness.now);
  harness.sent();
  assertEquals(harness.connection.state, "draining");
  harness.resume(false);
  harness.sent();
  const sent = harness.receive(harness.seal(ack(0)));
  assertEquals(textsIn(messagesIn(sent)), ["last words"]);
  harness.deliver(ack(1));
  assertEquals(harness.connection.state, "terminating");
});

/** What a queue hands on, after so many texts were sent and those below `acked` acknowledged. */
function takenFrom(queue: SendQueue, texts: readonly string[], acked: number): string[] {
  for (const text of texts) queue.push(text);
  send(queue, 0);
  queue.handleAck(10, ackOf(acked));
  return [...queue.takeUndelivered().texts];
}

Deno.test("SendQueue.takeUndelivered() hands on what is not delivered, and leaves nothing", () => {
  const { queue } = makeQueue();
  assertEquals(queue.takeUndelivered(), { first: 0, texts: [], unconfirmed: 0 });
  const texts = ["", "\ufeffmark", "é€👋", "a".repeat(1000), "\0"];
  assertEquals(takenFrom(queue, texts, 1), texts.slice(1));
  assertEquals([queue.isEmpty, queue.undelivered, queue.dueSize], [true, 0, 0]);
});

Deno.test("SendQueue.takeUndelivered() puts long texts together again, be they sent or not", () => {
  const longest = "€".repeat(Math.floor(TEXT_SIZE_MAX / 3));
  for (const count of [0, 1, 30, 1000]) {
    const { queue } = makeQueue();
    for (const text of ["short", longest, "between", longest]) queue.push(text);
    for (let packet = 0; packet < count; packet++) sendOne(queue, 0, packet);
    assertEquals(queue.takeUndelivered(), {
      first: 0,
      texts: ["short", longest, "between", longest],
      unconfirmed: 0,
    });
  }
});

Deno.test("SendQueue goes on with the numbers of the texts of an earlier one", () => {
  const { queue: earlier } = makeQueue();
  const texts = takenFrom(earlier, ["0", "1", "2"], 1);
  assertEquals(texts, ["1", "2"]);
  const { queue } = makeQueue("adaptive", { first: 1, texts, unconfirmed: 2 });
  assertEquals([queue.undelivered, queue.textsSent, queue.push("3")], [2, 1, 3]);
  assertEquals(seqs(send(queue, 100)), [0, 1, 2]);
  // Text 1 was called unconfirmed before.
  assertEquals(queue.handleTimeout(100 + UNCONFIRMED_AFTER), [2, 3]);
  const delivered = queue.handleAck(6000, ackOf(3)).map(({ textSeq }) => textSeq);
  assertEquals([delivered, queue.textsSent], [[1, 2, 3], 4]);
});
