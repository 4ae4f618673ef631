// A client whose peer makes a valid handshake, and then seals hostile frames.
import { assert, assertEquals } from "@std/assert";
import { type Address, formatAddress, sameAddress } from "../../protocol/wire/address.ts";
import { decodeFrames } from "../../protocol/wire/datagram.ts";
import {
  type Ack,
  ACK_RANGES_MAX,
  DATAGRAM_SIZE_MAX,
  FLAG_CALLER,
  FLAG_MORE,
  type Frame,
  HEADER_SIZE,
  TAG_SIZE,
} from "../../protocol/wire/frame.ts";
import { WINDOW } from "../../protocol/connection/send_queue.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { fuzz } from "./runner.ts";
import { encodeFrames, HostilePeer, type PeerIdentity } from "./hostile_peer.ts";
import { CLIENT_KEY, FuzzedClient, type Outcome, SERVER } from "./fuzzed_client.ts";
import { fuzzFrames, mutate, ValuePool, weighted } from "./mutate.ts";
import type { Prng } from "../support/random.ts";
import { randomFrame } from "../support/random_frame.ts";

const MESSAGES = weighted({
  ...{ message: 30, ack: 30, connectionKeepalive: 4, pathChallenge: 6, pathResponse: 6 },
});
const EARLY = weighted({
  ringing: 2,
  connectionAccept: 4,
  connectionReject: 2,
  message: 2,
  ack: 2,
});
/** Bytes that may be sealed in a datagram that every path carries. */
const PLAIN_MAX = DATAGRAM_SIZE_MAX - HEADER_SIZE - TAG_SIZE;
/** Frames in the largest packets. */
const FRAMES_MAX = 200;
/** Milliseconds after which a termination has ended the connection. */
const END_MAX = 100_000;

const MALICE: PeerIdentity = {
  id: 2,
  name: "mal",
  address: { hostname: "192.0.2.2", port: 40_002 },
  identity: new KeyPair(new Uint8Array(32).fill(2)),
};
const HONEST: PeerIdentity = {
  id: 3,
  name: "hon",
  address: { hostname: "192.0.2.4", port: 40_004 },
  identity: new KeyPair(new Uint8Array(32).fill(3)),
};
/** Other addresses of the malicious peer. */
const ELSEWHERE = [0, 1, 2].map((i) => ({ hostname: `2001:db8::${i + 1}`, port: 50_000 + i }));

/** Values that the malicious peer sends, besides those that the client sent. */
const FIXED = {
  ...{ sender: [2, 2, 2, 1, 3], responder: [2], flags: [0, 0, 1, 255] },
  ...{ text: ["", "a", "€".repeat(300)] },
};

/** Checks that no unvalidated address gets more than three times the bytes that it sent. */
class AmplificationCheck {
  readonly #addresses = new Map<string, { received: number; sent: number; nonces: Set<bigint> }>();

  receive(from: Address, size: number): void {
    this.#at(from).received += size;
  }

  send(to: Address, size: number): void {
    const address = this.#at(to);
    address.sent += size;
    const { sent, received } = address;
    assert(sent <= 3 * received, `${formatAddress(to)} got ${sent} bytes for ${received}`);
  }

  challenge(to: Address, nonce: bigint): void {
    this.#at(to).nonces.add(nonce);
  }

  /** Validates the challenged address, whatever the path of the response. */
  respond(nonce: bigint): void {
    for (const address of this.#addresses.values()) {
      if (address.nonces.has(nonce)) address.received = Infinity;
    }
  }

  #at(address: Address): { received: number; sent: number; nonces: Set<bigint> } {
    const key = formatAddress(address);
    const known = this.#addresses.get(key);
    if (known !== undefined) return known;
    const unknown = { received: 0, sent: 0, nonces: new Set<bigint>() };
    this.#addresses.set(key, unknown);
    return unknown;
  }
}

