/**
 * Somebody who has all private keys, and opens all that is sent: by `protocol/README.md` alone.
 *
 * @module
 */
import { naiveDecode, naiveDecodeFrames, type NaiveFrame } from "../../reference/naive_codec.ts";
import { publicKeyOf } from "../../reference/naive_crypto.ts";
import { directoryFramesIn, registrationKey } from "../../reference/naive_directory.ts";
import {
  framesIn,
  type NaiveHandshake,
  readInitiation,
  readOne,
  readTwo,
} from "../../reference/naive_handshake.ts";
import { toHex } from "../../support/hex.ts";

/** A datagram with all its frames. */
export interface Observed {
  readonly type: number;
  /** The clear ones, then the sealed ones, with Padding left out. */
  readonly frames: readonly NaiveFrame[];
  readonly sealedAt: number;
  /** What is sealed. */
  readonly plain: Uint8Array;
  /** The registration key, or the first key of its direction. */
  readonly key: Uint8Array | undefined;
}

/** Opens what is sent, in the order in which it is sent. */
export class Observer {
  readonly #privateKeys = new Map<string, Uint8Array>();
  /** Registration keys, by the client's id of the session and by the client id. */
  readonly #bySession = new Map<number, Uint8Array>();
  readonly #byClient = new Map<number, Uint8Array>();
  /** Handshakes by the initiator's id of the session, and keys by the receiver's. */
  readonly #handshakes = new Map<number, NaiveHandshake>();
  readonly #packetKeys = new Map<number, Uint8Array>();
  readonly #statics: readonly Uint8Array[];
  readonly #directory: Uint8Array;

  /** @param keys whatever may be an ephemeral private key. */
  constructor(directory: Uint8Array, statics: readonly Uint8Array[], keys: readonly Uint8Array[]) {
    this.#directory = directory;
    this.#statics = statics;
    for (const key of [...statics, ...keys]) this.#privateKeys.set(toHex(publicKeyOf(key)), key);
  }

  /** Opens a datagram; throws where it is not as the text says. */
  observe(bytes: Uint8Array): Observed {
    const decoded = naiveDecode([...bytes]);
    if (decoded.row !== "good") throw new Error(`A datagram is ${decoded.row}`);
    const { header: { type, session }, frames, sealedAt } = decoded;
    const none = { type, frames, sealedAt, plain: new Uint8Array(), key: undefined };
    if (type === 5) this.#handshake(bytes);
    if (type === 6) this.#finish(session, frames[0]!["messageTwo"] as Uint8Array);
    if (sealedAt === bytes.length) return none;
    const key = this.#keyFor(type, session, frames[0]);
    if (key === undefined) throw new Error("There is no key for a datagram");
    const plain = type === 8 ? framesIn(key, bytes) : directoryFramesIn(key, bytes);
    const sealed = naiveDecodeFrames([...plain])?.frames;
    if (sealed === undefined) throw new Error("Sealed frames are bad");
    this.#learn(key, session, sealed);
    return { type, frames: [...frames, ...sealed], sealedAt, plain, key };
  }

  #keyFor(type: number, session: number, clear: NaiveFrame | undefined): Uint8Array | undefined {
    if (type === 8) return this.#packetKeys.get(session);
    if (type === 4 || type === 9) return this.#bySession.get(session);
    if (type === 3) return this.#byClient.get(session);
    const { nonce, cookie, publicKey } = clear as unknown as {
      nonce: bigint;
      cookie: Uint8Array;
      publicKey: Uint8Array;
    };
    return registrationKey([this.#directory, publicKey], false, { nonce, cookie });
  }

  #learn(key: Uint8Array, session: number, frames: readonly NaiveFrame[]): void {
    for (const frame of frames) {
      if (frame.kind === "register") this.#bySession.set(frame["session"] as number, key);
      if (frame.kind === "registered") {
        this.#byClient.set(frame["id"] as number, this.#bySession.get(session)!);
      }
    }
  }

  #handshake(bytes: Uint8Array): void {
    for (const key of this.#statics) {
      const { messageOne, isMac1Good } = readInitiation(bytes, publicKeyOf(key));
      if (!isMac1Good) continue;
      const read = readOne(key, messageOne);
      this.#handshakes.set(numberIn(read.payload), read);
      return;
    }
    throw new Error("An Initiation is for nobody");
  }

  #finish(initiatorId: number, messageTwo: Uint8Array): void {
    const handshake = this.#handshakes.get(initiatorId)!;
    const [s, e] = [handshake.initiatorStatic, handshake.initiatorEphemeral].map((key) =>
      this.#privateKeys.get(toHex(key))!
    );
    const { forward, backward, payload } = readTwo(handshake, s!, e!, messageTwo);
    this.#packetKeys.set(numberIn(payload), forward);
    this.#packetKeys.set(initiatorId, backward);
  }
}

function numberIn(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
