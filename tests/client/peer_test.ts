import { assert, assertEquals } from "@std/assert";
import {
  CLIENT_ID_MAX,
  matchesClient,
  matchesIdOrName,
  matchesPattern,
  parsePeer,
  peerWords,
} from "../../client/peer.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";

const KEY = new Uint8Array(32).fill(1);
const OTHER_KEY = new Uint8Array(32).fill(2);

Deno.test("parsePeer() reads a number as a client id, anything else as a name", () => {
  assertEquals(parsePeer("007"), { ok: true, value: 7 });
  assertEquals(parsePeer(`${CLIENT_ID_MAX}`), { ok: true, value: CLIENT_ID_MAX });
  assertEquals(parsePeer("2x"), { ok: true, value: "2x" });
});

Deno.test("parsePeer() says why a text is neither", () => {
  const error = 'expected a client id from 1 to 4294967295, got "0"';
  assertEquals(parsePeer("0"), { ok: false, error });
  assertEquals(parsePeer("@ana"), { ok: false, error: 'a name cannot start with "@"' });
});

Deno.test("matchesPattern() finds part of a name, parts in order between stars, or an id", () => {
  const found = (pattern: string): boolean => matchesPattern(pattern, 12, "Anabel");
  assertEquals(["ana", "ABE", "*bel", "a*l", "12"].map(found), Array(5).fill(true));
  assertEquals(["anne", "b*a", "1", "ana bel"].map(found), Array(4).fill(false));
  assertEquals([matchesPattern("*", 1, ""), matchesPattern("a", 1, "")], [true, false]);
});

Deno.test("matchesIdOrName() compares names without regard to case", () => {
  assert(matchesIdOrName(2, 2, "bob"));
  assert(matchesIdOrName("BOB", 2, "bob"));
  assert(!matchesIdOrName(3, 2, "bob"));
  assert(!matchesIdOrName("2", 2, "bob"));
});

Deno.test("matchesIdOrName() matches no client without a name by an empty name", () => {
  assert(!matchesIdOrName("", 2, ""));
});

Deno.test("matchesClient() matches a fingerprint by the key alone", () => {
  assert(matchesClient("bob", 2, "bob", KEY));
  assert(matchesClient(fingerprint(KEY).replaceAll(" ", "-"), 2, "bob", KEY));
  assert(!matchesClient(fingerprint(KEY), 2, "bob", OTHER_KEY));
});

Deno.test("peerWords() marks an id as one of a client", () => {
  assertEquals(peerWords(2), "client 2");
  assertEquals(peerWords("bob"), "bob");
});
