// The places of each source in the table, and who gives one up when it is full.
import { assertEquals } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import { RefusalReason } from "../../../protocol/wire/frame.ts";
import { CLIENTS_PER_SOURCE } from "../../../server/limits.ts";
import { FakeClient, Stage } from "../../support/server_stage.ts";

/** Port `n` at an address of this name. */
function at(hostname: string, n: number): Address {
  return { hostname, port: 1024 + n };
}

/** Registers from an address; `registered`, or the reason of the refusal. */
function join(stage: Stage, address: Address, fields = {}): number | string {
  const each = new FakeClient(stage, address.port, { address });
  const answer = each.register(fields);
  return answer.kind === "refused" ? answer.reason : answer.kind;
}

/** Joins `count` clients from an address; returns the outcomes, each once. */
function fill(stage: Stage, hostname: string, count: number, first = 0): (number | string)[] {
  const outcomes = new Set<number | string>();
  for (let n = first; n < first + count; n++) {
    // Slowly enough for the limit of registrations.
    stage.now += 100;
    stage.server.handleTimeout(stage.now);
    outcomes.add(join(stage, at(hostname, n)));
  }
  return [...outcomes];
}

function hosts(stage: Stage): string[] {
  return [...stage.server.table().clients].map(({ address }) => address.hostname);
}

Deno.test("Server keeps 200 places for one address, whatever it asks for, and none more", () => {
  assertEquals(CLIENTS_PER_SOURCE, 200);
  const stage = new Stage({ lease: 1e9 });
  assertEquals(fill(stage, "192.0.2.1", 200), ["registered"]);
  assertEquals(fill(stage, "192.0.2.1", 100, 200), [RefusalReason.sourceFull]);
  assertEquals(stage.server.table().size, 200);
  assertEquals(join(stage, at("192.0.2.2", 0)), "registered");
  // A place that is free again is for the next one.
  assertEquals(join(stage, at("192.0.2.1", 5)), "registered");
  assertEquals(join(stage, at("192.0.2.1", 999)), RefusalReason.sourceFull);
});

Deno.test("Server counts the addresses of a /64 together, and IPv4 ones in either form", () => {
  const stage = new Stage({ lease: 1e9, maxPerSource: 3 });
  for (const [n, host] of ["2001:db8::1", "2001:db8::2", "2001:db8::3:4"].entries()) {
    assertEquals(join(stage, at(host, n)), "registered");
  }
  assertEquals(join(stage, at("2001:db8::ffff", 9)), RefusalReason.sourceFull);
  assertEquals(join(stage, at("2001:db8:0:1::1", 9)), "registered");
  assertEquals(fill(stage, "192.0.2.1", 3, 20), ["registered"]);
  assertEquals(join(stage, at("::ffff:192.0.2.1", 29)), RefusalReason.sourceFull);
});

Deno.test("Server refuses a client that moves to an address without a place, but not one that stays", () => {
  const stage = new Stage({ lease: 1e9, maxPerSource: 2 });
  fill(stage, "192.0.2.1", 2);
  const mover = new FakeClient(stage, 9, { address: at("192.0.2.2", 9) });
  mover.register();
  mover.address = at("192.0.2.1", 9);
  const refused = mover.register({ token: mover.token });
  assertEquals(refused.kind === "refused" && refused.reason, RefusalReason.sourceFull);
  const stayer = new FakeClient(stage, 8, { address: at("192.0.2.3", 8) });
  stayer.register();
  fill(stage, "192.0.2.3", 1, 20);
  stayer.address = at("192.0.2.3", 7);
  assertEquals(stayer.register({ token: stayer.token }).kind, "registered");
});

Deno.test("Server takes places from the fullest address when its table is full, the newest first", () => {
  const stage = new Stage({ lease: 1e9, maxClients: 10, maxPerSource: 8 });
  fill(stage, "192.0.2.1", 8);
  fill(stage, "192.0.2.2", 2);
  stage.takeEvents();
  assertEquals(fill(stage, "192.0.2.3", 1), ["registered"]);
  assertEquals(stage.takeEvents(), [
    "displaced 8 1031",
    "joined 8 1024",
    "table 1 2 3 4 5 6 7 8 9 10",
  ]);
  // Each gets as many as are left to the fullest one, and no more.
  assertEquals(fill(stage, "192.0.2.3", 4, 1), ["registered", RefusalReason.full]);
  assertEquals(fill(stage, "192.0.2.1", 1, 90), [RefusalReason.full]);
  const counts = new Map<string, number>();
  for (const host of hosts(stage)) counts.set(host, (counts.get(host) ?? 0) + 1);
  assertEquals([...counts.values()].toSorted(), [2, 4, 4]);
  assertEquals(hosts(stage).slice(0, 4), Array.from({ length: 4 }, () => "192.0.2.1"));
});

Deno.test("Server with one place left for each address displaces nobody", () => {
  const stage = new Stage({ lease: 1e9, maxClients: 3 });
  for (const n of [1, 2, 3]) assertEquals(join(stage, at(`192.0.2.${n}`, n)), "registered");
  assertEquals(join(stage, at("192.0.2.4", 4)), RefusalReason.full);
  assertEquals(stage.server.table().size, 3);
});

Deno.test("Server goes on for the clients that came before a flood, and lets new addresses in during it", () => {
  const stage = new Stage({ lease: 1e9, maxClients: 1000 });
  const friends = [1, 2, 3].map((n) => new FakeClient(stage, n, { address: at(`10.0.0.${n}`, n) }));
  for (const each of friends) each.register();
  for (let n = 0; n < 5; n++) fill(stage, `192.0.2.${n}`, 210);
  assertEquals(stage.server.table().size, 1000);
  for (const each of friends) {
    assertEquals(each.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
  }
  for (let n = 0; n < 50; n++) assertEquals(join(stage, at(`10.1.0.${n}`, n)), "registered");
  for (const each of friends) {
    assertEquals(each.ask({ kind: "leaseKeepalive" }).kind, "leaseKeepaliveAck");
  }
});

Deno.test("Server without source limits gives all places to one address, and displaces nobody", () => {
  const stage = new Stage({ lease: 1e9, maxClients: 300, hasSourceLimits: false });
  assertEquals(fill(stage, "192.0.2.1", 300), ["registered"]);
  assertEquals(join(stage, at("192.0.2.2", 1)), RefusalReason.full);
});
