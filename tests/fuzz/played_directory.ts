/**
 * A directory that a test plays: it has a key, makes valid registrations, and answers what a test wants.
 *
 * @module
 */
import { assert } from "@std/assert";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { readRegister, Registrar } from "../../protocol/directory/registrar.ts";
import { openRequest, sealAnswer, sealNotice } from "../../protocol/directory/registration_key.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import {
  type Datagram,
  decodeDatagram,
  decodeFrames,
  encodeDatagram,
} from "../../protocol/wire/datagram.ts";
import {
  type Credentials,
  DatagramType,
  type Frame,
  HEADER_SIZE,
  TAG_SIZE,
} from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";

/** Its static key pair. */
export const DIRECTORY_KEY = new KeyPair(new Uint8Array(32).fill(9));
/** Requests that may still be answered. */
const REQUESTS_MAX = 8;

/** A request of the client that was not answered. */
interface Asked {
  readonly packet: number;
  readonly frame: Frame;
}

/** A directory, as one client knows it. */
export class PlayedDirectory {
  readonly #registrar: Registrar;
  readonly #prng: Prng;
  /** What the registration under way is sealed with, and the client's id of its session. */
  #key: Uint8Array | undefined;
  #session = 0;
  #asked: Asked[] = [];
  #notices = 0;
  /** What first Registers are answered by, if the test wants that. */
  readonly challenges: Uint8Array[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
    this.#registrar = new Registrar({ identity: DIRECTORY_KEY, random: prng.bytes });
  }

  /** The client's id of the session, 0 before there is one. */
  get session(): number {
    return this.#session;
  }

  /** The last request that was not answered. */
  get last(): Asked | undefined {
    return this.#asked.at(-1);
  }

  /** Takes a datagram of the client. */
  take(now: Instant, bytes: Uint8Array, from: Address): void {
    const decoded = decodeDatagram(bytes.slice());
    // A Version repeats the packet counter of whatever it answers.
    if (bytes[3] === DatagramType.Version) return;
    assert(decoded.ok, "the client sent a malformed datagram");
    const { header, frames: [credentials] } = decoded.value;
    if (header.type === DatagramType.Request) this.#takeRequest(decoded.value);
    if (credentials?.kind !== "credentials") return;
    if (this.#registrar.hasCookie(now, credentials, from)) {
      this.#takeRegister(decoded.value, credentials);
    } else {
      this.challenges.push(this.#registrar.encodeChallenge(now, credentials, from).slice());
      if (this.challenges.length > REQUESTS_MAX) this.challenges.shift();
    }
  }

  /** An Answer with these frames, to the last request or to one of those before it. */
  answer(...frames: Frame[]): Uint8Array {
    return this.seal(encodeDatagram(HEADER, frames).subarray(HEADER_SIZE), this.last?.packet ?? 0);
  }

  /** The same with any bytes in it, to any of the last requests. */
  seal(plain: Uint8Array, packet = this.#anyPacket()): Uint8Array {
    const datagram = new Uint8Array(HEADER_SIZE + plain.length + TAG_SIZE);
    datagram.set(encodeDatagram({ ...HEADER, session: this.#session, packet }, []));
    datagram.set(plain, HEADER_SIZE);
    sealAnswer(this.#key ?? new Uint8Array(32), packet, datagram);
    return datagram;
  }

  /** A Notice with any bytes in it; now and then one that is old. */
  notice(plain: Uint8Array): Uint8Array {
    const packet = this.#prng.chance(0.95) ? this.#notices++ : this.#prng.int(this.#notices + 1);
    const datagram = new Uint8Array(HEADER_SIZE + plain.length + TAG_SIZE);
    const header = { type: DatagramType.Notice, session: this.#session, packet };
    datagram.set(encodeDatagram(header, []));
    datagram.set(plain, HEADER_SIZE);
    sealNotice(this.#key ?? new Uint8Array(32), packet, datagram);
    return datagram;
  }

  #anyPacket(): number {
    return this.#asked.length === 0 ? 0 : this.#prng.pick(this.#asked).packet;
  }

  #takeRegister(datagram: Datagram, credentials: Credentials): void {
    const key = this.#registrar.agree(credentials);
    const frame = key && readRegister(key, datagram);
    // It may have taken another Challenge for ours.
    if (key === undefined || frame === undefined) return;
    this.#key = key.slice();
    this.#session = frame.session;
    this.#notices = 0;
    this.#note(datagram, frame);
  }

  #takeRequest(datagram: Datagram): void {
    const plain = this.#key && openRequest(this.#key, datagram);
    const frame = plain && decodeFrames(plain)?.frames[0];
    // What is to be carried is no question.
    if (frame !== undefined && frame.kind !== "carry") this.#note(datagram, frame);
  }

  #note({ header: { packet } }: Datagram, frame: Frame): void {
    this.#asked.push({ packet, frame });
    if (this.#asked.length > REQUESTS_MAX) this.#asked.shift();
  }
}

const HEADER = { type: DatagramType.Answer, session: 0, packet: 0 };
