/**
 * Bytes with a comment on each field, as `protocol/README.md` shows them.
 *
 * @module
 */
import { NAIVE_FRAMES } from "../../reference/naive_codec.ts";

const TYPES: Readonly<Record<number, string>> = {
  1: "Register",
  2: "Challenge",
  3: "Request",
  4: "Answer",
  5: "Initiation",
  6: "Response",
  7: "Cookie",
  8: "Packet",
  9: "Notice",
  10: "Punch",
  254: "Unknown",
  255: "Version",
};

/** How frames are called there. */
const KINDS: Readonly<Record<string, string>> = {
  lookUp: "Look-up",
  leave: "Client Leave",
  leaveAck: "Client Leave Ack",
  alsoAt: "Also At",
  alsoAtAck: "Also At Ack",
};

/** What stands in a field; with a number after it where the field is one. */
const FIELDS: Readonly<Record<string, string>> = {
  "credentials.publicKey": "the client's public key",
  "challenge.publicKey": "the directory's public key",
  "found.publicKey": "the client's public key",
  "meeting.publicKey": "the peer's public key",
  "meeting.id": "the peer's client id",
  "register.session": "the client's session id",
  wantedId: "wanted id",
  number: "number of the meeting",
  to: "to client id",
  from: "from client id",
  datagram: "a datagram",
  id: "client id",
  seenAt: "seen at",
  after: "after client id",
  mac1: "mac1",
  mac2: "mac2",
  "cookieReply.cookie": "sealed cookie",
  requester: "requester's client id",
  responder: "responder's client id",
  sender: "sender's client id",
  cumulativeSeq: "cumulative seq",
  largestPacket: "largest packet",
  packetBitmap: "packet bitmap",
  finalSeq: "final seq",
  ranges: "range",
  clients: "client",
  addresses: "address",
};

const WIDTH = 16;
/** Where the comments begin, on lines with fewer bytes than that. */
const COMMENT_AT = 3 * WIDTH + 1;
/** Bytes, or characters of up to four, that come again and again are counted from here on. */
const SAME_MIN = 33;

/** How a frame is called. */
export function frameName(kind: string): string {
  const words = kind.replace(/[A-Z]/g, (letter) => ` ${letter}`);
  return KINDS[kind] ?? words[0]!.toUpperCase() + words.slice(1);
}

/** How a type of datagram is called. */
export function typeName(type: number): string {
  return TYPES[type] ?? `unknown type ${type}`;
}

/** Lines of bytes, the first one with the comment. */
function line(bytes: Uint8Array, comment = ""): string[] {
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const unit = [1, 2, 3, 4].find((size) =>
    bytes.length % size === 0 && bytes.every((byte, at) => byte === bytes[at % size])
  );
  const rows: string[] = [];
  if (bytes.length >= SAME_MIN && unit !== undefined) {
    rows.push(`${digits.slice(0, unit).join(" ")} × ${bytes.length / unit}`);
  } else {
    for (let at = 0; at < digits.length; at += WIDTH) {
      rows.push(digits.slice(at, at + WIDTH).join(" "));
    }
  }
  return rows.map((row, index) =>
    index > 0 || comment === "" ? row : `${row.padEnd(COMMENT_AT - 2)}  ${comment}`
  );
}

/** Takes bytes from the front, and writes a line for each part. */
class Lines {
  readonly lines: string[] = [];
  #rest: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#rest = bytes;
  }

  get left(): number {
    return this.#rest.length;
  }

  peek(size: number): Uint8Array {
    return this.#rest.slice(0, size);
  }

  take(size: number, comment: string | ((value: number) => string) = ""): Uint8Array {
    const bytes = this.peek(size);
    this.#rest = this.#rest.slice(size);
    const text = typeof comment === "string" ? comment : comment(numberIn(bytes));
    this.lines.push(...line(bytes, text));
    return bytes;
  }
}

function sizeOf(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}

