import { assert, assertEquals } from "@std/assert";
import type { Actor, Stage } from "./stage.ts";
import { story } from "./stage.ts";

/** Both are connected, by one connection, and nobody was asked. */
function assertOneConnection(stage: Stage, ana: Actor, ben: Actor): void {
  for (const each of [ana, ben]) {
    assertEquals(each.view.state, "connected");
    assertEquals(each.told("connected").length, 1);
    assertEquals(each.told("request"), []);
    assertEquals(each.told("terminated"), []);
    assertEquals(each.errors, []);
  }
  ana.send("from ana");
  ben.send("from ben");
  stage.wait(200);
  assertEquals([...ben.texts, ...ana.texts], ["from ana", "from ben"]);
}

story("two requests that cross are one connection, and nobody is asked", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect(2);
  ben.connect("ana");
  stage.wait(200);
  assertOneConnection(stage, ana, ben);
  assertEquals(stage.times("connectionAccept", ana), []);
  assertEquals(stage.times("connectionAccept", ben).length, 1);
});

for (const loser of ["ana", "ben"]) {
  story(`two requests that cross, ${loser}'s being lost, are one connection`, (stage) => {
    const actors = stage.clients("ana", "ben") as [Actor, Actor];
    const from = actors.find(({ name }) => name === loser)!;
    stage.lose("connectionRequest", { from });
    actors[0].connect(2);
    actors[1].connect(1);
    stage.wait(11_000);
    assertOneConnection(stage, ...actors);
  });
}

story("two requests that cross, the Accept being lost, are one connection", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.lose("connectionAccept");
  ana.connect(2);
  ben.connect(1);
  stage.wait(11_000);
  assertOneConnection(stage, ana, ben);
});

for (const slow of ["ana", "ben"]) {
  story(`a request that finds ${slow} still looking up is accepted`, (stage) => {
    const actors = stage.clients("ana", "ben") as [Actor, Actor];
    stage.delay("lookUp", 60, actors.find(({ name }) => name === slow));
    actors[0].connect(2);
    actors[1].connect(1);
    stage.wait(300);
    assertOneConnection(stage, ...actors);
  });
}

story("a look-up that a request overtook ends without a word", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.network.cut("ana", "directory", stage.now + 10_000);
  ana.connect("ben");
  ben.connect(1);
  stage.wait(200);
  // The directory has forgotten ben when it is asked.
  stage.network.cut("ben", "directory");
  stage.restartDirectory();
  stage.wait(60_000);
  assertOneConnection(stage, ana, ben);
  assertEquals(stage.times("inactive").length, 1);
  assertEquals(ana.told("inactive"), []);
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
  // Ben cancels what he drops, but that does not arrive in time.
  stage.lose("connectionTermination", { from: ben });
  ana.connect(2);
  ben.connect(1);
  stage.wait(2000);
  assert(stage.times("connectionRequest", ben).length > 1);
  assertOneConnection(stage, ana, ben);
});

story("a request under the id of the one that is requested, but from elsewhere, rings", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  // A third one says that it is ana, whom ben requests.
  const carl = stage.client("carl");
  stage.wait(100);
  stage.network.cut("ana", "ben");
  ana.connect(2);
  ben.connect(1);
  stage.wait(200);
  const request = stage.datagrams(ana).find((datagram) => datagram.frame("connectionRequest"))!;
  stage.network.transmit(carl.host.address, ben.host.address, request.bytes);
  stage.wait(100);
  assertEquals(ben.told("connected"), []);
  assertEquals(ben.told("request").length, 1);
  assertEquals(ben.view.state, "requesting");
});

story("a request that was dropped in a crossing ends where the other had cancelled", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  // Ben's request is late: ana has cancelled hers by then, and is asked.
  stage.delay("connectionRequest", 40, ben);
  ana.connect(2);
  ben.connect(1);
  stage.wait(50);
  ana.cancel();
  stage.wait(20);
  assertEquals(ben.told("connected").length, 1);
  stage.wait(11_000);
  assertEquals(ana.told("requestEnded").length, ana.told("request").length);
  assertEquals([ana, ben].map((each) => each.view.state), ["idle", "idle"]);
  assertEquals([ana, ben].map((each) => each.view.requests.length), [0, 0]);
});

story("a late copy of a request does not ring when the talk is over", (stage) => {
  const [ana, ben] = stage.pair();
  ana.terminate();
  stage.wait(100);
  const request = stage.datagrams(ana).find((datagram) => datagram.frame("connectionRequest"))!;
  stage.network.transmit(ana.host.address, ben.host.address, request.bytes);
  stage.wait(100);
  assertEquals(ben.told("request").length, 1);
  assertEquals([ana, ben].map((each) => each.view.state), ["idle", "idle"]);
});

story("a crossing that one side cancels ends for both", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect(2);
  ben.connect(1);
  stage.wait(70);
  ana.cancel();
  stage.wait(30_000);
  assertEquals(ana.view.state, "idle");
  assertEquals(ben.view.state, "idle");
});

story("both may connect and terminate at the same time, again and again", (stage) => {
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
    assertEquals(each.told("terminated").length, 30);
    assertEquals(each.told("terminated").filter(({ undelivered }) => undelivered > 0), []);
  }
});
