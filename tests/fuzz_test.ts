import { assert, assertEquals } from "@std/assert";
import { Client } from "../client/client.ts";
import type { ClientEvent } from "../client/event.ts";
import type { ClientOptions } from "../client/view.ts";
import { type Address, formatAddress } from "../protocol/address.ts";
import { decodeDatagram, encodeDatagram } from "../protocol/datagram.ts";
import type { Driven } from "../protocol/driven.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../protocol/frame.ts";
import { PENDING_REQUESTS_MAX } from "../protocol/incoming_requests.ts";
import { TEXT_SIZE_MAX } from "../protocol/send_queue.ts";
import { Server } from "../server/server.ts";
import { fuzzDatagram, Pool } from "./mutate.ts";
import { type Prng, seedFromEnv, withSeed } from "./random.ts";
import { KINDS } from "./random_frame.ts";

const { Request, Answer, Handshake, Connection, Version } = DatagramType;
const ALL_TYPES = [Request, Answer, Handshake, Connection, Version];
type Kind = Frame["kind"];

/** Each kind as often as its weight says. */
function weighted(weights: Partial<Record<Kind, number>>): Kind[] {
  return Object.entries(weights).flatMap(([kind, weight]) =>
    Array<Kind>(weight).fill(kind as Kind)
  );
}

const REQUESTS = weighted({ register: 3, leaseKeepalive: 2, lookUp: 2, list: 2, leave: 1 });
const ANSWERS = weighted({
  ...{ challenge: 1, registered: 2, refused: 1, leaseKeepaliveAck: 2 },
  ...{ found: 3, inactive: 1, listing: 2, leaveAck: 1 },
});
const HANDSHAKES = weighted({
  ...{ connectionRequest: 10, ringing: 5, connectionAccept: 5, connectionReject: 2 },
  ...{ connectionTermination: 1, connectionTerminationAck: 1 },
});
const MESSAGES = weighted({
  ...{ message: 10, ack: 10, connectionKeepalive: 2 },
  ...{ connectionTermination: 1, connectionTerminationAck: 1 },
});

/** Datagrams and events that one input may lead to at most. */
const OUTPUT_LIMIT = 2_000;

/** Half the runs are the same every time, half are not. */
function fuzz(count: number, body: (prng: Prng, count: number) => void): void {
  for (const seed of [1, seedFromEnv()]) withSeed(seed, (prng) => body(prng, count / 2));
}

/** Takes everything that a machine has to send and to tell. */
function drain<Event>(
  machine: Driven<Event>,
  now: number,
  onTransmit: (bytes: Uint8Array, to: Address) => void,
  onEvent: (event: Event) => void,
): void {
  let left = OUTPUT_LIMIT;
  for (let next = machine.pollTransmit(now); next; next = machine.pollTransmit(now)) {
    assert(left-- > 0, "too many datagrams");
    assert(next.bytes.length <= DATAGRAM_SIZE_MAX, "a datagram is too long");
    assert(next.to.port > 0 && next.to.port < 65536, formatAddress(next.to));
    onTransmit(next.bytes, next.to);
  }
  for (let event = machine.pollEvent(); event; event = machine.pollEvent()) {
    assert(left-- > 0, "too many events");
    onEvent(event);
  }
  assertEquals(machine.pollTransmit(now), undefined);
  const timeout = machine.nextTimeout();
  assert(timeout === undefined || !Number.isNaN(timeout), "a timeout is no number");
}

/** Counts by name, to see what a run has reached. */
class Tally {
  readonly counts: Record<string, number> = {};

