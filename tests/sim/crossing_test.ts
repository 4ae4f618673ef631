// Two users who connect to each other at the same time, where datagrams pass in one direction only.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { formatCount, IS_FULL, scaled } from "../support/scale.ts";
import type { Totals } from "./delivery_checker.ts";
import type { Script } from "./network.ts";
import { PairRun, type PairUser } from "./pair.ts";
import { runSeeds } from "./seeds.ts";

const SEEDS = scaled(2000, 8);
/** Milliseconds after which nothing is blocked any more. */
const BLOCKED = 60_000;
/** Times in which a direction may be blocked. */
const CUTS = 4;
/** Milliseconds for which a NAT lets answers in. */
const MAPPING = 30_000;

interface Outcome extends Totals {
  /** Datagrams that were blocked, or lost. */
  blocked: number;
  /** Requests that rang, since the other user was slower. */
  rang: number;
}

class Crossing extends PairRun {
  /** When each user connected. */
  readonly #connectedAt = new Map<PairUser, number>();
  #rang = 0;

  run(): Outcome {
    const pair = this.pair;
    const { prng, world: { network, users } } = pair;
    pair.register();
    pair.set({ jitter: prng.chance(0.3) ? 0 : prng.next() * 150, lateness: prng.next() * 5 });
    if (prng.chance(0.3)) pair.set({ duplication: 0.2 });
    network.script(this.#blocks());
    // Mostly within the time of a handshake.
    const spread = prng.pick([0, 50, 500, 5_000]);
    for (const user of users) {
      user.onEvent = ({ kind }) => this.#checkEvent(user, kind);
      network.at(network.now + prng.next() * spread, () => this.#connect(user));
    }
    const isWavering = prng.chance(0.2);
    if (isWavering) this.#changeMind(prng.pick(users));
    for (let copies = prng.int(20); copies > 0; copies--) {
      network.at(network.now + prng.next() * BLOCKED, () => this.#sendLateCopy());
    }
    network.run(BLOCKED);
    // Who had no answer for so long that the user gave up would connect again.
    for (const user of users) {
      user.isInsisting = true;
      if (user.view?.outgoing === undefined) user.insist();
    }
    const totals = pair.finish();
    // Who changes their mind may have been accepted meanwhile.
    if (!isWavering) assertEquals([totals.connections, totals.returned], [2, 0]);
    const blocked = network.sent.filter(({ fate }) => fate === "dropped by the story").length;
    return { ...totals, blocked, rang: this.#rang };
  }

  #connect(user: PairUser): void {
    this.#connectedAt.set(user, this.world.network.now);
    user.connect(user.name === "c1" ? "c2" : "c1");
  }

  /** Lets a user give up at some time, and connect again after all. */
  #changeMind(user: PairUser): void {
    const { prng, world: { network } } = this.pair;
    network.at(network.now + prng.next() * 20_000, () => {
      if (user.view?.outgoing === undefined) return;
      this.#connectedAt.delete(user);
      user.do((client, now) => client.cancel(now));
      network.at(network.now + prng.next() * 5_000, () => this.#connect(user));
    });
  }

  /** No user is asked who wants to connect anyway. */
  #checkEvent(user: PairUser, kind: string): void {
    if (kind === "terminated") this.#connectedAt.delete(user);
    if (kind !== "request") return;
    this.#rang++;
    assert(!this.#connectedAt.has(user), `${user.name} is asked about the peer that it wants`);
  }

  /** Delivers a datagram that was blocked, or another copy of one that was not. */
  #sendLateCopy(): void {
    const { prng, first, second, world: { network } } = this.pair;
    const sent = network.sent.filter(({ from, to }) => from !== "directory" && to !== "directory");
    if (sent.length === 0) return;
    const { from, bytes } = prng.pick(sent);
    const [sender, receiver] = from === first.name ? [first, second] : [second, first];
    network.transmit(sender.address, receiver.address, bytes, true);
  }

  /**
   * What blocks the path between both for a while: directions, in turn, or NATs, and losses. The
   * directory may carry datagrams meanwhile, or not.
   */
  #blocks(): Script {
    const { prng, world: { network } } = this.pair;
    const loss = prng.chance(0.5) ? 0 : prng.next() * 0.3;
    const start = network.now;
    const turn = prng.next() * BLOCKED / CUTS;
    const cuts = Array.from({ length: CUTS }, () => prng.pick(["c1", "c2", "nobody"]));
    const isBehindNat = { c1: prng.chance(0.4), c2: prng.chance(0.4), directory: false };
    const sentAt = { c1: -Infinity, c2: -Infinity, directory: 0 };
    const isCarrying = prng.chance(0.5);
    return (datagram) => {
      const { from, to, time } = datagram;
      if (datagram.frame("carry") !== undefined) return isCarrying ? undefined : "drop";
      if (from === "directory" || to === "directory") return undefined;
      const [sender, receiver] = [from, to] as ("c1" | "c2")[];
      sentAt[sender!] = time;
      const cut = cuts[Math.floor((time - start) / turn)];
      if (cut === undefined) return undefined;
      const isFiltered = isBehindNat[receiver!] && time > sentAt[receiver!] + MAPPING;
      return sender === cut || isFiltered || prng.chance(loss) ? "drop" : undefined;
    };
  }
}

Deno.test(`two clients that connect to each other have one connection: ${formatCount(SEEDS)} seeds`, () => {
  const sums = runSeeds(SEEDS, (seed) => new Crossing(seed, ["adaptive", "fixed"]));
  if (!IS_FULL) return;
  assertGreater(sums.blocked, SEEDS);
  assertGreater(sums.rang, SEEDS / 50);
});
