/**
 * The seal on every packet of a session: encrypted and authenticated, each good once.
 *
 * The header is associated data and the packet counter the nonce, so that a packet arrives as it was
 * sent or not at all, whatever was lost or reordered before it.
 *
 * @module
 */
import { HEADER_SIZE } from "../wire/frame.ts";
import { openSealed, rekey, sealInPlace } from "./aead.ts";
import { ReplayWindow } from "./replay_window.ts";

/**
 * Packets after which both directions change to the next key (Noise, 11.3): what an observer learns
 * of a key later opens no more than these.
 */
export const REKEY_INTERVAL = 2 ** 20;

/** Seals what one end sends. */
export class Sealer {
  #key: Uint8Array;
  #phase = 0;
  #packet = 0;

  /** Starts with the key for the first packet. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The packet counter of the next packet, which stands in its header. */
  get packet(): number {
    return this.#packet;
  }

  /** Seals the next packet in its place: header, frames, and room for the tag at the end. */
  seal(datagram: Uint8Array): void {
    const phase = phaseOf(this.#packet);
    for (; this.#phase < phase; this.#phase++) this.#key = rekey(this.#key);
    sealInPlace(this.#key, this.#packet++, datagram, HEADER_SIZE);
  }
}

/** Opens what the peer sealed. */
export class Opener {
  readonly #window = new ReplayWindow();
  #previous: Uint8Array | undefined;
  #key: Uint8Array;
  #phase = 0;

  /** Starts with the key for the first packet. */
  constructor(key: Uint8Array) {
    this.#key = key;
  }

  /** The highest packet counter of an authentic packet, -1 for none. */
  get highest(): number {
    return this.#window.highest;
  }

  /** Of the 32 counters from this one down, which came: bit n for `packet` − n. */
  receivedFrom(packet: number): number {
    return this.#window.bitmapFrom(packet);
  }

  /**
   * The frames of a packet; undefined where it came before, or is not what was sealed.
   *
   * @returns a view that is valid until the next cipher is used.
   */
  open(packet: number, datagram: Uint8Array): Uint8Array | undefined {
    if (!this.#window.isNew(packet)) return undefined;
    const phase = phaseOf(packet);
    const key = this.#keyOf(phase);
    const frames = key && openSealed(key, packet, datagram, HEADER_SIZE);
    if (key === undefined || frames === undefined) return undefined;
    this.#window.accept(packet);
    if (phase > this.#phase) {
      this.#previous = this.#key;
      this.#key = key;
      this.#phase = phase;
    }
    return frames;
  }

  /** Whether a packet is authentic, be it new or not; nothing is noted. */
  isAuthentic(packet: number, datagram: Uint8Array): boolean {
    const key = this.#keyOf(phaseOf(packet));
    return key !== undefined && openSealed(key, packet, datagram, HEADER_SIZE) !== undefined;
  }

  /** Only the neighbouring phases: a forged counter must not cost more than one step. */
  #keyOf(phase: number): Uint8Array | undefined {
    if (phase === this.#phase) return this.#key;
    if (phase === this.#phase - 1) return this.#previous;
    return phase === this.#phase + 1 ? rekey(this.#key) : undefined;
  }
}

function phaseOf(packet: number): number {
  return Math.floor(packet / REKEY_INTERVAL);
}
