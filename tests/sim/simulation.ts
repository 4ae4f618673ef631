/**
 * Random conversations on a bad network, from a seed: nothing may be lost without a word.
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
import { Book, type Totals } from "./delivery_checker.ts";
import type { Datagram } from "./datagram.ts";
import { type Host, SimNetwork } from "./network.ts";
import { DIRECTORY, Player, SECRET } from "./random_user.ts";
import type { Profile } from "./profile.ts";

const LEASE = 45_000;
/** Milliseconds after which nothing is left of connections and requests that ended. */
const CALM = 200_000;
/**
 * Datagrams with Messages that one direction of a connection loses, at most, because the path
 * carries no such datagrams any more; what is measured is 13.
 */
const TOO_LONG_MAX = 5 * BLACK_HOLE_LOSSES;

/** What a simulation came to. */
export interface Outcome extends Totals {
  datagrams: number;
  retransmissions: number;
  corrupted: number;
  replayed: number;
  moves: number;
  /** Datagrams lost in a burst, and such as only a path MTU above the base size allows. */
  bursts: number;
  large: number;
  /** Datagrams that a smaller path MTU stopped. */
  tooLong: number;
}

/**
 * Plays `count` seeds, the first from `UDP_CHAT_SEED` where that is set, and prints the sums.
 *
 * @param troubles what has to happen more than once in a seed, on average.
 */
export function simulateMany(
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
  // What keeps its promises by giving up at once is of no use.
  assertGreater(sums.delivered, profile.deliveredMin * sums.sent);
  assertGreater(sums.retransmissions, 10 * count);
  for (const trouble of troubles) assertGreater(sums[trouble], count, trouble);
  // Two or three users of a short storm have few connections at a time.
  assertGreater(sums.beside, count / 10);
  return sums;
}

