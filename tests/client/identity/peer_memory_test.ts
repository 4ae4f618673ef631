import { assert, assertEquals, assertMatch } from "@std/assert";
import { type ErrorEvent, errorEvent, type IdentityEvent } from "../../../client/event.ts";
import type { Peer } from "../../../client/peer.ts";
import { toHex } from "../../../cli/hex.ts";
import { KnownPeers } from "../../../client/identity/known_peers.ts";
import {
  type Answer,
  PeerMemory,
  type PeerMemoryOptions,
  type PeerStore,
} from "../../../client/identity/peer_memory.ts";
import { failure, type Result, success } from "../../../protocol/result.ts";
import { fingerprint, shortAuthenticationString } from "../../../protocol/crypto/fingerprint.ts";

const DATE = new Date("2026-01-05T10:00:00Z");
const OWN = new Uint8Array(32).fill(1);
const BOB = new Uint8Array(32).fill(2);
const EVE = new Uint8Array(32).fill(3);
const CLEO = new Uint8Array(32).fill(4);
const HASH = new Uint8Array(32).fill(4);

/** A memory, and its known peers, which outlive restart(). */
class Stage {
  readonly store: PeerStore;
  memory: PeerMemory;

  constructor(acceptAll = false) {
    const peers = new KnownPeers();
    this.store = { content: peers, change: (change) => change(peers) };
    this.memory = this.restart(acceptAll);
  }

  restart(acceptAll = false, more: Partial<PeerMemoryOptions> = {}): PeerMemory {
    const { store } = this;
    const kept = { store, ownKey: OWN, identityFile: "/x/identity" };
    return this.memory = new PeerMemory({ ...kept, acceptAll, isAttended: true, ...more });
  }

  rings(peer: number, name: string, key: Uint8Array): IdentityEvent | undefined {
    return this.memory.handle({ kind: "request", peer, name, key }, DATE);
  }

  connects(
    peer: number,
    name: string,
    key: Uint8Array,
    calledAs?: Peer,
  ): IdentityEvent | undefined {
    const connected = { kind: "connected", peer, name, key, hash: HASH, path: "direct" } as const;
    const isHeld = !this.isTrusted(key, name, calledAs);
    const more = { ...isHeld && { isHeld }, ...calledAs !== undefined && { calledAs } };
    return this.memory.handle({ ...connected, ...more }, DATE);
  }

  isTrusted(key: Uint8Array, name: string, calledAs?: Peer): boolean {
    return this.memory.isTrusted(key, name, calledAs);
  }

  isBlocked(key: Uint8Array): boolean {
    return this.store.content.isBlocked(toHex(key));
  }
}

/** The lines of the answer, or the message of the error. */
function lines(answer: Result<Answer, ErrorEvent>): readonly string[] {
  return answer.ok ? answer.value.lines : [answer.error.message];
}

Deno.test("PeerMemory reports a key as new until a connection is accepted", () => {
  const stage = new Stage();
  const unknown = {
    kind: "identity",
    peer: 2,
    name: "bob",
    fingerprint: fingerprint(BOB),
    known: "new",
    isOwn: false,
    formerName: "",
    lastSeen: undefined,
  };
  assertEquals(stage.rings(2, "bob", BOB), unknown as IdentityEvent);
  assertEquals(stage.rings(2, "bob", BOB)?.known, "new", "a request does not make it known");
  assertEquals(stage.connects(2, "bob", BOB)?.known, "new");
  stage.restart();
  assertEquals(stage.rings(7, "bob", BOB), { ...unknown, peer: 7, known: "same" } as IdentityEvent);
  assertEquals(stage.connects(7, "rob", BOB)?.formerName, "bob");
});

Deno.test("PeerMemory reports a changed key until it is trusted", () => {
  const stage = new Stage();
  stage.connects(2, "bob", BOB);
  const warned = stage.rings(3, "BOB", EVE);
  assertEquals([warned?.known, warned?.lastSeen], ["changed", DATE]);
  for (let times = 0; times < 2; times++) {
    assertEquals(stage.connects(3, "bob", EVE)?.known, "changed");
    stage.restart();
  }
  assertEquals([stage.isTrusted(EVE, "bob"), stage.isTrusted(BOB, "bob")], [false, true]);
  assertMatch(lines(stage.memory.trust("bob", DATE))[0]!, /^Trusted bob: key \d{5}/);
  stage.restart();
  assertEquals(stage.rings(3, "bob", EVE)?.known, "same");
  assertEquals([stage.isTrusted(EVE, "bob"), stage.isTrusted(BOB, "bob")], [true, false]);
});

Deno.test("PeerMemory judges a key by the name that it was called by, too", () => {
  const stage = new Stage();
  stage.connects(2, "ana", BOB);
  for (const name of ["", "eve"]) {
    assertEquals(stage.isTrusted(EVE, name, "ana"), false, name);
    assertEquals(stage.isTrusted(BOB, name, "ana"), true, name);
    assertEquals(stage.connects(3, name, EVE, "ana")?.known, "changed");
  }
  assertEquals(stage.isTrusted(EVE, "eve", undefined), true);
  assertEquals(stage.isTrusted(EVE, "eve", 3), true);
  assert(stage.memory.trust("ana", DATE).ok);
  assertEquals([stage.isTrusted(EVE, "", "ana"), stage.isTrusted(BOB, "", "ana")], [true, false]);
});

