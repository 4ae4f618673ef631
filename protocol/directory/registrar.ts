/**
 * The directory's half of what it shares with its clients: Challenges, keys, and sealed Answers.
 *
 * It keeps nothing for a client: the key of a registration is for the caller's table.
 *
 * @module
 */
import type { KeyPair } from "../crypto/x25519.ts";
import { type Instant, type Random, randomU32 } from "../machine.ts";
import type { Address } from "../wire/address.ts";
import { type Datagram, DatagramWriter, decodeFrames, writeHeader } from "../wire/datagram.ts";
import {
  type AlsoAt,
  type Call,
  type Carry,
  type Challenge,
  type Credentials,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  HEADER_SIZE,
  type LeaseKeepalive,
  type Leave,
  type List,
  type LookUp,
  type Register,
  TAG_SIZE,
} from "../wire/frame.ts";
import { type EntryBytes, writeFound } from "../wire/directory_answer.ts";
import { readCommonRequest } from "../wire/directory_request.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../wire/endpoint_bytes.ts";
import { TimedMac } from "./timed_mac.ts";
import {
  DirectorySecret,
  openRequest,
  REFUSAL_PACKET_MIN,
  registrationKey,
  sealAnswer,
  sealNotice,
} from "./registration_key.ts";

const NO_MAC = new Uint8Array(16);

/** What a registrar is made with. */
export interface RegistrarOptions {
  /** The directory's static key. */
  readonly identity: KeyPair;
  /** Only who has it, too, is answered; undefined for a public directory. */
  readonly secret?: Uint8Array | undefined;
  /** A cryptographic source. */
  readonly random: Random;
}

/** Registers clients, one datagram at a time. */
export class Registrar {
  readonly #identity: KeyPair;
  #secret: DirectorySecret | undefined;
  readonly #cookies: TimedMac;
  readonly #random: Random;
  readonly #writer = new DatagramWriter(DATAGRAM_SIZE_MAX, true);
  readonly #challengeWriter = new DatagramWriter();
  readonly #found = new Uint8Array(DATAGRAM_SIZE_MAX);
  readonly #foundView = new DataView(this.#found.buffer);
  /** What a cookie is for: the endpoint, and the nonce. */
  readonly #subject = new Uint8Array(ENDPOINT_SIZE + 8);
  readonly #subjectView = new DataView(this.#subject.buffer);

  /** Takes the key of a directory, and its secret where it is a private one. */
  constructor({ identity, secret, random }: RegistrarOptions) {
    this.#identity = identity;
    this.#secret = secret && new DirectorySecret(secret);
    this.#cookies = new TimedMac(random);
    this.#random = random;
  }

  /** Takes another secret, for the Registers from now on. */
  changeSecret(secret: Uint8Array): void {
    this.#secret = new DirectorySecret(secret);
  }

  /** Makes cookies with keys that several directories share: see `TimedMac.useKeys()`. */
  useKeys(current: Uint8Array, previous: Uint8Array): void {
    this.#cookies.useKeys(current, previous);
  }

  /** Whether a Register comes from somebody that has the secret; true in a public directory. */
  isSigned({ bytes }: Datagram): boolean {
    return this.#secret?.isSigned(bytes) ?? true;
  }

  /** Whether the Credentials have a good cookie for the address that they came from. */
  hasCookie(
    now: Instant,
    { nonce, cookie }: Pick<Credentials, "nonce" | "cookie">,
    from: Address,
  ): boolean {
    // The common case: a first Register has none.
    if (cookie.every((byte) => byte === 0)) return false;
    this.#setSubject(from, nonce);
    return this.#cookies.isValid(now, this.#subject, cookie);
  }

  /**
   * The Challenge that answers a Register without a good cookie: no larger than it. Its bytes are
   * valid until the next one.
   */
  encodeChallenge(now: Instant, { nonce }: Credentials, from: Address): Uint8Array {
    this.#setSubject(from, nonce);
    const cookie = this.#cookies.make(now, this.#subject);
    const { publicKey } = this.#identity;
    const frame: Challenge = { kind: "challenge", nonce, cookie, publicKey, mac: NO_MAC };
    const writer = this.#challengeWriter;
    writer.start({ type: DatagramType.Challenge, session: 0, packet: 0 });
    writer.add(frame);
    const bytes = writer.finish();
    this.#secret?.sign(bytes);
    return bytes;
  }

