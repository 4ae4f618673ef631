// A client's and a directory's real halves agree with the naive ones, and with the vectors.
import { assert, assertEquals } from "@std/assert";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { DirectorySession } from "../../protocol/directory/directory_session.ts";
import { RegisterExchange } from "../../protocol/directory/register_exchange.ts";
import { readRegister, readRequest, Registrar } from "../../protocol/directory/registrar.ts";
import { DirectorySecret } from "../../protocol/directory/registration_key.ts";
import { type Datagram, DatagramWriter, decodeDatagram } from "../../protocol/wire/datagram.ts";
import type { Challenge, Credentials, Register } from "../../protocol/wire/frame.ts";
import { toHex } from "../support/hex.ts";
import { seedFromEnv, withSeed } from "../support/random.ts";
import { randomFrame } from "../support/random_frame.ts";
import {
  CONTENT,
  DIRECTORY_SEALED,
  EXCHANGE,
  INPUTS,
  PUBLIC_KEYS,
  REGISTRATION,
  vectorBytes,
} from "../support/vectors.ts";
import { naiveDecodeFrames, naiveEncodeFrames, type NaiveFrame } from "./naive_codec.ts";
import { number, publicKeyOf } from "./naive_crypto.ts";
import * as naive from "./naive_directory.ts";

const DIRECTORY = { hostname: "192.0.2.10", port: 7070 };
const SECRET = INPUTS.directorySecret;

function assertSame(actual: Uint8Array | undefined, expected: Uint8Array, name?: string): void {
  assertEquals(actual && toHex(actual), toHex(expected), name);
}

function decode(bytes: Uint8Array): Datagram {
  const decoded = decodeDatagram(bytes);
  assert(decoded.ok);
  return decoded.value;
}

/** A real client's exchange, with the numbers of the vectors. */
function exchange(secret?: Uint8Array): RegisterExchange {
  return new RegisterExchange({
    addresses: [DIRECTORY],
    identity: new KeyPair(INPUTS.initiatorStatic),
    secret: secret && new DirectorySecret(secret),
    random: (size) => number(size === 8 ? EXCHANGE.nonce : CONTENT.sessions.client, size),
  });
}

function registrar(secret?: Uint8Array): Registrar {
  const identity = new KeyPair(INPUTS.directoryStatic);
  return new Registrar({ identity, secret, random: (size) => new Uint8Array(size) });
}

for (const isPrivate of [false, true]) {
  const where = isPrivate ? "private" : "public";
  const secret = isPrivate ? SECRET : undefined;
  const key = isPrivate ? REGISTRATION.privateKey : REGISTRATION.publicKey;

  Deno.test(`the real client makes the Registers of the vectors, at a ${where} directory`, () => {
    const first = "Register, the first of an exchange" +
      (isPrivate ? " with a private directory" : "");
    const answer = isPrivate ? "Challenge, of a private directory" : "Challenge";
    const registered = `Sealed: Register${isPrivate ? ", at a private directory" : ""}`;
    const client = exchange(secret);
    assertSame(client.encodeFirst(), vectorBytes(first));
    const challenge = decode(vectorBytes(answer));
    const frame = challenge.frames[0] as Challenge;
    assert(client.isMeant(challenge.bytes, frame, DIRECTORY));
    assertEquals(client.take(frame, DIRECTORY), 1);
    const vector = DIRECTORY_SEALED.find(({ name }) => name === registered)!;
    const sign = (datagram: Uint8Array): void =>
      secret && new DirectorySecret(secret).sign(datagram);
    const made = client.next()!.encodeRegister(vector.frames[0] as Register, sign);
    assertSame(made, vector.bytes);
    assertSame(naive.directoryFramesIn(key, made), vector.plain);
  });

  Deno.test(`the real directory derives the ${where} key, and reads the Register`, () => {
    const directory = registrar(secret);
    const name = `Sealed: Register${isPrivate ? ", at a private directory" : ""}`;
    const datagram = decode(vectorBytes(name));
    assert(directory.isSigned(datagram));
    const credentials = datagram.frames[0] as Credentials;
    assertSame(directory.agree(credentials), key);
    const { frames: [frame] } = DIRECTORY_SEALED.find((each) => each.name === name)!;
    assertEquals<unknown>(readRegister(key, datagram), frame);
    const other = isPrivate ? REGISTRATION.publicKey : REGISTRATION.privateKey;
    assertEquals(readRegister(other, datagram), undefined);
  });
}

Deno.test("the real directory reads the Requests of the vectors, and makes the Answers and Notices", () => {
  const directory = registrar();
  for (const { name, bytes, header: { type, session, packet }, key, frames } of DIRECTORY_SEALED) {
    const [frame] = frames;
    if (type === 3) assertEquals<unknown>(readRequest(key, decode(bytes)), frame, name);
    if (type === 4) assertSame(directory.encodeAnswer(key, session, packet, frame!), bytes, name);
    if (type === 9) assertSame(directory.encodeNotice(key, session, packet, frame!), bytes, name);
  }
});

Deno.test("the real client opens the Notices of the vectors, each once and in their order", () => {
  const credentials = decode(vectorBytes("Register, the first of an exchange")).frames[0];
  const session = new DirectorySession({
    localId: CONTENT.sessions.client,
    address: DIRECTORY,
    directoryKey: PUBLIC_KEYS.directoryStatic,
    key: REGISTRATION.publicKey,
    credentials: credentials as Credentials,
    writer: new DatagramWriter(),
  });
  const notices = DIRECTORY_SEALED.filter(({ header: { type } }) => type === 9);
  assertEquals(notices.length, 2);
  for (const { bytes, frames } of notices) {
    const changed = bytes.with(-1, bytes.at(-1)! ^ 1);
    assertEquals(session.openNotice(decode(changed)), undefined);
    assertEquals<unknown>(session.openNotice(decode(bytes)), frames);
  }
  for (const { name, bytes } of notices) {
    assertEquals(session.openNotice(decode(bytes)), undefined, name);
  }
});

