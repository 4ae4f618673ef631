/**
 * The answers that wait to be sent.
 *
 * @module
 */
import type { Address } from "../protocol/wire/address.ts";
import { DatagramWriter } from "../protocol/wire/datagram.ts";
import type { Transmit } from "../protocol/machine.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  MAGIC,
  PUBLIC_KEY_SIZE,
  VERSION,
} from "../protocol/wire/frame.ts";
import { LAYOUTS } from "../protocol/wire/layout.ts";
import { PROOF_SIZE, type Prover } from "../protocol/crypto/proof.ts";
import type { EntryFields } from "./table/table.ts";
import { addressOf, IPV4_SIZE } from "../protocol/wire/endpoint_bytes.ts";

/** Datagrams that can wait to be sent; further ones are dropped, and the clients ask again. */
export const OUTPUT_MAX = 1024;
/** One more, for the datagram that is being sent. */
const RING_SIZE = OUTPUT_MAX + 1;

/** Puts answers into datagrams, each with its proof if the directory is private. */
export class AnswerQueue {
  /** The most bytes in a datagram's header and frames. */
  readonly sizeMax: number;
  readonly #prover: Prover | undefined;
  readonly #writer: DatagramWriter;
  /** A ring of datagrams. */
  readonly #bytes = new Uint8Array(RING_SIZE * DATAGRAM_SIZE_MAX);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #sizes = new Uint16Array(RING_SIZE);
  readonly #to: Address[] = [];
  #first = 0;
  #length = 0;
  /** Whether further answers go into the last datagram, because they answer the same one. */
  #isOpen = false;

  constructor(prover: Prover | undefined) {
    this.#prover = prover;
    this.sizeMax = DATAGRAM_SIZE_MAX - (prover === undefined ? 0 : PROOF_SIZE);
    this.#writer = new DatagramWriter(this.sizeMax);
  }

  /** Ends the answers to a datagram: further answers go into another one. */
  seal(): void {
    this.#isOpen = false;
  }

  /** Adds an answer; false if too many wait. */
  add(to: Address, frame: Frame): boolean {
    const writer = this.#writer;
    writer.start({ type: DatagramType.Answer, connection: 0, packet: 0 });
    writer.add(frame);
    const bytes = writer.finish();
    const at = this.#reserve(to, bytes.length - HEADER_SIZE);
    if (at === undefined) return false;
    this.#bytes.set(bytes.subarray(HEADER_SIZE), at);
    return true;
  }

  /** Adds a Found for an entry; false if too many wait. */
  addFound(to: Address, nonce: bigint, entries: EntryFields, slot: number): boolean {
    const nameSize = entries.nameSize(slot);
    const address = addressOf(entries.endpoint(slot));
    const size = 8 + 4 + 1 + nameSize + 1 + address.length + PUBLIC_KEY_SIZE;
    let at = this.#addFrame(to, LAYOUTS.found[0], size, nonce);
    if (at === undefined) return false;
    this.#view.setUint32(at, entries.id(slot));
    this.#bytes[at + 4] = nameSize;
    at += 5;
    if (nameSize > 0) entries.copyName(slot, this.#bytes, at);
    at = this.#writeAddress(at + nameSize, address);
    entries.copyKey(slot, this.#bytes, at);
    return true;
  }

  /** Adds a Registered for an entry; false if too many wait. */
  addRegistered(
    to: Address,
    nonce: bigint,
    entries: EntryFields,
    slot: number,
    lease: number,
  ): boolean {
    const address = addressOf(entries.endpoint(slot));
    const size = 8 + 16 + 4 + 4 + 1 + address.length;
    const at = this.#addFrame(to, LAYOUTS.registered[0], size, nonce);
    if (at === undefined) return false;
    entries.copyToken(slot, this.#bytes, at);
    this.#view.setUint32(at + 16, entries.id(slot));
    this.#view.setUint32(at + 20, lease);
    this.#writeAddress(at + 24, address);
    return true;
  }

  /** Adds a whole datagram, which is the only answer; false if too many wait. */
  addDatagram(to: Address, bytes: Uint8Array): boolean {
    const at = this.#reserve(to, bytes.length - HEADER_SIZE);
    if (at === undefined) return false;
    this.#bytes.set(bytes, at - HEADER_SIZE);
    return true;
  }

  /** The next datagram. */
  poll(): Transmit | undefined {
    if (this.#length === 0) return undefined;
    const index = this.#first;
    this.#first = (index + 1) % RING_SIZE;
    this.#length--;
    const start = index * DATAGRAM_SIZE_MAX;
    const bytes = this.#bytes.subarray(start, start + this.#sizes[index]!);
    return { bytes: this.#prover?.prove(bytes) ?? bytes, to: this.#to[index]! };
  }

  /** Starts a frame with a nonce; returns the offset of its next field. */
  #addFrame(to: Address, type: number, size: number, nonce: bigint): number | undefined {
    const at = this.#reserve(to, FRAME_HEADER_SIZE + size);
    if (at === undefined) return undefined;
    this.#bytes[at] = type;
    this.#view.setUint16(at + 1, size);
    this.#view.setBigUint64(at + FRAME_HEADER_SIZE, nonce);
    return at + FRAME_HEADER_SIZE + 8;
  }

  /** Writes the family, the host and the port; returns the offset after them. */
  #writeAddress(at: number, address: Uint8Array): number {
    this.#bytes[at] = address.length === IPV4_SIZE ? 4 : 6;
    for (let i = 0; i < address.length; i++) this.#bytes[at + 1 + i] = address[i]!;
    return at + 1 + address.length;
  }

  /** The offset for so many bytes of frames; undefined if too many datagrams wait. */
  #reserve(to: Address, size: number): number | undefined {
    let index = (this.#first + this.#length + RING_SIZE - 1) % RING_SIZE;
    if (!this.#isOpen || this.#sizes[index]! + size > this.sizeMax) {
      if (this.#length >= OUTPUT_MAX) return undefined;
      this.#length++;
      index = (index + 1) % RING_SIZE;
      this.#start(index, to);
    }
    const at = index * DATAGRAM_SIZE_MAX + this.#sizes[index]!;
    this.#sizes[index]! += size;
    return at;
  }

  #start(index: number, to: Address): void {
    const at = index * DATAGRAM_SIZE_MAX;
    this.#view.setUint16(at, MAGIC);
    this.#bytes[at + 2] = VERSION;
    this.#bytes[at + 3] = DatagramType.Answer;
    this.#bytes.fill(0, at + 4, at + HEADER_SIZE);
    this.#sizes[index] = HEADER_SIZE;
    this.#to[index] = to;
    this.#isOpen = true;
  }
}
