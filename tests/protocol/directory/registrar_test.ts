// The directory's half of what it shares with its clients, without a table.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { COOKIE_SLOT } from "../../../protocol/directory/timed_mac.ts";
import { DirectorySession } from "../../../protocol/directory/directory_session.ts";
import { RegisterExchange } from "../../../protocol/directory/register_exchange.ts";
import { readRegister, readRequest, Registrar } from "../../../protocol/directory/registrar.ts";
import {
  DirectorySecret,
  type KeyInputs,
  openAnswer,
  openRequest,
  registrationKey,
} from "../../../protocol/directory/registration_key.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { type Datagram, decodeDatagram } from "../../../protocol/wire/datagram.ts";
import type { EntryBytes } from "../../../protocol/wire/directory_answer.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import {
  type Challenge,
  type Credentials,
  DatagramType,
  type Found,
  type Frame,
  type Register,
} from "../../../protocol/wire/frame.ts";
import { agreements } from "../../support/agreements.ts";
import { Prng } from "../../support/random.ts";

const HERE: Address = { hostname: "192.0.2.1", port: 1000 };
const THERE: Address = { hostname: "192.0.2.10", port: 7070 };
const SECRET = new TextEncoder().encode("correct horse battery staple");
const OTHER_SECRET = new TextEncoder().encode("correct horse battery stable");
const LOOK_UP: Frame = { kind: "lookUp", id: 2, name: "" };
const REGISTER: Register = {
  kind: "register",
  session: 77,
  token: new Uint8Array(16),
  wantedId: 0,
  port: 4000,
  name: "ana",
};

function decode(bytes: Uint8Array): Datagram {
  const decoded = decodeDatagram(bytes.slice());
  assert(decoded.ok);
  return decoded.value;
}

function credentialsIn(datagram: Datagram): Credentials {
  const [frame] = datagram.frames;
  assert(frame?.kind === "credentials");
  return frame;
}

function challengeIn(bytes: Uint8Array): Challenge {
  const [frame] = decode(bytes).frames;
  assert(frame?.kind === "challenge");
  return frame;
}

/** A directory, and a client that asks it. */
class Stage {
  now = 1e9;
  readonly random = new Prng(1).bytes;
  readonly identity = makeKeyPair(this.random);
  readonly client = makeKeyPair(this.random);
  readonly registrar: Registrar;
  readonly exchange: RegisterExchange;
  readonly #secret: DirectorySecret | undefined;

