/**
 * Requests to a directory, encoded once and then filled in, because they must cost much less than the
 * answers. The only file of the benchmarks that encodes frames.
 *
 * @module
 */
import { decodeDatagram, encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame, HEADER_SIZE } from "../../protocol/wire/frame.ts";

const NONCE = 0x1122_3344_5566_7788n;
const COOKIE = new Uint8Array(16).fill(0xc3);
const TOKEN = new Uint8Array(16).fill(0xd5);
const ID = 0x0a0b_0c0d;
const PORT = 4242;

function encode(type: DatagramType, frame: Frame): Uint8Array {
  return encodeDatagram({ type, connection: 0, packet: 0 }, [frame]).slice();
}

/** The offset of bytes in a datagram. */
function find(datagram: Uint8Array, wanted: Uint8Array): number {
  for (let at = 0; at + wanted.length <= datagram.length; at++) {
    if (wanted.every((byte, index) => datagram[at + index] === byte)) return at;
  }
  throw new Error("A field is not in its datagram");
}

const NONCE_BYTES = new Uint8Array(8);
new DataView(NONCE_BYTES.buffer).setBigUint64(0, NONCE);
const ID_BYTES = new Uint8Array(4);
new DataView(ID_BYTES.buffer).setUint32(0, ID);

const register = encode(DatagramType.Request, {
  kind: "register",
  nonce: NONCE,
  token: new Uint8Array(16),
  cookie: COOKIE,
  wantedId: 0,
  port: PORT,
  publicKey: new Uint8Array(32).fill(0x42),
  name: "",
});
const lookUp = encode(DatagramType.Request, {
  kind: "lookUp",
  nonce: NONCE,
  token: TOKEN,
  id: ID,
  name: "",
});
const challenge = encode(DatagramType.Answer, { kind: "challenge", nonce: NONCE, cookie: COOKIE });
const registerView = new DataView(register.buffer);
const lookUpView = new DataView(lookUp.buffer);
const registerNonceAt = find(register, NONCE_BYTES);
const registerCookieAt = find(register, COOKIE);
const lookUpTokenAt = find(lookUp, TOKEN);
const lookUpIdAt = find(lookUp, ID_BYTES);
const answerNonceAt = find(challenge, NONCE_BYTES);
const challengeCookieAt = find(challenge, COOKIE);
const NO_COOKIE = new Uint8Array(COOKIE.length);

/** A Register of the client with this number; valid until the next one. */
export function registerOf(client: number, cookie: Uint8Array = NO_COOKIE): Uint8Array {
  // The lower half of the nonce is the client's number; a nonce is not zero.
  registerView.setUint32(registerNonceAt, 1);
  registerView.setUint32(registerNonceAt + 4, client);
  register.set(cookie, registerCookieAt);
  return register;
}

/** A Look-up of a client id with a client's token; valid until the next one. */
export function lookUpOf(id: number, token: Uint8Array): Uint8Array {
  lookUp.set(token, lookUpTokenAt);
  lookUpView.setUint32(lookUpIdAt, id);
  return lookUp;
}

/** The cookie of a Challenge; undefined for other answers. */
export function challengeCookie(answer: Uint8Array): Uint8Array | undefined {
  if (answer[HEADER_SIZE] !== challenge[HEADER_SIZE]) return undefined;
  return answer.subarray(challengeCookieAt, challengeCookieAt + COOKIE.length);
}

/** The number of the client that an answer is for. */
export function answeredClient(answer: Uint8Array): number {
  return new DataView(answer.buffer, answer.byteOffset).getUint32(answerNonceAt + 4);
}

/** The one frame of an answer. */
export function answerFrame(answer: Uint8Array): Frame {
  const decoded = decodeDatagram(answer);
  if (!decoded.ok || decoded.value.sealed || decoded.value.frames[0] === undefined) {
    throw new Error(`The directory answered ${Deno.inspect(decoded)}`);
  }
  return decoded.value.frames[0];
}

/** The id and the token that the directory granted. */
export function grantOf(answer: Uint8Array): { id: number; token: Uint8Array } {
  const frame = answerFrame(answer);
  if (frame.kind !== "registered") throw new Error(`Not registered: ${Deno.inspect(frame)}`);
  return { id: frame.id, token: frame.token.slice() };
}
