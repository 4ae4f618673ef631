/**
 * Two clients on a simulated network whose users want to talk with each other, and no one else.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { ClientEvent } from "../../client/event.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Prng } from "../support/random.ts";
import type { ConnectionEnd, Totals } from "./delivery_checker.ts";
import { type Conditions, IDEAL, type SimNetwork } from "./network.ts";
import { randomFillings } from "./random_user.ts";
import { publicDirectory, type Side, type Sides } from "./sites.ts";
import { SimUser } from "./sim_user.ts";
import { World } from "./world.ts";

/** Milliseconds between two attempts of a user to connect. */
const RETRY = 5_000;
/** Milliseconds until two users on a good network are connected: a name may be free only then. */
const CONNECT_MAX = 120_000;
/** Milliseconds until a good network has delivered everything. */
const DELIVER_MAX = 60_000;

/** A user who accepts whoever asks, and connects again if told to. */
export class PairUser extends SimUser {
  /** Whether the user connects again and again, as long as there is no connection. */
  isInsisting = false;
  /** Whether each event is checked by the simulation, too. */
  onEvent: ((event: ClientEvent) => void) | undefined;
  readonly #peerName: string;

  constructor(world: World<PairUser>, number: 1 | 2, mode: TimerMode, side?: Side) {
    super(world, number, mode, side);
    this.#peerName = `c${3 - number}`;
  }

  /** This end of the connection with the other user. */
  get end(): ConnectionEnd | undefined {
    return this.run.connections.values().next().value;
  }

  /** Connects now, and again as long as that comes to nothing. */
  insist(): void {
    if (!this.isInsisting) return;
    const { network } = this.world;
    const { view } = this;
    if (view?.state === "left") {
      // The name may be taken until the lease of the entry before has ended.
      this.stop();
      this.start();
    }
    if (view?.state === "idle") this.connect(this.#peerName);
    network.at(network.now + RETRY, () => this.insist());
  }

  /** Sends texts, if there is a connection. */
  talk(countMax: number, longTexts: number): void {
    const [peer] = this.open;
    if (peer !== undefined) {
      this.send(peer.id, randomFillings(this.prng, countMax, longTexts), peer.id);
    }
  }

  protected override handleEvent(event: ClientEvent): void {
    super.handleEvent(event);
    this.onEvent?.(event);
    const { run, world: { network } } = this;
    if (event.kind !== "request") return;
    network.at(network.now + this.prng.next() * 1000, () => {
      if (this.run === run) this.answer(event.peer, true);
    });
  }
}

/** Two users, the network between them, and how they come together and part. */
export class Pair {
  readonly world: World<PairUser>;
  readonly first: PairUser;
  readonly second: PairUser;

  /** @param place makes the networks that they are in, where that is not the internet. */
  constructor(seed: number, modes: readonly TimerMode[], place?: (network: SimNetwork) => Sides) {
    const site = place && publicDirectory;
    const world = this.world = new World<PairUser>(seed, () => IDEAL, site);
    const { prng } = world.network;
    const sides = place?.(world.network);
    this.first = new PairUser(world, 1, prng.pick(modes), sides?.[0]);
    this.second = new PairUser(world, 2, prng.pick(modes), sides?.[1]);
    world.users.push(this.first, this.second);
    this.set({ delay: 5 + prng.next() * 95 });
  }

  get prng(): Prng {
    return this.world.network.prng;
  }

  /** Registers both. */
  register(): void {
    const { network, users } = this.world;
    for (const user of users) user.start();
    network.runUntil(() => users.every(({ view }) => view?.id !== undefined), 10_000, "registered");
  }

  /** Connects both. */
  connect(): void {
    const { network } = this.world;
    this.first.connect("c2");
    network.runUntil(() => this.areConnected, 30_000, "connected");
  }

  /** Whether each has one connection, and both have the same. */
  get areConnected(): boolean {
    const [first, second] = this.world.users.map((user) => {
      const isOne = user.view !== undefined && user.open.length === 1;
      return isOne ? user.end?.carrier.session : undefined;
    });
    return first !== undefined && first === second;
  }

  /** Changes the conditions of the network. */
  set(conditions: Partial<Conditions>): void {
    const { network } = this.world;
    network.conditions = { ...network.conditions, ...conditions };
  }

  /** Lets a user talk at random times until then. */
  talkUntil(user: PairUser, end: Instant, pause: number, longTexts = 0.1): void {
    const { network } = this.world;
    const next = network.now - Math.log(1 - this.prng.next()) * pause;
    if (next >= end) return;
    network.at(next, () => {
      user.check();
      user.talk(5, longTexts);
      this.talkUntil(user, end, pause, longTexts);
    });
  }

  /**
   * Ends the faults; then both are connected soon, everything that was said is delivered, one of them
   * ends the connection, and both leave.
   */
  finish(): Totals {
    const { world, world: { network, users } } = this;
    world.check();
    world.calm();
    network.runUntil(() => this.areConnected, CONNECT_MAX, "connected");
    for (const user of users) {
      user.isInsisting = false;
      user.talk(2, 0);
    }
    const isDelivered = ({ end }: PairUser): boolean => end?.delivered === end?.sent.length;
    network.runUntil(() => users.every(isDelivered), DELIVER_MAX, "delivered");
    assert(this.areConnected);
    const [peer] = this.first.open;
    this.first.do((client, now) => client.terminate(now, peer!.id));
    network.run(60_000);
    for (const user of users) {
      user.assertIdle();
      assertEquals(user.run.undelivered, this.#undeliveredBefore(user));
    }
    world.check();
    world.leave();
    return world.checker.finish(false);
  }

  /** Texts of earlier connections in this run that were told to be undelivered. */
  #undeliveredBefore(user: PairUser): number {
    const ends = user.events.map(({ event }) => event).filter((event) =>
      event.kind === "terminated"
    );
    return ends.slice(0, -1).reduce((sum, { undelivered }) => sum + undelivered, 0);
  }
}

/** What a seed does with a pair on the internet. */
export class PairRun {
  protected readonly pair: Pair;

  constructor(seed: number, modes: readonly TimerMode[]) {
    this.pair = new Pair(seed, modes);
  }

  get world(): Pair["world"] {
    return this.pair.world;
  }
}
