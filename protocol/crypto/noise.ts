/**
 * The handshake `Noise_IK_25519_ChaChaPoly_SHA256` of the Noise Protocol Framework, revision 34.
 *
 * The initiator knows the responder's static key; message one tells the responder the initiator's,
 * message two makes both ephemeral keys count. The names are those of the specification.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { TAG_SIZE } from "../wire/frame.ts";
import { open, seal } from "./aead.ts";
import { hmacSha256 } from "./hmac.ts";
import { KEY_SIZE, KeyPair } from "./x25519.ts";

const PROTOCOL_NAME = new TextEncoder().encode("Noise_IK_25519_ChaChaPoly_SHA256");
const NOTHING = new Uint8Array();

/** Bytes of message one beside its payload: ephemeral key, sealed static key, tag. */
export const MESSAGE_ONE_OVERHEAD: number = KEY_SIZE + (KEY_SIZE + TAG_SIZE) + TAG_SIZE;
/** Bytes of message two beside its payload: ephemeral key, tag. */
export const MESSAGE_TWO_OVERHEAD: number = KEY_SIZE + TAG_SIZE;

/** Two keys: one for each direction, named from the initiator's side. */
export interface DirectionKeys {
  /** From the initiator to the responder. */
  readonly forward: Uint8Array;
  /** From the responder to the initiator. */
  readonly backward: Uint8Array;
}

/** HKDF with two outputs (Noise, 4.3). */
function hkdf(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const secret = hmacSha256(chainingKey, input);
  const first = hmacSha256(secret, Uint8Array.of(1));
  return [first, hmacSha256(secret, first, Uint8Array.of(2))];
}

/** The object of Noise, 5.2: what was said so far, and the key that follows from it. */
class SymmetricState {
  #chainingKey: Uint8Array;
  #key: Uint8Array | undefined;
  #counter = 0n;
  #hash: Uint8Array;

  constructor(prologue: Uint8Array) {
    // The name is no longer than a hash, so it is taken as it is.
    this.#hash = new Uint8Array(KEY_SIZE);
    this.#hash.set(PROTOCOL_NAME);
    this.#chainingKey = this.#hash;
    this.mixHash(prologue);
  }

