/**
 * The addresses that a client can bind its socket to.
 *
 * @module
 */
import { type Address, isIpv6 } from "../protocol/wire/address.ts";
import { isOnThisMachine } from "./directory_addresses.ts";

const ANY = { IPv6: "::", IPv4: "0.0.0.0" } as const;
const LOOPBACK = { IPv6: "::1", IPv4: "127.0.0.1" } as const;

/**
 * The addresses to bind to, the best one first: the next is for a machine that does not have it.
 * Loopback is enough where the whole directory is there.
 *
 * @param isIpv6Only whether a socket at `::` serves IPv6 alone: then the family of the directory
 * decides, IPv4 where it has both.
 */
export function localHosts(directory: readonly Address[], isIpv6Only: boolean): string[] {
  const isLocal = isOnThisMachine(directory);
  const { IPv6, IPv4 } = isLocal ? LOOPBACK : ANY;
  const hasIpv4 = directory.some((each) => !isIpv6(each));
  const hasBoth = hasIpv4 && directory.some(isIpv6);
  if (!isIpv6Only && (hasBoth || !isLocal)) return [ANY.IPv6, IPv4];
  return [hasIpv4 ? IPv4 : IPv6];
}
