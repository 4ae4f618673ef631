import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { PATH_MTU_BASE, PATH_MTU_ETHERNET, PROBE_TIMER } from "../../protocol/recovery/path_mtu.ts";
import { type Actor, type Stage, story } from "./stage.ts";

const TEXT = "x".repeat(100);
/** The largest UDP payload, in bytes, of a path with a smaller MTU than Ethernet. */
const LIMIT = 1320;
/** Texts in a tenth of a second. */
const TEXTS = 250;

/** Sends in bulk for a while, which makes large datagrams useful. */
function sendBulk(stage: Stage, actor: Actor, seconds: number): void {
  for (let round = 0; round < 10 * seconds; round++) {
    actor.send(...Array.from({ length: TEXTS }, () => TEXT));
    stage.wait(100);
  }
}

/** The sizes of an actor's datagrams with Messages. */
function sizes(stage: Stage, actor: Actor, since: number): number[] {
  return stage.datagrams(actor, since).filter((each) => each.frame("message") !== undefined)
    .map(({ bytes }) => bytes.length);
}

/** The sizes of an actor's datagrams with a Path Challenge. */
function probes(stage: Stage, actor: Actor, since: number): number[] {
  return stage.datagrams(actor, since).filter((each) => each.frame("pathChallenge") !== undefined)
    .map(({ bytes }) => bytes.length);
}

story("a transfer survives a black hole: smaller datagrams, then the largest that fit", (stage) => {
  const [ana, ben] = stage.pair();
  sendBulk(stage, ana, 2);
  assertGreater(Math.max(...sizes(stage, ana, 0)), LIMIT);
  stage.set({ mtu: LIMIT });
  const since = stage.now;
  sendBulk(stage, ana, 10);
  assertEquals(ana.events("terminated"), []);
  const lost = stage.datagrams(ana, since).filter(({ fate }) => fate === "too long");
  const messagesLost = lost.filter((each) => each.frame("message") !== undefined);
  assertGreater(messagesLost.length, 0);
  // Detected within a second, for good.
  assertLess(messagesLost.at(-1)!.time - since, 1000);
  // The search repeats: three probes of 1452 bytes fail, then half of the rest is tried, and so on.
  const later = sizes(stage, ana, since + 6 * PROBE_TIMER);
  const largest = Math.max(...later);
  assert(largest > PATH_MTU_BASE && largest <= LIMIT, `${largest} bytes`);
  stage.wait(5000);
  assertEquals(ana.view.peer?.unconfirmed, 0);
  assertEquals(ben.texts.length, 12 * 10 * TEXTS);
}, ["adaptive"]);

story("with fixed timers no datagram exceeds the base size", (stage) => {
  const [ana, ben] = stage.pair();
  sendBulk(stage, ana, 1);
  stage.set({ mtu: PATH_MTU_BASE });
  stage.wait(30_000);
  assertEquals(ben.texts.length, 10 * TEXTS);
  assertLessOrEqual(Math.max(...sizes(stage, ana, 0)), PATH_MTU_BASE);
}, ["fixed"]);

story("after a move of the peer the path MTU is searched again", (stage) => {
  const [ana, ben] = stage.pair();
  sendBulk(stage, ana, 2);
  assertGreater(Math.max(...sizes(stage, ana, 0)), LIMIT);
  const { hostname, port } = ben.host.address;
  ben.host.move({ hostname, port: port + 1 });
  const moved = stage.now;
  ben.send("from elsewhere");
  sendBulk(stage, ana, 2);
  const there = stage.datagrams(ana, moved).filter(({ to }) => to === "ben");
  const first = there.findIndex(({ bytes }) => bytes.length > PATH_MTU_BASE);
  // Nothing larger than the base size before that is validated, and then a probe first.
  assert(there.slice(0, first).some((each) => each.frame("message") !== undefined));
  const isProbe = ({ frames }: typeof there[number]): boolean =>
    frames.some(({ kind }) => kind === "pathChallenge");
  assert(isProbe(there[first]!), `${there[first]}`);
  const challenges = there.filter(isProbe).map(({ bytes }) => bytes.length);
  assertEquals(challenges.slice(-2), [PATH_MTU_BASE, PATH_MTU_ETHERNET]);
  stage.wait(2000);
  assertGreater(Math.max(...sizes(stage, ana, stage.now - 4000)), LIMIT);
  assertEquals(ben.texts.length, 4 * 10 * TEXTS);
  assertEquals(probes(stage, ana, stage.now - 2000), []);
}, ["adaptive"]);
