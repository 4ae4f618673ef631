/**
 * The ciphers once more, each from its document alone: slow and simple, on big numbers.
 *
 * Only SHA-256 and HMAC come from `node:crypto`.
 *
 * @module
 */
import { createHash, createHmac } from "node:crypto";

const PRIME = 2n ** 255n - 19n;

/** All the bytes in one array. */
export function join(...parts: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

/** The bytes of a text. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** A number as so many bytes, big-endian. */
export function number(value: number | bigint, size: number): Uint8Array {
  const digits = BigInt(value).toString(16).padStart(2 * size, "0");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** A number as so many bytes, little-endian. */
function littleBytes(value: number | bigint, size: number): Uint8Array {
  return number(value, size).reverse();
}

/** The function X25519: the Montgomery ladder of RFC 7748, section 5. */
export function x25519(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const k = littleEndian(privateKey) & (2n ** 254n - 8n) | 2n ** 254n;
  const x1 = littleEndian(publicKey) % 2n ** 255n;
  let [x2, z2, x3, z3] = [1n, 0n, x1, 1n];
  let swap = false;
  const mod = (value: bigint): bigint => ((value % PRIME) + PRIME) % PRIME;
  for (let t = 254n; t >= 0n; t--) {
    const isOne = (k >> t & 1n) === 1n;
    if (swap !== isOne) [x2, z2, x3, z3] = [x3, z3, x2, z2];
    swap = isOne;
    const [a, b, c, d] = [mod(x2 + z2), mod(x2 - z2), mod(x3 + z3), mod(x3 - z3)];
    const [aa, bb, da, cb] = [mod(a * a), mod(b * b), mod(d * a), mod(c * b)];
    const e = mod(aa - bb);
    x3 = mod((da + cb) ** 2n);
    z3 = mod(x1 * (da - cb) ** 2n);
    x2 = mod(aa * bb);
    z2 = mod(e * (aa + 121665n * e));
  }
  if (swap) [x2, z2] = [x3, z3];
  // The inverse, by Fermat's little theorem.
  let inverse = 1n;
  for (let [base, power] = [z2, PRIME - 2n]; power > 0n; power >>= 1n, base = mod(base * base)) {
    if ((power & 1n) === 1n) inverse = mod(inverse * base);
  }
  const shared = mod(x2 * inverse);
  if (shared === 0n) throw new Error("The shared secret is zero");
  return littleBytes(shared, 32);
}

/** The public key that belongs to a private one. */
export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return x25519(privateKey, littleBytes(9, 32));
}

export function sha256(...parts: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(join(...parts)).digest());
}

/** HMAC-SHA-256. */
export function hmac(key: Uint8Array, ...parts: readonly ArrayLike<number>[]): Uint8Array {
  return Uint8Array.from(createHmac("sha256", key).update(join(...parts)).digest());
}

