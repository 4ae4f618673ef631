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
 */
export function addressNotes(host: string, own: readonly string[]): string[] {
  const notes: string[] = [];
  for (const [family, isOf] of Object.entries(FAMILIES)) {
    const addresses = own.filter((each) => isOf(each) && isPublic(each));
    if (addresses.length < 2 || !servesAll(host, family)) continue;
    const list = addresses.join(", ");
    notes.push(
      `Several public ${family} addresses: give one as --host, or answers may leave from another (${list})`,
    );
  }
  return notes;
}

const FAMILIES = {
  IPv4: (hostname: string): boolean => !hostname.includes(":"),
  IPv6: (hostname: string): boolean => hostname.includes(":"),
};

function servesAll(host: string, family: string): boolean {
  return host === "::" || host === "0.0.0.0" && family === "IPv4";
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
