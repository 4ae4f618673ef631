import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { open, seal } from "../../../protocol/crypto/aead.ts";
import {
  Initiator,
  MESSAGE_ONE_OVERHEAD,
  MESSAGE_TWO_OVERHEAD,
  readMessageOne,
  type Responder,
} from "../../../protocol/crypto/noise.ts";
import { KEY_SIZE, KeyPair, makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { fromHex, toHex } from "../../support/hex.ts";
import { Prng } from "../../support/random.ts";
import { NOISE_VECTORS } from "../../support/vectors.ts";

const NOTHING = new Uint8Array();
const PROLOGUE = new TextEncoder().encode("a prologue");
const prng = new Prng(1);
const ALICE = makeKeyPair(prng.bytes);
const BOB = makeKeyPair(prng.bytes);
const MALLORY = makeKeyPair(prng.bytes);
/** A point of order eight (RFC 7748, section 6.1, has the reason; the list is Bernstein's). */
const LOW_ORDER = fromHex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800");

/** A handshake of Alice's with Bob, after message one. */
function begin(payload: Uint8Array = NOTHING): { initiator: Initiator; one: Uint8Array } {
  const ephemeral = makeKeyPair(prng.bytes);
  const initiator = new Initiator(ALICE, ephemeral, BOB.publicKey, PROLOGUE);
  const one = initiator.writeMessageOne(payload);
  assert(one !== undefined);
  return { initiator, one };
}

function read(one: Uint8Array): Responder {
  const responder = readMessageOne(BOB, one, PROLOGUE);
  assert(responder !== undefined);
  return responder;
}

function answer(responder: Responder, payload: Uint8Array = NOTHING) {
  const result = responder.writeMessageTwo(makeKeyPair(prng.bytes), payload);
  assert(result !== undefined);
  return result;
}

function* changes(message: Uint8Array): Generator<[string, Uint8Array]> {
  for (let bit = 0; bit < message.length * 8; bit++) {
    const changed = message.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    yield [`bit ${bit} flipped`, changed];
  }
  for (let size = 0; size < message.length; size++) {
    yield [`cut to ${size}`, message.slice(0, size)];
  }
  yield ["one byte longer", Uint8Array.of(...message, 0)];
}

for (const vector of NOISE_VECTORS) {
  const { name, prologue, hash, messages } = vector;
  Deno.test(`Noise_IK_25519_ChaChaPoly_SHA256 writes and reads the vector of ${name}`, () => {
    const [first, second, ...rest] = messages;
    assert(first !== undefined && second !== undefined && rest.length > 0);
    const [local, remote] = [
      new KeyPair(vector.initiatorStatic),
      new KeyPair(vector.responderStatic),
    ];
    const ephemeral = new KeyPair(vector.initiatorEphemeral);
    const initiator = new Initiator(local, ephemeral, remote.publicKey, prologue);
    const one = initiator.writeMessageOne(first.payload);
    assertEquals(one, first.message);
    const responder = readMessageOne(remote, first.message, prologue);
    assert(responder !== undefined);
    assertEquals(responder.payload, first.payload);
    assertEquals(responder.remoteStatic.join(), local.publicKey.join());
    const result = responder.writeMessageTwo(
      new KeyPair(vector.responderEphemeral),
      second.payload,
    );
    assertEquals(result?.message, second.message);
    const end = initiator.readMessageTwo(second.message);
    assert(end !== undefined && result !== undefined);
    assertEquals(end.payload, second.payload);
    assertEquals(end.keys, result.keys);
    assertEquals(end.hash, result.hash);
    if (hash !== undefined) assertEquals(end.hash, hash);
    for (const [index, { payload, message }] of rest.entries()) {
      const key = index % 2 === 0 ? end.keys.forward : end.keys.backward;
      const counter = index >> 1;
      assertEquals(seal(key, counter, NOTHING, payload), message);
      assertEquals(open(key, counter, NOTHING, message), payload);
    }
  });
}

Deno.test("readMessageOne() rejects every flipped bit, every truncation and a byte more", () => {
  const { one } = begin(prng.bytes(20));
  assertEquals(one.length, MESSAGE_ONE_OVERHEAD + 20);
  for (const [what, changed] of changes(one)) {
    assertEquals(readMessageOne(BOB, changed, PROLOGUE), undefined, what);
  }
  read(one);
});

Deno.test("Initiator.readMessageTwo() rejects every flipped bit, every truncation and a byte more", () => {
  const { initiator, one } = begin();
  const { message } = answer(read(one), prng.bytes(5));
  assertEquals(message.length, MESSAGE_TWO_OVERHEAD + 5);
  for (const [what, changed] of changes(message)) {
    assertEquals(initiator.readMessageTwo(changed), undefined, what);
  }
  // What anybody can make up does not end the handshake.
  assert(initiator.readMessageTwo(message) !== undefined);
});

Deno.test("readMessageOne() keeps nothing of the buffer that the message was in", () => {
  const { initiator, one } = begin();
  const buffer = one.slice();
  const responder = read(buffer);
  buffer.fill(0);
  assert(initiator.readMessageTwo(answer(responder).message) !== undefined);
});

Deno.test("readMessageOne() rejects a message that was meant for another static key", () => {
  assertEquals(readMessageOne(MALLORY, begin().one, PROLOGUE), undefined);
});

Deno.test("readMessageOne() rejects a message of another prologue", () => {
  assertEquals(readMessageOne(BOB, begin().one, PROLOGUE.slice(1)), undefined);
  assertEquals(readMessageOne(BOB, begin().one, NOTHING), undefined);
});

Deno.test("readMessageOne() rejects an initiator that claims a static key without its private key", () => {
  // Mallory writes message one as Alice would, but cannot agree on `ss`.
  const fake = Object.create(MALLORY, { publicKey: { value: ALICE.publicKey } }) as KeyPair;
  fake.agree = (publicKey) => MALLORY.agree(publicKey);
  const initiator = new Initiator(fake, makeKeyPair(prng.bytes), BOB.publicKey, PROLOGUE);
  const one = initiator.writeMessageOne(NOTHING);
  assert(one !== undefined);
  assertEquals(readMessageOne(BOB, one, PROLOGUE), undefined);
});

Deno.test("Initiator.readMessageTwo() rejects an answer in another handshake", () => {
  const { initiator } = begin();
  const other = begin();
  assertEquals(initiator.readMessageTwo(answer(read(other.one)).message), undefined);
});

Deno.test("a message of random bytes is rejected", () => {
  for (let size = 0; size < 300; size++) {
    assertEquals(readMessageOne(BOB, prng.bytes(size), PROLOGUE), undefined);
    assertEquals(begin().initiator.readMessageTwo(prng.bytes(size)), undefined);
  }
});

Deno.test("a handshake with a public key of low order fails, for each of the keys", () => {
  const initiator = new Initiator(ALICE, makeKeyPair(prng.bytes), LOW_ORDER, PROLOGUE);
  assertEquals(initiator.writeMessageOne(NOTHING), undefined);

  const weakEphemeral = begin().one;
  weakEphemeral.set(LOW_ORDER);
  assertEquals(readMessageOne(BOB, weakEphemeral, PROLOGUE), undefined);

  // An initiator whose static key is a weak one: everything else is as it should be.
  const weak = Object.create(ALICE, { publicKey: { value: LOW_ORDER } }) as KeyPair;
  weak.agree = () => new Uint8Array(KEY_SIZE);
  const weakStatic = new Initiator(weak, makeKeyPair(prng.bytes), BOB.publicKey, PROLOGUE);
  assertEquals(readMessageOne(BOB, weakStatic.writeMessageOne(NOTHING)!, PROLOGUE), undefined);

  const { initiator: honest, one } = begin();
  const { message } = answer(read(one));
  message.set(LOW_ORDER);
  assertEquals(honest.readMessageTwo(message), undefined);
});

Deno.test("two handshakes of the same two have nothing in common: neither the hash nor a key", () => {
  const [a, b] = [1, 2].map(() => answer(read(begin().one)));
  assertNotEquals(toHex(a!.hash), toHex(b!.hash));
  assertNotEquals(toHex(a!.keys.forward), toHex(b!.keys.forward));
  assertNotEquals(toHex(a!.keys.backward), toHex(b!.keys.backward));
});

Deno.test("a message one that is read again leads to other keys", () => {
  const { one } = begin();
  assertNotEquals(toHex(answer(read(one)).keys.forward), toHex(answer(read(one)).keys.forward));
});
