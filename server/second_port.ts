/**
 * The second port of a directory: a client that registers at both sees whether its NAT gives it another
 * port for each destination.
 *
 * @module
 */
import type { KeyPair } from "../protocol/crypto/x25519.ts";
import { drive, openSocket, systemRandom } from "../protocol/udp.ts";
import { type Address, isLoopback } from "../protocol/wire/address.ts";
import { Server } from "./server.ts";

/** Clients that may ask at a time: none stays. */
const CLIENTS_MAX = 100;
/** Milliseconds after which one that does not leave is forgotten. */
const LEASE = 10_000;
/** The highest UDP port. */
const PORT_MAX = 65_535;

/** A second port that is open. */
export interface SecondPort {
  /** Asks for another secret from now on. */
  changeSecret(secret: Uint8Array): void;
  close(): Promise<void>;
}

/**
 * Opens the port after the first one, with a table of its own.
 *
 * @returns undefined where that cannot be, or is of no use: within one machine there is
 * no NAT.
 */
export function openSecondPort(
  { hostname, port }: Address,
  identity: KeyPair,
  secret: Uint8Array | undefined,
): SecondPort | undefined {
  if (isLoopback(hostname) || port === PORT_MAX) return undefined;
  const limits = { maxClients: CLIENTS_MAX, lease: LEASE, relayLimit: 0 };
  const server = new Server({ ...limits, identity, secret, random: systemRandom });
  try {
    const running = drive(server, openSocket(hostname, port + 1), () => {});
    // The directory goes on without it.
    running.finished.catch(() => {});
    return {
      changeSecret: (other) => server.changeSecret(other),
      close: () => running.close().catch(() => {}),
    };
  } catch {
    // Somebody else has the port.
    return undefined;
  }
}
