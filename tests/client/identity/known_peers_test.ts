import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  KNOWN_PEERS_MAX,
  KnownPeers,
  type ParsedKnownPeers,
} from "../../../client/identity/known_peers.ts";
import { BOB, EVE, keyOf, KNOWN_PEERS, MONDAY, TUESDAY } from "./known_keys.ts";

function parse(text: string): ParsedKnownPeers {
  const parsed = KnownPeers.parse(text);
  assert(parsed.ok);
  return parsed.value;
}

Deno.test("KnownPeers writes and parses the documented lines", () => {
  const peers = new KnownPeers();
  peers.recordConnection(BOB, "bob", MONDAY);
  peers.recordConnection(BOB, "bob", TUESDAY);
  peers.block(EVE, "eve");
  assertEquals(peers.format(), KNOWN_PEERS);
  const read = parse(KNOWN_PEERS);
  assertEquals([read.content.format(), read.badLines], [KNOWN_PEERS, []]);
});

Deno.test("KnownPeers recognizes a known key under the same or another name", () => {
  const { content: peers } = parse(KNOWN_PEERS);
  assertEquals(peers.recognize(BOB, "bob"), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(BOB, "BOB"), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(BOB, "robert"), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(BOB, ""), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(keyOf(3), "carol"), { known: "new" });
  assertEquals(peers.recognize(keyOf(3), ""), { known: "new" });
});

Deno.test("KnownPeers reports a new key under a known name", () => {
  const { content: peers } = parse(KNOWN_PEERS);
  const changed = { known: "changed" as const, lastSeen: "2026-01-06T11:30:00Z" };
  assertEquals(peers.recognize(keyOf(3), "bob"), changed);
  assertEquals(peers.recognize(keyOf(3), "ＢＯＢ"), changed, "the same name");
  peers.recordConnection(keyOf(4), "dave", MONDAY);
  assertEquals(peers.recognize(keyOf(4), "bob"), changed, "a known key with the name of another");
});

Deno.test("KnownPeers keeps both keys of a name until one of them is trusted", () => {
  for (const trusted of [BOB, EVE]) {
    const { content: peers } = parse(KNOWN_PEERS);
    peers.unblock(EVE);
    for (const date of [MONDAY, TUESDAY]) peers.recordUntrusted(EVE, "bob", date);
    assertMatch(peers.format(), new RegExp(`${EVE} \\S+ 2026-01-06T\\S+ untrusted bob\n`));
    const { content: read } = parse(peers.format());
    for (const each of [peers, read]) {
      assertEquals(each.recognize(EVE, "bob").known, "changed", "used, but not trusted");
      assertEquals(each.recognize(BOB, "bob").known, "same");
      assertEquals(each.recognize(keyOf(7), "bob").known, "changed");
    }
    read.trust(trusted, ["bob"], TUESDAY);
    assertEquals(read.list().map(({ key, isUntrusted }) => [key, isUntrusted]), [[trusted, false]]);
    assertEquals(read.recognize(trusted, "bob").known, "same");
  }
});

Deno.test("KnownPeers keeps the name of a known key that comes under another's", () => {
  const peers = new KnownPeers();
  peers.recordConnection(BOB, "bob", MONDAY);
  peers.recordConnection(EVE, "eve", MONDAY);
  peers.recordUntrusted(EVE, "bob", TUESDAY);
  assertEquals(peers.recognize(EVE, "eve").known, "same");
  assertEquals(peers.recognize(EVE, "bob").known, "changed");
});

Deno.test("KnownPeers does not trust an untrusted key by blocking and unblocking it", () => {
  const peers = new KnownPeers();
  peers.recordConnection(BOB, "bob", MONDAY);
  peers.recordUntrusted(EVE, "bob", MONDAY);
  peers.block(EVE, "bob");
  peers.recordUntrusted(EVE, "bob", TUESDAY);
  const { content: read } = parse(peers.format());
  assertEquals(read.isBlocked(EVE), true);
  read.unblock(EVE);
  assertEquals([read.isKnown(EVE), read.recognize(EVE, "bob").known], [false, "changed"]);
});

Deno.test("KnownPeers keeps the block of a key whose name it gives to another", () => {
  const peers = new KnownPeers();
  peers.recordConnection(BOB, "bob", MONDAY);
  peers.block(BOB, "bob");
  peers.trust(EVE, ["bob"], TUESDAY);
  assertEquals([peers.isKnown(BOB), peers.isBlocked(BOB), peers.isKnown(EVE)], [false, true, true]);
});

Deno.test("KnownPeers forgets untrusted keys first", () => {
  const peers = new KnownPeers();
  peers.recordConnection(BOB, "bob", MONDAY);
  for (let number = 10; number < 10 + KNOWN_PEERS_MAX; number++) {
    peers.recordUntrusted(keyOf(number), "bob", TUESDAY);
  }
  assertEquals([peers.isKnown(BOB), peers.list().length], [true, KNOWN_PEERS_MAX]);
});

Deno.test("KnownPeers reports a new key under a name that looks like a known one", () => {
  const { content: peers } = parse(KNOWN_PEERS);
  const changed = { known: "changed" as const, lastSeen: "2026-01-06T11:30:00Z" };
  for (const name of ["ЬоЬ", "b0b", "bób"]) {
    assertEquals(peers.recognize(keyOf(3), name), { ...changed, similarName: "bob" }, name);
  }
  assertEquals(peers.recognize(keyOf(3), "bobby"), { known: "new" });
  assertEquals(peers.recognize(keyOf(3), "еvе"), { known: "new" }, "eve was only blocked");
  peers.recordConnection(keyOf(4), "ЬоЬ", MONDAY);
  assertEquals(peers.recognize(keyOf(4), "ЬоЬ").known, "same", "the connection was accepted");
  assertEquals(peers.recognize(keyOf(5), "bob"), changed, "the last seen, which is the same name");
});

