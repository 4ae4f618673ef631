/**
 * The stage of the stories: a directory, clients with names, and a network that can fail.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ClientOptions } from "../../client/view.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { ServerEvent } from "../../server/event.ts";
import { Server } from "../../server/server.ts";
import { seedFromEnv } from "../support/random.ts";
import type { Datagram } from "../sim/datagram.ts";
import { type Conditions, type Host, SimNetwork } from "../sim/network.ts";
import { Actor, DIRECTORY } from "./actor.ts";

export { Actor, DIRECTORY };

/** The lease that the directory gives, in milliseconds. */
export const LEASE = 45_000;

type Kind = Frame["kind"];

/** Runs a story with each kind of timers; an error comes with the history of the network. */
export function story(
  name: string,
  body: (stage: Stage) => void,
  modes: readonly TimerMode[] = ["adaptive", "fixed"],
): void {
  for (const mode of modes) {
    Deno.test(`${name} (${mode} timers)`, () => {
      const seed = seedFromEnv();
      const stage = new Stage(mode, seed);
      try {
        body(stage);
        stage.assertAllLost();
      } catch (error) {
        const message = `${error}\nwith UDP_CHAT_SEED=${seed}, ${stage.network.describe()}`;
        throw new Error(message, { cause: error });
      }
    });
  }
}

/** A directory and its clients. */
export class Stage {
  readonly mode: TimerMode;
  readonly network: SimNetwork;
  readonly directory: Host<ServerEvent>;
  #server: Server;
  #clients = 0;
  #losses: { what: string; left: number }[] = [];

  constructor(mode: TimerMode, seed: number) {
    this.mode = mode;
    this.network = new SimNetwork(seed);
    this.#server = this.#makeServer();
    this.directory = this.network.add("directory", DIRECTORY, () => this.#server);
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
    return names.map((name, index) => {
      const actor = this.client(name);
      this.wait(100);
      assertEquals(actor.last("registered").id, index + 1);
      return actor;
    });
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
    this.wait(100);
    responder.accept(requester.id);
    this.wait(100);
    assertEquals(requester.view.state, "connected");
    assertEquals(responder.view.state, "connected");
  }

  /** Loses the next datagrams with a frame of this kind; the story fails if they are not sent. */
  lose(kind: Kind, { times = 1, from }: { times?: number; from?: Actor } = {}): void {
    const loss = { what: `${times} × ${kind}`, left: times };
    this.#losses.push(loss);
    this.network.script((datagram) => {
      const matches = loss.left > 0 && datagram.frame(kind) !== undefined &&
        (from === undefined || datagram.from === from.name);
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

  /** Changes the conditions of the network. */
  set(conditions: Partial<Conditions>): void {
    this.network.conditions = { ...this.network.conditions, ...conditions };
  }

  /** Crashes the directory, and starts a new one without its state. */
  restartDirectory(): void {
    this.directory.crash();
    this.#server = this.#makeServer();
    this.directory.start(this.#server);
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
    return new Server({ maxClients: 100, lease: LEASE, random: this.network.prng.bytes });
  }
}