/** A client under test, and its connections with one peer after the other. */
class Conversations {
  readonly target: FuzzedClient;
  readonly #prng: Prng;
  #pool = new ValuePool(FIXED);
  readonly #amplification = new AmplificationCheck();
  #last: Uint8Array = new Uint8Array();
  /** The cumulative seq of the client's last Ack. */
  #next = 0;
  peer: HostilePeer;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.target = new FuzzedClient(prng);
    this.target.register();
    this.peer = this.#newPeer(MALICE);
  }

  /** Connects to a peer; either end may request it. */
  begin(self: PeerIdentity): void {
    this.#pool = new ValuePool(FIXED);
    this.#last = new Uint8Array();
    this.#next = 0;
    this.#amplification.receive(self.address, Infinity);
    this.peer = this.#newPeer(self);
    if (this.#prng.chance(0.5)) this.#acceptRequest();
    else this.#requestPeer();
    const { client } = this.target;
    assertEquals(client.view().peer?.id, self.id);
    assert(this.peer.hasSession);
  }

  /** Terminates, whatever the peer did before. */
  end(): void {
    const { client } = this.target;
    client.terminate(this.target.now);
    this.check(this.target.drain());
    for (let passed = 0; passed < END_MAX; passed += 1000) {
      this.target.advance(1000, (outcome) => void this.check(outcome));
    }
    assertEquals(client.view().state, "idle");
  }

  /** Lets the malicious peer send one datagram, and copies of it. */
  step(): void {
    const prng = this.#prng;
    if (prng.chance(0.001)) this.#sendOverlongText();
    if (prng.chance(0.001)) this.#startAgain();
    const plain = this.#plain();
    const from = prng.chance(0.9) ? MALICE.address : prng.pick(ELSEWHERE);
    if (prng.chance(0.01)) this.peer.skip(prng.int(prng.chance(0.1) ? 2 ** 20 : 5000));
    const datagram = this.peer.seal(plain);
    this.#amplification.receive(from, datagram.length);
    this.#respond(plain);
    if (prng.chance(0.02)) this.#receiveInvalid(mutated(prng, datagram), from);
    this.check(this.target.receive(datagram, from));
    if (prng.chance(0.02)) this.#receiveInvalid(datagram, prng.pick(ELSEWHERE));
    if (prng.chance(0.02) && this.#last.length > 0) this.#receiveInvalid(this.#last, from);
    this.#last = datagram;
  }

  /** What the malicious peer seals: mostly little, at times as much as the largest packet holds. */
  #plain(): Uint8Array {
    const prng = this.#prng;
    const kinds = prng.chance(0.05) ? EARLY : MESSAGES;
    if (prng.chance(0.99)) return fuzzFrames(prng, this.#pool, kinds, PLAIN_MAX);
    const frames = Array.from({ length: prng.int(FRAMES_MAX) }, () => {
      const frame = this.#pool.fill(prng, randomFrame(prng, prng.pick(kinds)));
      const isLong = frame.kind === "message" && prng.chance(0.05);
      return isLong ? { ...frame, text: "€".repeat(prng.int(20_000)) } : frame;
    });
    return encodeFrames(frames);
  }

  /** Begins another session, as if the malicious peer had been started again, where it is connected. */
  #startAgain(): void {
    const { target } = this;
    // What comes at the very moment of the last Accept may have crossed it.
    target.advance(1, (outcome) => void this.check(outcome));
    const { peer } = target.client.view();
    if (peer?.id !== MALICE.id || peer.isEnding) return;
    this.#last = new Uint8Array();
    this.#next = 0;
    this.peer = this.#newPeer(MALICE);
    const { events } = this.#request();
    assert(events.some(({ kind }) => kind === "returned"), JSON.stringify(events));
  }

  /** Checks what the client sent; returns the frames of this connection. */
  check({ sent }: Outcome): Frame[] {
    const all: Frame[] = [];
    for (const { bytes, to } of sent) {
      if (sameAddress(to, SERVER)) continue;
      this.#amplification.send(to, bytes.length);
      const frames = this.peer.open(bytes);
      all.push(...frames);
      this.#pool.learnFrames(frames);
      for (const frame of frames) {
        if (frame.kind === "pathChallenge") this.#amplification.challenge(to, frame.nonce);
        if (frame.kind === "ack") this.#checkAck(frame);
      }
    }
    return all;
  }

  /** Checks that an Ack stays within the window, and acknowledges no less than the one before. */
  #checkAck({ cumulativeSeq: next, ranges }: Ack): void {
    assert(next >= this.#next, `${next} acknowledged after ${this.#next}`);
    this.#next = next;
    assert(ranges.length <= ACK_RANGES_MAX);
    assert(ranges.every(({ last }) => last < next + WINDOW), JSON.stringify({ next, ranges }));
  }

  /** Sends more fragments than make the longest text, then its end. */
  #sendOverlongText(): void {
    const text = "€".repeat(333);
    const first = this.#next;
    for (let i = 0; i < 100; i++) {
      const flags = i < 99 ? FLAG_MORE : 0;
      const seq = Math.min(first + i, this.#next);
      const said: Frame = { kind: "message", seq, sender: MALICE.id, flags, text };
      this.check(this.target.receive(this.peer.sealFrames(said), MALICE.address));
    }
  }

  #newPeer(self: PeerIdentity): HostilePeer {
    return new HostilePeer(this.#prng, self);
  }

  #acceptRequest(): void {
    const { target } = this;
    const { address, id } = this.peer.self;
    this.#request();
    // The user is not told each time that somebody rings who did before.
    target.client.accept(target.now, id);
    this.check(target.drain());
    this.check(target.receive(this.peer.sealFrames(ack(0)), address));
  }

  /** Lets the peer begin a session, and request a connection in it. */
  #request(): Outcome {
    const { target, peer } = this;
    const { self: { address } } = peer;
    const { sent } = target.receive(peer.initiation(CLIENT_KEY.publicKey), address);
    for (const { bytes } of sent) peer.handleResponse(bytes);
    const outcome = target.receive(peer.sealFrames(peer.requestFrame(1)), address);
    this.check(outcome);
    return outcome;
  }

  #requestPeer(): void {
    const { target } = this;
    const { address, id, name, identity } = this.peer.self;
    if (target.client.view().state !== "idle") this.end();
    target.client.connect(target.now, id);
    target.drain();
    const { publicKey } = identity;
    const meeting = { number: 1n, flags: FLAG_CALLER, id, name, publicKey, addresses: [address] };
    const { sent } = target.receiveAnswer({ kind: "meeting", ...meeting });
    const initiation = sent.find(({ to }) => sameAddress(to, address));
    assert(initiation !== undefined);
    const response = this.peer.response(initiation.bytes);
    assert(response !== undefined);
    this.check(target.receive(response, address));
    this.check(target.receive(this.peer.sealFrames(this.peer.acceptFrame()), address));
  }

  #respond(plain: Uint8Array): void {
    const decoded = decodeFrames(plain);
    for (const frame of decoded?.frames ?? []) {
      if (frame.kind === "pathResponse") this.#amplification.respond(frame.nonce);
    }
  }

  /** Gives the client an invalid datagram: it may challenge addresses, but must do nothing else. */
  #receiveInvalid(datagram: Uint8Array, from: Address): void {
    const { notAuthentic, malformed } = this.target.client.dropped;
    this.#amplification.receive(from, datagram.length);
    const outcome = this.target.receive(datagram, from);
    assertEquals(outcome.events, []);
    const kinds = this.check(outcome).map(({ kind }) => kind);
    assert(kinds.length === outcome.sent.length && kinds.length <= 2);
    assert(kinds.every((kind) => kind === "pathChallenge"), kinds.join());
    const { dropped } = this.target.client;
    assertEquals(dropped.notAuthentic + dropped.malformed, notAuthentic + malformed + 1);
  }
}

