// Datagrams that were recorded, and come again: at once, and after every change of the table.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { COOKIE_SLOT } from "../../protocol/directory/timed_mac.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../../protocol/wire/endpoint_bytes.ts";
import { DEPARTED_MAX, DepartedClients } from "../../server/departed.ts";
import { Entries } from "../../server/table/entries.ts";
import { RegisterReplayFilter } from "../../server/table/register_replay.ts";
import { Prng, seedFromEnv, withSeed } from "../support/random.ts";
import {
  assertNoEffect,
  client,
  FakeClient,
  LEASE,
  type Outcome,
  REQUESTS,
  Stage,
  ZERO,
} from "../support/server_stage.ts";
import { ownTimeout } from "../support/new_server.ts";

/** A client, and all that it ever sent: a first Register, a sealed one, Requests, and a Leave. */
class RecordedClient {
  readonly stage: Stage;
  readonly ana: FakeClient;
  readonly first: Uint8Array;
  readonly register: Uint8Array;
  readonly requests: readonly Uint8Array[];
  readonly leave: Uint8Array;

  constructor(stage = new Stage()) {
    this.stage = stage;
    this.ana = new FakeClient(stage, 1);
    this.first = this.ana.firstBytes();
    this.ana.begin();
    this.register = this.ana.registerBytes({ name: "ana" });
    assertEquals(this.ana.send(this.register)?.kind, "registered");
    this.requests = REQUESTS.map((frame) => this.ana.requestBytes(frame));
    for (const bytes of this.requests) assert(this.ana.send(bytes) !== undefined);
    this.leave = this.ana.requestBytes({ kind: "leave" });
    stage.takeEvents();
  }

  /**
   * Sends all of it again from the client's address, and the sealed part from another one; checks
   * that no entry changes, and that nothing sealed comes back.
   */
  assertReplaysInVain(): void {
    const { stage, ana } = this;
    const before = this.#table();
    const deadline = ownTimeout(stage.server);
    stage.takeEvents();
    const all = [this.first, this.register, ...this.requests, this.leave];
    for (const address of [ana.address, client(77)]) {
      for (const bytes of all) {
        for (const answer of stage.deliver(bytes, address)) {
          assertEquals(["challenge", "unknown"].includes(kindOf(answer)), true, kindOf(answer));
          assert(answer.length <= bytes.length);
        }
      }
    }
    assertEquals(stage.takeEvents(), []);
    assertEquals(this.#table(), before);
    assertEquals(ownTimeout(stage.server), deadline);
  }

  #table(): unknown[] {
    return [...this.stage.server.table().clients];
  }
}

function kindOf(answer: Uint8Array): string {
  return { 2: "challenge", 4: "answer", 254: "unknown" }[answer[3]!] ?? `type ${answer[3]}`;
}

Deno.test("replay: nothing that a client sent has an effect again while it is registered", () => {
  const { stage, ana, ...recorded } = new RecordedClient();
  stage.now += 10_000;
  for (const bytes of [recorded.register, ...recorded.requests]) {
    assertNoEffect(stage, () => ana.send(bytes));
  }
  assertEquals(stage.server.dropped, { replay: 1 + REQUESTS.length });
  // Nor does it renew the lease.
  stage.now += LEASE - 10_000;
  stage.server.handleTimeout(stage.now);
  assertEquals(stage.takeEvents(), ["expired 1 40001", "table"]);
});

const CHANGES: Record<string, (recorded: RecordedClient) => void> = {
  "it left": ({ ana, leave }) => assertEquals(ana.send(leave)?.kind, "leaveAck"),
  "its lease ended": ({ stage }) => {
    stage.now += LEASE;
    stage.server.handleTimeout(stage.now);
  },
  "it registered again": ({ ana }) => {
    assertEquals(ana.register({ name: "anna" }).kind, "registered");
  },
  "it moved": ({ ana }) => {
    const { address } = ana;
    ana.address = client(9);
    assertEquals(ana.register({ name: "ana" }).kind, "registered");
    ana.address = address;
  },
  "another run took its place": ({ stage }) => {
    stage.join(1, { name: "ana" });
  },
  "another client came to its address": ({ stage }) => {
    const eve = new FakeClient(stage, 66, { address: client(1) });
    assertEquals(eve.register({ name: "eve" }).kind, "registered");
  },
  "it left, and another client has its id": (recorded) => {
    assertEquals(recorded.ana.send(recorded.leave)?.kind, "leaveAck");
    assertEquals(recorded.stage.join(2).id, 1);
  },
};

for (const [what, change] of Object.entries(CHANGES)) {
  Deno.test(`replay: nothing that a client sent has an effect after ${what}`, () => {
    const recorded = new RecordedClient();
    change(recorded);
    for (let age = 0; age <= 2 * COOKIE_SLOT; age += 7000) {
      recorded.assertReplaysInVain();
      recorded.stage.now += 7000;
      recorded.stage.server.handleTimeout(recorded.stage.now);
    }
  });
}

Deno.test("replay: a Register that was granted is remembered for as long as its cookie is good", () => {
  const { stage, ana, register, leave } = new RecordedClient();
  assertEquals(ana.send(leave)?.kind, "leaveAck");
  let replays = 0;
  for (; replays * 1000 < COOKIE_SLOT; replays++) {
    assertNoEffect(stage, () => ana.send(register));
    stage.now += 1000;
  }
  assertEquals(stage.server.dropped, { replay: replays });
  stage.now += COOKIE_SLOT;
  assertEquals(ana.send(register)?.kind, "challenge");
});

