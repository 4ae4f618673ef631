/**
 * A datagram on a simulated network, as the log keeps it.
 *
 * @module
 */
import { type Decoded, decodeDatagram } from "../protocol/datagram.ts";
import type { Instant } from "../protocol/driven.ts";
import type { Frame } from "../protocol/frame.ts";

/** A datagram that a host sent. */
export class Datagram {
  readonly time: Instant;
  /** Names of hosts; `to` is an address where there is no host. */
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  fate: "delivered" | "lost" | "cut off" | "dropped by the story" | "corrupted" = "delivered";
  #decoded: Decoded | undefined;

  constructor(time: Instant, from: string, to: string, bytes: Uint8Array) {
    this.time = time;
    this.from = from;
    this.to = to;
    this.bytes = bytes;
  }

  /** What it holds. */
  get decoded(): Decoded {
    return this.#decoded ??= decodeDatagram(this.bytes);
  }

  /** Its frames, none where it cannot be read. */
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
    const content = decoded.ok ? decoded.frames.map(frameToString).join(" + ") : decoded.reason;
    const to = decoded.ok ? ` #${decoded.header.packet}→${decoded.header.connection}` : "";
    const fate = this.fate === "delivered" ? "" : `   (${this.fate})`;
    return `${this.from} → ${this.to}: ${content || "nothing"}${to}${fate}`;
  }
}

function frameToString({ kind, ...fields }: Frame): string {
  const shown = Object.entries(fields).map(([name, value]) => {
    if (value instanceof Uint8Array) return `${name}=${hex(value.subarray(0, 6))}`;
    if (typeof value === "string" && value.length > 24) return `${name}=${value.length} chars`;
    return `${name}=${typeof value === "bigint" ? value : JSON.stringify(value)}`;
  });
  return `${kind}(${shown.join(" ")})`;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
