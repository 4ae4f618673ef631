/**
 * `udp-chat doctor`: checks how the directory is reached from here, by registering and leaving.
 *
 * @module
 */
import {
  type Address,
  copyOf,
  formatAddress,
  isIpv6,
  sameAddress,
} from "../../protocol/wire/address.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import type { KeyPair } from "../../protocol/crypto/x25519.ts";
import type { DirectoryTrust } from "../view.ts";
import type { DatagramMachine, Instant, Random, Transmit } from "../../protocol/machine.ts";
import { DatagramType, type Header, RefusalReason, VERSION } from "../../protocol/wire/frame.ts";
import { Registration } from "../../protocol/directory/registration.ts";
import type {
  Query,
  RegistrationEvent,
  RegistrationRequest,
} from "../../protocol/directory/registration_event.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { earlier, Timers } from "../../protocol/timers.ts";
import {
  addressFinding,
  callsFinding,
  type Check,
  type Finding,
  formatAddresses,
  ipv6Finding,
  isNat,
  type LastDatagram,
  mappingFinding,
  roundTripFinding,
  silenceFinding,
} from "./findings.ts";
import { MappingProbe, SECOND_PORT_OFFSET } from "./mapping_probe.ts";
import { SecondLook } from "./second_look.ts";
import { ExitStatus } from "../exit.ts";

/** Why a directory refuses to register anybody. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [RefusalReason.full, "it is full"],
  [RefusalReason.sourceFull, "it has no place for more clients at this address"],
]);

/** Milliseconds without an answer after which to check whether anything listens there. */
export const SILENCE_TIMEOUT = 1500;
/** Milliseconds without any datagram after which UDP counts as blocked. */
export const BLOCKED_TIMEOUT = 4500;
/** Milliseconds without an answer after which the directory counts as silent. */
export const ANSWER_TIMEOUT = 15_000;
/** Look-ups that measure the round trip. */
export const PROBES = 5;
/** Milliseconds after which the answer to a probe counts as lost. */
export const PROBE_TIMEOUT = 2000;
/** Milliseconds between an answer and the next probe. */
export const PROBE_GAP = 100;
/** Milliseconds to wait for the ack of the Client Leave. */
export const LEAVE_TIMEOUT = 5000;

/** The events of a doctor. */
export type DoctorEvent =
  | { kind: "finding"; finding: Finding }
  /** No answer so far: check whether anything listens there. */
  | { kind: "silent" }
  /** The last event. */
  | { kind: "done"; status: ExitStatus };

/** What a doctor is created with. */
export interface DoctorOptions {
  /** Where the directory is: all are tried. */
  readonly directoryAddresses: readonly Address[];
  /** The UDP port that the socket is bound to. */
  readonly port: number;
  /** The static key to register with. */
  readonly identity: KeyPair;
  /** Which directory may be used. */
  readonly trust: DirectoryTrust;
  readonly secret: Uint8Array | undefined;
  readonly random: Random;
  /** Whether this machine has the address. */
  isOwnHost(hostname: string): boolean;
  /** Whether this machine has a public IPv6 address. */
  readonly hasIpv6: boolean;
  /** Whether it has an IPv4 address with which it reaches others. */
  readonly hasIpv4: boolean;
}

type Registered = Extract<RegistrationEvent, { kind: "registered" }>;
type State = "registering" | "probing" | "mapping" | "leaving" | "done";

/** Registers without a name, measures the round trip, and leaves. */
export class Doctor implements DatagramMachine<DoctorEvent> {
  readonly #options: DoctorOptions;
  readonly #request: RegistrationRequest;
  readonly #registration: Registration;
  readonly #timers = new Timers<"silence" | "blocked" | "deadline" | "probe" | "gap" | "leave">();
  readonly #samples: number[] = [];
  #state: State = "registering";
  #status: ExitStatus = ExitStatus.ok;
  #probe: Extract<Query, { id: number }> | undefined;
  #probes = 0;
  #seenAt: Address | undefined;
  /** The directory's addresses that nothing can be sent to. */
  readonly #unsendable = new Set<string>();
  /** The directory's address that answered last while registering. */
  #answeredFrom: Address;
  /** By IPv4, where IPv6 answered first: a NAT is for IPv4. */
  #secondLook: SecondLook | undefined;
  #isLookReported = false;
  #mappingProbe: MappingProbe | undefined;
  #lastDatagram: LastDatagram = "none";
  #events: DoctorEvent[] = [];