function numberIn(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** A datagram, its sealed frames as they are. */
export function annotateDatagram(bytes: Uint8Array, sealedAt = bytes.length): string {
  const lines = new Lines(bytes);
  header(lines);
  const clear = sealedAt - 16;
  if (clear > 0) frames(lines, clear);
  if (lines.left > 0) {
    const size = lines.left - 16;
    if (size > 0) lines.take(size, `${sizeOf(size)}, sealed`);
    lines.take(16, "tag");
  }
  return lines.lines.join("\n");
}

/** Frames alone. */
export function annotateFrames(bytes: Uint8Array): string {
  const lines = new Lines(bytes);
  frames(lines, bytes.length);
  return lines.lines.join("\n");
}

/** Bytes with one comment each. */
export function annotateValues(values: Readonly<Record<string, Uint8Array>>): string {
  return Object.entries(values).flatMap(([comment, bytes]) => line(bytes, comment)).join("\n");
}

function header(lines: Lines): void {
  const [, , version, type = 0] = lines.peek(4);
  const name = typeName(type);
  lines.take(4, `magic, version ${version}, ${name}`);
  const isEcho = type >= 254;
  const isOfDirectory = type === 4 || type === 9;
  const id = isOfDirectory ? "the client's session id" : "the receiver's session id";
  lines.take(4, (value) => {
    if (isEcho) return "session id of what it answers";
    return value === 0 ? "no session" : type === 3 ? `client id ${value}` : id;
  });
  const packet = isEcho ? "packet counter of what it answers" : "packet";
  lines.take(8, (value) => isEcho ? packet : `${packet} ${value}`);
}

function frames(lines: Lines, size: number): void {
  for (const end = lines.left - size; lines.left > end;) {
    const [type = 0, high = 0, low = 0] = lines.peek(3);
    const bodySize = high * 256 + low;
    const layout = NAIVE_FRAMES[type];
    if (layout === undefined) {
      const name = `0x${type.toString(16).padStart(2, "0")}`;
      lines.take(3, `a frame of the unknown type ${name}, ${sizeOf(bodySize)}`);
      if (bodySize > 0) lines.take(bodySize);
      continue;
    }
    const [kind, fields] = layout;
    lines.take(3, `${frameName(kind)}, ${sizeOf(bodySize)}`);
    const after = lines.left - bodySize;
    for (const [name, field] of Object.entries(fields)) {
      take(lines, kind, name, field, lines.left - after);
    }
  }
}

function take(lines: Lines, kind: string, name: string, field: string, left: number): void {
  const label = FIELDS[`${kind}.${name}`] ?? FIELDS[name] ?? name;
  if (field === "zeros") return void (left > 0 && lines.take(left));
  if (name === "messageOne") return messageOne(lines);
  if (name === "messageTwo") return messageTwo(lines);
  if (kind === "cookieReply" && name === "cookie") {
    lines.take(16, label);
    return void lines.take(16, "tag");
  }
  if (field === "text") return void text(lines, left);
  if (field === "rest") return void lines.take(left, `${label}, ${sizeOf(left)}`);
  if (field === "short text") return shortText(lines, label);
  if (field === "address") return address(lines, label);
  if (field.startsWith("list")) return list(lines, kind, field, label);
  const size = field.startsWith("u") ? Number(field.slice(1)) / 8 : Number(field.slice(5));
  if (field.startsWith("bytes") || field === "u64") {
    const isZero = lines.peek(size).every((byte) => byte === 0);
    return void lines.take(size, isZero ? `${label}: zero` : label);
  }
  lines.take(size, (value) => number(kind, name, label, value));
}

function number(kind: string, name: string, label: string, value: number): string {
  if (name === "session") return label;
  if (name === "lease") return `${label} ${value} ms`;
  if (name === "delay") return `${label} ${value / 10} ms`;
  if (name === "packetBitmap") return `${label}: ${value.toString(2)}`;
  if (kind === "message" && name === "flags") {
    return (value & 1) === 1 ? "flags: the text goes on" : "flags: the text ends";
  }
  if (kind === "connectionAccept" && name === "flags") {
    return (value & 1) === 1 ? "flags: resumed" : "flags: not resumed";
  }
  if (kind === "meeting" && name === "flags") return meetingFlags(value);
  if (name === "more") return value === 1 ? "more follow" : "no more follow";
  if ((kind === "lookUp" || kind === "call") && name === "id" && value === 0) {
    return `${label} 0: by name`;
  }
  if (name === "wantedId" && value === 0) return `${label} 0: any`;
  if (name === "reason") return `${label} ${value}${reason(kind, value)}`;
  return `${label} ${value}`;
}

function meetingFlags(value: number): string {
  const role = (value & 1) === 1 ? "you called" : "you are called";
  return `flags: ${role}${(value & 2) === 2 ? ", same public address" : ""}`;
}

function reason(kind: string, value: number): string {
  const words = kind === "refused"
    ? ["id taken", "name taken", "full", "bad name", "name held"]
    : ["declined", "busy", "not this client"];
  const word = words[value - 1];
  return word === undefined ? "" : `: ${word}`;
}

function messageOne(lines: Lines): void {
  lines.take(32, "message one: ephemeral public key");
  lines.take(32, "sealed static public key");
  lines.take(16, "tag");
  lines.take(4, "sealed session id");
  lines.take(16, "tag");
}

function messageTwo(lines: Lines): void {
  lines.take(32, "message two: ephemeral public key");
  lines.take(4, "sealed session id");
  lines.take(16, "tag");
}

function shortText(lines: Lines, label: string): void {
  const [size = 0] = lines.take(1, (value) => {
    return value === 0 ? `no ${label}` : `${label}: ${sizeOf(value)}`;
  });
  text(lines, size);
}

function text(lines: Lines, size: number): void {
  if (size === 0) return;
  const shown = JSON.stringify(
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(lines.peek(size)),
  );
  const isLong = size > 40;
  lines.take(size, isLong ? `${size} bytes of UTF-8` : shown.replaceAll("\ufeff", "\\ufeff"));
}

function address(lines: Lines, label: string): void {
  const [family = 0] = lines.take(1, (value) => `${label}: IPv${value}`);
  lines.take(family === 4 ? 4 : 16, "host");
  lines.take(2, (value) => `port ${value}`);
}

function list(lines: Lines, kind: string, field: string, label: string): void {
  const plural = label.endsWith("s") ? "es" : "s";
  const [count = 0] = lines.take(1, (value) => `${value} ${label}${value === 1 ? "" : plural}`);
  const [, name1 = "", type1 = "", name2 = "", type2 = ""] = field.split(" ");
  for (let left = count; left > 0; left--) {
    if (name1 === "address") {
      address(lines, label);
      continue;
    }
    if (name1 === "first") {
      const [first, last] = [lines.peek(4), lines.peek(8).slice(4)].map(numberIn);
      lines.take(8, `${first} to ${last}`);
      continue;
    }
    take(lines, kind, name1, type1, 0);
    take(lines, kind, name2, type2.replace("_", " "), 0);
  }
}
