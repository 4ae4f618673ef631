/**
 * A client with its user, for the stories.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { Peer } from "../../client/peer.ts";
import type { ClientOptions, ClientView, Run } from "../../client/view.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { Instant } from "../../protocol/machine.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { clientOptions } from "../support/client_options.ts";
import type { Host, Site } from "../sim/network.ts";
import type { Stage } from "./stage.ts";

/** The address of the directory. */
export const DIRECTORY: Address = { hostname: "10.0.0.1", port: 7070 };

type EventOf<K> = Extract<ClientEvent, { kind: K }>;

/** A client with its user. */
export class Actor {
  readonly name: string;
  readonly host: Host<ClientEvent>;
  readonly #stage: Stage;
  readonly #options: ClientOptions;
  #client: Client;
  #formerRun: Run | undefined;

  constructor(
    stage: Stage,
    name: string,
    place: Address | Site,
    options: Partial<ClientOptions>,
  ) {
    this.#stage = stage;
    this.name = name;
    this.#options = clientOptions({
      directoryAddresses: [DIRECTORY],
      serverName: "localhost:7070",
      name,
      port: "realm" in place ? place.address.port : place.port,
      identity: makeKeyPair(stage.network.prng.bytes),
      random: stage.network.prng.bytes,
      ...options,
    });
    this.#client = new Client(stage.network.instant(), this.#options);
    this.host = stage.network.add(name, place, () => this.#client);
  }

  get id(): number {
    const { id } = this.view;
    assert(id !== undefined, `${this.name} has no id`);
    return id;
  }

  /** The static public key of the client. */
  get key(): Uint8Array {
    return this.#options.identity.publicKey;
  }

  get view(): ClientView {
    return this.#client.view();
  }

  /** Dropped datagrams, by reason. */
  get dropped(): Client["dropped"] {
    return this.#client.dropped;
  }

  /** Milliseconds until the next timeout of the client. */
  get nextTimeout(): number | undefined {
    const timeout = this.#client.nextTimeout();
    return timeout === undefined ? undefined : timeout - this.#stage.network.instant();
  }

  connect(peer: Peer): void {
    this.#input((now) => this.#client.connect(now, peer));
  }

  cancel(): void {
    this.#input((now) => this.#client.cancel(now));
  }

  accept(peer?: Peer): void {
    this.#input((now) => this.#client.accept(now, peer));
  }

  reject(peer?: Peer): void {
    this.#input((now) => this.#client.reject(now, peer));
  }

  send(...texts: string[]): void {
    this.#input((now) => texts.forEach((text) => this.#client.send(now, text)));
  }

  sendTo(peer: Peer, ...texts: string[]): void {
    this.#input((now) => texts.forEach((text) => this.#client.send(now, text, peer)));
  }

  /** Sends what waited for this user to trust a key. */
  releaseTrusted(): void {
    this.#input(() => this.#client.releaseTrusted());
  }

  switchTo(peer: Peer): void {
    this.#input((now) => this.#client.switchTo(now, peer));
  }

  terminate(peer?: Peer): void {
    this.#input((now) => this.#client.terminate(now, peer));
  }

  listRequests(): void {
    this.#input((now) => this.#client.listRequests(now));
  }

  list(): void {
    this.#input((now) => this.#client.list(now));
  }

  leave(): void {
    this.#input((now) => this.#client.leave(now));
  }

  abandon(): void {
    this.#input((now) => this.#client.abandon(now));
  }

  /** Wakes after a sleep in which its clock stood still. */
  wake(slept: number): void {
    this.#input((now) => this.#client.handleWake(now, slept));
  }

  crash(): void {
    this.host.crash();
  }

  /** Crashes, and starts again at the same address. */
  restart(options: Partial<ClientOptions> = {}): void {
    this.host.crash();
    const { network } = this.#stage;
    this.#client = new Client(network.instant(), { ...this.#options, ...options });
    this.host.start(this.#client);
  }

  /** Is killed, from now on; comeBack() continues what it was doing then. */
  kill(): void {
    this.#formerRun = this.#client.run();
    this.host.crash();
  }

  /** Starts again at another port, with what the run before has left. */
  comeBack(options: Partial<ClientOptions> = {}): void {
    const { address: { hostname, port } } = this.host;
    this.host.move({ hostname, port: port + 1 });
    this.restart({ formerRun: this.#formerRun, ...options });
  }

  rename(name: string): void {
    this.#input((now) => this.#client.rename(now, name));
  }

  /** The events of this kind, in all runs. */
  events<K extends ClientEvent["kind"]>(kind: K): EventOf<K>[] {
    return this.host.events.map(({ event }) => event)
      .filter((event): event is EventOf<K> => event.kind === kind);
  }

  /** The last event of this kind. */
  last<K extends ClientEvent["kind"]>(kind: K): EventOf<K> {
    const event = this.events(kind).at(-1);
    assert(event !== undefined, `${this.name} has no event "${kind}"`);
    return event;
  }

  /** The times of events of this kind, relative to `since`; earlier ones are left out. */
  eventTimes(kind: ClientEvent["kind"], since: Instant = 0): Instant[] {
    return this.host.events.filter(({ event, time }) => event.kind === kind && time >= since)
      .map(({ time }) => time - since);
  }

  /** The texts of the received messages. */
  get texts(): string[] {
    return this.events("message").map(({ text }) => text);
  }

  /** The codes of the errors. */
  get errors(): string[] {
    return this.events("error").map(({ code }) => code);
  }

  #input(action: (now: Instant) => void): void {
    this.host.input(action);
  }
}
