// The states of a connection, and what leads from one to the next: protocol/README.md, "Connections".
import { assert, assertEquals } from "@std/assert";
import {
  FLUSH_TIMEOUT,
  LINGER,
  TERMINATION_RTO_MIN,
  TERMINATION_TRIES,
} from "../../../protocol/connection/ending.ts";
import { CONNECTION_TIMEOUT } from "../../../protocol/connection/silence.ts";
import { TEXT_SIZE_MAX } from "../../../protocol/connection/send_queue.ts";
import {
  FLAG_MORE,
  FRAGMENT_SIZE_MAX,
  type Frame,
  RejectReason,
} from "../../../protocol/wire/frame.ts";
import {
  ack,
  ConnectionHarness,
  IDS,
  message,
  packetAck,
  termination,
  terminationAck,
} from "../../support/connection_harness.ts";

const LONGEST = Math.floor(TEXT_SIZE_MAX / FRAGMENT_SIZE_MAX);

/** A connection that has told its beginning. */
function atRest(): ConnectionHarness {
  const harness = new ConnectionHarness();
  harness.sent();
  return harness;
}

/** A connection that has sent its first Termination, after so many texts. */
function terminating(texts = 0): ConnectionHarness {
  const harness = atRest();
  for (let seq = 0; seq < texts; seq++) harness.connection.send(`${seq}`);
  harness.sent();
  if (texts > 0) harness.deliver(ack(texts));
  harness.connection.terminate(harness.now);
  assertEquals(harness.sentKinds(), ["ack", "connectionTermination"]);
  harness.events();
  return harness;
}

/** A connection whose peer terminated while `sent` was in flight and `waiting` was not. */
function flushing(): ConnectionHarness {
  const harness = new ConnectionHarness("requester", "fixed");
  harness.sent();
  harness.connection.send("in flight");
  harness.sent();
  // More than may be in flight with fixed timers.
  for (let texts = 0; texts < 3; texts++) harness.connection.send("x".repeat(60_000));
  harness.sent();
  harness.events();
  return harness;
}

Deno.test("a connection that drains sends what is queued, takes no more, and then terminates", () => {
  const harness = atRest();
  harness.connection.send("hi");
  harness.connection.terminate(harness.now);
  assertEquals(harness.connection.state, "draining");
  assertEquals(harness.connection.send("late"), undefined);
  assertEquals(harness.sentKinds(), ["message"]);
  harness.deliver(ack(1));
  assertEquals(harness.connection.state, "terminating");
  const [only, ...more] = harness.sent();
  assertEquals(only?.frames.map(({ kind }) => kind), ["ack", "connectionTermination"]);
  assertEquals(only?.frames.at(-1), { kind: "connectionTermination", sender: 1, finalSeq: 1 });
  assertEquals(more, []);
});

Deno.test("a connection without anything queued terminates at once", () => {
  const harness = terminating();
  assertEquals(harness.connection.state, "terminating");
});

Deno.test("a connection that drains takes Messages, and acknowledges them", () => {
  const harness = atRest();
  harness.connection.send("hi");
  harness.connection.terminate(harness.now);
  harness.sent();
  harness.events();
  harness.deliver(message(0));
  assertEquals(harness.events(), [{ kind: "message", textSeq: 0, text: "text 0" }]);
  assertEquals(harness.sentKinds(), ["ack"]);
});

Deno.test("a text longer than a text may be terminates an open connection, and one that drains", () => {
  for (const state of ["open", "draining"]) {
    const harness = atRest();
    harness.connection.send("hi");
    harness.sent();
    if (state === "draining") harness.connection.terminate(harness.now);
    assertEquals(harness.connection.state, state);
    const fragment = "x".repeat(FRAGMENT_SIZE_MAX);
    for (let seq = 0; seq < LONGEST; seq++) harness.deliver(message(seq, fragment, FLAG_MORE));
    assertEquals(harness.connection.state, state);
    harness.sent();
    harness.deliver(message(LONGEST, fragment));
    assertEquals(harness.connection.state, "terminating");
    const [{ frames } = { frames: [] }] = harness.sent();
    const [first, second] = frames;
    assert(first?.kind === "ack" && first.cumulativeSeq === LONGEST, "it is not acknowledged");
    assertEquals(second?.kind, "connectionTermination");
    assertEquals(harness.events().filter(({ kind }) => kind === "message"), []);
  }
});

