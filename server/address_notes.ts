/**
 * What an operator has to know of the addresses that a directory listens on.
 *
 * @module
 */
import { isPrivate } from "../protocol/wire/remote.ts";
import { hostToBytes, isLoopback } from "../protocol/wire/address.ts";

/**
 * What to tell the operator of a directory that listens on `host`: where that is all addresses of a
 * family, and several of them are public, answers leave from the one that the system chooses. A NAT
 * or a firewall lets in only those from the address that its client asked.
 *
 * @param isIpv6Only says whether a socket at `::` serves IPv6 alone.
 */
export function addressNotes(
  host: string,
  own: readonly string[],
  isIpv6Only: () => boolean,
): string[] {
  const families = familiesServed(host, isIpv6Only);
  const notes = host === "::" && !families.includes("IPv4") ? [NO_IPV4] : [];
  for (const family of families) {
    const addresses = own.filter((each) => familyOf(each) === family && isPublic(each));
    if (addresses.length < 2) continue;
    const list = addresses.join(", ");
    notes.push(
      `Several public ${family} addresses: give one as --host, or answers may leave from another (${list})`,
    );
  }
  return notes;
}

type Family = "IPv4" | "IPv6";

const NO_IPV4 = "On this system :: is for IPv6 alone: clients with IPv4 need --host 0.0.0.0";

/** The families of which the directory has all addresses. */
function familiesServed(host: string, isIpv6Only: () => boolean): readonly Family[] {
  if (host === "0.0.0.0") return ["IPv4"];
  if (host !== "::") return [];
  return isIpv6Only() ? ["IPv6"] : ["IPv4", "IPv6"];
}

function familyOf(hostname: string): Family {
  return hostname.includes(":") ? "IPv6" : "IPv4";
}

/** Whether a host may be reached from anywhere: not loopback, link-local, private or shared. */
function isPublic(hostname: string): boolean {
  const bytes = hostToBytes(hostname);
  if (bytes === undefined || isLoopback(hostname) || isPrivate(hostname)) return false;
  const [a, b] = bytes as unknown as [number, number];
  if (bytes.length === 16) return (a & 0xe0) === 0x20;
  const isLinkLocal = a === 169 && b === 254;
  // Between an access provider and its customers (RFC 6598).
  const isShared = a === 100 && b >= 64 && b < 128;
  return !isLinkLocal && !isShared;
}
