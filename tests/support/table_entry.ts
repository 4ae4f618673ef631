/**
 * An entry of the directory's table as an object.
 *
 * @module
 */
import { PUBLIC_KEY_SIZE } from "../../protocol/wire/frame.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { Entries } from "../../server/table/entries.ts";
import type { TableClient } from "../../server/table/table.ts";

/** All fields of an entry. */
export interface Entry extends TableClient {
  readonly slot: number;
  readonly token: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly sessionKey: Uint8Array;
  readonly session: number;
  readonly packet: number;
  readonly expiresAt: Instant;
}

/** Reads an entry. */
export function readEntry(entries: Entries, slot: number): Entry {
  const publicKey = new Uint8Array(PUBLIC_KEY_SIZE);
  entries.copyKey(slot, publicKey, 0);
  return {
    ...entries.client(slot),
    slot,
    token: entries.token(slot),
    publicKey,
    sessionKey: entries.sessionKey(slot).slice(),
    session: entries.session(slot),
    packet: entries.packet(slot),
    expiresAt: entries.expiresAt(slot),
  };
}
