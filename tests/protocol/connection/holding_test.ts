// A connection whose texts are acknowledged when the user has them.
import { assert, assertEquals } from "@std/assert";
import type { ConnectionEvent } from "../../../protocol/connection/connection_event.ts";
import type { ReceivedText } from "../../../protocol/connection/receive_queue.ts";
import { ACK_HOLD } from "../../../protocol/recovery/rtt.ts";
import type { Frame } from "../../../protocol/wire/frame.ts";
import { FLUSH_TIMEOUT } from "../../../protocol/connection/ending.ts";
import { ConnectionHarness, message, terminationAck } from "../../support/connection_harness.ts";

function isText(event: ConnectionEvent): event is ReceivedText {
  return event.kind === "message";
}

/** What the Acks among these frames say of Messages. */
function acked(frames: readonly Frame[]): unknown[] {
  return frames.flatMap((frame) =>
    frame.kind === "ack" ? [[frame.cumulativeSeq, frame.ranges]] : []
  );
}

function sentAcks(harness: ConnectionHarness): unknown[] {
  return acked(harness.sent().flatMap(({ frames }) => frames));
}

/** A connection that was told so many texts. */
function told(count: number): { harness: ConnectionHarness; texts: ReceivedText[] } {
  const harness = new ConnectionHarness("requester", "adaptive", true);
  harness.sent();
  harness.now += 1_000;
  for (let seq = 0; seq < count; seq++) harness.deliver(message(seq));
  return { harness, texts: harness.events().filter(isText) };
}

Deno.test("a text that is taken at once has one Ack", () => {
  const { harness, texts } = told(1);
  assertEquals(sentAcks(harness), []);
  harness.connection.take(harness.now, texts[0]!);
  assertEquals(sentAcks(harness), [[1, []]]);
  assertEquals(harness.advance(1_000), []);
});

Deno.test("a text that is not taken has one as well, which says that it came", () => {
  const { harness, texts } = told(2);
  harness.wait(ACK_HOLD);
  assertEquals(sentAcks(harness), [[0, [{ first: 0, last: 1 }]]]);
  harness.wait(5_000);
  harness.connection.take(harness.now, texts[1]!);
  assertEquals(sentAcks(harness), [[2, []]]);
});

Deno.test("a text that was told before the peer started again is not taken for one of the new run", () => {
  const { harness, texts } = told(1);
  harness.resume(true);
  harness.sent();
  harness.events();
  harness.deliver(message(0, "of the new run"));
  harness.connection.take(harness.now, texts[0]!);
  harness.wait(ACK_HOLD);
  assertEquals(sentAcks(harness).at(-1), [0, [{ first: 0, last: 0 }]]);
  const [text] = harness.events().filter(isText);
  assert(text !== undefined);
  harness.connection.take(harness.now, text);
  assertEquals(sentAcks(harness), [[1, []]]);
});

Deno.test("an end of the user's waits until the user has what the peer sent", () => {
  const { harness, texts } = told(2);
  harness.connection.terminate(harness.now);
  harness.deliver(terminationAck(2));
  assertEquals(harness.connection.state, "terminating");
  harness.connection.take(harness.now, texts[0]!);
  assertEquals(harness.events(), []);
  harness.connection.take(harness.now, texts[1]!);
  assertEquals(sentAcks(harness).at(-1), [2, []]);
  assertEquals(harness.events(), [{ kind: "terminated", by: "local", undelivered: 0 }]);
});

Deno.test("an end of the user's waits no longer than 30 s for that", () => {
  const { harness } = told(1);
  harness.connection.terminate(harness.now);
  harness.deliver(terminationAck(1));
  harness.wait(FLUSH_TIMEOUT);
  assertEquals(harness.events(), [{ kind: "terminated", by: "local", undelivered: 0 }]);
});

Deno.test("an end does not wait for a user that takes no more, and acknowledges nothing for it", () => {
  const { harness } = told(2);
  harness.connection.terminate(harness.now);
  harness.deliver(terminationAck(2));
  harness.connection.forsake(harness.now);
  assertEquals(harness.events(), [{ kind: "terminated", by: "local", undelivered: 0 }]);
  const sent = harness.sent().flatMap(({ frames }) => frames);
  assertEquals(acked(sent).at(-1), [0, [{ first: 0, last: 1 }]]);
  assert(sent.some(({ kind }) => kind === "connectionReject"), "the peer waits for no more");
  harness.deliver({ kind: "connectionKeepalive" });
  assert(harness.sentKinds().includes("connectionReject"));
});
