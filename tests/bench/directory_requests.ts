/**
 * The clients of a directory under load: what they send, which must cost much less than the answers.
 *
 * All of them have one static key, so that its key agreement with the directory is made once. The
 * directory does not know that, and makes one for each registration.
 *
 * @module
 */
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { DirectorySession } from "../../protocol/directory/directory_session.ts";
import { registrationKey } from "../../protocol/directory/registration_key.ts";
import { systemRandom } from "../../protocol/udp.ts";
import { DatagramWriter, decodeDatagram, encodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  type Challenge,
  type Credentials,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
} from "../../protocol/wire/frame.ts";

const NONE = new Uint8Array(16);
const PORT = 4242;
const DIRECTORY = { hostname: "127.0.0.1", port: 7070 };

/** Clients by their numbers: their nonces and session ids are made from these. */
export class LoadClients {
  readonly #identity: KeyPair = makeKeyPair(systemRandom);
  #directoryKey = new Uint8Array();
  #shared = new Uint8Array();
  readonly #writer = new DatagramWriter(DATAGRAM_SIZE_MAX, true);
  readonly #sessions = new Map<number, DirectorySession>();
  readonly #ids = new Map<number, number>();

  /** The first Register of a client. */
  firstRegister(number: number): Uint8Array {
    const publicKey = new Uint8Array(32);
    return encodeDatagram({ type: DatagramType.Register, session: 0, packet: 0 }, [
      { kind: "credentials", nonce: BigInt(number), cookie: NONE, publicKey, mac: NONE },
    ]);
  }

  /** The number of the client that a Challenge is for, and its Register; undefined for an Answer. */
  register(answer: Uint8Array): { number: number; bytes: Uint8Array } | undefined {
    if (answer[3] !== DatagramType.Challenge) return undefined;
    const challenge = frameOf(answer) as Challenge;
    const { nonce, publicKey: directoryKey } = challenge;
    const cookie = challenge.cookie.slice();
    const number = Number(nonce);
    const { publicKey } = this.#identity;
    if (this.#shared.length === 0) {
      this.#directoryKey = directoryKey.slice();
      this.#shared = this.#identity.agree(directoryKey)!.slice();
    }
    const key = registrationKey({
      shared: this.#shared,
      nonce,
      cookie,
      clientKey: publicKey,
      directoryKey: this.#directoryKey,
      secret: undefined,
    });
    const credentials: Credentials = { kind: "credentials", nonce, cookie, publicKey, mac: NONE };
    const session = new DirectorySession({
      localId: number + 1,
      address: DIRECTORY,
      directoryKey: this.#directoryKey,
      key,
      credentials,
      writer: this.#writer,
    });
    this.#sessions.set(number, session);
    const wanted = { wantedId: 0, port: PORT, name: "" };
    const frame = { kind: "register", session: number + 1, token: NONE, ...wanted } as const;
    return { number, bytes: session.encodeRegister(frame, () => {}) };
  }

  /** Takes the Answer to a Register; returns the client's number. */
  registered(answer: Uint8Array, isKept: boolean): number {
    const decoded = decodeDatagram(answer);
    if (!decoded.ok) throw new Error("Not an Answer");
    const number = decoded.value.header.session - 1;
    if (isKept) this.#ids.set(number, idOf(this.read(answer)));
    else this.#sessions.delete(number);
    return number;
  }

  /** The client ids of those that are kept, by their numbers. */
  get ids(): ReadonlyMap<number, number> {
    return this.#ids;
  }

  /** A Look-up of a client id by a client; valid until its next one. */
  lookUp(number: number, target: number): Uint8Array {
    const frame = { kind: "lookUp", id: target, name: "" } as const;
    return this.#sessions.get(number)!.encodeRequest(this.#ids.get(number)!, frame);
  }

  /** The frame in an Answer. */
  read(answer: Uint8Array): Frame {
    return this.open(answer).frame;
  }

  /** The number of the client that an Answer is for, and its frame. */
  open(answer: Uint8Array): { number: number; frame: Frame } {
    const decoded = decodeDatagram(answer);
    const number = decoded.ok ? decoded.value.header.session - 1 : -1;
    const frame = decoded.ok ? this.#sessions.get(number)?.open(decoded.value)?.[0] : undefined;
    if (frame === undefined) throw new Error(`The directory answered ${Deno.inspect(decoded)}`);
    return { number, frame };
  }
}

function frameOf(answer: Uint8Array): Frame {
  const decoded = decodeDatagram(answer);
  const frame = decoded.ok ? decoded.value.frames[0] : undefined;
  if (frame === undefined) throw new Error(`The directory answered ${Deno.inspect(decoded)}`);
  return frame;
}

function idOf(frame: Frame): number {
  if (frame.kind !== "registered") throw new Error(`Not registered: ${Deno.inspect(frame)}`);
  return frame.id;
}
