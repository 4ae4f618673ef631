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
import type { Entries } from "./table/entries.ts";
import { addressOf, IPV4_SIZE } from "../protocol/wire/endpoint_bytes.ts";

/** Datagrams that wait to be sent; further ones are dropped, and the clients ask again. */
export const OUTPUT_MAX = 1024;
/** One more, for the one that is being sent. */
const PLACES = OUTPUT_MAX + 1;

/** Puts answers into datagrams, each with its proof where the directory is private. */
export class AnswerQueue {
  /** Bytes that the frames of a datagram may take, its header included. */
  readonly sizeMax: number;
  readonly #prover: Prover | undefined;
  readonly #writer: DatagramWriter;
  /** A ring of places for the datagrams. */
  readonly #bytes = new Uint8Array(PLACES * DATAGRAM_SIZE_MAX);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #sizes = new Uint16Array(PLACES);
  readonly #to: Address[] = [];
  #first = 0;
  #length = 0;
  /** Whether answers go into the last datagram, because they are to the same one. */
  #isOpen = false;

  constructor(prover: Prover | undefined) {
    this.#prover = prover;
    this.sizeMax = DATAGRAM_SIZE_MAX - (prover === undefined ? 0 : PROOF_SIZE);
    this.#writer = new DatagramWriter(this.sizeMax);
  }

  /** Ends the answers to a datagram: further ones do not share theirs. */
  seal(): void {
    this.#isOpen = false;
  }

  /** Takes an answer; false where too many wait. */
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

  /** Takes a Found about the entry in a slot; false where too many wait. */
  addFound(to: Address, nonce: bigint, entries: Entries, slot: number): boolean {
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

  /** Takes a Registered about the entry in a slot; false where too many wait. */
  addRegistered(
    to: Address,
    nonce: bigint,
    entries: Entries,
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

  /** Takes a finished datagram, the only answer to the one at hand; false where too many wait. */
  addDatagram(to: Address, bytes: Uint8Array): boolean {
    const at = this.#reserve(to, bytes.length - HEADER_SIZE);
    if (at === undefined) return false;
    this.#bytes.set(bytes, at - HEADER_SIZE);
    return true;
  }

  /** The next datagram. */
  poll(): Transmit | undefined {
    if (this.#length === 0) return undefined;
    const place = this.#first;
    this.#first = (place + 1) % PLACES;
    this.#length--;
    const start = place * DATAGRAM_SIZE_MAX;
    const bytes = this.#bytes.subarray(start, start + this.#sizes[place]!);
    return { bytes: this.#prover?.prove(bytes) ?? bytes, to: this.#to[place]! };
  }

  /** Starts a frame with a nonce, and returns where its next field goes. */
  #addFrame(to: Address, type: number, size: number, nonce: bigint): number | undefined {
    const at = this.#reserve(to, FRAME_HEADER_SIZE + size);
    if (at === undefined) return undefined;
    this.#bytes[at] = type;
    this.#view.setUint16(at + 1, size);
    this.#view.setBigUint64(at + FRAME_HEADER_SIZE, nonce);
    return at + FRAME_HEADER_SIZE + 8;
  }

  /** Writes the family, the host and the port; returns what is behind. */
  #writeAddress(at: number, address: Uint8Array): number {
    this.#bytes[at] = address.length === IPV4_SIZE ? 4 : 6;
    for (let i = 0; i < address.length; i++) this.#bytes[at + 1 + i] = address[i]!;
    return at + 1 + address.length;
  }

  /** Where so many bytes of frames go; undefined where too many datagrams wait. */
  #reserve(to: Address, size: number): number | undefined {
    let place = (this.#first + this.#length + PLACES - 1) % PLACES;
    if (!this.#isOpen || this.#sizes[place]! + size > this.sizeMax) {
      if (this.#length >= OUTPUT_MAX) return undefined;
      this.#length++;
      place = (place + 1) % PLACES;
      this.#start(place, to);
    }
    const at = place * DATAGRAM_SIZE_MAX + this.#sizes[place]!;
    this.#sizes[place]! += size;
    return at;
  }

  #start(place: number, to: Address): void {
    const at = place * DATAGRAM_SIZE_MAX;
    this.#view.setUint16(at, MAGIC);
    this.#bytes[at + 2] = VERSION;
    this.#bytes[at + 3] = DatagramType.Answer;
    this.#bytes.fill(0, at + 4, at + HEADER_SIZE);
    this.#sizes[place] = HEADER_SIZE;
    this.#to[place] = to;
    this.#isOpen = true;
  }
}
