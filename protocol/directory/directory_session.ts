/**
 * The client's end of what it shares with a directory after a Challenge: a key, and the counters of
 * its requests.
 *
 * @module
 */
import { ReplayWindow } from "../crypto/replay_window.ts";
import { type Datagram, type DatagramWriter, decodeFrames } from "../wire/datagram.ts";
import type { Address } from "../wire/address.ts";
import { type Credentials, DatagramType, type Frame, type Register } from "../wire/frame.ts";
import { openAnswer, openNotice, sealRequest } from "./registration_key.ts";

/** Bytes of a Register, so that the length of a name does not show. */
export const REGISTER_SIZE = 288;

/** What a {@linkcode DirectorySession} begins with. */
export interface DirectorySessionOptions {
  /** This end's id of the session. */
  readonly localId: number;
  /** Where the directory is, which what is sealed in the session goes to. */
  readonly address: Address;
  /** The directory's static key. */
  readonly directoryKey: Uint8Array;
  /** The registration key. */
  readonly key: Uint8Array;
  /** What the key was made with. */
  readonly credentials: Credentials;
  /** One for sealed datagrams, which the caller may use again when they are sent. */
  readonly writer: DatagramWriter;
}

/** One registration's session with the directory. */
export class DirectorySession {
  /** This end's id of the session, which answers carry. */
  readonly localId: number;
  /** Where the directory is. */
  readonly address: Address;
  /** The directory's static key. */
  readonly directoryKey: Uint8Array;
  readonly #key: Uint8Array;
  readonly #credentials: Credentials;
  readonly #writer: DatagramWriter;
  #packet = 0;
  readonly #notices = new ReplayWindow();

  /** Begins one. */
  constructor(options: DirectorySessionOptions) {
    const { localId, address, directoryKey, key, credentials, writer } = options;
    this.localId = localId;
    this.address = address;
    this.directoryKey = directoryKey;
    this.#key = key;
    this.#credentials = credentials;
    this.#writer = writer;
  }

  /** The nonce of the exchange that led to it. */
  get nonce(): bigint {
    return this.#credentials.nonce;
  }

  /** The packet counter of the next request, which its answer has, too. */
  get nextPacket(): number {
    return this.#packet;
  }

  /**
   * A Register.
   *
   * @param sign writes the mac of a private directory.
   */
  encodeRegister(frame: Register, sign: (datagram: Uint8Array) => void): Uint8Array {
    const writer = this.#writer;
    writer.start({ type: DatagramType.Register, session: 0, packet: this.#packet });
    writer.add(this.#credentials);
    const sealedAt = writer.size;
    writer.add(frame);
    writer.padTo(REGISTER_SIZE);
    const datagram = writer.finish();
    sign(datagram);
    return this.#seal(datagram, sealedAt);
  }

  /**
   * A request of a registered client.
   *
   * @param id the client id, which is the directory's id of the session.
   * @param sizeMin bytes up to which it is padded.
   */
  encodeRequest(id: number, frame: Frame, sizeMin = 0): Uint8Array {
    const header = { type: DatagramType.Request, session: id, packet: this.#packet };
    const writer = this.#writer;
    writer.start(header);
    const sealedAt = writer.size;
    writer.add(frame);
    writer.padTo(sizeMin);
    return this.#seal(writer.finish(), sealedAt);
  }

  /** The frames of a Notice; undefined where it is not authentic, or came before. */
  openNotice(datagram: Datagram): readonly Frame[] | undefined {
    const { packet } = datagram.header;
    if (!this.#notices.isNew(packet)) return undefined;
    const plain = openNotice(this.#key, datagram);
    if (plain === undefined) return undefined;
    this.#notices.accept(packet);
    return decodeFrames(plain)?.frames;
  }

  /** The frames of an Answer; undefined where it is not authentic. */
  open(datagram: Datagram): readonly Frame[] | undefined {
    const plain = openAnswer(this.#key, datagram);
    return plain && decodeFrames(plain)?.frames;
  }

  #seal(datagram: Uint8Array, sealedAt: number): Uint8Array {
    sealRequest(this.#key, this.#packet++, datagram, sealedAt);
    return datagram;
  }
}
