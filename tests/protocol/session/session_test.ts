// One end of a session: protocol/README.md, "Packets", and what of "Moving" is the session's.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { REPLAY_WINDOW } from "../../../protocol/crypto/replay_window.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import type { Transmit } from "../../../protocol/machine.ts";
import { RTO_INITIAL } from "../../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";
import { IncomingHandshakes } from "../../../protocol/session/incoming_handshakes.ts";
import type { ReceivedPacket } from "../../../protocol/session/path.ts";
import type { Session } from "../../../protocol/session/session.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { type Datagram, decodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  DatagramType,
  type Frame,
  HEADER_SIZE,
  NAMED_PACKET_SIZE,
} from "../../../protocol/wire/frame.ts";
import { FakeRequester } from "../../support/fake_peer.ts";
import { Prng } from "../../support/random.ts";

/** Where the Initiation came from, and where the initiator is. */
const COPIER: Address = { hostname: "203.0.113.66", port: 666 };
const HOME: Address = { hostname: "192.0.2.1", port: 1 };
const KEEPALIVE: Frame = { kind: "connectionKeepalive" };

/** The responder's end of a session, and the initiator, which the test plays. */
class Stage {
  now = 1000;
  readonly session: Session;
  readonly peer: FakeRequester;

  constructor() {
    const random = new Prng(1).bytes;
    const identity = makeKeyPair(random);
    const makeSessionId = (): number => 7;
    const policy = TIMER_POLICIES.adaptive;
    const options = { identity, policy, makeSessionId, random };
    const handshakes = new IncomingHandshakes(this.now, options);
    this.peer = new FakeRequester(random, identity.publicKey);
    const { initiation } = this.peer;
    const [frame] = decode(initiation).frames;
    assert(frame?.kind === "initiation");
    const response = handshakes.handleInitiation(this.now, initiation, frame, COPIER);
    this.peer.handleResponse(response!.bytes);
    this.session = handshakes.find(7)!;
  }

  receive(bytes: Uint8Array, from = HOME): ReceivedPacket | undefined {
    return this.session.receive(this.now, decode(bytes), from);
  }

  /** What the path sends now. */
  sent(): Transmit[] {
    const all: Transmit[] = [];
    for (let next = this.session.pollTransmit(); next; next = this.session.pollTransmit()) {
      all.push({ bytes: next.bytes.slice(), to: next.to });
    }
    return all;
  }

  /** Answers the challenge that went to this address, from there. */
  answer(sent: readonly Transmit[], { hostname, port }: Address): void {
    const challenge = sent.find(({ to }) => to.hostname === hostname && to.port === port);
    assert(challenge !== undefined);
    const [frame] = this.peer.open(challenge.bytes);
    assert(frame?.kind === "pathChallenge");
    const response = this.peer.seal({ kind: "pathResponse", nonce: frame.nonce });
    this.receive(response, { hostname, port });
  }

  wait(ms: number): void {
    this.now += ms;
    this.session.handleTimeout(this.now);
  }
}

function decode(bytes: Uint8Array): Datagram {
  const decoded = decodeDatagram(bytes.slice());
  assert(decoded.ok);
  return decoded.value;
}

Deno.test("Session seals packets with the receiver's id, counted from 0 in each direction", () => {
  const stage = new Stage();
  for (let packet = 0; packet < 3; packet++) {
    assertEquals(stage.session.nextPacket, packet);
    const bytes = stage.session.encode(KEEPALIVE).slice();
    const { header } = decode(bytes);
    assertEquals(header, {
      type: DatagramType.Packet,
      session: stage.peer.session.localId,
      packet,
    });
    assertEquals(stage.peer.open(bytes), [KEEPALIVE]);
    const own = stage.peer.seal(KEEPALIVE);
    assertEquals(decode(own).header, { type: DatagramType.Packet, session: 7, packet });
    assertEquals(stage.receive(own)?.packet, packet);
  }
});

Deno.test("Session.encode() pads a packet with a name, so that its length does not show", () => {
  const { session, peer } = new Stage();
  for (const name of ["", "a", "漢".repeat(32), "𠮷".repeat(32)]) {
    for (
      const frame of [
        { kind: "connectionRequest", request: 1, requester: 2, responder: 3, name },
        { kind: "connectionAccept", responder: 2, flags: 0, name },
      ] as const
    ) {
      const bytes = session.encode(frame, NAMED_PACKET_SIZE).slice();
      assertEquals(bytes.length, NAMED_PACKET_SIZE);
      assertEquals(peer.open(bytes), [frame]);
    }
  }
});

Deno.test("Session takes each packet once, in whatever order they come", () => {
  const stage = new Stage();
  const packets = Array.from({ length: 20 }, () => stage.peer.seal(KEEPALIVE));
  const taken = [3, 0, 19, 3, 7, 0, 18, 19, 1].map((index) =>
    stage.receive(packets[index]!)?.packet
  );
  assertEquals(taken, [3, 0, 19, undefined, 7, undefined, 18, undefined, 1]);
  assertEquals(stage.session.receivedFrom(19), 3 + 2 ** 12 + 2 ** 16 + 2 ** 18 + 2 ** 19);
});

