import { assertEquals } from "@std/assert";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { type Actor, LEASE, stories, story } from "./stage.ts";

/** The peers that the client reports as returned to by itself. */
function goesOnWith(actor: Actor): number[] {
  return actor.events("returned").filter(({ who }) => who === "self").map(({ peer }) => peer);
}

story(
  "a killed client has its id and name at once, and calls its peer, which does not ring",
  (stage) => {
    const [ana, ben] = stage.pair();
    ben.send("delivered");
    stage.wait(100);
    ben.kill();
    ana.send("one", "two");
    stage.wait(1000);
    ana.send("three");
    ben.comeBack();
    stage.wait(1000);
    assertEquals([ben.id, ben.view.name, ben.view.state], [2, "ben", "connected"]);
    assertEquals(ben.texts, ["one", "two", "three"]);
    assertEquals([goesOnWith(ben), ana.events("returned").map(({ peer }) => peer)], [[1], [2]]);
    assertEquals([ana.events("request"), ana.events("terminated")], [[], []]);
    assertEquals([ana.errors, ben.errors, ana.events("requesting").length], [[], [], 1]);
    ben.send("back");
    stage.wait(stage.after(1000));
    assertEquals(ana.texts, ["delivered", "back"]);
  },
);

story("all conversations go on, and the one before is current again", (stage) => {
  const [ana, ben, cleo, dan] = stage.clients("ana", "ben", "cleo", "dan") as [
    Actor,
    Actor,
    Actor,
    Actor,
  ];
  for (const each of [ben, cleo, dan]) stage.connect(ana, each);
  ana.switchTo(3);
  ana.kill();
  for (const each of [ben, cleo, dan]) each.send(`from ${each.name}`);
  ana.comeBack();
  stage.wait(2000);
  assertEquals(goesOnWith(ana), [3, 4, 2]);
  assertEquals([ana.view.peer?.id, ana.view.others.map(({ id }) => id)], [3, [4, 2]]);
  assertEquals(ana.texts.toSorted(), ["from ben", "from cleo", "from dan"]);
});

story("a killed client whose lease has ended registers again, and calls no peer", (stage) => {
  const [ana, ben] = stage.pair();
  ben.kill();
  stage.wait(LEASE + 100);
  ben.comeBack();
  stage.wait(2000);
  assertEquals([ben.view.name, ben.view.state], ["ben", "idle"]);
  assertEquals([ana.events("request"), goesOnWith(ben), ben.events("notReturned")], [[], [], []]);
});

story("a peer that has ended the conversation meanwhile is not rung up for it", (stage) => {
  const [ana, ben] = stage.pair();
  ben.kill();
  ana.terminate();
  stage.wait(100);
  ben.comeBack();
  stage.wait(5_000 + stage.after(1000) + 3000);
  assertEquals(ben.events("notReturned").map(({ peer }) => peer), [1]);
  assertEquals([ben.view.state, ana.view.requests], ["idle", []]);
  assertEquals(ana.events("requestEnded").map(({ why }) => why), ["cancelled"]);
});

story("a peer that has left is not called", (stage) => {
  const [ana, ben] = stage.pair();
  ben.kill();
  ana.abandon();
  stage.wait(100);
  ben.comeBack();
  stage.wait(1000);
  assertEquals(ben.events("notReturned").map(({ peer, name }) => [peer, name]), [[1, "ana"]]);
  assertEquals([ben.view.state, ben.errors, ben.events("inactive")], ["idle", [], []]);
});

story("somebody else with the id of a peer is not called", (stage) => {
  const [ana, ben] = stage.pair();
  ben.kill();
  ana.abandon();
  stage.wait(100);
  const eve = stage.client("eve", { id: 1, identity: makeKeyPair(stage.network.prng.bytes) });
  stage.wait(100);
  ben.comeBack();
  stage.wait(2000);
  assertEquals([eve.id, eve.events("request")], [1, []]);
  assertEquals(ben.events("notReturned").length, 1);
});

stories("two that were both killed go on, whichever comes back first", [0, 1, 300, 2500], (
  stage,
  between,
) => {
  const [ana, ben] = stage.pair();
  for (const each of [ana, ben]) each.kill();
  ana.comeBack();
  stage.wait(between);
  ben.comeBack();
  stage.wait(10_000 + stage.after(1000) * 2);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
  assertEquals([ana.events("notReturned"), ben.events("notReturned")], [[], []]);
  ana.send("here we are");
  stage.wait(stage.after(1000));
  assertEquals(ben.texts, ["here we are"]);
});