Deno.test("the mac of a private directory is taken only whole, and with the secret", () => {
  const secret = new DirectorySecret(SECRET);
  for (
    const name of ["Challenge, of a private directory", "Sealed: Register, at a private directory"]
  ) {
    const bytes = vectorBytes(name);
    assert(secret.isSigned(bytes));
    assert(!new DirectorySecret(SECRET.with(0, 0)).isSigned(bytes));
    for (let bit = 0; bit < 91 * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert(!secret.isSigned(changed), `${name}, bit ${bit}`);
    }
  }
});

Deno.test("a naive client registers at a real directory, whatever the keys and the secret", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < 10; run++) {
      const [own, directoryKey] = [prng.bytes(32), prng.bytes(32)];
      const secret = prng.chance(0.5) ? prng.bytes(16 + prng.int(100)) : undefined;
      const directory = new Registrar({
        ...{ identity: new KeyPair(directoryKey), secret, random: prng.bytes },
      });
      const from = { hostname: "192.0.2.7", port: 7 };
      const nonce = prng.u64();
      const first = decode(naive.firstRegisterDatagram(nonce, secret));
      assert(directory.isSigned(first));
      assert(!directory.hasCookie(0, first.frames[0] as Credentials, from));
      const bytes = directory.encodeChallenge(0, first.frames[0] as Credentials, from);
      const challenge = decode(bytes).frames[0] as Challenge;
      assertSame(naive.challengeDatagram(challenge, secret), bytes);
      assertSame(challenge.publicKey, publicKeyOf(directoryKey));
      const keys = [own, challenge.publicKey] as const;
      const key = naive.registrationKey(keys, true, challenge, secret);
      const frame = randomFrame(prng, "register");
      const plain = Uint8Array.from(naiveEncodeFrames([frame as unknown as NaiveFrame], 181));
      const { cookie } = challenge;
      const credentials = { nonce, cookie, publicKey: publicKeyOf(own) };
      const packet = prng.int(1000);
      const register = decode(naive.registerDatagram(key, packet, credentials, plain, secret));
      assert(directory.isSigned(register));
      const read = register.frames[0] as Credentials;
      assert(directory.hasCookie(0, read, from));
      assert(!directory.hasCookie(60_000, read, from));
      assertSame(directory.agree(read), key);
      assertEquals<unknown>(readRegister(key, register), frame);
      const answer = randomFrame(prng, "registered");
      const answered = directory.encodeAnswer(key, 9, packet, answer);
      const opened = naiveDecodeFrames([...naive.directoryFramesIn(key, answered)]);
      assertEquals<unknown>(opened?.frames, [answer]);
    }
  });
});

Deno.test("a real client registers at a naive directory, whatever the keys and the secret", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < 10; run++) {
      const [own, directoryKey] = [prng.bytes(32), prng.bytes(32)];
      const secret = prng.chance(0.5) ? prng.bytes(16 + prng.int(100)) : undefined;
      const real = secret && new DirectorySecret(secret);
      const client = new RegisterExchange({
        addresses: [DIRECTORY],
        ...{ identity: new KeyPair(own), secret: real, random: prng.bytes },
      });
      const { nonce } = decode(client.encodeFirst()).frames[0] as Credentials;
      assertSame(client.encodeFirst(), naive.firstRegisterDatagram(nonce, secret));
      const made = { nonce, cookie: prng.bytes(16), publicKey: publicKeyOf(directoryKey) };
      const challenge = decode(naive.challengeDatagram(made, secret));
      const cookie = challenge.frames[0] as Challenge;
      assert(client.isMeant(challenge.bytes, cookie, DIRECTORY));
      assertEquals(client.take(cookie, DIRECTORY), 1);
      const session = client.next()!;
      const frame = randomFrame(prng, "register") as Register;
      const register = session.encodeRegister(frame, (datagram) => real?.sign(datagram)).slice();
      const keys = [directoryKey, publicKeyOf(own)] as const;
      const key = naive.registrationKey(keys, false, made, secret);
      const opened = naiveDecodeFrames([...naive.directoryFramesIn(key, register)]);
      assertEquals<unknown>(opened?.frames, [frame]);
      const packet = prng.int(1000);
      const request = session.encodeRequest(5, { kind: "list", after: 3 });
      assertSame(naive.directoryFramesIn(key, request), Uint8Array.of(0x0b, 0, 4, 0, 0, 0, 3));
      const answer = naive.answerDatagram(key, session.localId, 1, Uint8Array.of(0x0e, 0, 0));
      assertEquals(session.open(decode(answer)), [{ kind: "leaveAck" }]);
      const carried = randomFrame(prng, "carried");
      const frames = Uint8Array.from(naiveEncodeFrames([carried as unknown as NaiveFrame]));
      const notice = naive.noticeDatagram(key, session.localId, packet, frames);
      // An Answer is no Notice, whatever its header says.
      assertEquals(session.openNotice(decode(answer.with(3, 9))), undefined);
      assertEquals<unknown>(session.openNotice(decode(notice)), [carried]);
    }
  });
});