Deno.test("KnownPeers does not reserve the name of a key that was only blocked", () => {
  const { content: peers } = parse(KNOWN_PEERS);
  assertEquals(peers.recognize(keyOf(3), "eve"), { known: "new" });
  assertEquals(peers.recognize(EVE, "eve"), { known: "new" });
});

Deno.test("KnownPeers keeps keys blocked until they are unblocked, known or not", () => {
  const { content: peers } = parse(KNOWN_PEERS);
  assertEquals([peers.isBlocked(BOB), peers.isBlocked(EVE)], [false, true]);
  peers.block(BOB, "");
  peers.recordConnection(BOB, "bob", TUESDAY);
  assertEquals(peers.isBlocked(BOB), true);
  const { content: again } = parse(peers.format());
  assertEquals([again.isBlocked(BOB), again.isBlocked(EVE)], [true, true]);
  for (const key of [BOB, EVE, keyOf(9)]) again.unblock(key);
  assertEquals(again.list().map(({ key, isBlocked }) => [key, isBlocked]), [[BOB, false]]);
});

Deno.test("KnownPeers keeps comments and lines that it cannot parse", () => {
  const bad = [
    "# my friends",
    `${BOB} 2026-01-05 2026-01-06 known bob`,
    `${BOB.slice(1)} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known bob`,
    `${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z trusted bob`,
    `${BOB} 2026-13-05T10:00:00Z 2026-01-06T11:30:00Z known bob`,
    `${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known bob smith`,
    `${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known 12`,
    `${BOB} - - known bob`,
    "<<<<<<< theirs",
  ];
  const text = ["# udp-chat known_peers 1", ...bad, `${EVE} - - blocked`, ""].join("\n");
  const { content: peers, badLines } = parse(text);
  assertEquals(badLines, [3, 4, 5, 6, 7, 8, 9, 10]);
  assertEquals(peers.list().map(({ key }) => key), [EVE]);
  assertEquals(peers.format(), text);
});

Deno.test("KnownPeers keeps a key whose name is no longer good, without the name", () => {
  const line = `${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known`;
  const { content: peers, badLines } = parse(`# udp-chat known_peers 1\n${line} bob!\n`);
  assertEquals([peers.format(), badLines], [`# udp-chat known_peers 1\n${line}\n`, []]);
  assertEquals(peers.recognize(BOB, "bob").known, "same");
});

Deno.test("KnownPeers parses files without title, with CRLF, and without the last line end", () => {
  const lines = KNOWN_PEERS.split("\n").slice(1, 3);
  for (const text of [lines.join("\n"), lines.join("\r\n"), `\n\n${lines.join("\n\n")}`]) {
    const { content: peers, badLines } = parse(text);
    assertEquals([peers.format(), badLines], [KNOWN_PEERS, []]);
  }
});

Deno.test("KnownPeers merges two lines for one key, and blocks it if either does", () => {
  const first = `${BOB} 2026-01-05T10:00:00Z 2026-01-05T10:00:00Z blocked bobby\n`;
  const { content: peers } = parse(first + KNOWN_PEERS);
  const [, bob] = peers.list().map(({ name, isBlocked }) => ({ name, isBlocked })).reverse();
  assertEquals(bob, { name: "bob", isBlocked: true });
});

Deno.test("KnownPeers rejects a file of another version", () => {
  const text = KNOWN_PEERS.replace("known_peers 1", "known_peers 2");
  assertEquals(KnownPeers.parse(text), { ok: false, error: "it is of version 2" });
});

Deno.test("KnownPeers writes no invalid name", () => {
  for (const name of ["a b", "x\ny", "\u2028", "\x1b[2J", "12", "x".repeat(33), "\u202e"]) {
    const peers = new KnownPeers();
    peers.recordConnection(BOB, name, MONDAY);
    assertMatch(peers.format(), /^# [^\n]+\n0{63}1 \S{20} \S{20} known\n$/);
  }
});

Deno.test("KnownPeers forgets the least recently connected key, and blocked keys last", () => {
  const peers = new KnownPeers();
  peers.block(EVE, "eve");
  const minute = (count: number): Date => new Date(MONDAY.getTime() + count * 60_000);
  for (let number = 10; number < 10 + KNOWN_PEERS_MAX; number++) {
    peers.recordConnection(keyOf(number), "", minute(number));
  }
  assertEquals(peers.list().length, KNOWN_PEERS_MAX);
  assertEquals([peers.isKnown(keyOf(10)), peers.isKnown(keyOf(11))], [false, true]);
  peers.recordConnection(keyOf(11), "", minute(KNOWN_PEERS_MAX + 20));
  peers.recordConnection(keyOf(5), "", minute(KNOWN_PEERS_MAX + 21));
  assertEquals([peers.isKnown(keyOf(11)), peers.isKnown(keyOf(12))], [true, false]);
  assertEquals(peers.isBlocked(EVE), true);
  assertEquals(peers.list().length, KNOWN_PEERS_MAX);
});
