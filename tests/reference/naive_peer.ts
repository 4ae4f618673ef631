/**
 * A client, as plain as can be, and a directory, written from `protocol/README.md` alone: they answer
 * what they are given, and have no timers.
 *
 * @module
 */
import {
  type NaiveAddress,
  naiveBelonging,
  naiveDecode,
  naiveDecodeFrames,
  naiveEncodeFrames,
  type NaiveFrame,
} from "./naive_codec.ts";
import { number, publicKeyOf } from "./naive_crypto.ts";
import * as directory from "./naive_directory.ts";
import * as session from "./naive_handshake.ts";

/** The frames in some bytes that belong into a datagram of a type. */
function framesOf(type: number, plain: Uint8Array): NaiveFrame[] {
  const decoded = naiveDecodeFrames([...plain]);
  if (decoded === undefined) throw new Error("The frames are bad");
  return naiveBelonging(type, decoded.frames);
}

/** A frame of a datagram that has clear ones. */
function clearFrame(bytes: Uint8Array, kind: string): NaiveFrame {
  const decoded = naiveDecode([...bytes]);
  const frame = decoded.row === "good" && decoded.frames.find((each) => each.kind === kind);
  if (!frame) throw new Error(`There is no ${kind} in the datagram`);
  return frame;
}

/** A header's session id and packet counter. */
function headerOf(bytes: Uint8Array): { type: number; session: number; packet: number } {
  const decoded = naiveDecode([...bytes]);
  if (decoded.row !== "good") throw new Error(`The datagram is ${decoded.row}`);
  return decoded.header;
}

/** One end of a session with another client. */
export class NaiveSession {
  readonly #own: Uint8Array;
  readonly #remote: Uint8Array;
  readonly #remoteId: number;
  /** The handshake hash. */
  readonly hash: Uint8Array;
  #packet = 0;

  constructor(keys: session.NaiveSession, isInitiator: boolean, remoteId: number) {
    this.#own = isInitiator ? keys.forward : keys.backward;
    this.#remote = isInitiator ? keys.backward : keys.forward;
    this.#remoteId = remoteId;
    this.hash = keys.hash;
  }

