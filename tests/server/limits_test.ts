import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { LAYOUTS } from "../../protocol/wire/layout.ts";
import { PROOF_SIZE, Prover } from "../../protocol/crypto/proof.ts";
import { COOKIE_SLOT } from "../../server/cookie.ts";
import {
  Limits,
  QUESTIONS_IN_TOTAL,
  QUESTIONS_PER_SOURCE,
  REGISTRATIONS_BURST_MIN,
  REGISTRATIONS_PER_SECOND,
  REGISTRATIONS_PER_SOURCE,
  registrationsPerMinute,
  STRANGERS_IN_TOTAL,
  STRANGERS_PER_SOURCE,
} from "../../server/limits.ts";
import { renderTotals } from "../../server/screen/render.ts";
import { scaled } from "../support/scale.ts";
import { client, registerFrame, requestBytes, Stage, ZERO } from "../support/server_stage.ts";

/** The address of client `n` on another machine than all others. */
function elsewhere(n: number): Address {
  return { hostname: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: 5000 };
}

/** Registers without a cookie, at one instant; returns how many were answered. */
function challenges(stage: Stage, count: number, from: (n: number) => Address): number {
  let answered = 0;
  for (let n = 0; n < count; n++) answered += stage.askAll([registerFrame(n)], from(n)).length;
  return answered;
}

/** Registers with a valid cookie from `count` ports or machines; returns how many were granted. */
function registrations(stage: Stage, count: number, from: (n: number) => Address): number {
  let granted = 0;
  for (let n = 0; n < count; n++) {
    // Slowly enough for the limit of strangers.
    if (n % 100 === 0) stage.now += 0.001;
    const [challenge] = stage.askAll([registerFrame(n)], from(n));
    if (challenge?.kind !== "challenge") continue;
    const { cookie } = challenge;
    granted += stage.askAll([registerFrame(n, { cookie })], from(n)).length;
  }
  return granted;
}

Deno.test("Server registers a burst of clients from one source, then a number per second", () => {
  const { perSecond, burst } = REGISTRATIONS_PER_SOURCE;
  const stage = new Stage();
  assertEquals(registrations(stage, burst + 50, client), burst);
  assertEquals(stage.server.dropped, { registrations: 50 });
  assertEquals(stage.server.table().size, burst);
  stage.now += 1000;
  assertEquals(registrations(stage, burst + 100, (n) => client(1000 + n)), perSecond);
  // Other sources are not affected.
  assertEquals(registrations(stage, 10, elsewhere), 10);
});

Deno.test("Server counts a new run, a new name and a new address as registrations, but no repeat", () => {
  const stage = new Stage();
  const { token } = stage.join(1);
  registrations(stage, REGISTRATIONS_PER_SOURCE.burst + 9, (n) => client(100 + n));
  const limited: [n: number, fields: Parameters<typeof registerFrame>[1]][] = [
    [1, { nonce: 7n }],
    [1, { nonce: 7n, token, name: "ana" }],
    [2, { nonce: 7n, token, publicKey: registerFrame(1).publicKey }],
  ];
  for (const [n, fields] of limited) {
    const frame = registerFrame(n, fields);
    const challenge = stage.ask(frame, client(n));
    assert(challenge.kind === "challenge");
    assertEquals(stage.askAll([{ ...frame, cookie: challenge.cookie }], client(n)), []);
  }
  assertEquals(stage.join(1).token, token);
  assertEquals(stage.join(1, { nonce: 8n, token }).token, token);
});

Deno.test("Server registers a burst of clients in total, as many as the table holds", () => {
  for (const maxClients of [10, REGISTRATIONS_BURST_MIN + 500]) {
    const stage = new Stage({ maxClients });
    const burst = Math.max(maxClients, REGISTRATIONS_BURST_MIN);
    assertEquals(registrations(stage, burst + 20, elsewhere), burst);
    assertEquals(stage.server.table().size, maxClients);
    stage.now += 1000;
    const again = registrations(stage, REGISTRATIONS_PER_SECOND + 50, (n) => elsewhere(9000 + n));
    assertEquals(again, REGISTRATIONS_PER_SECOND);
  }
});

