import { assert, assertEquals, assertGreater } from "@std/assert";
import type { Frame } from "../../protocol/wire/frame.ts";
import { type Actor, story } from "./stage.ts";

/** Milliseconds from `connect` to a cancellation, and the datagrams one of which is lost. */
const STAGES: readonly [when: string, after: number, kinds: readonly Frame["kind"][]][] = [
  ["during the call", 10, ["call", "meeting"]],
  ["while the Initiation is under way", 50, ["initiation"]],
  ["while the Response is under way", 70, ["initiation", "response"]],
  [
    "while the Request is under way",
    90,
    ["response", "connectionRequest", "connectionTermination", "connectionTerminationAck"],
  ],
  ["while the Ringing is under way", 110, ["connectionRequest", "ringing"]],
  ["while it rings", 5000, ["ringing", "connectionTermination", "connectionTerminationAck"]],
];

for (const [when, after, kinds] of STAGES) {
  for (const kind of kinds) {
    story(`a request that is cancelled ${when} ends at both, although a ${kind} frame is lost`, (
      stage,
    ) => {
      const [ana, ben] = stage.clients("ana", "ben");
      stage.lose(kind);
      ana!.connect(2);
      stage.wait(after);
      ana!.cancel();
      const since = stage.now;
      stage.wait(60_000);
      assertEquals([ana!.view.state, ana!.events("cancelled").length], ["idle", 1]);
      assertEquals([ben!.view.requests, ben!.events("connected"), ana!.errors], [[], [], []]);
      const rings = ben!.events("request").length;
      assert(rings <= 1, `${rings} requests`);
      assertEquals(ben!.events("requestEnded").map(({ why }) => why), rings ? ["cancelled"] : []);
      const endedAt = ben!.eventTimes("requestEnded", since)[0] ?? 0;
      assert(endedAt <= stage.after(1000) + 20, `it ended after ${endedAt} ms`);
    });
  }
}

story("a request that is cancelled during the call never rings", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect("ben");
  ana!.cancel();
  stage.wait(1000);
  assertEquals(ana!.events("cancelled"), [{ kind: "cancelled", peer: "ben", name: "ben" }]);
  assertEquals(stage.times("initiation"), []);
  assertEquals(ben!.events("request"), []);
  assertEquals(ana!.view.state, "idle");
});

story("a request that is cancelled before it has a session never rings", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(70);
  assertGreater(stage.times("response", ben).length, 0);
  ana!.cancel();
  const since = stage.now;
  stage.wait(30_000);
  assertEquals(stage.times("initiation", undefined, since), []);
  assertEquals(stage.times("connectionRequest"), []);
  assertEquals(ben!.events("request"), []);
  assertEquals([ana!.view.state, ana!.events("cancelled").length], ["idle", 1]);
});

story("a request that is cancelled before it rings ends at the peer", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(90);
  ana!.cancel();
  stage.wait(1000);
  assertEquals(ben!.events("request").length, 1);
  assertEquals(ben!.events("requestEnded"), [
    { kind: "requestEnded", peer: 1, name: "ana", why: "cancelled" },
  ]);
  assertEquals(ana!.events("ringing"), []);
  assertEquals(ana!.view.state, "idle");
});

story("a request that is cancelled while it rings ends at the peer", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(5000);
  ana!.cancel();
  stage.wait(100);
  assertEquals(ben!.last("requestEnded").why, "cancelled");
  ben!.accept();
  assertEquals(ben!.errors, ["noRequest"]);
  const since = stage.now;
  stage.wait(12_000);
  assertEquals(stage.times("connectionRequest", undefined, since), []);
  assertEquals(stage.times("connectionTermination", undefined).length, 1);
});

story("a cancellation is sent until it is acknowledged, at most three times", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(150);
  stage.lose("connectionTermination");
  ana!.cancel();
  stage.wait(11_000);
  assertEquals(ben!.events("requestEnded").length, 1);
  assertEquals(stage.times("connectionTermination").length, 2);
  ana!.connect(2);
  stage.wait(150);
  ben!.crash();
  const since = stage.now;
  ana!.cancel();
  stage.wait(60_000);
  const fixed = [0, 10_000, 20_000];
  assertEquals(
    stage.times("connectionTermination", ana, since),
    stage.mode === "fixed" ? fixed : [0, 1000, 3000],
  );
});

story("a cancellation that crosses the Accept ends the connection", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(100);
  ben!.accept();
  ana!.cancel();
  stage.wait(100);
  assertEquals(ana!.events("connected"), []);
  assertEquals(ana!.events("cancelled").length, 1);
  assertEquals(ben!.events("connected").length, 1);
  assertEquals(ben!.last("terminated"), {
    kind: "terminated",
    peer: 1,
    name: "ana",
    by: "peer",
    undelivered: 0,
  });
  assertEquals([ana, ben].map((each) => each!.view.state), ["idle", "idle"]);
});

