/**
 * Random conversations on a bad network, by seed: nothing may be lost silently.
 *
 * @module
 */
import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { DATAGRAM_SIZE_MAX } from "../../protocol/wire/frame.ts";
import { BLACK_HOLE_LOSSES } from "../../protocol/session/path_mtu.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { ServerEvent } from "../../server/event.ts";
import { Server } from "../../server/server.ts";
import { type Prng, seedFromEnv } from "../support/random.ts";
import { IS_FULL } from "../support/scale.ts";
import { DeliveryChecker, type Totals } from "./delivery_checker.ts";
import type { Datagram } from "./datagram.ts";
import { type Host, SimNetwork } from "./network.ts";
import { DIRECTORY, RandomUser, SECRET } from "./random_user.ts";
import type { Profile } from "./profile.ts";

const LEASE = 45_000;
/** Milliseconds after which no state of ended connections and requests is left. */
const CALM = 200_000;
/**
 * Most datagrams with Messages that one direction of a connection loses because the path's MTU fell;
 * 13 were measured.
 */
const TOO_LONG_MAX = 5 * BLACK_HOLE_LOSSES;

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
): Record<keyof Outcome, number> {
  const first = seedFromEnv();
  const sums = {} as Record<keyof Outcome, number>;
  for (let index = 0; index < count; index++) {
    const outcome = simulate((first + index) % 2 ** 32, modes, profile);
    for (const [name, value] of Object.entries(outcome)) {
      sums[name as keyof Outcome] = (sums[name as keyof Outcome] ?? 0) + value;
    }
  }
  const text = Object.entries(sums).map(([name, sum]) => `${name} ${sum}`).join(", ");
  console.log(`${count} seeds from UDP_CHAT_SEED=${first}: ${text}`);
  // A slice is too small for averages.
  if (!IS_FULL) return sums;
  // A client that gives up at once would lose nothing silently either.
  assertGreater(sums.delivered, profile.deliveredMin * sums.sent);
  assertGreater(sums.retransmissions, 10 * count);
  for (const trouble of troubles) assertGreater(sums[trouble], count, trouble);
  // The two or three users of a storm have few connections at a time.
  assertGreater(sums.concurrent, count / 10);
  return sums;
}

/** Simulates one seed; throws if a check fails. */
export function simulate(seed: number, modes: readonly TimerMode[], profile: Profile): Outcome {
  const simulation = new Simulation(seed, modes, profile);
  try {
    return simulation.run();
  } catch (error) {
    const message = `${error}\nwith UDP_CHAT_SEED=${seed}, ${simulation.network.describe()}`;
    throw new Error(message, { cause: error });
  }
}

class Simulation {
  readonly #profile: Profile;
  readonly network: SimNetwork;
  readonly #prng: Prng;
  readonly #checker = new DeliveryChecker();
  readonly #users: RandomUser[] = [];
  readonly #directory: Host<ServerEvent>;
  #server: Server;
  #isStorm = true;
  /** Whether nothing is lost, though it may be delayed or duplicated. */
  readonly #isLossless: boolean;

