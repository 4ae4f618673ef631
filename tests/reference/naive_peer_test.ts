// A peer and a directory written from protocol/README.md alone work with the real ones.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { shortAuthenticationString } from "../../protocol/crypto/fingerprint.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { Endpoint, type EndpointEvent } from "../../protocol/endpoint.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { HANDSHAKES_AT_ONCE } from "../../protocol/session/handshake_limits.ts";
import type { Transmit } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { FRAGMENT_SIZE_MAX } from "../../protocol/wire/frame.ts";
import { toHex } from "../support/hex.ts";
import { type Prng, seedFromEnv, withSeed } from "../support/random.ts";
import { decrypt } from "../support/plaintext_log.ts";
import { randomText } from "../support/random_frame.ts";
import { BAD, CONTENT, INPUTS, PUBLIC_KEYS } from "../support/vectors.ts";
import { Driven, only } from "./driven.ts";
import { type NaiveFrame, naiveIsWhole } from "./naive_codec.ts";
import { digits, join, publicKeyOf } from "./naive_crypto.ts";
import { cookieDatagram, readInitiation } from "./naive_handshake.ts";
import {
  MEETING_NUMBER,
  meetingOf,
  NaiveDirectory,
  NaiveInitiator,
  type NaiveSession,
  punchDatagram,
  respondTo,
} from "./naive_peer.ts";

// In one network: no mappings have to be kept alive.
const DIRECTORY: Address = { hostname: "10.0.2.1", port: 7070 };
const OWN: Address = { hostname: "10.0.2.7", port: 40_000 };
const PEER: Address = { hostname: "fd00::8", port: 40_001 };
/** Where the real client and the naive peer are in their own network. */
const LOCAL: Address = { hostname: "192.168.1.20", port: 40_000 };
const PEER_LOCAL: Address = { hostname: "192.168.1.21", port: 40_001 };
const STRANGER: Address = { hostname: "203.0.113.5", port: 9 };
/** Frames that belong into no datagram with clear frames, Padding, and one of an unknown type. */
const OTHERS = Uint8Array.of(0x38, 0, 0, 0x00, 0, 1, 7, 0x7f, 0, 0);

/** Whether all sealed frames of a datagram are of some kinds. */
function hasOnly(kinds: readonly string[], { bytes }: Transmit): boolean {
  const seen = decrypt(bytes);
  return seen.ok && seen.frames.length > 0 &&
    seen.frames.every(({ kind }) => kinds.includes(kind));
}

/** Whether a datagram only asks whether an address that the directory told is good, or is carried. */
function isPathChallenge(transmit: Transmit): boolean {
  return hasOnly(["pathChallenge", "carry"], transmit);
}

function isCarry(transmit: Transmit): boolean {
  return hasOnly(["carry"], transmit);
}

interface Scene {
  readonly endpoint: Endpoint;
  readonly client: Driven<EndpointEvent>;
  readonly directory: NaiveDirectory;
  /** The real client's static public key. */
  readonly key: Uint8Array;
  /** The naive peer, client 2. */
  readonly peer: { staticKey: Uint8Array; ephemeralKey: Uint8Array; sessionId: number };
  readonly names: { own: string; peer: string };
}

/** A real client, registered as client 1 at a naive directory that knows the naive peer. */
function scene(
  prng: Prng,
  secret?: Uint8Array,
  timers: "fixed" | "adaptive" = "fixed",
  isAside: (transmit: Transmit) => boolean = isPathChallenge,
): Scene {
  const identity = new KeyPair(prng.bytes(32));
  const [staticKey, ephemeralKey] = [prng.bytes(32), prng.bytes(32)];
  const names = { own: prng.pick(["", "zoë", "𠮷".repeat(32)]), peer: prng.pick(["", "Борис"]) };
  const entry = { id: 2, name: names.peer, address: PEER, key: publicKeyOf(staticKey) };
  const directory = new NaiveDirectory(prng.bytes(32), [entry], secret);
  const endpoint = new Endpoint(0, {
    ...{
      directoryAddresses: [DIRECTORY],
      id: 0,
      name: names.own,
      port: OWN.port,
      identity,
      secret,
    },
    ...{ policy: TIMER_POLICIES[timers], random: prng.bytes, localAddresses: () => [LOCAL] },
  });
  const client = new Driven(endpoint, isAside);
  const challenge = directory.answer(only(client.drain(), DIRECTORY), OWN);
  const register = only(client.receive(withOthers(challenge), DIRECTORY), DIRECTORY);
  assertEquals(register.length, 288);
  assertEquals(client.receive(directory.answer(register, OWN), DIRECTORY), []);
  const [registered] = client.take();
  assertEquals(registered?.kind, "registered");
  assertEquals([endpoint.id, endpoint.name], [1, names.own]);
  const peer = { staticKey, ephemeralKey, sessionId: 1 + prng.int(2 ** 32 - 1) };
  return { endpoint, client, directory, key: identity.publicKey, peer, names };
}

