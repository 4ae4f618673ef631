import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  type Frame,
  type Listing,
  RefusalReason,
  type Register,
} from "../../protocol/wire/frame.ts";
import { NARROW_SIZE_MAX } from "../../protocol/wire/frame.ts";
import { Prng } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { client, FakeClient, LEASE, publicKeyOf, Stage, ZERO } from "../support/server_stage.ts";
import { IS_SHARED, ownTimeout } from "../support/new_server.ts";

/** The answer to a Look-up. */
function lookUp(asking: FakeClient, id: number, name = ""): Frame | { kind: string } {
  return asking.ask({ kind: "lookUp", id, name });
}

/** The reason of a refusal, or the kind of any other answer. */
function outcome(registering: FakeClient, fields: Partial<Register> = {}): number | string {
  const answer = registering.register(fields);
  return answer.kind === "refused" ? answer.reason : answer.kind;
}

Deno.test("Server challenges a Register, then registers its sender", () => {
  const stage = new Stage();
  const ana = new FakeClient(stage, 1);
  ana.begin();
  assertEquals(stage.server.table().size, 0);
  assertEquals(stage.takeEvents(), []);
  const answer = ana.askToRegister({ name: "ana" });
  assert(answer.kind === "registered");
  assertEquals([answer.id, answer.lease, answer.seenAt], [1, LEASE, client(1)]);
  assertNotEquals(answer.token, ZERO);
  assertEquals(stage.takeEvents(), ["joined 1 40001", "table 1"]);
});

Deno.test("Server keeps the id of a client that sends its token from a new address", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  const { token } = ana;
  stage.takeEvents();
  ana.address = client(9);
  const answer = ana.register();
  assert(answer.kind === "registered");
  assertEquals([answer.id, answer.token, answer.seenAt], [1, token, client(9)]);
  assertEquals(stage.takeEvents(), ["moved 1 40009", "table 1"]);
});

Deno.test("Server replaces the earlier run of a client at the same address", () => {
  const stage = new Stage();
  const first = stage.join(1);
  stage.takeEvents();
  const second = stage.join(1);
  assertEquals(second.id, first.id);
  assertNotEquals(second.token, first.token);
  assertEquals(stage.takeEvents(), ["left 1 40001", "joined 1 40001", "table 1"]);
});

Deno.test("Server refuses an id or a name that is taken, a bad name, and a client above its maximum", () => {
  const stage = new Stage({ maxClients: 2 });
  stage.join(1, { name: "ana" });
  stage.takeEvents();
  const eve = new FakeClient(stage, 3);
  assertEquals(outcome(eve, { wantedId: 1 }), RefusalReason.idTaken);
  assertEquals(outcome(eve, { name: "ANA" }), RefusalReason.nameTaken);
  for (const name of ["two words", "12", "a\x1b", "a\u202eb", "x".repeat(33), "x".repeat(200)]) {
    assertEquals(outcome(eve, { name }), RefusalReason.badName, name);
  }
  stage.join(2);
  assertEquals(outcome(eve), RefusalReason.full);
  assertEquals(stage.takeEvents(), ["joined 2 40002", "table 1 2"]);
});

Deno.test("Server gives each refusal a packet counter at random, of those that nothing else has", () => {
  const stage = new Stage({ maxClients: 1 });
  stage.join(1);
  const eve = new FakeClient(stage, 2);
  eve.begin();
  const packets = Array.from({ length: 100 }, () => {
    const [answer] = stage.deliver(eve.registerBytes(), client(2));
    return new DataView(answer!.buffer).getBigUint64(8);
  });
  assertEquals(new Set(packets).size, 100);
  assert(packets.every((packet) => packet >= 2n ** 52n && packet < 2n ** 53n));
  const halves = packets.filter((packet) => packet < 3n * 2n ** 51n).length;
  assert(halves > 20 && halves < 80, `${halves} of 100 in the lower half`);
});

Deno.test("Server answers Unknown after a restart, and the client registers again with its id", () => {
  const before = new Stage();
  before.join(1);
  const { id, token } = before.join(2);
  const after = new Stage({ random: new Prng(2).bytes });
  const again = new FakeClient(after, 2);
  again.begin();
  again.registered = { kind: "registered", id, token, lease: LEASE, seenAt: client(2) };
  assertEquals(again.ask({ kind: "leaseKeepalive" }), { kind: "unknown" });
  assertEquals(again.register({ token, wantedId: id }).kind, "registered");
  assertEquals(again.id, id);
  assertNotEquals(again.token, token);
});

Deno.test("Server ends a lease in time; a Lease Keepalive renews it", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.takeEvents();
  stage.now += 15_000;
  const ack = ana.ask({ kind: "leaseKeepalive" });
  assertEquals(ack, { kind: "leaseKeepaliveAck", lease: LEASE });
  const end = stage.now + LEASE;
  while (stage.server.nextTimeout()! < end) {
    stage.now = stage.server.nextTimeout()!;
    stage.server.handleTimeout(stage.now);
  }
  assertEquals(stage.takeEvents(), []);
  if (!IS_SHARED) assertEquals(stage.server.nextTimeout(), end);
  stage.server.handleTimeout(end - 0.001);
  assertEquals(stage.takeEvents(), []);
  stage.server.handleTimeout(end);
  assertEquals(stage.takeEvents(), ["expired 1 40001", "table"]);
  assertEquals(ownTimeout(stage.server), undefined);
});

