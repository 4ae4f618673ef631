// A directory under input from clients that register, and from strangers, with its secret and without.
import { assert, assertEquals } from "@std/assert";
import {
  type DirectorySecret,
  REFUSAL_PACKET_MIN,
  registrationKey,
  sealRequest,
} from "../../protocol/directory/registration_key.ts";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { CODE_SIZE, directoryMac } from "../../protocol/wire/codes.ts";
import {
  CALL_SIZE,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  HEADER_SIZE,
  type Register,
  TAG_SIZE,
} from "../../protocol/wire/frame.ts";
import { SOURCES_MAX } from "../../server/rate_limit.ts";
import type { Prng } from "../support/random.ts";
import { randomFrame } from "../support/random_frame.ts";
import { decoded, FakeClient, identityOf, Stage } from "../support/server_stage.ts";
import { drain, ResourceMonitor, runTimeouts } from "./bounds.ts";
import { fuzzDatagram, fuzzFrames, mutate, ValuePool, weighted } from "./mutate.ts";
import { fuzz, Tally } from "./runner.ts";

const CLEAR = weighted({ credentials: 6, register: 1, challenge: 1 });
const REGISTERS = weighted({ register: 8, lookUp: 1, leave: 1 });
const REQUESTS = weighted({
  ...{ leaseKeepalive: 4, lookUp: 4, list: 4, leave: 1, register: 1 },
  ...{ call: 4, carry: 6, alsoAt: 1 },
});
const CLIENTS_MAX = 5;
const SOURCES = 8;
/** Four limits with a bucket for each source, and two with one for each client id that ever was. */
const BUCKETS_MAX = 4 * SOURCES + 2 * SOURCES_MAX;
/** Bytes that may be sealed in a Request. */
const PLAIN_MAX = DATAGRAM_SIZE_MAX - HEADER_SIZE - TAG_SIZE;
/** Datagrams that may be sent again. */
const RECORDED_MAX = 50;

const IDENTITY = identityOf(-1);
const KEYS = [0, 1, 2].map(identityOf);
const ADDRESSES: readonly Address[] = Array.from({ length: SOURCES }, (_, i) => ({
  hostname: i < 6 ? `192.0.2.${i}` : `2001:db8:${i}::1`,
  port: 40_000 + i,
}));

/** A directory whose answers, table and work are checked at each datagram. */
class FuzzedDirectory extends Stage {
  readonly tally = new Tally();
  readonly #monitor = new ResourceMonitor();
  readonly #answered = new WeakSet<Uint8Array>();

  constructor(prng: Prng, secret: Uint8Array | undefined) {
    super({ maxClients: CLIENTS_MAX, identity: IDENTITY, random: prng.bytes, secret });
  }

  override deliver(bytes: Uint8Array, from: Address): Uint8Array[] {
    const before = this.#table();
    const answers: Uint8Array[] = [];
    let size = 0;
    this.#monitor.time(() => {
      this.server.handleDatagram(this.now, bytes.slice(), from);
      this.#drain((answer, to) => {
        size += answer.length;
        if (answer[3] === DatagramType.Notice) return this.#checkNotice(to);
        assertEquals(to, from);
        answers.push(answer.slice());
      });
    });
    // Nobody can make the directory say more to others than was said to it.
    const hasNotice = size > answers.reduce((sum, { length }) => sum + length, 0);
    assert(!hasNotice || size <= bytes.length, `${bytes.length} bytes led to ${size}`);
    this.#checkAnswers(
      bytes,
      answers,
      before.some(({ address }) => address === formatAddress(from)),
    );
    if (!answers.some(isAnswer)) assertEquals(this.#table(), before);
    return answers;
  }

  /** Checks that what is sent unasked goes to a client. */
  #checkNotice(to: Address): void {
    this.tally.add("notice");
    const isKnown = this.#table().some(({ address }) => address === formatAddress(to));
    assert(isKnown, `a Notice goes to ${formatAddress(to)}`);
  }

  /** Lets so many milliseconds pass. */
  wait(ms: number): void {
    this.now += ms;
    runTimeouts(this.server, this.now, () => this.#drain(() => {}));
  }

  /** Checks the bounds at the end of a run of so many datagrams. */
  check(count: number): void {
    for (const [reason, times] of Object.entries(this.server.dropped)) {
      assert(times <= count);
      this.tally.add(`dropped: ${reason}`);
    }
    this.#monitor.check();
  }

  #drain(onTransmit: (bytes: Uint8Array, to: Address) => void): void {
    drain(this.server, this.now, onTransmit, ({ kind }) => this.tally.add(kind));
  }

  /** Checks that a datagram has one answer, larger than it only for a client, and sealed only once. */
  #checkAnswers(bytes: Uint8Array, answers: readonly Uint8Array[], isClient: boolean): void {
    const [answer] = answers;
    if (answer === undefined) return;
    assertEquals(answers.length, 1);
    const isBounded = isClient || answer.length <= bytes.length;
    assert(isBounded, `${bytes.length} bytes were answered by ${answer.length}`);
    // The packet counter of a refusal is a random one: two have the same only by chance.
    if (!isAnswer(answer) || decoded(answer).header.packet >= REFUSAL_PACKET_MIN) return;
    assert(!this.#answered.has(bytes), "a datagram was answered twice");
    this.#answered.add(bytes);
  }

  /** The clients, no two of which have the same id, name or address. */
  #table(): { id: number; name: string; address: string }[] {
    const clients = Array.from(
      this.server.table().clients,
      ({ id, name, address }) => ({ id, name, address: formatAddress(address) }),
    );
    assert(clients.length <= CLIENTS_MAX);
    assert(this.server.buckets <= BUCKETS_MAX);
    for (const field of ["id", "name", "address"] as const) {
      const values = clients.map((each) => each[field]).filter((value) => value !== "");
      assertEquals(new Set(values).size, values.length, field);
    }
    return clients;
  }
}