Deno.test("Server answers a burst of questions from one source, and in total", () => {
  const stage = new Stage();
  const source = QUESTIONS_PER_SOURCE.burst;
  const tokens = new Map<number, Uint8Array>();
  for (let n = 0; n <= QUESTIONS_IN_TOTAL.burst / source; n++) {
    const [challenge] = stage.askAll([registerFrame(n)], elsewhere(n));
    assert(challenge?.kind === "challenge");
    const { cookie } = challenge;
    const [granted] = stage.askAll([registerFrame(n, { cookie })], elsewhere(n));
    assert(granted?.kind === "registered");
    tokens.set(n, granted.token);
  }
  let total = 0;
  for (const [n, token] of tokens) {
    const questions: Frame[] = [
      { kind: "lookUp", nonce: 1n, token, id: 1, name: "" },
      { kind: "list", nonce: 1n, token, after: 99 },
    ];
    let answered = 0;
    for (let i = 0; i < source + 10; i++) {
      answered += stage.askAll([questions[i % 2]!], elsewhere(n)).length;
    }
    assertEquals(answered, Math.min(source, QUESTIONS_IN_TOTAL.burst - total));
    total += answered;
    // A Lease Keepalive is not limited.
    const keepalive = { kind: "leaseKeepalive", nonce: 2n, token } as const;
    assertEquals(stage.ask(keepalive, elsewhere(n)).kind, "leaseKeepaliveAck");
  }
  assertEquals(total, QUESTIONS_IN_TOTAL.burst);
  stage.now += 1000;
  const token = tokens.get(0)!;
  let answered = 0;
  for (let i = 0; i < source; i++) {
    answered += stage.askAll([{ kind: "list", nonce: 1n, token, after: 99 }], elsewhere(0)).length;
  }
  assertEquals(answered, QUESTIONS_PER_SOURCE.perSecond);
});

Deno.test("Server answers a burst of strangers from one source, and in total", () => {
  const stage = new Stage();
  const { burst, perSecond } = STRANGERS_PER_SOURCE;
  assertEquals(challenges(stage, burst + 100, client), burst);
  assertEquals(stage.server.dropped, { strangers: 100 });
  stage.now += 1000;
  assertEquals(challenges(stage, burst, client), perSecond);

  const other = new Stage();
  assertEquals(
    challenges(other, STRANGERS_IN_TOTAL.burst + 100, elsewhere),
    STRANGERS_IN_TOTAL.burst,
  );
  assertEquals(other.server.dropped, { strangers: 100 });
});

Deno.test("Server goes on for its clients when it answers no more strangers", () => {
  const stage = new Stage();
  const { token } = stage.join(1, { name: "ana" });
  const frame = registerFrame(2);
  const challenge = stage.ask(frame, client(2));
  assert(challenge.kind === "challenge");
  challenges(stage, STRANGERS_IN_TOTAL.burst, elsewhere);
  assertEquals(stage.askAll([registerFrame(3)], client(3)), []);
  for (const kind of ["leaseKeepalive", "leave"] as const) {
    assertEquals(stage.askAll([{ kind, nonce: 1n, token: ZERO }], client(3)), []);
  }
  // A sender with a cookie or a token is no stranger.
  const { cookie } = challenge;
  assertEquals(stage.ask({ ...frame, cookie }, client(2)).kind, "registered");
  const lookUp = { kind: "lookUp", nonce: 1n, token, id: 2, name: "" } as const;
  assertEquals(stage.ask(lookUp, client(1)).kind, "found");
  assertEquals(stage.ask({ kind: "leave", nonce: 1n, token }, client(1)).kind, "leaveAck");
});

