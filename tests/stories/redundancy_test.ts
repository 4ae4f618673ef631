import { assert, assertEquals, assertLess } from "@std/assert";
import { story } from "./stage.ts";

story("a lost message is carried by the next one", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message");
  const since = stage.now;
  ana.send("one");
  stage.wait(5);
  ana.send("two");
  stage.wait(100);
  assertEquals(ben.texts, ["one", "two"]);
  assertEquals(ben.eventTimes("message", since), [25, 25]);
}, ["adaptive"]);

story("three lost messages in a row are carried by the next one", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message", { times: 3 });
  const since = stage.now;
  for (const text of ["one", "two", "three", "four"]) {
    ana.send(text);
    stage.wait(5);
  }
  stage.wait(100);
  assertEquals(ben.eventTimes("message", since), [35, 35, 35, 35]);
  assertEquals(ben.texts, ["one", "two", "three", "four"]);
}, ["adaptive"]);

story("a single lost message is sent again a few milliseconds later", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message");
  const since = stage.now;
  ana.send("hi");
  stage.wait(1000);
  assertEquals(ben.eventTimes("message", since), [28]);
  assertEquals(stage.times("message", ana, since), [0, 8]);
}, ["adaptive"]);

story("a single message costs two datagrams and one ack", (stage) => {
  const [ana, ben] = stage.pair();
  const since = stage.now;
  ana.send("hi");
  stage.wait(1000);
  assertEquals(stage.times("message", ana, since), [0, 8]);
  assertEquals(stage.times("ack", ben, since), [20]);
}, ["adaptive"]);

story("a message that is acknowledged within a few milliseconds has no copy", (stage) => {
  const [ana] = stage.pair();
  stage.set({ delay: 3 });
  const since = stage.now;
  ana.send("hi");
  stage.wait(1000);
  assertEquals(stage.times("message", ana, since), [0]);
}, ["adaptive"]);

story("a busy sender sends no copies", (stage) => {
  const [ana, ben] = stage.pair();
  const texts = Array.from({ length: 3000 }, (_, index) => `${index}`.padStart(64));
  const since = stage.now;
  ana.send(...texts);
  stage.network.runUntil(() => ana.view.peer?.unconfirmed === 0, 60_000, "everything delivered");
  const frames = stage.datagrams(ana, since).flatMap((each) => each.frames);
  const seqs = frames.flatMap((frame) => frame.kind === "message" ? [frame.seq] : []);
  // Only the last few have copies, when the queue is empty.
  assertLess(seqs.length, 1.02 * texts.length);
  assertEquals(new Set(seqs).size, texts.length);
  assertEquals(ben.texts, texts);
}, ["adaptive"]);

story("with fixed timers messages have no copies", (stage) => {
  const [ana, ben] = stage.pair();
  const since = stage.now;
  for (let index = 0; index < 20; index++) {
    ana.send(`${index}`);
    stage.wait(index % 2 === 0 ? 5 : 500);
  }
  const frames = stage.datagrams(ana, since).flatMap((each) => each.frames);
  const seqs = frames.flatMap((frame) => frame.kind === "message" ? [frame.seq] : []);
  assertEquals(seqs, Array.from({ length: 20 }, (_, seq) => seq));
  assertEquals(ben.texts.length, 20);
}, ["fixed"]);

for (const interval of [20, 200]) {
  story(`with a message every ${interval} ms few are late under burst loss`, (stage) => {
    const [ana, ben] = stage.pair();
    stage.set({ delay: 25, bursts: 0.05 });
    const sentAt: number[] = [];
    const since = stage.now;
    for (let index = 0; index < 1000; index++) {
      sentAt.push(stage.now - since);
      ana.send(`${index}`.padStart(64));
      stage.wait(interval);
    }
    stage.wait(10_000);
    const delays = ben.eventTimes("message", since).map((time, index) => time - sentAt[index]!);
    assertEquals(delays.length, 1000);
    delays.sort((a, b) => a - b);
    const [p50, p99, worst] = [delays[500]!, delays[990]!, delays[999]!];
    const cost = stage.times("message", ana, since).length / delays.length;
    const rounded = [p50, p99, worst].map(Math.round).join(", ");
    console.log(`every ${interval} ms, p50, p99 and worst: ${rounded} ms, ${cost} datagrams each`);
    assert(p50 === 25 && cost < 3, `${p50} ms, ${cost} datagrams each`);
  }, ["adaptive"]);
}

story("at 20% loss each message still travels twice, and few are late", (stage) => {
  const [ana, ben] = stage.pair();
  stage.set({ delay: 25, loss: 0.2 });
  const sentAt: number[] = [];
  const since = stage.now;
  for (let index = 0; index < 500; index++) {
    sentAt.push(stage.now - since);
    ana.send(`${index}`.padStart(64));
    stage.wait(20);
  }
  stage.wait(10_000);
  const delays = ben.eventTimes("message", since).map((time, index) => time - sentAt[index]!);
  delays.sort((a, b) => a - b);
  assertEquals([delays.length, delays[250]], [500, 25]);
  assertLess(1.8, stage.times("message", ana, since).length / 500);
  // Held up by nothing but the loss of several datagrams in a row.
  assertLess(delays[475]!, 60);
}, ["adaptive"]);
