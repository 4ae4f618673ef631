/**
 * The stage of the stories in which clients are behind NATs: a public directory, and two sides.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ClientOptions } from "../../client/view.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { PathKind } from "../../protocol/wire/remote.ts";
import { seedFromEnv } from "../support/random.ts";
import { sampled } from "../support/scale.ts";
import type { Rebinding } from "../sim/nat.ts";
import {
  makeShared,
  makeSide,
  publicDirectory,
  rebind,
  type SharedKind,
  type Side,
  type Sides,
  type SiteKind,
} from "../sim/sites.ts";
import { Actor, playOn, Stage, VARIANTS } from "./stage.ts";

/** Milliseconds each way. */
export const DELAY = 25;
/** A round trip. */
export const ROUND_TRIP = 2 * DELAY;
/** Milliseconds between the texts of somebody who talks. */
const TALK_INTERVAL = 250;

/** Two sides, by the kinds of their networks, or by the one that they share. */
export type PairKind = readonly [SiteKind, SiteKind] | SharedKind;

const MODES: readonly TimerMode[] = ["adaptive", "fixed"];

/** How a story is told. */
interface StoryOptions {
  readonly modes?: readonly TimerMode[];
  readonly options?: Partial<ClientOptions>;
}

/** Tells a story for each pair of networks; in the short run, for some of them. */
export function pairStory(
  name: string,
  pairs: readonly PairKind[],
  body: (stage: ReachStage) => void,
  { modes = MODES, options = {} }: StoryOptions = {},
): void {
  for (const mode of modes) {
    Deno.test(`${name} (${mode} timers)`, () => {
      const seed = seedFromEnv();
      for (const pair of sampled(pairs, VARIANTS / 2, seed)) {
        playOn(new ReachStage(mode, seed, pair, options), seed, body, `with ${pair} `);
      }
    });
  }
}

/** All pairs of one kind and another, either one first. */
export function pairsOf(some: readonly SiteKind[], others: readonly SiteKind[]): PairKind[] {
  const pairs = new Set<string>();
  for (const one of some) {
    for (const other of others) pairs.add(`${one} ${other}`).add(`${other} ${one}`);
  }
  return [...pairs].map((each) => each.split(" ") as [SiteKind, SiteKind]);
}

/** ana and ben, each in its network. */
export class ReachStage extends Stage {
  readonly sides: Sides;
  readonly ana: Actor;
  readonly ben: Actor;
  #talks = 0;
  #rebindings = 0;

  constructor(
    mode: TimerMode,
    seed: number,
    pair: PairKind,
    options: Partial<ClientOptions> = {},
  ) {
    super(mode, seed, publicDirectory);
    this.set({ delay: DELAY });
    this.sides = typeof pair === "string"
      ? makeShared(this.network, pair)
      : [makeSide(this.network, 0, pair[0]), makeSide(this.network, 1, pair[1])];
    this.ana = this.place("ana", this.sides[0], options);
    this.ben = this.place("ben", this.sides[1], options);
    this.wait(500);
  }

  /** Adds a client in a network; it accepts whoever asks. */
  place(name: string, side: Side, options: Partial<ClientOptions> = {}): Actor {
    const { directoryAddresses, address } = side;
    return new Actor(this, name, side, {
      ...{
        name,
        directoryAddresses,
        timers: this.mode,
        acceptAll: true,
        localAddresses: () => [address],
      },
      ...options,
    });
  }

  /** ana calls ben; they are connected within this time. */
  call(limit: number): void {
    this.ana.connect("ben");
    this.untilConnected(limit);
  }

  /** Both call each other at once. */
  callBoth(limit: number): void {
    this.ana.connect("ben");
    this.ben.connect("ana");
    this.untilConnected(limit);
  }

  untilConnected(limit: number): void {
    const areConnected = (): boolean =>
      [this.ana, this.ben].every(({ view }) => view.state === "connected");
    this.network.runUntil(areConnected, limit, "connected");
  }

  /** Gives the NAT of one of them another address, or only other ports; a host without one moves. */
  rebind(who: "ana" | "ben" | "both", rebinding: Rebinding): void {
    const indices = who === "both" ? [0, 1] : [who === "ana" ? 0 : 1];
    for (const index of indices) {
      const host = [this.ana, this.ben][index]!.host;
      rebind(this.sides[index]!, host, ++this.#rebindings, rebinding);
    }
  }

  /** Both talk for a while: a text every now and then. */
  talk(duration: number): void {
    for (const end = this.now + duration; this.now < end; this.wait(TALK_INTERVAL)) this.say();
  }

  /** Each says one text. */
  say(): void {
    const text = `${this.#talks++}`;
    this.ana.send(text);
    this.ben.send(text);
  }

  /** All that was said arrives within this time, once and in order. */
  expectAllSaid(limit: number): void {
    const { ana, ben } = this;
    const said = Array.from({ length: this.#talks }, (_, number) => `${number}`);
    const isAll = (): boolean => [ana, ben].every(({ texts }) => texts.length >= said.length);
    this.network.runUntil(isAll, limit, "all that was said");
    assertEquals(ana.texts, said);
    assertEquals(ben.texts, said);
    assertEquals([...ana.events("terminated"), ...ben.events("terminated")], []);
  }

  /** Each says one text; the kinds of paths on which these went. */
  paths(): PathKind[] {
    const since = this.now;
    this.say();
    this.wait(TALK_INTERVAL);
    return [this.ana, this.ben].map((actor) => {
      const [path] = this.pathsSince(since, actor);
      if (path === undefined) throw new Error(`${actor.name} said nothing`);
      return path;
    });
  }

  /** The kinds of paths of all datagrams with a Message. */
  pathsSince(since: Instant, actor?: Actor): PathKind[] {
    return this.datagrams(actor, since).map(({ path }) => path).filter((path) =>
      path !== undefined
    );
  }

  /** When the last text of somebody arrived. */
  lastHeardAt(actor: Actor): Instant {
    return actor.eventTimes("message").at(-1) ?? -Infinity;
  }
}
