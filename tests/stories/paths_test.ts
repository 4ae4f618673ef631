// The kind of path that a connection uses, and what the user is told about it.
import { assertEquals, assertLess } from "@std/assert";
import type { Instant } from "../../protocol/machine.ts";
import { type Actor, type Stage, story } from "./stage.ts";

/** Loses what goes from one client straight to the other: only the directory gets through. */
function cutDirect(stage: Stage, one: Actor, other: Actor, until: Instant = Infinity): void {
  const names = [one.name, other.name];
  stage.network.script(({ from, to }) =>
    stage.now < until && names.includes(from) && names.includes(to) ? "drop" : undefined
  );
}

/** Connects ana and ben, where nothing direct gets through until then. */
function carriedPair(stage: Stage, until: Instant): [Actor, Actor] {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  cutDirect(stage, ana, ben, until);
  ana.connect(2);
  stage.wait(stage.after(300) + 500);
  ben.accept();
  stage.wait(500);
  return [ana, ben];
}

/** What a client reports about its path: the kinds that it changed to, each with the one before. */
function pathsOf(actor: Actor): string[] {
  return actor.events("path").map(({ path, before }) => `${before} → ${path}`);
}

/** Asserts that each end says something that the other one hears at once, and nothing is missing. */
function assertTalking(stage: Stage, ana: Actor, ben: Actor): void {
  const text = `at ${stage.now}`;
  for (const each of [ana, ben]) each.send(text);
  stage.wait(500);
  assertEquals([ana.texts.at(-1), ben.texts.at(-1)], [text, text]);
  assertEquals([ana, ben].map(({ view }) => view.peer?.unconfirmed), [0, 0]);
}

story(
  "the directory carries a connection where nothing direct gets through, until it does",
  (stage) => {
    const healing = stage.now + 60_000;
    const [ana, ben] = carriedPair(stage, healing);
    for (const each of [ana, ben]) {
      assertEquals(each.last("connected").path, "carried");
      assertEquals(each.view.peer?.isCarried, true);
    }
    assertTalking(stage, ana, ben);
    stage.wait(healing - stage.now);
    // It is looked for a better path every 25 s.
    stage.wait(30_000);
    for (const [actor, peer] of [[ana, ben], [ben, ana]] as const) {
      assertEquals(pathsOf(actor), ["carried → lan"]);
      const { name, address } = actor.last("path");
      assertEquals([actor.last("path").peer, name, address], [
        peer.id,
        peer.name,
        peer.host.address,
      ]);
      assertEquals(actor.view.peer?.isCarried, false);
      assertEquals(actor.events("terminated"), []);
    }
    const since = stage.now;
    assertTalking(stage, ana, ben);
    assertEquals(stage.times("carry", undefined, since), []);
  },
);

story("a direct connection that is cut is carried, and goes direct again", (stage) => {
  const [ana, ben] = stage.pair();
  assertEquals([ana, ben].map((each) => each.last("connected").path), ["lan", "lan"]);
  stage.wait(3000);
  const [since, healing] = [stage.now, stage.now + 60_000];
  cutDirect(stage, ana, ben, healing);
  ana.send("can you hear me?");
  stage.wait(50_000);
  assertEquals(ben.texts, ["can you hear me?"]);
  assertEquals([ana, ben].map(pathsOf), [["lan → carried"], ["lan → carried"]]);
  // 5 s of silence, 10 s more with fixed timers, and the old path has to be found silent.
  assertLess(ana.eventTimes("path", since)[0]!, stage.mode === "fixed" ? 35_000 : 12_000);
  assertTalking(stage, ana, ben);
  stage.wait(healing + 30_000 - stage.now);
  const both = ["lan → carried", "carried → lan"];
  assertEquals([ana, ben].map(pathsOf), [both, both]);
  assertTalking(stage, ana, ben);
});

story("a peer that comes back by another kind of path is reported", (stage) => {
  const healing = stage.now + 15_000;
  const [ana, ben] = carriedPair(stage, healing);
  assertEquals(ana.view.peer?.isCarried, true);
  ben.crash();
  stage.wait(healing - stage.now);
  ben.restart();
  stage.wait(100);
  ben.connect(1);
  stage.wait(500);
  assertEquals(ana.events("returned").length, 1);
  assertEquals(pathsOf(ana), ["carried → lan"]);
  assertEquals(ana.view.peer?.isCarried, false);
});
