/**
 * A second handshake and a second seal, written from `protocol/README.md`, the Noise specification
 * (revision 34) and RFC 7748 alone: slow, simple, over WebCrypto and big numbers.
 *
 * It shares nothing with the real ones.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

const encoder = new TextEncoder();
const PRIME = 2n ** 255n - 19n;

/** All the bytes in one array. */
export function join(...parts: readonly ArrayLike<number>[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

/** A number as so many bytes, big-endian. */
export function number(value: number | bigint, size: number): Bytes {
  const digits = BigInt(value).toString(16).padStart(2 * size, "0");
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** The function X25519: the Montgomery ladder of RFC 7748, section 5. */
export function x25519(privateKey: Uint8Array, publicKey: Uint8Array): Bytes {
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
  return number(mod(x2 * inverse), 32).reverse();
}

/** The public key that belongs to a private one. */
export function publicKeyOf(privateKey: Uint8Array): Bytes {
  return x25519(privateKey, number(9, 32).reverse());
}

export async function sha256(...parts: readonly ArrayLike<number>[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
}

/** HMAC-SHA-256 under a key that is not empty. */
export async function hmac(
  key: Uint8Array,
  ...parts: readonly ArrayLike<number>[]
): Promise<Bytes> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", join(key), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, join(...parts)));
}

function gcmKey(key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", join(key), "AES-GCM", false, ["encrypt", "decrypt"]);
}

function gcm(nonce: number | bigint, associated: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: number(nonce, 12), additionalData: join(associated) };
}

/** AES-256-GCM: the sealed bytes, then the tag. */
export async function gcmSeal(
  key: Uint8Array,
  nonce: number | bigint,
  associated: Uint8Array,
  plain: Uint8Array,
): Promise<Bytes> {
  const parameters = gcm(nonce, associated);
  return new Uint8Array(await crypto.subtle.encrypt(parameters, await gcmKey(key), join(plain)));
}

/** Undoes gcmSeal(), or throws. */
export async function gcmOpen(
  key: Uint8Array,
  nonce: number | bigint,
  associated: Uint8Array,
  sealed: Uint8Array,
): Promise<Bytes> {
  const parameters = gcm(nonce, associated);
  return new Uint8Array(await crypto.subtle.decrypt(parameters, await gcmKey(key), join(sealed)));
}

/** HKDF with two outputs (Noise, section 4.3). */
async function hkdf(chainingKey: Uint8Array, input: Uint8Array): Promise<[Bytes, Bytes]> {
  const secret = await hmac(chainingKey, input);
  const first = await hmac(secret, [1]);
  return [first, await hmac(secret, first, [2])];
}

/** The keys of both directions: from the requester, and to it. */
export interface NaiveKeys {
  forward: Bytes;
  backward: Bytes;
}

/** A handshake after message one. */
export interface NaiveHandshake {
  ck: Bytes;
  h: Bytes;
  /** The values that message two needs, as far as this side has them. */
  requesterStatic: Bytes;
  requesterEphemeral: Bytes;
  early: NaiveKeys;
}

/** The end of a handshake. */
export interface NaiveResult {
  keys: NaiveKeys;
  hash: Bytes;
}

async function begin(responderStatic: Uint8Array): Promise<{ ck: Bytes; h: Bytes }> {
  const name = encoder.encode("Noise_IK_25519_AESGCM_SHA256");
  const ck = join(name, new Uint8Array(32 - name.length));
  const h = await sha256(ck, encoder.encode("udp-chat "), [1]);
  return { ck, h: await sha256(h, responderStatic) };
}

async function early(ck: Uint8Array): Promise<NaiveKeys> {
  const [forward, backward] = await hkdf(ck, encoder.encode("udp-chat early keys"));
  return { forward, backward };
}

/** The requester's message one: `e, es, s, ss`. `s` and `e` are its private keys. */
export async function writeOne(
  s: Uint8Array,
  e: Uint8Array,
  responderStatic: Uint8Array,
  payload: Uint8Array,
): Promise<NaiveHandshake & { message: Bytes }> {
  let { ck, h } = await begin(responderStatic);
  let k: Bytes;
  const [requesterStatic, requesterEphemeral] = [publicKeyOf(s), publicKeyOf(e)];
  h = await sha256(h, requesterEphemeral);
  [ck, k] = await hkdf(ck, x25519(e, responderStatic));
  const sealedStatic = await gcmSeal(k, 0, h, requesterStatic);
  h = await sha256(h, sealedStatic);
  [ck, k] = await hkdf(ck, x25519(s, responderStatic));
  const sealedPayload = await gcmSeal(k, 0, h, payload);
  h = await sha256(h, sealedPayload);
  const message = join(requesterEphemeral, sealedStatic, sealedPayload);
  return { ck, h, requesterStatic, requesterEphemeral, early: await early(ck), message };
}

/** What the responder, whose private key is `s`, reads in message one; throws where it is none. */
export async function readOne(
  s: Uint8Array,
  message: Uint8Array,
): Promise<NaiveHandshake & { payload: Bytes }> {
  let { ck, h } = await begin(publicKeyOf(s));
  let k: Bytes;
  const requesterEphemeral = join(message.slice(0, 32));
  const [sealedStatic, sealedPayload] = [message.slice(32, 80), message.slice(80)];
  h = await sha256(h, requesterEphemeral);
  [ck, k] = await hkdf(ck, x25519(s, requesterEphemeral));
  const requesterStatic = await gcmOpen(k, 0, h, sealedStatic);
  h = await sha256(h, sealedStatic);
  [ck, k] = await hkdf(ck, x25519(s, requesterStatic));
  const payload = await gcmOpen(k, 0, h, sealedPayload);
  h = await sha256(h, sealedPayload);
  return { ck, h, requesterStatic, requesterEphemeral, early: await early(ck), payload };
}

/** The responder's message two: `e, ee, se`. `e` is its private key. */
export async function writeTwo(
  handshake: NaiveHandshake,
  e: Uint8Array,
  payload: Uint8Array,
): Promise<NaiveResult & { message: Bytes }> {
  let { ck } = handshake;
  let k: Bytes;
  let h = await sha256(handshake.h, publicKeyOf(e));
  [ck] = await hkdf(ck, x25519(e, handshake.requesterEphemeral));
  [ck, k] = await hkdf(ck, x25519(e, handshake.requesterStatic));
  const sealed = await gcmSeal(k, 0, h, payload);
  h = await sha256(h, sealed);
  const [forward, backward] = await hkdf(ck, new Uint8Array());
  return { keys: { forward, backward }, hash: h, message: join(publicKeyOf(e), sealed) };
}

/** What the requester reads in message two; throws where it is none. */
export async function readTwo(
  handshake: NaiveHandshake,
  s: Uint8Array,
  e: Uint8Array,
  message: Uint8Array,
): Promise<NaiveResult & { payload: Bytes }> {
  let { ck } = handshake;
  let k: Bytes;
  const [responderEphemeral, sealed] = [message.slice(0, 32), message.slice(32)];
  let h = await sha256(handshake.h, responderEphemeral);
  [ck] = await hkdf(ck, x25519(e, responderEphemeral));
  [ck, k] = await hkdf(ck, x25519(s, responderEphemeral));
  const payload = await gcmOpen(k, 0, h, sealed);
  h = await sha256(h, sealed);
  const [forward, backward] = await hkdf(ck, new Uint8Array());
  return { keys: { forward, backward }, hash: h, payload };
}

function name(text: string): Bytes {
  const bytes = encoder.encode(text);
  return join([bytes.length], bytes);
}

/** The payload of message one. */
export function requestPayload(
  requester: number,
  responder: number,
  timestamp: bigint,
  requesterName: string,
): Bytes {
  const fields = [number(requester, 4), number(responder, 4), number(timestamp, 8)];
  const payload = join(...fields, name(requesterName));
  return join(payload, new Uint8Array(145 - payload.length));
}

/** The payload of message two. */
export function acceptPayload(
  responder: number,
  connection: number,
  timestamp: bigint,
  responderName: string,
): Bytes {
  const ids = join(number(responder, 4), number(connection, 4));
  const payload = join(ids, number(timestamp, 8), name(responderName));
  return join(payload, new Uint8Array(145 - payload.length));
}

/** A header: the magic, version 1, the type, the connection id, the packet counter. */
export function header(type: number, connection: number, packet: number): Bytes {
  return join([0x75, 0x63, 1, type], number(connection, 4), number(packet, 8));
}

/** The whole Connection Request, with a cookie or without. */
export async function requestDatagram(
  connection: number,
  packet: number,
  messageOne: Uint8Array,
  responderStatic: Uint8Array,
  cookie?: Uint8Array,
): Promise<Bytes> {
  const body = join(number(connection, 4), messageOne);
  const frame = join([0x20], number(body.length, 2), body);
  const before = join(header(3, 0, packet), frame, [0x29, 0, 32]);
  const key = await sha256(encoder.encode("mac1"), responderStatic);
  const withOne = join(before, (await hmac(key, before)).slice(0, 16));
  const macTwo = cookie ? (await hmac(cookie, withOne)).slice(0, 16) : new Uint8Array(16);
  return join(withOne, macTwo);
}

/** The cookie of an address, as this program makes it. */
export async function cookieOf(secret: Uint8Array, host: string, port: number): Promise<Bytes> {
  return (await hmac(secret, encoder.encode(`${host} ${port}`))).slice(0, 16);
}

/** The whole Cookie Reply to a Connection Request. */
export async function cookieDatagram(
  request: Uint8Array,
  responderStatic: Uint8Array,
  nonce: bigint,
  cookie: Uint8Array,
): Promise<Bytes> {
  const key = await sha256(encoder.encode("cookie"), responderStatic);
  const sealed = await gcmSeal(key, nonce, request.slice(267, 283), cookie);
  const [, ...connection] = request.slice(18, 23);
  return join(
    [0x75, 0x63, 1, 6],
    connection,
    number(0, 8),
    [0x2a, 0, 40],
    number(nonce, 8),
    sealed,
  );
}

/** The cookie in a Cookie Reply; throws where it does not belong to the request. */
export async function cookieIn(
  reply: Uint8Array,
  request: Uint8Array,
  responderStatic: Uint8Array,
): Promise<Bytes> {
  const key = await sha256(encoder.encode("cookie"), responderStatic);
  const nonce = littleEndian(reply.slice(19, 27).reverse());
  return gcmOpen(key, nonce, request.slice(267, 283), reply.slice(27));
}

/**
 * The key of a packet of a Connection datagram: after each 2^20 of them the next one (Noise, sections
 * 4.2 and 11.3). That of Handshake datagrams stays.
 */
export async function keyOfPacket(key: Uint8Array, type: number, packet: number): Promise<Bytes> {
  let current = join(key);
  for (let left = type === 4 ? 0 : Math.floor(packet / 2 ** 20); left > 0; left--) {
    const sealed = await gcmSeal(current, 2n ** 64n - 1n, new Uint8Array(), new Uint8Array(32));
    current = sealed.slice(0, 32);
  }
  return current;
}

/** A sealed datagram, its first key given. */
export async function sealedDatagram(
  key: Uint8Array,
  [type, connection, packet]: readonly [type: number, connection: number, packet: number],
  frames: Uint8Array,
): Promise<Bytes> {
  const head = header(type, connection, packet);
  return join(head, await gcmSeal(await keyOfPacket(key, type, packet), packet, head, frames));
}

/** The frames of a sealed datagram, its first key given; throws where it is not authentic. */
export async function framesIn(key: Uint8Array, datagram: Uint8Array): Promise<Bytes> {
  const packet = Number(littleEndian(datagram.slice(8, 16).reverse()));
  const current = await keyOfPacket(key, datagram[3]!, packet);
  return gcmOpen(current, packet, datagram.slice(0, 16), datagram.slice(16));
}