/** A mutant with the same magic, version and type. */
function mutated(prng: Prng, datagram: Uint8Array): Uint8Array {
  const mutant = mutate(prng, datagram, 16).slice();
  if (mutant.length < 16) return mutant;
  mutant.set(datagram.subarray(0, 4));
  const isSame = mutant.length === datagram.length && mutant.every((b, i) => b === datagram[i]);
  if (isSame) mutant[mutant.length - 1]! ^= 1;
  return mutant;
}

function command(prng: Prng, { client, now }: FuzzedClient): void {
  if (prng.chance(0.01)) return client.terminate(now);
  if (prng.chance(0.05)) return client.accept(now);
  if (prng.chance(0.05)) return client.list(now);
  client.send(now, "€uro ".repeat(prng.int(prng.chance(0.95) ? 10 : 13_000)));
}

/** An Ack of the Messages up to this seq. */
function ack(cumulativeSeq: number): Ack {
  const fields = { largestPacket: 0, delay: 0, packetBitmap: 0, ranges: [] };
  return { kind: "ack", cumulativeSeq, ...fields };
}

/** Exchanges texts with an honest peer. */
function checkHonest(conversations: Conversations): void {
  const { target } = conversations;
  conversations.end();
  conversations.begin(HONEST);
  const { peer } = conversations;
  const text = "as if nothing had happened";
  const said = { kind: "message", seq: 0, sender: 3, flags: 0, text } as const;
  const heard = target.receive(peer.sealFrames(said), HONEST.address);
  const messages = heard.events.filter(({ kind }) => kind === "message");
  assertEquals(messages, [{ kind: "message", peer: 3, name: "hon", textSeq: 0, text }]);
  target.client.send(target.now, "and back");
  const frames = target.drain().sent.flatMap(({ bytes }) => peer.open(bytes));
  assertEquals(frames.filter(({ kind }) => kind === "message").map((f) => ({ ...f })), [
    { kind: "message", seq: 0, sender: 1, flags: 0, text: "and back" },
  ]);
  const { events } = target.receive(peer.sealFrames(ack(1)), HONEST.address);
  assertEquals(events.map(({ kind }) => kind), ["delivered"]);
  conversations.end();
}

Deno.test("a malicious authenticated peer neither crashes, stalls nor grows a client", () => {
  fuzz("peer", (prng, count) => {
    const conversations = new Conversations(prng);
    const { target } = conversations;
    conversations.begin(MALICE);
    for (let i = 0; i < count; i++) {
      target.advance(
        prng.chance(0.001) ? prng.int(100_000) : prng.int(100),
        (outcome) => void conversations.check(outcome),
      );
      if (prng.chance(0.1)) {
        command(prng, target);
        conversations.check(target.drain());
      }
      conversations.step();
      const isOver = target.client.view().peer === undefined;
      if (isOver && prng.chance(0.1)) conversations.begin(MALICE);
      if (i % 5000 === 4999) {
        checkHonest(conversations);
        conversations.begin(MALICE);
      }
    }
    checkHonest(conversations);
    target.check();
    const { tally } = target;
    tally.assertReached("connected", "message", "sent", "delivered", "unconfirmed", "terminated");
    tally.assertReached("returned");
  });
});
