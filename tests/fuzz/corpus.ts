/**
 * Valid datagrams and frames to make mutants of, and the keys that they are sealed with.
 *
 * They are made here, from a fixed seed: the vectors of `tests/vectors/` are few, for people to read.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Sealer } from "../../protocol/crypto/seal.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { DirectorySession } from "../../protocol/directory/directory_session.ts";
import { Registrar } from "../../protocol/directory/registrar.ts";
import { DirectorySecret } from "../../protocol/directory/registration_key.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { IncomingHandshakes } from "../../protocol/session/incoming_handshakes.ts";
import { Cookies } from "../../protocol/session/macs.ts";
import { OutgoingHandshake } from "../../protocol/session/outgoing_handshake.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { DatagramWriter, decodeDatagram, encodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  type Credentials,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Header,
  HEADER_SIZE,
  type Register,
} from "../../protocol/wire/frame.ts";
import { Prng } from "../support/random.ts";
import { KINDS, randomFrame } from "../support/random_frame.ts";

const prng = new Prng(11);
const random = prng.bytes;
export const ADDRESS: Address = { hostname: "192.0.2.9", port: 40_009 };

const DIRECTORY: Address = { hostname: "192.0.2.10", port: 7070 };

/** A datagram with random frames, at least one. */
function randomDatagram(header: Header, frames: readonly Frame[], isSealed = false): Uint8Array {
  const writer = new DatagramWriter(DATAGRAM_SIZE_MAX, isSealed);
  writer.start(header);
  for (const frame of frames) writer.add(frame);
  return writer.finish().slice();
}

/** A frame of a datagram that is good. */
function clearFrame<K extends Frame["kind"]>(
  bytes: Uint8Array,
  kind: K,
): Extract<Frame, { kind: K }> {
  const decoded = decodeDatagram(bytes);
  const [frame] = decoded.ok ? decoded.value.frames : [];
  assert(frame?.kind === kind);
  return frame as Extract<Frame, { kind: K }>;
}

/** Frames in plain: some of each kind, and several after one another. */
export const BODIES: readonly Uint8Array[] = [
  ...KINDS.flatMap((kind) => [1, 2, 3, 4].map(() => [randomFrame(prng, kind)])),
  ...KINDS.map(() => Array.from({ length: 1 + prng.int(6) }, () => randomFrame(prng))),
].map((frames) =>
  randomDatagram({ type: DatagramType.Packet, session: 0, packet: 0 }, frames).slice(HEADER_SIZE)
);

/** A key of one direction, and the Packets that are sealed with it, in their order. */
export const PACKETS: { readonly key: Uint8Array; readonly bytes: readonly Uint8Array[] } = (() => {
  const key = random(32);
  const sealer = new Sealer(key);
  const bytes = KINDS.map((kind) => {
    const header = { type: DatagramType.Packet, session: 5, packet: sealer.packet };
    const packet = randomDatagram(header, [randomFrame(prng, kind)], true);
    sealer.seal(packet);
    return packet;
  });
  return { key, bytes };
})();

/** A handshake: its keys, and its datagrams. */
export const HANDSHAKE = (() => {
  const [initiator, responder] = [new KeyPair(random(32)), new KeyPair(random(32))];
  const policy = TIMER_POLICIES.adaptive;
  const rtt = new RttEstimator(policy);
  const remoteKey = responder.publicKey;
  const outgoing = OutgoingHandshake.begin(
    { identity: initiator, remoteKey, localId: 7, rtt, random },
  );
  assert(outgoing.ok);
  const initiation = outgoing.value.encode(0).slice();
  const incoming = new IncomingHandshakes(
    0,
    { identity: responder, policy, makeSessionId: () => 8, random },
  );
  const frame = clearFrame(initiation, "initiation");
  const response = incoming.handleInitiation(0, initiation, frame, ADDRESS)?.bytes.slice();
  assert(response !== undefined);
  const cookie = new Cookies(0, remoteKey, random).reply(0, initiation, ADDRESS).slice();
  const messages = {
    one: frame.messageOne.slice(),
    two: clearFrame(response, "response").messageTwo.slice(),
  };
  return { responder, outgoing: outgoing.value, initiation, response, cookie, messages };
})();

/** What a client and a private directory say to each other, and the keys that they do it with. */
export const REGISTRATION = (() => {
  const [key, secretBytes, nonce] = [random(32), random(32), prng.u64()];
  const secret = new DirectorySecret(secretBytes);
  const registrar = new Registrar({
    identity: new KeyPair(random(32)),
    secret: secretBytes,
    random,
  });
  const nothing = new Uint8Array(16);
  const credentials: Credentials = {
    ...{ kind: "credentials", nonce, cookie: random(16), publicKey: random(32), mac: nothing },
  };
  const writer = new DatagramWriter(DATAGRAM_SIZE_MAX, true);
  const session = new DirectorySession({
    ...{ localId: 9, address: DIRECTORY, directoryKey: random(32), key, credentials, writer },
  });
  const register = (): Uint8Array => {
    const frame = randomFrame(prng, "register") as Register;
    return session.encodeRegister(frame, (bytes) => secret.sign(bytes)).slice();
  };
  const first = randomDatagram({ type: DatagramType.Register, session: 0, packet: 0 }, [
    { ...credentials, cookie: nothing, publicKey: new Uint8Array(32) },
  ]);
  secret.sign(first);
  const signed = [first, register(), registrar.encodeChallenge(0, credentials, ADDRESS).slice()];
  const requests = [
    ...(["leaseKeepalive", "lookUp", "list", "call", "carry", "alsoAt", "leave"] as const).map(
      (kind) => session.encodeRequest(3, randomFrame(prng, kind)).slice(),
    ),
    register(),
  ];
  const answers =
    (["registered", "leaseKeepaliveAck", "found", "inactive", "listing", "meeting"] as const)
      .map((kind, packet) =>
        registrar.encodeAnswer(key, 9, packet, randomFrame(prng, kind)).slice()
      );
  answers.push(registrar.encodeRefusal(key, 9, 1).slice());
  const notices = (["meeting", "carried"] as const)
    .map((kind, packet) => registrar.encodeNotice(key, 9, packet, randomFrame(prng, kind)).slice());
  return { key, secret, signed, requests, answers, notices };
})();

const UNSEALED = [DatagramType.Unknown, DatagramType.Version].map((type) =>
  encodeDatagram({ type, session: 3, packet: 4 }, [])
);

const PUNCH = encodeDatagram({ type: DatagramType.Punch, session: 0, packet: 0 }, [
  randomFrame(prng, "punch"),
]);

/** Datagrams of all types, all of them good. */
export const DATAGRAMS: readonly Uint8Array[] = [
  ...PACKETS.bytes,
  ...[HANDSHAKE.initiation, HANDSHAKE.response, HANDSHAKE.cookie],
  ...[...REGISTRATION.signed, ...REGISTRATION.requests, ...REGISTRATION.answers],
  ...REGISTRATION.notices,
  PUNCH,
  ...UNSEALED,
];
