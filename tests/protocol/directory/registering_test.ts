// How a client registers: protocol/README.md, "Registering" and "The directory's key".
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { REGISTER_SIZE } from "../../../protocol/directory/directory_session.ts";
import {
  CHALLENGES_MAX,
  EXCHANGE_TRIES,
  REGISTERS_MIN,
  SESSIONS_MAX,
} from "../../../protocol/directory/register_exchange.ts";
import { REGISTRATION_TIMEOUT } from "../../../protocol/directory/registering.ts";
import { FORGERY_PATIENCE } from "../../../protocol/directory/unproven.ts";
import { REFUSAL_PACKET_MIN } from "../../../protocol/directory/registration_key.ts";
import { decodeDatagram, encodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  type Challenge,
  type Credentials,
  DatagramType,
  RefusalReason,
  type Register,
} from "../../../protocol/wire/frame.ts";
import { agreements } from "../../support/agreements.ts";
import { Dealings, registered } from "../../support/dealings.ts";
import { type Asked, DIRECTORY, FakeDirectory, SEEN_AT } from "../../support/fake_directory.ts";

const ZERO = new Uint8Array(16);

function credentialsIn({ bytes }: Asked): Credentials {
  const decoded = decodeDatagram(bytes);
  assert(decoded.ok);
  const [frame] = decoded.value.frames;
  assert(frame?.kind === "credentials");
  return frame;
}

/** A Challenge with any cookie, as anybody can make it that sees the Credentials. */
function forgedChallenge(dealings: Dealings, asked: Asked, publicKey: Uint8Array): Uint8Array {
  const { nonce } = credentialsIn(asked);
  const cookie = dealings.random(16);
  const frame: Challenge = { kind: "challenge", nonce, cookie, publicKey, mac: ZERO };
  return encodeDatagram({ type: DatagramType.Challenge, session: 0, packet: 0 }, [frame]);
}

/** The cookie that a Register shows, and its nonce. */
function exchangeOf(bytes: Uint8Array): { nonce: bigint; cookie: string } {
  const decoded = decodeDatagram(bytes);
  assert(decoded.ok);
  const [frame] = decoded.value.frames;
  assert(frame?.kind === "credentials");
  return { nonce: frame.nonce, cookie: frame.cookie.join() };
}

Deno.test("the first Register has a nonce, zeros for the rest, and as many bytes as the Challenge", () => {
  const dealings = new Dealings();
  const first = dealings.ask();
  assertEquals(first.bytes.length, 91);
  assertEquals(first.header, { type: DatagramType.Register, session: 0, packet: 0 });
  const { nonce, cookie, publicKey, mac } = credentialsIn(first);
  assertEquals([cookie, publicKey, mac], [ZERO, new Uint8Array(32), ZERO]);
  assertNotEquals(nonce, 0n);
  assertEquals(dealings.directory.challenge(dealings.now, first.bytes).length, 91);
});

Deno.test("after the Challenge the Register is sealed, and tells what the user wants", () => {
  const identity = makeKeyPair(registered().random);
  const dealings = new Dealings({ id: 9, name: "zoë", identity });
  const register = dealings.reachRegister();
  const { session, token, wantedId, port, name } = register.frame as Register;
  assertNotEquals(session, 0);
  assertEquals([token, wantedId, port, name], [ZERO, 9, 4000, "zoë"]);
  assertEquals(credentialsIn(register).publicKey, identity.publicKey);
  assertEquals(register.header.packet, 0);
  dealings.grant(register, { id: 9 });
  assertEquals(dealings.events(), [{
    kind: "registered",
    id: 9,
    name: "zoë",
    lostName: "",
    seenAt: SEEN_AT,
    directoryKey: dealings.directory.identity.publicKey,
    directoryAddress: DIRECTORY,
    isFormer: false,
  }]);
  assertEquals([dealings.registration.id, dealings.registration.name], [9, "zoë"]);
});

Deno.test("a Register has one size for all names", () => {
  assertEquals(REGISTER_SIZE, 288);
  for (const name of ["", "a", "€".repeat(32), "x".repeat(128)]) {
    assertEquals(new Dealings({ name }).reachRegister().bytes.length, REGISTER_SIZE);
  }
});

