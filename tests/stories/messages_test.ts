import { assert, assertEquals, assertLess } from "@std/assert";
import { PATH_MTU_ETHERNET } from "../../protocol/recovery/path_mtu.ts";
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import { type Actor, story } from "./stage.ts";

/** Texts with characters of one to four bytes, so that some meet the fragment borders. */
const ALPHABETS = ["x", "é", "€", "👋", "a€", "👩‍👩‍👧‍👦", "x👋é"];

/** A text of exactly this many bytes: as many repeats as fit, then "."s. */
function textOfSize(repeated: string, size: number): string {
  const bytes = new TextEncoder().encode(repeated).length;
  return repeated.repeat(Math.floor(size / bytes)) + ".".repeat(size % bytes);
}

/** Asserts that each message was received once, in order, and reported as delivered. */
function assertDelivered(sender: Actor, receiver: Actor, texts: readonly string[]): void {
  assertEquals(receiver.texts.length, texts.length);
  assert(receiver.texts.every((text, index) => text === texts[index]), "the texts differ");
  const seqs = texts.map((_, index) => index);
  assertEquals(receiver.events("message").map(({ textSeq: seq }) => seq), seqs);
  assertEquals(sender.events("sent").map(({ textSeq: seq }) => seq), seqs);
  assertEquals(sender.events("delivered").map(({ textSeq: seq }) => seq), seqs);
  assertEquals(sender.view.peer?.unconfirmed, 0);
}

story("messages go both ways, with a number and their sender", (stage) => {
  const [ana, ben] = stage.pair();
  ana.send("hi", "there");
  ben.send("hello");
  stage.wait(100);
  assertDelivered(ana, ben, ["hi", "there"]);
  assertDelivered(ben, ana, ["hello"]);
  assertEquals(ben.last("message"), {
    kind: "message",
    peer: 1,
    name: "ana",
    textSeq: 1,
    text: "there",
  });
  assertEquals(ana.last("delivered"), { kind: "delivered", peer: 2, textSeq: 1, rttMs: 40 });
});

story("a lost message is sent again, and shown once", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message");
  ana.send("hi");
  stage.wait(11_000);
  assertDelivered(ana, ben, ["hi"]);
  assertEquals(stage.times("message").length, 2);
});

story("a message whose ack is lost is sent again, and shown once", (stage) => {
  const [ana, ben] = stage.pair();
  // With fixed timers the Ack of a keepalive would arrive before that of the message.
  stage.lose("ack", { times: stage.mode === "fixed" ? 2 : 1 });
  ana.send("hi");
  stage.wait(11_000);
  assertDelivered(ana, ben, ["hi"]);
  // With adaptive timers each transmission is followed by a copy.
  assertEquals(stage.times("message").length, stage.mode === "fixed" ? 2 : 4);
});

story("messages that overtake each other are shown in order", (stage) => {
  const [ana, ben] = stage.pair();
  stage.delay("message", 30);
  for (const text of ["one", "two", "three"]) {
    ana.send(text);
    stage.wait(5);
  }
  stage.wait(100);
  assertDelivered(ana, ben, ["one", "two", "three"]);
  if (stage.mode === "fixed") assertEquals(stage.times("message").length, 3);
});

story(
  "a message without an ack for 5 s is reported as unconfirmed, and delivered later",
  (stage) => {
    const [ana, ben] = stage.pair();
    stage.cut(ana, ben, stage.now + 12_000);
    const since = stage.now;
    ana.send("hi");
    stage.wait(1000);
    ana.send("there");
    assertEquals(ana.view.peer?.unconfirmed, 2);
    stage.wait(30_000);
    assertEquals(ana.eventTimes("unconfirmed", since), [5000, 6000]);
    assertEquals(ana.events("unconfirmed").map(({ textSeq: seq }) => seq), [0, 1]);
    assertDelivered(ana, ben, ["hi", "there"]);
  },
);

