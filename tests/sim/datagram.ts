/**
 * A datagram on a simulated network, as its log keeps it.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { toHex } from "../support/hex.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import { decrypt, type Plaintext } from "../support/plaintext_log.ts";

/** A datagram that a host sent. */
export class Datagram {
  readonly time: Instant;
  /** Names of hosts; `to` is an address where there is no host. */
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** Whether the source is forged. */
  readonly isForged: boolean;
  fate:
    | "delivered"
    | "lost"
    | "lost in a burst"
    | "too long"
    | "cut off"
    | "dropped by the story"
    | "corrupted" = "delivered";
  /** Decoded and decrypted. */
  readonly decoded: Plaintext;

  constructor(time: Instant, from: string, to: string, bytes: Uint8Array, isForged = false) {
    this.time = time;
    this.from = from;
    this.to = to;
    this.bytes = bytes;
    this.isForged = isForged;
    // At once: the plaintext log is bounded.
    this.decoded = decrypt(bytes);
  }

  /** Its frames; none if it cannot be decrypted. */
  get frames(): readonly Frame[] {
    return this.decoded.ok ? this.decoded.frames : [];
  }

  /** The first frame of a kind. */
  frame<K extends Frame["kind"]>(kind: K): Extract<Frame, { kind: K }> | undefined {
    return this.frames.find((frame): frame is Extract<Frame, { kind: K }> => frame.kind === kind);
  }

  /** As a line of a history. */
  toString(): string {
    const { decoded } = this;
    const content = decoded.ok
      ? decoded.frames.map(frameToString).join(" + ")
      : decoded.error.reason;
    const unknown = decoded.ok && decoded.isUnknown ? " (unknown plaintext)" : "";
    const to = decoded.ok ? ` #${decoded.header.packet}→${decoded.header.session}` : "";
    const fate = this.fate === "delivered" ? "" : `   (${this.fate})`;
    return `${this.from} → ${this.to}: ${content || "nothing"}${unknown}${to}${fate}`;
  }
}

function frameToString({ kind, ...fields }: Frame): string {
  return `${kind}(${fieldsToString(fields)})`;
}

function fieldsToString(fields: object): string {
  const shown = Object.entries(fields).map(([name, value]) => {
    if (value instanceof Uint8Array) return `${name}=${toHex(value.subarray(0, 6))}`;
    if (typeof value === "string" && value.length > 24) return `${name}=${value.length} chars`;
    return `${name}=${typeof value === "bigint" ? value : JSON.stringify(value)}`;
  });
  return shown.join(" ");
}
