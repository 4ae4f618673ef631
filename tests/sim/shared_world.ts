/**
 * Two directories on the simulated network that share a table, and clients that know both.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import type { ServerEvent } from "../../server/event.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import { LinkedServer, LinkedStore, StoreLink } from "./linked_store.ts";
import type { Conditions, Host } from "./network.ts";
import type { SimUser } from "./sim_user.ts";
import { DIRECTORY, World } from "./world.ts";

/** The address of the second directory. */
export const SECOND: Address = { hostname: "10.0.0.2", port: 7070 };
/** Milliseconds that the store and back may take where a directory counts as working. */
const FAST = 200;

/** One of the directories, which may be started again. */
export interface Place {
  readonly host: Host<ServerEvent>;
  server: LinkedServer;
  link: StoreLink;
}

/** What is in a directory's table. */
export interface Row {
  readonly id: number;
  readonly name: string;
  readonly address: Address;
}

/** A network with two directories. */
export class SharedWorld<User extends SimUser = SimUser> extends World<User> {
  readonly store: LinkedStore;
  readonly places: readonly Place[];
  /** When the store was emptied last. */
  emptiedAt = -Infinity;
  readonly #options: ServerOptions;
  #number: number;

  constructor(seed: number, conditions: Conditions) {
    const made: { options: ServerOptions; server: LinkedServer }[] = [];
    super(seed, () => conditions, () => DIRECTORY, (options) => {
      const server = new LinkedServer({ ...options, directory: 1 });
      made.push({ options, server });
      return server;
    });
    const [{ options, server }] = made as [(typeof made)[0]];
    this.#options = options;
    this.#number = 1;
    this.store = new LinkedStore(this.network);
    const second = new LinkedServer({ ...options, directory: ++this.#number });
    const host = this.network.add("second", SECOND, () => second);
    this.places = [
      { host: this.directory, server, link: new StoreLink(this.store, 1, this.directory, server) },
      { host, server: second, link: new StoreLink(this.store, this.#number, host, second) },
    ];
    for (const { link } of this.places) link.connect();
  }

  /** The store loses everything. */
  emptyStore(): void {
    this.emptiedAt = this.network.now;
    this.store.forget();
  }

  /** Kills a directory. */
  crash({ host, link }: Place): void {
    link.cut(false);
    host.crash();
  }

  /** Starts a directory again, unless it runs; it has a new number, and is not connected to the store. */
  restart(place: Place): void {
    const { host } = place;
    if (host.isUp) return;
    const number = ++this.#number;
    place.server = new LinkedServer({ ...this.#options, directory: number });
    place.link = new StoreLink(this.store, number, host, place.server);
    host.start(place.server);
  }

  override startDirectory(): void {
    for (const place of this.places) this.restart(place);
  }

  override calm(): void {
    super.calm();
    this.startDirectory();
    this.store.delayMax = 5;
    for (const { link } of this.places) link.connect();
  }

  /** Whether a directory can do all that a client wants. */
  isWorking({ host, server, link }: Place): boolean {
    const isFast = this.store.delayMax <= FAST && link.lag <= FAST;
    return host.isUp && link.isUp && server.isAvailable && isFast;
  }

  /** Who is active, as a directory knows it; it has each id, name and address once. */
  rows({ server, host }: Place): Row[] {
    const rows = Array.from(server.table().clients, ({ id, name, address }) => {
      return { id, name, address };
    });
    for (const field of ["id", "name", "address"] as const) {
      const values = rows.map((row) => Deno.inspect(row[field]).toLowerCase())
        .filter((value) => value !== '""');
      assertEquals(new Set(values).size, values.length, `${host.name} has one ${field} twice`);
    }
    return rows;
  }

  override check(): void {
    for (const user of this.users) user.check();
    for (const place of this.places) if (place.host.isUp) this.rows(place);
  }

  override leave(): void {
    for (const user of this.users) user.do((client, now) => client.leave(now));
    this.network.run(1_000);
    for (const user of this.users) user.assertLeft();
    for (const place of this.places) assertEquals(this.rows(place), [], "still in the table");
  }
}
