import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { COOKIE_SLOT } from "../../protocol/directory/timed_mac.ts";
import { DirectorySecret } from "../../protocol/directory/registration_key.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { LAYOUTS } from "../../protocol/wire/layout.ts";
import {
  Limits,
  QUESTIONS_IN_TOTAL,
  QUESTIONS_PER_SOURCE,
  RATES,
  REGISTRATIONS_BURST_MIN,
  REGISTRATIONS_PER_SECOND,
  REGISTRATIONS_PER_SOURCE,
  registrationsPerMinute,
  STRANGERS_EXCESS,
  STRANGERS_IN_TOTAL,
  STRANGERS_PER_SOURCE,
} from "../../server/limits.ts";
import { Prng } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { client, CountingIdentity, FakeClient, Stage } from "../support/server_stage.ts";

/** The address of client `n` on another machine than all others. */
function elsewhere(n: number): Address {
  return { hostname: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, port: 5000 };
}

/** Sends first Registers at one instant; returns how many were answered. */
function challenges(stage: Stage, count: number, from: (n: number) => Address): number {
  const first = new FakeClient(stage, 1).firstBytes();
  let answered = 0;
  for (let n = 0; n < count; n++) answered += stage.deliver(first, from(n)).length;
  return answered;
}

/** Registers from `count` ports or machines; returns how many were granted or refused. */
function registrations(stage: Stage, count: number, from: (n: number) => Address): number {
  let answered = 0;
  for (let n = 0; n < count; n++) {
    // Slowly enough for the limit of strangers.
    if (n % 100 === 0) stage.now += 0.001;
    const each = new FakeClient(stage, n, { address: from(n) });
    each.begin();
    if (each.send(each.registerBytes()) !== undefined) answered++;
  }
  return answered;
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
  const ana = stage.join(1);
  registrations(stage, REGISTRATIONS_PER_SOURCE.burst + 9, (n) => client(100 + n));
  const dropped = stage.server.dropped.registrations!;
  const again = new FakeClient(stage, 1);
  again.begin();
  assertEquals(again.send(again.registerBytes()), undefined);
  const moved = new FakeClient(stage, 1, { address: client(2) });
  moved.begin();
  assertEquals(moved.send(moved.registerBytes({ token: ana.token })), undefined);
  assertEquals(ana.askToRegister().kind, "registered");
  ana.begin();
  assertEquals(ana.send(ana.registerBytes({ name: "ana" })), undefined);
  assertEquals(stage.server.dropped.registrations, dropped + 3);
});

Deno.test("Server computes no X25519 for a Register above the limit, nor for a repeat or a replay of one", () => {
  const identity = new CountingIdentity();
  const stage = new Stage({ identity });
  const { burst } = REGISTRATIONS_PER_SOURCE;
  const joined = stage.join(0);
  const forged = new FakeClient(stage, 1);
  forged.begin();
  // With a good cookie, but nothing in them opens.
  for (let n = 0; n < 2 * burst; n++) {
    const bytes = forged.registerBytes();
    assertEquals(forged.send(bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1)), undefined);
  }
  assertEquals(identity.count, burst);
  assertEquals(stage.server.dropped, { forged: burst - 1, registrations: burst + 1 });
  const repeat = joined.registerBytes();
  assertEquals(joined.send(repeat)?.kind, "registered");
  assertEquals(joined.send(repeat), undefined);
  assertEquals(identity.count, burst);
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
  const all = Array.from({ length: 1 + QUESTIONS_IN_TOTAL.burst / source }, (_, n) => {
    const each = new FakeClient(stage, n, { address: elsewhere(n) });
    assertEquals(each.register().kind, "registered");
    return each;
  });
  const questions: readonly Frame[] = [
    { kind: "lookUp", id: 1, name: "" },
    { kind: "list", after: 99 },
  ];
  const ask = (each: FakeClient, count: number): number => {
    let answered = 0;
    for (let i = 0; i < count; i++) {
      if (each.send(each.requestBytes(questions[i % 2]!)) !== undefined) answered++;
    }
    return answered;
  };
  let total = 0;
  for (const each of all) {
    const answered = ask(each, source + 10);
    assertEquals(answered, Math.min(source, QUESTIONS_IN_TOTAL.burst - total));
    total += answered;
    // A Lease Keepalive is not limited.
    assertEquals(each.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
  }
  assertEquals(total, QUESTIONS_IN_TOTAL.burst);
  stage.now += 1000;
  assertEquals(ask(all[0]!, source), QUESTIONS_PER_SOURCE.perSecond);
});

Deno.test("Server answers a burst of strangers from one source, and in total", () => {
  const stage = new Stage();
  const burst = STRANGERS_PER_SOURCE.burst + STRANGERS_EXCESS.burst;
  assertEquals(challenges(stage, burst + 100, client), burst);
  assertEquals(stage.server.dropped, { strangers: 100 });
  stage.now += 100;
  const perSecond = STRANGERS_PER_SOURCE.perSecond + STRANGERS_EXCESS.perSecond;
  assertEquals(challenges(stage, burst, client), perSecond / 10);

  const other = new Stage();
  const total = STRANGERS_IN_TOTAL.burst;
  assertEquals(challenges(other, total + 100, elsewhere), total);
  assertEquals(other.server.dropped, { strangers: 100 });
});

/** Milliseconds of a flood before the first newcomer. */
const FLOOD_MS = scaled(3000, 150);