/** The same datagram with frames around its own that a receiver has to skip. */
function withOthers(bytes: Uint8Array): Uint8Array {
  // A mac covers what stands before it.
  const isSigned = bytes[3] === 2 && bytes.slice(75).some((byte) => byte !== 0);
  return join(bytes.slice(0, 16), isSigned ? [] : OTHERS, bytes.slice(16), OTHERS);
}

const kinds = (frames: readonly NaiveFrame[]): string[] => frames.map(({ kind }) => kind);

function request(requester: number, responder: number, name: string): NaiveFrame {
  return { kind: "connectionRequest", request: 77, requester, responder, name };
}

function ack(cumulativeSeq: number): NaiveFrame {
  return { kind: "ack", cumulativeSeq, largestPacket: 0, delay: 0, packetBitmap: 0, ranges: [] };
}

/** Exchanges texts and their acks, then ends the connection from one end or the other. */
function converse(prng: Prng, { endpoint, client }: Scene, session: NaiveSession): void {
  const [connection] = endpoint.connections;
  assert(connection !== undefined);
  assertEquals(
    shortAuthenticationString(connection.handshakeHash),
    digits("udp-chat verify 1", session.hash),
  );
  client.take();
  const count = 1 + prng.int(4);
  for (let seq = 0; seq < count; seq++) {
    const text = randomText(prng, 900);
    const message: NaiveFrame = { kind: "message", seq, sender: 2, flags: 0, text };
    const [answer] = session.open(only(client.receive(session.seal(message), PEER), PEER));
    assertEquals(answer?.["cumulativeSeq"], seq + 1);
    assertEquals(client.take().filter(({ kind }) => kind === "message"), [
      { kind: "message", textSeq: seq, text, connection },
    ]);
    const said = randomText(prng, FRAGMENT_SIZE_MAX);
    connection.send(said);
    const frames = session.open(only(client.drain(), PEER));
    assertEquals(frames.at(-1), { kind: "message", seq, sender: 1, flags: 0, text: said });
    assertEquals(client.receive(session.seal(ack(seq + 1)), PEER), []);
    assertEquals(client.take().map(({ kind }) => kind), ["sent", "delivered"]);
  }
  const challenge: NaiveFrame = { kind: "pathChallenge", nonce: prng.u64() };
  const [response] = session.open(only(client.receive(session.seal(challenge), PEER), PEER));
  assertEquals(response, { kind: "pathResponse", nonce: challenge["nonce"]! });
  if (prng.chance(0.5)) {
    const termination: NaiveFrame = { kind: "connectionTermination", sender: 2, finalSeq: count };
    const ended = session.open(only(client.receive(session.seal(termination), PEER), PEER));
    assertEquals(ended, [{ kind: "connectionTerminationAck", sender: 1, finalSeq: count }]);
    assertEquals(client.take().at(-1), {
      ...{ kind: "terminated", by: "peer", undelivered: 0, connection },
    });
  } else {
    connection.terminate(client.now);
    const termination = session.open(only(client.drain(), PEER));
    assertEquals(kinds(termination), ["ack", "connectionTermination"]);
    assertEquals(termination[1], { kind: "connectionTermination", sender: 1, finalSeq: count });
    const answer: NaiveFrame = { kind: "connectionTerminationAck", sender: 2, finalSeq: count };
    assertEquals(client.receive(session.seal(answer), PEER), []);
    assertEquals(client.take().at(-1), {
      ...{ kind: "terminated", by: "local", undelivered: 0, connection },
    });
  }
}

const RUNS = 6;

