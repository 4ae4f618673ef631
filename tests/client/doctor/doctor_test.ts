import { assertEquals } from "@std/assert";
import {
  ANSWER_TIMEOUT,
  Doctor,
  LEAVE_PATIENCE,
  PROBE_TIMEOUT,
  PROBES,
  SILENCE,
} from "../../../client/doctor/doctor.ts";
import type { Finding } from "../../../client/doctor/findings.ts";
import { renderFinding, renderFindingJson, renderVerdict } from "../../../client/doctor/render.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { encodeDatagram, encodeVersionAnswer } from "../../../protocol/wire/datagram.ts";
import { DatagramType } from "../../../protocol/wire/frame.ts";
import { Server } from "../../../server/server.ts";
import { Prng } from "../../support/random.ts";

const SERVER: Address = { hostname: "10.0.0.1", port: 7070 };
const PORT = 4000;
const HERE: Address = { hostname: "192.0.2.4", port: PORT };
/** Milliseconds that a datagram is under way. */
const DELAY = 10;

interface Scene {
  secret?: Uint8Array;
  serverSecret?: Uint8Array;
  maxClients?: number;
  /** Where the directory sees the doctor. */
  seenAt?: Address;
  /** Whether the n-th datagram of the doctor is lost. */
  isLost?(n: number): boolean;
}

/** A doctor and a directory on virtual time. */
class Visit {
  now = 1000;
  readonly doctor: Doctor;
  readonly server: Server;
  readonly findings: Finding[] = [];
  status: number | undefined;
  silentAt: number | undefined;
  sent = 0;
  readonly #scene: Scene;
  readonly #onWay: { at: number; action: () => void }[] = [];

  constructor(scene: Scene = {}) {
    this.#scene = scene;
    const random = new Prng(5).bytes;
    const { maxClients = 10, secret, serverSecret } = scene;
    this.server = new Server({ maxClients, lease: 45_000, random, secret: serverSecret });
    this.doctor = new Doctor(this.now, {
      server: SERVER,
      port: PORT,
      publicKey: new Uint8Array(32).fill(7),
      secret,
      random: new Prng(6).bytes,
      isOwnHost: (hostname) => hostname === HERE.hostname,
    });
  }

  /** Runs until the doctor is done, or until an instant. */
  run(until = Infinity): this {
    for (;;) {
      this.#drain();
      const next = Math.min(
        this.doctor.nextTimeout() ?? Infinity,
        ...this.#onWay.map(({ at }) => at),
      );
      if (next > until || next === Infinity) return this;
      this.now = Math.max(this.now, next);
      const due = this.#onWay.findIndex(({ at }) => at <= this.now);
      if (due === -1) this.doctor.handleTimeout(this.now);
      else this.#onWay.splice(due, 1)[0]!.action();
    }
  }

  /** Lets the doctor hear something. */
  hear(bytes: Uint8Array, from = SERVER): void {
    this.doctor.handleDatagram(this.now, bytes, from);
  }

  verdicts(): string[] {
    return this.findings.map(({ check, verdict }) => `${check} ${verdict}`);
  }

  #drain(): void {
    const { isLost = () => false, seenAt = HERE } = this.#scene;
    for (let out = this.doctor.pollTransmit(this.now); out !== undefined;) {
      const bytes = out.bytes.slice();
      if (!isLost(this.sent++)) {
        this.#after(() => this.server.handleDatagram(this.now, bytes, seenAt));
      }
      out = this.doctor.pollTransmit(this.now);
    }
    for (let out = this.server.pollTransmit(); out !== undefined;) {
      const bytes = out.bytes.slice();
      this.#after(() => this.hear(bytes));
      out = this.server.pollTransmit();
    }
    for (let event = this.doctor.pollEvent(); event !== undefined;) {
      if (event.kind === "finding") this.findings.push(event.finding);
      else if (event.kind === "done") this.status = event.status;
      else this.silentAt = this.now;
      event = this.doctor.pollEvent();
    }
  }

  #after(action: () => void): void {
    this.#onWay.push({ at: this.now + DELAY, action });
  }
}

