// A client under input from a directory and from strangers, with keys and without.
import { assert } from "@std/assert";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { encodeInitiation } from "../../protocol/session/macs.ts";
import { AMPLIFICATION_MAX } from "../../protocol/session/candidate.ts";
import { PATH_FRAMES_MAX } from "../../protocol/session/path.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  CARRIED_SIZE_MAX,
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  TAG_SIZE,
} from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";
import { randomFrame } from "../support/random_frame.ts";
import { CLIENT_KEY, FuzzedClient, type Outcome, SERVER } from "./fuzzed_client.ts";
import { HostilePeer, type PeerIdentity } from "./hostile_peer.ts";
import { fuzzDatagram, fuzzFrames, mutate, ValuePool, weighted } from "./mutate.ts";
import { DIRECTORY_KEY, type PlayedDirectory } from "./played_directory.ts";
import { fuzz, Tally } from "./runner.ts";

const { Challenge, Answer, Notice, Unknown, Version } = DatagramType;
const { Initiation, Response, Cookie, Packet, Punch } = DatagramType;
const FROM_DIRECTORY = weighted({ challenge: 4, registered: 1, refused: 1, meeting: 1 });
const UNASKED = weighted({ meeting: 2, carried: 1 });
/** The answers to a request: those that fit, and those that do not. */
const ANSWERS: Partial<Record<Frame["kind"], readonly Frame["kind"][]>> = {
  register: ["registered", "registered", "refused"],
  call: ["meeting", "meeting", "meeting", "inactive"],
  list: ["listing"],
  leaseKeepalive: ["leaseKeepaliveAck"],
  leave: ["leaveAck"],
};
const FROM_STRANGERS = weighted({ initiation: 2, macs: 1, response: 2, cookieReply: 6, punch: 4 });
const REQUESTS = weighted({
  ...{ connectionRequest: 8, connectionTermination: 3, connectionTerminationAck: 1 },
  ...{ ringing: 2, connectionAccept: 4, connectionReject: 2, pathChallenge: 2 },
});
/** Bytes that may be sealed in a datagram. */
const PLAIN_MAX = 1200 - HEADER_SIZE - TAG_SIZE;
/** Bytes in the largest packet with Path Responses. */
const PATH_RESPONSES_MAX = HEADER_SIZE + PATH_FRAMES_MAX * (FRAME_HEADER_SIZE + 8) + TAG_SIZE;
const SESSIONS_MAX = 8;

/** Strangers with keys; the first one is the peer that the client looks up. */
const STRANGERS: readonly PeerIdentity[] = Array.from({ length: 6 }, (_, i) => ({
  id: 2 + i,
  name: ["mal", "zoë", "", "Борис", "\u202e", "x".repeat(128)][i]!,
  address: { hostname: i < 3 ? `192.0.2.${10 + i}` : `2001:db8::${i}`, port: 41_000 + i },
  identity: new KeyPair(new Uint8Array(32).fill(10 + i)),
}));
const [PEER] = STRANGERS as [PeerIdentity];

/** Values that strangers and the directory send, besides those that the client sent. */
const FIXED = {
  "registered.id": [1],
  "meeting.id": [2, 2, 3],
  ...{ responder: [1, 2], requester: [2, 3, 4], sender: [2], reason: [1, 2, 3, 5] },
  ...{ name: ["", "zoë", "mal"], lease: [45_000, 45_000, 0, 2 ** 32 - 1] },
  // Mostly that of the peer, which then can answer.
  "meeting.publicKey": [
    ...[PEER, PEER, PEER, PEER, PEER, PEER, PEER, ...STRANGERS].map((each) =>
      each.identity.publicKey
    ),
    new Uint8Array(32),
  ],
  "challenge.publicKey": [DIRECTORY_KEY.publicKey, DIRECTORY_KEY.publicKey, CLIENT_KEY.publicKey],
  // Where peers are told to be.
  hostname: [PEER.address.hostname, PEER.address.hostname, "10.0.0.1", "fd00::1", "100::1", "::1"],
  port: [PEER.address.port],
};

