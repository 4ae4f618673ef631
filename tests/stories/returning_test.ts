import { assertEquals, assertGreater } from "@std/assert";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { RejectReason } from "../../protocol/wire/frame.ts";
import { type Actor, LEASE, type Stage, stories, story } from "./stage.ts";

/** Restarts a client, which then connects to the other one. */
function comeBack(stage: Stage, back: Actor, to: Actor): void {
  back.restart();
  stage.wait(100);
  back.connect(to.id);
  stage.wait(150);
}

/** Asserts that one is back as often as said, without having rung, and that both are told. */
function assertBack(back: Actor, other: Actor, times = 1): void {
  assertEquals([back, other].map((each) => each.view.state), ["connected", "connected"]);
  assertEquals(other.events("returned").map(({ who, peer }) => [who, peer]), [
    ...Array<unknown>(times).fill(["peer", back.id]),
  ]);
  const { hash } = other.last("returned");
  assertEquals(back.last("returned"), {
    kind: "returned",
    who: "self",
    peer: other.id,
    name: other.name,
    key: other.key,
    hash,
  });
  assertEquals(back.last("connected").hash, hash);
  assertEquals(other.last("returned").key, back.key);
  // For the other one the conversation goes on.
  assertEquals([other.events("connected").length, other.events("terminated")], [1, []]);
  assertEquals([back.errors, other.errors, other.view.requests], [[], [], []]);
}

/** Asserts that texts go both ways, as in any connection. */
function assertTalking(stage: Stage, ana: Actor, ben: Actor): void {
  const word = `at ${stage.now}`;
  ana.send(`ana ${word}`, "and more");
  ben.send(`ben ${word}`);
  stage.wait(stage.after(1000) + 200);
  assertEquals(ben.texts.slice(-2), [`ana ${word}`, "and more"]);
  assertEquals(ana.texts.at(-1), `ben ${word}`);
  assertEquals([ana, ben].map((each) => each.view.peer?.unconfirmed), [0, 0]);
}

for (const name of ["ana", "ben"]) {
  story(`${name}, who started again, is accepted without ringing, and both are told`, (stage) => {
    const [ana, ben] = stage.pair();
    const [back, other] = name === "ana" ? [ana, ben] : [ben, ana];
    const rings = [ana, ben].map((each) => each.events("request").length);
    ana.send("before");
    ben.send("before, too");
    stage.wait(100);
    comeBack(stage, back, other);
    assertBack(back, other);
    assertEquals([ana, ben].map((each) => each.events("request").length), rings);
    assertTalking(stage, ana, ben);
    // What was delivered before is not sent again; each session counts its texts from 0.
    assertEquals(other.events("message").map(({ textSeq }) => textSeq).slice(0, 2), [0, 0]);
    assertEquals([ana.texts.length, ben.texts.length], [2, 3]);
    back.terminate();
    stage.wait(200);
    assertEquals([back, other].map((each) => each.last("terminated").by), ["local", "peer"]);
    assertEquals([back, other].map((each) => each.view.state), ["idle", "idle"]);
  });

  story(`texts that ${name} did not get before a crash follow in order, once`, (stage) => {
    const [ana, ben] = stage.pair();
    const [back, other] = name === "ana" ? [ana, ben] : [ben, ana];
    other.send("delivered");
    stage.wait(100);
    back.crash();
    const long = "x".repeat(30_000);
    other.send("one", long, "two");
    stage.wait(2000);
    other.send("three");
    comeBack(stage, back, other);
    other.send("four");
    stage.wait(1000);
    assertBack(back, other);
    assertEquals(back.texts, ["delivered", "one", long, "two", "three", "four"]);
    assertEquals(other.events("delivered").map(({ textSeq }) => textSeq), [0, 1, 2, 3, 4, 5]);
    assertEquals(other.events("sent").map(({ textSeq }) => textSeq), [0, 1, 2, 3, 4, 5]);
    assertTalking(stage, ana, ben);
  });
}

story(
  "a long text of which only a part arrived before a crash is sent again as a whole",
  (stage) => {
    const [ana, ben] = stage.pair();
    const text = Array.from({ length: 8000 }, (_, index) => `${index}`).join(" ");
    stage.lose("message");
    ana.send(text, "after it");
    stage.wait(60);
    ben.crash();
    assertGreater(stage.times("message", ana).length, 3);
    assertEquals(ben.texts, []);
    comeBack(stage, ben, ana);
    stage.wait(stage.after(1000) + 2000);
    assertEquals(ben.texts, [text, "after it"]);
    assertEquals(ana.events("delivered").map(({ textSeq }) => textSeq), [0, 1]);
    assertTalking(stage, ana, ben);
  },
);

