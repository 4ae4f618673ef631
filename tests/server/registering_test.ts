// The rows of the table in "Registering" of protocol/README.md, and what stands around it.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { COOKIE_SLOT } from "../../protocol/directory/timed_mac.ts";
import { RefusalReason, type Register } from "../../protocol/wire/frame.ts";
import { Prng } from "../support/random.ts";
import {
  assertNoEffect,
  client,
  CountingIdentity,
  decoded,
  FakeClient,
  type FakeClientFields,
  identityOf,
  LEASE,
  publicKeyOf,
  Stage,
} from "../support/server_stage.ts";

/** Registers; returns the reason of a refusal, or the kind of any other answer. */
function outcome(registering: FakeClient, fields: Partial<Register> = {}): number | string {
  const answer = registering.register(fields);
  return answer.kind === "refused" ? answer.reason : answer.kind;
}

/** Where a client is, and its key. */
function find(asking: FakeClient, name: string): unknown[] {
  const found = asking.ask({ kind: "lookUp", id: 0, name });
  return found.kind === "found" ? [found.id, found.address.port, found.publicKey] : [found.kind];
}

Deno.test("Challenge: it has the directory's key, and as many bytes as the Register without a cookie", () => {
  const stage = new Stage();
  const ana = new FakeClient(stage, 1);
  const first = ana.firstBytes();
  const [answer] = stage.deliver(first, client(1));
  assertEquals([first.length, answer!.length], [91, 91]);
  const [challenge] = decoded(answer!).frames;
  assert(challenge?.kind === "challenge");
  assertEquals(challenge.publicKey, publicKeyOf(-1));
  assertEquals(challenge.mac, new Uint8Array(16));
  assertEquals([stage.server.table().size, stage.takeEvents()], [0, []]);
});

Deno.test("cookie: another address, nonce or directory gets a new Challenge, and no key is computed", () => {
  const identity = new CountingIdentity();
  const stage = new Stage({ identity });
  const ana = new FakeClient(stage, 1);
  ana.begin();
  const bytes = ana.registerBytes();
  const cookieAt = 16 + 3 + 8;
  const altered = (at: number): Uint8Array => bytes.with(at, bytes[at]! ^ 1);
  const challenged: [bytes: Uint8Array, from: FakeClientFields["address"]][] = [
    [bytes, client(2)],
    [bytes, { ...client(1), hostname: "127.0.0.2" }],
    [altered(16 + 3), client(1)],
    [altered(cookieAt), client(1)],
    [altered(cookieAt + 15), client(1)],
  ];
  for (const [sent, from] of challenged) {
    const [answer] = stage.deliver(sent, from!);
    assertEquals(decoded(answer!).frames[0]?.kind, "challenge");
  }
  const other = new Stage({ random: new Prng(2).bytes });
  assertEquals(decoded(other.deliver(bytes, client(1))[0]!).frames[0]?.kind, "challenge");
  assertEquals([identity.count, stage.server.table().size], [0, 0]);
  assertEquals(ana.send(bytes)?.kind, "registered");
  assertEquals(identity.count, 1);
});

Deno.test("cookie: it is good in its time slot and the next only", () => {
  for (const [later, kind] of [[1, "registered"], [2, "challenge"]] as const) {
    for (const sentAt of [0, COOKIE_SLOT - 1]) {
      const stage = new Stage();
      stage.now = 100 * COOKIE_SLOT + sentAt;
      const ana = new FakeClient(stage, 1);
      ana.begin();
      stage.now = (100 + later) * COOKIE_SLOT + (later === 1 ? COOKIE_SLOT - 1 : 0);
      assertEquals(ana.askToRegister().kind, kind);
    }
  }
});

