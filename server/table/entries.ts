/**
 * The entries of the table as bytes, in one block of memory with slots of equal size.
 *
 * An object for each of a million clients would take more than twice the memory, and the garbage
 * collector would walk through all of them.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { REQUEST_WINDOW } from "../../protocol/crypto/replay_window.ts";
import { NAME_SIZE_MAX } from "../../protocol/name/name.ts";
import { PUBLIC_KEY_SIZE } from "../../protocol/wire/frame.ts";
import { type EntryFields, NO_SLOT, type TableClient } from "./table.ts";
import { ENDPOINT_SIZE, readEndpoint } from "../../protocol/wire/endpoint_bytes.ts";
import { NameStore } from "./name_store.ts";
import { readUtf8 } from "../../protocol/wire/utf8.ts";

/** Random bytes in a token, after the four of the client id. */
export const TOKEN_SECRET_SIZE = 12;

/** Bytes in the key of a session. */
const SESSION_KEY_SIZE = 32;

/** Bytes in a slot: the fields below, those of 8 bytes first. */
const SLOT_SIZE = 200;
/** The offsets of the fields in a slot, in units of their own size. */
const JOINED_AT = 0;
const EXPIRES_AT = 1;
const PACKET = 2;
const NOTICES = 3;
/** 0 in a slot without an entry. */
const ID = 8;
const OLDER = 9;
const YOUNGER = 10;
const SESSION = 11;
/** Which of the packet counters below PACKET came: bit n for PACKET − 1 − n. */
const EARLIER_PACKETS = 12;
/** From here on in bytes. As in `endpoint_bytes.ts`. */
const ENDPOINT = 52;
/** The address of the other family, zeros for none. */
const OTHER_ENDPOINT: number = ENDPOINT + ENDPOINT_SIZE;
const TOKEN_SECRET: number = OTHER_ENDPOINT + ENDPOINT_SIZE;
const PUBLIC_KEY: number = TOKEN_SECRET + TOKEN_SECRET_SIZE;
const SESSION_KEY: number = PUBLIC_KEY + PUBLIC_KEY_SIZE;
const NAME_SIZE: number = SESSION_KEY + SESSION_KEY_SIZE;
const NAME: number = NAME_SIZE + 1;
/** Bytes in the longest name that is in the slot; for a longer one its first cell is there. */
const SHORT_NAME_MAX: number = SLOT_SIZE - NAME;
/** In units of 4 bytes. */
const NAME_CELL: number = Math.ceil(NAME / 4);

/**
 * Slots with entries, linked in the order in which their leases end.
 *
 * An entry whose id is at most the number of clients is in the slot of that number, so that it is
 * found without an index; those with higher ids share as many slots after these. The system gives
 * memory only for slots that are written.
 */
export class Entries implements EntryFields {
  readonly #clientsMax: number;
  readonly #bytes: Uint8Array;
  readonly #u32: Uint32Array;
  readonly #f64: Float64Array;
  readonly #names: NameStore;
  /** For the name that is being read: allocating would take longer than all the rest. */
  readonly #name = new Uint8Array(NAME_SIZE_MAX);
  /** The first slot for a higher id that was never used. */
  #unused: number;
  /** The first of those that are free again, linked by YOUNGER. */
  #free = NO_SLOT;
  #size = 0;
  #oldest = NO_SLOT;
  #youngest = NO_SLOT;