/** A datagram, and where it comes from. */
interface Received {
  readonly bytes: Uint8Array;
  readonly from: Address;
}

/** Strangers, and their last sessions. */
class Strangers {
  readonly #prng: Prng;
  readonly #sessions: { readonly peer: HostilePeer; readonly initiation: Uint8Array }[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** An Initiation: a new one, an earlier one, or a mutant, mostly with a good mac1. */
  initiation(): Received {
    const prng = this.#prng;
    if (this.#sessions.length === 0 || prng.chance(0.1)) this.#begin();
    const { initiation, peer: { self: { address: from } } } = prng.pick(this.#sessions);
    const what = prng.int(10);
    if (what < 4) return { bytes: initiation, from };
    if (what < 6) return { bytes: mutate(prng, initiation, HEADER_SIZE).slice(), from };
    const messageOne = mutate(prng, initiation.subarray(19, 119), 0).slice();
    return { bytes: encodeInitiation(resized(messageOne, 100), CLIENT_KEY.publicKey), from };
  }

  /** A Packet in a session; an Initiation where there is none. */
  sealed(pool: ValuePool): Received {
    const prng = this.#prng;
    const open = this.#sessions.filter(({ peer }) => peer.hasSession);
    if (open.length === 0) return this.initiation();
    const { peer } = prng.pick(open);
    const { address } = peer.self;
    const from = prng.chance(0.95) ? address : { ...address, port: 1 + prng.int(65_535) };
    if (prng.chance(0.2)) return { bytes: peer.sealFrames(peer.requestFrame(1)), from };
    return { bytes: peer.seal(fuzzFrames(prng, pool, REQUESTS, PLAIN_MAX)), from };
  }

  /** Reads what the client sent; returns the kinds of the frames in it. */
  open({ sent }: Outcome): string[] {
    return sent.flatMap(({ bytes }) =>
      this.#sessions.flatMap(({ peer }) => {
        peer.handleResponse(bytes);
        return peer.open(bytes).map(({ kind }) => kind);
      })
    );
  }

  /** The answer of the peer to an Initiation of the client. */
  respond(initiation: Uint8Array): Received | undefined {
    const peer = new HostilePeer(this.#prng, PEER);
    const bytes = peer.response(initiation);
    if (bytes === undefined) return undefined;
    this.#keep({ peer, initiation });
    return { bytes, from: PEER.address };
  }

  /** What the peer says to a request, in its last session. */
  answer(): Received | undefined {
    const peer = this.#sessions.findLast(({ peer }) => peer.hasSession && peer.self === PEER)?.peer;
    if (peer === undefined) return undefined;
    const { id: responder } = PEER;
    const accept = peer.acceptFrame();
    const frame = this.#prng.pick<Frame>([
      ...[accept, accept, accept, accept, accept, accept],
      { kind: "ringing", responder },
      { kind: "connectionReject", responder, reason: 1 },
    ]);
    return { bytes: peer.sealFrames(frame), from: PEER.address };
  }

  /** The ids that the client has of its sessions. */
  get remoteIds(): number[] {
    return this.#sessions.map(({ peer: { remoteId } }) => remoteId);
  }

  #begin(): void {
    const peer = new HostilePeer(this.#prng, this.#prng.pick(STRANGERS));
    this.#keep({ peer, initiation: peer.initiation(CLIENT_KEY.publicKey) });
  }

  #keep(session: { peer: HostilePeer; initiation: Uint8Array }): void {
    this.#sessions.push(session);
    if (this.#sessions.length > SESSIONS_MAX) this.#sessions.shift();
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(bytes.subarray(0, size));
  return whole;
}