Deno.test("a Register is sent again after 500 ms, then twice as long each time, at most 10 s", () => {
  const silent = new Dealings();
  silent.ask();
  const times = silent.times(29_999).map(([at]) => at);
  assertEquals(times, [500, 1500, 3500, 7500, 15_500, 25_500]);
  const fixed = new Dealings({}, "fixed");
  fixed.ask();
  assertEquals(fixed.times(29_999).map(([at]) => at), [10_000, 20_000]);
});

Deno.test("a Register is sent again with the same cookie, and a new packet counter", () => {
  const dealings = new Dealings();
  const first = dealings.reachRegister();
  const times = dealings.times(4000);
  // The Challenge showed that the directory is there: the intervals begin anew.
  assertEquals(times.map(([at]) => at), [500, 1500, 3500]);
  const again = times.map(([, asked]) => asked);
  assertEquals(again.map(({ header }) => header.packet), [1, 2, 3]);
  for (const { bytes, frame } of again) {
    assertEquals(exchangeOf(bytes), exchangeOf(first.bytes));
    assertEquals(frame, first.frame);
  }
});

Deno.test("with fixed timers the sealed Register is the first one, and follows the Challenge at once", () => {
  const dealings = new Dealings({}, "fixed");
  dealings.reachRegister();
  assertEquals(dealings.times(20_000).map(([at]) => at), [10_000, 20_000]);
});

Deno.test("at each sixth transmission the exchange begins anew, with a new nonce: a cookie grows old", () => {
  assertEquals(EXCHANGE_TRIES, 6);
  const dealings = new Dealings();
  const all = [dealings.ask()];
  dealings.challenge(all[0]!);
  // Every answer to a Register is lost, while the clock of the directory stands still.
  all.push(dealings.ask());
  for (const [, asked] of dealings.times(29_000)) all.push(asked);
  const kinds = all.map(({ frame }) => frame.kind);
  assertEquals(kinds.slice(0, 6), [
    "credentials",
    ...Array(EXCHANGE_TRIES - 2).fill("register"),
    "credentials",
  ]);
  const nonces = all.map(({ bytes }) => exchangeOf(bytes).nonce);
  assertEquals(new Set(nonces.slice(0, 5)).size, 1);
  assertNotEquals(nonces[5], nonces[0]);
});

Deno.test("an exchange whose Challenge comes late has three Registers before it begins anew", () => {
  const dealings = new Dealings();
  const all = [dealings.ask()];
  for (const [, asked] of dealings.times(7_600)) all.push(asked);
  assertEquals(all.length, EXCHANGE_TRIES - 1);
  dealings.challenge(all.at(-1)!);
  all.push(dealings.ask());
  for (const [, asked] of dealings.times(5_000)) all.push(asked);
  const kinds = all.slice(EXCHANGE_TRIES - 1).map(({ frame }) => frame.kind);
  assertEquals(kinds, [...Array(REGISTERS_MIN).fill("register"), "credentials"]);
});

Deno.test("a Challenge for another nonce, or for no exchange at all, has no effect", () => {
  const [dealings, other] = [new Dealings(), new Dealings({ id: 5 })];
  dealings.random(3);
  const asked = dealings.ask();
  const stray = dealings.directory.challenge(1000, other.ask().bytes);
  new DataView(stray.buffer).setBigUint64(19, credentialsIn(asked).nonce ^ 1n);
  assertEquals([dealings.give(stray), dealings.kinds()], [false, []]);
  const done = registered();
  assertEquals(done.give(forgedChallenge(done, asked, new Uint8Array(32).fill(9))), false);
  assertEquals([done.kinds(), done.events()], [[], []]);
});

Deno.test("repeated Challenges are not answered at the speed of the network, and cost little", () => {
  const dealings = new Dealings();
  const first = dealings.ask();
  let sent = 0;
  const cost = agreements(() => {
    for (let ms = 0; ms < 10_000; ms++) {
      dealings.give(forgedChallenge(dealings, first, dealings.directory.identity.publicKey));
      sent += dealings.datagrams().length;
      dealings.wait(1);
    }
  });
  // At once after the first, then after 0.5, 1, 2 and 4 s.
  assertEquals(sent, 5);
  assertEquals([CHALLENGES_MAX, cost], [8, CHALLENGES_MAX]);
});

