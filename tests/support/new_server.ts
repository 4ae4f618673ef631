/**
 * The directory of a test: with a table of its own, or, where `UDP_CHAT_TABLE=shared`, with one in a
 * store that answers at once. So every test tries both.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { Server, type ServerOptions } from "../../server/server.ts";
import { SimulatedStore } from "./simulated_store.ts";

/** Whether tests use a shared table. */
export const IS_SHARED: boolean = Deno.env.get("UDP_CHAT_TABLE") === "shared";

/** The number of the directory. */
const DIRECTORY = 1;

/** Makes a directory. */
export function newServer(options: ServerOptions): Server {
  return IS_SHARED ? new StoredServer(options) : new Server(options);
}

/** A directory with a store of its own, which is asked whenever something came. */
class StoredServer extends Server {
  readonly #store = new SimulatedStore();

  constructor(options: ServerOptions) {
    super({ ...options, directory: DIRECTORY });
    this.#store.attach(DIRECTORY);
  }

  override handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.#exchange(now);
    super.handleDatagram(now, bytes, from);
    this.#exchange(now);
  }

  override handleTimeout(now: Instant): void {
    super.handleTimeout(now);
    this.#exchange(now);
  }

  #exchange(now: Instant): void {
    for (;;) {
      const question = this.pollQuestion(now);
      if (question !== undefined) this.#store.ask(now, DIRECTORY, question);
      const input = this.#store.poll(DIRECTORY);
      if (input !== undefined) this.handleStore(now, input);
      else if (question === undefined) return;
    }
  }
}
