// A malicious peer: it makes a valid handshake, and then seals whatever it likes.
import { assert, assertEquals } from "@std/assert";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { decodeFrames } from "../../protocol/wire/datagram.ts";
import {
  type Ack,
  ACK_RANGES_MAX,
  DatagramType,
  FLAG_MORE,
  type Frame,
} from "../../protocol/wire/frame.ts";
import { WINDOW } from "../../protocol/connection/send_queue.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { fuzz } from "./runner.ts";
import { FuzzPeer, type PeerSelf } from "./hostile_peer.ts";
import { weighted } from "./bounds.ts";
import { EPOCH, framesTo, type Outcome, SERVER, Subject, SUBJECT_KEY } from "./fuzzed_client.ts";
import { fuzzFrames, mutate, Pool } from "./mutate.ts";
import type { Prng } from "../support/random.ts";

const { Handshake, Connection } = DatagramType;
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
/** Bytes that may be sealed in a datagram. */
const PLAIN_MAX = 1200 - 16 - 16;
/** Milliseconds after which a connection is over that only one end wants. */
const END_MAX = 100_000;

const MALICE: PeerSelf = {
  id: 2,
  name: "mal",
  address: { hostname: "192.0.2.2", port: 40_002 },
  identity: new KeyPair(new Uint8Array(32).fill(2)),
};
const HONEST: PeerSelf = {
  id: 3,
  name: "hon",
  address: { hostname: "192.0.2.4", port: 40_004 },
  identity: new KeyPair(new Uint8Array(32).fill(3)),
};
/** Where the malicious peer is, too. */
const ELSEWHERE = [0, 1, 2].map((i) => ({ hostname: `2001:db8::${i + 1}`, port: 50_000 + i }));

/** What the malicious peer says, where it is not what the client said. */
const POOL = {
  ...{ sender: [2, 2, 2, 1, 3], responder: [2], flags: [0, 0, 1, 255] },
  ...{ text: ["", "a", "€".repeat(300)] },
};

/** What may be sent to an address that has not shown that somebody is there. */
class Allowances {
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

  /** Whoever was asked has heard it, by whatever way the answer came. */
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

/** A client that a peer has a conversation with. */
class Conversations {
  readonly subject: Subject;
  readonly #prng: Prng;
  #pool = new Pool(POOL);
  readonly #allowances = new Allowances();
  #timestamp = BigInt(EPOCH);
  #last: Uint8Array = new Uint8Array();
  /** All below this seq arrived, as the client says. */
  #next = 0;
  peer: FuzzPeer;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.subject = new Subject(prng);
    this.subject.register();
    this.peer = this.#newPeer(MALICE);
  }

