/**
 * A client's link to its directory: registration, look-ups and lists, as events for the user.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import type { Instant, Transmit } from "../../protocol/machine.ts";
import {
  type Frame,
  type ListEntry,
  type Listing,
  RefusalReason,
  VERSION,
} from "../../protocol/wire/frame.ts";
import {
  type Query,
  Registration,
  type RegistrationEvent,
} from "../../protocol/directory/registration.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import type { ClientEvent, ErrorCode } from "../event.ts";
import type { Peer } from "../peer.ts";
import type { ClientOptions } from "../view.ts";

/** Clients in the longest list. */
export const LIST_LENGTH_MAX = 100_000;

/** This client, as its directory knows it. */
export interface Self {
  id: number;
  name: string;
}

/** The events of the link. */
export type LinkEvent =
  | { kind: "report"; event: ClientEvent }
  | { kind: "found"; id: number; address: Address; publicKey: Uint8Array }
  /** The look-up failed; `event` says why. */
  | { kind: "notFound"; event: ClientEvent }
  /** The client left, or could not register. */
  | { kind: "ended"; acknowledged: boolean };

/** One client's link to one directory. */
export class DirectoryLink {
  readonly #options: ClientOptions;
  readonly #registration: Registration;
  #target: Peer | undefined;
  #lookUp: Query | undefined;
  #listed: ListEntry[] | undefined;
  #lostAt: Instant | undefined;
  #events: LinkEvent[] = [];

  /** Starts registering. */
  constructor(now: Instant, options: ClientOptions) {
    this.#options = options;
    const { server, id, name, port, identity, secret, timers, random } = options;
    const wanted = { id, name, port, publicKey: identity.publicKey, secret };
    this.#registration = new Registration(now, server, wanted, TIMER_POLICIES[timers], random);
  }

  /** The client id, once registered. */
  get id(): number | undefined {
    return this.#registration.id;
  }

  /** The name that the directory knows this client by. */
  get name(): string {
    return this.#registration.name;
  }

  /** When the directory stopped answering, undefined while it answers. */
  get lostSince(): Instant | undefined {
    return this.#registration.isLost ? this.#lostAt : undefined;
  }

  /** The deadline of the leave. */
  get leaveBy(): Instant | undefined {
    return this.#registration.leaveBy;
  }

  /** Asks for a client's address; a `found` or `notFound` event follows. */
  lookUp(now: Instant, target: Peer): void {
    const [id, name] = typeof target === "number" ? [target, ""] : [0, target];
    this.#target = target;
    this.#lookUp = { kind: "lookUp", id, name };
    this.#registration.query(now, this.#lookUp);
  }

