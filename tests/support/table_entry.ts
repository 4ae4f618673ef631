/**
 * An entry of the directory's table as an object.
 *
 * @module
 */
import { PUBLIC_KEY_SIZE } from "../../protocol/wire/frame.ts";
import type { Instant } from "../../protocol/machine.ts";
import { type Entries, TOKEN_SECRET_SIZE } from "../../server/table/entries.ts";
import type { TableClient } from "../../server/table/table.ts";

/** All fields of an entry. */
export interface Entry extends TableClient {
  readonly slot: number;
  readonly token: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly nonce: bigint;
  readonly expiresAt: Instant;
}

/** Reads an entry. */
export function readEntry(entries: Entries, slot: number): Entry {
  const token = new Uint8Array(4 + TOKEN_SECRET_SIZE);
  entries.copyToken(slot, token, 0);
  const publicKey = new Uint8Array(PUBLIC_KEY_SIZE);
  entries.copyKey(slot, publicKey, 0);
  const nonce = entries.nonce(slot);
  return {
    ...entries.client(slot),
    slot,
    token,
    publicKey,
    nonce,
    expiresAt: entries.expiresAt(slot),
  };
}