  /** @param clientSecret that of the client, where it is another one; null for none. */
  constructor(secret?: Uint8Array, clientSecret: Uint8Array | null | undefined = secret) {
    const { identity, random } = this;
    this.registrar = new Registrar({ identity, secret, random });
    this.#secret = clientSecret ? new DirectorySecret(clientSecret) : undefined;
    this.exchange = new RegisterExchange({
      ...{ addresses: [THERE], identity: this.client, secret: this.#secret, random },
    });
  }

  challenge(from = HERE): Uint8Array {
    const first = credentialsIn(decode(this.exchange.encodeFirst()));
    return this.registrar.encodeChallenge(this.now, first, from);
  }

  /** The client's end, after the Challenge. */
  session(): DirectorySession {
    this.exchange.take(challengeIn(this.challenge()), THERE);
    const session = this.exchange.next();
    assert(session !== undefined);
    return session;
  }

  /** The sealed Register of a session. */
  register(session: DirectorySession): Uint8Array {
    return session.encodeRegister(REGISTER, (datagram) => this.#secret?.sign(datagram)).slice();
  }

  /** The directory's key for a Register. */
  keyOf(register: Uint8Array): Uint8Array {
    const key = this.registrar.agree(credentialsIn(decode(register)));
    assert(key !== undefined);
    return key;
  }
}

Deno.test("both ends have the same key after a Challenge, and nobody with another secret has", () => {
  for (const secret of [undefined, SECRET]) {
    const stage = new Stage(secret);
    const register = stage.register(stage.session());
    assert(stage.registrar.isSigned(decode(register)));
    assertEquals(readRegister(stage.keyOf(register), decode(register)), REGISTER);
  }
  for (const clientSecret of [null, OTHER_SECRET]) {
    const stage = new Stage(SECRET, clientSecret);
    const register = stage.register(stage.session());
    assertEquals(stage.registrar.isSigned(decode(register)), false);
    assertEquals(readRegister(stage.keyOf(register), decode(register)), undefined);
  }
});

Deno.test("the key of a registration depends on every input, and each registration has another one", () => {
  const random = new Prng(2).bytes;
  const inputs: KeyInputs = {
    shared: random(32),
    nonce: 5n,
    cookie: random(16),
    clientKey: random(32),
    directoryKey: random(32),
    secret: undefined,
  };
  const changed: Partial<KeyInputs>[] = [
    {},
    { shared: random(32) },
    { nonce: 6n },
    { cookie: random(16) },
    { clientKey: random(32) },
    { directoryKey: random(32) },
    { secret: new DirectorySecret(SECRET) },
    { secret: new DirectorySecret(OTHER_SECRET) },
  ];
  const keys = changed.map((change) => registrationKey({ ...inputs, ...change }).join());
  assertEquals(new Set(keys).size, changed.length);
  assertEquals(registrationKey(inputs).length, 32);
  const stage = new Stage();
  const [one, two] = [0, 1].map(() => {
    stage.now += COOKIE_SLOT;
    return stage.keyOf(stage.register(stage.session()));
  });
  assertNotEquals(one, two);
});

Deno.test("a Challenge has the nonce, the directory's key and a cookie for the address, and 91 bytes", () => {
  const stage = new Stage();
  const first = stage.exchange.encodeFirst();
  const bytes = stage.challenge();
  assertEquals([bytes.length, first.length], [91, 91]);
  const { nonce, publicKey, cookie } = challengeIn(bytes);
  const credentials = { ...credentialsIn(decode(first)), cookie };
  assertEquals([nonce, publicKey], [credentials.nonce, stage.identity.publicKey]);
  const { registrar, now } = stage;
  assert(registrar.hasCookie(now, credentials, HERE));
  for (const from of [{ ...HERE, port: 1001 }, { ...HERE, hostname: "192.0.2.2" }]) {
    assertEquals(registrar.hasCookie(now, credentials, from), false);
  }
  assertEquals(registrar.hasCookie(now, { ...credentials, nonce: nonce ^ 1n }, HERE), false);
  assertEquals(registrar.hasCookie(now + 2 * COOKIE_SLOT, credentials, HERE), false);
  assertEquals(registrar.hasCookie(now, credentialsIn(decode(first)), HERE), false);
});

Deno.test("a directory computes nothing for a Register without a good cookie", () => {
  const stage = new Stage(SECRET);
  const first = decode(stage.exchange.encodeFirst());
  const cost = agreements(() => {
    assert(stage.registrar.isSigned(first));
    assertEquals(stage.registrar.hasCookie(stage.now, credentialsIn(first), HERE), false);
    stage.challenge();
  });
  assertEquals(cost, 0);
});

Deno.test("a Register that was altered anywhere is none", () => {
  const stage = new Stage();
  const register = stage.register(stage.session());
  const key = stage.keyOf(register);
  for (let at = 4; at < register.length; at++) {
    const decoded = decodeDatagram(register.with(at, register[at]! ^ 1));
    if (decoded.ok) assertEquals(readRegister(key, decoded.value), undefined, `byte ${at}`);
  }
  assertEquals(readRegister(key, decode(register)), REGISTER);
});

Deno.test("a client that names another static key than its own seals nothing that opens", () => {
  const stage = new Stage();
  const register = stage.register(stage.session());
  const datagram = decode(register);
  const { publicKey } = makeKeyPair(stage.random);
  const key = stage.registrar.agree({ ...credentialsIn(datagram), publicKey });
  assertEquals(readRegister(key!, datagram), undefined);
  const weak = new Uint8Array(32);
  assertEquals(stage.registrar.agree({ ...credentialsIn(datagram), publicKey: weak }), undefined);
});

Deno.test("an Answer opens for its client, for the packet that it answers, and for nobody else", () => {
  const stage = new Stage();
  const session = stage.session();
  const key = stage.keyOf(stage.register(session));
  const frame: Frame = { kind: "leaseKeepaliveAck", lease: 5 };
  const answer = stage.registrar.encodeAnswer(key, session.localId, 3, frame).slice();
  const { header } = decode(answer);
  assertEquals(header, { type: DatagramType.Answer, session: session.localId, packet: 3 });
  assertEquals(session.open(decode(answer)), [frame]);
  stage.now += COOKIE_SLOT;
  assertEquals(stage.session().open(decode(answer)), undefined, "of another registration");
  for (let at = 4; at < answer.length; at++) {
    const decoded = decodeDatagram(answer.with(at, answer[at]! ^ 1));
    if (decoded.ok) assertEquals(session.open(decoded.value), undefined, `byte ${at}`);
  }
});

Deno.test("what the client sealed does not open as the directory's, nor the reverse: their nonces differ", () => {
  const stage = new Stage();
  const session = stage.session();
  const key = stage.keyOf(stage.register(session));
  const request = session.encodeRequest(1, LOOK_UP).slice();
  const answer = stage.registrar.encodeAnswer(key, 1, 1, LOOK_UP).slice();
  assertEquals(readRequest(key, decode(request)), LOOK_UP);
  assertEquals(openAnswer(key, decode(request)), undefined);
  assertEquals(openRequest(key, decode(answer)), undefined);
  // Not even with the other one's header.
  answer.set(request.subarray(0, 16));
  request.set(Uint8Array.of(DatagramType.Answer), 3);
  assertEquals(openRequest(key, decode(answer)), undefined);
  assertEquals(openAnswer(key, decode(request)), undefined);
});

Deno.test("a request counts its packets from that of the Register on", () => {
  const stage = new Stage();
  const session = stage.session();
  const packets = [
    stage.register(session),
    stage.register(session),
    session.encodeRequest(5, LOOK_UP).slice(),
    session.encodeRequest(5, LOOK_UP).slice(),
  ].map((bytes) => decode(bytes).header);
  assertEquals(packets.map(({ packet }) => packet), [0, 1, 2, 3]);
  assertEquals(packets.map(({ session }) => session), [0, 0, 5, 5]);
});

Deno.test("Registrar.encodeFound() seals what encodeAnswer() would", () => {
  const stage = new Stage();
  const session = stage.session();
  const key = stage.keyOf(stage.register(session));
  const publicKey = stage.random(32);
  for (const name of ["", "zoë", "x".repeat(128)]) {
    for (const hostname of ["192.0.2.7", "2001:db8::7"]) {
      const address = { hostname, port: 4711 };
      const found: Found = { kind: "found", id: 2 ** 32 - 1, name, address, publicKey };
      const sealed = stage.registrar.encodeFound(key, 77, 3, tableWith(found), 5).slice();
      assertEquals(sealed, stage.registrar.encodeAnswer(key, 77, 3, found).slice());
    }
  }
});

/** A table whose entry 5 is this client. */
function tableWith({ id, name, address, publicKey }: Found): EntryBytes {
  const bytes = new TextEncoder().encode(name);
  const endpoint = new Uint8Array(ENDPOINT_SIZE);
  writeEndpoint(endpoint, address);
  const only = <T>(entry: number, value: T): T => {
    assertEquals(entry, 5);
    return value;
  };
  return {
    id: (entry) => only(entry, id),
    nameSize: (entry) => only(entry, bytes.length),
    copyName: (entry, to, at) => to.set(only(entry, bytes), at),
    endpoint: (entry) => only(entry, endpoint),
    copyKey: (entry, to, at) => to.set(only(entry, publicKey), at),
  };
}
