/**
 * What a client and a directory seal for one another, written from `protocol/README.md` alone.
 *
 * @module
 */
import {
  ascii,
  chachaOpen,
  chachaSeal,
  hmac,
  join,
  nonceOf,
  number,
  publicKeyOf,
  sha256,
  x25519,
} from "./naive_crypto.ts";
import { header } from "./naive_handshake.ts";

/** The nonce prefixes of the two directions, and of what a directory says unasked. */
const FROM_CLIENT = 0;
const FROM_DIRECTORY = 1;
const FROM_DIRECTORY_UNASKED = 2;

/** What stands in Credentials and in a Challenge before the mac. */
export interface NaiveCredentials {
  readonly nonce: bigint;
  readonly cookie: Uint8Array;
  readonly publicKey: Uint8Array;
}

/**
 * The registration key, as either end computes it: `own` is its private key, `remote` the other
 * end's public key.
 */
export function registrationKey(
  [own, remote]: readonly [own: Uint8Array, remote: Uint8Array],
  isClient: boolean,
  { nonce, cookie }: Pick<NaiveCredentials, "nonce" | "cookie">,
  secret?: Uint8Array,
): Uint8Array {
  const secretInput = secret === undefined
    ? new Uint8Array(32)
    : sha256(ascii("udp-chat directory key"), secret);
  const ownPublic = publicKeyOf(own);
  const [client, directory] = isClient ? [ownPublic, remote] : [remote, ownPublic];
  const info = join(ascii("udp-chat directory key"), client, directory);
  // HKDF (RFC 5869): extract, then the first block of expand.
  const extracted = hmac(join(number(nonce, 8), cookie), x25519(own, remote), secretInput);
  return hmac(extracted, info, [1]);
}

/** The first 91 bytes of a Register, and all of a Challenge. */
function credentialsDatagram(
  [type, frame]: readonly [type: number, frame: number],
  packet: number,
  { nonce, cookie, publicKey }: NaiveCredentials,
  secret: Uint8Array | undefined,
): Uint8Array {
  const head = join(header(type, 0, packet), [frame, 0, 72]);
  const before = join(head, number(nonce, 8), cookie, publicKey);
  if (secret === undefined) return join(before, new Uint8Array(16));
  const key = sha256(ascii("udp-chat directory mac"), secret);
  return join(before, hmac(key, before).slice(0, 16));
}

/** The first Register of an exchange. */
export function firstRegisterDatagram(nonce: bigint, secret?: Uint8Array): Uint8Array {
  const empty = { nonce, cookie: new Uint8Array(16), publicKey: new Uint8Array(32) };
  return credentialsDatagram([1, 0x01], 0, empty, secret);
}

/** The Challenge, whose public key is the directory's. */
export function challengeDatagram(challenge: NaiveCredentials, secret?: Uint8Array): Uint8Array {
  return credentialsDatagram([2, 0x02], 0, challenge, secret);
}

/** The Register that follows, with frames that are already padded. */
export function registerDatagram(
  key: Uint8Array,
  packet: number,
  credentials: NaiveCredentials,
  frames: Uint8Array,
  secret?: Uint8Array,
): Uint8Array {
  const head = credentialsDatagram([1, 0x01], packet, credentials, secret);
  return join(head, chachaSeal(key, nonceOf(packet, FROM_CLIENT), head, frames));
}

/** A Request of the client with this id. */
export function requestDatagram(
  key: Uint8Array,
  client: number,
  packet: number,
  frames: Uint8Array,
): Uint8Array {
  const head = header(3, client, packet);
  return join(head, chachaSeal(key, nonceOf(packet, FROM_CLIENT), head, frames));
}

/** The Answer to the Register or Request with this packet counter. */
export function answerDatagram(
  key: Uint8Array,
  session: number,
  packet: number,
  frames: Uint8Array,
): Uint8Array {
  const head = header(4, session, packet);
  return join(head, chachaSeal(key, nonceOf(packet, FROM_DIRECTORY), head, frames));
}

/** A Notice: its packet counter is its own. */
export function noticeDatagram(
  key: Uint8Array,
  session: number,
  packet: number,
  frames: Uint8Array,
): Uint8Array {
  const head = header(9, session, packet);
  return join(head, chachaSeal(key, nonceOf(packet, FROM_DIRECTORY_UNASKED), head, frames));
}

/** The sealed frames of a Register, Request, Answer or Notice; throws where it does not open. */
export function directoryFramesIn(key: Uint8Array, datagram: Uint8Array): Uint8Array {
  const sealedAt = datagram[3] === 1 ? 91 : 16;
  const prefixes = new Map([[4, FROM_DIRECTORY], [9, FROM_DIRECTORY_UNASKED]]);
  const prefix = prefixes.get(datagram[3]!) ?? FROM_CLIENT;
  const packet = new DataView(datagram.slice().buffer).getBigUint64(8);
  const nonce = nonceOf(packet, prefix);
  return chachaOpen(key, nonce, datagram.slice(0, sealedAt), datagram.slice(sealedAt));
}