  /** Begins a conversation, by the request of either. */
  begin(self: PeerSelf): void {
    this.#pool = new Pool(POOL);
    this.#last = new Uint8Array();
    this.#next = 0;
    this.#allowances.receive(self.address, Infinity);
    this.peer = this.#newPeer(self);
    if (this.#prng.chance(0.5)) this.#callIn();
    else this.#callOut();
    const { client } = this.subject;
    assertEquals(client.view().peer?.id, self.id);
    assert(this.peer.isConnected);
  }

  /** Ends every conversation, whatever the peer has done. */
  end(): void {
    const { client } = this.subject;
    client.terminate(this.subject.now);
    this.take(this.subject.drain());
    for (let passed = 0; passed < END_MAX; passed += 1000) {
      this.subject.pass(1000, (outcome) => void this.take(outcome));
    }
    assertEquals(client.view().state, "idle");
  }

  /** One thing that a malicious peer does. */
  step(): void {
    const prng = this.#prng;
    if (prng.chance(0.001)) this.#sayEndlessText();
    const isEarly = prng.chance(0.05);
    const plain = fuzzFrames(prng, this.#pool, isEarly ? EARLY : MESSAGES, PLAIN_MAX);
    const from = prng.chance(0.9) ? MALICE.address : prng.pick(ELSEWHERE);
    if (prng.chance(0.01)) this.peer.skip(prng.int(prng.chance(0.1) ? 2 ** 20 : 5000));
    const datagram = this.peer.seal(isEarly ? Handshake : Connection, plain);
    this.#allowances.receive(from, datagram.length);
    this.#respond(plain);
    if (prng.chance(0.02)) this.#hearUseless(mutated(prng, datagram), from);
    this.take(this.subject.hear(datagram, from));
    if (prng.chance(0.02)) this.#hearUseless(datagram, prng.pick(ELSEWHERE));
    if (prng.chance(0.02) && this.#last.length > 0) this.#hearUseless(this.#last, from);
    this.#last = datagram;
  }

  /** Takes note of what the client has sent, and returns the frames for this conversation. */
  take({ sent }: Outcome): Frame[] {
    const heard: Frame[] = [];
    for (const { bytes, to } of sent) {
      if (to === SERVER) continue;
      this.#allowances.send(to, bytes.length);
      const frames = this.peer.hear(bytes);
      heard.push(...frames);
      this.#pool.learnFrames(frames);
      for (const frame of frames) {
        if (frame.kind === "pathChallenge") this.#allowances.challenge(to, frame.nonce);
        if (frame.kind === "ack") this.#takeAck(frame);
      }
    }
    return heard;
  }

  /** What it holds back is within its window, and what it has taken it does not take back. */
  #takeAck({ cumulativeSeq: next, ranges }: Ack): void {
    assert(next >= this.#next, `${next} acknowledged after ${this.#next}`);
    this.#next = next;
    assert(ranges.length <= ACK_RANGES_MAX);
    assert(ranges.every(({ last }) => last < next + WINDOW), JSON.stringify({ next, ranges }));
  }

  /** A text without end, in as many fragments as make one that is too long; then its end. */
  #sayEndlessText(): void {
    const text = "€".repeat(333);
    const first = this.#next;
    for (let i = 0; i < 100; i++) {
      const flags = i < 99 ? FLAG_MORE : 0;
      const seq = Math.min(first + i, this.#next);
      const said: Frame = { kind: "message", seq, sender: MALICE.id, flags, text };
      this.take(this.subject.hear(this.peer.say(Connection, [said]), MALICE.address));
    }
  }

  #newPeer(self: PeerSelf): FuzzPeer {
    return new FuzzPeer(this.#prng, self);
  }

  #callIn(): void {
    const { subject } = this;
    const request = this.peer.request(1, SUBJECT_KEY.publicKey, ++this.#timestamp);
    const { address, id } = this.peer.self;
    const rung = subject.hear(request, address);
    assert(rung.told.some(({ kind }) => kind === "request"), JSON.stringify(rung.told));
    this.take(rung);
    subject.client.accept(subject.now, id);
    this.take(subject.drain());
    const ack = this.peer.say(Connection, [{
      kind: "ack",
      cumulativeSeq: 0,
      largestPacket: 0,
      delay: 0,
      packetBitmap: 0,
      ranges: [],
    }]);
    this.take(subject.hear(ack, address));
  }

  #callOut(): void {
    const { subject } = this;
    const { address, id, name, identity } = this.peer.self;
    if (subject.client.view().state !== "idle") this.end();
    subject.client.connect(subject.now, id);
    const [lookUp] = framesTo(SERVER, subject.drain());
    assert(lookUp?.kind === "lookUp");
    const { nonce } = lookUp;
    const { publicKey } = identity;
    const { sent: [request] } = subject.answer({
      ...{ kind: "found", nonce, id, name, address, publicKey },
    });
    assert(request !== undefined);
    this.take(subject.hear(this.peer.accept(request.bytes), address));
  }

  #respond(plain: Uint8Array): void {
    const decoded = decodeFrames(plain);
    for (const frame of decoded?.frames ?? []) {
      if (frame.kind === "pathResponse") this.#allowances.respond(frame.nonce);
    }
  }

  /** A datagram that has no effect, but that a copy may lead to questions where the peer is. */
  #hearUseless(datagram: Uint8Array, from: Address): void {
    const { notAuthentic, malformed } = this.subject.client.dropped;
    this.#allowances.receive(from, datagram.length);
    const outcome = this.subject.hear(datagram, from);
    assertEquals(outcome.told, []);
    const kinds = this.take(outcome).map(({ kind }) => kind);
    assert(kinds.length === outcome.sent.length && kinds.length <= 2);
    assert(kinds.every((kind) => kind === "pathChallenge"), kinds.join());
    const { dropped } = this.subject.client;
    assertEquals(dropped.notAuthentic + dropped.malformed, notAuthentic + malformed + 1);
  }
}

