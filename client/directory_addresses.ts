/**
 * Where a directory is.
 *
 * @module
 */
import { resolveHost } from "../protocol/udp.ts";
import { type Address, bytesToHost, hostToBytes, isLoopback } from "../protocol/wire/address.ts";

/** The addresses of the directory that the user named, one at least. */
export async function resolveDirectory(
  { host, port }: { host: string; port: number },
): Promise<Address[]> {
  const bytes = hostToBytes(host);
  const hosts = bytes === undefined ? await resolveHost(host) : [bytesToHost(bytes)];
  return hosts.map((hostname) => ({ hostname, port }));
}

/** Whether a directory is on this machine, whichever of its addresses answers. */
export function isOnThisMachine(addresses: readonly Address[]): boolean {
  return addresses.every(({ hostname }) => isLoopback(hostname));
}