Deno.test("a Termination is sent three times in all, after at least 1 s, then there is no answer", () => {
  assertEquals([TERMINATION_TRIES, TERMINATION_RTO_MIN], [3, 1000]);
  // The round-trip time is far below a second.
  const harness = atRest();
  harness.connection.send("to measure");
  harness.sent();
  harness.now += 10;
  harness.deliver(packetAck(1, 1));
  harness.connection.terminate(harness.now);
  harness.sent();
  harness.events();
  for (const wait of [1000, 2000]) {
    harness.wait(wait - 1);
    assertEquals(harness.sentKinds(), []);
    harness.wait(1);
    assertEquals(harness.sentKinds(), ["ack", "connectionTermination"]);
  }
  harness.wait(3999);
  assertEquals(harness.events(), []);
  harness.wait(1);
  assertEquals(harness.events(), [{ kind: "terminated", by: "timeout", undelivered: 0 }]);
  assertEquals([harness.connection.state, harness.sent()], ["closed", []]);
});

Deno.test("a Termination is sent every 10 s with fixed timers, and given up after 30 s", () => {
  const harness = new ConnectionHarness("requester", "fixed");
  harness.connection.terminate(harness.now);
  const sentAt = [harness.sent(), harness.advance(9_999), harness.advance(10_001)]
    .map((sent) => sent.filter(({ frames }) => frames.at(-1)?.kind === "connectionTermination"));
  assertEquals(sentAt.map(({ length }) => length), [1, 0, 2]);
  harness.advance(FLUSH_TIMEOUT - 20_000 - 1);
  assertEquals(harness.connection.state, "terminating");
  harness.advance(1);
  assertEquals(harness.events(), [{ kind: "terminated", by: "timeout", undelivered: 0 }]);
});

Deno.test("a Termination Ack ends the Terminations, and the connection once all below its final seq has come", () => {
  const harness = terminating();
  harness.deliver(terminationAck(2));
  assertEquals(harness.connection.state, "terminating");
  harness.wait(5000);
  // The Termination is acknowledged, and not sent again.
  assertEquals(harness.sentKinds(), []);
  harness.deliver(message(1));
  assertEquals(harness.connection.state, "terminating");
  harness.deliver(message(0));
  assertEquals(harness.events(), [
    { kind: "message", textSeq: 0, text: "text 0" },
    { kind: "message", textSeq: 1, text: "text 1" },
    { kind: "terminated", by: "local", undelivered: 0 },
  ]);
});

Deno.test("a connection that terminates does not wait longer than 30 s for what is below the final seq", () => {
  const harness = terminating();
  harness.deliver(terminationAck(0xffff_ffff));
  harness.wait(FLUSH_TIMEOUT - 1);
  assertEquals(harness.events(), []);
  harness.wait(1);
  assertEquals(harness.events(), [{ kind: "terminated", by: "local", undelivered: 0 }]);
});

Deno.test("a Termination Ack that names another sender has no effect", () => {
  const harness = terminating();
  harness.deliver({ kind: "connectionTerminationAck", sender: 3, finalSeq: 0 });
  assertEquals(harness.connection.state, "terminating");
  harness.wait(1000);
  assertEquals(harness.sentKinds(), ["ack", "connectionTermination"]);
});

Deno.test("a Termination Ack has no effect where nothing was terminated", () => {
  const harness = atRest();
  harness.deliver(terminationAck());
  assertEquals([harness.connection.state, harness.events(), harness.sent()], ["open", [], []]);
  // Nor does it count later.
  harness.connection.terminate(harness.now);
  assertEquals(harness.connection.state, "terminating");
});

