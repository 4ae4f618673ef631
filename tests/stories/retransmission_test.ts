import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { TIMER_SLACK } from "../../protocol/connection/connection.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import type { Datagram } from "../sim/datagram.ts";
import { type Actor, story } from "./stage.ts";

story("with fixed timers a message is sent again after exactly 10 s, repeatedly", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message", { times: 3 });
  const since = stage.now;
  ana.send("hi");
  stage.wait(60_000);
  assertEquals(stage.times("message", ana, since), [0, 10_000, 20_000, 30_000]);
  assertEquals(ben.texts, ["hi"]);
}, ["fixed"]);

story("with fixed timers an ack that shows a gap triggers no retransmission", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message");
  const since = stage.now;
  for (const text of ["one", "two", "three"]) {
    ana.send(text);
    stage.wait(100);
  }
  stage.wait(20_000);
  assertEquals(stage.times("message", ana, since), [0, 100, 200, 10_000]);
  assertEquals(ben.texts, ["one", "two", "three"]);
}, ["fixed"]);

story("with fixed timers a request is sent again after exactly 10 s, ringing or not", (stage) => {
  const [ana] = stage.clients("ana", "ben");
  stage.lose("ringing", { times: 2 });
  const since = stage.now;
  ana!.connect(2);
  stage.wait(45_000);
  const times = stage.times("connectionRequest", ana, since);
  assertEquals(times, [80, 10_080, 20_080, 30_080, 40_080]);
}, ["fixed"]);

story("with fixed timers a Termination is sent again after exactly 10 s", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("connectionTerminationAck");
  const since = stage.now;
  ana.terminate();
  stage.wait(60_000);
  assertEquals(stage.times("connectionTermination", ana, since), [0, 10_000]);
  assertEquals([ana, ben].map((each) => each.last("terminated").by), ["local", "peer"]);
}, ["fixed"]);

story("with fixed timers a query is sent again after exactly 10 s", (stage) => {
  const [ana] = stage.clients("ana");
  stage.directory.crash();
  const since = stage.now;
  ana!.list();
  stage.wait(29_000);
  assertEquals(stage.times("list", ana, since), [0, 10_000, 20_000]);
  const [first] = stage.times("leaseKeepalive", ana, since);
  stage.wait(20_000);
  assertEquals(
    stage.times("leaseKeepalive", ana, since),
    [0, 10_000, 20_000, 30_000].map((after) => first! + after),
  );
  const left = stage.now;
  ana!.leave();
  stage.wait(60_000);
  assertEquals(stage.times("leave", ana, left), [0, 10_000, 20_000]);
}, ["fixed"]);

