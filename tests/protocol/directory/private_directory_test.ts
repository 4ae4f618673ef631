// A client and a private directory in virtual time.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Client } from "../../../client/client.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { encodeDatagram, encodeVersionAnswer } from "../../../protocol/wire/datagram.ts";
import { DatagramType } from "../../../protocol/wire/frame.ts";
import { PROOF_SIZE, Prover } from "../../../protocol/crypto/proof.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { Server } from "../../../server/server.ts";
import { Prng } from "../../support/random.ts";

const DIRECTORY: Address = { hostname: "10.0.0.1", port: 7070 };
const OWN: Address = { hostname: "192.0.2.9", port: 4000 };
const SECRET = new TextEncoder().encode("correct horse battery staple");
const OTHER = new TextEncoder().encode("correct horse battery stable");

/** A client and a directory, each with a secret or without one. */
class Pair {
  now = 1000;
  readonly client: Client;
  readonly server: Server;
  /** The kinds of the client's events. */
  readonly told: string[] = [];
  readonly errors: string[] = [];

  constructor(secret: Uint8Array | undefined, serverSecret: Uint8Array | undefined) {
    const random = new Prng(5).bytes;
    this.server = new Server({ maxClients: 10, lease: 45_000, random, secret: serverSecret });
    this.client = new Client(this.now, {
      server: DIRECTORY,
      serverName: "directory",
      id: 0,
      name: "ana",
      port: 4000,
      timers: "adaptive",
      acceptAll: false,
      identity: makeKeyPair(random),
      isBlocked: () => false,
      secret,
      epoch: 0,
      random,
    });
  }

  /** What the client sends now. */
  sent(): Uint8Array[] {
    const all: Uint8Array[] = [];
    for (;;) {
      const transmit = this.client.pollTransmit(this.now);
      if (transmit === undefined) return all;
      assertEquals(transmit.to, DIRECTORY);
      all.push(transmit.bytes.slice());
    }
  }

  /** Exchanges datagrams until both are idle. */
  settle(alter: (answer: Uint8Array) => Uint8Array = (answer) => answer): void {
    for (let sent = this.sent(); sent.length > 0; sent = this.sent()) {
      for (const bytes of sent) this.server.handleDatagram(this.now, bytes, OWN);
      for (let next = this.server.pollTransmit(); next; next = this.server.pollTransmit()) {
        this.client.handleDatagram(this.now, alter(next.bytes.slice()), DIRECTORY);
      }
    }
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) {
      this.told.push(event.kind);
      if (event.kind === "error") this.errors.push(event.message);
    }
  }

  /** Lets time pass in steps of 100 ms. */
  wait(ms: number, alter?: (answer: Uint8Array) => Uint8Array): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 100;
      this.client.handleTimeout(this.now);
      this.server.handleTimeout(this.now);
      this.settle(alter);
    }
  }
}

Deno.test("a client with the secret registers, asks and leaves", () => {
  const pair = new Pair(SECRET, SECRET);
  pair.settle();
  pair.client.list(pair.now);
  pair.wait(60_000);
  pair.client.leave(pair.now);
  pair.wait(1000);
  assertEquals(pair.told, ["registered", "list", "left"]);
  assertEquals(pair.server.dropped, {});
  assertEquals(pair.client.dropped.notAuthentic, 0);
});

Deno.test("a client without the secret, or with another, gets no answer", () => {
  for (const secret of [undefined, OTHER]) {
    const pair = new Pair(secret, SECRET);
    pair.wait(31_000);
    assertEquals(pair.told, ["serverLost", "error", "left"]);
    const hint = secret === undefined ? /needs --secret$/ : /is its secret the one in use here\?$/;
    assertMatch(pair.errors[0]!, hint);
    assertEquals(pair.server.table().size, 0);
    assert(pair.server.dropped.proof! > 3);
  }
});

Deno.test("a client with a secret believes no directory without it", () => {
  for (const secret of [undefined, OTHER]) {
    const pair = new Pair(SECRET, secret);
    pair.wait(31_000);
    assertEquals(pair.told, ["serverLost", "error", "left"]);
  }
  const pair = new Pair(SECRET, undefined);
  pair.wait(5000);
  assert(pair.client.dropped.notAuthentic > 0);
});

Deno.test("a client with a secret believes no answer that was changed", () => {
  const pair = new Pair(SECRET, SECRET);
  pair.settle();
  pair.client.list(pair.now);
  pair.wait(31_000, (answer) => {
    answer[answer.length - PROOF_SIZE - 1]! ^= 1;
    return answer;
  });
  assertEquals(pair.told, ["registered", "serverLost", "error"]);
  pair.wait(11_000);
  assertEquals(pair.told.at(-1), "serverBack");
});

Deno.test("a client with a secret believes only a proven Version datagram", () => {
  const header = { type: DatagramType.Request, connection: 0, packet: 0 };
  const version = encodeVersionAnswer(header).with(2, 2);
  const pair = new Pair(SECRET, SECRET);
  pair.client.handleDatagram(pair.now, version, DIRECTORY);
  pair.client.handleDatagram(pair.now, new Prover(OTHER).prove(version), DIRECTORY);
  assertEquals(pair.client.pollEvent(), undefined);
  pair.client.handleDatagram(pair.now, new Prover(SECRET).prove(version), DIRECTORY);
  const event = pair.client.pollEvent();
  assert(event?.kind === "error" && event.code === "version");
  // Without a secret there is nothing to prove.
  const open = new Pair(undefined, undefined);
  open.client.handleDatagram(open.now, version, DIRECTORY);
  assertEquals(open.client.pollEvent()?.kind, "error");
});

Deno.test("a client with a secret proves every request", () => {
  const pair = new Pair(SECRET, undefined);
  const prover = new Prover(SECRET);
  const [register, ...more] = pair.sent();
  assert(register !== undefined && more.length === 0);
  assert(prover.isProven(register));
  // The answers to other clients go to those.
  const answer = encodeDatagram({ ...{ connection: 0, packet: 0 }, type: DatagramType.Answer }, []);
  pair.client.handleDatagram(pair.now, answer, DIRECTORY);
  assertEquals(pair.client.dropped.notAuthentic, 1);
});
