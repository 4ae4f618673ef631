// A client and a directory, with every datagram between them lost, repeated or recorded in turn.
import { assert, assertEquals } from "@std/assert";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { Registration } from "../../../protocol/directory/registration.ts";
import { TIMER_POLICIES, type TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import type { Server } from "../../../server/server.ts";
import { newServer } from "../../support/new_server.ts";
import { DIRECTORY, SEEN_AT } from "../../support/fake_directory.ts";
import { decrypt } from "../../support/plaintext_log.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";

/** What happens to a datagram: how often it arrives. */
type Fate = (index: number) => number;

/** A client, its directory, and what was sent between them. */
class Pair {
  now = 1000;
  readonly server: Server;
  readonly registration: Registration;
  /** The kinds of the client's events. */
  readonly told: string[] = [];
  /** All datagrams to the directory. */
  readonly recorded: Uint8Array[] = [];
  readonly #fate: Fate;
  #sent = 0;
  /** The packet counters that were used, with their keys. */
  readonly #used = new Set<string>();

  constructor(seed: number, fate: Fate = () => 1, timers: TimerMode = "adaptive") {
    const random = new Prng(seed).bytes;
    this.#fate = fate;
    const identity = makeKeyPair(random);
    this.server = newServer({ maxClients: 10, lease: 45_000, identity, random });
    this.registration = new Registration(this.now, {
      directoryAddresses: [DIRECTORY],
      id: 0,
      name: "ana",
      port: 4000,
      identity: makeKeyPair(random),
      policy: TIMER_POLICIES[timers],
      random,
    });
  }

  /** How many datagrams were sent, in both directions. */
  get sent(): number {
    return this.#sent;
  }

  /** The ids and names in the table. */
  get table(): string[] {
    return [...this.server.table().clients].map(({ id, name }) => `${id} ${name}`);
  }

  /** Lets time pass in steps of 50 ms. */
  wait(ms: number): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 50;
      this.registration.handleTimeout(this.now);
      this.server.handleTimeout(this.now);
      this.settle();
    }
  }

  /** Exchanges datagrams until both are idle. */
  settle(): void {
    for (;;) {
      const request = this.registration.pollTransmit(this.now);
      if (request === undefined) break;
      const bytes = request.bytes.slice();
      this.recorded.push(bytes);
      this.#send(bytes, (copy) => this.server.handleDatagram(this.now, copy, SEEN_AT));
      this.answers();
    }
    for (let event = this.registration.pollEvent(); event; event = this.registration.pollEvent()) {
      this.told.push(event.kind);
    }
  }

  /** Gives the client what the directory answers; returns how much that was. */
  answers(): number {
    let count = 0;
    for (let next = this.server.pollTransmit(); next; next = this.server.pollTransmit()) {
      count++;
      this.#send(next.bytes.slice(), (copy) => {
        const decoded = decodeDatagram(copy);
        assert(decoded.ok);
        this.registration.handleDatagram(this.now, decoded.value, DIRECTORY);
      });
    }
    return count;
  }

  #send(bytes: Uint8Array, deliver: (copy: Uint8Array) => void): void {
    const plain = decrypt(bytes);
    assert(plain.ok);
    if (plain.key !== undefined) {
      const name = `${plain.header.packet} ${plain.key}`;
      assert(!this.#used.has(name), `a packet counter is used twice: ${name}`);
      this.#used.add(name);
    }
    for (let left = this.#fate(this.#sent++); left > 0; left--) deliver(bytes.slice());
  }
}

/** Registers, keeps the lease, asks, and leaves. */
function live(pair: Pair): void {
  pair.wait(30_000);
  pair.registration.lookUp(pair.now, { kind: "lookUp", id: 1, name: "" });
  pair.registration.list(pair.now);
  pair.wait(25_000);
  pair.registration.leave(pair.now);
  pair.wait(15_000);
}

const LIFE = ["registered", "found", "list", "left"];

