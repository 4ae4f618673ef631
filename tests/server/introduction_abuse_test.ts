// What a stranger, or a client, could make a directory send to somebody who did not ask.
import { NAME_SIZE_MAX } from "../../protocol/name/name.ts";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { CALL_SIZE, CARRIED_SIZE_MAX, type Frame } from "../../protocol/wire/frame.ts";
import { CALLS_PER_SOURCE, MEETINGS_PER_CLIENT } from "../../server/limits.ts";
import { type Prng, seedFromEnv, withSeed } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { client, FakeClient, type Sent, Stage, ZERO } from "../support/server_stage.ts";

function bytesOf(sent: readonly Sent[]): number {
  return sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** An address of somebody who has nothing to do with the directory. */
const VICTIM: Address = { hostname: "198.51.100.7", port: 53 };

Deno.test("a flood of Calls at a victim brings it a few Meetings, and no more bytes than the Calls had", () => {
  const stage = new Stage({ lease: 3_600_000 });
  const victim = stage.join(1);
  const bots = Array.from({ length: 50 }, (_, n) => {
    return stage.join(2 + n, {}, { address: { hostname: `192.0.2.${n}`, port: 5000 } });
  });
  let [received, asked, seconds] = [0, 0, 0];
  for (; seconds < 20; seconds++, stage.now += 1000) {
    for (const bot of bots) {
      for (let i = 0; i < 5; i++) {
        const { others } = bot.call({ id: victim.id });
        asked += CALL_SIZE;
        received += others.length;
        for (const { to } of others) assertEquals(to, victim.address);
        assertLessOrEqual(bytesOf(others), CALL_SIZE);
      }
    }
  }
  const { burst, perSecond } = MEETINGS_PER_CLIENT;
  assertEquals(received, burst + (seconds - 1) * perSecond);
  assertLessOrEqual(received * CALL_SIZE, asked / 10);
  const { calls = 0, meetings = 0 } = stage.server.dropped;
  assertEquals(calls + meetings + received, bots.length * 5 * seconds);
  // It can call others itself meanwhile.
  assertEquals(victim.call({ id: 2 }).answer?.kind, "meeting");
});

Deno.test("a flood of Calls from one source uses up no other's", () => {
  const stage = new Stage();
  const [eve, ana] = [3, 1].map((n) => {
    return stage.join(n, {}, { address: { hostname: `192.0.2.${n}`, port: 5000 } });
  });
  stage.join(2);
  for (let i = 0; i < 1000; i++) eve!.call({ id: 2 });
  assertEquals(stage.server.dropped.calls, 1000 - CALLS_PER_SOURCE.burst);
  stage.now += 1000;
  assertEquals(ana!.call({ id: 2 }).answer?.kind, "meeting");
});

Deno.test("a Carry to a stranger comes to nothing, whatever number it has", () => {
  withSeed(seedFromEnv(), (prng) => {
    const stage = new Stage();
    const [eve, ana, bob] = [stage.join(1), stage.join(2), stage.join(3)];
    const { number } = ana.meet(bob).own;
    for (let i = 0; i < 2000; i++) {
      const guess = prng.pick([number, prng.u64(), number ^ (1n << BigInt(prng.int(64)))]);
      const to = prng.pick([ana.id, bob.id, eve.id, prng.u32()]);
      assertEquals(eve.carry(guess, to, prng.bytes(prng.int(CARRIED_SIZE_MAX))), []);
    }
    assertEquals(stage.server.dropped, { carry: 2000 });
  });
});

Deno.test("a relay used as a proxy sends to registered clients alone, and only what opens under their keys", () => {
  const stage = new Stage({ lease: 3_600_000 });
  const [eve, ally] = [stage.join(1), stage.join(2)];
  const { number } = eve.meet(ally).own;
  // Whatever is in it, it goes to the ally, sealed: never as it is, and to no address that it names.
  const query = new Uint8Array(60).fill(0x11);
  for (const datagram of [query, eve.firstBytes(), eve.callBytes({ id: 2 })]) {
    const [notice, ...more] = eve.carry(number, ally.id, datagram);
    assert(notice !== undefined);
    assertEquals([notice.to, more], [ally.address, []]);
    assertEquals(ally.openNotice(notice).frame, { kind: "carried", from: eve.id, datagram });
  }
  // An address becomes a target only by a cookie that came to it.
  const [challenge] = stage.give(eve.firstBytes(), VICTIM);
  assertEquals(challenge?.to, VICTIM);
  ally.begin();
  const stolen = new FakeClient(stage, 3, { address: VICTIM });
  const registered = stage.give(stolen.registerBytes(), VICTIM);
  assertLessOrEqual(bytesOf(registered), stolen.registerBytes().length);
  assertEquals(stage.server.table().size, 2);
  for (const { to } of eve.carry(number, ally.id, query)) assertEquals(to, ally.address);
});

/** Addresses that have shown a cookie, and what came from and went to each. */
class Ledger {
  readonly #proven = new Set<string>();
  readonly #balance = new Map<string, number>();
  in = 0;
  out = 0;

  prove(address: Address): void {
    this.#proven.add(formatAddress(address));
  }

  /** Counts a datagram and what it brought about; more must not go to a stranger than came from it. */
  count(size: number, from: Address, sent: readonly Sent[]): void {
    this.in += size;
    this.#add(from, size);
    for (const { bytes, to } of sent) {
      this.out += bytes.length;
      this.#add(to, -bytes.length);
      if (this.#proven.has(formatAddress(to))) continue;
      assertLessOrEqual(0, this.#balance.get(formatAddress(to))!, formatAddress(to));
    }
  }

  #add(address: Address, size: number): void {
    const key = formatAddress(address);
    this.#balance.set(key, (this.#balance.get(key) ?? 0) + size);
  }
}

/** Two clients with the longest names and an address of each family, which have met. */
function longest(stage: Stage): { ana: FakeClient; bob: FakeClient; number: bigint } {
  const [ana, bob] = ["𠮷", "𠮟"].map((character, n) => {
    const joined = stage.join(1 + n, { name: character.repeat(NAME_SIZE_MAX / 4) });
    joined.alsoAt(ipv6(n));
    return joined;
  });
  return { ana: ana!, bob: bob!, number: ana!.meet(bob!).own.number };
}

function ipv6(n: number): Address {
  return { hostname: `2001:db8:0:${1 + n}::1`, port: 5000 };
}

Deno.test("what a Call, a Carry and an Also At bring about is never larger than they are", () => {
  const stage = new Stage();
  const { ana, bob, number } = longest(stage);
  const names = ["", "x", "n".repeat(255)];
  const requests: [Uint8Array, Address][] = [];
  for (const name of names) {
    for (const size of [0, 100, CALL_SIZE - 1, CALL_SIZE, 1200]) {
      for (const id of [0, 2, 77]) requests.push([ana.callBytes({ id, name }, size), ana.address]);
    }
  }
  for (const size of [0, 1, 16, 500, CARRIED_SIZE_MAX]) {
    const carry: Frame = { kind: "carry", number, to: bob.id, datagram: new Uint8Array(size) };
    requests.push([ana.requestBytes(carry), ana.address]);
  }
  const alsoAt: Frame = { kind: "alsoAt", nonce: 1n, cookie: ZERO };
  for (const from of [ana.address, VICTIM, ipv6(9)]) {
    requests.push([ana.requestBytes(alsoAt), from]);
  }
  let answered = 0;
  for (const [bytes, from] of requests) {
    stage.now += 500;
    const sent = stage.give(bytes, from);
    answered += sent.length;
    assertLessOrEqual(bytesOf(sent), bytes.length);
  }
  const acknowledged = ana.alsoAt(ipv6(3));
  assertLessOrEqual(bytesOf(acknowledged), ana.requestBytes(alsoAt).length);
  assert(answered > 25);
});

Deno.test("amplification stays at or below 1 for everything, Calls and Meetings included", () => {
  withSeed(seedFromEnv(), (prng) => {
    const stage = new Stage({ lease: 3_600_000 });
    const ledger = new Ledger();
    const { ana, bob, number: first } = longest(stage);
    let number = first;
    const clients = [ana, bob, stage.join(3), stage.join(4, { name: "eve" })];
    for (const { address } of clients) ledger.prove(address);
    for (const n of [0, 1]) ledger.prove(ipv6(n));
    const recorded: Uint8Array[] = [];
    for (let i = 0; i < scaled(20_000, 4000); i++) {
      stage.now += prng.int(300);
      if (i % 100 === 0) {
        const { answer } = bob.call({ id: ana.id });
        if (answer?.kind === "meeting") number = answer.number;
      }
      const sender = prng.pick(clients);
      const bytes = prng.chance(0.3) && recorded.length > 0
        ? prng.pick(recorded)
        : anyDatagram(prng, sender, clients, number);
      // A forged source: of somebody who never asked, or of another client.
      const from = prng.chance(0.7) ? sender.address : prng.pick([VICTIM, ipv6(9), client(1)]);
      ledger.count(bytes.length, from, stage.give(bytes, from));
      recorded.push(bytes);
      if (recorded.length > 100) recorded.shift();
    }
    assert(stage.server.totals.introductions > 50 && stage.server.totals.carriedBytes > 10_000);
    assertLessOrEqual(ledger.out, ledger.in);
  });
});

/** A datagram of any kind but a Register with a cookie, and questions: those are answered to the asker alone. */
function anyDatagram(
  prng: Prng,
  sender: FakeClient,
  clients: readonly FakeClient[],
  number: bigint,
): Uint8Array {
  const to = prng.pick(clients).id;
  switch (prng.int(6)) {
    case 0:
      return sender.callBytes({ id: to }, prng.pick([0, 200, CALL_SIZE, CALL_SIZE, 1200]));
    case 1: {
      const datagram = prng.bytes(prng.int(CARRIED_SIZE_MAX + 2));
      return sender.requestBytes({ kind: "carry", number, to, datagram });
    }
    case 2:
      return sender.requestBytes({ kind: "alsoAt", nonce: prng.u64(), cookie: prng.bytes(16) });
    case 3:
      return sender.firstBytes();
    case 4:
      return sender.firstBytes().with(2, 9);
    default:
      return sender.rawRequest(prng.bytes(prng.int(300)));
  }
}
