/**
 * A directory on virtual time, and the clients that tests play to it.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { type Random, randomU32, randomU64 } from "../../protocol/machine.ts";
import {
  DirectorySecret,
  openAnswer,
  openNotice,
  registrationKey,
  sealRequest,
} from "../../protocol/directory/registration_key.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import {
  type Datagram,
  DatagramWriter,
  decodeDatagram,
  decodeFrames,
} from "../../protocol/wire/datagram.ts";
import {
  CALL_SIZE,
  type Challenge,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Meeting,
  type Register,
  type Registered,
} from "../../protocol/wire/frame.ts";
import type { Server } from "../../server/server.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import { newServer, ownTimeout } from "./new_server.ts";
import { Prng } from "./random.ts";

/** The lease in milliseconds. */
export const LEASE = 45_000;

/** An empty token or cookie. */
export const ZERO = new Uint8Array(16);

/** Requests of all kinds that do not remove the client. */
export const REQUESTS: readonly Frame[] = [
  { kind: "leaseKeepalive" },
  { kind: "lookUp", id: 1, name: "" },
  { kind: "lookUp", id: 0, name: "ana" },
  { kind: "list", after: 0 },
];

const NO_KEY = new Uint8Array(32);

/** The address of client `n`. */
export function client(n: number): Address {
  return { hostname: "127.0.0.1", port: 40_000 + n };
}

const identities = new Map<number, KeyPair>();

/** The static key of client `n`. */
export function identityOf(n: number): KeyPair {
  const identity = identities.get(n) ?? new KeyPair(new Prng(n).bytes(32));
  identities.set(n, identity);
  return identity;
}

/** The static public key of client `n`. */
export function publicKeyOf(n: number): Uint8Array {
  return identityOf(n).publicKey;
}

/** The key of the directory. */
const DIRECTORY = identityOf(-1);

/** A key of a directory that counts how often a shared secret was computed with it. */
export class CountingIdentity extends KeyPair {
  count = 0;

  constructor() {
    super(new Prng(-2).bytes(32));
  }

  override agree(publicKey: Uint8Array): Uint8Array | undefined {
    this.count++;
    return super.agree(publicKey);
  }
}

/** A datagram that the directory sent. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: Address;
}

/** A directory on virtual time, and clients at any address. */
export class Stage {
  now = 1_000_000;
  readonly server: Server;
  readonly secret: DirectorySecret | undefined;
  readonly random: Random = new Prng(2).bytes;

  /** @param make makes another directory than that of all tests. */
  constructor(options: Partial<ServerOptions> = {}, make = newServer) {
    this.secret = options.secret && new DirectorySecret(options.secret);
    this.server = make({
      maxClients: 10_000,
      lease: LEASE,
      identity: DIRECTORY,
      random: new Prng(1).bytes,
      ...options,
    });
  }

  /** Gives the directory a datagram; returns its answers. */
  deliver(bytes: Uint8Array, from: Address): Uint8Array[] {
    this.server.handleDatagram(this.now, bytes, from);
    return this.takeSent().map(({ bytes, to }) => {
      assertEquals(to, from);
      return bytes;
    });
  }

  /** Gives the directory a datagram; returns all that it sends, to anybody. */
  give(bytes: Uint8Array, from: Address): Sent[] {
    this.server.handleDatagram(this.now, bytes, from);
    return this.takeSent();
  }

  takeSent(): Sent[] {
    const sent: Sent[] = [];
    for (let next = this.server.pollTransmit(); next; next = this.server.pollTransmit()) {
      assertLessOrEqual(next.bytes.length, DATAGRAM_SIZE_MAX);
      sent.push({ bytes: next.bytes.slice(), to: next.to });
    }
    return sent;
  }

  /** Registers client `n` from its port. */
  join(n: number, fields: Partial<Register> = {}, where: FakeClientFields = {}): FakeClient {
    const joined = new FakeClient(this, n, where);
    const { kind } = joined.register(fields);
    assertEquals(kind, "registered");
    return joined;
  }

