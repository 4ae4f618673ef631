/**
 * Random conversations of clients that know two directories, while those and their store fail.
 *
 * @module
 */
import { assert, assertEquals, assertLess } from "@std/assert";
import type { ClientEvent } from "../../client/event.ts";
import type { ClientOptions } from "../../client/view.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Prng } from "../support/random.ts";
import type { Totals } from "./delivery_checker.ts";
import type { Datagram } from "./datagram.ts";
import { IDEAL } from "./network.ts";
import { MIXED, type Profile } from "./profile.ts";
import { RandomUser } from "./random_user.ts";
import { type Place, SECOND, SharedWorld } from "./shared_world.ts";
import { DIRECTORY } from "./world.ts";

const PROFILE: Profile = {
  ...MIXED,
  ...{ pause: 3_000, stopping: 0.01, leaving: 0.02, terminating: 0.1, longTexts: 0 },
};
const USERS_MAX = 6;
const STORM = 120_000;
/** Mean milliseconds between two faults. */
const FAULT_INTERVAL = 15_000;
/**
 * Milliseconds within which a client is registered at a directory that works and that it reaches; with
 * fixed timers each datagram that is lost costs 10 s.
 */
const REGISTERED_WITHIN: Readonly<Record<TimerMode, number>> = { adaptive: 15_000, fixed: 60_000 };
/** What each user is told about directories for each fault at most, and besides. */
const TOLD_PER_FAULT = 2;
const TOLD_MAX = 4;
/** Milliseconds until a call by name is answered. */
const FOUND_WITHIN: Readonly<Record<TimerMode, number>> = { adaptive: 5_000, fixed: 30_000 };
/** Milliseconds between two checks. */
const CHECK_INTERVAL = 1_000;
/** Milliseconds in which the lease of a client is renewed, whose directory answers. */
const CONFIRMED = 4_500;
/** Milliseconds in which a client that was confirmed is known to have its entry: less than the lease. */
const SURELY_REGISTERED = 20_000;
/** Milliseconds until the other directory knows of an entry, however slow the store, and its answer came. */
const KNOWN_WITHIN = 6_000;

/** Datagrams with which a client registers, keeps its lease and leaves, in a second on average. */
const ASKED_PER_SECOND = 1;
const REGISTERING = ["credentials", "leaseKeepalive", "leave"] as const;
const ABOUT_DIRECTORIES = ["serverMoved", "serverLost", "serverBack", "serverUnavailable"] as const;

/** The counts of one simulation. */
export interface SharedOutcome extends Totals {
  faults: number;
  moved: number;
  lost: number;
  back: number;
  unavailable: number;
  inactive: number;
  datagrams: number;
}

/** A user of a client that knows both directories. */
export class SharedUser extends RandomUser {
  /** How often each event came. */
  readonly counts: Partial<Record<ClientEvent["kind"], number>> = {};
  /** Datagrams with which it registered, and kept its lease. */
  asked = 0;
  /** When a run was started last. */
  startedAt: Instant = 0;
  /** When this run was started, or a directory granted it its entry or renewed its lease. */
  confirmedAt: Instant = 0;
  /** Since when each of the directories works for it. */
  readonly workingSince = new Map<Place, Instant>();
  readonly #world: SharedWorld<SharedUser>;
  /** Since when it has its entry without a gap. */
  #thereSince: Instant = 0;

  constructor(world: SharedWorld<SharedUser>, number: number, mode: TimerMode) {
    super(world, number, mode, PROFILE);
    this.#world = world;
  }

  override start(options: Partial<ClientOptions> = {}): void {
    this.startedAt = this.confirmedAt = this.#world.network.now;
    super.start({ directoryAddresses: [DIRECTORY, SECOND], ...options });
  }

  /** Whether it has its entry under its name for sure, whatever else happens. */
  get isSurelyThere(): boolean {
    const { view, name, startedAt, confirmedAt } = this;
    const { now } = this.#world.network;
    // What the store lost may be another's before its directory can bring it back.
    const isSafe = now - this.#world.emptiedAt >= SURELY_REGISTERED;
    return isSafe && view?.id !== undefined && view.name === name && !this.run.isOver &&
      confirmedAt > startedAt && now - this.#thereSince > KNOWN_WITHIN &&
      now - confirmedAt < SURELY_REGISTERED;
  }

  override onSent(datagram: Datagram): void {
    super.onSent(datagram);
    if (REGISTERING.some((kind) => datagram.frame(kind) !== undefined)) this.asked++;
  }

