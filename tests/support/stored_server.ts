/**
 * Directories with a store that answers at once, whenever something came to one of them.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { Server } from "../../server/server.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import type { StoreInput, StoreQuestion } from "../../server/store/store.ts";
import { SimulatedStore } from "./simulated_store.ts";

/** A store, and the directories that share it. */
export class StoredServers {
  readonly #store = new SimulatedStore();
  readonly #servers = new Map<number, Server>();
  /** Whether it takes questions, and answers none. */
  isSilent = false;
  /** Whether it takes questions, and answers them when this is false again. */
  isHalted = false;
  #halted: [directory: number, question: StoreQuestion][] = [];

  /** Adds a directory, which is connected; returns its number. */
  add(server: Server, directory: number): void {
    this.#servers.set(directory, server);
    this.#store.attach(directory);
  }

  /** Cuts a directory off, or connects it again. */
  setUp(now: Instant, directory: number, isUp: boolean): void {
    if (isUp) this.#store.attach(directory);
    else {
      this.#store.detach(directory);
      this.#servers.get(directory)!.handleStore(now, [{ kind: "down", reason: "cut" }]);
    }
    this.exchange(now);
  }

  /** Hands over all questions and their answers, until there is nothing more. */
  exchange(now: Instant): void {
    if (!this.isHalted) {
      for (const [directory, question] of this.#halted.splice(0)) {
        this.#store.ask(now, directory, question);
      }
    }
    for (let isQuiet = false; !isQuiet;) {
      isQuiet = true;
      for (const [directory, server] of this.#servers) {
        for (let next = server.pollQuestion(now); next; next = server.pollQuestion(now)) {
          if (this.isHalted) this.#halted.push([directory, next]);
          else if (!this.isSilent) this.#store.ask(now, directory, next);
          isQuiet = false;
        }
        const inputs: StoreInput[] = [];
        for (let next = this.#store.poll(directory); next; next = this.#store.poll(directory)) {
          inputs.push(next);
        }
        if (inputs.length === 0) continue;
        server.handleStore(now, inputs);
        isQuiet = false;
      }
    }
  }
}

/** One of them. */
export class StoredServer extends Server {
  readonly #all: StoredServers;

  constructor(options: ServerOptions, all = new StoredServers(), directory = 1) {
    super({ ...options, directory });
    this.#all = all;
    all.add(this, directory);
  }

  override handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.handleTimeout(now);
    super.handleDatagram(now, bytes, from);
    this.#all.exchange(now);
  }

  override handleTimeout(now: Instant): void {
    this.#all.exchange(now);
    super.handleTimeout(now);
    this.#all.exchange(now);
  }
}