  /** The events since the last call, in short. */
  takeEvents(): string[] {
    const events: string[] = [];
    for (let event = this.server.pollEvent(); event; event = this.server.pollEvent()) {
      if (event.kind === "table") {
        const ids = Array.from(event.clients, ({ id }) => id);
        assertEquals(event.size, ids.length);
        events.push(`table ${ids.join(" ")}`.trim());
      } else {
        events.push(`${event.kind} ${event.client.id} ${event.client.address.port}`);
      }
    }
    return events;
  }
}

/** What an answer is: its one frame, or a datagram that has none. */
export type Outcome = Frame | { kind: "unknown" | "version" };

/** Where a client is, and what it registers with. */
export interface FakeClientFields {
  /** Its static key. */
  identity?: KeyPair;
  /** Where its datagrams come from. */
  address?: Address;
  /** The secret that it has; that of the directory where it is left out. */
  secret?: DirectorySecret | undefined;
}

/** A client that a test plays: it makes every datagram of its own, so that it can send it again. */
export class FakeClient {
  readonly identity: KeyPair;
  address: Address;
  /** What the directory granted last. */
  registered: Registered | undefined;
  /** The packet counter of its next datagram. */
  packet = 0;
  /** Its id of the session. */
  session = 0;
  readonly #stage: Stage;
  readonly #secret: DirectorySecret | undefined;
  #nonce: bigint;
  #cookie: Uint8Array = ZERO;
  #key: Uint8Array = NO_KEY;

  constructor(stage: Stage, n: number, fields: FakeClientFields = {}) {
    const { identity = identityOf(n), address = client(n) } = fields;
    this.#stage = stage;
    this.identity = identity;
    this.address = address;
    this.#secret = "secret" in fields ? fields.secret : stage.secret;
    this.#nonce = randomU64(stage.random);
  }

  /** What the session is sealed with. */
  get key(): Uint8Array {
    return this.#key;
  }

  /** The client id; 0 before it is registered. */
  get id(): number {
    return this.registered?.id ?? 0;
  }

  get token(): Uint8Array {
    return this.registered?.token ?? ZERO;
  }

  /** The Register that asks for a Challenge, with nothing that is not zero but the nonce. */
  firstBytes(): Uint8Array {
    return this.#encode(DatagramType.Register, 0, 0, [this.#credentials(ZERO, NO_KEY)], undefined);
  }

