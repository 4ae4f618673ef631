/**
 * Notices a nonce that is used twice with one key: the cipher is a stream, so that two datagrams are
 * then sealed with the same bytes. Whoever has both knows the XOR of what they say.
 *
 * Like `plaintext_log.ts`, this wraps methods on their prototypes, which affects only the test file that
 * imports it.
 *
 * @module
 */
import { DirectorySession } from "../../protocol/directory/directory_session.ts";
import { Registrar } from "../../protocol/directory/registrar.ts";
import { Session } from "../../protocol/session/session.ts";
import { DatagramWriter, decodeDatagram } from "../../protocol/wire/datagram.ts";
import { TAG_SIZE } from "../../protocol/wire/frame.ts";
import { toHex } from "./hex.ts";

/** Bytes of the stream that are compared; a datagram with fewer sealed ones could match by chance. */
const COMPARED = 8;

/** What was sealed with a stream, by the beginning of that. */
const sealed = new Map<string, string>();
let reused = 0;
let plain = new Uint8Array();

const { finish } = DatagramWriter.prototype;
DatagramWriter.prototype.finish = function (this: DatagramWriter): Uint8Array {
  const datagram = finish.call(this);
  plain = datagram.slice();
  return datagram;
};

function note(datagram: Uint8Array): Uint8Array {
  const decoded = decodeDatagram(datagram);
  const from = decoded.ok ? decoded.value.sealedAt : datagram.length;
  if (datagram.length - TAG_SIZE - from < COMPARED) return datagram;
  const stream = datagram.subarray(from, from + COMPARED)
    .map((byte, index) => byte ^ plain[from + index]!);
  const [key, content] = [toHex(stream), toHex(datagram)];
  const before = sealed.get(key);
  if (before !== undefined && before !== content) reused++;
  sealed.set(key, content);
  return datagram;
}

const { seal } = Session.prototype;
Session.prototype.seal = function (this: Session): Uint8Array {
  return note(seal.call(this));
};

const { encodeRegister, encodeRequest } = DirectorySession.prototype;
DirectorySession.prototype.encodeRegister = function (this: DirectorySession, ...args) {
  return note(encodeRegister.apply(this, args));
};
DirectorySession.prototype.encodeRequest = function (this: DirectorySession, ...args) {
  return note(encodeRequest.apply(this, args));
};

const { encodeAnswer, encodeNotice } = Registrar.prototype;
Registrar.prototype.encodeAnswer = function (this: Registrar, ...args) {
  return note(encodeAnswer.apply(this, args));
};
Registrar.prototype.encodeNotice = function (this: Registrar, ...args) {
  return note(encodeNotice.apply(this, args));
};

/** Begins anew: the same seed gives the same keys. */
export function forgetKeystreams(): void {
  sealed.clear();
  reused = 0;
}

/** How many datagrams were sealed since, and how many of them with bytes that sealed another. */
export function keystreams(): { sealed: number; reused: number } {
  return { sealed: sealed.size, reused };
}
