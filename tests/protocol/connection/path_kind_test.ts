// A connection tells which kind of path leads to the peer.
import { assertEquals } from "@std/assert";
import { CARRIED_PATIENCE, CONNECTION_TIMEOUT } from "../../../protocol/connection/silence.ts";
import { carriedTo, type PathKind } from "../../../protocol/wire/remote.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { ConnectionHarness, PEER } from "../../support/connection_harness.ts";

const LAN: Address = { hostname: "192.168.1.9", port: 2 };
const CARRIED = carriedTo(2);

/** Tells the connection of an address, and lets the peer answer its challenge there. */
function move(harness: ConnectionHarness, to: Address): void {
  const { connection, now } = harness;
  connection.session.tell(now, { addresses: [to], isNear: false, own: [] });
  const challenges = harness.sent().filter((sent) => sent.to.hostname === to.hostname)
    .flatMap(({ frames }) => frames).filter((frame) => frame.kind === "pathChallenge");
  for (const { nonce } of challenges) {
    harness.handle(harness.seal({ kind: "pathResponse", nonce }), to);
  }
}

/** The directory carries, where the peer is silent at the address in use. */
function fallBack(harness: ConnectionHarness): void {
  move(harness, CARRIED);
  harness.wait(5000);
}

/** The changes that were reported. */
function changes(harness: ConnectionHarness): [PathKind, PathKind, Address][] {
  return harness.events().filter((event) => event.kind === "path")
    .map(({ before, path, address }) => [before, path, address]);
}

Deno.test("Connection reports another kind of path when one takes over, and no other change of address", () => {
  const harness = new ConnectionHarness("responder");
  assertEquals([harness.connection.path, changes(harness)], ["direct", []]);
  fallBack(harness);
  assertEquals([harness.connection.path, changes(harness)], ["carried", [
    ["direct", "carried", CARRIED],
  ]]);
  move(harness, PEER);
  assertEquals([harness.connection.path, changes(harness)], ["direct", [
    ["carried", "direct", PEER],
  ]]);
  const ipv6 = { hostname: "2001:db8::2", port: 2 };
  move(harness, ipv6);
  assertEquals([harness.connection.session.address, changes(harness)], [ipv6, []]);
  move(harness, LAN);
  assertEquals([harness.connection.path, changes(harness)], ["lan", [["direct", "lan", LAN]]]);
});

Deno.test("Connection reports the kind of path of another session that it goes on in", () => {
  const harness = new ConnectionHarness("responder");
  fallBack(harness);
  harness.events();
  harness.resume(true);
  assertEquals(harness.events(), [
    { kind: "returned" },
    { kind: "path", path: "direct", before: "carried", address: PEER },
  ]);
});

Deno.test("Connection whose path is carried ends after 90 s of silence, a direct one after 60 s", () => {
  for (const path of ["carried", "direct"] as const) {
    const harness = new ConnectionHarness("requester");
    fallBack(harness);
    if (path === "direct") move(harness, PEER);
    harness.handle(
      harness.seal({ kind: "connectionKeepalive" }),
      path === "carried" ? CARRIED : PEER,
    );
    assertEquals(harness.connection.path, path);
    const limit = CONNECTION_TIMEOUT + (path === "carried" ? CARRIED_PATIENCE : 0);
    harness.wait(limit - 1);
    assertEquals([harness.connection.state, limit], ["open", path === "carried" ? 90_000 : 60_000]);
    harness.wait(1);
    assertEquals(harness.events().at(-1), { kind: "terminated", by: "timeout", undelivered: 0 });
  }
});

Deno.test("Connection reports no path after its end", () => {
  const harness = new ConnectionHarness("responder");
  harness.deliver({ kind: "connectionKeepalive" });
  harness.connection.abandon(harness.now, "local");
  harness.events();
  move(harness, LAN);
  assertEquals([harness.connection.session.address, harness.events()], [LAN, []]);
});
