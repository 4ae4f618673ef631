/**
 * How many entries each source has, and which source has the most.
 *
 * @module
 */
import { isIpv4 } from "../../protocol/wire/endpoint_bytes.ts";
import { HashIndex } from "./hash_index.ts";
import type { KeyedHash } from "./keyed_hash.ts";
import { type EntryFields, NO_SLOT } from "./table.ts";

/** Bytes that name a source: the /64 of an IPv6 address, or an IPv4 one after {@linkcode IPV4}. */
const SOURCE_SIZE = 8;
/** Where the IPv4 address is in an endpoint. */
const IPV4_AT = 12;
/** No /64 starts with these bits: addresses that do are of groups (RFC 4291, 2.7). */
const IPV4 = 0xffff_ffff;

/**
 * The entries of each source, an IPv4 address or the /64 of an IPv6 one, linked from the newest to the
 * oldest; and the sources by the number of their entries, so that the fullest is at hand.
 *
 * A source has a record, which is a number. All is in arrays, as in {@linkcode HashIndex}.
 */
export class SourceIndex {
  readonly #entries: Pick<EntryFields, "endpoint">;
  readonly #perSource: number;
  readonly #hash: KeyedHash;
  readonly #index: HashIndex;
  readonly #entriesOf: Lists;
  /** The records by their counts. */
  readonly #byCount: Lists;
  readonly #counts: Uint32Array;
  /** The two halves of what names the source of each record. */
  readonly #names: Uint32Array;
  /** What names the source at hand. */
  readonly #bytes = new Uint8Array(SOURCE_SIZE);
  readonly #name = new Uint32Array(this.#bytes.buffer);
  /** Records that have been in use, and those of them that are free again. */
  #used = 0;
  readonly #free: number[] = [];
  #countMax = 0;

  constructor(
    entries: Pick<EntryFields, "endpoint">,
    clientsMax: number,
    perSource: number,
    hash: KeyedHash,
  ) {
    this.#entries = entries;
    this.#perSource = perSource;
    this.#hash = hash;
    // Entries with high ids have slots of their own.
    this.#entriesOf = new Lists(clientsMax, 2 * clientsMax);
    this.#byCount = new Lists(perSource + 1, clientsMax);
    this.#counts = new Uint32Array(clientsMax);
    this.#names = new Uint32Array(2 * clientsMax);
    this.#index = new HashIndex(clientsMax, (record) => {
      this.#name[0] = this.#names[2 * record]!;
      this.#name[1] = this.#names[2 * record + 1]!;
      return this.#hashOfName();
    });
  }

  /** The most entries that a source has; more than it may have count as so many. */
  get countMax(): number {
    return this.#countMax;
  }

  /** The newest entry of the source that has the most. */
  get newestOfFullest(): number {
    return this.#entriesOf.first(this.#byCount.first(this.#countMax));
  }

  /** How many entries the source of an endpoint has. */
  count(endpoint: Uint8Array): number {
    const record = this.#find(endpoint);
    return record === NO_SLOT ? 0 : this.#counts[record]!;
  }

  /** Whether both are of one source. */
  isSame(a: Uint8Array, b: Uint8Array): boolean {
    this.#setName(a);
    const [high, low] = [this.#name[0], this.#name[1]];
    this.#setName(b);
    return this.#name[0] === high && this.#name[1] === low;
  }

  /** Adds an entry that has its endpoint. */
  add(slot: number): void {
    const found = this.#find(this.#entries.endpoint(slot));
    const record = found === NO_SLOT ? this.#addRecord() : found;
    this.#entriesOf.add(record, slot);
    this.#setCount(record, this.#counts[record]! + 1);
  }

  /** Removes an entry that still has its endpoint. */
  remove(slot: number): void {
    const record = this.#find(this.#entries.endpoint(slot));
    const count = this.#counts[record]! - 1;
    this.#entriesOf.remove(record, slot);
    this.#setCount(record, count);
    if (count > 0) return;
    this.#index.remove(record);
    this.#free.push(record);
  }

  /** Makes a record for the source that was not found. */
  #addRecord(): number {
    const record = this.#free.pop() ?? this.#used++;
    this.#names.set(this.#name, 2 * record);
    this.#index.add(this.#hashOfName(), record);
    return record;
  }

  #setCount(record: number, count: number): void {
    // Directories that share a table may let in one too many, each at the same time.
    const before = Math.min(this.#counts[record]!, this.#perSource);
    const after = Math.min(count, this.#perSource);
    this.#counts[record] = count;
    if (before > 0) this.#byCount.remove(before, record);
    if (after > 0) this.#byCount.add(after, record);
    // A count changes by one: where the last one left the most, it has the most still.
    const isMost = after > this.#countMax || this.#byCount.first(this.#countMax) === NO_SLOT;
    if (isMost) this.#countMax = after;
  }

  #find(endpoint: Uint8Array): number {
    this.#setName(endpoint);
    const [high, low] = [this.#name[0], this.#name[1]];
    const index = this.#index;
    for (let cell = index.first(this.#hashOfName());; cell = index.next(cell)) {
      const record = index.at(cell);
      if (record === NO_SLOT) return NO_SLOT;
      if (this.#names[2 * record] === high && this.#names[2 * record + 1] === low) return record;
    }
  }

  #setName(endpoint: Uint8Array): void {
    const isOfIpv4 = isIpv4(endpoint);
    const skipped = isOfIpv4 ? IPV4_AT - 4 : 0;
    for (let i = 0; i < SOURCE_SIZE; i++) this.#bytes[i] = endpoint[skipped + i]!;
    if (isOfIpv4) this.#name[0] = IPV4;
  }

  #hashOfName(): number {
    return this.#hash.hash(this.#bytes, SOURCE_SIZE);
  }
}

/** Doubly linked lists of numbers, each in one list at most, the last one added first. */
class Lists {
  /** All plus 1; 0 is the end. */
  readonly #first: Uint32Array;
  readonly #next: Uint32Array;
  readonly #previous: Uint32Array;

  constructor(lists: number, items: number) {
    this.#first = new Uint32Array(lists);
    this.#next = new Uint32Array(items);
    this.#previous = new Uint32Array(items);
  }

  /** The one that was added last, `NO_SLOT` where the list is empty. */
  first(list: number): number {
    return this.#first[list]! - 1;
  }

  add(list: number, item: number): void {
    const next = this.#first[list]!;
    this.#next[item] = next;
    this.#previous[item] = 0;
    if (next !== 0) this.#previous[next - 1] = item + 1;
    this.#first[list] = item + 1;
  }

  remove(list: number, item: number): void {
    const [next, previous] = [this.#next[item]!, this.#previous[item]!];
    if (previous === 0) this.#first[list] = next;
    else this.#next[previous - 1] = next;
    if (next !== 0) this.#previous[next - 1] = previous;
  }
}
