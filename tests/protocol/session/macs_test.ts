import { assert, assertEquals, assertLess } from "@std/assert";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import {
  COOKIE_LIFE,
  Cookies,
  encodeInitiation,
  hasMac1,
  mac1Key,
  openCookie,
} from "../../../protocol/session/macs.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { mac1, mac2 } from "../../../protocol/wire/codes.ts";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import type { CookieReply } from "../../../protocol/wire/frame.ts";
import { Prng } from "../../support/random.ts";

const prng = new Prng(1);
const HERE: Address = { hostname: "192.0.2.1", port: 1000 };
const OTHERS: Address[] = [{ ...HERE, port: 1001 }, { ...HERE, hostname: "192.0.2.10" }];
const { publicKey } = makeKeyPair(prng.bytes);
const MESSAGE_ONE = prng.bytes(100);
const INITIATION = encodeInitiation(MESSAGE_ONE, publicKey);

/** The frame in a Cookie Reply. */
function frameIn(bytes: Uint8Array): CookieReply {
  const decoded = decodeDatagram(bytes);
  assert(decoded.ok);
  const [frame] = decoded.value.frames;
  assert(frame?.kind === "cookieReply");
  return frame;
}

/** The Initiation, as its sender repeats it with the cookie in an answer. */
function withCookie(reply: Uint8Array): Uint8Array {
  const cookie = openCookie(frameIn(reply), publicKey, INITIATION);
  assert(cookie !== undefined);
  return encodeInitiation(MESSAGE_ONE, publicKey, cookie);
}

Deno.test("encodeInitiation() makes 154 bytes: a header, message one and both codes", () => {
  assertEquals(INITIATION.length, 154);
  const decoded = decodeDatagram(INITIATION);
  assert(decoded.ok);
  assertEquals(decoded.value.frames.map(({ kind }) => kind), ["initiation", "macs"]);
  assert(mac2(INITIATION).code.every((byte) => byte === 0), "without a cookie");
});

Deno.test("hasMac1() takes an Initiation for this key, and none that was changed or cut", () => {
  const bytes = INITIATION.slice();
  assert(hasMac1(bytes, mac1Key(publicKey)));
  assert(!hasMac1(bytes, mac1Key(makeKeyPair(prng.bytes).publicKey)));
  for (let bit = 0; bit < 8 * (bytes.length - 16); bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert(!hasMac1(bytes, mac1Key(publicKey)), `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
});

Deno.test("mac1 is the same however often a message one is sent, with a cookie or without", () => {
  const again = encodeInitiation(MESSAGE_ONE, publicKey, prng.bytes(16));
  assertEquals(mac1(again).code, mac1(INITIATION).code);
  assert(mac2(again).code.some((byte) => byte !== 0));
});

Deno.test("Cookies know a cookie again from its address, and from no other", () => {
  const cookies = new Cookies(0, publicKey, prng.bytes);
  const proven = withCookie(cookies.reply(0, INITIATION, HERE));
  assert(cookies.isGood(0, proven, HERE));
  for (const other of OTHERS) assert(!cookies.isGood(0, proven, other));
  assert(!cookies.isGood(0, INITIATION, HERE), "without a cookie");
  assert(!cookies.isGood(0, proven.with(20, proven[20]! ^ 1), HERE), "another Initiation");
  assert(!new Cookies(0, publicKey, prng.bytes).isGood(0, proven, HERE), "of somebody else");
});

Deno.test("a cookie is good for 120 s, and for no more than twice that, after any idle time", () => {
  for (const madeAt of [0, 1, COOKIE_LIFE - 1, COOKIE_LIFE, 10 * COOKIE_LIFE]) {
    for (const age of [0, COOKIE_LIFE, 2 * COOKIE_LIFE, 3 * COOKIE_LIFE, 1000 * COOKIE_LIFE]) {
      const cookies = new Cookies(0, publicKey, prng.bytes);
      const proven = withCookie(cookies.reply(madeAt, INITIATION, HERE));
      assertEquals(cookies.isGood(madeAt + age, proven, HERE), age <= COOKIE_LIFE);
    }
  }
});

Deno.test("a Cookie Reply is smaller than what it answers", () => {
  const reply = new Cookies(0, publicKey, prng.bytes).reply(0, INITIATION, HERE);
  assertEquals(reply.length, 75);
  assertLess(reply.length, INITIATION.length);
});

Deno.test("openCookie() opens the answer to this message one only, unchanged, from the owner of the key", () => {
  const reply = frameIn(new Cookies(0, publicKey, prng.bytes).reply(0, INITIATION, HERE));
  assert(openCookie(reply, publicKey, INITIATION) !== undefined);
  const other = encodeInitiation(prng.bytes(100), publicKey);
  assertEquals(openCookie(reply, publicKey, other), undefined);
  assertEquals(openCookie(reply, makeKeyPair(prng.bytes).publicKey, INITIATION), undefined);
  for (const field of ["nonce", "cookie"] as const) {
    for (let at = 0; at < reply[field].length; at++) {
      const changed = { ...reply, [field]: reply[field].with(at, reply[field][at]! ^ 1) };
      assertEquals(openCookie(changed, publicKey, INITIATION), undefined);
    }
  }
});

Deno.test("openCookie() opens a reply to an earlier transmission of the same message one", () => {
  const cookies = new Cookies(0, publicKey, prng.bytes);
  const again = withCookie(cookies.reply(0, INITIATION, HERE));
  // Its cookie was too old: the responder answers once more.
  const renewed = frameIn(cookies.reply(0, again, HERE));
  assert(openCookie(renewed, publicKey, INITIATION) !== undefined);
  assert(openCookie(renewed, publicKey, again) !== undefined);
});

Deno.test("openCookie() survives a reply before anything was sent", () => {
  const reply = frameIn(new Cookies(0, publicKey, prng.bytes).reply(0, INITIATION, HERE));
  assertEquals(openCookie(reply, publicKey, new Uint8Array()), undefined);
});