/** Texts that fill a datagram each. */
function large(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${index}`.padStart(1000));
}

story("a lost message is sent again as soon as acks show the gap", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message");
  const since = stage.now;
  ana.send(...large(6));
  stage.wait(500);
  // The acks of the others arrive after one round trip, before the RTO.
  assertEquals(stage.times("message", ana, since), [0, 0, 0, 0, 0, 0, 40]);
  assertEquals(ben.eventTimes("message", since), [60, 60, 60, 60, 60, 60]);
}, ["adaptive"]);

story(
  "a message whose retransmission is lost is sent again at the next gap",
  (stage) => {
    const [ana, ben] = stage.pair();
    stage.lose("message");
    const since = stage.now;
    ana.send(...large(6));
    stage.wait(30);
    stage.lose("message");
    stage.wait(15);
    ana.send(...large(4));
    stage.wait(100);
    assertEquals(stage.times("message", ana, since), [
      ...[0, 0, 0, 0, 0, 0, 40],
      ...[45, 45, 45, 45, 85],
    ]);
    assertEquals(ben.texts, [...large(6), ...large(4)]);
  },
  ["adaptive"],
);

story(
  "a single lost message is sent again at once, after the RTO, and after twice the RTO",
  (stage) => {
    const [ana, ben] = stage.pair();
    // Ana's only sample is the Response: 40 ms, so SRTT 40, RTTVAR 20, RTO 120, and ACK_HOLD.
    stage.lose("message", { times: 5 });
    const since = stage.now;
    ana.send("hi");
    stage.wait(5000);
    assertEquals(stage.times("message", ana, since), [0, 8, 131, 139, 385, 877]);
    assertEquals(ben.texts, ["hi"]);
  },
  ["adaptive"],
);

story("the delay of an ack does not count as a part of the round trip", (stage) => {
  const [ana] = stage.pair();
  ana.send("one");
  stage.wait(1);
  ana.send("two");
  stage.wait(100);
  // Three samples of 40 ms, of which the last took 43: RTTVAR 20 · 3/4 · 3/4, and ACK_HOLD.
  stage.lose("message", { times: 2 });
  const since = stage.now;
  ana.send("hi");
  stage.wait(100);
  assertEquals(stage.times("message", ana, since), [0, 8, 8 + 40 + 45 + 3]);
}, ["adaptive"]);

story("no retransmission is later than 10 s after the one before", (stage) => {
  const [ana, ben] = stage.pair();
  const cleo = stage.client("cleo");
  stage.wait(100);
  stage.set({ delay: 4000 });
  ana.send("far away");
  stage.wait(20_000);
  assertEquals(ben.texts, ["far away"]);
  ben.send("hi");
  stage.wait(20_000);
  stage.cut(ana, ben);
  stage.network.cut("cleo", "directory", stage.now + 60_000);
  const since = stage.now;
  ana.send("into the void");
  cleo.connect(2);
  stage.wait(55_000);
  for (const [kind, actor] of [["message", ana], ["call", cleo]] as const) {
    const times = stage.times(kind, actor, since);
    assert(times.length > (kind === "message" ? 5 : 2));
    const end = kind === "call" ? 30_000 : 55_000;
    for (const [index, time] of times.entries()) {
      assertLessOrEqual((times[index + 1] ?? end) - time, 10_000, kind);
    }
  }
}, ["adaptive"]);

story("a silent connection is kept alive with few datagrams", (stage) => {
  const [ana, ben] = stage.pair();
  stage.wait(1000);
  const since = stage.now;
  stage.wait(120_000);
  // A keepalive and its Ack are a sign of life for both ends.
  const keepalives = stage.times("connectionKeepalive", undefined, since).length;
  assert(keepalives >= 11 && keepalives <= 24, `${keepalives}`);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
  assertEquals([...ana.events("terminated"), ...ben.events("terminated")], []);
});

story("an idle client sends nothing but lease keepalives, and needs no other timer", (stage) => {
  const [ana, ben] = stage.pair();
  ana.send("hi");
  stage.wait(100);
  ben.terminate();
  stage.wait(100);
  // The ended connection and the request are forgotten after a little more than a minute.
  stage.wait(100_000);
  const since = stage.now;
  stage.wait(300_000);
  const kinds = stage.datagrams(undefined, since).flatMap(({ frames }) => frames)
    .map(({ kind }) => kind);
  assertEquals([...new Set(kinds)].sort(), ["leaseKeepalive", "leaseKeepaliveAck"]);
  // 20 times two datagrams in 300 s for each client.
  assertEquals(Math.round(kinds.length / 10), 8);
  const due = stage.times("leaseKeepalive", ana, since).at(-1)! + since + 40 + 15_000;
  assertEquals(ana.nextTimeout, due - stage.now);
});

/** What names a question in a frame, beside its kind: the same again is a retransmission. */
function questionIn(datagram: Datagram, frame: Frame): string | undefined {
  const key = datagram.decoded.ok ? `${datagram.decoded.key}` : "";
  switch (frame.kind) {
    case "credentials":
      // The second Register of an exchange has a cookie: it answers the Challenge.
      return `${frame.nonce} ${frame.cookie.some((byte) => byte !== 0)}`;
    case "initiation":
      return frame.messageOne.join();
    case "connectionRequest":
      return `${frame.request}`;
    case "message":
      return `${key} ${frame.seq}`;
    case "call":
      return `${key} ${frame.id} ${frame.name}`;
    case "leaseKeepalive":
    case "list":
    case "leave":
    case "connectionAccept":
    case "connectionTermination":
      return key;
    default:
      // An answer; or a Connection Keepalive or a Path Challenge, which ask anew each time.
      return undefined;
  }
}

/** The frames of a datagram, and of the one that the directory carries in it. */
function allFrames({ frames, carried }: Datagram): Frame[] {
  return [...frames, ...carried?.frames ?? []];
}

/** The kinds of frames that are sent again where they, or their answers, are lost. */
const SENT_AGAIN = [
  "call",
  "connectionAccept",
  "connectionRequest",
  "connectionTermination",
  "credentials",
  "initiation",
  "leaseKeepalive",
  "leave",
  "list",
  "message",
];

story("with fixed timers no datagram of any kind is sent again within 10 s", (stage) => {
  stage.set({ loss: 0.3, jitter: 30 });
  const asked = new Map<string, number>();
  const kinds = new Map<string, number>();
  // Each Punch is answered by an Initiation.
  stage.network.script((datagram) => datagram.frame("punch") && "drop");
  /** When each client got a Connection Request: the Accept is its answer, as often as it comes. */
  const requestedAt = new Map<string, number>();
  stage.network.onDelivery = (datagram) => {
    const isRequest = allFrames(datagram).some(({ kind }) => kind === "connectionRequest");
    if (isRequest) requestedAt.set(datagram.to, stage.now);
    // Where the peer stays silent, the next Call asks anew.
    if (datagram.frame("meeting") ?? datagram.frame("inactive")) {
      for (const name of asked.keys()) {
        if (name.startsWith(`${datagram.to} directory call`)) asked.delete(name);
      }
    }
  };
  stage.network.onSend = (datagram) => {
    const isPassedOn = datagram.frame("carried") !== undefined;
    for (const frame of isPassedOn ? [] : allFrames(datagram)) {
      const question = questionIn(datagram, frame);
      if (question === undefined) continue;
      const name = `${datagram.from} ${datagram.to} ${frame.kind} ${question}`;
      const before = asked.get(name);
      asked.set(name, datagram.time);
      if (before === undefined) continue;
      const isAnswer = requestedAt.get(datagram.from) === datagram.time;
      if (frame.kind === "connectionAccept" && isAnswer) continue;
      const interval = datagram.time - before;
      assert(interval >= 10_000 - TIMER_SLACK, `${frame.kind} again after ${interval} ms`);
      kinds.set(frame.kind, (kinds.get(frame.kind) ?? 0) + 1);
    }
  };
  const actors = ["ana", "ben"].map((name) => stage.client(name)) as [Actor, Actor];
  // With some seeds 40 rounds lose too little to see all kinds again.
  const isDone = (round: number): boolean =>
    round >= 40 && (kinds.size === SENT_AGAIN.length || round >= 200);
  for (let round = 0; !isDone(round); round++) {
    const [ana, ben] = round % 2 === 0 ? actors : [actors[1], actors[0]];
    for (const each of [ana, ben]) if (each.view.state === "left") each.restart();
    stage.wait(31_000);
    if (ana.view.id === undefined || ben.view.id === undefined) continue;
    ana.list();
    ana.connect(ben.name);
    stage.wait(25_000);
    if (ben.view.requests.length > 0) ben.accept();
    stage.wait(11_000);
    ana.send("one", "two", "x".repeat(3000));
    ben.send("three");
    stage.wait(21_000);
    const leaver = round % 2 === 1 ? ben : undefined;
    if (round % 3 === 0) ana.terminate();
    leaver?.leave();
    stage.wait(31_000);
    if (ana.view.outgoing !== undefined) ana.cancel();
  }
  assertEquals([...kinds.keys()].sort(), SENT_AGAIN);
}, ["fixed"]);
