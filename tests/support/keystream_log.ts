/**
 * Notices a nonce that is used twice with one key: the cipher is a stream, so that two datagrams are
 * then sealed with the same bytes. Whoever has both knows the XOR of what they say.
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

/** What was sealed. */
class KeystreamLog {
  /** By the beginning of the stream that it was sealed with. */
  readonly #sealed = new Map<string, string>();
  #plain = new Uint8Array();
  #reused = 0;

  get counts(): { sealed: number; reused: number } {
    return { sealed: this.#sealed.size, reused: this.#reused };
  }

  /** Remembers a datagram that will be sealed. */
  begin(datagram: Uint8Array): Uint8Array {
    this.#plain = datagram.slice();
    return datagram;
  }

  /** Compares that datagram once it is sealed. */
  note(datagram: Uint8Array): Uint8Array {
    const decoded = decodeDatagram(datagram);
    const from = decoded.ok ? decoded.value.sealedAt : datagram.length;
    if (datagram.length - TAG_SIZE - from < COMPARED) return datagram;
    const stream = datagram.subarray(from, from + COMPARED)
      .map((byte, index) => byte ^ this.#plain[from + index]!);
    const [key, content] = [toHex(stream), toHex(datagram)];
    const before = this.#sealed.get(key);
    if (before !== undefined && before !== content) this.#reused++;
    this.#sealed.set(key, content);
    return datagram;
  }
}

/** How many datagrams `body` seals, and how many of them with bytes that sealed another. */
export function keystreams(body: () => void): { sealed: number; reused: number } {
  const log = new KeystreamLog();
  const note = (datagram: Uint8Array): Uint8Array => log.note(datagram);
  const restore = [
    passResult(DatagramWriter.prototype, "finish", (datagram) => log.begin(datagram)),
    passResult(Session.prototype, "seal", note),
    passResult(DirectorySession.prototype, "encodeRegister", note),
    passResult(DirectorySession.prototype, "encodeRequest", note),
    passResult(Registrar.prototype, "encodeAnswer", note),
    passResult(Registrar.prototype, "encodeNotice", note),
  ];
  try {
    body();
  } finally {
    for (const each of restore) each();
  }
  return log.counts;
}

/** Passes what a method returns through a function, until what this returns is called. */
function passResult<Target extends object>(
  prototype: Target,
  method: keyof Target & string,
  pass: (datagram: Uint8Array) => Uint8Array,
): () => void {
  const own = Reflect.get(prototype, method) as (...args: unknown[]) => Uint8Array;
  Reflect.set(prototype, method, function (this: Target, ...args: unknown[]) {
    return pass(own.apply(this, args));
  });
  return () => Reflect.set(prototype, method, own);
}
