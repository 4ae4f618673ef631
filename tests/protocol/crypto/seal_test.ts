import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { open, rekey } from "../../../protocol/crypto/aead.ts";
import { REPLAY_WINDOW } from "../../../protocol/crypto/replay_window.ts";
import { Opener, REKEY_INTERVAL, Sealer } from "../../../protocol/crypto/seal.ts";
import { header, packetDatagram } from "../../reference/naive_handshake.ts";
import { toHex } from "../../support/hex.ts";
import { Prng } from "../../support/random.ts";

const KEY = new Prng(1).bytes(32);
const SESSION = 7;
const HEADER_SIZE = 16;

/** A datagram, and its counter. */
interface Sealed {
  readonly packet: number;
  readonly bytes: Uint8Array;
}

/** The next datagram of a sealer. */
function sealed(sealer: Sealer, text = "frames"): Sealed {
  const { packet } = sealer;
  const head = header(8, SESSION, packet);
  const bytes = Uint8Array.of(...head, ...new TextEncoder().encode(text), ...new Uint8Array(16));
  sealer.seal(bytes);
  return { packet, bytes };
}

function opened(opener: Opener, { packet, bytes }: Sealed): string | undefined {
  const frames = opener.open(packet, bytes);
  return frames && new TextDecoder().decode(frames.slice());
}

/** Datagrams from this counter on, as the naive implementation seals them. */
function sealedFrom(packet: number, count: number): Sealed[] {
  return Array.from({ length: count }, (_, index) => {
    const text = new TextEncoder().encode(`text ${packet + index}`);
    return { packet: packet + index, bytes: packetDatagram(KEY, SESSION, packet + index, text) };
  });
}

Deno.test("Sealer counts from 0, one for each datagram, and no two are alike", () => {
  const sealer = new Sealer(KEY);
  const all = Array.from({ length: 100 }, () => sealed(sealer, "the same"));
  assertEquals(all.map(({ packet }) => packet), Array.from({ length: 100 }, (_, index) => index));
  assertEquals(new Set(all.map(({ bytes }) => toHex(bytes.slice(HEADER_SIZE)))).size, 100);
});

Deno.test("Sealer seals in place what the naive implementation seals", () => {
  const sealer = new Sealer(KEY);
  for (const { packet, bytes } of sealedFrom(0, 20)) {
    assertEquals(toHex(sealed(sealer, `text ${packet}`).bytes), toHex(bytes));
  }
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

Deno.test("Opener.isAuthentic() knows a copy, and notes nothing", () => {
  const [first, second] = sealedFrom(0, 2) as [Sealed, Sealed];
  const opener = new Opener(KEY);
  assertEquals(opened(opener, first), "text 0");
  for (const { packet, bytes } of [first, second]) {
    assert(opener.isAuthentic(packet, bytes));
    assert(!opener.isAuthentic(packet, bytes.with(20, bytes[20]! ^ 1)));
  }
  assertEquals(opener.highest, 0);
  assertEquals(opened(opener, second), "text 1");
});

Deno.test("Opener takes no datagram that is 2048 or more below the highest", () => {
  const opener = new Opener(KEY);
  const [highest] = sealedFrom(REPLAY_WINDOW + 1, 1);
  const all = sealedFrom(0, 3);
  assertEquals(opened(opener, highest!), `text ${REPLAY_WINDOW + 1}`);
  assertEquals(opened(opener, all[0]!), undefined);
  assertEquals(opened(opener, all[1]!), undefined);
  assertEquals(opened(opener, all[2]!), "text 2");
});

Deno.test("Opener.receivedFrom() tells which of 32 counters came", () => {
  const opener = new Opener(KEY);
  const all = sealedFrom(0, 40);
  for (const packet of [0, 5, 6, 7, 39]) opened(opener, all[packet]!);
  assertEquals(opener.receivedFrom(39), 1);
  assertEquals(opener.receivedFrom(7), 0b1000_0111);
  // Bit 31 is that of packet 5.
  assertEquals(opener.receivedFrom(36), 0b111 << 29 >>> 0);
});

Deno.test("Opener rejects every flipped bit of a datagram, and then takes the true one", () => {
  const opener = new Opener(KEY);
  const [datagram] = sealedFrom(0, 1);
  assert(datagram !== undefined);
  const { bytes } = datagram;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(opened(opener, datagram), undefined);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  assertEquals(opener.highest, -1);
  assertEquals(opened(opener, datagram), "text 0");
});

Deno.test("Opener rejects a datagram that is shorter than a tag", () => {
  const [datagram] = sealedFrom(0, 1);
  const opener = new Opener(KEY);
  for (let size = HEADER_SIZE; size < HEADER_SIZE + 16; size++) {
    assertEquals(opened(opener, { packet: 0, bytes: datagram!.bytes.slice(0, size) }), undefined);
  }
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

Deno.test("an Opener changes to the key of Noise's REKEY() after 2^20 datagrams", () => {
  const all = sealedFrom(REKEY_INTERVAL - 1, 2);
  const keys = [KEY, rekey(KEY)];
  assertNotEquals(toHex(keys[0]!), toHex(keys[1]!));
  const opener = new Opener(KEY);
  for (const [index, { packet, bytes }] of all.entries()) {
    const [head, rest] = [bytes.slice(0, HEADER_SIZE), bytes.slice(HEADER_SIZE)];
    assert(open(keys[index]!, packet, head, rest) !== undefined);
    assertEquals(open(keys[1 - index]!, packet, head, rest), undefined);
    assertEquals(opened(opener, all[index]!), `text ${packet}`);
  }
});

Deno.test("a Sealer changes its key after 2^20 datagrams, where an Opener does", () => {
  const sealer = new Sealer(KEY);
  // The shortest that there are: it takes two seconds all the same.
  const shortest = new Uint8Array(HEADER_SIZE + 16);
  for (let left = REKEY_INTERVAL - 2; left > 0; left--) sealer.seal(shortest);
  for (const { packet, bytes } of sealedFrom(REKEY_INTERVAL - 2, 4)) {
    assertEquals(toHex(sealed(sealer, `text ${packet}`).bytes), toHex(bytes), `packet ${packet}`);
  }
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
    for (let left = 2000; left > 0; left--) assertEquals(opener.open(packet, bytes), undefined);
  }
});