  add(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  assertReached(...names: string[]): void {
    const missed = names.filter((name) => this.counts[name] === undefined);
    assertEquals(missed, [], `the run reached ${JSON.stringify(this.counts)}`);
  }
}

Deno.test("decodeDatagram() never throws, and what it takes can be encoded again", () => {
  fuzz(200_000, (prng, count) => {
    const pool = new Pool();
    const tally = new Tally();
    for (let i = 0; i < count; i++) {
      const decoded = decodeDatagram(fuzzDatagram(prng, pool, ALL_TYPES, KINDS));
      tally.add(decoded.ok ? "ok" : decoded.reason);
      if (!decoded.ok || i % 8 !== 0) continue;
      const { header, frames } = decoded;
      header.packet = Math.min(header.packet, Number.MAX_SAFE_INTEGER);
      const again = decodeDatagram(encodeDatagram(header, frames));
      assertEquals(again, { ok: true, header, frames, unknownFrames: 0 });
    }
    tally.assertReached("ok", "size", "magic", "version", "type", "frame");
  });
});

Deno.test("Server.handleDatagram() survives any datagrams, within its bounds", () => {
  fuzz(300_000, (prng, count) => {
    const maxClients = 5;
    const server = new Server({ maxClients, lease: 45_000, random: prng.bytes });
    const sources = Array.from({ length: 8 }, (_, i) => ({
      address: { hostname: i < 6 ? `192.0.2.${i}` : `2001:db8::${i}`, port: 40_000 + i },
      pool: new Pool({ nonce: [BigInt(i)], name: [i % 2 === 0 ? "" : `name${i % 5}`] }),
    }));
    for (const { pool } of sources) pool.add("id", 0);
    const tally = new Tally();
    let now = 0;
    for (let i = 0; i < count; i++) {
      now += prng.chance(0.002) ? prng.int(60_000) : prng.int(100);
      if (now >= (server.nextTimeout() ?? Infinity)) server.handleTimeout(now);
      const { address, pool } = prng.pick(sources);
      const bytes = fuzzDatagram(prng, pool, [Request], REQUESTS);
      const clients = [...server.table().clients];
      const isStranger = !clients.some((c) => formatAddress(c.address) === formatAddress(address));
      drain(server, now, () => {}, (event) => tally.add(event.kind));
      server.handleDatagram(now, bytes, address);
      const answers: string[] = [];
      let sent = 0;
      drain(server, now, (answer, to) => {
        assertEquals(to, address);
        answers.push(...pool.learn(answer));
        sent += answer.length;
      }, (event) => tally.add(event.kind));
      for (const kind of answers) tally.add(kind);
      // Who is registered has shown that it receives at its address.
      const isProven = !isStranger || answers.includes("registered");
      assert(isProven || sent <= bytes.length, `${bytes.length} bytes were answered by ${sent}`);
      assert(server.table().size <= maxClients);
    }
    tally.assertReached("joined", "moved", "left", "expired", "table");
    tally.assertReached("challenge", "registered", "refused", "leaseKeepaliveAck", "leaveAck");
    tally.assertReached("found", "inactive", "listing");
  });
});

const SERVER: Address = { hostname: "192.0.2.1", port: 7070 };
const PEER: Address = { hostname: "192.0.2.2", port: 40_002 };
const STRANGER: Address = { hostname: "2001:db8::3", port: 40_003 };

const OPTIONS: Omit<ClientOptions, "random" | "acceptAll"> = {
  server: SERVER,
  serverName: "server",
  id: 0,
  name: "zoë",
  port: 40_001,
  timers: "adaptive",
};

/** What the others say, where it is not what the client said. */
const OTHERS = {
  "registered.id": [1],
  "found.id": [2],
  "connectionRequest.responder": [1, 1, 1, 2],
  requester: [2, 2, 2, 3],
  responder: [2],
  sender: [2],
  reason: [1, 2, 3, 5],
  flags: [0, 0, 1, 255],
  name: ["", "zoë", "ana"],
  lease: [45_000, 45_000, 0, 2 ** 32 - 1],
};

function randomCommand(prng: Prng, client: Client, now: number): void {
  if (prng.chance(0.002)) return client.leave(now);
  if (prng.chance(0.002)) return client.abandon(now);
  if (prng.chance(0.02)) return client.terminate(now);
  if (prng.chance(0.05)) return client.cancel(now);
  if (prng.chance(0.05)) return client.list(now);
  if (prng.chance(0.1)) return client.reject(now, prng.pick([undefined, 2, "zoë"]));
  if (prng.chance(0.1)) return client.accept(now, prng.pick([undefined, 2, "zoë"]));
  if (prng.chance(0.3)) return client.connect(now, prng.pick([2, 2, 2, 3, "ana", 1]));
  client.send(now, "€uro ".repeat(prng.int(prng.chance(0.9) ? 10 : 15_000)));
}

/** Sees to it that what a client tells makes sense. */
class Witness {
  readonly tally = new Tally();
  #messages = 0;
  #sent = 0;
  #delivered = 0;
  isLeft = false;

