/**
 * The stage of the stories: a directory, clients with names, and a network that can fail.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ClientOptions } from "../../client/view.ts";
import { connectionTimeout } from "../../protocol/connection/silence.ts";
import { compareKeys, type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import { TIMER_POLICIES, type TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { ServerEvent } from "../../server/event.ts";
import type { Server } from "../../server/server.ts";
import { newServer } from "../support/new_server.ts";
import { seedFromEnv } from "../support/random.ts";
import { sampled } from "../support/scale.ts";
import type { Datagram } from "../sim/datagram.ts";
import { type Conditions, type Host, SimNetwork, type Site } from "../sim/network.ts";
import { Actor, DIRECTORY } from "./actor.ts";

export { Actor, DIRECTORY };

/** The lease that the directory gives, in milliseconds. */
export const LEASE = 45_000;

type Kind = Frame["kind"];

const MODES: readonly TimerMode[] = ["adaptive", "fixed"];

/** Runs a story with each kind of timers; an error comes with the history of the network. */
export function story(name: string, body: (stage: Stage) => void, modes = MODES): void {
  for (const mode of modes) {
    Deno.test(`${name} (${mode} timers)`, () => play(mode, seedFromEnv(), body));
  }
}

/** Variants of a story in the short run. */
export const VARIANTS = 4;

/** The same for each variant, or in the short run for some of them, each on a stage of its own. */
export function stories<Variant>(
  name: string,
  variants: readonly Variant[],
  body: (stage: Stage, variant: Variant) => void,
  modes = MODES,
): void {
  for (const mode of modes) {
    Deno.test(`${name} (${mode} timers)`, () => {
      const seed = seedFromEnv();
      for (const variant of sampled(variants, VARIANTS, seed)) {
        play(mode, seed, (stage) => body(stage, variant), `in ${Deno.inspect(variant)} `);
      }
    });
  }
}

function play(mode: TimerMode, seed: number, body: (stage: Stage) => void, what = ""): void {
  playOn(new Stage(mode, seed), seed, body, what);
}

/** Tells a story on a stage; an error comes with the history of the network. */
export function playOn<On extends Stage>(
  stage: On,
  seed: number,
  body: (stage: On) => void,
  what = "",
): void {
  try {
    body(stage);
    stage.assertAllLost();
  } catch (error) {
    const message = `${error}\n${what}with UDP_CHAT_SEED=${seed}, ${stage.network.describe()}`;
    throw new Error(message, { cause: error });
  }
}

/** A directory and its clients. */
export class Stage {
  readonly mode: TimerMode;
  readonly network: SimNetwork;
  readonly directory: Host<ServerEvent>;
  #identity: KeyPair;
  #server: Server;
  #relayLimit: number | undefined;
  #clients = 0;
  #losses: { what: string; left: number }[] = [];

