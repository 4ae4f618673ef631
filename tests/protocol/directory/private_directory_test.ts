// A client and a private directory in virtual time.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Client } from "../../../client/client.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { decodeDatagram, encodeVersionAnswer } from "../../../protocol/wire/datagram.ts";
import { DatagramType, type Header } from "../../../protocol/wire/frame.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { DirectorySecret } from "../../../protocol/directory/registration_key.ts";
import type { Server } from "../../../server/server.ts";
import { newServer } from "../../support/new_server.ts";
import { Prng } from "../../support/random.ts";
import { clientOptions } from "../../support/client_options.ts";

const DIRECTORY: Address = { hostname: "10.0.0.1", port: 7070 };
const OWN: Address = { hostname: "192.0.2.9", port: 4000 };
const SECRET = new TextEncoder().encode("correct horse battery staple");
const OTHER = new TextEncoder().encode("correct horse battery stable");

/** Changes an answer on its way. */
type Alter = (answer: Uint8Array) => Uint8Array;

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
    const identity = makeKeyPair(random);
    const lease = 45_000;
    this.server = newServer({ maxClients: 10, lease, identity, random, secret: serverSecret });
    this.client = new Client(
      this.now,
      clientOptions({
        directoryAddresses: [DIRECTORY],
        name: "ana",
        port: 4000,
        identity: makeKeyPair(random),
        secret,
        random,
      }),
    );
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
  settle(alter: Alter = (answer) => answer): void {
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
  wait(ms: number, alter?: Alter): void {
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
    assertEquals(pair.told, ["serverQuiet", "serverLost", "error", "left"]);
    const hint = secret === undefined
      ? /is private and needs --secret ·/
      : /or its secret is another ·/;
    assertMatch(pair.errors[0]!, hint);
    assertEquals(pair.server.table().size, 0);
    assert(pair.server.dropped.secret! > 3);
  }
});

Deno.test("a client with a secret believes no Challenge of a directory without it", () => {
  for (const secret of [undefined, OTHER]) {
    const pair = new Pair(SECRET, secret);
    pair.wait(31_000);
    const quiet = secret === undefined ? [] : ["serverQuiet"];
    assertEquals(pair.told, [...quiet, "serverLost", "error", "left"]);
    assertEquals(pair.client.dropped.notAuthentic > 0, secret === undefined);
  }
});

Deno.test("a client with a secret believes no Challenge and no Answer that was changed", () => {
  const challenged = new Pair(SECRET, SECRET);
  challenged.wait(20_000, (answer) => answer.with(30, answer[30]! ^ 1));
  assertEquals(challenged.told, ["serverLost"]);
  challenged.wait(9000);
  assert(challenged.told.includes("registered"));
  const pair = new Pair(SECRET, SECRET);
  pair.settle();
  pair.client.list(pair.now);
  pair.wait(31_000, (answer) => answer.with(-1 + answer.length, answer.at(-1)! ^ 1));
  assertEquals(pair.told, ["registered", "serverLost", "error"]);
  pair.wait(11_000);
  assertEquals(pair.told.at(-1), "serverBack");
});

Deno.test("a client with a secret signs each Register, and seals the rest with it", () => {
  const pair = new Pair(SECRET, SECRET);
  const secret = new DirectorySecret(SECRET);
  const headers: Header[] = [];
  const check = (bytes: Uint8Array): void => {
    const decoded = decodeDatagram(bytes);
    assert(decoded.ok);
    const { header } = decoded.value;
    headers.push(header);
    if (header.type === DatagramType.Register) assert(secret.isSigned(bytes));
  };
  const { handleDatagram } = pair.server;
  pair.server.handleDatagram = (now, bytes, from) => {
    check(bytes);
    handleDatagram.call(pair.server, now, bytes, from);
  };
  pair.settle();
  pair.client.list(pair.now);
  pair.wait(1000);
  const { Register, Request } = DatagramType;
  assertEquals(headers.map(({ type }) => type), [Register, Register, Request]);
});

Deno.test("a client believes a Version of its directory after a while, with a secret or without", () => {
  const header = { type: DatagramType.Register, session: 0, packet: 0 };
  const version = encodeVersionAnswer(header).with(2, 2);
  for (const secret of [undefined, SECRET]) {
    const pair = new Pair(secret, undefined);
    pair.client.handleDatagram(pair.now, version, DIRECTORY);
    for (const end = pair.now + 13_000; pair.now < end; pair.now += 100) {
      pair.client.handleTimeout(pair.now);
      pair.sent();
    }
    const codes: string[] = [];
    for (let event = pair.client.pollEvent(); event; event = pair.client.pollEvent()) {
      if (event.kind === "error") codes.push(event.code);
    }
    assertEquals(codes, ["version"]);
  }
});