Deno.test("a connection whose peer terminates sends nothing new, but repeats what is in flight", () => {
  const harness = flushing();
  harness.deliver(termination());
  assertEquals(harness.connection.state, "flushing");
  assertEquals(harness.connection.send("late"), undefined);
  assertEquals(harness.sentKinds(), ["connectionTerminationAck"]);
  harness.wait(10_000);
  const seqs = harness.sent().flatMap(({ frames }) => frames)
    .flatMap((frame) => frame.kind === "message" ? [frame.seq] : []);
  const [first = NaN, last = NaN] = [seqs[0], seqs.at(-1)];
  assertEquals(first, 0);
  assert(last > 0);
  // Up to the final seq that the Termination Ack named.
  harness.deliver(termination());
  const answer = harness.sent().flatMap(({ frames }) => frames)[0];
  assertEquals(answer, { kind: "connectionTerminationAck", sender: 1, finalSeq: last + 1 });
  harness.deliver(ack(last));
  assertEquals(harness.connection.state, "flushing");
  harness.deliver(ack(last + 1));
  // One text of 60,000 bytes fitted whole; of the next one a part was sent, the third one waited.
  const [end] = harness.events().filter(({ kind }) => kind === "terminated");
  assertEquals(end, { kind: "terminated", by: "peer", undelivered: 2 });
  assertEquals(harness.connection.state, "closed");
});

Deno.test("a connection whose peer terminates is closed after 30 s, whatever is in flight", () => {
  const harness = flushing();
  harness.deliver(termination());
  harness.advance(FLUSH_TIMEOUT - 1);
  assertEquals(harness.connection.state, "flushing");
  harness.advance(1);
  const [end] = harness.events().filter(({ kind }) => kind === "terminated");
  assertEquals(end, { kind: "terminated", by: "peer", undelivered: 4 });
});

Deno.test("a Termination ends a connection that drains, too: what was not sent is undelivered", () => {
  const harness = flushing();
  harness.connection.terminate(harness.now);
  harness.deliver(termination());
  assertEquals(harness.connection.state, "flushing");
});

Deno.test("a Termination is acknowledged each time it comes, in every state", () => {
  const harness = atRest();
  for (let times = 0; times < 3; times++) {
    harness.deliver(termination());
    assertEquals(harness.sent().map(({ frames }) => frames), [[
      { kind: "connectionTerminationAck", sender: 1, finalSeq: 0 },
    ]]);
  }
  assertEquals(harness.events(), [{ kind: "terminated", by: "peer", undelivered: 0 }]);
});

Deno.test("a Termination that names another sender has no effect", () => {
  const harness = atRest();
  harness.deliver({ kind: "connectionTermination", sender: 3, finalSeq: 0 });
  assertEquals([harness.connection.state, harness.sent()], ["open", []]);
});

Deno.test("two Terminations that cross are both acknowledged, and each end goes on", () => {
  const harness = terminating(1);
  harness.deliver(termination(1));
  assertEquals(harness.connection.state, "terminating");
  assertEquals(harness.sent().map(({ frames }) => frames), [[
    { kind: "connectionTerminationAck", sender: 1, finalSeq: 1 },
  ]]);
  harness.deliver(terminationAck(1));
  assertEquals(harness.connection.state, "terminating", "one Message is missing");
  harness.deliver(message(0));
  assertEquals(harness.events().at(-1), { kind: "terminated", by: "local", undelivered: 0 });
});

Deno.test("a Termination before the Accept is confirmed ends the connection", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  harness.connection.send("never sent");
  harness.deliver(termination());
  assertEquals(harness.sentKinds(), ["connectionTerminationAck"]);
  assertEquals(harness.events(), [{ kind: "terminated", by: "peer", undelivered: 1 }]);
});

Deno.test("60 s without anything authentic close a connection that is open or drains", () => {
  for (const state of ["open", "draining"]) {
    const harness = atRest();
    harness.connection.send("hi");
    harness.sent();
    if (state === "draining") harness.connection.terminate(harness.now);
    harness.wait(CONNECTION_TIMEOUT - 1);
    harness.events();
    assertEquals(harness.connection.state, state);
    harness.wait(1);
    assertEquals(harness.events(), [{ kind: "terminated", by: "timeout", undelivered: 1 }]);
    assertEquals(harness.sent(), []);
  }
});