Deno.test("Session takes no packet that is 2048 or more below the highest", () => {
  assertEquals(REPLAY_WINDOW, 2048);
  const stage = new Stage();
  const packets = Array.from({ length: REPLAY_WINDOW + 1 }, () => stage.peer.seal(KEEPALIVE));
  assert(stage.receive(packets.at(-1)!) !== undefined);
  assertEquals(stage.receive(packets[0]!), undefined);
  assert(stage.receive(packets[1]!) !== undefined);
});

Deno.test("Session takes note of a counter only once its packet has opened", () => {
  const stage = new Stage();
  const good = stage.peer.seal(KEEPALIVE);
  for (let at = 9; at < good.length; at++) {
    assertEquals(stage.receive(good.with(at, good[at]! ^ 1)), undefined, `byte ${at}`);
  }
  // Nor does a forged one push the window on.
  const far = good.slice();
  new DataView(far.buffer).setBigUint64(8, 2n ** 40n);
  assertEquals(stage.receive(far), undefined);
  assertEquals(stage.receive(good)?.frames, [KEEPALIVE]);
});

Deno.test("Session takes no packet of its own, reflected", () => {
  const stage = new Stage();
  stage.receive(stage.peer.seal(KEEPALIVE));
  const own = stage.session.encode(KEEPALIVE).slice();
  new DataView(own.buffer).setUint32(4, 7);
  assertEquals(stage.receive(own), undefined);
});

Deno.test("Session drops a packet with a bad frame whole, and uses its counter up", () => {
  const stage = new Stage();
  const writer = stage.peer.session.start();
  writer.add(KEEPALIVE);
  writer.append(Uint8Array.of(0x38, 0), 0, 2);
  const bad = stage.peer.session.seal().slice();
  assertEquals(stage.receive(bad), undefined);
  assertEquals(stage.session.receivedFrom(0), 1);
});

Deno.test("Session survives packets too short for a tag, and empty ones", () => {
  const stage = new Stage();
  for (let size = HEADER_SIZE; size < HEADER_SIZE + 20; size++) {
    const bytes = new Uint8Array(size);
    bytes.set(stage.peer.seal().subarray(0, HEADER_SIZE));
    assertEquals(stage.receive(bytes), undefined);
  }
  assertEquals(stage.receive(stage.peer.seal())?.frames, []);
});

Deno.test("the initiator's address is the one that its first packet came from, not that of its Initiation", () => {
  const stage = new Stage();
  assertEquals(stage.session.address, COPIER);
  stage.receive(stage.peer.seal(KEEPALIVE));
  assertEquals([stage.session.address, stage.sent()], [HOME, []]);
});

Deno.test("an initiator whose first packet was copied by somebody quicker is found all the same", () => {
  const stage = new Stage();
  const first = stage.peer.seal(KEEPALIVE);
  stage.receive(first, COPIER);
  assertEquals(stage.session.address, COPIER);
  assertEquals(stage.receive(first), undefined, "it came before");
  const challenges = stage.sent();
  assertEquals(challenges.map(({ to }) => to), [HOME, COPIER]);
  stage.answer(challenges, HOME);
  stage.wait(RTO_INITIAL);
  assertEquals(stage.session.address, HOME);
});

Deno.test("an altered copy of the newest packet, and a copy of an older one, are no candidates", () => {
  const stage = new Stage();
  const older = stage.peer.seal(KEEPALIVE);
  const newest = stage.peer.seal(KEEPALIVE);
  stage.receive(older);
  stage.receive(newest);
  stage.receive(older, COPIER);
  stage.receive(newest.with(20, newest[20]! ^ 1), COPIER);
  assertEquals(stage.sent(), []);
  stage.receive(newest, COPIER);
  assertEquals(stage.sent().map(({ to }) => to), [COPIER, HOME]);
});

Deno.test("a packet that holds nothing but path frames begins no round", () => {
  const stage = new Stage();
  stage.receive(stage.peer.seal(KEEPALIVE));
  stage.receive(stage.peer.seal({ kind: "pathResponse", nonce: 1n }), COPIER);
  assertEquals([stage.sent(), stage.session.nextTimeout()], [[], undefined]);
  stage.receive(stage.peer.seal({ kind: "pathChallenge", nonce: 1n }), COPIER);
  assertEquals(stage.sent().map(({ to }) => to), [COPIER, HOME], "the answer, to both");
  assertEquals(stage.session.nextTimeout(), undefined);
});

Deno.test("challenges of a path are packets of the session, and have counters of their own", () => {
  const stage = new Stage();
  stage.receive(stage.peer.seal(KEEPALIVE));
  stage.receive(stage.peer.seal(KEEPALIVE), COPIER);
  const [one, two] = stage.sent().map(({ bytes }) => bytes);
  assertNotEquals(decode(one!).header.packet, decode(two!).header.packet);
  assertEquals(stage.peer.open(one!)[0]?.kind, "pathChallenge");
});
