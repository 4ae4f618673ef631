/**
 * Internet addresses as text and as bytes.
 *
 * @module
 */

/** Where a datagram came from or goes to. A `Deno.NetAddr` is one. */
export interface Address {
  /** An IPv4 or IPv6 address in its canonical text form (RFC 5952), never a name. */
  readonly hostname: string;
  /** A UDP port, 1 to 65535. */
  readonly port: number;
}

/** Whether two addresses are the same host and port. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.hostname === b.hostname;
}

/** Whether an address is one of IPv6. */
export function isIpv6({ hostname }: Address): boolean {
  return hostname.includes(":");
}

/** The host and port alone, without other fields that a system may add. */
export function copyOf({ hostname, port }: Address): Address {
  return { hostname, port };
}

/** Whether a host is this machine itself, as the loopback interface has it. */
export function isLoopback(hostname: string): boolean {
  return hostname === "::1" || /^(?:::ffff:)?127\./.test(hostname);
}

/** How an IPv6 socket names an IPv4 host (RFC 4291, 2.5.5.2): this, and the host. */
const MAPPED = "::ffff:";

/** The address in the form of an IPv4 socket, where an IPv6 one has named an IPv4 host. */
export function unmapped(address: Address): Address {
  const { hostname, port } = address;
  const isMapped = hostname.startsWith(MAPPED) && hostname.includes(".");
  return isMapped ? { hostname: hostname.slice(MAPPED.length), port } : address;
}

/** The hosts in their order, but those of IPv6 and IPv4 in turn (RFC 8305, section 4). */
export function inTurn(hosts: readonly string[]): string[] {
  const first = hosts[0]?.includes(":");
  const [ones, others] = [true, false].map((isFirst) =>
    hosts.filter((host) => (host.includes(":") === first) === isFirst)
  ) as [string[], string[]];
  const all: string[] = [];
  for (let at = 0; at < Math.max(ones.length, others.length); at++) {
    all.push(...ones.slice(at, at + 1), ...others.slice(at, at + 1));
  }
  return all;
}

/** The host in the form of an IPv6 socket. */
export function mappedHost(hostname: string): string {
  return hostname.includes(":") ? hostname : MAPPED + hostname;
}

/** An address as people write it: `127.0.0.1:7070`, `[::1]:7070`. */
export function formatAddress(address: Address): string {
  const { hostname, port } = address;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * The 4 or 16 bytes of an IP address in text form.
 *
 * @returns `undefined` where the text is no IP address; a zone (`%eth0`) is left out.
 */
export function hostToBytes(hostname: string): Uint8Array | undefined {
  return hostname.includes(":") ? ipv6ToBytes(hostname) : ipv4ToBytes(hostname);
}

function ipv4ToBytes(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(4);
  return writeIpv4(text, bytes, 0) ? bytes : undefined;
}

/** Writes the 4 bytes of a dotted address at `at`; false, with traces left, where it is none. */
export function writeIpv4(text: string, bytes: Uint8Array, at: number): boolean {
  let [parts, part, digits] = [0, 0, 0];
  for (let i = 0; i <= text.length; i++) {
    const code = i === text.length ? DOT : text.charCodeAt(i);
    if (code >= ZERO && code <= ZERO + 9) {
      // A leading zero would mean octal to some.
      if (digits > 0 && part === 0) return false;
      part = 10 * part + code - ZERO;
      digits++;
    } else {
      // After each part comes a dot, or the end.
      if (code !== DOT || digits === 0 || part > 255 || parts === 4) return false;
      bytes[at + parts++] = part;
      part = digits = 0;
    }
  }
  return parts === 4;
}

const ZERO = 0x30;
const DOT = 0x2e;

function ipv6ToBytes(text: string): Uint8Array | undefined {
  const halves = text.replace(/%.*$/, "").split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, i) => ipv6Groups(half, i === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...(tail ?? [])];
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** The 16-bit groups of one side of a `::`; a dotted IPv4 tail of the last side counts as two. */
function ipv6Groups(text: string, isLast: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (isLast && index === parts.length - 1 && part.includes(".")) {
      const bytes = ipv4ToBytes(part);
      if (bytes === undefined) return undefined;
      const [a = 0, b = 0, c = 0, d = 0] = bytes;
      groups.push(a << 8 | b, c << 8 | d);
    } else {
      if (!/^[\da-f]{1,4}$/i.test(part)) return undefined;
      groups.push(parseInt(part, 16));
    }
  }
  return groups;
}

/** The canonical text form (RFC 5952) of 4 or 16 bytes. */
export function bytesToHost(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return `::ffff:${bytes.subarray(12).join(".")}`;
  const zeros = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (zeros.length < 2) return hex.join(":");
  const end = zeros.start + zeros.length;
  return `${hex.slice(0, zeros.start).join(":")}::${hex.slice(end).join(":")}`;
}

function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/**
 * What counts as one source: an IPv4 address, or the /64 of an IPv6 one, in which a single machine
 * has as many addresses as it likes (RFC 4291, section 2.5.4).
 */
export function sourceOf({ hostname }: Address): string {
  const bytes = hostname.includes(":") ? hostToBytes(hostname) : undefined;
  if (bytes === undefined) return hostname;
  const isMapped = bytes.subarray(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff && bytes[11] === 0xff;
  return isMapped ? bytes.subarray(12).join(".") : `${bytes.subarray(0, 8).join(":")}/64`;
}
