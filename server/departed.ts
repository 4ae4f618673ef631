/**
 * The clients that left: so that the ack of a Leave can be sent again, where it was lost.
 *
 * @module
 */
import { BoundedMap } from "../protocol/bounded_map.ts";
import { ENDPOINT_SIZE } from "../protocol/wire/endpoint_bytes.ts";
import type { EntryFields } from "./table/table.ts";

/** Clients that are remembered; of more, the one that left first is forgotten. */
export const DEPARTED_MAX = 4096;

/** A client that left. */
export interface DepartedClient {
  /** The client id. */
  readonly id: number;
  /** What its requests are sealed with. */
  readonly sessionKey: Uint8Array;
  /** The client's id of the session. */
  readonly session: number;
  /** The packet counter of its last request. */
  packet: number;
}

/** Those that left last, by the address that they left from. */
export class DepartedClients {
  readonly #clients = new BoundedMap<string, DepartedClient>(DEPARTED_MAX);

  /** Remembers the client in a slot, which is about to be removed. */
  add(entries: EntryFields, slot: number): void {
    this.#clients.set(keyOf(entries.endpoint(slot)), {
      id: entries.id(slot),
      sessionKey: entries.sessionKey(slot).slice(),
      session: entries.session(slot),
      packet: entries.packet(slot),
    });
  }

  /** The client that left from this endpoint, and had this client id. */
  find(endpoint: Uint8Array, id: number): DepartedClient | undefined {
    const client = this.#clients.get(keyOf(endpoint));
    return client?.id === id ? client : undefined;
  }
}

function keyOf(endpoint: Uint8Array): string {
  return String.fromCharCode(...endpoint.subarray(0, ENDPOINT_SIZE));
}