  /** A Packet with these frames. */
  seal(...frames: NaiveFrame[]): Uint8Array {
    const plain = Uint8Array.from(naiveEncodeFrames(frames));
    return session.packetDatagram(this.#own, this.#remoteId, this.#packet++, plain);
  }

  /** The frames of a Packet that belong there; throws where it does not open. */
  open(bytes: Uint8Array): NaiveFrame[] {
    return framesOf(8, session.framesIn(this.#remote, bytes));
  }
}

/** What a naive client is made of: its private keys, and its ids. */
export interface NaiveClientOptions {
  readonly staticKey: Uint8Array;
  readonly ephemeralKey: Uint8Array;
  readonly sessionId: number;
}

/** Takes an Initiation; its mac1 has to be good. */
export function respondTo(
  initiation: Uint8Array,
  { staticKey, ephemeralKey, sessionId }: NaiveClientOptions,
): { response: Uint8Array; session: NaiveSession; initiatorStatic: Uint8Array } {
  const read = session.readInitiation(initiation, publicKeyOf(staticKey));
  if (!read.isMac1Good) throw new Error("mac1 is bad");
  const one = session.readOne(staticKey, read.messageOne);
  const two = session.writeTwo(one, ephemeralKey, number(sessionId, 4));
  const initiatorId = numberIn(one.payload);
  return {
    response: session.responseDatagram(initiatorId, two.message),
    session: new NaiveSession(two, false, initiatorId),
    initiatorStatic: one.initiatorStatic,
  };
}

/** A handshake that this end begins. */
export class NaiveInitiator {
  readonly #options: NaiveClientOptions;
  readonly #responderStatic: Uint8Array;
  readonly #one: ReturnType<typeof session.writeOne>;
  #cookie: Uint8Array | undefined;

  constructor(options: NaiveClientOptions, responderStatic: Uint8Array) {
    const { staticKey, ephemeralKey, sessionId } = options;
    this.#options = options;
    this.#responderStatic = responderStatic;
    this.#one = session.writeOne(staticKey, ephemeralKey, responderStatic, number(sessionId, 4));
  }

  /** The Initiation, with a cookie where one came. */
  get initiation(): Uint8Array {
    return session.initiationDatagram(this.#one.message, this.#responderStatic, this.#cookie);
  }

  /** Takes a Cookie Reply. */
  handleCookie(reply: Uint8Array): void {
    const { mac1 } = session.readInitiation(this.initiation, this.#responderStatic);
    this.#cookie = session.cookieIn(reply, mac1, this.#responderStatic);
  }

  /** Takes the Response. */
  handleResponse(response: Uint8Array): NaiveSession {
    const { messageTwo } = clearFrame(response, "response") as unknown as {
      messageTwo: Uint8Array;
    };
    const { staticKey, ephemeralKey } = this.#options;
    const end = session.readTwo(this.#one, staticKey, ephemeralKey, messageTwo);
    return new NaiveSession(end, true, numberIn(end.payload));
  }
}

/** A client's end of a registration. */
export class NaiveRegistration {
  readonly #staticKey: Uint8Array;
  readonly #secret: Uint8Array | undefined;
  readonly #nonce: bigint;
  #credentials: directory.NaiveCredentials | undefined;
  #key = new Uint8Array();
  #packet = 0;
  readonly #notices = new Set<number>();

  constructor(staticKey: Uint8Array, nonce: bigint, secret?: Uint8Array) {
    this.#staticKey = staticKey;
    this.#nonce = nonce;
    this.#secret = secret;
  }

  /** The first Register. */
  first(): Uint8Array {
    return directory.firstRegisterDatagram(this.#nonce, this.#secret);
  }

  /** What a Challenge holds, which has to be for this registration. */
  credentialsFor(bytes: Uint8Array): directory.NaiveCredentials {
    const { nonce, cookie, publicKey } = clearFrame(
      bytes,
      "challenge",
    ) as unknown as directory.NaiveCredentials;
    const again = directory.challengeDatagram({ nonce, cookie, publicKey }, this.#secret);
    if (bytes.join() !== again.join() || nonce !== this.#nonce) {
      throw new Error("Another Challenge");
    }
    return { nonce, cookie, publicKey };
  }

  /** Takes the Challenge; gives the directory's static key. */
  handleChallenge(bytes: Uint8Array): Uint8Array {
    const { nonce, cookie, publicKey } = this.credentialsFor(bytes);
    const credentials = { nonce, cookie, publicKey: publicKeyOf(this.#staticKey) };
    const keys = [this.#staticKey, publicKey] as const;
    this.#key = directory.registrationKey(keys, true, credentials, this.#secret).slice();
    this.#credentials = credentials;
    return publicKey;
  }

  /** The Register that follows, of 288 bytes. */
  register(frame: NaiveFrame): Uint8Array {
    const plain = Uint8Array.from(naiveEncodeFrames([frame], 288 - 91 - 16));
    const credentials = this.#credentials!;
    const key = this.#key;
    return directory.registerDatagram(key, this.#packet++, credentials, plain, this.#secret);
  }

  /** A Request of the client with this id; a Call has 512 bytes. */
  request(client: number, frame: NaiveFrame, size = frame.kind === "call" ? 512 : 0): Uint8Array {
    const plain = Uint8Array.from(naiveEncodeFrames([frame], size - 16 - 16));
    return directory.requestDatagram(this.#key, client, this.#packet++, plain);
  }

  /** The frame of a Notice; throws where it came before. */
  notice(bytes: Uint8Array): NaiveFrame {
    const [frame] = framesOf(9, directory.directoryFramesIn(this.#key, bytes));
    const { packet } = headerOf(bytes);
    if (frame === undefined || this.#notices.has(packet)) throw new Error("The Notice is old");
    this.#notices.add(packet);
    return frame;
  }

  /** The frame of the Answer to what was sent last; a Refused answers any Register. */
  answer(bytes: Uint8Array): NaiveFrame {
    const [frame] = framesOf(4, directory.directoryFramesIn(this.#key, bytes));
    const { packet } = headerOf(bytes);
    const isMeant = frame?.kind === "refused" ? packet >= 2 ** 52 : packet === this.#packet - 1;
    if (frame === undefined || !isMeant) throw new Error("The Answer is for another request");
    return frame;
  }
}

/** The number of all meetings of a naive directory. */
export const MEETING_NUMBER = 0x0123456789abcdefn;

/** The Punch of a meeting, of 154 bytes. */
export function punchDatagram(meeting: bigint): Uint8Array {
  const frames = naiveEncodeFrames([{ kind: "punch", number: meeting }], 154 - 16);
  return Uint8Array.from([...session.header(10, 0, 0), ...frames]);
}

/** The number in a Punch of at least 154 bytes, or of any size where it is 0. */
export function meetingOf(punch: Uint8Array): bigint {
  const number = clearFrame(punch, "punch")["number"] as bigint;
  if (number !== 0n && punch.length < 154) throw new Error("The Punch is too small");
  return number;
}

/** A directory with one client, and a table of others that never change. */
export class NaiveDirectory {
  readonly #staticKey: Uint8Array;
  readonly #secret: Uint8Array | undefined;
  readonly #clients: readonly {
    id: number;
    name: string;
    address: NaiveAddress;
    key: Uint8Array;
  }[];
  readonly #cookie = new Uint8Array(16).fill(0xc0);
  #key = new Uint8Array();
  #session = 0;
  #notices = 0;
  /** Whether client 1 is behind the same public address as the others. */
  isNear = false;
  /** The frames of requests that came. */
  readonly received: NaiveFrame[] = [];

  constructor(
    staticKey: Uint8Array,
    clients: readonly { id: number; name: string; address: NaiveAddress; key: Uint8Array }[],
    secret?: Uint8Array,
  ) {
    this.#staticKey = staticKey;
    this.#clients = clients;
    this.#secret = secret;
  }

  /** The answer to a Register or a Request of client 1 at this address. */
  answer(bytes: Uint8Array, from: NaiveAddress): Uint8Array {
    const { type, packet } = headerOf(bytes);
    if (type === 3) return this.#answer(packet, framesOf(3, this.#open(bytes))[0]!, from);
    const credentials = clearFrame(bytes, "credentials") as unknown as directory.NaiveCredentials;
    const { nonce, cookie, publicKey } = credentials;
    if (cookie.join() !== this.#cookie.join()) {
      const challenge = { nonce, cookie: this.#cookie, publicKey: publicKeyOf(this.#staticKey) };
      return directory.challengeDatagram(challenge, this.#secret);
    }
    const keys = [this.#staticKey, publicKey] as const;
    this.#key = directory.registrationKey(keys, false, credentials, this.#secret).slice();
    const [register] = framesOf(1, this.#open(bytes));
    this.#session = register!["session"] as number;
    return this.#answer(packet, register!, from);
  }

  /** Something that client 1 has not asked for. */
  notice(frame: NaiveFrame, packet = this.#notices++): Uint8Array {
    const plain = Uint8Array.from(naiveEncodeFrames([frame]));
    return directory.noticeDatagram(this.#key, this.#session, packet, plain);
  }

  /** The datagram that client 1 wants to be carried, and its receiver; undefined for another request. */
  carry(bytes: Uint8Array): NaiveFrame | undefined {
    return framesOf(3, this.#open(bytes)).find(({ kind }) => kind === "carry");
  }

  /** What client 1 is told about another one. */
  meeting(client: number, isCaller: boolean): NaiveFrame {
    const { id, name, address, key } = this.#clients.find((each) => each.id === client)!;
    const peer = { id, name, publicKey: key, addresses: [address] };
    const flags = Number(isCaller) + 2 * Number(this.isNear);
    return { kind: "meeting", number: MEETING_NUMBER, flags, ...peer };
  }

  #open(bytes: Uint8Array): Uint8Array {
    return directory.directoryFramesIn(this.#key, bytes);
  }

  #answer(packet: number, request: NaiveFrame, from: NaiveAddress): Uint8Array {
    this.received.push(request);
    const plain = Uint8Array.from(naiveEncodeFrames([this.#frame(request, from)]));
    return directory.answerDatagram(this.#key, this.#session, packet, plain);
  }

  #frame(request: NaiveFrame, from: NaiveAddress): NaiveFrame {
    const { kind, id, name } = request as unknown as { kind: string; id: number; name: string };
    switch (kind) {
      case "register": {
        const token = new Uint8Array(16).fill(0x70);
        return { kind: "registered", token, id: 1, lease: 45_000, seenAt: from };
      }
      case "leaseKeepalive":
        return { kind: "leaseKeepaliveAck", lease: 45_000 };
      case "call": {
        const found = this.#clients.find((each) => id === 0 ? each.name === name : each.id === id);
        return found ? this.meeting(found.id, true) : { kind: "inactive", id, name };
      }
      case "list": {
        const clients = this.#clients.map((each) => ({ id: each.id, name: each.name }));
        return { kind: "listing", more: 0, clients };
      }
      default:
        return { kind: "leaveAck" };
    }
  }
}

function numberIn(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