/** The datagrams between the two that may be lost while one comes back. */
const LOST = Array.from({ length: 10 }, (_, first) => first).flatMap((first) =>
  Array.from({ length: 10 - first }, (_, more) => [first, first + more])
);

stories("a peer comes back, and texts follow once, whichever two datagrams are lost", LOST, (
  stage,
  lost,
) => {
  const [ana, ben] = stage.pair();
  ben.crash();
  ana.send("one", "two");
  stage.wait(500);
  ben.restart();
  stage.wait(100);
  let count = 0;
  stage.network.script(({ from, to }) => {
    const isBetween = from !== "directory" && to !== "directory";
    return isBetween && lost.includes(count++) ? "drop" : undefined;
  });
  ben.connect(1);
  stage.wait(stage.after(1000) * 4);
  assertBack(ben, ana);
  assertEquals(ben.texts, ["one", "two"]);
  assertEquals(ana.events("delivered").map(({ textSeq }) => textSeq), [0, 1]);
  assertTalking(stage, ana, ben);
});

story("a peer comes back from another address and port", (stage) => {
  const [ana, ben] = stage.pair();
  ben.crash();
  ana.send("where are you?");
  // Its id is its own again when the lease of the run before has ended.
  stage.wait(LEASE);
  ben.host.move({ hostname: "198.51.100.7", port: 50_000 });
  ben.restart({ id: 2 });
  stage.wait(100);
  ben.connect(1);
  stage.wait(200);
  assertBack(ben, ana);
  assertEquals(ben.texts, ["where are you?"]);
  assertTalking(stage, ana, ben);
});

story("a peer comes back twice, and three times", (stage) => {
  const [ana, ben] = stage.pair();
  for (let times = 1; times <= 3; times++) {
    ben.crash();
    ana.send(`text ${times}`);
    comeBack(stage, ben, ana);
    stage.wait(200);
    assertBack(ben, ana, times);
  }
  assertEquals(ben.texts, ["text 1", "text 2", "text 3"]);
  assertTalking(stage, ana, ben);
});

story("a peer that crashes before it has heard that it is back, comes back again", (stage) => {
  const [ana, ben] = stage.pair();
  ben.crash();
  ana.send("text");
  for (let times = 1; times <= 2; times++) {
    stage.lose("connectionAccept");
    ben.restart();
    stage.wait(100);
    ben.connect(1);
    stage.wait(110);
    assertEquals([ana.events("returned").length, ben.view.state], [times, "requesting"]);
  }
  comeBack(stage, ben, ana);
  stage.wait(200);
  assertBack(ben, ana, 3);
  assertEquals(ben.texts, ["text"]);
  assertTalking(stage, ana, ben);
});

story("what the run before sent, and comes late, changes nothing", (stage) => {
  const [ana, ben] = stage.pair();
  stage.delay("message", 1000, ben);
  ben.send("late");
  comeBack(stage, ben, ana);
  stage.wait(2000);
  assertBack(ben, ana);
  assertEquals(ana.texts, []);
  assertTalking(stage, ana, ben);
});

story("a peer that gave the connection up, while its own peer did not, comes back", (stage) => {
  const [ana, ben] = stage.pair();
  stage.block(ana, ben, stage.now + stage.silenceLimit + 2_000);
  stage.wait(stage.silenceLimit + 1_000);
  assertEquals([ben.last("terminated").by, ana.events("terminated")], ["timeout", []]);
  ana.send("are you there?");
  stage.wait(1500);
  ben.connect(1);
  stage.wait(200);
  assertBack(ben, ana);
  stage.wait(100);
  assertEquals(ben.texts, ["are you there?"]);
  assertTalking(stage, ana, ben);
});

/** States of the old connection in which its peer is not accepted without being asked. */
const ENDINGS: Readonly<Record<string, (stage: Stage, ana: Actor, ben: Actor) => void>> = {
  "is draining": (_stage, ana, ben) => {
    ben.crash();
    ana.send("one");
    ana.terminate();
  },
  "is terminating": (_stage, ana, ben) => {
    ben.crash();
    ana.terminate();
  },
  "is flushing": (stage, ana, ben) => {
    stage.block(ana, ben, stage.now + 300);
    ana.send("one");
    ben.terminate();
    stage.wait(100);
    ben.crash();
  },
  "has just ended": (stage, ana, ben) => {
    ana.terminate();
    stage.wait(100);
    ben.crash();
  },
};