function command(prng: Prng, { client, now }: FuzzedClient): void {
  if (prng.chance(0.002)) return client.leave(now);
  if (prng.chance(0.002)) return client.abandon(now);
  if (prng.chance(0.05)) return client.terminate(now, prng.pick([undefined, 2, 3, "mal"]));
  if (prng.chance(0.05)) return client.switchTo(now, prng.pick([2, 3, 4, "mal", "Борис"]));
  if (prng.chance(0.02)) return client.listRequests(now);
  if (prng.chance(0.05)) return client.cancel(now);
  if (prng.chance(0.05)) return client.list(now);
  if (prng.chance(0.1)) return client.reject(now, prng.pick([undefined, 2, "zoë"]));
  if (prng.chance(0.3)) return client.accept(now, prng.pick([undefined, 2, "zoë"]));
  if (prng.chance(0.5)) return client.connect(now, prng.pick([2, 2, 2, 3, "mal", 1]));
  const peer = prng.pick([undefined, undefined, 2, 3, "mal"]);
  client.send(now, "€uro ".repeat(prng.int(prng.chance(0.9) ? 10 : 15_000)), peer);
}

/** Something from a directory that has the key, and may say anything; mostly what was asked. */
function answer(prng: Prng, directory: PlayedDirectory, pool: ValuePool): Uint8Array {
  const { last } = directory;
  const kinds = last && ANSWERS[last.frame.kind];
  if (kinds === undefined || prng.chance(0.2)) {
    return directory.seal(fuzzFrames(prng, pool, Object.values(ANSWERS).flat(), PLAIN_MAX));
  }
  return directory.answer(pool.fill(prng, randomFrame(prng, prng.pick(kinds))));
}

/** What the directory says unasked: anything, or what it carries for a stranger. */
function unasked(prng: Prng, pool: ValuePool, strangers: Strangers): Uint8Array {
  if (prng.chance(0.5)) return fuzzFrames(prng, pool, UNASKED, PLAIN_MAX);
  const { bytes } = prng.chance(0.5) ? strangers.initiation() : strangers.sealed(pool);
  const datagram = bytes.subarray(0, CARRIED_SIZE_MAX);
  const frame: Frame = { kind: "carried", from: prng.pick([2, 3]), datagram };
  return encodeDatagram({ type: Notice, session: 0, packet: 0 }, [frame]).subarray(HEADER_SIZE);
}

/** One datagram, from the directory or from a stranger. */
function datagram(
  prng: Prng,
  { directory }: FuzzedClient,
  pool: ValuePool,
  strangers: Strangers,
): Received {
  const challenge = directory.challenges.shift();
  if (challenge !== undefined && prng.chance(0.8)) return { bytes: challenge, from: SERVER };
  if (prng.chance(0.15)) return { bytes: answer(prng, directory, pool), from: SERVER };
  if (prng.chance(0.05)) {
    return { bytes: directory.notice(unasked(prng, pool, strangers)), from: SERVER };
  }
  if (prng.chance(0.15)) {
    const types = [Challenge, Answer, Notice, Unknown, Version];
    return { bytes: fuzzDatagram(prng, pool, types, FROM_DIRECTORY), from: SERVER };
  }
  if (prng.chance(0.3)) return strangers.initiation();
  if (prng.chance(0.4)) return strangers.sealed(pool);
  return noise(prng, pool, prng.pick(STRANGERS).address);
}

function noise(prng: Prng, pool: ValuePool, from: Address): Received {
  const types = [Initiation, Response, Cookie, Packet, Punch];
  return { bytes: fuzzDatagram(prng, pool, types, FROM_STRANGERS), from };
}

/** The Initiations that a client sent. */
function initiationsIn({ sent }: Outcome): Uint8Array[] {
  return sent.map(({ bytes }) => bytes).filter((bytes) => bytes[3] === Initiation);
}

