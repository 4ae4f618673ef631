/**
 * Where a directory is.
 *
 * @module
 */
import { resolveHost } from "../protocol/udp.ts";
import { type Address, bytesToHost, hostToBytes, isLoopback } from "../protocol/wire/address.ts";

/** The UDP port of a directory that names no other. */
export const SERVER_PORT = 7070;

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

/** How to start a directory where these addresses are, undefined if that is not this machine. */
export function startCommand(addresses: readonly Address[]): string | undefined {
  const [first] = addresses;
  if (first === undefined || !isOnThisMachine(addresses)) return undefined;
  return first.port === SERVER_PORT ? "udp-chat serve" : `udp-chat serve --port ${first.port}`;
}