Deno.test("a naive peer connects to a real client, they exchange texts, and either ends it", () => {
  for (let run = 0; run < RUNS; run++) {
    withSeed(seedFromEnv() + run, (prng) => {
      const here = scene(prng, prng.chance(0.5) ? prng.bytes(16) : undefined);
      const { client, key, peer, endpoint, names } = here;
      const initiator = new NaiveInitiator(peer, key);
      const response = only(client.receive(initiator.initiation, PEER), PEER);
      assertEquals(only(client.receive(initiator.initiation, PEER)), response, "a repeat");
      assertEquals(client.take(), [], "nothing is believed yet");
      const session = initiator.handleResponse(response);
      const asked = session.seal({ kind: "padding", size: 9 }, request(2, 1, names.peer));
      assertEquals(session.open(only(client.receive(asked, PEER), PEER)), [
        { kind: "ringing", responder: 1 },
      ]);
      assertEquals(client.take().map(({ kind }) => kind), ["request"]);
      const [pending] = endpoint.requests;
      assertEquals([pending?.requester, pending?.name], [2, names.peer]);
      assertEquals(toHex(pending!.key), toHex(publicKeyOf(peer.staticKey)));
      assert(endpoint.accept(client.now, pending!).ok);
      const accept = only(client.drain(), PEER);
      assertEquals(accept.length, 192);
      assertEquals(session.open(accept), [
        { kind: "connectionAccept", responder: 1, flags: 0, name: names.own },
      ]);
      assertEquals(client.receive(session.seal(ack(0)), PEER), []);
      converse(prng, here, session);
    });
  }
});

/** The real client looks the peer up; returns its Initiation. */
function connect({ endpoint, client, directory }: Scene): Uint8Array {
  assert(endpoint.connect(client.now, { id: 2, name: "" }).ok);
  const found = directory.answer(only(client.drain(), DIRECTORY), OWN);
  assertEquals(directory.received.at(-1), { kind: "call", id: 2, name: "" });
  const initiation = only(client.receive(found, DIRECTORY), PEER);
  assertEquals(initiation.length, 154);
  return initiation;
}

Deno.test("a real client connects to a naive peer, they exchange texts, and either ends it", () => {
  for (let run = 0; run < RUNS; run++) {
    withSeed(seedFromEnv() + run, (prng) => {
      const here = scene(prng, prng.chance(0.5) ? prng.bytes(16) : undefined);
      const { client, key, peer, names } = here;
      const { response, session, initiatorStatic } = respondTo(connect(here), peer);
      assertEquals(toHex(initiatorStatic), toHex(key));
      const requested = only(client.receive(withOthers(response), PEER), PEER);
      assertEquals(requested.length, 192);
      const [frame] = session.open(requested);
      const { request: id } = frame as unknown as { request: number };
      assertEquals(frame, {
        ...{ kind: "connectionRequest", request: id, requester: 1, responder: 2, name: names.own },
      });
      assertEquals(client.receive(session.seal({ kind: "ringing", responder: 2 }), PEER), []);
      const accept: NaiveFrame = {
        ...{ kind: "connectionAccept", responder: 2, flags: 0, name: names.peer },
      };
      // A frame that does not belong into a Packet is skipped.
      const packet = session.seal({ kind: "list", after: 0 }, accept);
      assertEquals(kinds(session.open(only(client.receive(packet, PEER), PEER))), ["ack"]);
      const events = client.take().map(({ kind }) => kind);
      assertEquals(events, ["requesting", "ringing", "connected"]);
      converse(prng, here, session);
    });
  }
});

Deno.test("a real client answers a naive peer's Initiations by cookies under load", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { client, key, peer } = scene(prng);
    for (let left = HANDSHAKES_AT_ONCE; left > 0; left--) {
      const other = new NaiveInitiator({ ...peer, ephemeralKey: prng.bytes(32) }, key);
      assertEquals(only(client.receive(other.initiation, STRANGER)).length, 71);
    }
    const initiator = new NaiveInitiator(peer, key);
    const reply = only(client.receive(initiator.initiation, PEER), PEER);
    assertEquals([reply[3], reply.length], [7, 75]);
    initiator.handleCookie(reply);
    // The cookie is for this address alone.
    const elsewhere = { ...PEER, port: 1 };
    assertEquals(only(client.receive(initiator.initiation, elsewhere), elsewhere)[3], 7);
    initiator.handleResponse(only(client.receive(initiator.initiation, PEER), PEER));
  });
});

