import { assertEquals } from "@std/assert";
import { KNOWN_PAUSE } from "../../client/state/callers.ts";
import { MISSED_REQUESTS_MAX } from "../../client/state/missed.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { RejectReason } from "../../protocol/wire/frame.ts";
import { type Actor, type Stage, story } from "./stage.ts";
import { requestAsStranger } from "./stranger.ts";

/** Ana (1), who is connected with ben (2), and then also with cleo (3). */
function three(stage: Stage): [Actor, Actor, Actor] {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  stage.connect(ana, ben);
  stage.connect(cleo, ana);
  return [ana, ben, cleo];
}

/** The peers of the current connection and of the others. */
function peers({ view: { peer, others } }: Actor): [number | undefined, number[]] {
  return [peer?.id, others.map(({ id }) => id)];
}

story(
  "a further connection becomes the current one",
  (stage) => {
    const [ana, ben, cleo] = three(stage);
    assertEquals(peers(ana), [3, [2]]);
    ana.send("to cleo");
    ben.send("from ben");
    stage.wait(100);
    assertEquals([ben.texts, cleo.texts, ana.texts], [[], ["to cleo"], ["from ben"]]);
    const dora = stage.client("dora");
    stage.wait(100);
    stage.connect(ana, dora);
    assertEquals(peers(ana), [4, [2, 3]]);
    assertEquals(ana.events("current"), []);
  },
);

story(
  "a message can name its peer, and switch makes another connection the current one",
  (stage) => {
    const [ana, ben, cleo] = three(stage);
    ana.sendTo(2, "by id");
    ana.sendTo("BEN", "by name");
    ana.switchTo("ben");
    assertEquals(peers(ana), [2, [3]]);
    ana.send("as the current one");
    ana.switchTo(3);
    ana.send("to cleo");
    stage.wait(100);
    assertEquals(ben.texts, ["by id", "by name", "as the current one"]);
    assertEquals(cleo.texts, ["to cleo"]);
    assertEquals(ana.events("current"), [
      { kind: "current", peer: 2, name: "ben", why: "chosen" },
      { kind: "current", peer: 3, name: "cleo", why: "chosen" },
    ]);
    ana.sendTo("dora", "x");
    ana.switchTo(7);
    assertEquals(ana.errors, ["notConnected", "notConnected"]);
  },
);

story("unconfirmed messages are counted for each connection", (stage) => {
  const [ana, ben] = three(stage);
  ana.sendTo(2, "an answer");
  assertEquals(ana.view.others.map(({ unconfirmed }) => unconfirmed), [1]);
  stage.wait(100);
  assertEquals(ana.view.others.map(({ unconfirmed }) => unconfirmed), [0]);
  ana.switchTo(2);
  ben.crash();
  ana.send("into the void");
  stage.wait(20_000);
  assertEquals([ana.view.peer?.unconfirmed, ana.view.others[0]?.unconfirmed], [1, 0]);
});

story("when a connection ends, the one that was current before becomes current again", (stage) => {
  const [ana, , cleo] = three(stage);
  cleo.terminate();
  stage.wait(100);
  assertEquals(ana.last("terminated").peer, 3);
  assertEquals(ana.last("current"), { kind: "current", peer: 2, name: "ben", why: "ended" });
  stage.connect(ana, cleo);
  const dora = stage.client("dora");
  stage.wait(100);
  stage.connect(ana, dora);
  for (const peer of [3, 2, 4]) ana.switchTo(peer);
  dora.terminate();
  stage.wait(100);
  assertEquals([peers(ana), ana.last("current").peer], [[2, [3]], 2]);
  cleo.terminate();
  stage.wait(100);
  assertEquals([peers(ana), ana.events("current").length], [[2, []], 5]);
});

story("terminate takes an id or a name, or ends the current connection", (stage) => {
  const [ana, ben, cleo] = three(stage);
  ana.terminate("ben");
  stage.wait(100);
  assertEquals([ben.last("terminated").by, cleo.events("terminated")], ["peer", []]);
  assertEquals([peers(ana), ana.events("current")], [[3, []], []]);
  ana.terminate(2);
  assertEquals(ana.errors, ["notConnected"]);
  stage.connect(ben, ana);
  ana.terminate();
  stage.wait(100);
  assertEquals([ben.events("terminated").length, peers(ana)], [2, [3, []]]);
});

story("terminate by name cancels a request beside a connection", (stage) => {
  const [ana, ben] = stage.pair();
  const cleo = stage.client("cleo");
  stage.wait(100);
  ana.connect("cleo");
  stage.wait(100);
  assertEquals([ana.view.state, ana.view.outgoing?.peer], ["connected", 3]);
  ana.terminate("Cleo");
  stage.wait(100);
  assertEquals([ana.view.outgoing, cleo.last("requestEnded").why], [undefined, "cancelled"]);
  assertEquals([ben.events("terminated"), ana.events("terminated")], [[], []]);
});

story("a client that leaves terminates all connections first", (stage) => {
  const [ana, ben, cleo] = three(stage);
  stage.lose("message", { times: 2 });
  ana.sendTo(2, "bye ben");
  ana.sendTo(3, "bye cleo");
  ana.leave();
  stage.wait(25_000);
  assertEquals([ben.texts, cleo.texts], [["bye ben"], ["bye cleo"]]);
  assertEquals([ben, cleo].map((each) => each.last("terminated").by), ["peer", "peer"]);
  assertEquals(ana.last("left"), { kind: "left", undelivered: 0, acknowledged: true });
  assertEquals(ana.events("current"), []);
});

