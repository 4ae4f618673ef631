// A handshake of two authors: this program's, and rweather/noise-c, compiled to WebAssembly.
//
// It comes from npm, for this test alone: published vectors show that a handshake is right where
// they look, another implementation that it is right with any keys, payloads and directions.
import { assert, assertEquals, assertThrows } from "@std/assert";
import process from "node:process";
import { open, seal } from "../../../protocol/crypto/aead.ts";
import { PROLOGUE } from "../../../protocol/session/outgoing_handshake.ts";
import { type DirectionKeys, Initiator, readMessageOne } from "../../../protocol/crypto/noise.ts";
import { KeyPair, makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";

const NAME = "Noise_IK_25519_ChaChaPoly_SHA256";
/** Not a constant for the compiler, which would load it before any test runs. */
const PACKAGE = ["npm:noise-c.wasm", "0.4.0"].join("@");
const NOTHING = new Uint8Array();

/** One direction after the handshake; it counts its nonces itself. */
interface CipherState {
  EncryptWithAd(associated: Uint8Array, plain: Uint8Array): Uint8Array;
  DecryptWithAd(associated: Uint8Array, sealed: Uint8Array): Uint8Array;
  free(): void;
}

/** One side of a handshake. A failed read or a Split() frees it. */
interface HandshakeState {
  Initialize(
    prologue: Uint8Array,
    ownStatic: Uint8Array,
    remoteStatic?: Uint8Array,
  ): void;
  WriteMessage(payload: Uint8Array): Uint8Array;
  ReadMessage(message: Uint8Array, isPayloadWanted: true): Uint8Array;
  GetHandshakeHash(): Uint8Array;
  GetRemotePublicKey(): Uint8Array;
  /** What this side sends, and what it receives. */
  Split(): [CipherState, CipherState];
}

/** What there is of the package. */
interface NoiseC {
  readonly constants: { NOISE_ROLE_INITIATOR: number; NOISE_ROLE_RESPONDER: number };
  HandshakeState(name: string, role: number): HandshakeState;
}
type CreateNoise = (options: { printErr(): void }, onReady: (noise: NoiseC) => void) => void;

/** The package, or undefined where npm cannot be reached and nothing is cached. */
async function load(): Promise<NoiseC | undefined> {
  const loaded: { default: CreateNoise } | undefined = await import(PACKAGE).catch(() => undefined);
  if (loaded === undefined) return undefined;
  // It installs handlers that would end the process without a word.
  const names = ["uncaughtException", "unhandledRejection"] as const;
  const before = names.map((name) => process.listeners(name as "exit"));
  const noise = await new Promise<NoiseC>((resolve) => {
    // It prints that it could not load the code in the way that it tries first.
    loaded.default({ printErr: () => {} }, resolve);
  });
  for (const [index, name] of names.entries()) {
    for (const listener of process.listeners(name as "exit")) {
      if (!before[index]!.includes(listener)) process.removeListener(name, listener);
    }
  }
  return noise;
}

const noiseC = await load();

function interopTest(name: string, body: (noise: NoiseC, prng: Prng) => void): void {
  const isOut = noiseC === undefined;
  Deno.test({
    name: isOut ? `${name} (ignored: npm cannot be reached, and noise-c.wasm is not cached)` : name,
    ignore: isOut,
    fn: () => withSeed(seedFromEnv(), (prng) => body(noiseC!, prng)),
  });
}

/** Private and public keys of both ends, and the payloads. */
function scene(prng: Prng) {
  const [own, remote] = [prng.bytes(32), prng.bytes(32)];
  const prologue = prng.chance(0.5) ? PROLOGUE : prng.bytes(prng.int(64));
  const payloads = [prng.bytes(prng.int(200)), prng.bytes(prng.int(200))] as const;
  return { own, remote, prologue, payloads };
}

function initiatorC(noise: NoiseC, prologue: Uint8Array, own: Uint8Array, remote: Uint8Array) {
  const state = noise.HandshakeState(NAME, noise.constants.NOISE_ROLE_INITIATOR);
  state.Initialize(prologue, own, remote);
  return state;
}

function responderC(noise: NoiseC, prologue: Uint8Array, own: Uint8Array) {
  const state = noise.HandshakeState(NAME, noise.constants.NOISE_ROLE_RESPONDER);
  state.Initialize(prologue, own);
  return state;
}

function assertSame(actual: Uint8Array | undefined, expected: Uint8Array): void {
  assertEquals(actual?.join(), expected.join());
}

/** Checks that transport messages decrypt in both directions. */
function converse(
  prng: Prng,
  [sends, receives]: [CipherState, CipherState],
  { forward, backward }: DirectionKeys,
  isInitiatorC: boolean,
): void {
  const [fromC, toC] = isInitiatorC ? [forward, backward] : [backward, forward];
  for (let counter = 0n; counter < 300n; counter++) {
    const text = prng.bytes(prng.int(100));
    assertSame(open(fromC, counter, NOTHING, sends.EncryptWithAd(NOTHING, text)), text);
    assertSame(receives.DecryptWithAd(NOTHING, seal(toC, counter, NOTHING, text)), text);
  }
  sends.free();
  receives.free();
}

interopTest("noise-c begins, and this program answers", (noise, prng) => {
  for (let run = 0; run < 20; run++) {
    const { own, remote, prologue, payloads } = scene(prng);
    const local = new KeyPair(remote);
    const state = initiatorC(noise, prologue, own, local.publicKey);
    const responder = readMessageOne(local, state.WriteMessage(payloads[0]), prologue);
    assertSame(responder?.payload, payloads[0]);
    assertSame(responder?.remoteStatic, new KeyPair(own).publicKey);
    const result = responder?.writeMessageTwo(makeKeyPair(prng.bytes), payloads[1]);
    assert(result !== undefined);
    assertSame(state.ReadMessage(result.message, true), payloads[1]);
    assertSame(state.GetHandshakeHash(), result.hash);
    converse(prng, state.Split(), result.keys, true);
  }
});

interopTest("this program begins, and noise-c answers", (noise, prng) => {
  for (let run = 0; run < 20; run++) {
    const { own, remote, prologue, payloads } = scene(prng);
    const local = new KeyPair(own);
    const { publicKey } = new KeyPair(remote);
    const initiator = new Initiator(local, makeKeyPair(prng.bytes), publicKey, prologue);
    const one = initiator.writeMessageOne(payloads[0]);
    assert(one !== undefined);
    const state = responderC(noise, prologue, remote);
    assertSame(state.ReadMessage(one, true), payloads[0]);
    assertSame(state.GetRemotePublicKey(), local.publicKey);
    const end = initiator.readMessageTwo(state.WriteMessage(payloads[1]));
    assert(end !== undefined);
    assertSame(end.payload, payloads[1]);
    assertSame(state.GetHandshakeHash(), end.hash);
    converse(prng, state.Split(), end.keys, false);
  }
});

interopTest(
  "noise-c and this program reject each other under different prologues",
  (noise, prng) => {
    const { own, remote } = scene(prng);
    const [local, { publicKey }] = [new KeyPair(own), new KeyPair(remote)];
    const initiator = new Initiator(local, makeKeyPair(prng.bytes), publicKey, PROLOGUE);
    const one = initiator.writeMessageOne(NOTHING);
    assert(one !== undefined);
    assertThrows(() => responderC(noise, NOTHING, remote).ReadMessage(one, true));
    const two = initiatorC(noise, NOTHING, own, publicKey).WriteMessage(NOTHING);
    assertEquals(readMessageOne(new KeyPair(remote), two, PROLOGUE), undefined);
  },
);
