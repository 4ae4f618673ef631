/**
 * Where a peer is: an address that datagrams go to, or one that the directory carries datagrams to.
 *
 * Both are an {@linkcode Address}, so that whatever compares, keeps and returns addresses need not
 * tell them apart; only who sends does.
 *
 * @module
 */
import { type Address, hostToBytes } from "./address.ts";

/** In the place of a host: of the prefix that is never routed (RFC 6666). */
const CARRIED = "100::";

/** Which kind of path leads to an address, from the best one to the worst. */
export type PathKind = "lan" | "direct" | "carried";

/** The peer with this client id, by way of the directory. */
export function carriedTo(id: number): Address {
  const groups = [id >>> 16, id & 0xffff].map((group) => group.toString(16));
  return { hostname: `${CARRIED}${groups.join(":")}`, port: id };
}

/** Whether the directory carries datagrams to there. */
export function isCarried({ hostname }: Address): boolean {
  return hostname.startsWith(CARRIED);
}

/** Whether a host is of a range for private networks (RFC 1918, 4193). */
export function isPrivate(hostname: string): boolean {
  const bytes = hostToBytes(hostname);
  if (bytes === undefined) return false;
  const [a, b] = bytes as unknown as [number, number];
  if (bytes.length === 16) return (a & 0xfe) === 0xfc;
  return a === 10 || a === 172 && b >= 16 && b < 32 || a === 192 && b === 168;
}

/** Which kind of path leads there. */
export function pathKind(address: Address): PathKind {
  if (isCarried(address)) return "carried";
  return isPrivate(address.hostname) ? "lan" : "direct";
}

/** How good a path is: a LAN before IPv6 before IPv4 before the directory. */
export function pathRank(address: Address): number {
  if (isCarried(address)) return 0;
  if (isPrivate(address.hostname)) return 3;
  return address.hostname.includes(":") ? 2 : 1;
}