  override onDelivered(datagram: Datagram): void {
    super.onDelivered(datagram);
    const isConfirmed = datagram.frame("leaseKeepaliveAck") !== undefined ||
      datagram.frame("registered") !== undefined;
    if (!isConfirmed) return;
    const { now } = this.#world.network;
    // Where it was not confirmed for long, its entry may have been gone meanwhile.
    const isNew = this.confirmedAt === this.startedAt ||
      now - this.confirmedAt >= SURELY_REGISTERED;
    if (isNew) this.#thereSince = now;
    this.confirmedAt = now;
  }

  protected override handleEvent(event: ClientEvent): void {
    super.handleEvent(event);
    this.counts[event.kind] = (this.counts[event.kind] ?? 0) + 1;
    if (event.kind !== "inactive") return;
    const wanted = this.#world.users.find(({ name }) => name === event.peer);
    assert(wanted?.isSurelyThere !== true, `${wanted?.name} is not found`);
  }
}

/** One simulation. */
export class SharedRun {
  readonly world: SharedWorld<SharedUser>;
  readonly #prng: Prng;
  #faults = 0;
  #isStorm = true;
  #isOver = false;

  constructor(seed: number, modes: readonly TimerMode[]) {
    this.world = new SharedWorld<SharedUser>(seed, IDEAL);
    const { world, world: { network } } = this;
    const { prng } = network;
    this.#prng = prng;
    network.conditions = {
      ...IDEAL,
      delay: 5 + prng.next() * 95,
      jitter: prng.chance(0.5) ? 0 : prng.next() * 100,
      duplication: prng.chance(0.5) ? 0 : prng.next() * 0.1,
      lateness: prng.next() * 5,
    };
    const count = 3 + prng.int(USERS_MAX - 2);
    for (let number = 1; number <= count; number++) {
      world.users.push(new SharedUser(world, number, prng.pick(modes)));
    }
  }

  run(): SharedOutcome {
    const { world, world: { network, users, checker } } = this;
    for (const user of users) user.start();
    for (const user of users) this.#act(user);
    this.#scheduleFault();
    this.#watch();
    network.run(STORM);
    this.#isStorm = false;
    world.calm();
    network.run(Math.max(...users.map(({ mode }) => REGISTERED_WITHIN[mode])));
    this.#call();
    this.#isOver = true;
    this.#part();
    world.leave();
    const totals = checker.finish(true);
    for (const user of users) this.#checkBounds(user);
    const count = (kind: ClientEvent["kind"]): number =>
      users.reduce((sum, { counts }) => sum + (counts[kind] ?? 0), 0);
    return {
      ...totals,
      faults: this.#faults,
      moved: count("serverMoved"),
      lost: count("serverLost"),
      back: count("serverBack"),
      unavailable: count("serverUnavailable"),
      inactive: count("inactive"),
      datagrams: network.sent.length,
    };
  }

