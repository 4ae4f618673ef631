// A computer that slept: its clock stood still, and the clock of the day jumped.
import { assert, assertEquals } from "@std/assert";
import { WAKE_PATIENCE } from "../../protocol/connection/silence.ts";
import { type Actor, LEASE, type Stage, stories, story } from "./stage.ts";

const YEAR = 365 * 24 * 3600 * 1000;

function connected(stage: Stage): [ana: Actor, ben: Actor] {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect("ben");
  stage.wait(500);
  ben.accept();
  stage.wait(500);
  return [ana, ben];
}

story("after a sleep a connection that is gone is told within 20 s", (stage) => {
  const [ana, ben] = connected(stage);
  ben.crash();
  stage.wait(1_000);
  const wokeAt = stage.now;
  ana.wake(70_000);
  stage.wait(20_000);
  const [endedAt] = ana.eventTimes("terminated", wokeAt);
  assert(endedAt !== undefined && endedAt <= WAKE_PATIENCE + 10, `${endedAt}`);
  assertEquals(ana.last("terminated").by, "timeout");
});

story("after a short sleep the peer has the time that is left", (stage) => {
  const [ana, ben] = connected(stage);
  ben.crash();
  ana.wake(20_000);
  stage.wait(stage.silenceLimit - 25_000);
  assertEquals(ana.events("terminated"), []);
  stage.wait(6_000);
  assertEquals(ana.last("terminated").by, "timeout");
});

stories(
  "after a sleep, or a change of the clock, a connection goes on",
  [1_000, 70_000, YEAR],
  (stage, slept) => {
    const [ana, ben] = connected(stage);
    stage.wait(3_000);
    ana.send("while it fell asleep");
    ana.wake(slept);
    stage.wait(1_000);
    ben.send("awake?");
    stage.wait(70_000);
    assertEquals([ana.texts, ben.texts], [["awake?"], ["while it fell asleep"]]);
    assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
  },
);

story(
  "after a sleep everything is asked at once: the peer, the directory, and where it is",
  (stage) => {
    const [ana] = connected(stage);
    stage.wait(3_000);
    const wokeAt = stage.now;
    ana.wake(70_000);
    stage.wait(10);
    const kinds = stage.datagrams()
      .filter(({ from, time }) => from === "ana" && time >= wokeAt)
      .flatMap(({ frames }) => frames.map(({ kind }) => kind));
    for (const kind of ["connectionKeepalive", "leaseKeepalive", "call"]) {
      assert(kinds.some((each) => each === kind), `${kind} in ${kinds}`);
    }
  },
);

story("after a sleep that was longer than the lease it is registered again within 5 s", (stage) => {
  const [ana] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.restartDirectory();
  const timesBefore = stage.table.length;
  ana.wake(LEASE + 1);
  stage.wait(5_000);
  assertEquals([timesBefore, stage.table.includes(ana.id)], [0, true]);
});