/** Twenty rounds over sixteen numbers (RFC 8439, sections 2.1 to 2.3). */
function rounds(state: readonly number[]): number[] {
  const s = [...state];
  const mix = (a: number, b: number, d: number, by: number): void => {
    s[a] = s[a]! + s[b]! >>> 0;
    const x = s[d]! ^ s[a]!;
    s[d] = (x << by | x >>> 32 - by) >>> 0;
  };
  const quarter = (a: number, b: number, c: number, d: number): void => {
    mix(a, b, d, 16);
    mix(c, d, b, 12);
    mix(a, b, d, 8);
    mix(c, d, b, 7);
  };
  for (let round = 0; round < 10; round++) {
    for (const i of [0, 1, 2, 3]) quarter(i, i + 4, i + 8, i + 12);
    for (const i of [0, 1, 2, 3]) {
      quarter(i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
  }
  return s;
}

/** The sixteen numbers at the start: "expand 32-byte k", the key, and 16 bytes. */
function start(key: Uint8Array, rest: Uint8Array): number[] {
  const bytes = join(ascii("expand 32-byte k"), key, rest);
  return Array.from({ length: 16 }, (_, i) => Number(littleEndian(bytes.slice(4 * i, 4 * i + 4))));
}

/** 64 bytes of the key stream (RFC 8439, section 2.3). */
function block(key: Uint8Array, counter: number, nonce: Uint8Array): Uint8Array {
  const state = start(key, join(littleBytes(counter, 4), nonce));
  const words = rounds(state).map((word, i) => littleBytes((word + state[i]!) % 2 ** 32, 4));
  return join(...words);
}

/** ChaCha20 (RFC 8439, section 2.4), from block 1 on. */
function chacha20(key: Uint8Array, nonce: Uint8Array, bytes: Uint8Array): Uint8Array {
  const result = Uint8Array.from(bytes);
  for (let at = 0; at < bytes.length; at += 64) {
    const stream = block(key, 1 + at / 64, nonce);
    for (let i = at; i < Math.min(at + 64, bytes.length); i++) result[i]! ^= stream[i - at]!;
  }
  return result;
}

/** Poly1305 (RFC 8439, section 2.5). */
function poly1305(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  const r = littleEndian(key.slice(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const s = littleEndian(key.slice(16));
  let sum = 0n;
  for (let at = 0; at < bytes.length; at += 16) {
    const part = join(bytes.slice(at, at + 16), [1]);
    sum = (sum + littleEndian(part)) * r % (2n ** 130n - 5n);
  }
  return littleBytes((sum + s) % 2n ** 128n, 16);
}

/** The tag of what is sealed (RFC 8439, section 2.8). */
function tagOf(key: Uint8Array, nonce: Uint8Array, associated: Uint8Array, sealed: Uint8Array) {
  const zeros = (bytes: Uint8Array) => new Uint8Array((16 - bytes.length % 16) % 16);
  const sizes = join(littleBytes(associated.length, 8), littleBytes(sealed.length, 8));
  const parts = join(associated, zeros(associated), sealed, zeros(sealed), sizes);
  return poly1305(block(key, 0, nonce).slice(0, 32), parts);
}

/** ChaCha20-Poly1305: the sealed bytes, then the tag. The nonce has 12 bytes. */
export function chachaSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const sealed = chacha20(key, nonce, plain);
  return join(sealed, tagOf(key, nonce, associated, sealed));
}

/** Undoes chachaSeal(), or throws. */
export function chachaOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  bytes: Uint8Array,
): Uint8Array {
  if (bytes.length < 16) throw new Error("Too short for a tag");
  const sealed = bytes.slice(0, -16);
  const tag = tagOf(key, nonce, associated, sealed);
  if (bytes.slice(-16).some((byte, i) => byte !== tag[i])) throw new Error("Another tag");
  return chacha20(key, nonce, sealed);
}

/** HChaCha20 (draft-irtf-cfrg-xchacha-03, section 2.2). */
export function hchacha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const words = rounds(start(key, nonce));
  return join(...[...words.slice(0, 4), ...words.slice(12)].map((word) => littleBytes(word, 4)));
}

/** XChaCha20-Poly1305 (the same, section 2.3): the key and nonce of ChaCha20-Poly1305. */
function extended(key: Uint8Array, nonce: Uint8Array): [Uint8Array, Uint8Array] {
  return [hchacha20(key, nonce.slice(0, 16)), join(new Uint8Array(4), nonce.slice(16))];
}

/** XChaCha20-Poly1305: the nonce has 24 bytes. */
export function xchachaSeal(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  return chachaSeal(...extended(key, nonce), associated, plain);
}

/** Undoes xchachaSeal(), or throws. */
export function xchachaOpen(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array {
  return chachaOpen(...extended(key, nonce), associated, sealed);
}

/** "Keys and ciphers": the nonce of what is sealed. */
export function nonceOf(packet: number | bigint, prefix = 0): Uint8Array {
  return join(littleBytes(prefix, 4), littleBytes(packet, 8));
}

/** Six groups of five digits, as people compare them. */
export function digits(label: string, bytes: Uint8Array): string {
  const hash = sha256(ascii(label), bytes);
  const groups = [0, 5, 10, 15, 20, 25].map((at) => {
    const five = littleEndian(hash.slice(at, at + 5).reverse());
    return `${five % 100_000n}`.padStart(5, "0");
  });
  return groups.join(" ");
}