Deno.test("PeerMemory trusts only the key of --key in the peer that --connect names", () => {
  const stage = new Stage();
  stage.restart(false, { expected: { peer: "ana", fingerprint: fingerprint(BOB) } });
  assertEquals([stage.isTrusted(BOB, "ana", "ana"), stage.isTrusted(EVE, "ana", "ana")], [
    true,
    false,
  ]);
  assertEquals(stage.isTrusted(EVE, "carol", "carol"), true);
  stage.connects(4, "ana", EVE);
  stage.restart(false, { expected: { peer: "ana", fingerprint: fingerprint(BOB) } });
  assertEquals(stage.isTrusted(BOB, "ana", "ana"), true, "named in place of another");
  stage.connects(2, "ana", BOB, "ana");
  stage.restart();
  assertEquals([stage.isTrusted(BOB, "ana"), stage.isTrusted(EVE, "ana")], [true, false]);
});

Deno.test("PeerMemory trusts by id, name and fingerprint, but in a script only by fingerprint", () => {
  for (const peer of [3, "bob", "BOB", fingerprint(EVE)]) {
    for (const isAttended of [true, false]) {
      const stage = new Stage();
      stage.connects(2, "bob", BOB);
      stage.restart(false, { isAttended });
      stage.rings(3, "bob", EVE);
      const answer = stage.memory.trust(peer, DATE);
      assertEquals(answer.ok, isAttended || peer === fingerprint(EVE));
      if (!answer.ok) assertMatch(answer.error.message, /a script has to name the fingerprint$/);
      assertEquals(stage.isTrusted(EVE, "bob"), answer.ok);
    }
  }
});

Deno.test("PeerMemory trusts no peer by a name that two new keys have, or none", () => {
  const stage = new Stage();
  stage.connects(2, "bob", BOB);
  assertEquals(lines(stage.memory.trust("bob", DATE)), [
    "Cannot trust bob: no new key came under that name",
  ]);
  stage.connects(3, "bob", EVE);
  stage.restart();
  stage.rings(3, "bob", new Uint8Array(32).fill(9));
  assertMatch(lines(stage.memory.trust("bob", DATE))[0]!, /more than one; name the fingerprint/);
  assert(stage.memory.trust(fingerprint(EVE), DATE).ok);
});

Deno.test("PeerMemory recognizes its own key, and does not store it", () => {
  const stage = new Stage();
  stage.connects(5, "bob", BOB);
  const own = stage.connects(2, "bob", OWN);
  assertEquals([own?.known, own?.isOwn, own?.formerName], ["same", true, ""]);
  assertEquals(stage.store.content.list().length, 1);
  assertEquals(lines(stage.memory.block(2)), ["Cannot block bob: that is your own key"]);
});

Deno.test("PeerMemory stores only requested keys where all requests are accepted", () => {
  const stage = new Stage(true);
  stage.connects(3, "eve", EVE);
  assertEquals(stage.store.content.list(), []);
  stage.connects(2, "bob", BOB, "bob");
  stage.connects(4, "cleo", CLEO, 4);
  for (const key of [BOB, CLEO]) assertEquals(stage.store.content.isKnown(toHex(key)), true);
  stage.connects(3, "eve", EVE);
  assertEquals(stage.store.content.isKnown(toHex(EVE)), false);
});

Deno.test("PeerMemory shows its own fingerprint, and where the key is kept", () => {
  assertEquals(new Stage().memory.ownFingerprint().lines, [
    `Your fingerprint: ${fingerprint(OWN)} · kept in /x/identity`,
  ]);
  const { store } = new Stage();
  const options = {
    store,
    ownKey: OWN,
    identityFile: undefined,
    acceptAll: false,
    isAttended: true,
  };
  assertEquals(new PeerMemory(options).ownFingerprint().lines, [
    `Your fingerprint: ${fingerprint(OWN)} · for this run only`,
  ]);
});

Deno.test("PeerMemory shows the verification digits of the given connection", () => {
  const stage = new Stage();
  const nothing = failure(errorEvent("notConnected", "Not connected: nothing to verify"));
  assertEquals([stage.memory.verify(undefined), stage.memory.verify(2)], [nothing, nothing]);
  stage.connects(2, "bob", BOB);
  const [digits, instruction, ...more] = lines(stage.memory.verify(2));
  assertEquals(digits, `Verify: ${shortAuthenticationString(HASH)}`);
  assertMatch(instruction!, /^Ask bob/);
  assertEquals(more, []);
  stage.connects(3, "eve", EVE);
  assertMatch(lines(stage.memory.verify(3))[1]!, /^Ask eve/);
  assertMatch(lines(stage.memory.verify(2))[1]!, /^Ask bob/);
  stage.memory.handle(
    { kind: "terminated", peer: 2, name: "bob", by: "peer", undelivered: 0 },
    DATE,
  );
  assertEquals([stage.memory.verify(undefined), stage.memory.verify(2)], [nothing, nothing]);
});

