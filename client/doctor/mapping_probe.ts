/**
 * What kind of NAT this machine is behind: asks for the address that a second port of the directory
 * sees, and whether a datagram to this machine's public address comes back.
 *
 * @module
 */
import type { Instant, Transmit } from "../../protocol/machine.ts";
import type { RegistrationRequest } from "../../protocol/directory/registration_event.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import { SecondLook } from "./second_look.ts";

/** The second port of a directory is the one after its first. */
export const SECOND_PORT_OFFSET = 1;
/** Bytes of the datagram that this machine sends to itself. */
const ECHO_SIZE = 16;

/** Whether the NAT uses the same port for each destination, as far as it can be seen. */
export type Mapping = "same" | "different" | "unknown";

/** One probe, on the socket that has registered. */
export class MappingProbe {
  readonly #seenAt: Address;
  readonly #look: SecondLook;
  readonly #echo: Uint8Array;
  #isEchoSent = false;
  #isHairpin = false;

  /**
   * Begins one.
   *
   * @param directory the address of its first port.
   * @param seenAt where that sees this machine.
   */
  constructor(now: Instant, request: RegistrationRequest, directory: Address, seenAt: Address) {
    const { hostname, port } = directory;
    const directoryAddresses = [{ hostname, port: port + SECOND_PORT_OFFSET }];
    this.#seenAt = seenAt;
    this.#look = new SecondLook(now, { ...request, directoryAddresses });
    this.#echo = request.random(ECHO_SIZE);
  }

  /** What is known so far. */
  get mapping(): Mapping {
    const { seen } = this.#look;
    if (seen === undefined) return "unknown";
    return sameAddress(seen.at, this.#seenAt) ? "same" : "different";
  }

  /** Whether the NAT brings back what this machine sends to its own public address. */
  get isHairpin(): boolean {
    return this.#isHairpin;
  }

  /** Whether nothing more will be known. */
  get isDone(): boolean {
    return this.#look.isDone;
  }

  /** Takes a datagram that is not from the first port of the directory. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    if (isSame(bytes, this.#echo)) this.#isHairpin = true;
    else if (this.#look.asks(from)) this.#look.handleDatagram(now, bytes, from);
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    this.#look.handleTimeout(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#look.nextTimeout();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.isDone || this.#isEchoSent) return this.#look.pollTransmit(now);
    this.#isEchoSent = true;
    return { bytes: this.#echo, to: this.#seenAt };
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