  take(event: ClientEvent): void {
    this.tally.add(event.kind === "error" ? event.code : event.kind);
    switch (event.kind) {
      case "connected":
        this.#messages = this.#sent = this.#delivered = 0;
        return;
      case "message":
        assertEquals(event.seq, this.#messages++);
        return assert(new TextEncoder().encode(event.text).length <= TEXT_SIZE_MAX);
      case "sent":
        return assertEquals(event.seq, this.#sent++);
      case "delivered":
        assertEquals(event.seq, this.#delivered++);
        return assert(event.seq < this.#sent);
      case "left":
        this.isLeft = true;
    }
  }
}

function fuzzClient(prng: Prng, count: number, kinds: readonly Kind[]): Tally {
  const witness = new Witness();
  const pool = new Pool(OTHERS);
  let now = 0;
  const start = (): Client => {
    const timers = prng.pick(["adaptive", "fixed"] as const);
    const acceptAll = prng.chance(0.2);
    return new Client(now, { ...OPTIONS, timers, acceptAll, random: prng.bytes });
  };
  let client = start();
  for (let i = 0; i < count; i++) {
    now += prng.chance(0.001) ? prng.int(100_000) : prng.int(100);
    if (prng.chance(0.1)) randomCommand(prng, client, now);
    for (let left = 10; now >= (client.nextTimeout() ?? Infinity); left--) {
      assert(left > 0, "the timeouts do not end");
      client.handleTimeout(now);
      drain(client, now, (bytes) => pool.learn(bytes), (event) => witness.take(event));
    }
    const from = prng.pick([SERVER, PEER, PEER, STRANGER]);
    const types = from === SERVER ? [Answer] : [Handshake, Connection];
    const bytes = fuzzDatagram(prng, pool, types, from === SERVER ? ANSWERS : kinds);
    client.handleDatagram(now, bytes, from);
    drain(client, now, (bytes) => pool.learn(bytes), (event) => witness.take(event));
    assert(client.view().requests.length <= PENDING_REQUESTS_MAX);
    if (!witness.isLeft) continue;
    witness.isLeft = false;
    client = start();
  }
  return witness.tally;
}

Deno.test("Client.handleDatagram() survives any datagrams, within its bounds", () => {
  fuzz(250_000, (prng, count) => {
    const tally = fuzzClient(prng, count, [...HANDSHAKES, ...HANDSHAKES, ...MESSAGES]);
    tally.assertReached("registered", "requesting", "inactive", "request", "requestEnded");
    tally.assertReached("connected", "message", "sent", "delivered", "terminated", "list", "left");
  });
});

Deno.test("Connection.handleFrames() survives any frames, within its bounds", () => {
  fuzz(250_000, (prng, count) => {
    const tally = fuzzClient(prng, count, [...MESSAGES, "connectionRequest", "connectionAccept"]);
    tally.assertReached("connected", "message", "sent", "delivered", "unconfirmed", "terminated");
  });
});

Deno.test("Client.handleDatagram() never answers a stranger with more bytes than came", () => {
  fuzz(50_000, (prng, count) => {
    const client = new Client(0, { ...OPTIONS, acceptAll: false, random: prng.bytes });
    const pool = new Pool(OTHERS);
    drain(client, 0, (bytes) => pool.learn(bytes), () => {});
    const nonce = pool.pick(prng, "nonce") as bigint;
    const token = prng.bytes(16);
    const registered: Frame = {
      kind: "registered",
      nonce,
      token,
      id: 1,
      lease: 45_000,
      seenAt: PEER,
    };
    const header = { type: Answer, connection: 0, packet: 0 };
    client.handleDatagram(0, encodeDatagram(header, [registered]), SERVER);
    drain(client, 0, () => {}, () => {});
    assertEquals(client.view().id, 1);
    const requester = Array.from({ length: 50 }, (_, i) => 2 + i);
    const strange = new Pool({ ...OTHERS, requester });
    let requests = 0;
    for (let i = 0; i < count; i++) {
      const now = i * 20;
      client.handleTimeout(now);
      drain(client, now, () => {}, () => {});
      const stranger = { hostname: "2001:db8::bad", port: 1 + prng.int(65535) };
      const bytes = fuzzDatagram(prng, strange, [Handshake, Handshake, Connection], HANDSHAKES);
      client.handleDatagram(now, bytes, stranger);
      let sent = 0;
      drain(client, now, (answer) => sent += answer.length, () => {});
      assert(sent <= bytes.length, `${bytes.length} bytes were answered by ${sent}: ${bytes}`);
      requests = Math.max(requests, client.view().requests.length);
    }
    assertEquals(requests, PENDING_REQUESTS_MAX);
  });
});