Deno.test("Client.handleDatagram() survives any datagrams, within its bounds", () => {
  fuzz("client", (prng, count) => {
    const target = new FuzzedClient(prng);
    const strangers = new Strangers(prng);
    let pool = new ValuePool(FIXED);
    let initiation: Uint8Array | undefined;
    const take = (outcome: Outcome): void => {
      for (const { bytes } of outcome.sent) pool.learn(bytes);
      strangers.open(outcome);
      for (const id of strangers.remoteIds) pool.add("session", id);
      pool.add("session", target.directory.session);
      initiation = initiationsIn(outcome)[0] ?? initiation;
    };
    for (let i = 0; i < count; i++) {
      target.advance(prng.chance(0.001) ? prng.int(100_000) : prng.int(100), take);
      if (prng.chance(0.1)) {
        command(prng, target);
        take(target.drain());
      }
      const { bytes, from } = datagram(prng, target, pool, strangers);
      take(target.receive(bytes, from));
      // The peer accepts some requests, or the client would never be connected.
      if (initiation !== undefined && prng.chance(0.2)) {
        const response = strangers.respond(initiation);
        initiation = undefined;
        if (response !== undefined) take(target.receive(response.bytes, response.from));
        const answer = prng.chance(0.8) ? strangers.answer() : undefined;
        if (answer !== undefined) take(target.receive(answer.bytes, answer.from));
      }
      if (target.client.view().state !== "left") continue;
      target.restart();
      pool = new ValuePool(FIXED);
      initiation = undefined;
    }
    target.check();
    target.tally.assertReached("registered", "requesting", "inactive", "request", "requestEnded");
    target.tally.assertReached("connected", "sent", "terminated", "list", "left", "returned");
    target.tally.assertReached("current", "requests", "ringing", "rejected", "cancelled");
    assert(target.client.dropped.notAuthentic > 0);
  });
});

Deno.test("Client.handleDatagram() never answers a stranger with more bytes than it received", () => {
  fuzz("strangers", (prng, count) => {
    const target = new FuzzedClient(prng);
    target.register();
    const strangers = new Strangers(prng);
    const pool = new ValuePool(FIXED);
    const tally = new Tally();
    const take = (outcome: Outcome): void => {
      for (const { bytes } of outcome.sent) {
        tally.add(Object.entries(DatagramType).find(([, type]) => type === bytes[3])![0]);
      }
      for (const kind of strangers.open(outcome)) tally.add(kind);
      for (const { kind } of outcome.events) tally.add(kind);
    };
    for (let i = 0; i < count; i++) {
      // At times many come at once, so that the client demands cookies.
      target.advance(i % 2000 < 600 ? 0 : prng.int(40), take);
      const { bytes, from } = prng.chance(0.3)
        ? strangers.initiation()
        : prng.chance(0.5)
        ? strangers.sealed(pool)
        : noise(prng, pool, { hostname: "2001:db8::bad", port: 1 + prng.int(65_535) });
      const outcome = target.receive(bytes, from);
      checkSizes({ bytes, from }, outcome);
      take(outcome);
      if (!prng.chance(0.001)) continue;
      target.client.reject(target.now);
      take(target.drain());
    }
    target.check();
    tally.assertReached("request", "ringing", "connectionReject", "requestEnded");
    tally.assertReached("connectionTerminationAck", "Response", "Cookie", "Version");
  });
});

/**
 * Checks the sizes of the answers to a datagram. Path Responses are in packets of their own, and wait
 * for a request; and who writes from another address makes both that one and theirs be challenged.
 */
function checkSizes({ bytes, from }: Received, { sent }: Outcome): void {
  const sizeOf = (isMeant: (to: Address) => boolean): number =>
    sent.filter(({ to }) => isMeant(to)).reduce((sum, answer) => sum + answer.bytes.length, 0);
  const back = sizeOf((to) => sameAddress(to, from));
  const elsewhere = sizeOf((to) => !sameAddress(to, from));
  const backMax = elsewhere > 0
    ? AMPLIFICATION_MAX * bytes.length
    : bytes.length + (bytes[3] === Packet ? PATH_RESPONSES_MAX : 0);
  const what = `${bytes.length} bytes of type ${bytes[3]}: ${back} back, ${elsewhere} elsewhere`;
  assert(back <= backMax, what);
  assert(elsewhere === 0 || bytes[3] === Packet, what);
  assert(elsewhere <= AMPLIFICATION_MAX * bytes.length + PATH_RESPONSES_MAX, what);
}