Deno.test("Server registers a newcomer at once under a flood in its name, and others", () => {
  const stage = new Stage();
  const prng = new Prng(3);
  const newcomers = [0, 1, 2, 3, 4].map((n) => new FakeClient(stage, n, { address: elsewhere(n) }));
  const flood = (): void => {
    stage.now++;
    // 20,000 a second in the name of the first, with cookies or without.
    for (let i = 0; i < 20; i++) {
      const forged = newcomers[0]!.registerBytes();
      const first = newcomers[0]!.firstBytes();
      for (let at = 16 + 3; at < 16 + 3 + 8; at++) forged[at] = first[at] = prng.int(256);
      stage.deliver(prng.chance(0.5) ? forged : first, elsewhere(0));
    }
  };
  for (let ms = 0; ms < FLOOD_MS; ms++) flood();
  for (const each of newcomers) {
    const challenge = each.begin();
    assertEquals(challenge.kind, "challenge");
    for (let ms = 0; ms < FLOOD_MS / 3; ms++) flood();
    assertEquals(each.askToRegister().kind, "registered");
  }
});

Deno.test("Server goes on for its clients when it answers no more strangers", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  const bob = new FakeClient(stage, 2);
  bob.begin();
  challenges(stage, STRANGERS_IN_TOTAL.burst, elsewhere);
  const eve = new FakeClient(stage, 3);
  assertEquals(eve.send(eve.firstBytes()), undefined);
  assertEquals(eve.send(eve.requestBytes({ kind: "leave" })), undefined);
  const version = encodeDatagram({ type: DatagramType.Request, session: 0, packet: 0 }, []);
  assertEquals(eve.send(version.with(2, 9)), undefined);
  // A sender with a cookie, or with a session, is no stranger.
  assertEquals(bob.askToRegister().kind, "registered");
  assertEquals(ana.ask({ kind: "lookUp", id: 2, name: "" }).kind, "found");
  assertEquals(ana.ask({ kind: "leave" }).kind, "leaveAck");
});

Deno.test("Server without source limits limits the total", () => {
  const stage = new Stage({ hasSourceLimits: false, maxClients: 1200 });
  assertEquals(registrations(stage, 1500, client), 1200);
  assertEquals(stage.server.dropped, { registrations: 300 });
  assertEquals(stage.server.buckets, 0);
});

Deno.test("registrationsPerMinute() is the most that is granted while a cookie is valid", () => {
  for (const maxClients of [1, 10_000, 1_000_000]) {
    const limits = new Limits({ maxClients, hasSourceLimits: false });
    let granted = 0;
    for (let now = 0; now < 2 * COOKIE_SLOT; now += 10) {
      while (limits.take(now, "registrations", client(1))) granted++;
    }
    assertLessOrEqual(granted, registrationsPerMinute(maxClients));
  }
});

/** Datagrams of every type, of this version and of another, with nothing, Credentials, or one frame. */
function* everyDatagram(): Generator<[name: string, bytes: Uint8Array]> {
  const frames = new Map<number, string>();
  for (const [kind, [type]] of Object.entries(LAYOUTS)) frames.set(type, kind);
  for (const [name, type] of Object.entries(DatagramType)) {
    const bare = encodeDatagram({ type, session: 1, packet: 2 }, []);
    yield [name, bare];
    yield [`${name} of another version`, bare.with(2, 2)];
    for (const [type, kind] of frames) {
      for (let size = 0; size < scaled(300, 76); size++) {
        // For most kinds a body of zeros is valid in one size.
        const bytes = new Uint8Array(bare.length + 3 + size);
        bytes.set(bare);
        bytes.set([type, size >> 8, size], bare.length);
        yield [`${name} with ${kind}`, bytes];
      }
    }
    for (const size of [15, 16, 17, 72, 75, 76, 91, 272, DATAGRAM_SIZE_MAX - 16]) {
      yield [`${name} with noise`, Uint8Array.of(...bare, ...new Prng(size).bytes(size))];
    }
  }
}

/** Sends all datagrams; returns by how much larger the answers were, where there were any. */
function factors(stage: Stage, secret?: DirectorySecret): Map<string, number> {
  const factors = new Map<string, number>();
  for (const [name, bytes] of everyDatagram()) {
    if (bytes[3] === DatagramType.Register && bytes.length >= 91) secret?.sign(bytes);
    stage.now += 1000;
    const size = stage.deliver(bytes, client(2)).reduce((sum, { length }) => sum + length, 0);
    if (size > 0) factors.set(name, Math.max(factors.get(name) ?? 0, size / bytes.length));
    assertLessOrEqual(size, bytes.length, name);
  }
  return factors;
}

Deno.test("Server answers no kind of datagram of a stranger with more bytes than it has", () => {
  const answered = factors(new Stage());
  const expected = ["Register with credentials"];
  for (const name of Object.keys(DatagramType)) {
    if (name !== "Version") expected.push(`${name} of another version`);
  }
  const requests = [...answered.keys()].filter((name) => name.startsWith("Request"));
  for (const name of requests) {
    if (!expected.includes(name)) expected.push(name);
  }
  assert(requests.length > Object.keys(LAYOUTS).length);
  assertEquals([...answered.keys()].sort(), expected.sort());
});

Deno.test("a private Server answers nothing but a Register that is signed, with no more bytes than it has", () => {
  const secret = new Prng(1).bytes(32);
  assertEquals([...factors(new Stage({ secret }), new DirectorySecret(secret)).keys()], [
    "Register with credentials",
  ]);
  assertEquals(factors(new Stage({ secret })), new Map());
});

Deno.test("Server takes other limits while it runs, for each source anew", () => {
  const stage = new Stage();
  const { burst } = REGISTRATIONS_PER_SOURCE;
  assertEquals(registrations(stage, burst + 1, client), burst);
  stage.server.changeRates({ ...RATES, registrationsPerSource: { perSecond: 1, burst: 3 } });
  assertEquals(registrations(stage, 10, (n) => client(1000 + n)), 3);
  stage.now += 2000;
  assertEquals(registrations(stage, 10, (n) => client(2000 + n)), 2);
});
