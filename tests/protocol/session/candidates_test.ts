// Where a peer in the same network says that it is: protocol/README.md, "Moving".
import { assertEquals } from "@std/assert";
import { PRIVATE_TRIES } from "../../../protocol/session/path.ts";
import type { Whereabouts } from "../../../protocol/session/session.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { CANDIDATES_LENGTH_MAX } from "../../../protocol/wire/frame.ts";
import { ConnectionHarness, PEER } from "../../support/connection_harness.ts";

const LAN: Address = { hostname: "192.168.1.5", port: 5 };
const OTHER_LAN: Address = { hostname: "fd00::6", port: 6 };
const OWN: Address = { hostname: "192.168.1.7", port: 7 };

/** A session with a peer that the directory announced, which has answered where it is. */
class Stage extends ConnectionHarness {
  constructor(isNear = true) {
    super();
    this.tell({ isNear, own: [] });
  }

  /** What the directory says about the peer. */
  tell(whereabouts: Partial<Whereabouts> = {}): void {
    const { session } = this.connection;
    session.tell(this.now, { addresses: [PEER], isNear: false, own: [], ...whereabouts });
  }

  /** The peer names these; returns the challenges to elsewhere than where it is. */
  name(...addresses: readonly Address[]): Address[] {
    this.deliver({ kind: "candidates", addresses });
    return this.challenged();
  }

  /** The addresses that are challenged from now on, as often as they are. */
  challenged(ms = 10_000): Address[] {
    return [...this.sent(), ...this.advance(ms)]
      .filter(({ frames }) => frames.some(({ kind }) => kind === "pathChallenge"))
      .map(({ to }) => to)
      .filter(({ hostname }) => hostname !== PEER.hostname);
  }
}

Deno.test("what a peer names is challenged where both are in one network, as the directory sees", () => {
  assertEquals(new Stage().name(LAN, OTHER_LAN), [LAN, OTHER_LAN, LAN, OTHER_LAN]);
  assertEquals(new Stage(false).name(LAN, OTHER_LAN), []);
  // It stays so when the directory announces the peer once more, from elsewhere.
  const stage = new Stage();
  stage.tell();
  assertEquals(stage.name(LAN).length, PRIVATE_TRIES);
});

Deno.test("a peer names no addresses but those of private ranges", () => {
  const elsewhere = [
    "8.8.8.8",
    "127.0.0.1",
    "224.0.0.1",
    "169.254.1.1",
    "0.0.0.0",
    "255.255.255.255",
  ];
  const ipv6 = ["2001:db8::1", "::1", "ff02::1", "fe80::1", "::", "100::2", "::ffff:192.168.1.5"];
  const named = [...elsewhere, ...ipv6].map((hostname) => ({ hostname, port: 53 }));
  assertEquals(new Stage().name(...named), []);
  assertEquals(new Stage().name(...named, LAN), [LAN, LAN]);
});

Deno.test("a list has 8 addresses at most: of sixty, the others are not challenged", () => {
  assertEquals(CANDIDATES_LENGTH_MAX, 8);
  const stage = new Stage();
  const list = (net: number, count: number): Address[] =>
    Array.from({ length: count }, (_, i) => ({ hostname: `10.0.${net}.${i}`, port: 9 }));
  const challenged = stage.name(...list(0, 60));
  const expected = list(0, CANDIDATES_LENGTH_MAX);
  assertEquals(challenged, [...expected, ...expected]);
});

Deno.test("what a peer names again is challenged no more, until the directory announces it again", () => {
  const stage = new Stage();
  assertEquals(stage.name(LAN), [LAN, LAN]);
  for (let times = 0; times < 10; times++) assertEquals(stage.name(LAN), []);
  assertEquals(stage.name(LAN, OTHER_LAN), [OTHER_LAN, OTHER_LAN]);
  for (let times = 0; times < 10; times++) {
    assertEquals([...stage.name(OTHER_LAN), ...stage.name(LAN)], []);
  }
  stage.tell({ isNear: true });
  assertEquals(stage.name(LAN, OTHER_LAN).length, 2 * PRIVATE_TRIES);
});

Deno.test("a peer names 8 addresses at most in however many lists: it cannot have a network searched", () => {
  const stage = new Stage();
  const challenged = new Set<string>();
  for (let host = 1; host < 255; host++) {
    for (const { hostname } of stage.name({ hostname: `192.168.1.${host}`, port: 80 })) {
      challenged.add(hostname);
    }
  }
  assertEquals(challenged.size, CANDIDATES_LENGTH_MAX);
});

Deno.test("a peer that is near is told this client's own addresses, and any other is not", () => {
  const told = (whereabouts: Partial<Whereabouts>): unknown[] => {
    const stage = new Stage();
    stage.tell(whereabouts);
    return stage.sent().flatMap(({ to, frames }) =>
      frames.flatMap((frame) => frame.kind === "candidates" ? [[to, frame.addresses]] : [])
    );
  };
  assertEquals(told({ isNear: true, own: [OWN] }), [[PEER, [OWN]]]);
  assertEquals(told({ own: [] }), []);
});

Deno.test("the connection goes on over the LAN once the peer has answered there", () => {
  const stage = new Stage();
  stage.deliver({ kind: "candidates", addresses: [LAN] });
  const challenge = stage.sent().find(({ to }) => to.hostname === LAN.hostname)?.frames[0];
  assertEquals(challenge?.kind, "pathChallenge");
  if (challenge?.kind !== "pathChallenge") return;
  stage.handle(stage.seal({ ...challenge, kind: "pathResponse" }), LAN);
  assertEquals(stage.connection.session.address, LAN);
  stage.assertAlive();
});