Deno.test("a client registers, asks and leaves whichever of its datagrams is lost, and the next ones, or doubled", () => {
  const whole = new Pair(1);
  live(whole);
  assertEquals(whole.told, LIFE);
  assert(whole.sent > 10, `${whole.sent}`);
  for (let at = 0; at < whole.sent; at++) {
    const fates: Fate[] = [
      (index) => index === at ? 0 : 1,
      (index) => index === at || index === at + 1 ? 0 : 1,
      (index) => index >= at && index < at + 4 ? 0 : 1,
      (index) => index === at ? 2 : 1,
    ];
    for (const fate of fates) {
      const pair = new Pair(1, fate);
      live(pair);
      const told = pair.told.filter((kind) => kind !== "lost" && kind !== "back");
      // Which question is answered first depends on what was lost.
      assertEquals(told.toSorted(), LIFE.toSorted(), `datagram ${at}`);
      assertEquals([told[0], told.at(-1)], [LIFE[0], LIFE.at(-1)]);
      assertEquals(pair.table, []);
    }
  }
});

Deno.test("a client with fixed timers registers whichever of its datagrams is lost", () => {
  for (let at = 0; at < 6; at++) {
    const pair = new Pair(1, (index) => index === at ? 0 : 1, "fixed");
    pair.wait(29_000);
    assertEquals(pair.told.filter((kind) => kind === "registered"), ["registered"]);
  }
});

Deno.test("a client stays registered at 40% loss, and no packet counter is used twice", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let left = 20; left > 0; left--) {
      const pair = new Pair(prng.u32(), () => prng.chance(0.6) ? prng.chance(0.2) ? 2 : 1 : 0);
      pair.wait(120_000);
      const registered = pair.told.filter((kind) => kind === "registered").length;
      // Now and then not even the first registration succeeds within its 30 s.
      if (pair.told.includes("timeout")) continue;
      assertEquals(registered, 1, pair.told.join());
      assertEquals(pair.registration.id, 1);
    }
  });
});

Deno.test("a client that registers again keeps its id, by its token, from any address", () => {
  const pair = new Pair(1);
  pair.wait(1000);
  assertEquals(pair.table, ["1 ana"]);
  // Its mapping changed: requests from another address are answered by Unknown.
  const { handleDatagram } = pair.server;
  const moved = { hostname: "198.51.100.99", port: 9 };
  pair.server.handleDatagram = (now, bytes) => handleDatagram.call(pair.server, now, bytes, moved);
  pair.wait(20_000);
  assertEquals([pair.table, pair.registration.id], [["1 ana"], 1]);
  assertEquals(pair.told, ["registered"]);
});

Deno.test("a directory that started again without its table has its client again, under its id", () => {
  const pair = new Pair(1);
  pair.wait(1000);
  const random = new Prng(1).bytes;
  // The same key, as it is kept in a file.
  const identity = makeKeyPair(random);
  random(7);
  const restarted = newServer({ maxClients: 10, lease: 45_000, identity, random });
  Object.assign(pair, { server: restarted });
  pair.wait(20_000);
  // The entry has another token.
  assertEquals([pair.table, pair.told], [["1 ana"], ["registered", "entry"]]);
});

Deno.test("nothing that was recorded has any effect on the table when it is sent again", () => {
  const pair = new Pair(1);
  const replay = (): void => {
    const before = pair.table;
    const lookUps = pair.server.lookUps;
    const { address } = [...pair.server.table().clients][0] ?? {};
    for (const bytes of pair.recorded) {
      for (const from of [SEEN_AT, { hostname: "192.0.2.66", port: 666 }]) {
        pair.server.handleDatagram(pair.now, bytes.slice(), from);
        for (let next = pair.server.pollTransmit(); next; next = pair.server.pollTransmit()) {
          // At most a Challenge, or an Unknown: nothing that is sealed.
          assert(next.bytes.length <= bytes.length);
          const plain = decrypt(next.bytes.slice());
          assert(plain.ok && plain.key === undefined);
        }
      }
    }
    assertEquals([pair.table, pair.server.lookUps], [before, lookUps]);
    assertEquals([...pair.server.table().clients][0]?.address, address);
  };
  pair.settle();
  replay();
  pair.registration.lookUp(pair.now, { kind: "lookUp", id: 1, name: "" });
  pair.wait(20_000);
  replay();
  pair.registration.leave(pair.now);
  pair.settle();
  assertEquals(pair.table, []);
  replay();
  pair.wait(200_000);
  replay();
});
