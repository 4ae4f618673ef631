import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { type Actor, LEASE, type Stage, stories, story } from "./stage.ts";
import { sendAsStranger, STRANGER, STRANGER_NAME } from "./stranger.ts";

const HOUR = 3_600_000;

/** What became of the request that is recorded. */
const FATES: Readonly<Record<string, (stage: Stage, ana: Actor, ben: Actor) => void>> = {
  pending: () => {},
  rejected: (_stage, _ana, ben) => ben.reject(),
  cancelled: (_stage, ana) => ana.cancel(),
  connected: (stage, ana, ben) => {
    ben.accept();
    stage.wait(100);
    ana.send("one", "two");
  },
  ended: (stage, ana, ben) => {
    FATES["connected"]!(stage, ana, ben);
    stage.wait(100);
    ana.terminate();
  },
};

/** What happens before the recording is sent again. */
const EVENTS: Readonly<Record<string, (stage: Stage, ana: Actor, ben: Actor) => void>> = {
  nothing: () => {},
  "the responder restarts": (_stage, _ana, ben) => ben.restart(),
  "the requester restarts": (_stage, ana) => ana.restart(),
  "both restart": (_stage, ana, ben) => [ana, ben].forEach((each) => each.restart()),
  "the directory restarts": (stage) => {
    stage.restartDirectory();
    stage.wait(LEASE);
  },
  "hours pass": (stage) => stage.wait(3 * HOUR),
  "hours pass, and the responder restarts": (stage, _ana, ben) => {
    stage.wait(3 * HOUR);
    ben.restart();
  },
};

const VARIANTS = Object.keys(FATES).flatMap((fate) =>
  Object.keys(EVENTS).flatMap((event) =>
    ["ana", "elsewhere"].map((from) => ({ fate, event, from }))
  )
);

/** What the users were told about peers, without connections that end by a timer. */
function told(...actors: Actor[]): unknown[] {
  const kinds = ["request", "connected", "returned", "message"] as const;
  return actors.map((each) => kinds.map((kind) => each.events(kind).length));
}

/** The datagrams from one client to another so far. */
function record(stage: Stage, from: Actor, to: Actor): Uint8Array[] {
  return stage.datagrams(from).filter((each) => each.to === to.name).map(({ bytes }) => bytes);
}

/** Sends a recording again, twice, with time for answers. */
function replay(stage: Stage, recording: Uint8Array[], to: Actor, from: Address): void {
  for (const bytes of [...recording, ...recording]) {
    sendAsStranger(stage, to, bytes, from);
    stage.wait(30);
  }
}

stories(
  "a recording of a request and of its session, with its Initiation, never rings again",
  VARIANTS,
  (stage, { fate, event, from }) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    ana.connect("ben");
    stage.wait(200);
    FATES[fate]!(stage, ana, ben);
    stage.wait(2000);
    const recording = record(stage, ana, ben);
    assertEquals(recording[0]![3], DatagramType.Initiation);
    EVENTS[event]!(stage, ana, ben);
    stage.wait(200);
    const [before, since] = [told(ana, ben), stage.now];
    const states = [ana.view.state, ben.view.state];
    replay(stage, recording, ben, from === "ana" ? ana.host.address : STRANGER);
    assertEquals(told(ana, ben), before);
    assertEquals([ana.view.state, ben.view.state], states);
    // An Initiation is answered: by a Response, which is shorter and says nothing.
    for (const { frames, bytes } of stage.datagrams(ben, since).filter(isTo(STRANGER_NAME))) {
      assertEquals(frames.map(({ kind }) => kind), ["response"]);
      assertLess(bytes.length, recording[0]!.length);
    }
    stage.wait(1000);
    assertEquals(told(ana, ben), before);
    // The two can connect as before, where they are not connected.
    if (ana.view.state !== "idle") return;
    ana.connect("ben");
    stage.wait(200);
    if (ben.view.requests.length > 0) ben.accept(1);
    stage.wait(200);
    assertEquals(ana.view.state, "connected");
  },
);

function isTo(name: string): (datagram: { to: string }) => boolean {
  return ({ to }) => to === name;
}

story("copies of an Initiation before its first Packet get the same Response", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.delay("connectionRequest", 2000);
  ana.connect("ben");
  stage.wait(70);
  const [initiation] = record(stage, ana, ben);
  for (const from of [ana.host.address, STRANGER, ana.host.address, STRANGER]) {
    sendAsStranger(stage, ben, initiation!, from);
    stage.wait(10);
  }
  stage.wait(100);
  const responses = stage.datagrams(ben).filter((each) => each.frame("response") !== undefined);
  assertEquals(responses.length, stage.times("initiation").length);
  assertEquals(new Set(responses.map(({ bytes }) => bytes.join())).size, 1);
  assertEquals([ben.events("request"), ana.events("ringing")], [[], []]);
  stage.wait(12_000);
  assertEquals([ben.events("request").length, ana.events("ringing").length], [1, 1]);
  ben.accept();
  stage.wait(100);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
});

story("a recording that is sent while its session goes on disturbs nothing", (stage) => {
  const [ana, ben] = stage.pair();
  for (let round = 0; round < 20; round++) {
    ana.send(`a${round}`);
    ben.send(`b${round}`);
    for (const from of [ana.host.address, STRANGER]) {
      replay(stage, record(stage, ana, ben).slice(-20), ben, from);
    }
  }
  assertEquals([ana.texts.length, ben.texts.length], [20, 20]);
  assertEquals(told(ana, ben), [[0, 1, 0, 20], [1, 1, 0, 20]]);
  assertGreater(ben.dropped.notAuthentic, 100);
  assert(stage.datagrams(ana).every(({ to }) => to !== STRANGER_NAME));
});
