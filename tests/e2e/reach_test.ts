// Real processes behind real NATs: in the topologies of a nat-lab, they reach each other.
import { assert, assertEquals } from "@std/assert";
import { Encounter, otherOf, type PathKind, type Side } from "./encounter.ts";
import { NAT_LAB } from "./nat_lab.ts";
import type { JsonEvent, Program } from "./process.ts";
import { StandstillWatch } from "./standstill.ts";

/** Milliseconds in which messages flow again when an address has changed. */
const AGAIN = 15_000;
/** What is added to a limit on a busy machine. */
const SLACK = 5_000;

function testReach(name: string, play: () => Promise<void>): void {
  Deno.test({ name: `reach: ${name}${NAT_LAB.note}`, ignore: NAT_LAB.ignore, fn: play });
}

function texts(client: Program): unknown[] {
  return client.events().filter(({ event }) => event === "message").map(({ text }) => text);
}

/** Each side sends a text, which must reach the other within that time. */
async function exchange(pair: Encounter, text: string, timeout?: number): Promise<void> {
  await Promise.all([pair.a.type(`send ${text}`), pair.b.type(`send ${text}`)]);
  await Promise.all(
    [pair.a, pair.b].map((each) => each.waitForEvent("message", { text }, timeout)),
  );
}

/** In a conversation a text goes each way, by that path. */
async function converse(pair: Encounter, path: PathKind): Promise<void> {
  await exchange(pair, "hello");
  await pair.waitForPath(path);
  await pair.terminate();
}

/** The pairs by their way: a few of each row of the table in docs/meeting.md. */
const PAIRS: readonly (readonly [topology: string, path: PathKind])[] = [
  ["port-cone+port-cone", "direct"],
  ["double+firewall", "direct"],
  ["v6+v6", "direct"],
  ["dual+dual", "direct"],
  ["dual+port-cone", "direct"],
  ["v6+dual", "direct"],
  ["symmetric+addr-cone", "direct"],
  ["full-cone+double-sym", "direct"],
  ["lan", "lan"],
  ["subnets", "lan"],
  ["cgn-hairpin", "direct"],
  ["cgn", "carried"],
  ["port-cone+symmetric", "carried"],
  ["double-sym+double-sym", "carried"],
  ["v6+port-cone", "carried"],
];

/**
 * Two clients talk whichever of them calls, and when both do; returns the directory's totals, and
 * whether the machine stood still meanwhile.
 */
async function callAndTalk(topology: string, path: PathKind): Promise<[JsonEvent, boolean]> {
  await using pair = await Encounter.open(topology);
  using watch = new StandstillWatch();
  for (const side of ["a", "b"] as const) {
    await pair.call(side);
    await converse(pair, path);
  }
  await pair.callBoth();
  await converse(pair, path);
  const { stoodStill } = watch;
  return [await pair.end(), stoodStill];
}

for (const [topology, path] of PAIRS) {
  testReach(`${topology}: whichever calls, or both, they talk, ${path}`, async () => {
    let totals: JsonEvent | undefined;
    for (let tries = 0; totals?.introductions !== 4; tries++) {
      let stoodStill: boolean;
      [totals, stoodStill] = await callAndTalk(topology, path);
      // A Call whose answer is late is sent again, and that on this machine is tried again.
      if (!stoodStill || tries === 2) break;
    }
    assertEquals(totals?.introductions, 4, "one for each call");
    if (path === "carried") assert(Number(totals?.carriedBytes) > 3000, "all three conversations");
  });
}

const REBOUND: readonly (readonly [topology: string, path: PathKind])[] = [
  ["port-cone+port-cone", "direct"],
  ["double+addr-cone", "direct"],
  ["firewall+v6", "carried"],
  ["symmetric+port-cone", "carried"],
];

for (const [topology, path] of REBOUND) {
  testReach(
    `${topology}: a new address of a, b and both in a conversation loses nothing`,
    async () => {
      await using pair = await Encounter.open(topology);
      await pair.call("a");
      await exchange(pair, "before");
      const sent = ["before"];
      for (const sides of [["a"], ["b"], ["a", "b"]] as const) {
        for (const side of sides) await pair.lab.changeAddress(side);
        sent.push(sides.join("+"));
        await exchange(pair, sides.join("+"), AGAIN + SLACK);
      }
      await pair.waitForPath(path);
      await pair.terminate();
      assertEquals([texts(pair.a), texts(pair.b)], [sent, sent], "each once, in order");
    },
  );
}

// 12 s stand for the 10 minutes of a real router: `short` forgets after 5 s.
testReach("short+short: after 12 s of silence a message arrives at once, either way", async () => {
  await using pair = await Encounter.open("short+short");
  await pair.call("a");
  await exchange(pair, "before");
  for (const side of ["a", "b"] as const) {
    await new Promise((resolve) => setTimeout(resolve, 12_000));
    await pair[side].type(`send from ${side}`);
    await pair[otherOf(side)].waitForEvent("message", { text: `from ${side}` }, SLACK);
  }
  await pair.waitForPath("direct");
});

testReach(
  "port-cone+port-cone: with a tenth of the datagrams lost, calls get through",
  async () => {
    await using pair = await Encounter.open("port-cone+port-cone", { loss: 0.1 });
    for (const side of ["a", "b", "a", "b"] satisfies Side[]) {
      await pair.call(side);
      await exchange(pair, "hello");
      await pair.terminate();
    }
  },
);
