/**
 * A directory that a test plays: it shares a key with each client, and answers what the test wants.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { readRegister, readRequest, Registrar } from "../../protocol/directory/registrar.ts";
import type { Instant, Random } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  type Credentials,
  DatagramType,
  type Frame,
  type Header,
} from "../../protocol/wire/frame.ts";

/** Where the directory is. */
export const DIRECTORY: Address = { hostname: "10.0.0.1", port: 7070 };
/** Where it sees its clients. */
export const SEEN_AT: Address = { hostname: "198.51.100.4", port: 4444 };
/** The lease that it gives, in milliseconds. */
export const LEASE = 45_000;

/** A key that the directory shares with a client. */
interface Shared {
  readonly key: Uint8Array;
  /** The client's id of the session. */
  readonly session: number;
}

/** What a client asks: clear Credentials without a cookie, or a frame that was sealed. */
export class Asked {
  readonly bytes: Uint8Array;
  readonly header: Header;
  readonly frame: Frame;
  readonly #registrar: Registrar;
  readonly #shared: Shared | undefined;

  constructor(
    registrar: Registrar,
    bytes: Uint8Array,
    header: Header,
    frame: Frame,
    shared: Shared | undefined,
  ) {
    this.#registrar = registrar;
    this.bytes = bytes;
    this.header = header;
    this.frame = frame;
    this.#shared = shared;
  }

  /** An Answer. */
  answer(frame: Frame, packet: number = this.header.packet): Uint8Array {
    const { key, session } = this.shared;
    return this.#registrar.encodeAnswer(key, session, packet, frame).slice();
  }

  /** The Answer that refuses a Register. */
  refuse(reason: number): Uint8Array {
    const { key, session } = this.shared;
    return this.#registrar.encodeRefusal(key, session, reason).slice();
  }

  /** The key that it was sealed with. */
  get shared(): Shared {
    assert(this.#shared !== undefined, "there is no key yet");
    return this.#shared;
  }
}

/** A directory; it sees every client at the same address. */
export class FakeDirectory {
  readonly identity: KeyPair;
  readonly #registrar: Registrar;
  /** The keys of the clients that it has registered, by their ids. */
  readonly #clients = new Map<number, Shared>();
  #notices = 0;

  constructor(random: Random, secret?: Uint8Array, identity: KeyPair = makeKeyPair(random)) {
    this.identity = identity;
    this.#registrar = new Registrar({ identity, secret, random });
  }

  /** The Challenge that answers a Register. */
  challenge(now: Instant, bytes: Uint8Array): Uint8Array {
    return this.#registrar.encodeChallenge(now, credentialsIn(bytes), SEEN_AT);
  }

  /** Reads what a client sent. */
  read(now: Instant, bytes: Uint8Array): Asked {
    const decoded = decodeDatagram(bytes.slice());
    assert(decoded.ok);
    const { value: datagram, value: { header } } = decoded;
    if (header.type === DatagramType.Register) {
      const credentials = credentialsIn(bytes);
      assert(this.#registrar.isSigned(datagram), "it does not know the secret");
      if (!this.#registrar.hasCookie(now, credentials, SEEN_AT)) {
        return new Asked(this.#registrar, bytes, header, credentials, undefined);
      }
      const key = this.#registrar.agree(credentials);
      const frame = key && readRegister(key, datagram);
      assert(key !== undefined && frame !== undefined, "it does not open");
      const shared = { key, session: frame.session };
      return new Asked(this.#registrar, bytes, header, frame, shared);
    }
    assert(header.type === DatagramType.Request);
    const shared = this.#clients.get(header.session);
    const frame = shared && readRequest(shared.key, datagram);
    assert(frame !== undefined, "it does not open");
    return new Asked(this.#registrar, bytes, header, frame, shared);
  }

  /** Registers the client that sent a Register, under this id. */
  grant(asked: Asked, { id = 1, token = 0xaa, lease = LEASE } = {}): Uint8Array {
    assert(asked.frame.kind === "register");
    this.#clients.set(id, asked.shared);
    const seenAt = SEEN_AT;
    return asked.answer({
      kind: "registered",
      id,
      token: new Uint8Array(16).fill(token),
      lease,
      seenAt,
    });
  }

  /** What a client is told unasked. */
  notice(id: number, frame: Frame, packet = this.#notices++): Uint8Array {
    const client = this.#clients.get(id);
    assert(client !== undefined, "nobody is registered under that id");
    return this.#registrar.encodeNotice(client.key, client.session, packet, frame).slice();
  }
}

function credentialsIn(bytes: Uint8Array): Credentials {
  const decoded = decodeDatagram(bytes);
  assert(decoded.ok);
  const [frame] = decoded.value.frames;
  assert(frame?.kind === "credentials");
  return frame;
}
