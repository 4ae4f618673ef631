import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { decodeDatagram, encodeDatagram } from "../../../protocol/wire/datagram.ts";
import { DATAGRAM_SIZE_MAX, DatagramType } from "../../../protocol/wire/frame.ts";
import { PROOF_SIZE, Prover } from "../../../protocol/crypto/proof.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { fromHex } from "../../support/hex.ts";
import { VECTORS } from "../../support/vectors.ts";

const SECRET = new TextEncoder().encode("correct horse battery staple");
const VECTOR = VECTORS.find(({ name }) => name === "Lease Keepalive, to a private directory")!;
const [KEEPALIVE] = VECTOR.frames;
const REQUEST = encodeDatagram(VECTOR.header!, [KEEPALIVE!]);

// The bytes of the vector were also made with another implementation of HMAC, that of Python.
Deno.test("Prover.prove() appends a Proof frame, as in README.md", () => {
  const proven = new Prover(SECRET).prove(REQUEST);
  assertEquals(proven, VECTOR.bytes);
  const decoded = decodeDatagram(proven);
  assert(decoded.ok && !decoded.value.sealed);
  assertEquals(decoded.value.frames.map(({ kind }) => kind), ["leaseKeepalive", "proof"]);
});

Deno.test("Prover.isProven() takes what a Prover with the same secret proved", () => {
  const proven = new Prover(SECRET).prove(REQUEST);
  assert(new Prover(SECRET).isProven(proven));
  assert(!new Prover(SECRET.subarray(1)).isProven(proven));
  assert(!new Prover(SECRET).isProven(REQUEST));
});

Deno.test("Prover.isProven() refuses every datagram with a bit changed, cut off or added", () => {
  const prover = new Prover(SECRET);
  const proven = prover.prove(REQUEST);
  for (let bit = 0; bit < 8 * proven.length; bit++) {
    const changed = proven.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert(!prover.isProven(changed), `bit ${bit}`);
  }
  for (let size = 0; size < proven.length; size++) {
    assert(!prover.isProven(proven.subarray(0, size)));
  }
  for (const more of ["00", "000000", "0e0010" + "00".repeat(16)]) {
    assert(!prover.isProven(Uint8Array.from([...proven, ...fromHex(more)])));
  }
  // An Answer cannot be made of a Request.
  const turned = proven.slice();
  turned[3] = DatagramType.Answer;
  assert(!prover.isProven(turned));
});

Deno.test("Prover.isProven() never throws", () => {
  withSeed(seedFromEnv(), (prng: Prng) => {
    const prover = new Prover(SECRET);
    for (let i = 0; i < 20_000; i++) {
      const bytes = prng.bytes(prng.int(i % 10 === 0 ? 1300 : 60));
      if (bytes.length >= PROOF_SIZE) bytes.set([0x0e, 0, 16], bytes.length - PROOF_SIZE);
      assert(!prover.isProven(bytes));
    }
  });
});

Deno.test("Prover.prove() makes no datagram that is too large", () => {
  const prover = new Prover(SECRET);
  const most = new Uint8Array(DATAGRAM_SIZE_MAX - PROOF_SIZE);
  assertEquals(prover.prove(most).length, DATAGRAM_SIZE_MAX);
  assertThrows(() => prover.prove(new Uint8Array(most.length + 1)), RangeError);
  assertNotEquals(prover.prove(most).subarray(-16), new Uint8Array(16));
});