function isAnswer(datagram: Uint8Array): boolean {
  return datagram[3] === DatagramType.Answer;
}

/** A client, and the values that the directory told it. */
interface Source {
  readonly client: FakeClient;
  readonly pool: ValuePool;
}

/** A Call that is as long as it has to be, or is not. */
function paddedCall(prng: Prng, pool: ValuePool): Frame[] {
  const call = pool.fill(prng, randomFrame(prng, "call"));
  return [call, { kind: "padding", size: prng.pick([100, CALL_SIZE]) }];
}

/** Clients with a few names and keys, so that they conflict. */
function makeSources(stage: FuzzedDirectory): Source[] {
  const publicKey = [...KEYS.map((key) => key.publicKey), new Uint8Array(32)];
  return ADDRESSES.map((address, i) => {
    const client = new FakeClient(stage, i, { identity: KEYS[i % KEYS.length]!, address });
    const name = [i % 2 === 0 ? "" : `name${i % 5}`];
    const pool = new ValuePool({ name, "credentials.publicKey": publicKey });
    pool.add("id", 0);
    return { client, pool };
  });
}

/** What clients send to a directory, and whoever else is at their addresses. */
class Traffic {
  readonly #prng: Prng;
  readonly #stage: FuzzedDirectory;
  readonly #sources: Source[];
  readonly #recorded: { readonly bytes: Uint8Array; readonly from: Address }[] = [];

  constructor(prng: Prng, stage: FuzzedDirectory) {
    this.#prng = prng;
    this.#stage = stage;
    this.#sources = makeSources(stage);
  }

  /** Sends one datagram. */
  step(): void {
    const prng = this.#prng;
    const source = prng.pick(this.#sources);
    const { client } = source;
    if (prng.chance(0.01)) client.address = prng.pick(ADDRESSES);
    if (client.session === 0 || prng.chance(0.1)) return this.#begin(source);
    const what = prng.int(100);
    if (what < 20) return this.#sendNoise(source);
    if (what < 25) return this.#sendAgain();
    if (what < 35) return this.#sendAltered(source);
    if (what < 45) return this.#sendRegisterWithAnything(source);
    this.#ask(source);
  }

  #begin({ client, pool }: Source): void {
    const challenge = client.begin();
    this.#stage.tally.add(challenge.kind);
    pool.learnFrames([challenge]);
  }

  /** Anything that is not sealed, with values that the directory told. */
  #sendNoise({ client, pool }: Source): void {
    const { Register, Request } = DatagramType;
    const bytes = fuzzDatagram(this.#prng, pool, [Register, Register, Request], CLEAR);
    this.#sign(bytes);
    const answers = this.#stage.deliver(bytes, client.address);
    assert(!answers.some(isAnswer), "what is not sealed was answered");
    for (const answer of answers) pool.learn(answer);
  }