  /** Cancels the look-up. */
  cancelLookUp(): void {
    if (this.#lookUp !== undefined) this.#registration.dropQuery(this.#lookUp);
    this.#lookUp = undefined;
  }

  /** Asks which clients are active; a `list` event follows. */
  list(now: Instant): void {
    if (this.#listed !== undefined) return;
    if (this.#registration.query(now, { kind: "list", after: 0 })) this.#listed = [];
  }

  /** Sends Client Leave; an `ended` event follows. */
  leave(now: Instant): void {
    this.#registration.leave(now);
  }

  /** Takes an Answer datagram and its frames; false if it lacks the proof of the secret. */
  handleAnswer(now: Instant, bytes: Uint8Array, frames: readonly Frame[]): boolean {
    if (!this.#registration.isTrusted(bytes)) return false;
    for (const frame of frames) this.#registration.handleFrame(now, frame);
    this.#collect(now);
    return true;
  }

  /** Takes a Version datagram. */
  handleVersion(version: number, bytes: Uint8Array, from: Address): void {
    if (this.#registration.isTrusted(bytes)) this.#registration.handleVersion(version, from);
  }

  /** See `Machine`. */
  handleTimeout(now: Instant): void {
    this.#registration.handleTimeout(now);
    this.#collect(now);
  }

  /** See `Machine`. */
  nextTimeout(): Instant | undefined {
    return this.#registration.nextTimeout();
  }

  /** See `Machine`. */
  pollTransmit(now: Instant): Transmit | undefined {
    return this.#registration.pollTransmit(now);
  }

  /** See `Machine`. */
  pollEvent(now: Instant): LinkEvent | undefined {
    this.#collect(now);
    return this.#events.shift();
  }

  #collect(now: Instant): void {
    const registration = this.#registration;
    for (let event = registration.pollEvent(); event; event = registration.pollEvent()) {
      this.#handleEvent(now, event);
    }
  }

  #handleEvent(now: Instant, event: RegistrationEvent): void {
    const server = this.#options.serverName;
    switch (event.kind) {
      case "registered": {
        const { id, name, seenAt: address } = event;
        return this.#report({ kind: "registered", id, name, address, server });
      }
      case "lost":
        this.#lostAt = now;
        return this.#report({ kind: "serverLost", server });
      case "back":
        return this.#report({ kind: "serverBack", server });
      case "refused":
        return this.#endWith("refused", refusal(event.reason, this.#options));
      case "otherVersion": {
        const versions = `speaks version ${event.version}, this client ${VERSION}`;
        return this.#endWith("version", `Server ${versions}`);
      }
      case "timeout":
        return this.#handleTimeout(event.query);
      case "answer":
        if (event.frame.kind === "listing") return this.#handleListing(now, event.frame);
        return this.#handleLookUp(event.query, event.frame);
      case "left":
        this.#events.push({ kind: "ended", acknowledged: event.acknowledged });
    }
  }

  #report(event: ClientEvent): void {
    this.#events.push({ kind: "report", event });
  }

  #endWith(code: ErrorCode, message: string): void {
    this.#report({ kind: "error", code, message });
    this.#events.push({ kind: "ended", acknowledged: false });
  }

  #handleTimeout(query: Query | undefined): void {
    const message = `No answer from the directory at ${this.#options.serverName}`;
    if (query === undefined) {
      // A private directory does not answer without its secret, so the cause is not known.
      const hint = this.#options.secret === undefined
        ? "a private one needs --secret"
        : "is its secret the one in use here?";
      return this.#endWith("serverTimeout", `${message} · ${hint}`);
    }
    const event: ClientEvent = { kind: "error", code: "serverTimeout", message };
    if (query.kind === "list") {
      this.#listed = undefined;
      this.#report(event);
    } else if (query === this.#lookUp) {
      this.#lookUp = undefined;
      this.#events.push({ kind: "notFound", event });
    }
  }

  #handleLookUp(query: Query, frame: Frame): void {
    if (query !== this.#lookUp || this.#target === undefined) return;
    this.#lookUp = undefined;
    if (frame.kind === "found") {
      const { id, address } = frame;
      this.#events.push({ kind: "found", id, address, publicKey: frame.publicKey.slice() });
    } else {
      this.#events.push({ kind: "notFound", event: { kind: "inactive", peer: this.#target } });
    }
  }

  #handleListing(now: Instant, { clients, more }: Listing): void {
    if (this.#listed === undefined) return;
    const after = this.#listed.at(-1)?.id ?? 0;
    const isRising = (clients[0]?.id ?? 0) > after;
    if (isRising) this.#listed.push(...clients);
    const last = this.#listed.at(-1)?.id ?? 0;
    if (isRising && more !== 0 && this.#listed.length < LIST_LENGTH_MAX) {
      this.#registration.query(now, { kind: "list", after: last });
      return;
    }
    this.#report({ kind: "list", clients: this.#listed });
    this.#listed = undefined;
  }
}

function refusal(reason: number, { id, name, serverName }: ClientOptions): string {
  const lease = "if that was you, its lease ends in less than a minute";
  switch (reason) {
    case RefusalReason.idTaken:
      return `Client id ${id} is taken; ${lease}`;
    case RefusalReason.nameTaken:
      return `The name "${name}" is taken; ${lease}`;
    case RefusalReason.full:
      return `The directory at ${serverName} is full`;
    case RefusalReason.badName:
      return `The directory does not allow the name "${name}"`;
    default:
      return `The directory at ${serverName} refuses to register this client`;
  }
}