  constructor(
    mode: TimerMode,
    seed: number,
    site: (network: SimNetwork) => Address | Site = () => DIRECTORY,
  ) {
    this.mode = mode;
    this.network = new SimNetwork(seed);
    this.#identity = makeKeyPair(this.network.prng.bytes);
    this.#server = this.#makeServer();
    this.directory = this.network.add("directory", site(this.network), () => this.#server);
  }

  /** The static key of the directory. */
  get directoryIdentity(): KeyPair {
    return this.#identity;
  }

  /** The ids of the active clients. */
  get table(): number[] {
    return [...this.#server.table().clients].map(({ id }) => id);
  }

  get now(): Instant {
    return this.network.now;
  }

  /** Milliseconds until a retransmission: 10 s with fixed timers. */
  after(adaptive: number): number {
    return this.mode === "fixed" ? 10_000 : adaptive;
  }

  /** Milliseconds of a peer's silence after which its connection ends: more with fixed timers. */
  get silenceLimit(): number {
    return connectionTimeout(TIMER_POLICIES[this.mode].repairDelay);
  }

  /** Advances the time. */
  wait(ms: number): void {
    this.network.run(ms);
  }

  /** Adds a client, which starts to register. */
  client(name: string, options: Partial<ClientOptions> = {}): Actor {
    const address = { hostname: `10.0.1.${++this.#clients}`, port: 40_000 };
    return new Actor(this, name, address, { name, timers: this.mode, ...options });
  }

  /** Adds clients 1, 2, …, and waits until they are registered. */
  clients(...names: string[]): Actor[] {
    return this.clientsWith({}, ...names);
  }

  /** The same, with options that they have in common. */
  clientsWith(options: Partial<ClientOptions>, ...names: string[]): Actor[] {
    return names.map((name, index) => {
      const actor = this.client(name, options);
      this.wait(100);
      assertEquals(actor.last("registered").id, index + 1);
      return actor;
    });
  }

  /** Adds ana (1) and ben (2); `lower` has the lower static key, whose request counts in a crossing. */
  keyed(lower: string): [Actor, Actor] {
    const [low, high] = [1, 2].map(() => makeKeyPair(this.network.prng.bytes))
      .sort((a, b) => compareKeys(a.publicKey, b.publicKey));
    const actors = ["ana", "ben"].map((name) => {
      const actor = this.client(name, { identity: name === lower ? low! : high! });
      this.wait(100);
      return actor;
    });
    return actors as [Actor, Actor];
  }

  /** Adds ana (1) and ben (2), and connects them. */
  pair(): [Actor, Actor] {
    const [ana, ben] = this.clients("ana", "ben") as [Actor, Actor];
    this.connect(ana, ben);
    return [ana, ben];
  }

  /** Connects two clients. */
  connect(requester: Actor, responder: Actor): void {
    requester.connect(responder.id);
    this.wait(150);
    responder.accept(requester.id);
    this.wait(100);
    assertEquals(requester.view.state, "connected");
    assertEquals(responder.view.state, "connected");
  }

  /** Loses the next datagrams with a frame of this kind; the story fails if they are not sent. */
  lose(
    kind: Kind,
    { times = 1, from, to }: { times?: number; from?: Actor; to?: Actor } = {},
  ): void {
    const loss = { what: `${times} × ${kind}`, left: times };
    this.#losses.push(loss);
    this.network.script((datagram) => {
      const matches = loss.left > 0 && datagram.frame(kind) !== undefined &&
        (from === undefined || datagram.from === from.name) &&
        (to === undefined || datagram.to === to.name);
      if (!matches) return undefined;
      loss.left--;
      return "drop";
    });
  }

  /** Delays the next datagram with a frame of this kind. */
  delay(kind: Kind, ms: number, from?: Actor): void {
    let isDone = false;
    this.network.script((datagram) => {
      const matches = !isDone && datagram.frame(kind) !== undefined &&
        (from === undefined || datagram.from === from.name);
      if (!matches) return undefined;
      isDone = true;
      return ms;
    });
  }

  /** Loses all datagrams from one client to another, and those that the directory would carry. */
  block(from: Actor, to: Actor, until: Instant = Infinity): void {
    this.network.script((datagram) => {
      if (this.now >= until || datagram.from !== from.name) return undefined;
      const isFor = datagram.to === to.name || datagram.frame("carry")?.to === to.view.id;
      return isFor ? "drop" : undefined;
    });
  }

  /** The same in both directions. */
  cut(one: Actor, other: Actor, until: Instant = Infinity): void {
    this.block(one, other, until);
    this.block(other, one, until);
  }

  /** Changes the conditions of the network. */
  set(conditions: Partial<Conditions>): void {
    this.network.conditions = { ...this.network.conditions, ...conditions };
  }

  /** Crashes the directory, and starts a new one without its state, and with its key or another one. */
  restartDirectory(identity = this.#identity): void {
    this.directory.crash();
    this.#identity = identity;
    this.#server = this.#makeServer();
    this.directory.start(this.#server);
  }

  /** Starts the directory again as one that carries nothing: before there are clients. */
  carryNothing(): void {
    this.#relayLimit = 0;
    this.restartDirectory();
  }

  /** The times at which datagrams with a frame of this kind were sent, relative to `since`. */
  times(kind: Kind, from?: Actor, since: Instant = 0): Instant[] {
    return this.datagrams(from, since).filter((each) => each.frame(kind) !== undefined)
      .map(({ time }) => time - since);
  }

  /** The sent datagrams. */
  datagrams(from?: Actor, since: Instant = 0): Datagram[] {
    return this.network.sent.filter((datagram) =>
      datagram.time >= since &&
      (from === undefined || (datagram.from === from.name && !datagram.isForged))
    );
  }

  /** Fails if a datagram to be lost was never sent. */
  assertAllLost(): void {
    assertEquals(this.#losses.filter(({ left }) => left > 0), [], "never sent");
  }

  #makeServer(): Server {
    const random = this.network.prng.bytes;
    return newServer({
      maxClients: 100,
      lease: LEASE,
      identity: this.#identity,
      random,
      ...(this.#relayLimit === undefined ? {} : { relayLimit: this.#relayLimit }),
    });
  }
}