Deno.test("Doctor: all well, and nothing stays in the table", () => {
  const visit = new Visit().run();
  assertEquals(visit.verdicts(), [
    "directory ok",
    "version ok",
    "address ok",
    "roundTrip ok",
    "leave ok",
  ]);
  assertEquals(visit.status, 0);
  assertEquals(visit.server.table().size, 0);
  const { fields } = visit.findings[3]!;
  assertEquals(fields, { probes: PROBES, answered: PROBES, medianMs: 20, minMs: 20 });
  assertEquals(visit.silentAt, undefined);
});

Deno.test("Doctor: another port, or an address of no machine here, is a NAT", () => {
  for (const seenAt of [{ ...HERE, port: 61_002 }, { ...HERE, hostname: "198.51.100.4" }]) {
    const visit = new Visit({ seenAt }).run();
    const finding = visit.findings.find(({ check }) => check === "address")!;
    assertEquals(finding.verdict, "warning");
    assertEquals(finding.fields, { host: seenAt.hostname, port: seenAt.port, nat: true });
    assertEquals(visit.status, 0);
  }
});

Deno.test("Doctor: a lost probe is counted, and measured nowhere", () => {
  // Two for the registration, then the probes.
  const visit = new Visit({ isLost: (n) => n === 3 }).run();
  const finding = visit.findings.find(({ check }) => check === "roundTrip")!;
  assertEquals(finding.verdict, "warning");
  assertEquals(finding.fields, { probes: PROBES, answered: PROBES - 1, medianMs: 20, minMs: 20 });
  assertEquals(visit.status, 0);
  assertEquals(visit.now < 1000 + PROBE_TIMEOUT + 1000, true);
});

Deno.test("Doctor: silence is told early, and given up: status 3", () => {
  const visit = new Visit({ isLost: () => true }).run();
  assertEquals(visit.silentAt, 1000 + SILENCE);
  assertEquals(visit.now, 1000 + ANSWER_TIMEOUT);
  assertEquals(visit.status, 3);
  assertEquals(visit.verdicts(), ["directory failed"]);
  assertEquals(visit.findings[0]?.fields, { reason: "silence" });
  assertEquals(visit.findings[0]?.message.includes("UDP may be blocked here"), true);
});

Deno.test("Doctor: where answers come, and registering does not succeed, that is no silence", () => {
  const visit = new Visit({ isLost: (n) => n > 0 }).run();
  assertEquals([visit.status, visit.findings[0]?.fields], [1, { reason: "loss" }]);
});

Deno.test("Doctor: a closed port is no silence", () => {
  const visit = new Visit({ isLost: () => true }).run(2000);
  visit.doctor.handleRefused();
  visit.run();
  assertEquals(visit.status, 3);
  assertEquals(visit.findings[0]?.fields, { reason: "refused" });
  assertEquals(visit.findings[0]?.message.includes("blocked"), false);
  // Once it answered, it is not refused.
  const answered = new Visit().run(1100);
  answered.doctor.handleRefused();
  assertEquals(answered.run().status, 0);
});

Deno.test("Doctor: what cannot be sent is said with its reason", () => {
  const visit = new Visit({ isLost: () => true }).run(1000);
  visit.doctor.handleUnsendable("Network is unreachable");
  visit.run();
  assertEquals([visit.status, visit.findings[0]?.fields], [3, { reason: "unsendable" }]);
  assertEquals(visit.findings[0]?.message.endsWith("Network is unreachable"), true);
});

