// Directories that share a store, as their clients see them.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { formatAddress } from "../../protocol/wire/address.ts";
import { FLAG_CALLER, FLAG_NEAR, RefusalReason } from "../../protocol/wire/frame.ts";
import { MEETINGS_PER_CLIENT } from "../../server/limits.ts";
import type { Server } from "../../server/server.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import { PENDING_REGISTERS_MAX, PENDING_TIMEOUT } from "../../server/table/pending_registers.ts";
import {
  client,
  FakeClient,
  identityOf,
  LEASE,
  publicKeyOf,
  Stage,
} from "../support/server_stage.ts";
import { StoredServer, StoredServers } from "../support/stored_server.ts";

const UNAVAILABLE = { kind: "refused", reason: RefusalReason.unavailable } as const;
const DATAGRAM = new Uint8Array(40).fill(7);

/** Two directories with one key and one store. */
function twoDirectories(): { all: StoredServers; one: Stage; other: Stage } {
  const all = new StoredServers();
  const [one, other] = [1, 2].map((directory) =>
    new Stage({}, (options) => new StoredServer(options, all, directory))
  );
  one!.server.handleTimeout(one!.now);
  // Not the same nonces as at the other one.
  other!.random(8);
  return { all, one: one!, other: other! };
}

Deno.test("Server answers from a shared table whichever directory a client is registered with", () => {
  const { one, other } = twoDirectories();
  const [ana, bob] = [one.join(1, { name: "ana" }), other.join(2, { name: "bob" })];
  assertEquals([ana.id, bob.id], [1, 2]);
  const found = ana.ask({ kind: "lookUp", id: 0, name: "bob" });
  assert(found.kind === "found");
  assertEquals([found.id, found.publicKey], [2, publicKeyOf(2)]);
  const listing = bob.ask({ kind: "list", after: 0 });
  assert(listing.kind === "listing");
  assertEquals(listing.clients.map(({ name }) => name), ["ana", "bob"]);
  for (const { server } of [one, other]) {
    assertEquals(Array.from(server.table().clients, ({ name }) => name), ["ana", "bob"]);
  }
  for (const each of [one, other]) {
    const joins = each.takeEvents().filter((event) => event.startsWith("joined"));
    assertEquals(joins, ["joined 1 40001", "joined 2 40002"]);
  }
});

Deno.test("Server knows the settings of other directories", () => {
  const all = new StoredServers();
  const [one, other] = [60_000, LEASE].map((lease, index) =>
    new Stage({ lease }, (options) => new StoredServer(options, all, index + 1))
  );
  one!.server.handleTimeout(one!.now);
  for (const { server } of [one!, other!]) assertEquals(server.sharedSettings?.lease, 60_000);
  assertEquals(other!.server.settings, { ...other!.server.sharedSettings!, lease: LEASE });
});

Deno.test("Server knows the cookies of other directories", () => {
  const { one, other } = twoDirectories();
  const ana = new FakeClient(one, 1);
  ana.begin();
  const [answer] = other.deliver(ana.registerBytes(), ana.address);
  assert(answer !== undefined);
  assertEquals(other.server.totals.registrations, 1);
});

