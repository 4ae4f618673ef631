import { assert, assertEquals } from "@std/assert";
import { assertOneConnection, assertStillOneConnection, KEYS } from "./crossing.ts";
import { type Actor, type Stage, stories } from "./stage.ts";

/** Who cannot be reached at first, and who has the lower key. */
const SIDES = KEYS.flatMap((inside) => KEYS.map((lower) => ({ inside, lower })));
/** The same, and how much later that one connects. */
const BLOCKED = SIDES.flatMap((sides) => [-60, 0, 30, 5000].map((lead) => ({ ...sides, lead })));
/** Requests that cross: one that is 5 s earlier rings before the peer makes its own. */
const CROSSING = BLOCKED.filter(({ lead }) => lead < 5000);

/** Both users connect to each other; returns when the second one did. */
function connectBoth(stage: Stage, insider: Actor, outsider: Actor, lead: number): number {
  const [first, second] = lead < 0 ? [insider, outsider] : [outsider, insider];
  first.connect(second.id);
  stage.wait(Math.abs(lead));
  second.connect(first.id);
  return stage.now;
}

/** The client behind the NAT or firewall, and the other one. */
function sides(inside: string, ana: Actor, ben: Actor): [insider: Actor, outsider: Actor] {
  return inside === "ana" ? [ana, ben] : [ben, ana];
}

/** Asserts that both are connected, as soon as the second user wanted it. */
function assertConnectedBy(ana: Actor, ben: Actor, since: number, ms: number): void {
  for (const each of [ana, ben]) {
    const [at] = each.eventTimes("connected", since);
    assert(at !== undefined && at <= ms, `${each.name} is connected after ${at} ms`);
  }
}

/** Lets nothing of the outsider's in before the insider has sent something to there. */
function openBySending(stage: Stage, insider: Actor, outsider: Actor): void {
  let isOpen = false;
  stage.network.script(({ from, to }) => {
    if (from === insider.name && to === outsider.name) isOpen = true;
    return from === outsider.name && to === insider.name && !isOpen ? "drop" : undefined;
  });
}

stories(
  "a request rings at an end that cannot be reached before it has sent, and that end connects",
  SIDES,
  (stage, { inside, lower }) => {
    stage.carryNothing();
    const [ana, ben] = stage.keyed(lower);
    const [insider, outsider] = sides(inside, ana, ben);
    openBySending(stage, insider, outsider);
    const since = stage.now;
    outsider.connect(insider.id);
    stage.wait(500);
    // The Punch opened the way while the Initiation was under way.
    assertEquals(insider.eventTimes("request", since), [100]);
    insider.connect(outsider.id);
    stage.wait(500);
    assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
    assertEquals([ana.last("connected").hash, ana.view.requests], [
      ben.last("connected").hash,
      [],
    ]);
  },
);

stories(
  "two requests cross where one end cannot be reached before it has sent",
  CROSSING,
  (stage, { inside, lower, lead }) => {
    const [ana, ben] = stage.keyed(lower);
    const [insider, outsider] = sides(inside, ana, ben);
    openBySending(stage, insider, outsider);
    const since = connectBoth(stage, insider, outsider, lead);
    stage.wait(stage.after(1000) + 500);
    assertOneConnection(stage, ana, ben);
    // What the insider sends passes at once, and so do the answers.
    assertConnectedBy(ana, ben, since, 200);
    assertStillOneConnection(stage, ana, ben);
  },
);

stories(
  "two requests cross where the Initiations of one end never arrive",
  BLOCKED,
  (stage, { inside, lower, lead }) => {
    stage.carryNothing();
    const [ana, ben] = stage.keyed(lower);
    const [insider, outsider] = sides(inside, ana, ben);
    // To where the directory saw the insider nothing comes through, as with an address-dependent NAT.
    stage.network.script((datagram) => {
      const isBlocked = datagram.from === outsider.name && datagram.to === insider.name &&
        datagram.frame("initiation") !== undefined;
      return isBlocked ? "drop" : undefined;
    });
    const since = connectBoth(stage, insider, outsider, lead);
    stage.wait(500);
    // That of the insider is the only one that can count, whoever has the lower key.
    assertConnectedBy(ana, ben, since, 200);
    assertOneConnection(stage, ana, ben);
    assertStillOneConnection(stage, ana, ben);
  },
);

stories(
  "two requests that cross end at both, and nobody is asked, where one end is never reached",
  BLOCKED,
  (stage, { inside, lower, lead }) => {
    const [ana, ben] = stage.keyed(lower);
    const [insider, outsider] = sides(inside, ana, ben);
    stage.block(outsider, insider);
    connectBoth(stage, insider, outsider, lead);
    stage.wait(130_000);
    for (const each of [ana, ben]) {
      assertEquals([each.view.state, each.errors], ["idle", ["peerTimeout"]]);
      assertEquals([...each.events("connected"), ...each.events("request")], []);
    }
  },
);

/** What one end has heard from the other when that falls silent. */
const SILENCES = KEYS.flatMap((inside) =>
  KEYS.flatMap((lower) => [50, 70, 90, 110, 130].map((after) => ({ inside, lower, after })))
);

stories(
  "two requests cross where one direction is lost for a while",
  SILENCES,
  (stage, { inside, lower, after }) => {
    const [ana, ben] = stage.keyed(lower);
    const [insider, outsider] = sides(inside, ana, ben);
    ana.connect(2);
    ben.connect(1);
    stage.wait(after);
    stage.block(outsider, insider, stage.now + 25_000);
    stage.wait(55_000);
    assertOneConnection(stage, ana, ben);
    assertStillOneConnection(stage, ana, ben);
  },
);