  /** Begins a registration: asks for a Challenge, and agrees on the key. */
  begin(): Challenge {
    this.#nonce = randomU64(this.#stage.random);
    this.packet = 0;
    this.session = randomU32(this.#stage.random);
    const challenge = this.send(this.firstBytes());
    assert(challenge?.kind === "challenge", `challenge: ${challenge?.kind}`);
    this.agree(challenge);
    return challenge;
  }

  /** Agrees on the key that follows from a Challenge. */
  agree({ cookie, publicKey: directoryKey }: Challenge, secret = this.#secret): void {
    const { identity: { publicKey: clientKey } } = this;
    const shared = this.identity.agree(directoryKey);
    assert(shared !== undefined);
    const nonce = this.#nonce;
    this.#cookie = cookie;
    this.#key = registrationKey({ shared, nonce, cookie, clientKey, directoryKey, secret });
  }

  /** A sealed Register in the session that was begun. */
  registerBytes(fields: Partial<Register> = {}, publicKey = this.identity.publicKey): Uint8Array {
    return this.sealedRegister([this.registerFrame(fields)], publicKey);
  }

  /** A Register with these frames sealed in it. */
  sealedRegister(frames: readonly Frame[], publicKey = this.identity.publicKey): Uint8Array {
    const clear = [this.#credentials(this.#cookie, publicKey)];
    return this.#encode(DatagramType.Register, 0, this.packet++, clear, frames);
  }

  /** The frame that asks for what the client has, and for what the fields say. */
  registerFrame(fields: Partial<Register> = {}): Register {
    const { token, session, address: { port } } = this;
    return { kind: "register", session, token, wantedId: 0, port, name: "", ...fields };
  }

  /** A sealed Request with these frames. */
  requestBytes(...frames: readonly Frame[]): Uint8Array {
    return this.#encode(DatagramType.Request, this.id, this.packet++, [], frames);
  }

  /** A Request with a Call, as large as clients make it. */
  callBytes({ id = 0, name = "" }: { id?: number; name?: string }, size = CALL_SIZE): Uint8Array {
    const call: Frame = { kind: "call", id, name };
    return this.#encode(DatagramType.Request, this.id, this.packet++, [], [call], size);
  }

  /** Calls a client; returns the answer, and what other clients are sent. */
  call(target: { id?: number; name?: string }): { answer: Outcome | undefined; others: Sent[] } {
    const bytes = this.callBytes(target);
    const sent = this.#stage.give(bytes, this.address);
    const [own, ...more] = sent.filter(({ to }) => sameAddress(to, this.address));
    assertEquals(more, []);
    const others = sent.filter((each) => each !== own);
    return { answer: own && this.open(own.bytes, bytes), others };
  }

  /** Meets a client by its id: returns what both are told. */
  meet(other: FakeClient): { own: Meeting; others: Meeting } {
    const { answer: own, others } = this.call({ id: other.id });
    assert(own?.kind === "meeting" && others.length === 1);
    const { frame } = other.openNotice(others[0]!);
    assert(frame.kind === "meeting");
    return { own, others: frame };
  }

  /** Has a datagram carried; returns what the directory sends. */
  carry(number: bigint, to: number, datagram: Uint8Array): Sent[] {
    return this.#stage.give(
      this.requestBytes({ kind: "carry", number, to, datagram }),
      this.address,
    );
  }

  /** What is in a Notice, which must be one to this client. */
  openNotice({ bytes, to }: Sent): { packet: number; frame: Frame } {
    const datagram = decoded(bytes);
    const { type, session, packet } = datagram.header;
    assertEquals([type, session, to], [DatagramType.Notice, this.session, this.address]);
    const plain = openNotice(this.#key, datagram);
    assert(plain !== undefined, "the Notice is not sealed for this client");
    const [frame, ...more] = decodeFrames(plain.slice())?.frames ?? [];
    assert(frame !== undefined && more.length === 0);
    return { packet, frame };
  }

  /** From another address: shows that this client receives there, too; returns what comes back. */
  alsoAt(address: Address, cookie?: Uint8Array): Sent[] {
    const nonce = randomU64(this.#stage.random);
    const frame = {
      kind: "credentials",
      nonce,
      cookie: ZERO,
      publicKey: NO_KEY,
      mac: ZERO,
    } as const;
    const first = this.#encode(DatagramType.Register, 0, 0, [frame], undefined);
    const [challenge] = this.#stage.give(first, address);
    const [answer] = challenge === undefined ? [] : decoded(challenge.bytes).frames;
    assert(answer?.kind === "challenge");
    const alsoAt = { kind: "alsoAt", nonce, cookie: cookie ?? answer.cookie } as const;
    return this.#stage.give(this.requestBytes(alsoAt), address);
  }

  /** A Request with these bytes sealed in it, whatever they are. */
  rawRequest(plain: Uint8Array): Uint8Array {
    return this.#encode(DatagramType.Request, this.id, this.packet++, [], plain);
  }

  /** Begins a registration, and registers; returns the answer. */
  register(fields: Partial<Register> = {}): Outcome {
    this.begin();
    return this.askToRegister(fields);
  }

  /** Registers in the session that was begun. */
  askToRegister(fields: Partial<Register> = {}): Outcome {
    const answer = this.send(this.registerBytes(fields));
    assert(answer !== undefined, `no answer: ${JSON.stringify(this.#stage.server.dropped)}`);
    return answer;
  }

  /** Sends a request; returns its answer, which must come. */
  ask(frame: Frame): Outcome {
    const answer = this.send(this.requestBytes(frame));
    assert(answer !== undefined, `no answer: ${JSON.stringify(this.#stage.server.dropped)}`);
    return answer;
  }

  /** Sends a datagram; returns what is in the answer, undefined where there is none. */
  send(bytes: Uint8Array): Outcome | undefined {
    const [answer, ...more] = this.#stage.deliver(bytes, this.address);
    assertEquals(more, []);
    if (answer === undefined) return undefined;
    const outcome = this.open(answer, bytes);
    if (outcome.kind === "registered") this.registered = { ...outcome };
    return outcome;
  }

  /** What is in an answer, which must be one to this datagram. */
  open(answer: Uint8Array, question: Uint8Array): Outcome {
    const datagram = decoded(answer);
    const { type, session, packet } = datagram.header;
    const asked = headerOf(question);
    switch (type) {
      case DatagramType.Challenge: {
        assertEquals([session, packet], [0, 0]);
        assert(this.#secret?.isSigned(answer) !== false, "the mac of the Challenge");
        const [frame] = datagram.frames;
        assert(frame?.kind === "challenge" && datagram.frames.length === 1);
        return frame;
      }
      case DatagramType.Unknown:
      case DatagramType.Version:
        assertEquals([answer.length, session, packet], [16, asked.session, asked.packet]);
        return { kind: type === DatagramType.Unknown ? "unknown" : "version" };
    }
    assertEquals([type, session], [DatagramType.Answer, this.session]);
    const plain = openAnswer(this.#key, datagram);
    assert(plain !== undefined, "the answer is not sealed for this client");
    const [frame, ...more] = decodeFrames(plain.slice())?.frames ?? [];
    assert(frame !== undefined && more.length === 0);
    const isOfRegister = question[3] === DatagramType.Register;
    if (frame.kind === "refused" && isOfRegister) {
      assert(packet >= 2 ** 52, "a packet counter at random");
    } else assertEquals(packet, asked.packet);
    return frame;
  }

  #credentials(cookie: Uint8Array, publicKey: Uint8Array): Frame {
    return { kind: "credentials", nonce: this.#nonce, cookie, publicKey, mac: ZERO };
  }

  #encode(
    type: DatagramType,
    session: number,
    packet: number,
    clear: readonly Frame[],
    sealed: readonly Frame[] | Uint8Array | undefined,
    sizeMin = 0,
  ): Uint8Array {
    const writer = new DatagramWriter(DATAGRAM_SIZE_MAX, sealed !== undefined);
    writer.start({ type, session, packet });
    for (const frame of clear) assert(writer.add(frame));
    const sealedAt = writer.size;
    if (sealed instanceof Uint8Array) assert(writer.append(sealed, 0, sealed.length));
    else for (const frame of sealed ?? []) assert(writer.add(frame));
    writer.padTo(sizeMin);
    const bytes = writer.finish().slice();
    if (type === DatagramType.Register) this.#secret?.sign(bytes);
    if (sealed !== undefined) sealRequest(this.#key, packet, bytes, sealedAt);
    return bytes;
  }
}

/** A datagram that must be a good one. */
export function decoded(bytes: Uint8Array): Datagram {
  const result = decodeDatagram(bytes);
  assert(result.ok);
  return result.value;
}

/** The session id and the packet counter of a datagram, whatever else it is. */
function headerOf(bytes: Uint8Array): { session: number; packet: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { session: view.getUint32(4), packet: Number(view.getBigUint64(8)) };
}

/** Checks that what a client sends has no effect: no event, no other table, and no answer. */
export function assertNoEffect(stage: Stage, send: () => Outcome | undefined): void {
  const timeout = ownTimeout(stage.server);
  stage.takeEvents();
  assertEquals(send(), undefined);
  assertEquals([stage.takeEvents(), ownTimeout(stage.server)], [[], timeout]);
  assertNotEquals(stage.server.dropped, {});
}