/** Plays what the seed says; throws where a promise is broken. */
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
  readonly #book = new Book();
  readonly #players: Player[] = [];
  readonly #directory: Host<ServerEvent>;
  #server: Server;
  #isStorm = true;
  /** Whether nothing is lost, though it may be late, or come twice. */
  readonly #isFair: boolean;

  constructor(seed: number, modes: readonly TimerMode[], profile: Profile) {
    this.#profile = profile;
    this.network = new SimNetwork(seed);
    const prng = this.#prng = this.network.prng;
    this.network.hasSecret = prng.chance(0.3);
    this.#isFair = prng.chance(profile.fairSeeds);
    this.network.conditions = profile.conditions(prng, this.#isFair);
    this.#server = this.#makeServer();
    this.#directory = this.network.add("directory", DIRECTORY, () => this.#server);
    const count = 2 + prng.int(profile.playersMax - 1);
    for (let number = 1; number <= count; number++) {
      const mode = prng.pick(modes);
      const player = new Player(this.network, this.#book, this.#players, number, mode, profile);
      this.#players.push(player);
    }
    this.network.onSend = (datagram) => {
      const player = this.#players.find(({ name }) => name === datagram.from);
      if (player === undefined) return;
      this.#book.noteSent(datagram);
      player.noteSent(datagram);
    };
    this.network.onDelivery = (datagram) => {
      this.#book.noteDelivered(this.network.now, datagram);
      this.#players.find(({ name }) => name === datagram.to)?.noteDelivered(datagram);
    };
  }

  run(): Outcome {
    for (const player of this.#players) player.start();
    for (const player of this.#players) this.#scheduleAct(player);
    this.#scheduleTrouble();
    this.network.run(this.#profile.storm);
    this.#calm();
    this.#leave();
    const totals = this.#book.close(this.#isFair);
    const { sent } = this.network;
    assertFewTooLong(sent);
    const datagrams = sent.length;
    const fragments = sent.filter((each) => each.frame("message")).length;
    // The directory's share, the requests', and twice what the messages took.
    assertLess(datagrams, 3 * fragments + 600 * this.#players.length, "datagrams");
    const lostAs = (fate: Datagram["fate"]): number =>
      sent.filter((each) => each.fate === fate).length;
    return {
      ...totals,
      datagrams,
      retransmissions: this.#players.reduce((sum, { rule }) => sum + rule.retransmissions, 0),
      corrupted: lostAs("corrupted"),
      replayed: sent.filter(({ isForged }) => isForged).length,
      moves: this.#players.reduce((sum, player) => sum + player.moves, 0),
      bursts: lostAs("lost in a burst"),
      large: sent.filter(({ bytes }) => bytes.length > DATAGRAM_SIZE_MAX).length,
      tooLong: lostAs("too long"),
    };
  }

  /** The network heals, the users end what they began, and nothing is left of it. */
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
    for (const player of this.#players) player.settle();
    this.network.run(CALM);
    // Some were leaving when the storm ended, or could not register in time.
    for (const player of this.#players) player.returnIfLeft();
    this.network.run(20_000);
    const before = this.network.sent.length;
    this.network.run(20_000);
    for (const player of this.#players) player.assertIdle();
    for (const datagram of this.network.sent.slice(before)) {
      assert([datagram.from, datagram.to].includes("directory"), `not idle: ${datagram}`);
    }
  }

  #leave(): void {
    for (const player of this.#players) player.leave();
    this.network.run(1000);
    const ids = [...this.#server.table().clients].map(({ id }) => id);
    assertEquals(ids, [], "still in the table");
    assertEquals(this.#server.nextTimeout(), undefined);
    for (const player of this.#players) player.assertLeft();
    const before = this.network.sent.length;
    this.network.run(100_000);
    assertEquals(this.network.sent.length, before, "datagrams after all left");
  }

  #scheduleAct(player: Player): void {
    const pause = -Math.log(1 - this.#prng.next()) * this.#profile.pause;
    this.network.at(this.network.now + pause, () => {
      if (!this.#isStorm) return;
      player.act();
      this.#scheduleAct(player);
    });
  }

  /** What happens to the network and the directory. */
  #scheduleTrouble(): void {
    const prng = this.#prng;
    const profile = this.#profile;
    const { storm } = profile;
    for (let garbage = prng.int(profile.garbageMax); garbage > 0; garbage--) {
      this.network.at(prng.next() * storm, () => this.#sendGarbage());
    }
    for (let replays = prng.int(profile.replaysMax); replays > 0; replays--) {
      this.network.at(prng.next() * storm, () => this.#replay());
    }
    if (this.#isFair) return;
    for (const [index, player] of this.#players.entries()) {
      for (let moves = profile.moves(prng, index + 1); moves > 0; moves--) {
        this.network.at(prng.next() * storm, () => player.move());
      }
    }
    for (const { at, mtu } of profile.mtuDrops(prng)) {
      this.network.at(at, () => this.network.conditions = { ...this.network.conditions, mtu });
    }
    const hosts = ["directory", ...this.#players.map(({ name }) => name)];
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

  /** A datagram that nobody sent: noise, or an old one again. */
  #sendGarbage(): void {
    const prng = this.#prng;
    const from = { hostname: "192.0.2.66", port: 1 + prng.int(65_535) };
    const to = prng.pick([DIRECTORY, ...this.#players.map(({ address }) => address)]);
    const noise = prng.bytes(prng.int(200));
    if (prng.chance(0.5)) noise.set([0x75, 0x63, 1, 1 + prng.int(6)].slice(0, noise.length));
    this.network.transmit(from, to, noise);
  }

  /** Something that a client sent to another, be it lost, once more, from wherever it may be. */
  #replay(): void {
    const prng = this.#prng;
    const recent = this.network.sent.slice(-1000);
    if (recent.length === 0) return;
    const datagram = prng.pick(recent);
    const sender = this.#players.find(({ name }) => name === datagram.from);
    const receiver = this.#players.find(({ name }) => name === datagram.to);
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

/** Checks that each sender noticed a path MTU that fell. */
function assertFewTooLong(sent: readonly Datagram[]): void {
  const counts = new Map<string, number>();
  for (const datagram of sent) {
    const { fate, from, decoded } = datagram;
    if (fate !== "too long" || !decoded.ok || datagram.frame("message") === undefined) continue;
    const direction = `${from} to ${decoded.header.connection}`;
    const count = (counts.get(direction) ?? 0) + 1;
    counts.set(direction, count);
    assert(count <= TOO_LONG_MAX, `${direction}: too long for the path, again and again`);
  }
}
