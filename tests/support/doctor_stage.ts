/**
 * A fixture: a doctor and the directory that it checks, on virtual time.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { Doctor } from "../../client/doctor/doctor.ts";
import type { Check, Finding } from "../../client/doctor/findings.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { type Address, isIpv6, sameAddress } from "../../protocol/wire/address.ts";
import type { DirectoryTrust } from "../../client/view.ts";
import type { Server } from "../../server/server.ts";
import { newServer } from "./new_server.ts";
import { Prng } from "./random.ts";
import { TRUSTING } from "./trust.ts";

export const SERVER: Address = { hostname: "10.0.0.1", port: 7070 };
export const SECOND: Address = { ...SERVER, port: SERVER.port + 1 };
export const PORT = 4000;
export const HERE: Address = { hostname: "192.0.2.4", port: PORT };
export const HERE_V6: Address = { hostname: "2001:db8::4", port: PORT };
/** Milliseconds that a datagram takes. */
export const DELAY = 10;

/** The directory's key, and that of the doctor. */
export const DIRECTORY = makeKeyPair(new Prng(3).bytes);
const OWN = makeKeyPair(new Prng(4).bytes);

/** The directory's IPv6 address, where it has both, which answers first. */
export const SERVER_V6: Address = { hostname: "2001:db8:d::1", port: SERVER.port };

/** What the doctor meets. */
export interface Setup {
  secret?: Uint8Array;
  serverSecret?: Uint8Array;
  maxClients?: number;
  trust?: DirectoryTrust;
  /** Where the directory sees the doctor. */
  seenAt?: Address;
  /** Where the second port of the directory does, if it answers. */
  secondSeenAt?: Address;
  /** The directory has an IPv6 address, too, where it sees the doctor at its own. */
  hasBoth?: boolean;
  /** Whether what it sends by IPv4 is lost. */
  isLostByIpv4?: boolean;
  /** Whether a datagram of the doctor's to where it is seen comes back. */
  isHairpin?: boolean;
  hasIpv6?: boolean;
  hasIpv4?: boolean;
  /** Whether the n-th datagram of the doctor is lost. */
  isLost?(n: number): boolean;
  /** Addresses of the directory before the one where it is. */
  dead?: readonly Address[];
}

/** A doctor and a directory on virtual time. */
export class Stage {
  now = 1000;
  readonly doctor: Doctor;
  readonly server: Server;
  /** The directory's second port. */
  readonly second: Server;
  readonly findings: Finding[] = [];
  status: number | undefined;
  silentAt: number | undefined;
  sent = 0;
  lastSent: Uint8Array | undefined;
  readonly #setup: Setup;
  readonly #inTransit: { at: number; action: () => void }[] = [];

  constructor(setup: Setup = {}) {
    this.#setup = setup;
    const random = new Prng(5).bytes;
    const { maxClients = 10, secret, serverSecret, trust = TRUSTING, dead = [] } = setup;
    const { hasBoth = false } = setup;
    const identity = DIRECTORY;
    const options = { maxClients, lease: 45_000, identity, random, secret: serverSecret };
    this.server = newServer(options);
    this.second = newServer(options);
    this.doctor = new Doctor(this.now, {
      directoryAddresses: [...dead, ...(hasBoth ? [SERVER_V6] : []), SERVER],
      port: PORT,
      identity: OWN,
      trust,
      secret,
      random: new Prng(6).bytes,
      isOwnHost: (hostname) => [HERE, HERE_V6].some((each) => each.hostname === hostname),
      hasIpv6: setup.hasIpv6 ?? false,
      hasIpv4: setup.hasIpv4 ?? true,
    });
  }

  /** Runs until the doctor is done, or until an instant. */
  run(until = Infinity): this {
    for (;;) {
      this.#drain();
      const next = Math.min(
        this.doctor.nextTimeout() ?? Infinity,
        ...this.#inTransit.map(({ at }) => at),
      );
      if (next > until || next === Infinity) return this;
      this.now = Math.max(this.now, next);
      const due = this.#inTransit.findIndex(({ at }) => at <= this.now);
      if (due === -1) this.doctor.handleTimeout(this.now);
      else this.#inTransit.splice(due, 1)[0]!.action();
    }
  }

  /** Gives the doctor a datagram. */
  receive(bytes: Uint8Array, from = SERVER): void {
    this.doctor.handleDatagram(this.now, bytes, from);
  }

  verdicts(): string[] {
    return this.findings.map(({ check, verdict }) => `${check} ${verdict}`);
  }

  #drain(): void {
    const { isLost = () => false } = this.#setup;
    for (let out = this.doctor.pollTransmit(this.now); out !== undefined;) {
      const bytes = this.lastSent = out.bytes.slice();
      const { to } = out;
      if (!isLost(this.sent++)) this.#after(() => this.#deliver(bytes, to));
      out = this.doctor.pollTransmit(this.now);
    }
    for (let out = this.server.pollTransmit(); out !== undefined;) {
      const bytes = out.bytes.slice();
      const from = this.#setup.hasBoth && isIpv6(out.to) ? SERVER_V6 : SERVER;
      this.#after(() => this.receive(bytes, from));
      out = this.server.pollTransmit();
    }
    for (let out = this.second.pollTransmit(); out !== undefined;) {
      const bytes = out.bytes.slice();
      this.#after(() => this.receive(bytes, SECOND));
      out = this.second.pollTransmit();
    }
    for (let event = this.doctor.pollEvent(); event !== undefined;) {
      if (event.kind === "finding") this.findings.push(event.finding);
      else if (event.kind === "done") this.status = event.status;
      else this.silentAt = this.now;
      event = this.doctor.pollEvent();
    }
  }

  #deliver(bytes: Uint8Array, to: Address): void {
    const { seenAt = HERE, secondSeenAt, isHairpin = false, dead = [] } = this.#setup;
    if (dead.some((each) => sameAddress(each, to))) return;
    if (this.#setup.isLostByIpv4 && !isIpv6(to)) return;
    if (sameAddress(to, SERVER_V6)) this.server.handleDatagram(this.now, bytes, HERE_V6);
    else if (sameAddress(to, SERVER)) this.server.handleDatagram(this.now, bytes, seenAt);
    else if (!sameAddress(to, SECOND)) {
      assertEquals(to, seenAt);
      if (isHairpin) this.receive(bytes, seenAt);
    } else if (secondSeenAt !== undefined) {
      this.second.handleDatagram(this.now, bytes, secondSeenAt);
    }
  }

  #after(action: () => void): void {
    this.#inTransit.push({ at: this.now + DELAY, action });
  }
}

/** The findings of a check. */
export function found(
  setup: Setup,
  check: Check,
): Pick<Finding, "verdict" | "message" | "fields">[] {
  const stage = new Stage(setup).run();
  assertEquals([stage.status, stage.server.table().size, stage.second.table().size], [0, 0, 0]);
  return stage.findings.filter((each) => each.check === check)
    .map(({ verdict, message, fields = {} }) => ({ verdict, message, fields }));
}