  /**
   * The key of the registration that these Credentials are for; undefined where the client's is a
   * weak one. Whether the client has its key, and the secret, shows in whether readRegister() succeeds.
   */
  agree({ nonce, cookie, publicKey: clientKey }: Credentials): Uint8Array | undefined {
    const shared = this.#identity.agree(clientKey);
    if (shared === undefined) return undefined;
    const { publicKey: directoryKey } = this.#identity;
    const secret = this.#secret;
    return registrationKey({ shared, nonce, cookie, clientKey, directoryKey, secret });
  }

  /**
   * An Answer; its bytes are valid until the next one.
   *
   * @param session the client's id of the session.
   * @param packet that of the request, which must not have been answered before.
   */
  encodeAnswer(key: Uint8Array, session: number, packet: number, frame: Frame): Uint8Array {
    const writer = this.#writer;
    writer.start({ type: DatagramType.Answer, session, packet });
    writer.add(frame);
    const bytes = writer.finish();
    sealAnswer(key, packet, bytes);
    return bytes;
  }

  /**
   * A Notice; its bytes are valid until the next one.
   *
   * @param packet higher than that of all Notices before under this key.
   */
  encodeNotice(key: Uint8Array, session: number, packet: number, frame: Frame): Uint8Array {
    const writer = this.#writer;
    writer.start({ type: DatagramType.Notice, session, packet });
    writer.add(frame);
    const bytes = writer.finish();
    sealNotice(key, packet, bytes);
    return bytes;
  }

  /** The Answer with a Found about an entry of a table; see encodeAnswer(). */
  encodeFound(
    key: Uint8Array,
    session: number,
    packet: number,
    table: EntryBytes,
    entry: number,
  ): Uint8Array {
    writeHeader(this.#foundView, 0, { type: DatagramType.Answer, session, packet });
    const end = writeFound(this.#found, HEADER_SIZE, table, entry) + TAG_SIZE;
    const bytes = this.#found.subarray(0, end);
    sealAnswer(key, packet, bytes);
    return bytes;
  }

  #setSubject(from: Address, nonce: bigint): void {
    writeEndpoint(this.#subject, from);
    this.#subjectView.setBigUint64(ENDPOINT_SIZE, nonce);
  }

  /** The Answer to a Register that is refused, for one of `RefusalReason`; see encodeAnswer(). */
  encodeRefusal(key: Uint8Array, session: number, reason: number): Uint8Array {
    // Nothing is kept of what was refused: chance sees to it that no packet counter comes twice.
    const random = (): number => randomU32(this.#random);
    const packet = REFUSAL_PACKET_MIN + (random() & 0xf_ffff) * 2 ** 32 + random();
    return this.encodeAnswer(key, session, packet, { kind: "refused", reason });
  }
}

/** What a client asks once it is registered. */
export type DirectoryRequest = LeaseKeepalive | LookUp | List | Call | Carry | AlsoAt | Leave;

const REQUEST_KINDS: ReadonlySet<Frame["kind"]> = new Set<DirectoryRequest["kind"]>([
  ...["leaseKeepalive", "lookUp", "list", "call", "carry", "alsoAt", "leave"] as const,
]);

/** The Register that is sealed in a datagram; undefined where it is not sealed under this key. */
export function readRegister(key: Uint8Array, datagram: Datagram): Register | undefined {
  const plain = openRequest(key, datagram);
  return plain && decodeFrames(plain)?.frames.find((frame) => frame.kind === "register");
}

/** The request that is sealed in a datagram; undefined where none is sealed under this key. */
export function readRequest(key: Uint8Array, datagram: Datagram): DirectoryRequest | undefined {
  const plain = openRequest(key, datagram);
  return plain && findRequest(plain);
}

/** The first request among some frames, which are encoded; whatever else is there is skipped. */
export function findRequest(plain: Uint8Array): DirectoryRequest | undefined {
  return readCommonRequest(plain) ?? decodeFrames(plain)?.frames.find(isRequest);
}

function isRequest(frame: Frame): frame is DirectoryRequest {
  return REQUEST_KINDS.has(frame.kind);
}