  /** Starts registering. */
  constructor(now: Instant, options: DoctorOptions) {
    const { directoryAddresses, port, identity, trust, secret, random } = options;
    this.#options = options;
    this.#answeredFrom = directoryAddresses[0]!;
    this.#request = {
      directoryAddresses,
      id: 0,
      name: "",
      port,
      identity,
      secret,
      isTrusted: (key) => trust.isTrusted(key),
      policy: TIMER_POLICIES.adaptive,
      random,
    };
    this.#registration = new Registration(now, this.#request);
    this.#timers.set("silence", now + SILENCE_TIMEOUT);
    this.#timers.set("blocked", now + BLOCKED_TIMEOUT);
    this.#timers.set("deadline", now + ANSWER_TIMEOUT);
  }

  /** The system reported that nothing listens at any of the directory's addresses. */
  handleRefused(): void {
    if (this.#state !== "registering" || this.#lastDatagram !== "none") return;
    const at = formatAddresses(this.#options.directoryAddresses);
    const advice = "start it there with udp-chat serve, for other machines with --host 0.0.0.0";
    this.#end("directory", ExitStatus.serverTimeout, `nothing listens at ${at}: ${advice}`, {
      reason: "refused",
    });
  }

  /** The system reported that a datagram could not be sent: the end if it is so for all addresses. */
  handleUnsendable(to: Address, why: string): void {
    if (this.#state !== "registering" || this.#lastDatagram !== "none") return;
    const { directoryAddresses } = this.#options;
    this.#unsendable.add(formatAddress(to));
    if (directoryAddresses.some((each) => !this.#unsendable.has(formatAddress(each)))) return;
    const at = formatAddresses(directoryAddresses);
    const message = `this machine cannot send to ${at}: ${why}`;
    this.#end("directory", ExitStatus.serverTimeout, message, { reason: "unsendable" });
  }

  /** Leaves without finishing the checks. */
  stop(now: Instant): void {
    if (this.#state === "done") return;
    this.#status = ExitStatus.interrupted;
    if (this.#registration.id === undefined) this.#finish();
    else this.#leave(now);
  }

  /** See {@linkcode Machine}. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    if (this.#state === "done") return;
    if (this.#secondLook?.asks(from)) {
      this.#secondLook.handleDatagram(now, bytes, from);
      return this.#concludeMapping(now);
    }
    if (!this.#options.directoryAddresses.some((each) => sameAddress(each, from))) {
      this.#mappingProbe?.handleDatagram(now, bytes, from);
      return this.#concludeMapping(now);
    }
    this.#timers.clear("blocked");
    if (this.#state === "registering") this.#answeredFrom = copyOf(from);
    const decoded = decodeDatagram(bytes);
    if (decoded.ok) {
      const isAuthentic = this.#registration.handleDatagram(now, decoded.value, from);
      if (isAuthentic) this.#lastDatagram = "authentic";
      else if (isFromDirectory(decoded.value.header)) this.#lastDatagram = "forged";
    } else if (decoded.error.reason === "version") {
      this.#registration.handleVersion(now, decoded.error.version, from);
    } else this.#lastDatagram = "unrelated";
    this.#collect(now);
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#state === "done") return;
    this.#registration.handleTimeout(now);
    this.#secondLook?.handleTimeout(now);
    this.#mappingProbe?.handleTimeout(now);
    this.#collect(now);
    this.#concludeMapping(now);
    if (this.#timers.expire("blocked", now)) return this.#endUnanswered();
    if (this.#timers.expire("silence", now)) this.#emit({ kind: "silent" });
    if (this.#timers.expire("deadline", now)) this.#endUnanswered();
    if (this.#timers.expire("gap", now)) this.#startProbe(now);
    if (this.#timers.expire("probe", now)) this.#endProbe(now);
    if (this.#timers.expire("leave", now)) this.#handleLeft(false);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    if (this.#state === "done") return undefined;
    const timeout = earlier(this.#timers.next(), this.#registration.nextTimeout());
    const look = this.#secondLook?.nextTimeout();
    return earlier(timeout, earlier(look, this.#mappingProbe?.nextTimeout()));
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#state === "done") return undefined;
    return this.#registration.pollTransmit(now) ?? this.#secondLook?.pollTransmit(now) ??
      this.#mappingProbe?.pollTransmit(now);
  }

  /** See {@linkcode Machine}. */
  pollEvent(): DoctorEvent | undefined {
    return this.#events.shift();
  }

  #collect(now: Instant): void {
    for (;;) {
      const event = this.#registration.pollEvent();
      if (event === undefined || this.#state === "done") return;
      this.#handleEvent(now, event);
    }
  }

  #handleEvent(now: Instant, event: RegistrationEvent): void {
    switch (event.kind) {
      case "registered":
        if (this.#state === "registering") this.#handleRegistered(now, event);
        return;
      case "refused": {
        const why = REFUSALS.get(event.reason) ?? `reason ${event.reason}`;
        const message = `the directory answers, but refuses to register anybody: ${why}`;
        return this.#end("directory", ExitStatus.failure, message, { reason: "refusal" });
      }
      case "unavailable": {
        const message = "the directory answers, but cannot register anybody now: try again later";
        return this.#end("directory", ExitStatus.serverTimeout, message, { reason: "unavailable" });
      }
      case "otherVersion": {
        const { version } = event;
        const message = `the directory speaks version ${version} of the protocol, this program ` +
          `${VERSION}: install the same on both sides`;
        this.#report({ check: "directory", verdict: "ok", message: this.#answersMessage() });
        return this.#end("version", ExitStatus.failure, message, { theirs: version, own: VERSION });
      }
      case "otherKey": {
        const message = `the directory ${this.#options.trust.refusal(event.directoryKey)}`;
        this.#report({ check: "directory", verdict: "ok", message: this.#answersMessage() });
        return this.#end("key", ExitStatus.untrustedKey, message, {
          fingerprint: fingerprint(event.directoryKey),
        });
      }
      case "found":
      case "inactive":
        if (event.query !== this.#probe) return;
        // One that was sent again was lost on the way.
        return this.#endProbe(now, event.lost === 0 ? event.rttMs : undefined);
      case "left":
        return this.#handleLeft(event.acknowledged);
    }
  }

  #answersMessage(): string {
    return `${formatAddress(this.#answeredFrom)} answers, and its datagrams come back`;
  }

  #handleRegistered(now: Instant, { seenAt, directoryKey }: Registered): void {
    this.#state = "probing";
    this.#timers.clearAll();
    this.#report({ check: "directory", verdict: "ok", message: this.#answersMessage() });
    const fields = { theirs: VERSION, own: VERSION };
    this.#report({ check: "version", verdict: "ok", message: `${VERSION} on both sides`, fields });
    const digits = fingerprint(directoryKey);
    this.#report({
      check: "key",
      verdict: "ok",
      message: `the directory's fingerprint is ${digits}`,
      fields: { fingerprint: digits },
    });
    this.#seenAt = seenAt;
    this.#handleSeen(now, seenAt, this.#answeredFrom);
    this.#lookByIpv4(now);
    this.#startProbe(now);
  }

  /** Reports where the directory sees this machine; a NAT is probed at that address of the directory. */
  #handleSeen(now: Instant, seenAt: Address, by: Address): void {
    const { port, isOwnHost } = this.#options;
    const isOwn = isOwnHost(seenAt.hostname);
    this.#report(addressFinding(seenAt, port, isOwn));
    if (!isNat(seenAt, port, isOwn)) return;
    this.#mappingProbe = new MappingProbe(now, this.#request, by, seenAt);
  }

  /** Where the directory has answered by IPv6, asks it by IPv4, too, if that is possible. */
  #lookByIpv4(now: Instant): void {
    if (!isIpv6(this.#answeredFrom) || !this.#options.hasIpv4) return;
    if (this.#mappingProbe !== undefined) return;
    const directoryAddresses = this.#options.directoryAddresses.filter((each) => !isIpv6(each));
    if (directoryAddresses.length === 0) return;
    this.#secondLook = new SecondLook(now, { ...this.#request, directoryAddresses });
  }

  #startProbe(now: Instant): void {
    this.#probe = { kind: "lookUp", id: this.#registration.id ?? 0, name: "" };
    this.#probes++;
    this.#registration.lookUp(now, this.#probe);
    this.#timers.set("probe", now + PROBE_TIMEOUT);
  }

  /** Ends the probe, which was answered within so many milliseconds, or lost. */
  #endProbe(now: Instant, rttMs?: number): void {
    if (this.#probe === undefined) return;
    if (rttMs === undefined) this.#registration.dropQuery(this.#probe);
    else this.#samples.push(rttMs);
    this.#probe = undefined;
    this.#timers.clear("probe");
    if (this.#probes < PROBES) return this.#timers.set("gap", now + PROBE_GAP);
    this.#report(roundTripFinding(this.#samples, this.#probes));
    this.#state = "mapping";
    this.#concludeMapping(now);
  }

  /** Tells how others reach this machine, as soon as everything about it is known. */
  #concludeMapping(now: Instant): void {
    if (this.#state !== "probing" && this.#state !== "mapping") return;
    const look = this.#secondLook;
    if (look?.isDone === false) return;
    if (look?.seen !== undefined && !this.#isLookReported) {
      this.#isLookReported = true;
      this.#handleSeen(now, look.seen.at, look.seen.by);
    }
    const probe = this.#mappingProbe;
    if (this.#state !== "mapping" || this.#seenAt === undefined || probe?.isDone === false) return;
    if (probe !== undefined) {
      const second = this.#answeredFrom.port + SECOND_PORT_OFFSET;
      this.#report(mappingFinding(probe.mapping, probe.isHairpin, second));
    }
    const { hasIpv4, hasIpv6, directoryAddresses } = this.#options;
    this.#report(ipv6Finding(hasIpv6));
    const isSeenByIpv4 = look === undefined
      ? hasIpv4 && !directoryAddresses.every(isIpv6)
      : look.seen !== undefined;
    const isSeenByIpv6 = hasIpv6 && directoryAddresses.some(isIpv6);
    this.#report(callsFinding(this.#seenAt, probe?.mapping, { isSeenByIpv4, isSeenByIpv6 }));
    this.#leave(now);
  }

  #leave(now: Instant): void {
    this.#state = "leaving";
    this.#timers.clearAll();
    this.#registration.leave(now);
    this.#timers.set("leave", now + LEAVE_TIMEOUT);
    this.#collect(now);
  }

  #handleLeft(isAcknowledged: boolean): void {
    if (isAcknowledged) {
      const message = "acknowledged: no trace of this is left in the table";
      this.#report({ check: "leave", verdict: "ok", message });
    } else {
      const message = "not acknowledged: an entry without a name stays in the table until its " +
        "lease ends";
      this.#report({ check: "leave", verdict: "failed", message });
    }
    this.#finish();
  }

  #endUnanswered(): void {
    const { directoryAddresses, secret } = this.#options;
    const hasSecret = secret !== undefined;
    const { reason, message } = silenceFinding(directoryAddresses, this.#lastDatagram, hasSecret);
    const isAnswered = this.#lastDatagram !== "none";
    const status = isAnswered ? ExitStatus.failure : ExitStatus.serverTimeout;
    this.#end("directory", status, message, { reason });
  }

  #end(check: Check, status: ExitStatus, message: string, fields: Finding["fields"] = {}): void {
    if (this.#status === ExitStatus.ok) this.#status = status;
    this.#report({ check, verdict: "failed", message, fields });
    this.#finish();
  }

  #report(finding: Finding): void {
    if (finding.verdict === "failed" && this.#status === ExitStatus.ok) {
      this.#status = ExitStatus.failure;
    }
    this.#emit({ kind: "finding", finding });
  }

  #finish(): void {
    this.#state = "done";
    this.#timers.clearAll();
    this.#emit({ kind: "done", status: this.#status });
  }

  #emit(event: DoctorEvent): void {
    this.#events.push(event);
  }
}

function isFromDirectory({ type }: Header): boolean {
  return type === DatagramType.Challenge || type === DatagramType.Answer ||
    type === DatagramType.Unknown;
}