story("messages in both directions survive a partition of 40 s", (stage) => {
  const [ana, ben] = stage.pair();
  stage.cut(ana, ben, stage.now + 40_000);
  ana.send("hi");
  ben.send("ho");
  stage.wait(52_000);
  assertDelivered(ana, ben, ["hi"]);
  assertDelivered(ben, ana, ["ho"]);
});

story("a burst of a thousand messages arrives with a loss of 20 %", (stage) => {
  const [ana, ben] = stage.pair();
  stage.set({ loss: 0.2, jitter: 30, duplication: 0.1 });
  const texts = Array.from({ length: 1000 }, (_, index) => `message ${index}`);
  ana.send(...texts);
  stage.network.runUntil(() => ana.view.peer?.unconfirmed === 0, 300_000, "everything delivered");
  assertDelivered(ana, ben, texts);
});

story("a burst of a thousand messages takes a few round trips without loss", (stage) => {
  const [ana, ben] = stage.pair();
  const texts = Array.from({ length: 1000 }, (_, index) => `message ${index}`);
  const since = stage.now;
  ana.send(...texts);
  stage.network.runUntil(() => ana.view.peer?.unconfirmed === 0, 10_000, "everything delivered");
  assertDelivered(ana, ben, texts);
  assertLess(stage.now - since, 200);
  // Several messages share a datagram.
  assertLess(stage.times("message").length, 30);
});

for (const alphabet of ALPHABETS) {
  story(`a text of 64 KiB of "${alphabet}" arrives under loss`, (stage) => {
    const [ana, ben] = stage.pair();
    const text = textOfSize(alphabet, TEXT_SIZE_MAX);
    stage.set({ loss: 0.2, jitter: 30 });
    ana.send("before", text, "after");
    stage.network.runUntil(() => ana.view.peer?.unconfirmed === 0, 300_000, "everything delivered");
    assertDelivered(ana, ben, ["before", text, "after"]);
    assert(stage.datagrams().every(({ bytes }) => bytes.length <= PATH_MTU_ETHERNET));
  }, ["adaptive"]);
}

story("a text of 64 KiB and one byte is an error, and nothing is sent", (stage) => {
  const [ana, ben] = stage.pair();
  for (const alphabet of ALPHABETS) ana.send(textOfSize(alphabet, TEXT_SIZE_MAX + 1));
  assertEquals(ana.errors, ALPHABETS.map(() => "tooLong"));
  assertEquals(ana.last("error").message, "Cannot send 65537 bytes: a message has at most 64 KiB");
  ana.send("short");
  stage.wait(100);
  assertDelivered(ana, ben, ["short"]);
});

story("an empty text is delivered, and half a surrogate pair as U+FFFD", (stage) => {
  const [ana, ben] = stage.pair();
  ana.send("", "half \ud83d pair", "nul \0 and line\nbreak");
  stage.wait(100);
  assertDelivered(ana, ben, ["", "half \ufffd pair", "nul \0 and line\nbreak"]);
});

story("a full queue is an error, and the queued messages are delivered", (stage) => {
  const [ana, ben] = stage.pair();
  const text = "x".repeat(TEXT_SIZE_MAX);
  // 4 MiB, in 64 texts.
  const texts = Array<string>(64).fill(text);
  ana.send(...texts, "one more", text);
  assertEquals(ana.errors, ["queueFull", "queueFull"]);
  stage.network.runUntil(() => ana.view.peer?.unconfirmed === 0, 60_000, "everything delivered");
  assertDelivered(ana, ben, texts);
  ana.send("again");
  stage.wait(100);
  assertEquals(ben.texts.at(-1), "again");
}, ["adaptive"]);

story("send without a connection is an error", (stage) => {
  const [ana] = stage.clients("ana", "ben");
  ana!.send("hi");
  ana!.connect(2);
  stage.wait(100);
  ana!.send("hi");
  assertEquals(ana!.errors, ["notConnected", "notConnected"]);
});
