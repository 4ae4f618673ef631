/**
 * Where the directory sees this machine at an address of its own that it is not registered at: its
 * second port, or the other family.
 *
 * @module
 */
import type { Instant, Transmit } from "../../protocol/machine.ts";
import { Registration } from "../../protocol/directory/registration.ts";
import type { RegistrationRequest } from "../../protocol/directory/registration_event.ts";
import { earlier, Timers } from "../../protocol/timers.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";

/** Milliseconds that the directory has to answer. */
export const LOOK_TIMEOUT = 3000;

/** What the directory has told. */
export interface Seen {
  /** The directory's address. */
  readonly by: Address;
  /** Where it sees this machine. */
  readonly at: Address;
}

/** Registers on the same socket, and leaves again. */
export class SecondLook {
  readonly #addresses: readonly Address[];
  readonly #registration: Registration;
  readonly #timers = new Timers<"deadline">();
  #seen: Seen | undefined;
  #isDone = false;

  /** Begins at the addresses of the request. */
  constructor(now: Instant, request: RegistrationRequest) {
    this.#addresses = request.directoryAddresses;
    this.#registration = new Registration(now, request);
    this.#timers.set("deadline", now + LOOK_TIMEOUT);
  }

  /** Undefined where the directory has not answered. */
  get seen(): Seen | undefined {
    return this.#seen;
  }

  /** Whether nothing more will be known. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /** Whether it asks the directory at this address. */
  asks(address: Address): boolean {
    return this.#addresses.some((each) => sameAddress(each, address));
  }

  /** Takes a datagram from one of its addresses. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    const decoded = decodeDatagram(bytes);
    if (decoded.ok) this.#registration.handleDatagram(now, decoded.value, from);
    this.#collect(now);
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
    return this.#isDone ? undefined : this.#registration.pollTransmit(now);
  }

  #collect(now: Instant): void {
    for (;;) {
      const event = this.#registration.pollEvent();
      if (event === undefined) return;
      if (event.kind === "registered") {
        this.#seen = { by: event.directoryAddress, at: event.seenAt };
        this.#registration.leave(now);
      } else if (event.kind === "left" || event.kind === "refused") this.#isDone = true;
    }
  }
}
