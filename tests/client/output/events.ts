/**
 * Events of a client, and what they name, for the tests of the outputs.
 *
 * @module
 */
import type { ClientEvent } from "../../../client/event.ts";

export const TIME = new Date(2026, 0, 2, 9, 5, 7, 89);
export const ADDRESS = { hostname: "127.0.0.1", port: 40001 };
export const KEY = new Uint8Array(32).fill(7);
export const BOB = { peer: 2, name: "bob" };
export const BOB_KEY = { ...BOB, key: KEY };
export const BOB_CONNECTED = { ...BOB_KEY, hash: new Uint8Array(32), path: "direct" as const };

export function message(text: string, name = "bob"): ClientEvent {
  return { kind: "message", peer: 2, name, textSeq: 0, text };
}

export const registered = {
  kind: "registered",
  id: 1,
  name: "ana",
  lostName: "",
  address: ADDRESS,
  server: "localhost:7070",
  serverAddress: { hostname: "127.0.0.1", port: 7070 },
  serverKey: new Uint8Array(32).fill(1),
} satisfies ClientEvent;