Deno.test("a real client shows the cookie of a naive peer with its next Initiation", () => {
  withSeed(seedFromEnv(), (prng) => {
    const here = scene(prng, undefined, "adaptive");
    const { client, peer } = here;
    const first = connect(here);
    const remote = publicKeyOf(peer.staticKey);
    const { mac1, messageOne } = readInitiation(first, remote);
    const cookie = prng.bytes(16);
    const reply = cookieDatagram(mac1, remote, prng.bytes(24), cookie);
    assertEquals(client.receive(withOthers(reply), PEER), []);
    const second = only(client.advance(), PEER);
    const read = readInitiation(second, remote, cookie);
    assertEquals(toHex(read.messageOne), toHex(messageOne));
    assert(read.isMac1Good && read.isMac2Good);
    const { response, session } = respondTo(second, peer);
    assertEquals(session.open(only(client.receive(response, PEER))).length, 1);
  });
});

Deno.test("a real client sends Punches to a naive peer that calls, and answers its Initiation", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { client, directory, key, peer } = scene(prng);
    const notice = directory.notice(directory.meeting(2, false));
    const times: number[] = [];
    const note = (sent: readonly Transmit[]): void => {
      const punches = sent.filter(({ to }) => to !== DIRECTORY);
      if (punches.length === 0) return;
      assertEquals(meetingOf(only(punches, PEER)), MEETING_NUMBER);
      times.push(client.now);
    };
    note(client.receive(notice, DIRECTORY));
    assertEquals(client.receive(notice, DIRECTORY), [], "the same Notice again");
    while (client.now < 10_000) note(client.advance());
    assertEquals(times, [0, 50, 150, 350, 750, 1550]);
    const initiator = new NaiveInitiator(peer, key);
    initiator.handleResponse(only(client.receive(initiator.initiation, PEER), PEER));
  });
});

Deno.test("a real client sends its Initiation to where a naive peer's Punch came from", () => {
  withSeed(seedFromEnv(), (prng) => {
    const here = scene(prng);
    const { client, peer } = here;
    const initiation = connect(here);
    const punch = punchDatagram(MEETING_NUMBER);
    assertEquals(meetingOf(punch), MEETING_NUMBER);
    assertEquals(client.receive(punchDatagram(MEETING_NUMBER + 1n), STRANGER), []);
    assertEquals(client.receive(punch.slice(0, 27), STRANGER), [], "smaller than an Initiation");
    assertEquals(only(client.receive(punch, STRANGER), STRANGER), initiation);
    const { response, session } = respondTo(initiation, peer);
    const requested = only(client.receive(response, STRANGER), STRANGER);
    assertEquals(kinds(session.open(requested)), ["connectionRequest"]);
  });
});

/** What goes through the directory, which has to be for the naive peer. */
function carried(directory: NaiveDirectory, sent: readonly Transmit[]): Uint8Array[] {
  return sent.filter(({ to }) => to === DIRECTORY).flatMap(({ bytes }) => {
    const carry = directory.carry(bytes);
    if (carry === undefined) return [];
    assertEquals([carry["number"], carry["to"]], [MEETING_NUMBER, 2]);
    return [carry["datagram"] as Uint8Array];
  });
}

Deno.test("a real client and a naive peer connect through a naive directory, then directly", () => {
  withSeed(seedFromEnv(), (prng) => {
    const here = scene(prng, undefined, "fixed", () => false);
    const { client, directory, endpoint, peer, names } = here;
    const deliver = (datagram: Uint8Array): Transmit[] =>
      client.receive(directory.notice({ kind: "carried", from: 2, datagram }), DIRECTORY);
    const first = connect(here);
    // Of what two clients say to one another, Punches are not carried; and nothing of a directory is.
    assertEquals(deliver(punchDatagram(MEETING_NUMBER)), []);
    assertEquals(deliver(directory.notice(directory.meeting(2, false), 99)), []);
    const sent = client.advance();
    assertEquals(client.now, 10_000);
    const [initiation] = carried(directory, sent);
    assertEquals(initiation, first);
    const { response, session } = respondTo(initiation!, peer);
    const asked = deliver(response);
    const direct = asked.filter(({ to }) => to !== DIRECTORY);
    const [challenge] = session.open(only(direct, PEER));
    assertEquals(challenge?.kind, "pathChallenge");
    const frames = carried(directory, asked).flatMap((bytes) => session.open(bytes));
    assert(kinds(frames).includes("connectionRequest"));
    const accept: NaiveFrame = {
      ...{ kind: "connectionAccept", responder: 2, flags: 0, name: names.peer },
    };
    const [acked] = carried(directory, deliver(session.seal(accept)));
    assertEquals(kinds(session.open(acked!)), ["ack"]);
    const say = (text: string): Transmit[] => {
      endpoint.connections[0]!.send(text);
      return client.drain();
    };
    const [message] = carried(directory, say("carried"));
    assertEquals(session.open(message!).at(-1)?.["text"], "carried");
    client.receive(session.seal({ ...challenge!, kind: "pathResponse" }), PEER);
    assertEquals(session.open(only(say("direct"), PEER)).at(-1)?.["text"], "direct");
  });
});

