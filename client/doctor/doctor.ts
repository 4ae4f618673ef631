/**
 * `udp-chat doctor`: checks how the directory is reached from here, by registering and leaving.
 *
 * @module
 */
import { type Address, formatAddress, sameAddress } from "../../protocol/wire/address.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import type { KeyPair } from "../../protocol/crypto/x25519.ts";
import type { DirectoryTrust } from "../view.ts";
import type { DatagramMachine, Instant, Random, Transmit } from "../../protocol/machine.ts";
import { DatagramType, type Header, RefusalReason, VERSION } from "../../protocol/wire/frame.ts";
import { Registration } from "../../protocol/directory/registration.ts";
import type { Query, RegistrationEvent } from "../../protocol/directory/registration_event.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { earlier, Timers } from "../../protocol/timers.ts";
import {
  addressFinding,
  type Check,
  type Finding,
  type LastDatagram,
  roundTripFinding,
  silenceFinding,
} from "./findings.ts";
import { ExitStatus } from "../exit.ts";

/** Milliseconds without an answer after which to check whether anything listens there. */
export const SILENCE_TIMEOUT = 1500;
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
  readonly server: Address;
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
}

type Registered = Extract<RegistrationEvent, { kind: "registered" }>;
type State = "registering" | "probing" | "leaving" | "done";

/** Registers without a name, measures the round trip, and leaves. */
export class Doctor implements DatagramMachine<DoctorEvent> {
  readonly #options: DoctorOptions;
  readonly #registration: Registration;
  readonly #timers = new Timers<"silence" | "deadline" | "probe" | "gap" | "leave">();
  readonly #samples: number[] = [];
  #state: State = "registering";
  #status: ExitStatus = ExitStatus.ok;
  #probe: Extract<Query, { kind: "lookUp" }> | undefined;
  #probes = 0;
  #lastDatagram: LastDatagram = "none";
  #events: DoctorEvent[] = [];

  /** Starts registering. */
  constructor(now: Instant, options: DoctorOptions) {
    const { server: directory, port, identity, trust, secret, random } = options;
    this.#options = options;
    this.#registration = new Registration(now, {
      directory,
      id: 0,
      name: "",
      port,
      identity,
      secret,
      isTrusted: (key) => trust.isTrusted(key),
      policy: TIMER_POLICIES.adaptive,
      random,
    });
    this.#timers.set("silence", now + SILENCE_TIMEOUT);
    this.#timers.set("deadline", now + ANSWER_TIMEOUT);
  }

  /** The system reported that nothing listens at the directory's address. */
  handleRefused(): void {
    if (this.#state !== "registering" || this.#lastDatagram !== "none") return;
    const at = formatAddress(this.#options.server);
    const advice = "start it there with udp-chat serve, for other machines with --host 0.0.0.0";
    this.#end("directory", ExitStatus.serverTimeout, `nothing listens at ${at}: ${advice}`, {
      reason: "refused",
    });
  }

  /** The system reported that a datagram could not be sent. */
  handleUnsendable(why: string): void {
    if (this.#state !== "registering" || this.#lastDatagram !== "none") return;
    const at = formatAddress(this.#options.server);
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
    if (this.#state === "done" || !sameAddress(from, this.#options.server)) return;
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
    this.#collect(now);
    if (this.#timers.expire("silence", now)) this.#emit({ kind: "silent" });
    if (this.#timers.expire("deadline", now)) this.#endUnanswered();
    if (this.#timers.expire("gap", now)) this.#startProbe(now);
    if (this.#timers.expire("probe", now)) this.#endProbe(now);
    if (this.#timers.expire("leave", now)) this.#handleLeft(false);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    if (this.#state === "done") return undefined;
    return earlier(this.#timers.next(), this.#registration.nextTimeout());
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#state === "done") return undefined;
    return this.#registration.pollTransmit(now);
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
        const why = event.reason === RefusalReason.full ? "it is full" : `reason ${event.reason}`;
        const message = `the directory answers, but refuses to register anybody: ${why}`;
        return this.#end("directory", ExitStatus.failure, message, { reason: "refusal" });
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
    return `${formatAddress(this.#options.server)} answers, and its datagrams come back`;
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
    const isOwn = this.#options.isOwnHost(seenAt.hostname);
    this.#report(addressFinding(seenAt, this.#options.port, isOwn));
    this.#startProbe(now);
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
    const { server, secret } = this.#options;
    const { reason, message } = silenceFinding(server, this.#lastDatagram, secret !== undefined);
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
