// A peer that is killed in a conversation, and comes back.
import { assertGreater } from "@std/assert";
import { formatCount, IS_FULL, scaled } from "../support/scale.ts";
import type { Totals } from "./delivery_checker.ts";
import { PairRun, type PairUser } from "./pair.ts";
import { runSeeds } from "./seeds.ts";

const SEEDS = scaled(2000, 4);
const STORM = 60_000;

interface Outcome extends Totals {
  kills: number;
}

class Returns extends PairRun {
  #kills = 0;

  run(): Outcome {
    const pair = this.pair;
    const { prng, world: { network, users } } = pair;
    pair.register();
    pair.connect();
    pair.set({
      loss: prng.next() * 0.4,
      jitter: prng.chance(0.3) ? 0 : prng.next() * 200,
      duplication: prng.chance(0.5) ? 0 : prng.next() * 0.2,
      lateness: prng.next() * 5,
    });
    const end = network.now + STORM;
    for (const user of users) pair.talkUntil(user, end, 200 + prng.next() * 3_000);
    for (let kills = 1 + prng.int(3); kills > 0; kills--) {
      const victim = prng.pick(users);
      network.at(network.now + prng.next() * STORM, () => this.#kill(victim));
    }
    network.run(STORM + 1);
    for (const user of users) if (user.view === undefined) this.#restart(user);
    return { ...pair.finish(), kills: this.#kills };
  }

  /** Ends a client without a word; its user starts it again. */
  #kill(user: PairUser): void {
    if (user.view === undefined) return;
    const { prng, world: { network } } = this.pair;
    this.#kills++;
    user.isInsisting = false;
    user.stop();
    const pause = prng.chance(0.1) ? 60_000 + prng.next() * 10_000 : 100 + prng.next() * 10_000;
    network.at(network.now + pause, () => this.#restart(user));
  }

  #restart(user: PairUser): void {
    if (user.view !== undefined) return;
    if (this.pair.prng.chance(0.3)) user.move(user.newAddress());
    user.start();
    user.isInsisting = true;
    user.insist();
  }
}

Deno.test(`a killed client comes back, and nothing is lost or doubled: ${formatCount(SEEDS)} seeds`, () => {
  const sums = runSeeds(SEEDS, (seed) => new Returns(seed, ["adaptive", "fixed"]));
  if (!IS_FULL) return;
  assertGreater(sums.returned, SEEDS);
  assertGreater(sums.delivered, 0.5 * sums.sent);
});