story("a client that leaves counts the undelivered messages of all connections", (stage) => {
  const [ana, ben, cleo] = three(stage);
  for (const each of [ben, cleo]) each.crash();
  ana.sendTo(2, "one", "two");
  ana.sendTo(3, "three");
  ana.leave();
  stage.wait(61_000);
  assertEquals(ana.events("terminated").map(({ undelivered }) => undelivered), [2, 1]);
  assertEquals(ana.last("left").undelivered, 3);
});

story("a client with 16 connections is busy, and starts no other", (stage) => {
  const [ana, ...others] = stage.clients(
    ...["ana", ...Array.from({ length: CONNECTIONS_MAX + 1 }, (_, index) => `c${index}`)],
  ) as [Actor, ...Actor[]];
  const last = others.pop()!;
  for (const each of others.slice(1)) stage.connect(each, ana);
  last.connect(1);
  stage.wait(150);
  stage.connect(others[0]!, ana);
  ana.accept();
  assertEquals(ana.errors, ["tooManyConnections"]);
  last.cancel();
  // Before that the user would hear nothing about the same client again.
  stage.wait(KNOWN_PAUSE);
  last.connect(1);
  stage.wait(150);
  assertEquals(last.last("rejected").reason, RejectReason.busy);
  assertEquals(ana.last("requestEnded").why, "busy");
  ana.connect(last.id);
  assertEquals(ana.errors, ["tooManyConnections", "tooManyConnections"]);
  // A peer that comes back takes no further place.
  others[0]!.restart();
  stage.wait(100);
  others[0]!.connect(1);
  stage.wait(200);
  assertEquals(ana.events("returned").map(({ peer }) => peer), [2]);
  assertEquals(ana.view.others.length, CONNECTIONS_MAX - 1);
  others[1]!.terminate();
  stage.wait(100);
  last.connect(1);
  stage.wait(150);
  ana.accept();
  stage.wait(100);
  assertEquals(last.view.state, "connected");
}, ["adaptive"]);

story("a request that claims the id of a connected peer is rejected", (stage) => {
  const [ana, ben] = stage.pair();
  requestAsStranger(stage, ana, { id: ben.id, name: "ben" });
  assertEquals([ana.events("request"), ana.last("requestEnded").why], [[], "busy"]);
  ana.sendTo("ben", "for ben alone");
  stage.wait(100);
  assertEquals(ben.texts, ["for ben alone"]);
});

story(
  "a pending request that claims the id of a new peer is rejected",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    requestAsStranger(stage, ana, { id: ben.id, name: "ben" });
    ana.connect(2);
    stage.wait(150);
    ben.accept();
    stage.wait(100);
    assertEquals([ana.view.requests, ana.last("requestEnded").why], [[], "busy"]);
    assertEquals([peers(ana), ana.last("connected").key], [[2, []], ben.key]);
  },
);

story("a client with accept-all keeps its current connection", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  const auto = stage.client("auto", { acceptAll: true });
  stage.wait(100);
  for (const each of [ana, ben]) {
    each.connect("auto");
    stage.wait(100);
  }
  assertEquals(peers(auto), [1, [2]]);
  assertEquals(auto.events("connected").map(({ isAside }) => isAside), [undefined, true]);
  auto.send("for ana");
  stage.wait(100);
  assertEquals([ana.texts, ben.texts], [["for ana"], []]);
});

story("missed requests are listed, the latest first, until their client connects", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  ben.connect(1);
  stage.wait(100);
  ben.cancel();
  stage.wait(100);
  cleo.connect(1);
  stage.wait(100);
  cleo.crash();
  stage.wait(35_000);
  const dora = stage.client("dora");
  stage.wait(100);
  dora.connect(1);
  stage.wait(100);
  ana.listRequests();
  const { pending, missed } = ana.last("requests");
  assertEquals(pending, [{ id: dora.id, name: "dora", key: dora.key }]);
  assertEquals(missed.map(({ id, name, why }) => ({ id, name, why })), [
    { id: 3, name: "cleo", why: "expired" },
    { id: 2, name: "ben", why: "cancelled" },
  ]);
  assertEquals(missed.map(({ key }) => key), [cleo.key, ben.key]);
  const [ended] = ana.eventTimes("requestEnded");
  assertEquals(missed[1]!.agoMs, stage.now - ended!);
  stage.connect(ana, ben);
  ana.reject();
  ana.listRequests();
  const later = ana.last("requests");
  assertEquals([later.pending, later.missed.map(({ id }) => id)], [[], [3]]);
});

story("a bounded number of missed requests is kept, one for each client", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  for (let times = 0; times < 3; times++) {
    ben.connect(1);
    stage.wait(100);
    ben.cancel();
    stage.wait(100);
  }
  ana.listRequests();
  assertEquals(ana.last("requests").missed.length, 1);
  for (let id = 10; id < 10 + 3 * MISSED_REQUESTS_MAX; id++) {
    requestAsStranger(stage, ana, { id });
    stage.wait(900);
  }
  ana.listRequests();
  assertEquals(ana.last("requests").missed.length, MISSED_REQUESTS_MAX);
}, ["adaptive"]);