Deno.test("Server without source limits limits the total", () => {
  const stage = new Stage({ hasSourceLimits: false, maxClients: 2000 });
  assertEquals(registrations(stage, 2500, client), 2000);
  assertEquals(stage.server.dropped, { registrations: 500 });
  assertEquals(stage.server.buckets, 0);
});

Deno.test("registrationsPerMinute() is the most that is granted while a cookie is valid", () => {
  for (const maxClients of [1, 10_000, 1_000_000]) {
    const limits = new Limits(maxClients, false);
    let granted = 0;
    for (let now = 0; now < 2 * COOKIE_SLOT; now += 10) {
      while (limits.take(now, "registrations", client(1))) granted++;
    }
    assertLessOrEqual(granted, registrationsPerMinute(maxClients));
  }
});

Deno.test("renderTotals() counts what was above the limits", () => {
  assertEquals(
    renderTotals(1, { strangers: 10, registrations: 2, questions: 3, proof: 4, replay: 5 }),
    "Stopped · 1 client was active · " +
      "dropped 24: strangers 10, registrations 2, questions 3, proof 4, replay 5",
  );
});

/** Datagrams with one frame of each type, and with as many as fit, by name. */
function* everyFrame(sizeMax: number): Generator<[name: string, bytes: Uint8Array]> {
  const kinds = new Map(Object.entries(LAYOUTS).map(([kind, [type]]) => [type, kind]));
  for (let type = 0; type < 256; type++) {
    const sizes = kinds.has(type) ? 150 : scaled(150, 5);
    for (let size = 0; size < sizes; size++) {
      // For most kinds a body of zeros is valid in one size.
      const frame = Uint8Array.of(type, 0, size, ...new Uint8Array(size));
      for (const count of [1, 2, Math.floor((sizeMax - 16) / frame.length)]) {
        const bytes = new Uint8Array(16 + count * frame.length);
        bytes.set(requestBytes([]));
        for (let i = 0; i < count; i++) bytes.set(frame, 16 + i * frame.length);
        yield [kinds.get(type) ?? "unknown", bytes];
      }
    }
  }
}

/** Empty datagrams of every type, of this version and of another. */
function* everyDatagram(): Generator<[name: string, bytes: Uint8Array]> {
  for (const type of Object.values(DatagramType)) {
    const bytes = encodeDatagram({ type, connection: 1, packet: 2 }, []);
    yield [`datagram type ${type}`, bytes];
    yield ["another version", bytes.with(2, 2)];
  }
}

/** Sends all datagrams; returns by how much larger the answers were, if there were any. */
function factors(stage: Stage, prover?: Prover): Map<string, number> {
  const factors = new Map<string, number>();
  const sizeMax = DATAGRAM_SIZE_MAX - (prover === undefined ? 0 : PROOF_SIZE);
  for (const [name, bytes] of [...everyFrame(sizeMax), ...everyDatagram()]) {
    const sent = prover?.prove(bytes) ?? bytes;
    stage.now += 1000;
    const size = stage.deliver(sent, client(2)).reduce((sum, { length }) => sum + length, 0);
    if (size > 0) factors.set(name, Math.max(factors.get(name) ?? 0, size / sent.length));
    assertLessOrEqual(size, sent.length, name);
  }
  return factors;
}

Deno.test("Server answers no kind of frame, once or many times, with more bytes than it sent", () => {
  const secret = new Uint8Array(32);
  const open = factors(new Stage());
  const proven = factors(new Stage({ secret }), new Prover(secret));
  for (const found of [open, proven]) {
    console.log([...found].map(([name, factor]) => `${name} × ${factor.toFixed(2)}`).join(", "));
    const answered = ["register", "leaseKeepalive", "lookUp", "list", "leave", "another version"];
    assertEquals([...found.keys()], answered);
  }
  assertEquals(factors(new Stage({ secret })), new Map());
});
