/**
 * A page of the list of active clients.
 *
 * @module
 */
import {
  type Frame,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  type List,
  type ListEntry,
  NARROW_SIZE_MAX,
  TAG_SIZE,
} from "../protocol/wire/frame.ts";
import type { Table } from "./table/table.ts";

/** Clients in the largest Listing: their number is one byte. */
const LISTING_LENGTH_MAX = 255;
/** Bytes in a Listing's datagram beside the clients: `more` and their number are some. */
const LISTING_OVERHEAD = HEADER_SIZE + FRAME_HEADER_SIZE + 1 + 1 + TAG_SIZE;

/** The active clients above an id, as many as every path carries. */
export function listingAfter(table: Table, { after }: List): Frame {
  const { entries } = table;
  const clients: ListEntry[] = [];
  let space = NARROW_SIZE_MAX - LISTING_OVERHEAD;
  for (const slot of table.listAbove(after)) {
    // The id and the size of the name, then the name.
    space -= 4 + 1 + entries.nameSize(slot);
    if (space < 0 || clients.length === LISTING_LENGTH_MAX) {
      return { kind: "listing", more: 1, clients };
    }
    clients.push({ id: entries.id(slot), name: entries.name(slot) });
  }
  return { kind: "listing", more: 0, clients };
}
