import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { toHex } from "../../support/hex.ts";
import { open, rekey } from "../../../protocol/crypto/aead.ts";
import { REPLAY_WINDOW } from "../../../protocol/crypto/replay_window.ts";
import { Opener, REKEY_INTERVAL, Sealer } from "../../../protocol/crypto/seal.ts";
import { Prng } from "../../support/random.ts";

const KEY = new Prng(1).bytes(32);
const HEADER = new Uint8Array(16).fill(7);

/** What one end seals, and at which counter. */
interface Sealed {
  readonly packet: number;
  readonly bytes: Uint8Array;
}

function sealed(sealer: Sealer, text = "frames"): Sealed {
  const { packet } = sealer;
  return { packet, bytes: sealer.seal(HEADER, new TextEncoder().encode(text)) };
}

function opened(opener: Opener, { packet, bytes }: Sealed, header = HEADER): string | undefined {
  const frames = opener.open(packet, header, bytes);
  return frames && new TextDecoder().decode(frames);
}

/** Datagrams from this counter on, as a Sealer that came there by itself would have made them. */
function sealedFrom(packet: number, count: number): Sealed[] {
  const sealer = new Sealer(KEY, packet);
  return Array.from({ length: count }, (_, index) => sealed(sealer, `text ${packet + index}`));
}

Deno.test("Sealer counts from 0, one for each datagram, and no two are alike", () => {
  const sealer = new Sealer(KEY);
  const all = Array.from({ length: 100 }, () => sealed(sealer, "the same"));
  assertEquals(all.map(({ packet }) => packet), Array.from({ length: 100 }, (_, index) => index));
  assertEquals(new Set(all.map(({ bytes }) => toHex(bytes))).size, 100);
});

Deno.test("Opener takes every datagram once, in any order", () => {
  const all = sealedFrom(0, 10);
  const opener = new Opener(KEY);
  for (const index of [3, 0, 9, 1, 2, 8, 7, 4, 6, 5]) {
    assertEquals(opened(opener, all[index]!), `text ${index}`);
    assertEquals(opened(opener, all[index]!), undefined);
  }
  for (const each of all) assertEquals(opened(opener, each), undefined);
});

Deno.test("Opener takes no datagram that is 2048 or more below the highest", () => {
  const all = sealedFrom(0, REPLAY_WINDOW + 2);
  const opener = new Opener(KEY);
  assertEquals(opened(opener, all.at(-1)!), `text ${REPLAY_WINDOW + 1}`);
  assertEquals(opened(opener, all[0]!), undefined);
  assertEquals(opened(opener, all[1]!), undefined);
  assertEquals(opened(opener, all[2]!), "text 2");
});

Deno.test("Opener rejects every flipped bit of header and sealed bytes, and then takes the true one", () => {
  const opener = new Opener(KEY);
  const [datagram] = sealedFrom(0, 1);
  assert(datagram !== undefined);
  const header = HEADER.slice();
  for (const bytes of [header, datagram.bytes]) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(opened(opener, datagram, header), undefined);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  assertEquals(opener.highest, -1);
  assertEquals(opened(opener, datagram), "text 0");
});

Deno.test("Opener rejects a datagram under another counter than its own", () => {
  const opener = new Opener(KEY);
  const [datagram] = sealedFrom(5, 1);
  for (const packet of [0, 4, 6, 5 + REKEY_INTERVAL, 5 + 2 ** 32]) {
    assertEquals(opened(opener, { ...datagram!, packet }), undefined);
  }
  assertEquals(opened(opener, datagram!), "text 5");
});

Deno.test("Opener rejects a reflected datagram", () => {
  const [forward, backward] = [KEY, new Prng(2).bytes(32)];
  const [own] = sealedFrom(0, 1);
  assertEquals(opened(new Opener(backward), own!), undefined);
  assertEquals(opened(new Opener(forward), own!), "text 0");
});

Deno.test("Opener commits nothing on a forgery: not the counter, not the key", () => {
  const opener = new Opener(KEY);
  const all = sealedFrom(0, 3);
  assertEquals(opened(opener, all[0]!), "text 0");
  const forgeries = [1, 2, 5000, REKEY_INTERVAL, 2 * REKEY_INTERVAL, Number.MAX_SAFE_INTEGER];
  for (const packet of forgeries) {
    assertEquals(opened(opener, { packet, bytes: new Prng(packet).bytes(60) }), undefined);
    assertEquals(opener.highest, 0);
  }
  assertEquals(opened(opener, all[1]!), "text 1");
  assertEquals(opened(opener, all[2]!), "text 2");
});

