/**
 * What kind of NAT this machine is behind: asks for the address that a second port of the directory
 * sees, and whether a datagram to this machine's public address comes back.
 *
 * @module
 */
import type { Instant, Transmit } from "../../protocol/machine.ts";
import { Registration } from "../../protocol/directory/registration.ts";
import type { RegistrationRequest } from "../../protocol/directory/registration_event.ts";
import { earlier, Timers } from "../../protocol/timers.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";

/** Milliseconds that the second port of the directory has to answer. */
export const MAPPING_TIMEOUT = 3000;
/** The second port of a directory is the one after its first. */
export const SECOND_PORT_OFFSET = 1;
/** Bytes of the datagram that this machine sends to itself. */
const ECHO_SIZE = 16;

/** Whether the NAT uses the same port for each destination, as far as it can be seen. */
export type Mapping = "same" | "different" | "unknown";

/** One probe, on the socket that has registered. */
export class MappingProbe {
  readonly #seenAt: Address;
  readonly #second: Address;
  readonly #registration: Registration;
  readonly #timers = new Timers<"deadline">();
  readonly #echo: Uint8Array;
  #isEchoSent = false;
  #mapping: Mapping = "unknown";
  #isHairpin = false;
  #isDone = false;

  /**
   * Begins one.
   *
   * @param directory the address of its first port.
   * @param seenAt where that sees this machine.
   */
  constructor(now: Instant, request: RegistrationRequest, directory: Address, seenAt: Address) {
    const { hostname, port } = directory;
    this.#seenAt = seenAt;
    this.#second = { hostname, port: port + SECOND_PORT_OFFSET };
    this.#registration = new Registration(now, { ...request, directoryAddresses: [this.#second] });
    this.#echo = request.random(ECHO_SIZE);
    this.#timers.set("deadline", now + MAPPING_TIMEOUT);
  }

  /** What is known so far. */
  get mapping(): Mapping {
    return this.#mapping;
  }

  /** Whether the NAT brings back what this machine sends to its own public address. */
  get isHairpin(): boolean {
    return this.#isHairpin;
  }

  /** Whether nothing more will be known. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Takes a datagram that is not from the first port of the directory. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    if (isSame(bytes, this.#echo)) this.#isHairpin = true;
    else if (sameAddress(from, this.#second)) {
      const decoded = decodeDatagram(bytes);
      if (decoded.ok) this.#registration.handleDatagram(now, decoded.value, from);
      this.#collect(now);
    }
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    this.#registration.handleTimeout(now);
    this.#collect(now);
    if (this.#timers.expire("deadline", now)) this.#isDone = true;
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    if (this.#isDone) return undefined;
    return earlier(this.#timers.next(), this.#registration.nextTimeout());
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#isDone) return undefined;
    if (this.#isEchoSent) return this.#registration.pollTransmit(now);
    this.#isEchoSent = true;
    return { bytes: this.#echo, to: this.#seenAt };
  }

  #collect(now: Instant): void {
    for (;;) {
      const event = this.#registration.pollEvent();
      if (event === undefined) return;
      if (event.kind === "registered") {
        this.#mapping = sameAddress(event.seenAt, this.#seenAt) ? "same" : "different";
        this.#registration.leave(now);
      } else if (event.kind === "left" || event.kind === "refused") this.#isDone = true;
    }
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
