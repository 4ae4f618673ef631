/**
 * Addresses as the directory keeps them: 16 bytes of host, IPv4 ones mapped (RFC 4291, 2.5.5.2).
 *
 * So the two forms in which an IPv6 socket and an IPv4 one show the same host are one here.
 *
 * @module
 */
import { type Address, bytesToHost, hostToBytes, writeIpv4 } from "./address.ts";

/** Bytes in a host. */
const HOST_SIZE = 16;
/** Bytes in a host and a port. */
export const ENDPOINT_SIZE: number = HOST_SIZE + 2;
/** Bytes in an IPv4 host and a port, as clients are told them. */
export const IPV4_SIZE = 6;
/** Where the IPv4 address starts in a mapped one. */
const MAPPED_AT = 12;

/**
 * Writes the host, and the port after it.
 *
 * @throws {TypeError} where the host is no IP address, which no socket says.
 */
export function writeEndpoint(bytes: Uint8Array, { hostname, port }: Address): void {
  if (writeIpv4(hostname, bytes, MAPPED_AT)) {
    bytes.fill(0, 0, 10).fill(0xff, 10, MAPPED_AT);
  } else {
    const host = hostToBytes(hostname);
    if (host?.length !== HOST_SIZE) throw new TypeError(`Cannot use "${hostname}": no IP address`);
    bytes.set(host);
  }
  bytes[HOST_SIZE] = port >>> 8;
  bytes[HOST_SIZE + 1] = port;
}

/** The host, in 4 or 16 bytes, and the port, as clients are told them; a view. */
export function addressOf(endpoint: Uint8Array): Uint8Array {
  return isIpv4(endpoint) ? endpoint.subarray(MAPPED_AT) : endpoint;
}

/** The address as text. */
export function readEndpoint(endpoint: Uint8Array): Address {
  const port = endpoint[HOST_SIZE]! << 8 | endpoint[HOST_SIZE + 1]!;
  if (!isIpv4(endpoint)) return { hostname: bytesToHost(endpoint.subarray(0, HOST_SIZE)), port };
  const [a, b, c, d] = endpoint.subarray(MAPPED_AT);
  return { hostname: `${a}.${b}.${c}.${d}`, port };
}

/** Whether the host is an IPv4 one. */
export function isIpv4(endpoint: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (endpoint[i] !== 0) return false;
  return endpoint[10] === 0xff && endpoint[11] === 0xff;
}