  /** A datagram that was sent before, or was lost, from where it came or from elsewhere. */
  #sendAgain(): void {
    const prng = this.#prng;
    if (this.#recorded.length === 0) return;
    const { bytes, from } = prng.pick(this.#recorded);
    this.#stage.deliver(bytes, prng.chance(0.7) ? from : prng.pick(ADDRESSES));
  }

  /** A mutant of what a client sends; the original is lost. */
  #sendAltered(source: Source): void {
    const { client: { address } } = source;
    const bytes = this.#sealed(source);
    const mutant = mutate(this.#prng, bytes, HEADER_SIZE).slice();
    this.#sign(mutant);
    const isSame = mutant.join() === bytes.join();
    const answers = this.#stage.deliver(mutant, address);
    assert(isSame || !answers.some(isAnswer), "an altered datagram was answered");
  }

  /** Any bytes sealed in a Register; the client does not know what they do to its session. */
  #sendRegisterWithAnything({ client, pool }: Source): void {
    const good = client.registerBytes();
    const { sealedAt } = decoded(good);
    const sizeMax = DATAGRAM_SIZE_MAX - sealedAt - TAG_SIZE;
    const plain = fuzzFrames(this.#prng, pool, REGISTERS, sizeMax);
    const bytes = withSealed(client, good, plain, this.#stage.secret);
    this.#record(bytes, client.address);
    this.#stage.deliver(bytes, client.address);
    client.session = 0;
  }

  /** A request of a client, whose answer has to open. */
  #ask(source: Source): void {
    const { client, pool } = source;
    const outcome = client.send(this.#sealed(source));
    if (outcome === undefined) return;
    this.#stage.tally.add(outcome.kind);
    pool.add("session", client.id);
    if (outcome.kind === "unknown") client.registered = undefined;
    else if (outcome.kind !== "version") pool.learnFrames([outcome as Frame]);
  }

  /** A Register as it should be but for the values in it, or a Request with any bytes sealed in it. */
  #sealed({ client, pool }: Source): Uint8Array {
    const prng = this.#prng;
    const isRegister = client.id === 0 || prng.chance(0.2);
    const bytes = isRegister
      ? client.registerBytes(registerFields(prng, client, pool))
      : prng.chance(0.1)
      ? client.requestBytes(...paddedCall(prng, pool))
      : client.rawRequest(fuzzFrames(prng, pool, REQUESTS, PLAIN_MAX));
    this.#record(bytes, client.address);
    return bytes;
  }

  #record(bytes: Uint8Array, from: Address): void {
    this.#recorded.push({ bytes, from });
    if (this.#recorded.length > RECORDED_MAX) this.#recorded.shift();
  }

  /** Writes the mac of a private directory, where there is room for one, into most datagrams. */
  #sign(bytes: Uint8Array): void {
    const { secret } = this.#stage;
    const hasRoom = directoryMac(bytes).code.length === CODE_SIZE;
    if (hasRoom && this.#prng.chance(0.8)) secret?.sign(bytes);
  }
}

function registerFields(prng: Prng, client: FakeClient, pool: ValuePool): Partial<Register> {
  const { token, wantedId, name } = pool.fill(prng, randomFrame(prng, "register") as Register);
  return { wantedId, name, token: prng.chance(0.5) ? client.token : token };
}

/** A Register with other bytes sealed in it. */
function withSealed(
  { identity }: FakeClient,
  register: Uint8Array,
  plain: Uint8Array,
  secret: DirectorySecret | undefined,
): Uint8Array {
  const { header: { packet }, frames: [credentials], sealedAt } = decoded(register);
  const shared = identity.agree(IDENTITY.publicKey);
  assert(credentials?.kind === "credentials" && shared !== undefined);
  const { nonce, cookie, publicKey: clientKey } = credentials;
  const directoryKey = IDENTITY.publicKey;
  const key = registrationKey({ shared, nonce, cookie, clientKey, directoryKey, secret });
  const bytes = new Uint8Array(sealedAt + plain.length + TAG_SIZE);
  bytes.set(register.subarray(0, sealedAt));
  bytes.set(plain, sealedAt);
  sealRequest(key, packet, bytes, sealedAt);
  return bytes;
}

function fuzzServer(prng: Prng, count: number, secret?: Uint8Array): Tally {
  const stage = new FuzzedDirectory(prng, secret);
  const traffic = new Traffic(prng, stage);
  for (let left = count; left > 0; left--) {
    stage.wait(prng.chance(0.002) ? prng.int(60_000) : prng.int(100));
    traffic.step();
  }
  stage.check(count);
  return stage.tally;
}

Deno.test("Server.handleDatagram() survives any datagrams, within its bounds", () => {
  fuzz("directory", (prng, count) => {
    const tally = fuzzServer(prng, count);
    tally.assertReached("joined", "moved", "left", "expired", "table");
    tally.assertReached("challenge", "registered", "refused", "leaseKeepaliveAck", "leaveAck");
    tally.assertReached("found", "inactive", "listing", "unknown");
    tally.assertReached("dropped: forged", "dropped: replay", "dropped: frame");
  });
});

Deno.test("a private directory survives any datagrams, with valid macs and without", () => {
  fuzz("privateDirectory", (prng, count) => {
    const tally = fuzzServer(prng, count, prng.bytes(32));
    tally.assertReached("joined", "left", "table", "registered", "found", "listing");
    tally.assertReached("dropped: secret", "dropped: forged", "dropped: replay");
  });
});
