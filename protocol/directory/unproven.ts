/**
 * What speaks against a directory, but could be forged by anybody: believed only where nothing better
 * comes for a while.
 *
 * @module
 */
import { isSameKey } from "../crypto/x25519.ts";
import type { Instant } from "../machine.ts";
import { Timers } from "../timers.ts";

/**
 * Milliseconds that the directory has to answer after all when a datagram came that anybody could
 * forge: one of another version, or a Challenge with a key that is not trusted.
 */
export const FORGERY_PATIENCE = 12_000;

/** What is believed once the patience ended. */
export type Unproven =
  | { kind: "otherVersion"; version: number }
  | { kind: "otherKey"; directoryKey: Uint8Array };

/** What came without a proof. */
export class UnprovenProblems {
  readonly #timers = new Timers<"version" | "key">();
  #version = 0;
  #key: Uint8Array | undefined;

  /** Notes a Version datagram. */
  noteVersion(now: Instant, version: number): void {
    this.#version = version;
    this.#start("version", now);
  }

  /** Notes a Challenge with a key that is not trusted; each key in turn is reported once. */
  noteKey(now: Instant, key: Uint8Array): void {
    if (this.#key !== undefined && isSameKey(this.#key, key)) return;
    this.#key = key.slice();
    this.#start("key", now);
  }

  /** A Challenge with a trusted key came. */
  handleTrusted(): void {
    this.#timers.clear("key");
  }

  /** Something authentic came. */
  handleProof(): void {
    this.#timers.clearAll();
    this.#key = undefined;
  }

  /** What is to be believed now. */
  handleTimeout(now: Instant): Unproven[] {
    const believed: Unproven[] = [];
    if (this.#timers.expire("version", now)) {
      believed.push({ kind: "otherVersion", version: this.#version });
    }
    if (this.#timers.expire("key", now) && this.#key !== undefined) {
      believed.push({ kind: "otherKey", directoryKey: this.#key });
    }
    return believed;
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** Forgets everything. */
  clear(): void {
    this.#timers.clearAll();
  }

  #start(timer: "version" | "key", now: Instant): void {
    if (this.#timers.get(timer) === undefined) this.#timers.set(timer, now + FORGERY_PATIENCE);
  }
}