Deno.test("Server does not find a client whose lease has ended, even before its timeout", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.takeEvents();
  stage.now += LEASE;
  assertEquals(ana.ask({ kind: "leaseKeepalive" }), { kind: "unknown" });
  assertEquals(stage.takeEvents(), ["expired 1 40001", "table"]);
});

Deno.test("Server finds clients by id and by name, and answers Inactive for others", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.join(2, { name: "Bob" });
  const publicKey = publicKeyOf(2);
  const found: Frame = { kind: "found", id: 2, name: "Bob", address: client(2), publicKey };
  assertEquals(lookUp(ana, 2), found);
  assertEquals(lookUp(ana, 2, "ignored"), found);
  assertEquals(lookUp(ana, 0, "bOB"), found);
  assertEquals(lookUp(ana, 3), { kind: "inactive", id: 3, name: "" });
  assertEquals(lookUp(ana, 0, "eve"), { kind: "inactive", id: 0, name: "eve" });
  assertEquals(lookUp(ana, 0, ""), { kind: "inactive", id: 0, name: "" });
  const longest = "n".repeat(255);
  assertEquals(lookUp(ana, 0, longest), { kind: "inactive", id: 0, name: longest });
  assertEquals(stage.server.lookUps, 7);
});

Deno.test("Server shows the IPv4 address of a client on a dual-stack socket", () => {
  const stage = new Stage();
  const mapped = { hostname: "::ffff:127.0.0.1", port: 40_001 };
  const ana = new FakeClient(stage, 1, { address: mapped });
  const answer = ana.register();
  assert(answer.kind === "registered");
  assertEquals(answer.seenAt, client(1));
  const found = lookUp(ana, 1);
  assert(found.kind === "found" && "address" in found);
  assertEquals(found.address, client(1));
});

const LISTED = scaled(10_000, 400);

Deno.test(`Server lists ${LISTED} clients page by page`, () => {
  const stage = new Stage({ hasSourceLimits: false });
  let last = stage.join(1);
  for (let n = 2; n <= LISTED; n++) {
    // Long, short and empty names, with one and with several bytes per character.
    const name = n % 3 === 0 ? "" : n % 3 === 1 ? `n${n}` : `名`.repeat(26) + n;
    stage.now++;
    last = stage.join(n, { name });
  }
  const seen: number[] = [];
  for (let more = 1; more === 1;) {
    const page = last.ask({ kind: "list", after: seen.at(-1) ?? 0 }) as Listing;
    assert(page.clients.length > 0 && page.clients.length <= 255);
    seen.push(...page.clients.map(({ id }) => id));
    more = page.more;
  }
  assertEquals(seen, Array.from({ length: LISTED }, (_, index) => index + 1));
  const end = last.ask({ kind: "list", after: LISTED });
  assertEquals(end, { kind: "listing", more: 0, clients: [] });
});

Deno.test("Server fills a Listing with as many clients as fit", () => {
  const stage = new Stage({ hasSourceLimits: false });
  let last = stage.join(1);
  for (let n = 2; n <= 300; n++) last = stage.join(n);
  const page = last.ask({ kind: "list", after: 0 }) as Listing;
  // The header has 16 bytes, the frame header 3, the fields before the clients 2, a client 5, the
  // tag 16.
  assertEquals(page.clients.length, Math.floor((NARROW_SIZE_MAX - 16 - 3 - 2 - 16) / 5));
  assertEquals(page.more, 1);
});

Deno.test("Server acknowledges a Client Leave, and a repeated one", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.takeEvents();
  assertEquals(ana.ask({ kind: "leave" }), { kind: "leaveAck" });
  assertEquals(stage.takeEvents(), ["left 1 40001", "table"]);
  assertEquals(ana.ask({ kind: "leave" }), { kind: "leaveAck" });
  assertEquals(stage.takeEvents(), []);
  assertEquals(ownTimeout(stage.server), undefined);
});

Deno.test("Server heeds the first request of a datagram, and skips what is none", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  const stray: Frame = { kind: "connectionKeepalive" };
  const padding: Frame = { kind: "padding", size: 5 };
  const bytes = ana.requestBytes(padding, stray, { kind: "leaseKeepalive" }, { kind: "leave" });
  assertEquals(ana.send(bytes)?.kind, "leaseKeepaliveAck");
  const bob = new FakeClient(stage, 2);
  bob.begin();
  const register = bob.sealedRegister([padding, stray, bob.registerFrame({ name: "bob" })]);
  assertEquals(bob.send(register)?.kind, "registered");
  assertEquals(stage.server.table().size, 2);
});

Deno.test("Server uses up the packet counter of a request that is none", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  const cutShort = Uint8Array.of(0x06, 0, 9, 1);
  for (const plain of [new Uint8Array(), Uint8Array.of(0x38, 0, 0), cutShort]) {
    const { packet } = ana;
    assertEquals(ana.send(ana.rawRequest(plain)), undefined);
    ana.packet = packet;
    assertEquals(ana.send(ana.requestBytes({ kind: "leaseKeepalive" })), undefined);
  }
  assertEquals(stage.server.dropped, { notRequest: 3, replay: 3 });
  assertEquals(ana.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
});