Deno.test("both ends change to the key of Noise's REKEY() after 2^20 datagrams", () => {
  const [before, after] = sealedFrom(REKEY_INTERVAL - 1, 2);
  const counters = [REKEY_INTERVAL - 1, REKEY_INTERVAL].map(BigInt);
  assert(open(KEY, counters[0]!, HEADER, before!.bytes) !== undefined);
  assertEquals(open(KEY, counters[1]!, HEADER, after!.bytes), undefined);
  assert(open(rekey(KEY), counters[1]!, HEADER, after!.bytes) !== undefined);
  const [third] = sealedFrom(2 * REKEY_INTERVAL, 1);
  const third2 = BigInt(2 * REKEY_INTERVAL);
  assert(open(rekey(rekey(KEY)), third2, HEADER, third!.bytes) !== undefined);
  assertNotEquals(toHex(rekey(KEY)), toHex(KEY));
});

Deno.test("datagrams may be reordered across the change of the key", () => {
  const opener = new Opener(KEY);
  const all = sealedFrom(REKEY_INTERVAL - 4, 8);
  for (const index of [0, 5, 2, 7, 3, 4, 1, 6]) {
    assertEquals(opened(opener, all[index]!), `text ${REKEY_INTERVAL - 4 + index}`);
  }
  for (const each of all) assertEquals(opened(opener, each), undefined);
});

Deno.test("the key changes again and again", () => {
  const opener = new Opener(KEY);
  for (let phase = 0; phase < 5; phase++) {
    for (const packet of [phase * REKEY_INTERVAL, (phase + 1) * REKEY_INTERVAL - 1]) {
      const [datagram] = sealedFrom(packet, 1);
      assertEquals(opened(opener, datagram!), `text ${packet}`);
    }
  }
});

Deno.test("Opener takes the next key only: two keys ahead means a million lost datagrams", () => {
  const [one] = sealedFrom(REKEY_INTERVAL, 1);
  const [two] = sealedFrom(2 * REKEY_INTERVAL, 1);
  const opener = new Opener(KEY);
  assertEquals(opened(opener, two!), undefined);
  assertEquals(opened(opener, one!), `text ${REKEY_INTERVAL}`);
  assertEquals(opened(opener, two!), `text ${2 * REKEY_INTERVAL}`);
  // Two keys before is far below the replay window.
  assertEquals(opened(opener, sealedFrom(0, 1)[0]!), undefined);
});

Deno.test("a forged counter costs no more than one key and one try, however high it is", () => {
  const forgeries = [0, REKEY_INTERVAL, 2 ** 30, 2 ** 40, Number.MAX_SAFE_INTEGER];
  const bytes = new Prng(3).bytes(1100);
  for (const packet of forgeries) {
    const opener = new Opener(KEY);
    // Were each step taken, 2^40 would be a million keys, 2000 times over: this would not end.
    for (let left = 2000; left > 0; left--) {
      assertEquals(opener.open(packet, HEADER, bytes), undefined);
    }
  }
});

Deno.test("Sealer and Opener without an interval start at any counter, and keep their key", () => {
  for (const packet of [0, REKEY_INTERVAL - 1, 2 ** 48 - 1]) {
    const sealer = new Sealer(KEY, packet, Infinity);
    const opener = new Opener(KEY, Infinity);
    for (const datagram of [sealed(sealer), sealed(sealer)]) {
      assertEquals(opened(opener, datagram), "frames");
      assert(open(KEY, BigInt(datagram.packet), HEADER, datagram.bytes) !== undefined);
    }
  }
});

Deno.test("Sealer makes the same datagrams, whether their ciphers were made ahead or not", () => {
  const prng = new Prng(4);
  for (const from of [0, REKEY_INTERVAL - 20]) {
    const sealer = new Sealer(KEY, from);
    for (const expected of sealedFrom(from, 40)) {
      for (let times = prng.int(3); times > 0; times--) sealer.prepare();
      assertEquals(sealed(sealer, `text ${expected.packet}`), expected);
    }
  }
});

Deno.test("Opener makes no decipher ahead under a key that changes before it is used", () => {
  const opener = new Opener(KEY);
  for (const datagram of sealedFrom(REKEY_INTERVAL - 3, 6)) {
    opener.prepare();
    assertEquals(opened(opener, datagram), `text ${datagram.packet}`);
  }
});

Deno.test("Opener takes the same, whether a decipher was made ahead or not, used up by a forgery or stale", () => {
  const prng = new Prng(5);
  for (const from of [0, REKEY_INTERVAL - 20]) {
    const opener = new Opener(KEY);
    const all = sealedFrom(from, 40);
    // Neighbours change places, one in four is lost.
    for (let at = 0; at + 1 < all.length; at += 2) {
      if (prng.int(2) === 1) [all[at], all[at + 1]] = [all[at + 1]!, all[at]!];
    }
    for (const datagram of all.filter(() => prng.int(4) > 0)) {
      if (prng.int(2) === 1) opener.prepare();
      if (prng.int(2) === 1) {
        assertEquals(opened(opener, { ...datagram, bytes: prng.bytes(40) }), undefined);
      }
      assertEquals(opened(opener, datagram), `text ${datagram.packet}`);
      assertEquals(opened(opener, datagram), undefined);
    }
  }
});