Deno.test("Server does not know the session of a client that is registered elsewhere by now", () => {
  const { one, other } = twoDirectories();
  const ana = one.join(1, { name: "ana" });
  const { token } = ana;
  const moved = new FakeClient(other, 1);
  assertEquals(moved.register({ token, name: "ana" }).kind, "registered");
  assertEquals([moved.id, moved.token], [ana.id, token]);
  assertEquals(ana.ask({ kind: "leaseKeepalive" }).kind, "unknown");
  assertEquals(moved.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
});

Deno.test("Server makes clients of two directories meet, and carries between them", () => {
  const { one, other } = twoDirectories();
  const [ana, bob] = [one.join(1, { name: "ana" }), other.join(2)];
  const { answer: own } = ana.call({ id: 2 });
  const [notice] = other.takeSent();
  assert(own?.kind === "meeting" && notice !== undefined);
  const { frame: told } = bob.openNotice(notice);
  assert(told.kind === "meeting");
  assertEquals([own.flags, told.flags], [FLAG_CALLER | FLAG_NEAR, FLAG_NEAR]);
  assertEquals([told.number, told.id, told.name], [own.number, 1, "ana"]);
  assertEquals(told.addresses, [client(1)]);
  // The number is good at both.
  ana.carry(own.number, 2, DATAGRAM);
  const [toBob] = other.takeSent();
  bob.carry(own.number, 1, DATAGRAM);
  const [toAna] = one.takeSent();
  assert(toBob !== undefined && toAna !== undefined);
  assertEquals(bob.openNotice(toBob).frame, { kind: "carried", from: 1, datagram: DATAGRAM });
  assertEquals(ana.openNotice(toAna).frame, { kind: "carried", from: 2, datagram: DATAGRAM });
});

Deno.test("Server limits the meetings of its clients with those of other directories", () => {
  const { one, other } = twoDirectories();
  const bob = other.join(1);
  let told = 0;
  for (let n = 2; n < 40; n++) {
    one.join(n, {}, { address: { hostname: `10.0.0.${n}`, port: 5000 } }).call({ id: bob.id });
    told += other.takeSent().length;
  }
  assert(told > 0 && told <= MEETINGS_PER_CLIENT.burst, `${told} meetings`);
  assertEquals(other.server.dropped.meetings, 38 - told);
});

Deno.test("Server refuses what its table would answer while the store is down, and ends no lease", () => {
  const { all, one } = twoDirectories();
  const [ana, bob] = [one.join(1), one.join(2)];
  const { own: { number } } = ana.meet(bob);
  all.setUp(one.now, 1, false);
  for (let i = 0; i < 4; i++) {
    one.now += LEASE / 2;
    for (const each of [ana, bob]) assertEquals(each.ask({ kind: "leaseKeepalive" }), UNAVAILABLE);
  }
  assertEquals(ana.ask({ kind: "lookUp", id: 2, name: "" }), UNAVAILABLE);
  assertEquals(ana.ask({ kind: "list", after: 0 }), UNAVAILABLE);
  assertEquals(ana.call({ id: 2 }).answer, UNAVAILABLE);
  assertEquals(new FakeClient(one, 3).register(), UNAVAILABLE);
  assertEquals(one.server.totals.refused, { unavailable: 1 });
  // Nobody can get a new number now, so the ones that were given stay good.
  assertEquals(ana.carry(number, 2, DATAGRAM).length, 1);
  assertEquals(ana.ask({ kind: "leave" }), { kind: "leaveAck" });
  assertEquals(ana.ask({ kind: "leave" }), { kind: "leaveAck" });
  all.setUp(one.now, 1, true);
  assertEquals(bob.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
  assertEquals(one.server.table().size, 1);
});

Deno.test("Server lets only so many Registers wait for a store that is slow, and refuses the rest in time", () => {
  const all = new StoredServers();
  const make = (options: ServerOptions): Server => new StoredServer(options, all);
  const stage = new Stage({ hasSourceLimits: false }, make);
  stage.server.handleTimeout(stage.now);
  const [ana] = [stage.join(1, { name: "ana" }), stage.join(2, { name: "bob" })];
  const { clients, registrations } = stage.server.totals;
  all.isSilent = true;
  const identity = identityOf(3);
  const send = (n: number): { sender: FakeClient; answers: Uint8Array[] } => {
    const sender = new FakeClient(stage, n, { identity });
    sender.begin();
    return { sender, answers: stage.deliver(sender.registerBytes(), sender.address) };
  };
  for (let n = 0; n < PENDING_REGISTERS_MAX; n++) {
    if (n % 8 === 0) stage.now++;
    assertEquals(send(3 + n).answers, []);
  }
  assertEquals(stage.server.totals.refused, {});
  const { answers: [refused] } = send(3 + PENDING_REGISTERS_MAX);
  assert(refused !== undefined, "one more is refused at once");
  assertEquals(stage.server.totals.refused, { unavailable: 1 });
  assertEquals(ana.ask({ kind: "lookUp", id: 0, name: "bob" }).kind, "found");
  let answered = 0;
  for (const end = stage.now + PENDING_TIMEOUT; stage.now < end; stage.now += 1) {
    stage.server.handleTimeout(stage.now + 1);
    answered += stage.takeSent().length;
  }
  assertEquals(answered, PENDING_REGISTERS_MAX, "each is told within the time");
  assertEquals(stage.server.totals.refused, { unavailable: PENDING_REGISTERS_MAX + 1 });
  assertEquals([stage.server.totals.clients, stage.server.totals.registrations], [
    clients,
    registrations,
  ]);
  assertEquals(stage.server.table().size, 2);
  all.isSilent = false;
  all.setUp(stage.now, 1, true);
  assertEquals(stage.join(3).id, 3);
});

/** Has as many clients wait for the store as can; returns where they are. */
function fillPending(stage: Stage): Set<string> {
  const identity = identityOf(1);
  const waiting = new Set<string>();
  for (let n = 1; n <= PENDING_REGISTERS_MAX; n++) {
    const sender = new FakeClient(stage, n, { identity });
    sender.begin();
    assertEquals(stage.deliver(sender.registerBytes(), sender.address), []);
    waiting.add(formatAddress(sender.address));
  }
  return waiting;
}

/** Sends what is to be sent without a pause; checks that each of these gets an answer. */
function assertAnswered(stage: Stage, waiting: Set<string>): void {
  for (let sent = stage.takeSent(); sent.length > 0; sent = stage.takeSent()) {
    for (const { to } of sent) waiting.delete(formatAddress(to));
    stage.server.handleTimeout(stage.now);
  }
  assertEquals([waiting.size, stage.server.dropped.output], [0, undefined]);
}

Deno.test("Server refuses all that wait for a store that goes down, as fast as it can send", () => {
  const all = new StoredServers();
  const make = (options: ServerOptions): Server => new StoredServer(options, all);
  const stage = new Stage({ hasSourceLimits: false }, make);
  stage.server.handleTimeout(stage.now);
  all.isSilent = true;
  const waiting = fillPending(stage);
  all.setUp(stage.now, 1, false);
  assertLessOrEqual(stage.server.nextTimeout()!, stage.now, "more is due at once");
  assertAnswered(stage, waiting);
  assertEquals(stage.server.totals.refused, { unavailable: PENDING_REGISTERS_MAX });
});

Deno.test("Server registers all that wait for a store that was halted, as fast as it can send", () => {
  const all = new StoredServers();
  const make = (options: ServerOptions): Server => new StoredServer(options, all);
  const stage = new Stage({ hasSourceLimits: false }, make);
  stage.server.handleTimeout(stage.now);
  all.isHalted = true;
  const waiting = fillPending(stage);
  all.isHalted = false;
  all.exchange(stage.now);
  assertLessOrEqual(stage.server.nextTimeout()!, stage.now, "more is due at once");
  assertAnswered(stage, waiting);
  assertEquals(stage.server.totals.registrations, PENDING_REGISTERS_MAX);
});

Deno.test("Server tells its own clients to go to another directory, some at a time", () => {
  const { one, other } = twoDirectories();
  const clients = [1, 2, 3].map((n) => one.join(n));
  other.join(4);
  assertEquals(one.server.sendAway(0, 2), 2);
  assertEquals(one.server.sendAway(2, 2), 4);
  assertEquals(one.server.sendAway(4, 2), undefined);
  const sent = one.takeSent();
  assertEquals(sent.length, 3);
  for (const [at, each] of clients.entries()) {
    assertEquals(each.openNotice(sent[at]!).frame, UNAVAILABLE);
  }
  assertEquals(other.takeSent(), []);
});