/** A datagram whose magic, version and type are as they were, and something else is not. */
function mutated(prng: Prng, datagram: Uint8Array): Uint8Array {
  const mutant = mutate(prng, datagram, 16).slice();
  if (mutant.length < 16) return mutant;
  mutant.set(datagram.subarray(0, 4));
  const isSame = mutant.length === datagram.length && mutant.every((b, i) => b === datagram[i]);
  if (isSame) mutant[mutant.length - 1]! ^= 1;
  return mutant;
}

function command(prng: Prng, { client, now }: Subject): void {
  if (prng.chance(0.01)) return client.terminate(now);
  if (prng.chance(0.05)) return client.accept(now);
  if (prng.chance(0.05)) return client.list(now);
  client.send(now, "€uro ".repeat(prng.int(prng.chance(0.95) ? 10 : 13_000)));
}

/** A text each way, with an honest peer. */
function checkHonest(conversations: Conversations): void {
  const { subject } = conversations;
  conversations.end();
  conversations.begin(HONEST);
  const { peer } = conversations;
  const text = "as if nothing had been";
  const said = { kind: "message", seq: 0, sender: 3, flags: 0, text } as const;
  const heard = subject.hear(peer.say(Connection, [said]), HONEST.address);
  const messages = heard.told.filter(({ kind }) => kind === "message");
  assertEquals(messages, [{ kind: "message", peer: 3, name: "hon", textSeq: 0, text }]);
  subject.client.send(subject.now, "and back");
  const frames = subject.drain().sent.flatMap(({ bytes }) => peer.hear(bytes));
  assertEquals(frames.filter(({ kind }) => kind === "message").map((f) => ({ ...f })), [
    { kind: "message", seq: 0, sender: 1, flags: 0, text: "and back" },
  ]);
  const ack = peer.say(Connection, [{
    kind: "ack",
    cumulativeSeq: 1,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  }]);
  const { told } = subject.hear(ack, HONEST.address);
  assertEquals(told.map(({ kind }) => kind), ["delivered"]);
  conversations.end();
}

Deno.test("a malicious authenticated peer neither crashes, stalls nor grows a client", () => {
  fuzz("peer", (prng, count) => {
    const conversations = new Conversations(prng);
    const { subject } = conversations;
    conversations.begin(MALICE);
    for (let i = 0; i < count; i++) {
      subject.pass(
        prng.chance(0.001) ? prng.int(100_000) : prng.int(100),
        (outcome) => void conversations.take(outcome),
      );
      if (prng.chance(0.1)) {
        command(prng, subject);
        conversations.take(subject.drain());
      }
      conversations.step();
      const isOver = subject.client.view().peer === undefined;
      if (isOver && prng.chance(0.1)) conversations.begin(MALICE);
      if (i % 5000 === 4999) {
        checkHonest(conversations);
        conversations.begin(MALICE);
      }
    }
    checkHonest(conversations);
    subject.check();
    const { tally } = subject;
    tally.assertReached("connected", "message", "sent", "delivered", "unconfirmed", "terminated");
  });
});
