import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FakeRequest } from "../support/fake_peer.ts";
import type { Actor, Stage } from "./stage.ts";
import { story } from "./stage.ts";

/** Asserts that the two share one connection, and that no user was asked. */
function assertOneConnection(stage: Stage, ana: Actor, ben: Actor): void {
  for (const each of [ana, ben]) {
    assertEquals(each.view.state, "connected");
    assertEquals(each.events("connected").length, 1);
    assertEquals(each.events("request"), []);
    assertEquals(each.events("terminated"), []);
    assertEquals(each.errors, []);
  }
  ana.send("from ana");
  ben.send("from ben");
  stage.wait(200);
  assertEquals([...ben.texts, ...ana.texts], ["from ana", "from ben"]);
}

story("two requests that cross make one connection without asking", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect(2);
  ben.connect("ana");
  stage.wait(200);
  assertOneConnection(stage, ana, ben);
  assertEquals(stage.times("connectionAccept", ana), []);
  assertEquals(stage.times("connectionAccept", ben).length, 1);
});

for (const loser of ["ana", "ben"]) {
  story(`two requests that cross make one connection if that of ${loser} is lost`, (stage) => {
    const actors = stage.clients("ana", "ben") as [Actor, Actor];
    const from = actors.find(({ name }) => name === loser)!;
    stage.lose("connectionRequest", { from });
    actors[0].connect(2);
    actors[1].connect(1);
    stage.wait(11_000);
    assertOneConnection(stage, ...actors);
  });
}

story("two requests that cross make one connection if the Accept is lost", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.lose("connectionAccept");
  ana.connect(2);
  ben.connect(1);
  stage.wait(11_000);
  assertOneConnection(stage, ana, ben);
});

for (const slow of ["ana", "ben"]) {
  story(`a request that arrives during the look-up of ${slow} is accepted`, (stage) => {
    const actors = stage.clients("ana", "ben") as [Actor, Actor];
    stage.delay("lookUp", 60, actors.find(({ name }) => name === slow));
    actors[0].connect(2);
    actors[1].connect(1);
    stage.wait(300);
    assertOneConnection(stage, ...actors);
  });
}

story(
  "a request that arrives during the look-up of its sender waits for the directory",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    stage.network.cut("ana", "directory", stage.now + 3000);
    ana.connect("ben");
    ben.connect(1);
    // Any client can claim to be ben: ana is not asked, and nothing is accepted.
    stage.wait(2500);
    assertEquals([ana.events("request"), ana.events("connected")], [[], []]);
    stage.wait(11_000);
    assertOneConnection(stage, ana, ben);
  },
);

story("a request that arrives during a look-up rings when the look-up fails", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.network.cut("ana", "directory", stage.now + 10_000);
  ana.connect("ben");
  ben.connect(1);
  stage.wait(200);
  // The directory has lost ben before it gets the look-up.
  stage.network.cut("ben", "directory");
  stage.restartDirectory();
  stage.wait(20_000);
  assertEquals(stage.times("inactive").length, 1);
  assertEquals(ana.events("inactive"), [{ kind: "inactive", peer: "ben" }]);
  assertEquals(ana.events("request").length, 1);
  ana.accept();
  stage.wait(100);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
});

story("a late copy of a request that crossed does not ring", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.network.script((datagram) => {
    // A second copy of ben's request, half a second later.
    if (datagram.from !== "ben" || datagram.frame("connectionRequest") === undefined) return;
    if (datagram.time > 1000) return undefined;
    stage.network.at(datagram.time + 500, () => {
      stage.network.transmit(ben.host.address, ana.host.address, datagram.bytes);
    });
    return undefined;
  });
  // Ben cancels the request that he drops, but the cancellation is lost.
  stage.lose("connectionTermination", { from: ben });
  ana.connect(2);
  ben.connect(1);
  stage.wait(2000);
  assert(stage.times("connectionRequest", ben).length > 1);
  assertOneConnection(stage, ana, ben);
});

story("a copied request that crossed connects only with its owner", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  const elsewhere = { hostname: "192.0.2.1", port: 9 };
  stage.network.cut("ana", "ben", stage.now + 5000);
  ana.connect(2);
  ben.connect(1);
  stage.wait(200);
  const request = stage.datagrams(ana).find((datagram) => datagram.frame("connectionRequest"))!;
  stage.network.transmit(elsewhere, ben.host.address, request.bytes);
  stage.wait(100);
  // The Accept went to the copier, which cannot decrypt it.
  assertEquals(stage.datagrams(ben).at(-1)!.to, "192.0.2.1:9");
  stage.wait(15_000);
  assertOneConnection(stage, ana, ben);
  assertEquals(stage.datagrams(ben).at(-1)!.to, "ana");
});

story(
  "a request with the id of the requested client, but another key, rings",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    stage.network.cut("ana", "ben");
    ana.connect(2);
    ben.connect(1);
    stage.wait(200);
    const fields = { requester: ana.id, responder: ben.id, name: "ana" };
    const { bytes } = new FakeRequest(stage.network.prng.bytes, ben.key, fields);
    stage.network.transmit({ hostname: "192.0.2.66", port: 666 }, ben.host.address, bytes);
    stage.wait(100);
    assertEquals(ben.events("connected"), []);
    assertEquals(ben.events("request").map(({ peer }) => peer), [1]);
    assertNotEquals(ben.last("request").key, ana.key);
    assertEquals(ben.view.state, "requesting");
  },
);

story(
  "a request that was dropped in a crossing ends if the peer had cancelled its own",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    // Ben's request is delayed: ana has cancelled her request before, and is asked.
    stage.delay("connectionRequest", 40, ben);
    ana.connect(2);
    ben.connect(1);
    stage.wait(50);
    ana.cancel();
    stage.wait(20);
    assertEquals(ben.events("connected").length, 1);
    stage.wait(11_000);
    assertEquals(ana.events("requestEnded").length, ana.events("request").length);
    assertEquals([ana, ben].map((each) => each.view.state), ["idle", "idle"]);
    assertEquals([ana, ben].map((each) => each.view.requests.length), [0, 0]);
  },
);

story("a late copy of a request does not ring after the connection ended", (stage) => {
  const [ana, ben] = stage.pair();
  ana.terminate();
  stage.wait(100);
  const request = stage.datagrams(ana).find((datagram) => datagram.frame("connectionRequest"))!;
  stage.network.transmit(ana.host.address, ben.host.address, request.bytes);
  stage.wait(100);
  assertEquals(ben.events("request").length, 1);
  assertEquals([ana, ben].map((each) => each.view.state), ["idle", "idle"]);
});

story("a crossing that one side cancels ends at both", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect(2);
  ben.connect(1);
  stage.wait(70);
  ana.cancel();
  stage.wait(30_000);
  assertEquals(ana.view.state, "idle");
  assertEquals(ben.view.state, "idle");
});

story("both can connect and terminate at the same time repeatedly", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  for (let round = 1; round <= 30; round++) {
    ana.connect(2);
    ben.connect(1);
    stage.wait(200);
    ana.send(`a${round}`);
    ben.send(`b${round}`);
    ana.terminate();
    ben.terminate();
    stage.wait(300);
  }
  assertEquals(ana.texts.length, 30);
  assertEquals(ben.texts.length, 30);
  for (const each of [ana, ben]) {
    assertEquals(each.events("terminated").length, 30);
    assertEquals(each.events("terminated").filter(({ undelivered }) => undelivered > 0), []);
  }
});
