/**
 * Where this client may be reached in its own network.
 *
 * @module
 */
import { isPrivate } from "../protocol/wire/remote.ts";
import { interfaceAddresses } from "../protocol/udp.ts";
import { type Address, isIpv6 } from "../protocol/wire/address.ts";
import { CANDIDATES_LENGTH_MAX } from "../protocol/wire/frame.ts";

/**
 * The addresses of this machine in private ranges; none where the system tells none.
 *
 * @param bound what the socket is bound to: one for IPv4 only is reached at no IPv6 address.
 * @param isIpv6Only whether one for IPv6 is reached at no IPv4 address.
 */
export function localAddresses(
  bound: Address,
  isIpv6Only: boolean,
  interfaces: readonly string[] = interfaceAddresses(),
): Address[] {
  const { port } = bound;
  return interfaces
    .filter(isPrivate)
    .map((hostname) => ({ hostname, port }))
    .filter((each) => isIpv6(each) ? isIpv6(bound) : !isIpv6(bound) || !isIpv6Only)
    .slice(0, CANDIDATES_LENGTH_MAX);
}