Deno.test("a Register that does not open is not answered, and is counted", () => {
  const stage = new Stage();
  const [ana, eve] = [new FakeClient(stage, 1), new FakeClient(stage, 2, { address: client(1) })];
  ana.begin();
  const good = ana.registerBytes();
  assertNoEffect(stage, () => ana.send(good.with(good.length - 1, good.at(-1)! ^ 1)));
  assertNoEffect(stage, () => ana.send(good.with(100, good[100]! ^ 1)));
  // The packet counter is a part of the nonce; the public key, of what the key is made from.
  assertNoEffect(stage, () => ana.send(good.with(15, 1)));
  assertNoEffect(stage, () => ana.send(good.with(60, good[60]! ^ 1)));
  eve.begin();
  assertNoEffect(stage, () => eve.send(eve.registerBytes({}, publicKeyOf(1))));
  // A point of low order.
  assertNoEffect(stage, () => eve.send(eve.registerBytes({}, new Uint8Array(32))));
  assertEquals(stage.server.dropped, { forged: 6 });
  assertEquals(ana.send(good)?.kind, "registered");
});

Deno.test("a Register with nothing in it that is one registers nobody", () => {
  const stage = new Stage();
  const ana = new FakeClient(stage, 1);
  ana.begin();
  assertNoEffect(stage, () => ana.send(ana.sealedRegister([{ kind: "padding", size: 99 }])));
  assertNoEffect(stage, () => ana.send(ana.sealedRegister([{ kind: "leaseKeepalive" }])));
});

Deno.test("row 1: a repeat with a new packet is answered as before, and starts the lease anew", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  const first = ana.registered;
  stage.takeEvents();
  stage.now += 20_000;
  // What it asks for does not matter any more.
  assertEquals(ana.askToRegister({ name: "other", wantedId: 9 }), first!);
  assertEquals(stage.takeEvents(), []);
  assertEquals(find(ana, "ana"), [1, 40_001, publicKeyOf(1)]);
  stage.now += LEASE - 1;
  stage.server.handleTimeout(stage.now);
  assertEquals(stage.server.table().size, 1);
});

Deno.test("row 1: a repeat costs no X25519, and is not limited", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  for (let n = 0; n < 1000; n++) assertEquals(ana.askToRegister().kind, "registered");
  assertEquals(stage.server.dropped, {});
});

Deno.test("row 3: an entry with the token and the key keeps its id, and takes the rest", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  ana.address = client(3);
  assertEquals(outcome(ana, { name: "anna", wantedId: 9 }), "registered");
  assertEquals(ana.id, 1);
  assertEquals(find(ana, "anna"), [1, 40_003, publicKeyOf(1)]);
  assertEquals(find(ana, "ana"), ["inactive"]);
});

Deno.test("row 3: the token of another key gives nothing", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  const { token } = ana;
  for (const n of [3, 4]) {
    const eve = new FakeClient(stage, n);
    assertEquals(outcome(eve, { token, name: "ana" }), RefusalReason.nameTaken);
    assertEquals(outcome(eve, { token, wantedId: 1 }), RefusalReason.idTaken);
    assertEquals(outcome(eve, { token }), "registered");
    assertNotEquals([eve.id, eve.token], [1, token]);
  }
  assertEquals(find(ana, "ana"), [1, 40_001, publicKeyOf(1)]);
});

Deno.test("row 4: another entry at the address goes; one with the same key leaves its id and name to it", () => {
  const stage = new Stage();
  const first = stage.join(1, { name: "ana" });
  stage.takeEvents();
  const again = new FakeClient(stage, 1);
  assertEquals(outcome(again, { name: "ANA", wantedId: 1 }), "registered");
  assertNotEquals(again.token, first.token);
  assertEquals(stage.takeEvents(), ["left 1 40001", "joined 1 40001", "table 1"]);
  assertEquals(find(again, "ana"), [1, 40_001, publicKeyOf(1)]);
});