Deno.test("a Challenge that comes again, altered or not, makes no nonce be used again", () => {
  const dealings = new Dealings();
  const first = dealings.ask();
  const challenge = dealings.directory.challenge(dealings.now, first.bytes);
  assert(dealings.give(challenge));
  const used = new Set<string>();
  for (let turn = 0; turn < 100; turn++) {
    for (const { bytes, header } of dealings.asked()) {
      const nonce = `${exchangeOf(bytes).cookie} ${header.packet}`;
      assert(!used.has(nonce), `after ${turn} turns`);
      used.add(nonce);
    }
    // Others push its session out; and the end of it, a code in private directories, is under no seal.
    const { publicKey } = makeKeyPair(dealings.random);
    if (turn % 20 === 0) dealings.give(forgedChallenge(dealings, first, publicKey));
    assertEquals(dealings.give(challenge), false);
    assertEquals(dealings.give(challenge.with(-1, turn)), false);
    dealings.wait(100);
  }
  assertEquals(used.size, 5);
});

Deno.test("forged Challenges keep nobody from registering: the last four are tried in turn", () => {
  assertEquals(SESSIONS_MAX, 4);
  const dealings = new Dealings();
  const first = dealings.ask();
  const { publicKey } = dealings.directory.identity;
  // Quicker than the directory: under another key, and under its own, but with a wrong cookie.
  dealings.give(forgedChallenge(dealings, first, makeKeyPair(dealings.random).publicKey));
  const [wrong] = dealings.datagrams();
  for (let count = 0; count < 2; count++) {
    dealings.give(forgedChallenge(dealings, first, publicKey));
  }
  dealings.challenge(first);
  assertEquals(dealings.datagrams(), []);
  const cookies = new Set<string>();
  const tried: Uint8Array[] = [wrong!];
  while (tried.length < SESSIONS_MAX) {
    dealings.wait(100);
    tried.push(...dealings.datagrams());
  }
  for (const bytes of tried) cookies.add(exchangeOf(bytes).cookie);
  assertEquals(cookies.size, SESSIONS_MAX);
  // The newest is tried first.
  dealings.grant(dealings.directory.read(dealings.now, tried[1]!));
  assertEquals(dealings.eventKinds().at(-1), "registered");
});

Deno.test("nothing authentic within 30 s: the first registration is given up, whatever was forged", () => {
  for (const isChallenged of [false, true]) {
    const dealings = new Dealings();
    if (isChallenged) dealings.reachRegister();
    dealings.times(REGISTRATION_TIMEOUT - 1);
    assertEquals(dealings.events().filter(({ kind }) => kind !== "lost"), []);
    dealings.wait(1);
    assertEquals(dealings.events(), [{ kind: "timeout", query: undefined }]);
  }
});

Deno.test("a Register that is answered twice, or whose answer is altered, registers once", () => {
  const dealings = new Dealings();
  const register = dealings.reachRegister();
  const answer = dealings.directory.grant(register);
  for (let at = 3; at < answer.length; at++) {
    const altered = answer.with(at, answer[at]! ^ 1);
    if (!decodeDatagram(altered).ok) continue;
    assertEquals(dealings.give(altered), false, `byte ${at}`);
  }
  assertEquals([dealings.give(answer), dealings.give(answer)], [true, false]);
  assertEquals(dealings.eventKinds(), ["registered"]);
});

Deno.test("a client that has registered says so once, however often it registers again", () => {
  const dealings = registered();
  for (let times = 0; times < 3; times++) {
    dealings.wait(15_000);
    dealings.give(dealings.unknown(dealings.ask()));
    dealings.wait(0);
    dealings.register({ token: times });
    // What is kept for a later run is another token now.
    assertEquals(dealings.events(), [{ kind: "entry" }]);
    dealings.wait(15_000);
    dealings.give(dealings.unknown(dealings.ask()));
    dealings.wait(0);
    dealings.register({ token: times });
    assertEquals(dealings.events(), []);
  }
});