  /** Checks that its client neither told nor asked too much. */
  #checkBounds({ name, counts, asked }: SharedUser): void {
    const { now } = this.world.network;
    const told = ABOUT_DIRECTORIES.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0);
    assertLess(told, TOLD_PER_FAULT * this.#faults + TOLD_MAX, `${name} tells too much`);
    assertLess(asked, ASKED_PER_SECOND * now / 1_000, `${name} asks too much`);
  }

  #act(user: SharedUser): void {
    const { network } = this.world;
    const pause = -Math.log(1 - this.#prng.next()) * PROFILE.pause;
    network.at(network.now + pause, () => {
      if (!this.#isStorm) return;
      user.act();
      this.#act(user);
    });
  }

  #scheduleFault(): void {
    const { network } = this.world;
    network.at(network.now - Math.log(1 - this.#prng.next()) * FAULT_INTERVAL, () => {
      if (!this.#isStorm) return;
      this.#faults++;
      this.#fail();
      this.#scheduleFault();
    });
  }

  /** One of the faults, for a while. */
  #fail(): void {
    const { world, world: { network, places, store, users } } = this;
    const prng = this.#prng;
    const place = prng.pick(places);
    const some = prng.chance(0.3) ? places : [place];
    const duration = prng.pick([1_000, 5_000, 20_000, 60_000]) * prng.next();
    const later = (action: () => void): void =>
      network.at(network.now + duration, () => {
        if (this.#isStorm) action();
      });
    switch (prng.int(7)) {
      case 0:
        network.note(place.host.name, "is killed");
        world.crash(place);
        return later(() => this.#restart(place));
      case 1:
        network.note(place.host.name, "stops");
        place.host.input(() => place.server.sendAway(0, 200));
        world.crash(place);
        return later(() => this.#restart(place));
      case 2: {
        const isNoticed = prng.chance(0.5);
        for (const { host, link } of some) {
          network.note(host.name, "is cut off from the store");
          link.cut(isNoticed);
        }
        return later(() => this.#connect(some));
      }
      case 3:
        network.note("store", "is empty");
        return world.emptyStore();
      case 4:
        network.note("store", "starts again, and is empty");
        for (const { link } of places) link.cut(true);
        return later(() => {
          world.emptyStore();
          this.#connect(places);
        });
      case 5:
        store.delayMax = prng.pick([100, 1_000, 5_000]);
        network.note("store", `takes ${store.delayMax} ms`);
        return later(() => store.delayMax = 5);
      case 6: {
        const user = prng.pick(users);
        for (const { host } of some) {
          network.note(user.name, `is cut off from ${host.name}`);
          network.cut(user.name, host.name, network.now + duration);
        }
      }
    }
  }

  #restart(place: Place): void {
    this.world.restart(place);
    this.#connect([place]);
  }

  #connect(places: readonly Place[]): void {
    for (const { host, link } of places) if (host.isUp) link.connect();
  }

  /** Checks all the time that a client goes to a directory that works for it. */
  #watch(): void {
    const { world, world: { network, users, places } } = this;
    network.at(network.now + CHECK_INTERVAL, () => {
      world.check();
      this.#checkViews();
      for (const user of users) {
        for (const place of places) this.#watchPlace(user, place);
        this.#checkRegistered(user);
      }
      if (!this.#isOver) this.#watch();
    });
  }

  /** No two clients that a directory confirmed just now have one id or name. */
  #checkViews(): void {
    const { network, users, emptiedAt } = this.world;
    // Directories that bring back their clients then may find that another one has the id meanwhile.
    if (network.now - emptiedAt < SURELY_REGISTERED) return;
    const isConfirmed = ({ confirmedAt }: SharedUser): boolean =>
      network.now - confirmedAt < CONFIRMED;
    const views = users.filter(isConfirmed).map(({ view }) => view)
      .filter((view) =>
        view?.id !== undefined && view.serverLostSince === undefined &&
        !["leaving", "left"].includes(view.state)
      );
    const ids = views.map((view) => view!.id);
    assertEquals(new Set(ids).size, ids.length, "two clients have one id");
    const names = views.map((view) => view!.name).filter((name) => name !== "");
    assertEquals(new Set(names).size, names.length, "two clients have one name");
  }

  #watchPlace(user: SharedUser, place: Place): void {
    const { network } = this.world;
    const works = this.world.isWorking(place) && !network.isCut(user.name, place.host.name);
    if (!works) user.workingSince.delete(place);
    else if (!user.workingSince.has(place)) user.workingSince.set(place, network.now);
  }

  #checkRegistered(user: SharedUser): void {
    const { mode, view, startedAt, confirmedAt } = user;
    if (view === undefined || user.run.isOver || view.state === "left") return;
    const { now } = this.world.network;
    const since = Math.max(Math.min(Infinity, ...user.workingSince.values()), startedAt);
    if (user.workingSince.size === 0) return;
    const silence = now - Math.max(since, confirmedAt);
    assertLess(silence, REGISTERED_WITHIN[mode], `${user.name} is not registered`);
  }

  /** All call each other by name, and talk. */
  #call(): void {
    const { world: { network, users, places } } = this;
    const running = users.filter(({ view, run }) =>
      view !== undefined && view.state !== "left" && !run.isOver
    );
    for (const place of places) {
      const rows = this.world.rows(place);
      for (const { view, address } of running) {
        const row = rows.find(({ id }) => id === view!.id);
        const { name } = view!;
        assertEquals([row?.name, row?.address], [name, address], place.host.name);
      }
    }
    for (const [index, user] of running.entries()) {
      const other = running[(index + 1) % running.length]!;
      const isOpen = user.open.some(({ name }) => name === other.view!.name);
      if (other === user || isOpen || other.view!.name === "") continue;
      user.connect(other.view!.name);
      const asked = network.now;
      network.run(FOUND_WITHIN[user.mode]);
      for (const { time, event } of user.events) {
        const isFailed = event.kind === "inactive" ||
          event.kind === "error" && event.code.startsWith("server");
        assert(time < asked || !isFailed, `${user.name} did not find ${other.name}`);
      }
    }
  }

  /** All end their conversations. */
  #part(): void {
    const { world: { network, users } } = this;
    for (const user of users) user.settle();
    network.run(200_000);
    for (const user of users) user.returnIfLeft();
    network.run(20_000);
    for (const user of users) user.assertIdle();
  }
}
