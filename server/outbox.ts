/**
 * The answers that wait to be sent.
 *
 * @module
 */
import type { Address } from "../protocol/address.ts";
import { DatagramWriter } from "../protocol/datagram.ts";
import type { Transmit } from "../protocol/driven.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../protocol/frame.ts";
import { PROOF_SIZE, type Prover } from "../protocol/proof.ts";

/** Answers that wait to be sent; further ones are dropped, and the clients ask again. */
export const OUTPUT_MAX = 1024;

/** An answer to send: a frame, or a finished datagram. Those with one `to` share a datagram. */
export type Answer = { to: Address; frame: Frame } | { to: Address; bytes: Uint8Array };

/** Puts answers into datagrams, each with its proof where the directory is private. */
export class Outbox {
  /** Bytes that the frames of a datagram may take, its header included. */
  readonly sizeMax: number;
  readonly #prover: Prover | undefined;
  readonly #writer: DatagramWriter;
  readonly #answers: Answer[] = [];

  constructor(prover: Prover | undefined) {
    this.#prover = prover;
    this.sizeMax = DATAGRAM_SIZE_MAX - (prover === undefined ? 0 : PROOF_SIZE);
    this.#writer = new DatagramWriter(this.sizeMax);
  }

  /** Takes an answer; false where too many wait. */
  add(answer: Answer): boolean {
    if (this.#answers.length >= OUTPUT_MAX) return false;
    this.#answers.push(answer);
    return true;
  }

  /** The next datagram, with all that goes to the same `to` (the very object) and fits. */
  poll(): Transmit | undefined {
    const first = this.#answers.shift();
    if (first === undefined) return undefined;
    const { to } = first;
    const bytes = "bytes" in first ? first.bytes : this.#write(first.frame, to);
    return { bytes: this.#prover?.prove(bytes) ?? bytes, to };
  }

  #write(first: Frame, to: Address): Uint8Array {
    const writer = this.#writer;
    writer.start({ type: DatagramType.Answer, connection: 0, packet: 0 });
    writer.add(first);
    for (;;) {
      const next = this.#answers[0];
      if (next?.to !== to || !("frame" in next) || !writer.add(next.frame)) return writer.finish();
      this.#answers.shift();
    }
  }
}