story("a killed peer that comes back and calls first does not ring", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  for (const each of [ben, cleo]) stage.connect(ana, each);
  const rings = ana.events("request").length;
  for (const each of [ana, ben]) each.kill();
  cleo.crash();
  // It calls cleo first, who does not answer.
  ana.comeBack();
  stage.wait(1000);
  ben.comeBack();
  stage.wait(stage.after(1000));
  assertEquals([ben.view.state, goesOnWith(ana), goesOnWith(ben)], ["connected", [2], [1]]);
  assertEquals([ana.events("request").length, ana.view.requests], [rings, []]);
});

story(
  "a peer that does not answer holds up neither the others nor its caller, and is given up",
  (stage) => {
    const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
    for (const each of [cleo, ben]) stage.connect(ana, each);
    ana.kill();
    ben.crash();
    ana.comeBack();
    stage.wait(5_000 + stage.after(0) + 1000);
    assertEquals([goesOnWith(ana), ana.view.state], [[3], "connected"]);
    stage.wait(stage.silenceLimit + stage.after(0));
    assertEquals(ana.events("notReturned").map(({ peer }) => peer), [2]);
    assertEquals(ana.errors, []);
  },
);

story("what the user calls comes first, and the other conversations go on after it", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  stage.connect(ana, ben);
  ana.kill();
  stage.block(ana, ben, stage.now + 2000);
  ana.comeBack();
  stage.wait(500);
  ana.connect("cleo");
  stage.wait(300);
  cleo.accept();
  stage.wait(15_000 + stage.after(0) * 2);
  assertEquals([goesOnWith(ana), ana.view.peer?.id, ana.errors], [[2], 3, []]);
});

stories("a killed client whose user calls the same peer at once goes on like this", [
  ...Array.from({ length: 16 }, (_, index) => 85 + 10 * index),
], (stage, pause) => {
  const [ana, ben] = stage.pair();
  ana.send("before");
  stage.wait(100);
  ben.kill();
  ana.send("after");
  ben.comeBack();
  stage.wait(pause);
  const isBack = ben.view.state === "connected";
  ben.connect(pause % 20 === 5 ? "ana" : 1);
  stage.wait(stage.after(1000) + 1000);
  assertEquals([ben.texts, ben.view.state], [["before", "after"], "connected"]);
  assertEquals([goesOnWith(ben), ben.errors], [[1], isBack ? ["alreadyConnected"] : []]);
  assertEquals([ana.events("request"), ana.events("terminated")], [[], []]);
  assertEquals(ben.events("requesting").length, isBack ? 0 : 1);
});

story("the conversation that the user calls after a crash becomes the current one", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  for (const each of [cleo, ben]) stage.connect(ana, each);
  ana.kill();
  stage.block(ana, cleo, stage.now + 1000);
  ana.comeBack();
  stage.wait(500);
  assertEquals(ana.view.peer?.id, 2);
  ana.connect("cleo");
  stage.wait(15_000 + stage.after(0) * 2);
  assertEquals([goesOnWith(ana), ana.view.peer?.id, ana.errors], [[2, 3], 3, []]);
});

story("a conversation whose key the user has not trusted does not go on by itself", (stage) => {
  const [ana] = stage.clients("ana");
  const ben = stage.client("ben", { isTrustedPeer: () => false, isAttended: true });
  stage.wait(100);
  stage.connect(ben, ana!);
  assertEquals(ben.view.peer?.isHeld, true);
  ben.kill();
  ben.comeBack();
  stage.wait(1000);
  assertEquals([goesOnWith(ben), ben.view.state], [[], "idle"]);
});

story("of two killed clients of one key each comes back as itself", (stage) => {
  const identity = makeKeyPair(stage.network.prng.bytes);
  const [desk, phone] = stage.clientsWith({ identity }, "desk", "phone") as [Actor, Actor];
  const cleo = stage.client("cleo");
  stage.wait(100);
  for (const each of [desk, phone]) stage.connect(each, cleo);
  for (const each of [desk, phone]) each.kill();
  for (const each of [phone, desk]) each.comeBack();
  stage.wait(1000);
  assertEquals([desk, phone].map((each) => [each.id, each.view.name]), [[1, "desk"], [2, "phone"]]);
  for (const each of [desk, phone]) {
    cleo.sendTo(each.id, `to ${each.name}`);
    stage.wait(100);
    assertEquals(each.texts, [`to ${each.name}`]);
  }
});

story(
  "a client takes another name while it runs, and keeps its id and its conversation",
  (stage) => {
    const [ana, ben] = stage.pair();
    ben.rename("bruno");
    stage.wait(200);
    assertEquals([ben.id, ben.view.name, ben.view.state], [2, "bruno", "connected"]);
    ana.list();
    stage.wait(100);
    assertEquals(ana.last("list").clients.map(({ name }) => name), ["ana", "bruno"]);
    ben.rename("ana");
    stage.wait(200);
    assertEquals([ben.view.name, ben.errors], ["bruno", ["refused"]]);
    ben.send("still here");
    stage.wait(stage.after(1000));
    assertEquals(ana.texts, ["still here"]);
  },
);