Deno.test("a real client names its private addresses to a naive peer that is near, and tries those of the peer", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (const isNear of [false, true]) {
      const here = scene(prng, undefined, "fixed", isCarry);
      const { client, directory, peer } = here;
      directory.isNear = isNear;
      const { response, session } = respondTo(connect(here), peer);
      const named = client.receive(response, PEER).flatMap(({ bytes }) => session.open(bytes))
        .find(({ kind }) => kind === "candidates");
      assertEquals(named?.["addresses"], isNear ? [LOCAL] : undefined);
      const addresses = [STRANGER, PEER_LOCAL];
      const sent = client.receive(session.seal({ kind: "candidates", addresses }), PEER);
      const tried = sent.filter(({ bytes }) => kinds(session.open(bytes)).includes("pathChallenge"))
        .map(({ to }) => to).filter(({ hostname }) => hostname !== PEER.hostname);
      assertEquals(tried, isNear ? [PEER_LOCAL] : []);
    }
  });
});

Deno.test("a real client keeps its lease, lists and leaves at a naive directory", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { endpoint, client, directory, names } = scene(prng);
    const keepalive = directory.answer(only(client.advance(), DIRECTORY), OWN);
    assertEquals([client.now, client.receive(keepalive, DIRECTORY)], [15_000, []]);
    assert(endpoint.list(client.now).ok);
    client.receive(directory.answer(only(client.drain(), DIRECTORY), OWN), DIRECTORY);
    const list = { kind: "list", clients: [{ id: 2, name: names.peer }] } as EndpointEvent;
    assertEquals(client.take(), [list]);
    endpoint.connect(client.now, { id: 0, name: "nobody" });
    client.receive(directory.answer(only(client.drain(), DIRECTORY), OWN), DIRECTORY);
    assertEquals(client.take().map(({ kind }) => kind), ["requestFailed"]);
    endpoint.leave(client.now);
    client.receive(directory.answer(only(client.drain(), DIRECTORY), OWN), DIRECTORY);
    assertEquals(client.take(), [{ kind: "left", acknowledged: true, undelivered: 0 }]);
    const received = ["register", "leaseKeepalive", "list", "call", "leave"];
    assertEquals(kinds(directory.received), received);
  });
});

Deno.test("a real client does no more about bad datagrams than the vectors have", () => {
  withSeed(1, (prng) => {
    const { client, endpoint } = scene(prng);
    for (const { name, bytes, answer } of BAD) {
      // A client has no Requests to answer.
      const isAnswered = answer !== undefined && answer[3] === 255;
      const sent = client.receive(bytes, STRANGER).map((each) => toHex(each.bytes));
      assertEquals(sent, isAnswered ? [toHex(answer)] : [], name);
      assertEquals([client.take(), endpoint.requests], [[], []], name);
    }
  });
});

Deno.test("a real client does nothing about a datagram without the clear frames of its type", () => {
  withSeed(1, (prng) => {
    const { client, key, peer } = scene(prng);
    const { initiation } = new NaiveInitiator(peer, key);
    assert(!naiveIsWhole(5, []) && !naiveIsWhole(5, [{ kind: "initiation" }]));
    for (const type of [1, 2, 5, 6, 7, 254]) {
      assertEquals(client.receive(join(initiation.slice(0, 16).with(3, type), OTHERS), PEER), []);
    }
    assertEquals(client.receive(initiation, PEER).length, 1);
  });
});

Deno.test("the responder of the vectors is reached by its Initiation alone", () => {
  const { sessions } = CONTENT;
  const staticKey = INPUTS.initiatorStatic;
  const options = {
    staticKey,
    ephemeralKey: INPUTS.initiatorEphemeral,
    sessionId: sessions.initiator,
  };
  const { initiation } = new NaiveInitiator(options, PUBLIC_KEYS.responderStatic);
  const responder = {
    staticKey: INPUTS.responderStatic,
    ephemeralKey: INPUTS.responderEphemeral,
    sessionId: sessions.responder,
  };
  assertEquals(respondTo(initiation, responder).response.length, 71);
  assertThrows(() => respondTo(initiation, { ...responder, staticKey }), Error, "mac1 is bad");
});