Deno.test("row 4: a run with another key replaces the one at its address, but does not take its name or id", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  stage.takeEvents();
  const eve = new FakeClient(stage, 1, { identity: identityOf(70) });
  assertEquals(outcome(eve, { name: "ANA" }), RefusalReason.nameTaken);
  assertEquals(outcome(eve, { wantedId: 1 }), RefusalReason.idTaken);
  assertEquals(stage.takeEvents(), []);
  assertEquals(find(ana, "ana"), [1, 40_001, publicKeyOf(1)]);
  assertEquals(outcome(eve, { name: "eve" }), "registered");
  assertEquals(stage.takeEvents(), ["left 1 40001", "joined 1 40001", "table 1"]);
  assertEquals(find(eve, "eve"), [1, 40_001, publicKeyOf(70)]);
});

Deno.test("row 4: a client that comes to the address of another replaces it", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  stage.join(2, { name: "bob" });
  stage.takeEvents();
  ana.address = client(2);
  assertEquals(outcome(ana, { name: "bob" }), RefusalReason.nameTaken);
  assertEquals(outcome(ana, { name: "ana" }), "registered");
  assertEquals(stage.takeEvents(), ["left 2 40002", "moved 1 40002", "table 1"]);
});

Deno.test("rows 5 to 8: no name and no id goes to another while the lease lasts", () => {
  const stage = new Stage({ maxClients: 2, nameHold: 0 });
  const { id } = stage.join(1, { name: "ana" });
  const bob = stage.join(2);
  const eve = new FakeClient(stage, 3);
  stage.takeEvents();
  assertEquals(outcome(eve, { name: "Ana" }), RefusalReason.nameTaken);
  assertEquals(outcome(eve, { wantedId: id }), RefusalReason.idTaken);
  assertEquals(outcome(eve, { name: "no name" }), RefusalReason.badName);
  assertEquals(outcome(eve), RefusalReason.full);
  // A second client of one key is another client.
  const other = new FakeClient(stage, 3, { identity: identityOf(1) });
  assertEquals(outcome(other, { name: "ana" }), RefusalReason.ownEntry);
  assertEquals(outcome(other, { wantedId: id }), RefusalReason.ownEntry);
  // A registered client cannot take it by changing its name, either.
  assertEquals(outcome(bob, { name: "ana" }), RefusalReason.nameTaken);
  assertEquals(stage.takeEvents(), []);
  stage.now += LEASE;
  assertEquals(outcome(eve, { name: "Ana", wantedId: id }), "registered");
});

Deno.test("a refusal changes nothing: the session before goes on", () => {
  const stage = new Stage();
  stage.join(1, { name: "ana" });
  const bob = stage.join(2, { name: "bob" });
  const again = new FakeClient(stage, 2);
  assertEquals(outcome(again, { token: bob.token, name: "ana" }), RefusalReason.nameTaken);
  assertEquals(find(bob, "bob"), [2, 40_002, publicKeyOf(2)]);
});

Deno.test("the directory keeps a copy of the key, whatever happens to the datagram", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  const bob = new FakeClient(stage, 2);
  bob.begin();
  const bytes = bob.registerBytes({ name: "bob" });
  assertEquals(bob.send(bytes)?.kind, "registered");
  // The buffer of a datagram is used again.
  bytes.fill(0xee);
  assertEquals(find(ana, "bob"), [2, 40_002, publicKeyOf(2)]);
});

Deno.test("Server counts the registrations that it grants, and those that it refuses by reason", () => {
  const stage = new Stage();
  const [ana, eve] = [new FakeClient(stage, 1), new FakeClient(stage, 2)];
  assertEquals(outcome(ana, { name: "ana" }), "registered");
  assertEquals(outcome(ana, { name: "bob" }), "registered");
  assertEquals(outcome(eve, { name: "bob" }), RefusalReason.nameTaken);
  assertEquals(outcome(eve, { name: "b ob" }), RefusalReason.badName);
  const { registrations, refused } = stage.server.totals;
  assertEquals([registrations, refused], [2, { nameTaken: 1, badName: 1 }]);
});
