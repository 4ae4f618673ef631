// A client under input from a directory and from strangers with and without keys.
import { createHash } from "node:crypto";
import { assert, assertEquals } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { hasMac1 } from "../../protocol/session/handshake.ts";
import { hmacSha256 } from "../../protocol/crypto/hmac.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { fuzz, Tally } from "./runner.ts";
import { HostilePeer, type PeerIdentity } from "./hostile_peer.ts";
import { CLIENT_KEY, EPOCH, FuzzedClient, type Outcome, SERVER } from "./fuzzed_client.ts";
import { fuzzDatagram, fuzzFrames, mutate, ValuePool, weighted } from "./mutate.ts";
import type { Prng } from "../support/random.ts";

const { Answer, ConnectionRequest, Handshake, Connection, Cookie } = DatagramType;
const ANSWERS = weighted({
  ...{ challenge: 1, registered: 2, refused: 1, leaseKeepaliveAck: 2 },
  ...{ found: 4, inactive: 1, listing: 2, leaveAck: 1, proof: 1 },
});
const FROM_PEERS = weighted({ connectionRequest: 4, requestCodes: 2, cookieReply: 6 });
const EARLY = weighted({
  ...{ ringing: 4, connectionAccept: 4, connectionReject: 2 },
  ...{ connectionTermination: 2, connectionTerminationAck: 2 },
});
/** Bytes that may be sealed in a datagram. */
const PLAIN_MAX = 1200 - 16 - 16;
const MAC1_KEY = createHash("sha256").update("mac1").update(CLIENT_KEY.publicKey).digest();

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
  ...{
    "registered.id": [1],
    "found.id": [2],
    responder: [1, 2],
    sender: [2],
    reason: [1, 2, 3, 5],
  },
  ...{ name: ["", "zoë", "mal"], lease: [45_000, 45_000, 0, 2 ** 32 - 1] },
  ...{ publicKey: [...STRANGERS.map(({ identity }) => identity.publicKey), new Uint8Array(32)] },
  address: [PEER.address],
};

