/**
 * The directory of a test: with a table of its own, or, where `UDP_CHAT_TABLE=shared`, with one in a
 * store that answers at once. So every test tries both.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { Server } from "../../server/server.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import type { StoreInput } from "../../server/store/store.ts";
import { SimulatedStore } from "./simulated_store.ts";

/** Whether tests use a shared table. */
export const IS_SHARED: boolean = Deno.env.get("UDP_CHAT_TABLE") === "shared";

/** The number of the directory. */
const DIRECTORY = 1;

/** Makes a directory. */
export function newServer(options: ServerOptions): Server {
  return IS_SHARED ? new StoredServer(options) : new Server(options);
}

/** When its table changes by itself; not known with a store, which is asked all the time. */
export function ownTimeout(server: Server): Instant | undefined {
  return IS_SHARED ? undefined : server.nextTimeout();
}

/** A directory with a store of its own, which is asked whenever something came. */
class StoredServer extends Server {
  readonly #store = new SimulatedStore();

  constructor(options: ServerOptions) {
    super({ ...options, directory: DIRECTORY });
    this.#store.attach(DIRECTORY);
  }

  override handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.handleTimeout(now);
    super.handleDatagram(now, bytes, from);
    this.#exchange(now);
  }

  override handleTimeout(now: Instant): void {
    this.#exchange(now);
    super.handleTimeout(now);
    this.#exchange(now);
  }

  #exchange(now: Instant): void {
    for (;;) {
      const inputs: StoreInput[] = [];
      for (let next = this.pollQuestion(now); next; next = this.pollQuestion(now)) {
        this.#store.ask(now, DIRECTORY, next);
      }
      for (let next = this.#store.poll(DIRECTORY); next; next = this.#store.poll(DIRECTORY)) {
        inputs.push(next);
      }
      if (inputs.length === 0) return;
      this.handleStore(now, inputs);
    }
  }
}
