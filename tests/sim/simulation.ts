/**
 * Random conversations on a bad network, by seed: nothing may be lost silently.
 *
 * @module
 */
import { assert, assertGreater, assertLess } from "@std/assert";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { DATAGRAMS_UNPROVED } from "../../protocol/recovery/congestion.ts";
import { DATAGRAM_SIZE_MAX, DatagramType } from "../../protocol/wire/frame.ts";
import { IS_FULL } from "../support/scale.ts";
import type { Datagram } from "./datagram.ts";
import type { Totals } from "./delivery_checker.ts";
import type { Profile } from "./profile.ts";
import { RandomUser } from "./random_user.ts";
import { runSeeds, type Sums } from "./seeds.ts";
import { DIRECTORY, ELSEWHERE, World } from "./world.ts";

/** Milliseconds after which no state of ended connections and requests is left. */
const CALM = 200_000;
/**
 * Most datagrams with Messages that one direction of a connection loses because the path's MTU fell,
 * or was never that large: two flights. 62 were measured.
 */
const TOO_LONG_MAX = 2 * DATAGRAMS_UNPROVED;

/** The counts of one simulation. */
export interface Outcome extends Totals {
  datagrams: number;
  retransmissions: number;
  corrupted: number;
  replayed: number;
  moves: number;
  /** Datagrams lost in a burst, and datagrams above the base size. */
  bursts: number;
  large: number;
  /** Datagrams above the path's MTU. */
  tooLong: number;
}

/**
 * Simulates `count` seeds, from `UDP_CHAT_SEED` on if that is set, and prints the sums.
 *
 * @param troubles what must happen more than once in a seed on average.
 */
export function simulateSeeds(
  count: number,
  modes: readonly TimerMode[],
  profile: Profile,
  troubles: readonly (keyof Outcome)[],
): Sums<Outcome> {
  const sums = runSeeds(count, (seed) => new Simulation(seed, modes, profile));
  // A slice is too small for averages.
  if (!IS_FULL) return sums;
  // A client that gives up at once would lose nothing silently either.
  assertGreater(sums.delivered, profile.deliveredMin * sums.sent);
  assertGreater(sums.retransmissions, 10 * count);
  for (const trouble of troubles) assertGreater(sums[trouble], count, trouble);
  // The two or three users of a storm have few connections at a time.
  assertGreater(sums.concurrent, count / 10);
  assertGreater(sums.returned, count / 200);
  return sums;
}

class Simulation {
  readonly #profile: Profile;
  readonly world: World<RandomUser>;
  #isStorm = true;
  /** Whether nothing is lost, though it may be delayed or duplicated. */
  #isLossless = false;