  constructor(seed: number, modes: readonly TimerMode[], profile: Profile) {
    this.#profile = profile;
    this.network = new SimNetwork(seed);
    const prng = this.#prng = this.network.prng;
    this.network.hasSecret = prng.chance(0.3);
    this.#isLossless = prng.chance(profile.losslessShare);
    this.network.conditions = profile.conditions(prng, this.#isLossless);
    this.#server = this.#makeServer();
    this.#directory = this.network.add("directory", DIRECTORY, () => this.#server);
    const count = 2 + prng.int(profile.usersMax - 1);
    for (let number = 1; number <= count; number++) {
      const mode = prng.pick(modes);
      const user = new RandomUser(
        this.network,
        this.#checker,
        this.#users,
        number,
        mode,
        profile,
      );
      this.#users.push(user);
    }
    this.network.onSend = (datagram) => {
      const user = this.#users.find(({ name }) => name === datagram.from);
      if (user === undefined) return;
      this.#checker.onSent(datagram);
      user.onSent(datagram);
    };
    this.network.onDelivery = (datagram) => {
      this.#checker.onDelivered(this.network.now, datagram);
      this.#users.find(({ name }) => name === datagram.to)?.onDelivered(datagram);
    };
  }

  run(): Outcome {
    for (const user of this.#users) user.start();
    for (const user of this.#users) this.#scheduleAct(user);
    this.#scheduleFaults();
    this.network.run(this.#profile.storm);
    this.#calm();
    this.#leave();
    const totals = this.#checker.finish(this.#isLossless);
    const { sent } = this.network;
    assertFewTooLong(sent);
    const datagrams = sent.length;
    const fragments = sent.filter((each) => each.frame("message")).length;
    // Three for each fragment, and a share for the directory and the requests.
    assertLess(datagrams, 3 * fragments + 600 * this.#users.length, "datagrams");
    const lostAs = (fate: Datagram["fate"]): number =>
      sent.filter((each) => each.fate === fate).length;
    return {
      ...totals,
      datagrams,
      retransmissions: this.#users.reduce(
        (sum, user) => sum + user.retransmission.retransmissions,
        0,
      ),
      corrupted: lostAs("corrupted"),
      replayed: sent.filter(({ isForged }) => isForged).length,
      moves: this.#users.reduce((sum, user) => sum + user.moves, 0),
      bursts: lostAs("lost in a burst"),
      large: sent.filter(({ bytes }) => bytes.length > DATAGRAM_SIZE_MAX).length,
      tooLong: lostAs("too long"),
    };
  }

  /** Ends the losses and all connections; then only the registrations are left. */
  #calm(): void {
    this.#isStorm = false;
    this.network.heal();
    this.network.conditions = {
      ...this.network.conditions,
      loss: 0,
      bursts: 0,
      duplication: 0,
      corruption: 0,
    };
    if (!this.#directory.isUp) this.#startDirectory();
    this.network.run(this.#profile.grace);
    for (const user of this.#users) user.settle();
    this.network.run(CALM);
    // Some had left, or could not register in time.
    for (const user of this.#users) user.returnIfLeft();
    this.network.run(20_000);
    const before = this.network.sent.length;
    this.network.run(20_000);
    for (const user of this.#users) user.assertIdle();
    for (const datagram of this.network.sent.slice(before)) {
      assert([datagram.from, datagram.to].includes("directory"), `not idle: ${datagram}`);
    }
  }

  #leave(): void {
    for (const user of this.#users) user.leave();
    this.network.run(1000);
    const ids = [...this.#server.table().clients].map(({ id }) => id);
    assertEquals(ids, [], "still in the table");
    assertEquals(this.#server.nextTimeout(), undefined);
    for (const user of this.#users) user.assertLeft();
    const before = this.network.sent.length;
    this.network.run(100_000);
    assertEquals(this.network.sent.length, before, "datagrams after all left");
  }

  #scheduleAct(user: RandomUser): void {
    const pause = -Math.log(1 - this.#prng.next()) * this.#profile.pause;
    this.network.at(this.network.now + pause, () => {
      if (!this.#isStorm) return;
      user.act();
      this.#scheduleAct(user);
    });
  }

  /** Schedules faults of the network and the directory. */
  #scheduleFaults(): void {
    const prng = this.#prng;
    const profile = this.#profile;
    const { storm } = profile;
    for (let garbage = prng.int(profile.garbageMax); garbage > 0; garbage--) {
      this.network.at(prng.next() * storm, () => this.#sendGarbage());
    }
    for (let replays = prng.int(profile.replaysMax); replays > 0; replays--) {
      this.network.at(prng.next() * storm, () => this.#replay());
    }
    if (this.#isLossless) return;
    for (const [index, user] of this.#users.entries()) {
      for (let moves = profile.moves(prng, index + 1); moves > 0; moves--) {
        this.network.at(prng.next() * storm, () => user.move());
      }
    }
    for (const { at, mtu } of profile.mtuDrops(prng)) {
      this.network.at(at, () => this.network.conditions = { ...this.network.conditions, mtu });
    }
    const hosts = ["directory", ...this.#users.map(({ name }) => name)];
    for (let cuts = prng.int(4); cuts > 0; cuts--) {
      const from = prng.next() * storm;
      const [a, b] = [prng.pick(hosts), prng.pick(hosts)];
      if (a !== b) this.network.cut(a, b, from + prng.next() * profile.cutMax, from);
    }
    if (prng.chance(0.3)) {
      const at = prng.next() * storm;
      this.network.at(at, () => this.#directory.crash());
      this.network.at(at + prng.next() * 30_000, () => {
        if (!this.#directory.isUp) this.#startDirectory();
      });
    }
  }

  /** Sends random bytes, at times after a valid magic and version. */
  #sendGarbage(): void {
    const prng = this.#prng;
    const from = { hostname: "192.0.2.66", port: 1 + prng.int(65_535) };
    const to = prng.pick([DIRECTORY, ...this.#users.map(({ address }) => address)]);
    const noise = prng.bytes(prng.int(200));
    if (prng.chance(0.5)) noise.set([0x75, 0x63, 1, 1 + prng.int(6)].slice(0, noise.length));
    this.network.transmit(from, to, noise);
  }

  /** Replays a datagram of a client, lost ones included, from its address or from another. */
  #replay(): void {
    const prng = this.#prng;
    const recent = this.network.sent.slice(-1000);
    if (recent.length === 0) return;
    const datagram = prng.pick(recent);
    const sender = this.#users.find(({ name }) => name === datagram.from);
    const receiver = this.#users.find(({ name }) => name === datagram.to);
    if (sender === undefined || receiver === undefined) return;
    const elsewhere = { hostname: "192.0.2.67", port: 1 + prng.int(65_535) };
    const from = prng.chance(0.5) ? sender.address : elsewhere;
    this.network.transmit(from, receiver.address, datagram.bytes, true);
  }

  #makeServer(): Server {
    return new Server({
      maxClients: 100,
      lease: LEASE,
      secret: this.network.hasSecret ? SECRET : undefined,
      random: this.network.prng.bytes,
    });
  }

  #startDirectory(): void {
    this.#server = this.#makeServer();
    this.#directory.start(this.#server);
  }
}

/** Checks that each sender noticed when the path's MTU fell. */
function assertFewTooLong(sent: readonly Datagram[]): void {
  const counts = new Map<string, number>();
  for (const datagram of sent) {
    const { fate, from, decoded } = datagram;
    if (fate !== "too long" || !decoded.ok || datagram.frame("message") === undefined) continue;
    const direction = `${from} to ${decoded.header.connection}`;
    const count = (counts.get(direction) ?? 0) + 1;
    counts.set(direction, count);
    assert(
      count <= TOO_LONG_MAX,
      `${direction}: more than ${TOO_LONG_MAX} datagrams above the path's MTU`,
    );
  }
}