for (
  const kind of ["connectionAccept", "connectionTermination", "connectionTerminationAck"] as const
) {
  story(`a cancellation that crosses the Accept ends both, although a ${kind} frame is lost`, (
    stage,
  ) => {
    const [ana, ben] = stage.clients("ana", "ben");
    ana!.connect(2);
    stage.wait(150);
    stage.lose(kind);
    ben!.accept();
    ben!.send("never shown");
    ana!.cancel();
    stage.wait(70_000);
    assertEquals([ana!.events("connected"), ana!.events("cancelled").length], [[], 1]);
    assertEquals(ben!.events("terminated").map(({ by, undelivered }) => [by, undelivered]), [
      ["peer", 1],
    ]);
    assertEquals([ana!.view.state, ben!.view.state, ana!.texts], ["idle", "idle", []]);
  });
}

story("a cancellation that overtakes its request keeps it from ringing", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  stage.delay("connectionRequest", 300);
  ana!.connect(2);
  stage.wait(90);
  ana!.cancel();
  stage.wait(11_000);
  assertEquals([ben!.events("request"), ben!.view.requests], [[], []]);
  assertEquals(stage.times("connectionTermination", ana).length, 1);
  assertEquals(stage.times("connectionTerminationAck", ben).length, 1);
});

story("cancel without a request is an error", (stage) => {
  const [ana] = stage.clients("ana");
  ana!.cancel();
  assertEquals(ana!.errors, ["noRequest"]);
});

story("terminate without a connection cancels the request", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(100);
  ana!.terminate();
  stage.wait(100);
  assertEquals(ana!.events("cancelled").length, 1);
  assertEquals(ben!.last("requestEnded").why, "cancelled");
  ana!.terminate();
  assertEquals(ana!.errors, ["notConnected"]);
});

story("the call of an earlier run, under another id, ends when its client is reached", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ben.connect(1);
  stage.wait(200);
  ben.restart({ id: 7 });
  stage.wait(200);
  ana.connect(7);
  stage.wait(200);
  ben.accept();
  stage.wait(200);
  assertEquals(ana.events("request").map(({ peer }) => peer), [2]);
  assertEquals(ana.events("requestEnded").map(({ peer, why }) => [peer, why]), [[2, "cancelled"]]);
  ana.accept();
  assertEquals([ana.view.peer?.id, ana.view.others], [7, []]);
});

story("a pending request expires 35 s after its requester went silent", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(100);
  const since = stage.now;
  ana!.crash();
  stage.wait(60_000);
  assertEquals(ben!.events("requestEnded"), [
    { kind: "requestEnded", peer: 1, name: "ana", why: "expired" },
  ]);
  const [requestedAt] = ben!.eventTimes("request");
  assertEquals(ben!.eventTimes("requestEnded", since), [requestedAt! + 35_000 - since]);
  assertEquals(ben!.view.requests, []);
});

story("a requester gives up after 120 s without an answer", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  stage.cut(ana!, ben!);
  const since = stage.now;
  ana!.connect(2);
  stage.wait(200_000);
  assertEquals(ana!.eventTimes("error", since), [120_040]);
  assertEquals(ana!.errors, ["peerTimeout"]);
  assertEquals(ana!.view.state, "idle");
  assertEquals(ben!.events("request"), []);
});

story("a requester gives up after 600 s without a decision", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  const since = stage.now;
  ana!.connect(2);
  stage.wait(700_000);
  assertEquals(ana!.eventTimes("error", since), [600_040]);
  assertEquals(ben!.events("requestEnded").map(({ why }) => why), ["expired"]);
});

story("a client that leaves cancels its request, and answers pending ones as inactive", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo");
  ana!.connect(2);
  stage.wait(100);
  cleo!.connect(1);
  stage.wait(100);
  ana!.leave();
  stage.wait(100);
  assertEquals(ben!.last("requestEnded").why, "cancelled");
  assertEquals(cleo!.events("inactive"), [{ kind: "inactive", peer: 1 }]);
  assertEquals(ana!.last("left").acknowledged, true);
});

story(
  "a request is rejected if the peer terminated before its Accept arrived",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben");
    ana!.connect(2);
    stage.wait(100);
    // Nothing arrives until ben has given up.
    stage.cut(ana!, ben!, stage.now + 32_000);
    ben!.accept();
    ben!.terminate();
    stage.wait(31_000);
    assertEquals(ben!.last("terminated").by, "timeout");
    stage.wait(10_000);
    assertEquals(ana!.events("rejected").length, 1);
    assertEquals(ana!.view.state, "idle");
  },
);

story("a Termination that overtakes the Accept waits for it", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(100);
  stage.delay("connectionAccept", 30);
  ben!.accept();
  ben!.terminate();
  stage.wait(11_000);
  assertEquals(ana!.events("connected").length, 1);
  assertEquals(ana!.last("terminated").by, "peer");
  assertEquals(ben!.last("terminated").by, "local");
});