Deno.test("any authentic packet keeps a connection open, a forged one does not", () => {
  const harness = atRest();
  for (let left = 5; left > 0; left--) {
    harness.wait(CONNECTION_TIMEOUT - 1);
    harness.deliver({ kind: "pathResponse", nonce: 1n });
  }
  assertEquals(harness.connection.state, "open");
  const forged = harness.seal(message(0));
  forged[20]! ^= 1;
  harness.wait(CONNECTION_TIMEOUT - 1);
  assertEquals(harness.handle(forged), false);
  harness.wait(1);
  assertEquals(harness.connection.state, "closed");
});

Deno.test("a closed connection acknowledges repeats for 30 s, but no new Message, then it is gone", () => {
  const harness = new ConnectionHarness();
  harness.deliver(message(0));
  harness.deliver(termination());
  harness.sent();
  harness.events();
  harness.wait(LINGER - 1);
  // A Message that was not shown is not acknowledged either.
  harness.deliver(message(0), message(1), { kind: "connectionKeepalive" });
  const expected = { ...ack(1), largestPacket: 2, packetBitmap: 7 };
  assertEquals(harness.sent().map(({ frames }) => frames), [[expected]]);
  assertEquals([harness.events(), harness.connection.state], [[], "closed"]);
  harness.wait(1);
  assertEquals(harness.handle(harness.seal(termination())), false);
  assertEquals([harness.sent(), harness.connection.state], [[], "gone"]);
  assertEquals(harness.connection.nextTimeout(), undefined);
});

Deno.test("a connection that ended because the peer was silent tells it so when it is heard", () => {
  const harness = new ConnectionHarness();
  harness.wait(CONNECTION_TIMEOUT);
  assertEquals(harness.connection.state, "closed");
  const reject: Frame = { kind: "connectionReject", responder: IDS.local, reason: 1 };
  const keepalive: Frame = { kind: "connectionKeepalive" };
  for (const frame of [message(0), keepalive]) {
    harness.deliver(frame);
    assertEquals(harness.sent().flatMap(({ frames }) => frames).at(-1), reject);
  }
});

Deno.test("a connection that is over at the peer, which says so, is closed at once", () => {
  for (
    const [by, state] of [
      ["peer", "open"],
      ["peer", "draining"],
      ["local", "terminating"],
    ] as const
  ) {
    const harness = new ConnectionHarness();
    if (state === "draining") harness.connection.send("not delivered");
    if (state !== "open") harness.connection.terminate(harness.now);
    harness.sent();
    harness.events();
    assertEquals(harness.connection.state, state);
    const reject = { kind: "connectionReject", responder: 2, reason: 1 } as const;
    harness.deliver(reject);
    const undelivered = state === "draining" ? 1 : 0;
    assertEquals(harness.events(), [{ kind: "terminated", by, undelivered }]);
    assertEquals(harness.connection.state, "closed");
  }
});

Deno.test("a closed connection rejects its Request: the requester does not wait any longer", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  harness.wait(CONNECTION_TIMEOUT);
  harness.sent();
  assertEquals(harness.connection.state, "closed");
  const [request, requester, responder] = [5, IDS.remote, IDS.local];
  harness.deliver({ kind: "connectionRequest", request, requester, responder, name: "" });
  assertEquals(harness.sent().map(({ frames }) => frames), [[
    { kind: "connectionReject", responder: 1, reason: RejectReason.declined },
  ]]);
  assertEquals(harness.advance(LINGER), []);
});

Deno.test("Connection reports nothing after its end", () => {
  const harness = new ConnectionHarness("requester", "fixed");
  harness.connection.send("one");
  harness.sent();
  harness.events();
  harness.connection.abandon(harness.now, "peer");
  assertEquals(harness.events(), [{ kind: "terminated", by: "peer", undelivered: 1 }]);
  harness.wait(6000);
  harness.deliver(ack(1));
  harness.connection.abandon(harness.now, "local");
  harness.connection.terminate(harness.now);
  assertEquals([harness.events(), harness.sent()], [[], []]);
});
