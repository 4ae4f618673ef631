/**
 * Keeps the mappings of NATs and the states of firewalls alive, by datagrams that nobody answers.
 *
 * @module
 */
import type { Instant, Transmit } from "../machine.ts";
import { isCarried, isPrivate } from "../wire/remote.ts";
import { type Address, isLoopback } from "../wire/address.ts";
import { encodeDatagram } from "../wire/datagram.ts";
import { DatagramType } from "../wire/frame.ts";

/**
 * Milliseconds between two datagrams to one address: some NATs forget within seconds what RFC 4787
 * (4.3) wants to be known for minutes.
 */
export const MAPPING_KEEPALIVE = 4_000;

/** A Punch for no meeting: who gets one drops it. */
const KEEPALIVE = encodeDatagram(
  { type: DatagramType.Punch, session: 0, packet: 0 },
  [{ kind: "punch", number: 0n }],
).slice();

/** The addresses that have to be able to reach this client. */
export class MappingKeepalive {
  #dueAt: Instant | undefined;
  #due: Transmit[] = [];

  /** Sends to these addresses from time to time, as long as there are any. */
  handleTimeout(now: Instant, addresses: readonly Address[]): void {
    const remote = addresses.filter(isRemote);
    if (remote.length === 0) this.#dueAt = undefined;
    else if (this.#dueAt === undefined) this.#dueAt = now + MAPPING_KEEPALIVE;
    else if (now >= this.#dueAt) {
      this.#dueAt = now + MAPPING_KEEPALIVE;
      this.#due = remote.map((to) => ({ bytes: KEEPALIVE, to }));
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#dueAt;
  }

  /** See {@linkcode Machine}. */
  pollTransmit(): Transmit | undefined {
    return this.#due.shift();
  }
}

/** Whether there may be a NAT or a firewall on the way to an address. */
function isRemote(address: Address): boolean {
  const { hostname } = address;
  return !isCarried(address) && !isPrivate(hostname) && !isLoopback(hostname);
}