Deno.test("a refusal of the first Register is reported, and nothing more is sent", () => {
  const dealings = new Dealings();
  const register = dealings.reachRegister();
  const refusal = register.refuse(RefusalReason.full);
  const { header } = dealings.directory.read(dealings.now, register.bytes);
  assert(header.packet < REFUSAL_PACKET_MIN);
  assert(dealings.give(refusal));
  assertEquals(dealings.events(), [{ kind: "refused", reason: RefusalReason.full }]);
  dealings.times(40_000);
  assertEquals([dealings.kinds(), dealings.events()], [[], []]);
});

Deno.test("a refusal has a counter that no request has, so that it answers a Register only", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, { kind: "lookUp", id: 2, name: "" });
  const lookUp = dealings.ask();
  assertEquals(dealings.give(lookUp.refuse(RefusalReason.full)), false);
  assertEquals(dealings.events(), []);
  const counters = Array.from({ length: 100 }, () => {
    const decoded = decodeDatagram(lookUp.refuse(1));
    assert(decoded.ok);
    return decoded.value.header.packet;
  });
  assert(counters.every((packet) => packet >= REFUSAL_PACKET_MIN && packet < 2 ** 53));
  assertEquals(new Set(counters).size, counters.length);
});

Deno.test("a refusal under another key, of another session, or altered, has no effect", () => {
  const dealings = new Dealings();
  const register = dealings.reachRegister();
  const refusal = register.refuse(RefusalReason.nameTaken);
  for (let at = 4; at < refusal.length; at++) {
    const altered = refusal.with(at, refusal[at]! ^ 1);
    if (decodeDatagram(altered).ok) assertEquals(dealings.give(altered), false, `byte ${at}`);
  }
  assertEquals(dealings.events(), []);
  dealings.grant(register);
  assertEquals(dealings.give(refusal), false, "the Register is answered");
  assertEquals(dealings.eventKinds(), ["registered"]);
});

Deno.test("a directory with another key is not used: no Register is sealed for it", () => {
  const dealings = new Dealings({ isTrusted: () => false });
  const first = dealings.ask();
  const cost = agreements(() => assert(dealings.challenge(first)));
  assertEquals(cost, 0);
  const times = dealings.times(FORGERY_PATIENCE - 1);
  assertEquals(new Set(times.map(([, { frame }]) => frame.kind)), new Set(["credentials"]));
  assertEquals(dealings.events().filter(({ kind }) => kind !== "lost"), []);
  dealings.wait(1);
  const { publicKey: directoryKey } = dealings.directory.identity;
  assertEquals(dealings.events(), [{ kind: "otherKey", directoryKey }]);
});

Deno.test("a Challenge with another key, which anybody can forge, is not believed where the right one registers", () => {
  const dealings: Dealings = new Dealings({
    isTrusted: (key) => key.join() === dealings.directory.identity.publicKey.join(),
  });
  const impostor = new FakeDirectory(dealings.random);
  const first = dealings.ask();
  dealings.give(impostor.challenge(dealings.now, first.bytes));
  dealings.wait(FORGERY_PATIENCE - 1);
  for (const bytes of dealings.datagrams()) {
    dealings.give(impostor.challenge(dealings.now, bytes));
    dealings.give(dealings.directory.challenge(dealings.now, bytes));
  }
  dealings.grant(dealings.ask());
  dealings.times(20_000);
  assertEquals(dealings.eventKinds().filter((kind) => kind !== "lost" && kind !== "back"), [
    "registered",
  ]);
});

Deno.test("a key that is a weak one is not used", () => {
  const dealings = new Dealings();
  const first = dealings.ask();
  assertEquals(dealings.give(forgedChallenge(dealings, first, new Uint8Array(32))), false);
  assertEquals(dealings.datagrams(), []);
  dealings.challenge(first);
  dealings.grant(dealings.ask());
  assertEquals(dealings.eventKinds(), ["registered"]);
});

Deno.test("what is kept of an Answer is copied out of the socket's buffer", () => {
  const dealings = registered();
  dealings.wait(15_000);
  dealings.give(dealings.unknown(dealings.ask()));
  dealings.wait(0);
  const { token } = dealings.reachRegister().frame as Register;
  assertEquals(token, new Uint8Array(16).fill(0xaa));
});