for (const [state, end] of Object.entries(ENDINGS)) {
  story(`a peer that comes back while the connection ${state}, rings`, (stage) => {
    const [ana, ben] = stage.pair();
    end(stage, ana, ben);
    stage.wait(500);
    const undelivered = ana.view.peer?.unconfirmed ?? 0;
    comeBack(stage, ben, ana);
    assertEquals(ana.events("request").map(({ peer }) => peer), [2]);
    assertEquals(ana.events("terminated").map(({ undelivered }) => undelivered), [undelivered]);
    ana.accept();
    stage.wait(200);
    assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
    assertEquals([...ana.events("returned"), ...ben.events("returned")], []);
    assertTalking(stage, ana, ben);
    // The texts of the old connection were reported as undelivered.
    assertEquals(ben.texts.filter((text) => text === "one"), []);
    stage.wait(60_000);
    assertEquals(ana.events("terminated").length, 1);
  });
}

story("a peer that was blocked meanwhile is rejected, and does not come back", (stage) => {
  let isBlocked = false;
  const ana = stage.client("ana", { isBlocked: () => isBlocked });
  stage.wait(100);
  const ben = stage.client("ben");
  stage.wait(100);
  stage.connect(ana, ben);
  isBlocked = true;
  comeBack(stage, ben, ana);
  assertEquals(ben.events("rejected"), [
    { kind: "rejected", peer: 1, name: "ana", reason: RejectReason.declined },
  ]);
  assertEquals([...ana.events("request"), ...ana.events("returned")], []);
  stage.wait(stage.silenceLimit + 1_000);
  assertEquals([ana.last("terminated").by, ana.view.state], ["timeout", "idle"]);
});

story(
  "somebody else with the id of a peer that crashed is busy, and is not taken for it",
  (stage) => {
    const [ana, ben] = stage.pair();
    ben.crash();
    ana.send("for ben alone");
    stage.wait(LEASE);
    const eve = stage.client("eve", { id: 2, identity: makeKeyPair(stage.network.prng.bytes) });
    stage.wait(100);
    assertEquals(eve.id, 2);
    eve.connect(1);
    stage.wait(200);
    assertEquals(eve.events("rejected"), [{
      kind: "rejected",
      peer: 1,
      name: "ana",
      reason: RejectReason.busy,
    }]);
    assertEquals([ana.last("requestEnded").why, ana.events("request")], ["busy", []]);
    assertEquals([ana.events("returned"), eve.texts], [[], []]);
    stage.wait(stage.silenceLimit - 40_000);
    assertEquals(ana.last("terminated"), {
      kind: "terminated",
      peer: 2,
      name: "ben",
      by: "timeout",
      undelivered: 1,
    });
  },
);

story("two that both start again know nothing of one another: the request rings", (stage) => {
  const [ana, ben] = stage.pair();
  ana.send("lost with this run");
  [ana, ben].forEach((each) => each.restart());
  stage.wait(100);
  ana.connect("ben");
  stage.wait(200);
  assertEquals(ben.events("request").length, 2);
  ben.accept();
  stage.wait(100);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
  assertEquals([...ana.events("returned"), ...ben.events("returned")], []);
  assertTalking(stage, ana, ben);
});

stories("two that both start again, and connect at once, cross", ["ana", "ben"], (stage, lower) => {
  const [ana, ben] = stage.keyed(lower);
  stage.connect(ana, ben);
  [ana, ben].forEach((each) => each.restart());
  stage.wait(100);
  ana.connect(2);
  ben.connect(1);
  stage.wait(200);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
  assertEquals([ana, ben].map((each) => each.events("connected").length), [2, 2]);
  assertEquals([ana.events("request"), ben.events("request").length], [[], 1]);
  assertEquals([...ana.events("returned"), ...ben.events("returned")], []);
  assertTalking(stage, ana, ben);
});

story("of two clients of one key, one comes back, and the other is not touched", (stage) => {
  const identity = makeKeyPair(stage.network.prng.bytes);
  const [desk, phone] = stage.clientsWith({ identity }, "desk", "phone") as [Actor, Actor];
  const cleo = stage.client("cleo");
  stage.wait(100);
  for (const each of [desk, phone]) stage.connect(each, cleo);
  comeBack(stage, phone, cleo);
  assertEquals(cleo.events("returned").map(({ peer }) => peer), [2]);
  assertEquals([cleo.events("connected").length, cleo.events("terminated")], [2, []]);
  for (const each of [desk, phone]) {
    cleo.sendTo(each.id, `to ${each.name}`);
    stage.wait(100);
    assertEquals(each.texts, [`to ${each.name}`]);
  }
});