Deno.test("Doctor: another version, a full directory, and what is no directory: status 1", () => {
  const version = new Visit({ isLost: () => true }).run(1000);
  const other = encodeVersionAnswer({ type: DatagramType.Answer, connection: 0, packet: 0 });
  other[2] = 9;
  version.hear(other);
  version.run();
  assertEquals(version.verdicts(), ["directory ok", "version failed"]);
  assertEquals([version.status, version.findings[1]?.fields?.["theirs"]], [1, 9]);

  const full = new Visit({ maxClients: 1 });
  const stranger = { ...HERE, port: 1 };
  occupy(full.server, stranger);
  full.run();
  assertEquals([full.status, full.findings[0]?.fields], [1, { reason: "refusal" }]);

  const foreign = new Visit({ isLost: () => true }).run(1000);
  foreign.hear(new TextEncoder().encode("HTTP/1.1 400 Bad Request"), { ...SERVER, port: 1 });
  foreign.hear(new TextEncoder().encode("HTTP/1.1 400 Bad Request"));
  // Something is there, whatever the system says.
  foreign.doctor.handleRefused();
  foreign.doctor.handleUnsendable("for a moment");
  foreign.run();
  assertEquals([foreign.status, foreign.findings[0]?.fields], [1, { reason: "foreign" }]);
});

/** Fills the one place of a directory. */
function occupy(server: Server, from: Address): void {
  const guest = new Doctor(0, {
    server: SERVER,
    port: from.port,
    publicKey: new Uint8Array(32).fill(9),
    secret: undefined,
    random: new Prng(8).bytes,
    isOwnHost: () => true,
  });
  for (let i = 0; i < 2; i++) {
    server.handleDatagram(1000, guest.pollTransmit(0)!.bytes, from);
    guest.handleDatagram(0, server.pollTransmit()!.bytes.slice(), SERVER);
  }
  assertEquals(server.table().size, 1);
}

Deno.test("Doctor: a secret that the directory has not is named; without one silence is", () => {
  const secret = new Uint8Array(16).fill(1);
  assertEquals(new Visit({ secret, serverSecret: secret }).run().status, 0);
  const open = new Visit({ secret }).run();
  assertEquals([open.status, open.findings[0]?.fields], [1, { reason: "secret" }]);
  const closed = new Visit({ serverSecret: secret }).run();
  assertEquals([closed.status, closed.findings[0]?.fields], [3, { reason: "silence" }]);
  assertEquals(closed.findings[0]?.message.includes("--secret"), true);
});

Deno.test("Doctor: a leave without ack is a failure, and bounded", () => {
  const visit = new Visit({ isLost: (n) => n >= 2 + PROBES }).run();
  assertEquals(visit.verdicts().at(-1), "leave failed");
  assertEquals(visit.status, 1);
  assertEquals(visit.now <= 1000 + 40 + PROBES * 120 + LEAVE_PATIENCE, true);
});

Deno.test("Doctor: interrupted, it still leaves", () => {
  const visit = new Visit().run(1100);
  assertEquals(visit.server.table().size, 1);
  visit.doctor.stop(visit.now);
  visit.run();
  assertEquals([visit.server.table().size, visit.status], [0, 130]);
});

Deno.test("Doctor: nothing from others than the directory counts", () => {
  const visit = new Visit({ isLost: () => true }).run(1000);
  const header = { type: DatagramType.Answer, connection: 0, packet: 0 };
  visit.hear(encodeDatagram(header, []), { ...SERVER, hostname: "203.0.113.1" });
  visit.run();
  assertEquals(visit.findings[0]?.fields, { reason: "silence" });
});

Deno.test("renderFinding() and renderFindingJson()", () => {
  const finding = {
    check: "roundTrip",
    verdict: "ok",
    message: "1 ms\x1b",
    fields: { n: 1 },
  } as const;
  assertEquals(renderFinding(finding, false), "ok       round trip  1 ms");
  const long = { ...finding, message: "fast or slow" };
  const rows = ["\x1b[32mok\x1b[39m       round trip  fast or", `${" ".repeat(21)}slow`];
  assertEquals(renderFinding(long, true, 31), rows.join("\n"));
  assertEquals(renderVerdict(0, false), "All well");
  assertEquals(renderVerdict(0, true), "It works: see the lines that say warning");
  assertEquals(
    renderFindingJson(finding, new Date(0)),
    '{"event":"check","time":"1970-01-01T00:00:00.000Z","check":"roundTrip","verdict":"ok",' +
      '"message":"1 ms\\u001b","n":1}',
  );
});