  constructor(seed: number, modes: readonly TimerMode[], profile: Profile) {
    this.#profile = profile;
    const world = this.world = new World<RandomUser>(seed, ({ prng }) => {
      this.#isLossless = prng.chance(profile.losslessShare);
      return profile.conditions(prng, this.#isLossless);
    });
    const { prng } = world.network;
    const count = 2 + prng.int(profile.usersMax - 1);
    for (let number = 1; number <= count; number++) {
      world.users.push(new RandomUser(world, number, prng.pick(modes), profile));
    }
  }

  run(): Outcome {
    const { network, checker, users } = this.world;
    for (const user of users) user.start();
    for (const user of users) this.#scheduleAct(user);
    this.#scheduleFaults();
    network.run(this.#profile.storm);
    this.#calm();
    this.world.leave();
    const totals = checker.finish(this.#isLossless);
    const { sent } = network;
    assertFewTooLong(sent);
    const datagrams = sent.length;
    const fragments = sent.filter((each) => (each.carried ?? each).frame("message")).length;
    // Three for each fragment, and a share for the directory, the requests and the paths.
    assertLess(datagrams, 3 * fragments + 1000 * users.length, "datagrams");
    const lostAs = (fate: Datagram["fate"]): number =>
      sent.filter((each) => each.fate === fate).length;
    return {
      ...totals,
      datagrams,
      retransmissions: users.reduce((sum, user) => sum + user.retransmissions, 0),
      corrupted: lostAs("corrupted"),
      replayed: sent.filter(({ isForged }) => isForged).length,
      moves: users.reduce((sum, user) => sum + user.moves, 0),
      bursts: lostAs("lost in a burst"),
      large: sent.filter(({ bytes }) => bytes.length > DATAGRAM_SIZE_MAX).length,
      tooLong: lostAs("too long"),
    };
  }

  /** Ends the losses and all connections; then only the registrations are left. */
  #calm(): void {
    const { world, world: { network, users } } = this;
    this.#isStorm = false;
    world.check();
    world.calm();
    network.run(this.#profile.grace);
    for (const user of users) user.settle();
    network.run(CALM);
    // Some had left, or could not register in time.
    for (const user of users) user.returnIfLeft();
    network.run(20_000);
    const before = network.sent.length;
    network.run(20_000);
    for (const user of users) user.assertIdle();
    world.check();
    for (const datagram of network.sent.slice(before)) {
      assert([datagram.from, datagram.to].includes("directory"), `not idle: ${datagram}`);
    }
  }

  #scheduleAct(user: RandomUser): void {
    const { network } = this.world;
    const pause = -Math.log(1 - network.prng.next()) * this.#profile.pause;
    network.at(network.now + pause, () => {
      if (!this.#isStorm) return;
      user.act();
      this.#scheduleAct(user);
    });
  }

  /** Schedules faults of the network and the directory. */
  #scheduleFaults(): void {
    const { network, users, directory } = this.world;
    const { prng } = network;
    const profile = this.#profile;
    const { storm } = profile;
    for (let garbage = prng.int(profile.garbageMax); garbage > 0; garbage--) {
      network.at(prng.next() * storm, () => this.#sendGarbage());
    }
    for (let replays = prng.int(profile.replaysMax); replays > 0; replays--) {
      network.at(prng.next() * storm, () => this.#replay());
    }
    if (this.#isLossless) return;
    for (const [index, user] of users.entries()) {
      for (let moves = profile.moves(prng, index + 1); moves > 0; moves--) {
        network.at(prng.next() * storm, () => user.move(user.newAddress()));
      }
    }
    for (const { at, mtu } of profile.mtuDrops(prng)) {
      network.at(at, () => network.conditions = { ...network.conditions, mtu });
    }
    const hosts = ["directory", ...users.map(({ name }) => name)];
    for (let cuts = prng.int(4); cuts > 0; cuts--) {
      const from = prng.next() * storm;
      const [a, b] = [prng.pick(hosts), prng.pick(hosts)];
      if (a !== b) network.cut(a, b, from + prng.next() * profile.cutMax, from);
    }
    if (prng.chance(0.3)) {
      const at = prng.next() * storm;
      network.at(at, () => directory.crash());
      network.at(at + prng.next() * 30_000, () => {
        if (!directory.isUp) this.world.startDirectory();
      });
    }
  }

  /** Sends random bytes, at times after a valid magic and version. */
  #sendGarbage(): void {
    const { network, users } = this.world;
    const { prng } = network;
    const from = { hostname: ELSEWHERE, port: 1 + prng.int(65_535) };
    const to = prng.pick([DIRECTORY, ...users.map(({ address }) => address)]);
    const noise = prng.bytes(prng.int(200));
    const type = prng.pick(Object.values(DatagramType));
    if (prng.chance(0.5)) noise.set([0x75, 0x63, 1, type].slice(0, noise.length));
    network.transmit(from, to, noise);
  }

  /** Replays a datagram, a lost one maybe, from where its sender is now or from elsewhere. */
  #replay(): void {
    const { network, users } = this.world;
    const { prng } = network;
    const addresses = new Map([["directory", DIRECTORY]]);
    for (const { name, address } of users) addresses.set(name, address);
    const recent = network.sent.slice(-1000);
    if (recent.length === 0) return;
    const datagram = prng.pick(recent);
    const from = addresses.get(datagram.from);
    const to = addresses.get(datagram.to);
    if (from === undefined || to === undefined) return;
    const elsewhere = { hostname: ELSEWHERE, port: 1 + prng.int(65_535) };
    network.transmit(prng.chance(0.5) ? from : elsewhere, to, datagram.bytes, true);
  }
}

/** Checks that each sender noticed when the path's MTU fell. */
function assertFewTooLong(sent: readonly Datagram[]): void {
  const counts = new Map<string, number>();
  for (const datagram of sent) {
    const { fate, decoded } = datagram;
    if (fate !== "too long" || !decoded.ok || datagram.frame("message") === undefined) continue;
    const count = (counts.get(decoded.key!) ?? 0) + 1;
    counts.set(decoded.key!, count);
    assert(
      count <= TOO_LONG_MAX,
      `${decoded.key}: more than ${TOO_LONG_MAX} datagrams above the path's MTU`,
    );
  }
}
