// The simulated NATs do what RFC 4787 calls them.
import { assertEquals, assertNotEquals } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { Prng } from "../support/random.ts";
import { leadIn, leadOut, Nat, type NatKind, PORT_CONE, Realm } from "./nat.ts";

const INSIDE: Address = { hostname: "192.168.1.10", port: 40_000 };
const NEIGHBOR: Address = { hostname: "192.168.1.11", port: 40_000 };
const SERVER: Address = { hostname: "203.0.113.10", port: 7070 };
const OTHER_PORT: Address = { ...SERVER, port: 7071 };
const OTHER_HOST: Address = { hostname: "203.0.113.11", port: 7070 };
const PUBLIC = "198.51.100.2";

/** A home with two hosts behind a NAT, and the internet. */
class Home {
  readonly internet = new Realm([]);
  readonly realm = new Realm(["192.168.1."]);
  readonly nat: Nat;
  now = 1_000;

  constructor(kind: Partial<NatKind> = {}, outer = this.internet) {
    const prng = new Prng(1);
    this.nat = new Nat(this.realm, outer, {
      ...{ hostname: PUBLIC, prng, kind: { ...PORT_CONE, ...kind } },
    });
    this.realm.add(INSIDE, "inside");
    this.realm.add(NEIGHBOR, "neighbor");
    for (const each of [SERVER, OTHER_PORT, OTHER_HOST]) this.internet.add(each, "server");
  }

  /** The source that a datagram from inside has on the internet. */
  out(to: Address, from = INSIDE): Address | undefined {
    return leadOut(this.now, { realm: this.realm, from, to })?.from;
  }

  /** Who gets a datagram from the internet. */
  in(from: Address, to: Address): string | undefined {
    return leadIn(this.now, { realm: this.internet, from, to })?.host;
  }
}

Deno.test("an endpoint-independent mapping is the same for all, an address-and-port-dependent one for none", () => {
  for (const ports of ["preserving", "random"] as const) {
    const cone = new Home({ ports });
    assertEquals(cone.out(OTHER_PORT), cone.out(SERVER));
    const symmetric = new Home({ ports, mapping: "addressAndPort" });
    assertNotEquals(symmetric.out(OTHER_PORT), symmetric.out(SERVER));
    assertEquals(symmetric.out(SERVER), symmetric.out(SERVER));
  }
});

Deno.test("a NAT that preserves ports does so for the first host that uses one", () => {
  const home = new Home();
  assertEquals(home.out(SERVER), { hostname: PUBLIC, port: 40_000 });
  assertEquals(home.out(SERVER, NEIGHBOR), { hostname: PUBLIC, port: 40_001 });
  assertEquals(home.in(SERVER, { hostname: PUBLIC, port: 40_001 }), "neighbor");
});

for (
  const [filtering, letIn] of [
    ["independent", [SERVER, OTHER_PORT, OTHER_HOST]],
    ["address", [SERVER, OTHER_PORT]],
    ["addressAndPort", [SERVER]],
  ] as const
) {
  Deno.test(`filtering that is ${filtering} lets ${letIn.length} of 3 in`, () => {
    const home = new Home({ filtering });
    assertEquals(home.in(SERVER, { hostname: PUBLIC, port: 40_000 }), undefined);
    const source = home.out(SERVER)!;
    for (const from of [SERVER, OTHER_PORT, OTHER_HOST]) {
      const isLetIn = (letIn as readonly Address[]).includes(from);
      assertEquals(home.in(from, source), isLetIn ? "inside" : undefined);
    }
  });
}

Deno.test("what is let in and the mapping end some time after the last datagram from inside", () => {
  const home = new Home({ ports: "random", lifetime: 5_000 });
  const source = home.out(SERVER)!;
  home.now += 4_999;
  assertEquals(home.in(SERVER, source), "inside");
  assertEquals(home.out(OTHER_HOST), source);
  home.now += 4_999;
  // The mapping lives on by another peer; the first one is let in no more.
  assertEquals([home.in(SERVER, source), home.in(OTHER_HOST, source)], [undefined, "inside"]);
  home.now += 1;
  assertEquals(home.in(OTHER_HOST, source), undefined);
  assertNotEquals(home.out(SERVER), source);
});

Deno.test("a NAT that is rebound forgets, and has other ports, at the same address or another one", () => {
  for (const hostname of [PUBLIC, "198.51.100.3"]) {
    const home = new Home();
    const before = home.out(SERVER)!;
    home.nat.rebind(hostname === PUBLIC ? undefined : hostname);
    assertEquals(home.in(SERVER, before), undefined);
    const after = home.out(SERVER)!;
    assertEquals(after.hostname, hostname);
    assertNotEquals(after.port, before.port);
    assertEquals(home.in(SERVER, after), "inside");
  }
});

Deno.test("two hosts reach each other at the public address only where the NAT hairpins", () => {
  for (const isHairpin of [false, true]) {
    const home = new Home({ isHairpin, filtering: "independent" });
    const [neighbor] = [home.out(SERVER, NEIGHBOR)!, home.out(SERVER)];
    const source = home.out(neighbor);
    assertEquals(source, isHairpin ? { hostname: PUBLIC, port: 40_001 } : undefined);
    if (source !== undefined) assertEquals(home.in(source, neighbor), "neighbor");
  }
});

Deno.test("what is for the own network stays there, whoever is in it", () => {
  const home = new Home();
  assertEquals(home.out(NEIGHBOR), INSIDE);
  assertEquals(home.out({ hostname: "192.168.1.99", port: 1 }), INSIDE);
});

Deno.test("a bare NAT gives another port where something had come unasked from there", () => {
  for (const isBare of [false, true]) {
    const home = new Home({ isBare });
    const source = home.out(OTHER_HOST)!;
    assertEquals(home.in(SERVER, source), undefined);
    assertEquals(home.out(SERVER)!.port === source.port, !isBare);
    assertEquals(home.out(OTHER_HOST), source);
  }
});

Deno.test("a firewall translates nothing, and lets answers in", () => {
  const internet = new Realm([]);
  const realm = new Realm([]);
  const host: Address = { hostname: PUBLIC, port: 40_000 };
  const kind: NatKind = { ...PORT_CONE, mapping: "none" };
  new Nat(realm, internet, { hostname: PUBLIC, prng: new Prng(1), kind });
  realm.add(host, "inside");
  assertEquals(leadIn(0, { realm: internet, from: SERVER, to: host }), undefined);
  assertEquals(leadOut(0, { realm, from: host, to: SERVER })?.from, host);
  const arrived = leadIn(0, { realm: internet, from: SERVER, to: host });
  assertEquals(arrived, { host: "inside", from: SERVER });
  assertEquals(leadIn(0, { realm: internet, from: OTHER_PORT, to: host }), undefined);
});

Deno.test("a datagram goes through a CGN and the NAT of a home, either way", () => {
  const internet = new Realm([]);
  const around = new Realm(["100.64."]);
  const prng = new Prng(1);
  new Nat(around, internet, { hostname: "198.51.100.9", prng, kind: PORT_CONE });
  const home = new Home({}, around);
  const source = home.out(SERVER)!;
  assertEquals(source, { hostname: "198.51.100.9", port: 40_000 });
  assertEquals(leadIn(home.now, { realm: internet, from: SERVER, to: source })?.host, "inside");
});
