/**
 * A simulated network with a directory and clients, and the checks that see everything on it.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { ServerEvent } from "../../server/event.ts";
import type { Server } from "../../server/server.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import { newServer, ownTimeout } from "../support/new_server.ts";
import type { Datagram } from "./datagram.ts";
import { DeliveryChecker } from "./delivery_checker.ts";
import { PacketCounterCheck } from "./invariants.ts";
import { type Conditions, type Host, SimNetwork, type Site } from "./network.ts";
import type { SimUser } from "./sim_user.ts";

/** The address of the directory. */
export const DIRECTORY: Address = { hostname: "10.0.0.1", port: 7070 };
/** The secret of a private directory. */
export const SECRET: Uint8Array = new Uint8Array(32).fill(5);
/** Where copies and noise come from. */
export const ELSEWHERE = "192.0.2.66";
const LEASE = 45_000;
const CLIENTS_MAX = 100;
/**
 * Four limits, with a bucket for each source, those of the clients and of {@linkcode ELSEWHERE}, and two
 * with one for each client.
 */
const BUCKETS_MAX = 6 * 32;

/** A network, its directory and its clients. */
export class World<User extends SimUser = SimUser> {
  readonly network: SimNetwork;
  readonly checker = new DeliveryChecker();
  readonly users: User[] = [];
  /** The host that made each Connection Request, by what names it. */
  readonly requesters = new Map<number, string>();
  readonly directory: Host<ServerEvent>;
  /** The directory's static key, in all its runs. */
  readonly identity: KeyPair;
  readonly #counters = new PacketCounterCheck();
  readonly #make: (options: ServerOptions) => Server;
  #server: Server;

  /**
   * @param site where the directory is.
   * @param make makes it.
   */
  constructor(
    seed: number,
    makeConditions: (network: SimNetwork) => Conditions,
    site: (network: SimNetwork) => Address | Site = () => DIRECTORY,
    make: (options: ServerOptions) => Server = newServer,
  ) {
    this.#make = make;
    this.network = new SimNetwork(seed);
    this.network.isPrivate = this.network.prng.chance(0.3);
    this.network.conditions = makeConditions(this.network);
    this.identity = makeKeyPair(this.network.prng.bytes);
    this.#server = this.#makeServer();
    this.directory = this.network.add("directory", site(this.network), () => this.#server);
    this.network.onSend = (datagram) => this.#onSend(datagram);
    this.network.onDelivery = (datagram, host) => this.#onDelivery(datagram, host);
  }

  /** Starts the directory again, without its table. */
  startDirectory(): void {
    this.#server = this.#makeServer();
    this.directory.start(this.#server);
  }

  /** Ends all faults but delays. */
  calm(): void {
    this.network.heal();
    this.network.conditions = {
      ...this.network.conditions,
      loss: 0,
      bursts: 0,
      duplication: 0,
      corruption: 0,
    };
    if (!this.directory.isUp) this.startDirectory();
  }

  /** Lets all clients leave, and checks that nothing is left. */
  leave(): void {
    for (const user of this.users) user.do((client, now) => client.leave(now));
    this.network.run(1000);
    const ids = [...this.#server.table().clients].map(({ id }) => id);
    assertEquals(ids, [], "still in the table");
    assertEquals(ownTimeout(this.#server), undefined);
    for (const user of this.users) user.assertLeft();
    const before = this.network.sent.length;
    this.network.run(100_000);
    assertEquals(this.network.sent.length, before, "datagrams after all left");
  }

  /** Checks the bounds of clients and directory. */
  check(): void {
    for (const user of this.users) user.check();
    const { size, clients } = this.#server.table();
    assert(size <= CLIENTS_MAX);
    for (const { address } of clients) assert(address.hostname !== ELSEWHERE, "registered a copy");
    assert(this.#server.buckets <= BUCKETS_MAX, `${this.#server.buckets} buckets`);
  }

  #onSend(datagram: Datagram): void {
    this.#counters.onSent(datagram);
    const user = this.users.find(({ name }) => name === datagram.from);
    if (user === undefined) return;
    if (datagram.carried !== undefined) this.#onSend(datagram.carried);
    const request = datagram.frame("connectionRequest");
    if (request !== undefined) this.requesters.set(request.request, datagram.from);
    this.checker.onSent(datagram);
    user.onSent(datagram);
  }

  #onDelivery(datagram: Datagram, host: string): void {
    const user = this.users.find(({ name }) => name === host);
    this.checker.onDelivered(datagram, host);
    user?.onDelivered(datagram);
    const { carried } = datagram;
    if (carried !== undefined && user?.opensUnasked(datagram)) this.#onDelivery(carried, host);
  }

  #makeServer(): Server {
    return this.#make({
      maxClients: CLIENTS_MAX,
      lease: LEASE,
      identity: this.identity,
      secret: this.network.isPrivate ? SECRET : undefined,
      random: this.network.prng.bytes,
    });
  }
}