/** Strangers and their last Connection Requests. */
class Strangers {
  readonly #prng: Prng;
  #timestamp = BigInt(EPOCH);
  #requests: { bytes: Uint8Array; from: Address; peer: HostilePeer }[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /** A Connection Request: valid, or a mutant, mostly with a valid mac1. */
  request(): { bytes: Uint8Array; from: Address } {
    const prng = this.#prng;
    if (this.#requests.length === 0 || prng.chance(0.1)) this.#makeRequest();
    const { bytes, from } = prng.pick(this.#requests);
    const what = prng.int(10);
    if (what < 3) return { bytes, from };
    if (what < 5) return { bytes: bytes.with(prng.int(bytes.length), prng.int(256)), from };
    if (what < 6) return { bytes: mutate(prng, bytes, 16).slice(), from };
    const mutant = bytes.slice();
    mutant.set(mutate(prng, bytes, 16).subarray(4, 299), 4);
    mutant.set(hmacSha256(MAC1_KEY, mutant.subarray(0, 267)).subarray(0, 16), 267);
    return { bytes: mutant, from };
  }

  /** A datagram sealed with the keys of a request. */
  sealed(): { bytes: Uint8Array; from: Address } {
    const prng = this.#prng;
    if (this.#requests.length === 0) this.#makeRequest();
    const { peer, from } = prng.pick(this.#requests);
    const type = peer.isConnected && prng.chance(0.5) ? Connection : Handshake;
    return {
      bytes: peer.seal(type, fuzzFrames(prng, new ValuePool(FIXED), EARLY, PLAIN_MAX)),
      from,
    };
  }

  /** Reads the datagrams of the client; returns the kinds of their frames. */
  open({ sent }: Outcome): string[] {
    return sent.flatMap(({ bytes }) =>
      this.#requests.flatMap(({ peer }) => peer.open(bytes).map(({ kind }) => kind))
    );
  }

  /** The peer's Accept to a request of the client. */
  accept(bytes: Uint8Array): Uint8Array {
    const peer = new HostilePeer(this.#prng, PEER);
    this.#keep({ bytes, from: PEER.address, peer });
    return peer.accept(bytes);
  }

  #makeRequest(): void {
    const prng = this.#prng;
    const self = prng.pick(STRANGERS);
    const peer = new HostilePeer(prng, self);
    this.#timestamp += BigInt(prng.int(3));
    const responder = prng.pick([1, 1, 1, 1, 1, 2]);
    const bytes = peer.request(responder, CLIENT_KEY.publicKey, this.#timestamp);
    this.#keep({ bytes, from: self.address, peer });
  }

  #keep(request: { bytes: Uint8Array; from: Address; peer: HostilePeer }): void {
    this.#requests.push(request);
    if (this.#requests.length > 8) this.#requests.shift();
  }
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

/** One datagram, from the directory or from a stranger. */
function datagram(
  prng: Prng,
  pool: ValuePool,
  strangers: Strangers,
): { bytes: Uint8Array; from: Address } {
  if (prng.chance(0.25)) {
    return { bytes: fuzzDatagram(prng, pool, [Answer], ANSWERS), from: SERVER };
  }
  if (prng.chance(0.4)) return strangers.request();
  if (prng.chance(0.2)) return strangers.sealed();
  const types = [ConnectionRequest, Handshake, Connection, Cookie];
  const bytes = fuzzDatagram(prng, pool, types, FROM_PEERS);
  return { bytes, from: prng.pick(STRANGERS).address };
}

/** The Connection Requests that a client sent. */
function requestsIn({ sent }: Outcome): Uint8Array[] {
  return sent.map(({ bytes }) => bytes).filter((bytes) => bytes[3] === ConnectionRequest);
}

Deno.test("Client.handleDatagram() survives any datagrams, within its bounds", () => {
  fuzz("client", (prng, count) => {
    const target = new FuzzedClient(prng);
    const strangers = new Strangers(prng);
    let pool = new ValuePool(FIXED);
    let request: Uint8Array | undefined;
    const take = (outcome: Outcome): void => {
      for (const { bytes } of outcome.sent) pool.learn(bytes);
      strangers.open(outcome);
      request = requestsIn(outcome)[0] ?? request;
    };
    for (let i = 0; i < count; i++) {
      target.advance(prng.chance(0.001) ? prng.int(100_000) : prng.int(100), take);
      if (prng.chance(0.1)) {
        command(prng, target);
        take(target.drain());
      }
      const { bytes, from } = datagram(prng, pool, strangers);
      take(target.receive(bytes, from));
      // The peer accepts some requests, or the client would never be connected.
      if (request !== undefined && prng.chance(0.2)) {
        const accept = hasMac1(request, PEER.identity.publicKey)
          ? strangers.accept(request)
          : undefined;
        request = undefined;
        if (accept !== undefined) take(target.receive(accept, PEER.address));
      }
      if (target.client.view().state !== "left") continue;
      target.restart();
      pool = new ValuePool(FIXED);
      request = undefined;
    }
    target.check();
    target.tally.assertReached("registered", "requesting", "inactive", "request", "requestEnded");
    target.tally.assertReached("connected", "sent", "terminated", "list", "left");
    target.tally.assertReached("current", "requests");
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
      target.advance(i % 2000 < 600 ? 0 : prng.int(40), (outcome) => {
        assertEquals(outcome.sent, []);
        take(outcome);
      });
      const { bytes, from } = strangerDatagram(prng, pool, strangers);
      const outcome = target.receive(bytes, from);
      const sent = outcome.sent.reduce((sum, answer) => sum + answer.bytes.length, 0);
      assert(sent <= bytes.length, `${bytes.length} bytes were answered by ${sent}`);
      take(outcome);
      if (!prng.chance(0.001)) continue;
      target.client.reject(target.now);
      take(target.drain());
    }
    target.check();
    tally.assertReached("request", "ringing", "connectionReject", "requestEnded");
    tally.assertReached("connectionTerminationAck", "Cookie", "Version");
  });
});

function strangerDatagram(
  prng: Prng,
  pool: ValuePool,
  strangers: Strangers,
): { bytes: Uint8Array; from: Address } {
  if (prng.chance(0.3)) return strangers.request();
  if (prng.chance(0.4)) return strangers.sealed();
  const types = [ConnectionRequest, Handshake, Cookie];
  const bytes = fuzzDatagram(prng, pool, types, FROM_PEERS);
  return { bytes, from: { hostname: "2001:db8::bad", port: 1 + prng.int(65535) } };
}
