// Two users behind random NATs, which change while they talk: every pair connects, and every text
// arrives once and in order.
import { assert, assertEquals } from "@std/assert";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { PathKind } from "../../protocol/wire/remote.ts";
import { formatCount, IS_FULL, scaled } from "../support/scale.ts";
import type { Totals } from "./delivery_checker.ts";
import { Pair } from "./pair.ts";
import { makeRandomSides, type RandomSides } from "./random_sides.ts";
import { runSeeds } from "./seeds.ts";
import { rebind } from "./sites.ts";

const SEEDS = scaled(3000, 6);
/** Milliseconds until they are connected, whatever is lost; with fixed timers each loss costs 10 s. */
const CONNECT_MAX: Readonly<Record<TimerMode, number>> = { adaptive: 30_000, fixed: 170_000 };
/** Milliseconds until the next change. */
const CHANGE_INTERVAL = 30_000;
/** Milliseconds in which a better path is found: a peer that is carried is called every 25 s. */
const UPGRADE_MAX = 60_000;
const REBINDINGS_MAX = 3;

interface Outcome extends Totals, Record<PathKind, number> {
  rebindings: number;
  /** Whether both called at once. */
  crossing: number;
}

class Reach {
  readonly #pair: Pair;
  readonly #sides: RandomSides;
  readonly #outcome: Omit<Outcome, keyof Totals> = {
    ...{ rebindings: 0, crossing: 0, lan: 0, direct: 0, carried: 0 },
  };

  constructor(seed: number) {
    let sides: RandomSides | undefined;
    this.#pair = new Pair(seed, ["adaptive", "adaptive", "fixed"], (network) => {
      sides = makeRandomSides(network);
      network.note("network", sides.what);
      return sides.sides;
    });
    this.#sides = sides!;
  }

  get world(): Pair["world"] {
    return this.#pair.world;
  }

  run(): Outcome {
    const pair = this.#pair;
    const { world: { network, users }, prng } = pair;
    const isFixed = users.some(({ mode }) => mode === "fixed");
    pair.register();
    pair.set({
      loss: prng.next() * (isFixed ? 0.05 : 0.15),
      jitter: prng.chance(0.3) ? 0 : prng.next() * 50,
      duplication: prng.chance(0.5) ? 0 : prng.next() * 0.1,
    });
    this.#call();
    network.runUntil(
      () => pair.areConnected,
      CONNECT_MAX[isFixed ? "fixed" : "adaptive"],
      "connected",
    );
    for (const user of users) {
      user.onEvent = ({ kind }) => assert(kind !== "terminated", "terminated");
    }
    this.#converse();
    this.#checkPaths();
    for (const user of users) user.onEvent = undefined;
    const totals = pair.finish();
    assertEquals([totals.connections, totals.undelivered], [2, 0]);
    assertEquals([totals.delivered, totals.received], [totals.sent, totals.sent]);
    return { ...totals, ...this.#outcome };
  }

  /** One calls the other, or both call at once; again where three questions in 30 s all got lost. */
  #call(): void {
    const { first, second, prng, world: { network } } = this.#pair;
    first.onEvent = (event) => {
      if (event.kind !== "error" || event.code !== "serverTimeout") return;
      network.at(network.now, () => first.view?.state === "idle" && first.connect("c2"));
    };
    first.connect("c2");
    if (prng.chance(0.5)) return;
    this.#outcome.crossing++;
    network.at(network.now + (prng.chance(0.5) ? 0 : prng.next() * 300), () => {
      if (second.view?.state === "idle") second.connect("c1");
    });
  }

  /** Both talk, while their NATs change. */
  #converse(): void {
    const { prng, world: { network, users } } = this.#pair;
    let time = network.now;
    for (let left = prng.int(REBINDINGS_MAX + 1); left > 0; left--) {
      time += CHANGE_INTERVAL * (1 + prng.next());
      network.at(time, () => this.#rebind());
    }
    const end = time + CHANGE_INTERVAL;
    for (const user of users) {
      this.#pair.talkUntil(user, end, prng.pick([1_500, 4_000, 20_000]), 0.02);
    }
    network.run(end - network.now + 1);
  }

  #rebind(): void {
    const { prng, world: { users } } = this.#pair;
    const rebinding = prng.chance(0.5) ? "address" : "ports";
    const some = prng.pick([[0], [1], [0, 1]]);
    for (const index of some) {
      const count = ++this.#outcome.rebindings;
      rebind(this.#sides.sides[index]!, users[index]!, count, rebinding);
    }
  }

  /** On a good network the path is soon as good as these networks allow. */
  #checkPaths(): void {
    const { world, world: { network, users } } = this.#pair;
    world.calm();
    network.run(UPGRADE_MAX);
    const since = network.now;
    for (const user of users) {
      for (const { id } of user.open) user.send(id, ["which way?"], id);
    }
    network.run(1_000);
    for (const { name } of users) {
      const path = network.sent.find((each) =>
        each.from === name && each.time >= since && each.path
      )
        ?.path;
      assert(path !== undefined, `${name} said nothing`);
      this.#outcome[path]++;
      const { expected } = this.#sides;
      if (expected !== undefined) assertEquals(path, expected, this.#sides.what);
    }
  }
}

Deno.test(`everything arrives behind random NATs that change: ${formatCount(SEEDS)} seeds`, () => {
  const sums = runSeeds(SEEDS, (seed) => new Reach(seed));
  if (!IS_FULL) return;
  for (const path of ["lan", "direct", "carried"] as const) assert(sums[path] > SEEDS / 10, path);
  for (const what of ["rebindings", "crossing"] as const) assert(sums[what] > SEEDS / 3, what);
});
