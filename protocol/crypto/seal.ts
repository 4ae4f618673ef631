/**
 * The seal on every datagram of a connection: encrypted and authenticated, each good once.
 *
 * The header is associated data and the packet counter the nonce, so that a datagram arrives as it
 * was sent or not at all, whatever was lost or reordered before it.
 *
 * @module
 */
import type { CipherGCM, DecipherGCM } from "node:crypto";
import { makeCipher, makeDecipher, open, openWith, rekey, sealWith } from "./aead.ts";
import { ReplayWindow } from "./replay_window.ts";

/**
 * Datagrams after which both directions change to the next key (Noise, 11.3): 1.2 GB at most, far
 * from what AES-GCM bears.
 */
export const REKEY_INTERVAL = 2 ** 20;

/** Seals what one end sends. */
export class Sealer {
  #key: Uint8Array;
  #phase = 0;
  #packet: number;
  readonly #interval: number;
  /** For the next datagram, once it is made. */
  #cipher: CipherGCM | undefined;

  /**
   * Starts with a key.
   *
   * @param packet the first packet counter.
   * @param interval datagrams under one key; `Infinity`: the key never changes.
   */
  constructor(key: Uint8Array, packet = 0, interval = REKEY_INTERVAL) {
    this.#key = key;
    this.#packet = packet;
    this.#interval = interval;
    this.#advance();
  }

  /** The packet counter of the next datagram, which stands in its header. */
  get packet(): number {
    return this.#packet;
  }

  /**
   * Seals the frames of the next datagram.
   *
   * @param sealed where the result goes; it may begin where `frames` does.
   */
  seal(header: Uint8Array, frames: Uint8Array, sealed?: Uint8Array): Uint8Array {
    this.prepare();
    const cipher = this.#cipher!;
    this.#cipher = undefined;
    this.#packet++;
    return sealWith(cipher, header, frames, sealed);
  }

  /** Makes the cipher for the next datagram, so that seal() finds it. */
  prepare(): void {
    if (this.#cipher !== undefined) return;
    this.#advance();
    this.#cipher = makeCipher(this.#key, this.#packet);
  }

  #advance(): void {
    const phase = phaseOf(this.#packet, this.#interval);
    for (; this.#phase < phase; this.#phase++) this.#key = rekey(this.#key);
  }
}

/** Opens what the other end sealed. */
export class Opener {
  readonly #window = new ReplayWindow();
  #previous: Uint8Array | undefined;
  #key: Uint8Array;
  #phase = 0;
  readonly #interval: number;
  /** For the datagram that is expected next, once it is made. */
  #decipher: DecipherGCM | undefined;
  #expected = -1;

  /**
   * Starts with a key.
   *
   * @param interval as the other end's Sealer has it.
   */
  constructor(key: Uint8Array, interval = REKEY_INTERVAL) {
    this.#key = key;
    this.#interval = interval;
  }

  /** The highest packet counter of an authentic datagram, -1 for none. */
  get highest(): number {
    return this.#window.highest;
  }

  /** Of the 32 counters below this one, which came: bit n for `packet` − 1 − n. */
  arrivedBelow(packet: number): number {
    return this.#window.below(packet);
  }

  /** The frames of a datagram; undefined where it came before, or is not what was sealed. */
  open(packet: number, header: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (!this.#window.isNew(packet)) return undefined;
    const phase = phaseOf(packet, this.#interval);
    const key = this.#keyOf(phase);
    const frames = key && openWith(this.#takeDecipher(key, packet), header, sealed);
    if (key === undefined || frames === undefined) return undefined;
    this.#window.accept(packet);
    if (phase > this.#phase) {
      this.#previous = this.#key;
      this.#key = key;
      this.#phase = phase;
    }
    return frames;
  }

  /** Whether a datagram is authentic, be it new or not; nothing is noted. */
  isAuthentic(packet: number, header: Uint8Array, sealed: Uint8Array): boolean {
    const key = this.#keyOf(phaseOf(packet, this.#interval));
    return key !== undefined && open(key, BigInt(packet), header, sealed) !== undefined;
  }

  /** Makes the decipher for the datagram that is expected next, so that open() finds it. */
  prepare(): void {
    const packet = this.highest + 1;
    if (this.#expected === packet || phaseOf(packet, this.#interval) !== this.#phase) return;
    this.#decipher = makeDecipher(this.#key, packet);
    this.#expected = packet;
  }

  #takeDecipher(key: Uint8Array, packet: number): DecipherGCM {
    const decipher = packet === this.#expected ? this.#decipher : undefined;
    if (decipher === undefined) return makeDecipher(key, packet);
    this.#decipher = undefined;
    this.#expected = -1;
    return decipher;
  }

  /** Only the neighbouring phases: a forged counter must not cost more than one step. */
  #keyOf(phase: number): Uint8Array | undefined {
    if (phase === this.#phase) return this.#key;
    if (phase === this.#phase - 1) return this.#previous;
    return phase === this.#phase + 1 ? rekey(this.#key) : undefined;
  }
}

function phaseOf(packet: number, interval: number): number {
  return Math.floor(packet / interval);
}