Deno.test("PeerMemory shows the digits of the new session after the peer came back", () => {
  const stage = new Stage();
  const hash = new Uint8Array(32).fill(5);
  stage.connects(2, "bob", BOB);
  const returned = { kind: "returned", peer: 2, name: "bob", key: BOB, hash } as const;
  stage.memory.handle({ ...returned, who: "peer" }, DATE);
  assertEquals(lines(stage.memory.verify(2))[0], `Verify: ${shortAuthenticationString(hash)}`);
});

Deno.test("PeerMemory blocks by id, name and fingerprint, also for later runs", () => {
  for (const peer of [3, "eve", "EVE", fingerprint(EVE)]) {
    const stage = new Stage();
    stage.rings(2, "bob", BOB);
    stage.rings(3, "eve", EVE);
    const answer = stage.memory.block(peer);
    const words = `Blocked eve: requests with the key ${fingerprint(EVE)} ring no more`;
    const client = { id: 3, name: "eve", fingerprint: fingerprint(EVE) };
    const event = { kind: "block", client } as const;
    assertEquals(answer, success({ lines: [words], event, blocked: toHex(EVE) }));
    assertEquals([stage.memory.hasKey(3, toHex(EVE)), stage.memory.hasKey(2, toHex(EVE))], [
      true,
      false,
    ]);
    stage.restart();
    assertEquals([stage.isBlocked(EVE), stage.isBlocked(BOB)], [true, false]);
    assertEquals(lines(stage.memory.block("eve")), ["eve is blocked already"]);
  }
});

Deno.test("PeerMemory blocks the latest key with a name before the known one", () => {
  const stage = new Stage();
  stage.connects(2, "bob", BOB);
  stage.restart();
  stage.rings(3, "bob", EVE);
  stage.memory.block("bob");
  assertEquals([stage.isBlocked(EVE), stage.isBlocked(BOB)], [true, false]);
});

Deno.test("PeerMemory says that the connection with a blocked peer continues", () => {
  const stage = new Stage();
  stage.connects(2, "bob", BOB);
  assertEquals(lines(stage.memory.block(2))[1], "You are still connected: type terminate bob");
});

Deno.test("PeerMemory blocks no unknown or ambiguous peer", () => {
  const stage = new Stage();
  const errorOf = (peer: Peer): string => {
    const answer = stage.memory.block(peer);
    assert(!answer.ok && answer.error.code === "unknownPeer");
    return answer.error.message;
  };
  assertMatch(errorOf(4), /^Cannot block client 4: its key is not known/);
  assertEquals(
    errorOf("bob"),
    "Cannot block bob: no peer that you met has that name or fingerprint",
  );
  assertMatch(errorOf(fingerprint(BOB)), /no peer that you met has that name or fingerprint$/);
  stage.connects(2, "bob", BOB);
  stage.connects(3, "bob", EVE);
  stage.restart();
  assertMatch(
    errorOf("bob"),
    new RegExp(`more than one.*${fingerprint(BOB)}, ${fingerprint(EVE)}`),
  );
});

Deno.test("PeerMemory unblocks by name, fingerprint and id, and lists the blocked peers", () => {
  const stage = new Stage();
  assertEquals(lines(stage.memory.unblock(undefined)), ["Nobody is blocked"]);
  stage.rings(2, "", BOB);
  stage.rings(3, "eve", EVE);
  stage.memory.block(2);
  stage.memory.block(3);
  assertEquals(lines(stage.memory.unblock(undefined)), [
    "Blocked: 2",
    fingerprint(BOB),
    `${fingerprint(EVE)}  eve`,
  ]);
  const hyphens = fingerprint(BOB).replaceAll(" ", "-");
  assertEquals(stage.memory.blockedWords(), [hyphens, "eve"]);
  assertEquals(lines(stage.memory.unblock("carol")), ["Cannot unblock carol: not blocked"]);
  assertEquals(lines(stage.memory.unblock(9)), ["Cannot unblock client 9: not blocked"]);
  assertEquals(lines(stage.memory.unblock("eve")), ["Unblocked eve: requests ring again"]);
  stage.memory.unblock(2);
  assertEquals([stage.isBlocked(EVE), stage.isBlocked(BOB)], [false, false]);
  stage.memory.block(2);
  stage.restart();
  stage.memory.unblock(fingerprint(BOB));
  assertEquals(stage.isBlocked(BOB), false);
});

Deno.test("PeerMemory bounds the clients that it remembers by id", () => {
  const stage = new Stage();
  for (let id = 1; id <= 1001; id++) stage.rings(id, "", EVE);
  assertEquals([stage.memory.hasKey(1, toHex(EVE)), stage.memory.hasKey(2, toHex(EVE))], [
    false,
    true,
  ]);
});
