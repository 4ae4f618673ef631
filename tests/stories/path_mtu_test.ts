import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { PATH_MTU_BASE, PATH_MTU_ETHERNET, PROBE_TIMER } from "../../protocol/session/path_mtu.ts";
import { type Actor, type Stage, story } from "./stage.ts";

const TEXT = "x".repeat(100);
/** Bytes of UDP payload on a path that carries less than Ethernet. */
const LIMIT = 1320;
/** Texts in a tenth of a second. */
const TEXTS = 250;

/** Sends in bulk for a while, so that large datagrams are of use. */
function sendBulk(stage: Stage, actor: Actor, seconds: number): void {
  for (let round = 0; round < 10 * seconds; round++) {
    actor.send(...Array.from({ length: TEXTS }, () => TEXT));
    stage.wait(100);
  }
}

/** The sizes of an actor's datagrams with Messages, probes aside. */
function sizes(stage: Stage, actor: Actor, since: number): number[] {
  return stage.datagrams(actor, since).filter((each) => each.frame("message") !== undefined)
    .map(({ bytes }) => bytes.length);
}

/** The sizes of an actor's datagrams with a Path Challenge. */
function probes(stage: Stage, actor: Actor, since: number): number[] {
  return stage.datagrams(actor, since).filter((each) => each.frame("pathChallenge") !== undefined)
    .map(({ bytes }) => bytes.length);
}

story("a transfer goes on in a black hole: smaller datagrams, then as large as fit", (stage) => {
  const [ana, ben] = stage.pair();
  sendBulk(stage, ana, 2);
  assertGreater(Math.max(...sizes(stage, ana, 0)), LIMIT);
  stage.set({ mtu: LIMIT });
  const fell = stage.now;
  sendBulk(stage, ana, 10);
  assertEquals(ana.told("terminated"), []);
  const lost = stage.datagrams(ana, fell).filter(({ fate }) => fate === "too long");
  const messagesLost = lost.filter((each) => each.frame("message") !== undefined);
  assertGreater(messagesLost.length, 0);
  // Detected within a second, for good.
  assertLess(messagesLost.at(-1)!.time - fell, 1000);
  // What fits is found out again: at 1452 bytes three probes fail, then half the way, and so on.
  const later = sizes(stage, ana, fell + 6 * PROBE_TIMER);
  const largest = Math.max(...later);
  assert(largest > PATH_MTU_BASE && largest <= LIMIT, `${largest} bytes`);
  stage.wait(5000);
  assertEquals(ana.view.peer?.unconfirmed, 0);
  assertEquals(ben.texts.length, 12 * 10 * TEXTS);
}, ["adaptive"]);

story("with fixed timers datagrams keep to the base size", (stage) => {
  const [ana, ben] = stage.pair();
  sendBulk(stage, ana, 1);
  stage.set({ mtu: PATH_MTU_BASE });
  stage.wait(30_000);
  assertEquals(ben.texts.length, 10 * TEXTS);
  assertLessOrEqual(Math.max(...sizes(stage, ana, 0)), PATH_MTU_BASE);
}, ["fixed"]);

story("where the other moves to, the path's MTU is found out anew", (stage) => {
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
  // Nothing large before the base size has proved itself, and a probe is the first that is.
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
