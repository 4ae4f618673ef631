// Clients that accept whoever asks, and call each other crosswise, in circles and at random: each call
// ends in a connection, without being made again.
import { assertEquals, assertGreater } from "@std/assert";
import type { ClientEvent } from "../../client/event.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Prng } from "../support/random.ts";
import { formatCount, IS_FULL, scaled } from "../support/scale.ts";
import type { Totals } from "./delivery_checker.ts";
import { IDEAL } from "./network.ts";
import { runSeeds } from "./seeds.ts";
import { SimUser } from "./sim_user.ts";
import { World } from "./world.ts";

const SEEDS = scaled(1000, 5);
/** The most clients that call each other. */
const USERS_MAX = 8;
/** Milliseconds in which datagrams are lost: the directory is asked three times in 30 s at least. */
const TROUBLE = 15_000;
/** Milliseconds until every call has ended in a connection. */
const CONNECT_MAX = 60_000;

/** The calls in order, each by caller and called: numbers of users from 0 on. */
type Calls = readonly (readonly number[])[];

interface Outcome extends Totals {
  calls: number;
  /** Seeds in which some called each other in a circle of three or more. */
  circles: number;
}

/** A user who accepts whoever asks, and calls some others, each once. */
class AutomaticUser extends SimUser {
  readonly failures: ClientEvent[] = [];
  #calls: (number | string)[] = [];

  /** Calls others, each as soon as the call before has ended. */
  call(peers: (number | string)[]): void {
    this.#calls = peers;
    this.#callNext();
  }

  protected override handleEvent(event: ClientEvent): void {
    super.handleEvent(event);
    const isFailure = ["error", "rejected", "inactive", "request", "terminated"].includes(
      event.kind,
    );
    if (isFailure) this.failures.push(event);
    if (event.kind === "connected") {
      const { network } = this.world;
      network.at(network.now, () => this.#callNext());
    }
  }

  #callNext(): void {
    if (this.view?.outgoing !== undefined) return;
    const isNew = (peer: number | string): boolean =>
      this.open.every(({ id, name }) => peer !== id && peer !== name);
    const next = this.#calls.findIndex(isNew);
    this.#calls.splice(0, next < 0 ? this.#calls.length : next);
    const peer = this.#calls.shift();
    if (peer !== undefined) this.connect(peer);
  }
}

class Automatic {
  readonly world: World<AutomaticUser>;

  constructor(seed: number, modes: readonly TimerMode[]) {
    const world = this.world = new World<AutomaticUser>(seed, () => IDEAL);
    const { prng } = world.network;
    const count = 2 + prng.int(USERS_MAX - 1);
    for (let number = 1; number <= count; number++) {
      world.users.push(new AutomaticUser(world, number, prng.pick(modes)));
    }
  }

  run(): Outcome {
    const { world, world: { network, users, network: { prng } } } = this;
    for (const user of users) {
      user.start({ acceptAll: true });
      network.runUntil(() => user.view?.id !== undefined, 10_000, "registered");
    }
    const [delay, jitter] = [1 + prng.next() * 100, prng.chance(0.3) ? 0 : prng.next() * 150];
    const loss = prng.chance(0.5) ? 0 : prng.next() * 0.3;
    network.conditions = { ...network.conditions, delay, jitter, loss };
    const calls = randomCalls(prng, users.length);
    const spread = prng.pick([0, 5, 50, 500, 5_000]);
    for (const [from, peers] of calls.entries()) {
      const named = peers.map((to) => prng.chance(0.5) ? to + 1 : users[to]!.name);
      network.at(network.now + prng.next() * spread, () => users[from]!.call(named));
    }
    network.run(TROUBLE);
    world.calm();
    network.runUntil(() => this.#areConnected(calls), CONNECT_MAX, "connected");
    network.run(20_000);
    for (const user of users) assertEquals(user.failures, [], user.name);
    this.#checkPairs(calls);
    world.check();
    // Whoever left at once would not hear the others terminate.
    for (const user of users) {
      for (const { id } of user.open) user.do((client, now) => client.terminate(now, id));
    }
    network.run(10_000);
    world.leave();
    const count = calls.reduce((sum, { length }) => sum + length, 0);
    return { ...world.checker.finish(true), calls: count, circles: Number(hasCircle(calls)) };
  }

  #areConnected(calls: Calls): boolean {
    const { users } = this.world;
    return calls.every((peers, from) =>
      peers.every((to) => users[from]!.run.connections.has(to + 1)) &&
      users[from]!.view?.outgoing === undefined
    );
  }

  /** Each pair of which one called the other has one connection, in one session; no other has any. */
  #checkPairs(calls: Calls): void {
    const { users } = this.world;
    for (const [from, user] of users.entries()) {
      for (const [to, peer] of users.entries()) {
        const isCalled = calls[from]!.includes(to) || calls[to]!.includes(from);
        const ends = [user.run.connections.get(to + 1), peer.run.connections.get(from + 1)];
        const sessions = ends.map((end) => end?.carrier.session);
        assertEquals(sessions[0], sessions[1], `${user.name} and ${peer.name}`);
        assertEquals(sessions[0] !== undefined, isCalled, `${user.name} and ${peer.name}`);
      }
    }
  }
}

/** A circle, one in both directions, one that all call, or calls at random. */
function randomCalls(prng: Prng, count: number): Calls {
  const all = Array.from({ length: count }, (_, at) => at);
  const next = (at: number, by: number): number => (at + count + by) % count;
  switch (prng.pick(["circle", "both", "star", "random"])) {
    case "circle":
      return all.map((at) => [next(at, 1)]);
    case "both":
      return all.map((at) => [...new Set([next(at, 1), next(at, -1)])]);
    case "star":
      return all.map((at) => at === 0 ? all.slice(1) : [0]);
    default:
      return all.map((at) => all.filter((other) => other !== at && prng.chance(0.5)));
  }
}

/** Whether following the first calls leads back to where they began, over three or more. */
function hasCircle(calls: Calls): boolean {
  return calls.some((_, start) => {
    let [at, steps]: [number | undefined, number] = [start, 0];
    do at = calls[at]?.[0]; while (++steps <= calls.length && at !== undefined && at !== start);
    return at === start && steps > 2;
  });
}

Deno.test(`each call among 2 to 8 automatic clients ends in a connection: ${formatCount(SEEDS)} seeds`, () => {
  const sums = runSeeds(SEEDS, (seed) => new Automatic(seed, ["adaptive", "fixed"]));
  if (!IS_FULL) return;
  assertGreater(sums.circles, SEEDS / 10);
  assertGreater(sums.calls, SEEDS);
});