  /** Names this very handshake: the same on both sides, and on no other. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  /** What was said so far, to go on from without a change here. */
  copy(): SymmetricState {
    const copy = new SymmetricState(NOTHING);
    copy.#chainingKey = this.#chainingKey;
    copy.#key = this.#key;
    copy.#counter = this.#counter;
    copy.#hash = this.#hash;
    return copy;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = createHash("sha256").update(this.#hash).update(data).digest();
  }

  mixKey(input: Uint8Array): void {
    [this.#chainingKey, this.#key] = hkdf(this.#chainingKey, input);
    this.#counter = 0n;
  }

  encryptAndHash(plain: Uint8Array): Uint8Array {
    if (this.#key === undefined) throw new Error("Cannot encrypt before a key agreement");
    const sealed = seal(this.#key, this.#counter++, this.#hash, plain);
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    if (this.#key === undefined) return undefined;
    const plain = open(this.#key, this.#counter++, this.#hash, sealed);
    if (plain !== undefined) this.mixHash(sealed);
    return plain;
  }

  split(): DirectionKeys {
    const [forward, backward] = hkdf(this.#chainingKey, NOTHING);
    return { forward, backward };
  }
}

/** What both sides have when the handshake is over. */
export interface HandshakeResult {
  /** For the connection. */
  readonly keys: DirectionKeys;
  /** Names the handshake; a short authentication string comes from it. */
  readonly hash: Uint8Array;
}

/** The side that speaks first. */
export class Initiator {
  readonly #static: KeyPair;
  readonly #ephemeral: KeyPair;
  readonly #remoteStatic: Uint8Array;
  readonly #state: SymmetricState;

  /**
   * Begins a handshake.
   *
   * @param ephemeral a new key pair, for this handshake only.
   */
  constructor(local: KeyPair, ephemeral: KeyPair, remoteStatic: Uint8Array, prologue: Uint8Array) {
    this.#static = local;
    this.#ephemeral = ephemeral;
    this.#remoteStatic = remoteStatic;
    this.#state = new SymmetricState(prologue);
    this.#state.mixHash(remoteStatic);
  }

  /** Message one: `e, es, s, ss`; undefined where the responder's key is a weak one. */
  writeMessageOne(payload: Uint8Array): Uint8Array | undefined {
    const state = this.#state;
    state.mixHash(this.#ephemeral.publicKey);
    const es = this.#ephemeral.agree(this.#remoteStatic);
    const ss = this.#static.agree(this.#remoteStatic);
    if (es === undefined || ss === undefined) return undefined;
    state.mixKey(es);
    const sealedStatic = state.encryptAndHash(this.#static.publicKey);
    state.mixKey(ss);
    return joined(this.#ephemeral.publicKey, sealedStatic, state.encryptAndHash(payload));
  }

  /**
   * Message two: `e, ee, se`; undefined where it is none for this handshake, which then still waits
   * for one: anybody can make up a message.
   */
  readMessageTwo(message: Uint8Array): (HandshakeResult & { payload: Uint8Array }) | undefined {
    if (message.length < MESSAGE_TWO_OVERHEAD) return undefined;
    const state = this.#state.copy();
    const remoteEphemeral = message.subarray(0, KEY_SIZE);
    state.mixHash(remoteEphemeral);
    const ee = this.#ephemeral.agree(remoteEphemeral);
    const se = this.#static.agree(remoteEphemeral);
    if (ee === undefined || se === undefined) return undefined;
    state.mixKey(ee);
    state.mixKey(se);
    const payload = state.decryptAndHash(message.subarray(KEY_SIZE));
    return payload && { payload, keys: state.split(), hash: Uint8Array.from(state.hash) };
  }
}

/** The side that is spoken to: made by {@linkcode readMessageOne}. */
export class Responder {
  /** The initiator's static key. */
  readonly remoteStatic: Uint8Array;
  /** What message one carried. */
  readonly payload: Uint8Array;
  readonly #remoteEphemeral: Uint8Array;
  readonly #state: SymmetricState;

  /** Goes on from message one. */
  constructor(
    state: SymmetricState,
    remoteEphemeral: Uint8Array,
    remoteStatic: Uint8Array,
    payload: Uint8Array,
  ) {
    this.#state = state;
    this.#remoteEphemeral = remoteEphemeral;
    this.remoteStatic = remoteStatic;
    this.payload = payload;
  }

  /** Message two: `e, ee, se`; undefined where a key of the initiator's is a weak one. */
  writeMessageTwo(
    ephemeral: KeyPair,
    payload: Uint8Array,
  ): (HandshakeResult & { message: Uint8Array }) | undefined {
    const state = this.#state;
    state.mixHash(ephemeral.publicKey);
    const ee = ephemeral.agree(this.#remoteEphemeral);
    const se = ephemeral.agree(this.remoteStatic);
    if (ee === undefined || se === undefined) return undefined;
    state.mixKey(ee);
    state.mixKey(se);
    const message = joined(ephemeral.publicKey, state.encryptAndHash(payload));
    return { message, keys: state.split(), hash: Uint8Array.from(state.hash) };
  }
}

/** Reads message one: `e, es, s, ss`; undefined where it is none for this static key and prologue. */
export function readMessageOne(
  local: KeyPair,
  message: Uint8Array,
  prologue: Uint8Array,
): Responder | undefined {
  if (message.length < MESSAGE_ONE_OVERHEAD) return undefined;
  const state = new SymmetricState(prologue);
  state.mixHash(local.publicKey);
  const ephemeral = Uint8Array.from(message.subarray(0, KEY_SIZE));
  state.mixHash(ephemeral);
  const es = local.agree(ephemeral);
  if (es === undefined) return undefined;
  state.mixKey(es);
  const payloadAt = KEY_SIZE + KEY_SIZE + TAG_SIZE;
  const remoteStatic = state.decryptAndHash(message.subarray(KEY_SIZE, payloadAt));
  const ss = remoteStatic && local.agree(remoteStatic);
  if (remoteStatic === undefined || ss === undefined) return undefined;
  state.mixKey(ss);
  const payload = state.decryptAndHash(message.subarray(payloadAt));
  return payload && new Responder(state, ephemeral, remoteStatic, payload);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