Deno.test("replay: a Register from another address is challenged there, which does not help", () => {
  const { stage, register } = new RecordedClient();
  const eve = new FakeClient(stage, 66);
  const challenge = eve.send(register);
  assert(challenge?.kind === "challenge");
  // The cookie is a part of what the key is made from.
  const spliced = register.slice();
  spliced.set(challenge.cookie, 16 + 3 + 8);
  assertNoEffect(stage, () => eve.send(spliced));
  assertEquals(stage.server.dropped, { forged: 1 });
});

Deno.test("packet counters count once in each session, or the request is dropped", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  const at = (packet: number): Outcome | undefined => {
    ana.packet = packet;
    return ana.send(ana.requestBytes({ kind: "leaseKeepalive" }));
  };
  assertEquals(at(5)?.kind, "leaseKeepaliveAck");
  assertEquals(at(4)?.kind, "leaseKeepaliveAck", "overtaken");
  for (const packet of [0, 4, 5]) assertNoEffect(stage, () => at(packet));
  assertEquals(at(6)?.kind, "leaseKeepaliveAck");
  assertEquals(at(2 ** 53 - 1)?.kind, "leaseKeepaliveAck");
  assertNoEffect(stage, () => at(7));
  // Registering again is what is left; so is repeating the Register, which counts in the same way.
  ana.packet = 8;
  assertNoEffect(stage, () => ana.send(ana.registerBytes()));
  assertEquals(stage.server.dropped, { replay: 5 });
  assertEquals(ana.register().kind, "registered");
  assertEquals(ana.packet, 1);
  assertEquals(at(1)?.kind, "leaseKeepaliveAck");
});

Deno.test("packet counters: no answer is sealed twice under one, whatever comes in which order", () => {
  withSeed(seedFromEnv(), (prng) => {
    const stage = new Stage();
    const [ana, bob] = [stage.join(1, { name: "ana" }), stage.join(2, { name: "bob" })];
    const seen = new Set<string>();
    let sessions = 0;
    for (let turn = 0; turn < 2000; turn++) {
      const asking = prng.pick([ana, bob]);
      stage.now += 300;
      if (prng.chance(0.02)) {
        asking.begin();
        sessions++;
      }
      if (prng.chance(0.5)) asking.packet = prng.int(asking.packet + 3);
      const bytes = prng.chance(0.1)
        ? asking.registerBytes()
        : asking.requestBytes(prng.pick(REQUESTS));
      for (const answer of stage.deliver(bytes, asking.address)) {
        if (kindOf(answer) !== "answer") continue;
        const nonce = answer.subarray(4, 16).join();
        assert(!seen.has(nonce), `the nonce ${nonce} was used before`);
        seen.add(nonce);
      }
    }
    assert(seen.size > 100 && sessions > 10);
  });
});

Deno.test("Leave: its ack is repeated for a new packet only, and for the session that left only", () => {
  const { stage, ana, leave, requests } = new RecordedClient();
  assertEquals(ana.send(leave)?.kind, "leaveAck");
  stage.takeEvents();
  assertNoEffect(stage, () => ana.send(leave));
  const again = ana.requestBytes({ kind: "leave" });
  assertEquals(ana.send(again)?.kind, "leaveAck");
  assertNoEffect(stage, () => ana.send(again));
  assertEquals(ana.send(requests[0]!)?.kind, "unknown");
  assertEquals(ana.ask({ kind: "leaseKeepalive" }).kind, "unknown");
  const { address } = ana;
  ana.address = client(5);
  assertEquals(ana.ask({ kind: "leave" }).kind, "unknown");
  ana.address = address;
  assertEquals(ana.ask({ kind: "leave" }).kind, "leaveAck");
  assertEquals([stage.takeEvents(), stage.server.table().size], [[], 0]);
  // Whoever takes the place in the table.
  assertEquals(stage.join(2).id, 1);
  assertEquals(ana.ask({ kind: "leave" }).kind, "leaveAck");
});

Deno.test("DepartedClients remembers those that left last, one for each address", () => {
  const departed = new DepartedClients();
  const entries = new Entries(1);
  const slot = entries.add(1, ZERO.subarray(4), new Uint8Array(32), 0, 0);
  const endpoint = new Uint8Array(ENDPOINT_SIZE);
  const leave = (n: number, session: number): void => {
    writeEndpoint(endpoint, client(n));
    entries.setSession(slot, endpoint, new Uint8Array(32).fill(n), session);
    departed.add(entries, slot);
  };
  const find = (n: number): number | undefined => {
    writeEndpoint(endpoint, client(n));
    return departed.find(endpoint, 1)?.session;
  };
  for (let n = 0; n < DEPARTED_MAX; n++) leave(n, n);
  leave(0, 70_000);
  assertEquals([find(0), find(1)], [70_000, 1]);
  leave(DEPARTED_MAX, 80_000);
  assertEquals([find(0), find(1), find(2), find(DEPARTED_MAX)], [70_000, undefined, 2, 80_000]);
  assertEquals(departed.find(endpoint, 2), undefined);
});

Deno.test("RegisterReplayFilter remembers the latest, and no more than its bound", () => {
  const max = 1010;
  const filter = new RegisterReplayFilter(max);
  const keys = Array.from({ length: 3 * max }, new Prng(1).bytes.bind(undefined, 32));
  for (const key of keys) {
    filter.add(key);
    assert(filter.size <= 2 * max);
  }
  for (const key of keys.slice(-max)) assert(filter.has(key));
  assert(!filter.has(keys[0]!));
  const last = keys.at(-1)!;
  assert(filter.has(last.slice()));
  for (const at of [0, 3, 4, 7]) assert(!filter.has(last.with(at, last[at]! ^ 1)), `byte ${at}`);
  assertNotEquals(filter.size, 0);
});
