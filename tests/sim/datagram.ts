/**
 * A datagram on a simulated network, as its log keeps it.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { type PathKind, pathKind } from "../../protocol/wire/remote.ts";
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
  /** Where its sender sent it, if that is known. */
  readonly target: Address | undefined;
  /** Whether the source is forged. */
  readonly isForged: boolean;
  fate:
    | "delivered"
    | "lost"
    | "lost in a burst"
    | "too long"
    | "cut off"
    /** By a NAT or a firewall, or there is nobody. */
    | "not let out"
    | "not let in"
    | "dropped by the story"
    | "corrupted" = "delivered";
  /** Decoded and decrypted. */
  readonly decoded: Plaintext;
  /** The datagram in it that the directory carries, between the same hosts. */
  readonly carried: Datagram | undefined;

  constructor(
    time: Instant,
    from: string,
    to: string,
    bytes: Uint8Array,
    isForged = false,
    target: Address | undefined = undefined,
  ) {
    this.time = time;
    this.from = from;
    this.to = to;
    this.bytes = bytes;
    this.isForged = isForged;
    this.target = target;
    // At once: the plaintext log is bounded, and what is carried is in a buffer that is used again.
    this.decoded = decrypt(bytes);
    const frame = this.frame("carry") ?? this.frame("carried");
    this.carried = frame && new Datagram(time, from, to, frame.datagram.slice(), isForged);
  }

  /** Its frames; none if it cannot be decrypted. */
  get frames(): readonly Frame[] {
    return this.decoded.ok ? this.decoded.frames : [];
  }

  /** The first frame of a kind. */
  frame<K extends Frame["kind"]>(kind: K): Extract<Frame, { kind: K }> | undefined {
    return this.frames.find((frame): frame is Extract<Frame, { kind: K }> => frame.kind === kind);
  }

  /** The kind of path that a Message in it goes; undefined where there is none. */
  get path(): PathKind | undefined {
    if (this.carried?.frame("message") !== undefined) return "carried";
    const hasMessage = this.frame("message") !== undefined;
    return hasMessage && this.target !== undefined ? pathKind(this.target) : undefined;
  }

  /** As a line of a history. */
  toString(): string {
    const { decoded, carried } = this;
    const content = contentOf(decoded) + (carried ? ` ⊃ ${contentOf(carried.decoded)}` : "");
    const unknown = decoded.ok && decoded.isUnknown ? " (unknown plaintext)" : "";
    const to = decoded.ok ? ` #${decoded.header.packet}→${decoded.header.session}` : "";
    const fate = this.fate === "delivered" ? "" : `   (${this.fate})`;
    return `${this.from} → ${this.to}: ${content || "nothing"}${unknown}${to}${fate}`;
  }
}

function contentOf(decoded: Plaintext): string {
  return decoded.ok ? decoded.frames.map(frameToString).join(" + ") : decoded.error.reason;
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
