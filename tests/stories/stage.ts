/**
 * The stage of the stories: a directory, clients with names, and a network to spoil it for them.
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

/** Plays a story with each kind of timers; where it fails, the error tells what went on. */
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

/** A directory, and room for clients. */
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

  /** Ids of the active clients. */
  get table(): number[] {
    return [...this.#server.table().clients].map(({ id }) => id);
  }

  get now(): Instant {
    return this.network.now;
  }

  /** Milliseconds until something is sent again. */
  after(adaptive: number): number {
    return this.mode === "fixed" ? 10_000 : adaptive;
  }

  /** Lets time pass. */
  wait(ms: number): void {
    this.network.run(ms);
  }

  /** Adds a client that starts to register. */
  client(name: string, options: Partial<ClientOptions> = {}): Actor {
    const address = { hostname: `10.0.1.${++this.#clients}`, port: 40_000 };
    return new Actor(this, name, address, { name, timers: this.mode, ...options });
  }

  /** Clients 1, 2, …, registered. */
  clients(...names: string[]): Actor[] {
    return names.map((name, index) => {
      const actor = this.client(name);
      this.wait(100);
      assertEquals(actor.last("registered").id, index + 1);
      return actor;
    });
  }

  /** Ana (1) and ben (2), who talk with each other. */
  pair(): [Actor, Actor] {
    const [ana, ben] = this.clients("ana", "ben") as [Actor, Actor];
    this.connect(ana, ben);
    return [ana, ben];
  }

  /** Lets one connect with another. */
  connect(requester: Actor, responder: Actor): void {
    requester.connect(responder.id);
    this.wait(100);
    responder.accept(requester.id);
    this.wait(100);
    assertEquals(requester.view.state, "connected");
    assertEquals(responder.view.state, "connected");
  }

  /** Loses the next datagrams that hold a frame of the kind; the story fails where there are none. */
  lose(kind: Kind, { times = 1, from }: { times?: number; from?: Actor } = {}): void {
    const loss = { what: `${times} × ${kind}`, left: times };
    this.#losses.push(loss);
    this.network.script((datagram) => {
      const isMeant = loss.left > 0 && datagram.frame(kind) !== undefined &&
        (from === undefined || datagram.from === from.name);
      if (!isMeant) return undefined;
      loss.left--;
      return "drop";
    });
  }

  /** Lets the next datagram that holds a frame of the kind come later than others. */
  delay(kind: Kind, ms: number, from?: Actor): void {
    let isOver = false;
    this.network.script((datagram) => {
      const isMeant = !isOver && datagram.frame(kind) !== undefined &&
        (from === undefined || datagram.from === from.name);
      if (!isMeant) return undefined;
      isOver = true;
      return ms;
    });
  }

  /** Makes the network worse or better from now on. */
  set(conditions: Partial<Conditions>): void {
    this.network.conditions = { ...this.network.conditions, ...conditions };
  }

  /** The directory's machine is gone, and another one is in its place. */
  restartDirectory(): void {
    this.directory.crash();
    this.#server = this.#makeServer();
    this.directory.start(this.#server);
  }

  /** When datagrams with a frame of the kind were sent, from a given time on counted as 0. */
  times(kind: Kind, from?: Actor, since: Instant = 0): Instant[] {
    return this.datagrams(from, since).filter((each) => each.frame(kind) !== undefined)
      .map(({ time }) => time - since);
  }

  /** The datagrams that were sent. */
  datagrams(from?: Actor, since: Instant = 0): Datagram[] {
    return this.network.sent.filter((datagram) =>
      datagram.time >= since &&
      (from === undefined || (datagram.from === from.name && !datagram.isForged))
    );
  }

  /** Fails where something that the story meant to lose was never sent. */
  assertAllLost(): void {
    assertEquals(this.#losses.filter(({ left }) => left > 0), [], "never sent");
  }

  #makeServer(): Server {
    return new Server({ maxClients: 100, lease: LEASE, random: this.network.prng.bytes });
  }
}