  constructor(clientsMax: number) {
    const buffer = new ArrayBuffer(2 * clientsMax * SLOT_SIZE);
    this.#clientsMax = clientsMax;
    this.#unused = clientsMax;
    this.#bytes = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#f64 = new Float64Array(buffer);
    this.#names = new NameStore(clientsMax);
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** The slot whose lease ends first, or {@linkcode NO_SLOT}. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Whether the slot follows from the id, so that find() needs no index. */
  isDirect(id: number): boolean {
    return id <= this.#clientsMax;
  }

  /** The slot of the entry with this id, for which isDirect() is true. */
  find(id: number): number {
    return id > 0 && this.id(id - 1) === id ? id - 1 : NO_SLOT;
  }

  /** Adds an entry without a name. There must be room, and no entry with this id. */
  add(
    id: number,
    tokenSecret: Uint8Array,
    publicKey: Uint8Array,
    now: Instant,
    expiresAt: Instant,
  ): number {
    const slot = this.isDirect(id) ? id - 1 : this.#takeHigher();
    this.#u32[this.#u32At(slot) + ID] = id;
    this.#bytes.set(tokenSecret, slot * SLOT_SIZE + TOKEN_SECRET);
    this.#bytes.set(publicKey, slot * SLOT_SIZE + PUBLIC_KEY);
    this.#bytes[slot * SLOT_SIZE + NAME_SIZE] = 0;
    this.#f64[this.#f64At(slot) + JOINED_AT] = now;
    this.#enqueue(slot, expiresAt);
    this.#size++;
    return slot;
  }

  /** Removes an entry. */
  remove(slot: number): void {
    this.setName(slot, NO_NAME);
    this.#dequeue(slot);
    this.#u32[this.#u32At(slot) + ID] = 0;
    this.#size--;
    if (slot < this.#clientsMax) return;
    this.#setLink(slot, YOUNGER, this.#free);
    this.#free = slot;
  }

  /** Moves the end of the lease to `expiresAt`; no other lease may end later. */
  renew(slot: number, expiresAt: Instant): void {
    this.#dequeue(slot);
    this.#enqueue(slot, expiresAt);
  }

  /** Sets the address, and the key and the client's id of the session. */
  setSession(slot: number, endpoint: Uint8Array, key: Uint8Array, session: number): void {
    this.#bytes.set(endpoint, slot * SLOT_SIZE + ENDPOINT);
    this.#bytes.set(key, slot * SLOT_SIZE + SESSION_KEY);
    this.#u32[this.#u32At(slot) + SESSION] = session;
    this.#f64[this.#f64At(slot) + NOTICES] = 0;
    this.#bytes.fill(0, slot * SLOT_SIZE + OTHER_ENDPOINT, slot * SLOT_SIZE + TOKEN_SECRET);
  }

  setOtherEndpoint(slot: number, endpoint: Uint8Array): void {
    this.#bytes.set(endpoint, slot * SLOT_SIZE + OTHER_ENDPOINT);
  }

  otherEndpoint(slot: number): Uint8Array | undefined {
    const at = slot * SLOT_SIZE + OTHER_ENDPOINT;
    const endpoint = this.#bytes.subarray(at, at + ENDPOINT_SIZE);
    return endpoint.every((byte) => byte === 0) ? undefined : endpoint;
  }

  takeNotice(slot: number): number {
    return this.#f64[this.#f64At(slot) + NOTICES]!++;
  }

  setPacket(slot: number, packet: number): void {
    this.#f64[this.#f64At(slot) + PACKET] = packet;
    // What came before is of no session, or of another one.
    this.#u32[this.#u32At(slot) + EARLIER_PACKETS] = 2 ** REQUEST_WINDOW - 1;
  }

  takePacket(slot: number, packet: number): boolean {
    const highest = this.packet(slot);
    const at = this.#u32At(slot) + EARLIER_PACKETS;
    const earlier = this.#u32[at]!;
    if (packet > highest) {
      const shift = packet - highest;
      const bit = shift > REQUEST_WINDOW ? 0 : 1 << (shift - 1);
      this.#u32[at] = (shift < REQUEST_WINDOW ? earlier << shift : 0) | bit;
      this.#f64[this.#f64At(slot) + PACKET] = packet;
      return true;
    }
    const below = highest - packet;
    const bit = below < 1 || below > REQUEST_WINDOW ? 0 : 1 << (below - 1);
    if (bit === 0 || (earlier & bit) !== 0) return false;
    this.#u32[at] = earlier | bit;
    return true;
  }

  /** Sets the name, in UTF-8. */
  setName(slot: number, name: Uint8Array): void {
    const start = slot * SLOT_SIZE;
    const before = this.nameSize(slot);
    const cellAt = this.#u32At(slot) + NAME_CELL;
    if (before > SHORT_NAME_MAX) this.#names.remove(this.#u32[cellAt]!, before);
    if (name.length > SHORT_NAME_MAX) this.#u32[cellAt] = this.#names.add(name);
    else this.#bytes.set(name, start + NAME);
    this.#bytes[start + NAME_SIZE] = name.length;
  }

  id(slot: number): number {
    return this.#u32[this.#u32At(slot) + ID]!;
  }

  expiresAt(slot: number): Instant {
    return this.#f64[this.#f64At(slot) + EXPIRES_AT]!;
  }

  packet(slot: number): number {
    return this.#f64[this.#f64At(slot) + PACKET]!;
  }

  session(slot: number): number {
    return this.#u32[this.#u32At(slot) + SESSION]!;
  }

  sessionKey(slot: number): Uint8Array {
    const at = slot * SLOT_SIZE + SESSION_KEY;
    return this.#bytes.subarray(at, at + SESSION_KEY_SIZE);
  }

  nameSize(slot: number): number {
    return this.#bytes[slot * SLOT_SIZE + NAME_SIZE]!;
  }

  copyName(slot: number, to: Uint8Array, at: number): void {
    const size = this.nameSize(slot);
    if (size > SHORT_NAME_MAX) {
      this.#names.copy(this.#u32[this.#u32At(slot) + NAME_CELL]!, size, to, at);
    } else this.#copy(slot * SLOT_SIZE + NAME, size, to, at);
  }

  endpoint(slot: number): Uint8Array {
    const at = slot * SLOT_SIZE + ENDPOINT;
    return this.#bytes.subarray(at, at + ENDPOINT_SIZE);
  }

  copyKey(slot: number, to: Uint8Array, at: number): void {
    this.#copy(slot * SLOT_SIZE + PUBLIC_KEY, PUBLIC_KEY_SIZE, to, at);
  }

  isAt(slot: number, endpoint: Uint8Array): boolean {
    return this.#hasBytes(slot * SLOT_SIZE + ENDPOINT, endpoint, 0, ENDPOINT_SIZE);
  }

  /** Whether this is the entry's key. */
  hasKey(slot: number, key: Uint8Array): boolean {
    return this.#hasBytes(slot * SLOT_SIZE + PUBLIC_KEY, key, 0, PUBLIC_KEY_SIZE);
  }

  /** Whether the token ends with the entry's secret. How long it takes reveals nothing about it. */
  hasSecret(slot: number, token: Uint8Array): boolean {
    return this.#hasBytes(slot * SLOT_SIZE + TOKEN_SECRET, token, 4, TOKEN_SECRET_SIZE);
  }

  token(slot: number): Uint8Array {
    const token = new Uint8Array(4 + TOKEN_SECRET_SIZE);
    new DataView(token.buffer).setUint32(0, this.id(slot));
    this.#copy(slot * SLOT_SIZE + TOKEN_SECRET, TOKEN_SECRET_SIZE, token, 4);
    return token;
  }

  client(slot: number): TableClient {
    return {
      id: this.id(slot),
      name: this.name(slot),
      address: readEndpoint(this.endpoint(slot)),
      joinedAt: this.#f64[this.#f64At(slot) + JOINED_AT]!,
    };
  }

  name(slot: number): string {
    const size = this.nameSize(slot);
    if (size === 0) return "";
    this.copyName(slot, this.#name, 0);
    return readUtf8(this.#name.subarray(0, size));
  }

  /** For a few bytes this is faster than set() with a view. */
  #copy(from: number, size: number, to: Uint8Array, at: number): void {
    for (let i = 0; i < size; i++) to[at + i] = this.#bytes[from + i]!;
  }

  #takeHigher(): number {
    if (this.#free === NO_SLOT) return this.#unused++;
    const slot = this.#free;
    this.#free = this.#link(slot, YOUNGER);
    return slot;
  }

  /** Compares bytes, in a time that depends on their number alone. */
  #hasBytes(offset: number, shown: Uint8Array, at: number, size: number): boolean {
    let difference = 0;
    for (let i = 0; i < size; i++) difference |= this.#bytes[offset + i]! ^ shown[at + i]!;
    return difference === 0;
  }

  #u32At(slot: number): number {
    return slot * (SLOT_SIZE / 4);
  }

  #f64At(slot: number): number {
    return slot * (SLOT_SIZE / 8);
  }

  #link(slot: number, field: number): number {
    return this.#u32[this.#u32At(slot) + field]! - 1;
  }

  #setLink(slot: number, field: number, to: number): void {
    this.#u32[this.#u32At(slot) + field] = to + 1;
  }

  #enqueue(slot: number, expiresAt: Instant): void {
    this.#f64[this.#f64At(slot) + EXPIRES_AT] = expiresAt;
    this.#setLink(slot, OLDER, this.#youngest);
    this.#setLink(slot, YOUNGER, NO_SLOT);
    if (this.#youngest === NO_SLOT) this.#oldest = slot;
    else this.#setLink(this.#youngest, YOUNGER, slot);
    this.#youngest = slot;
  }

  #dequeue(slot: number): void {
    const older = this.#link(slot, OLDER);
    const younger = this.#link(slot, YOUNGER);
    if (older === NO_SLOT) this.#oldest = younger;
    else this.#setLink(older, YOUNGER, younger);
    if (younger === NO_SLOT) this.#youngest = older;
    else this.#setLink(younger, OLDER, older);
  }
}

const NO_NAME = new Uint8Array(0);
