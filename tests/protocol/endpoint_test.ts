// One client's end of everything, as who imports the library uses it.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Connection } from "../../protocol/connection/connection.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import {
  Endpoint,
  type EndpointEvent,
  type EndpointOptions,
  LEAVE_DRAIN_TIMEOUT,
} from "../../protocol/endpoint.ts";
import type { DatagramMachine } from "../../protocol/machine.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { VERSION_ANSWERS_PER_SECOND } from "../../protocol/session/handshake_limits.ts";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame, PUNCH_SIZE, RefusalReason } from "../../protocol/wire/frame.ts";
import { newServer } from "../support/new_server.ts";
import { EndpointHarness, framesOf, kindsOf, registered } from "../support/endpoint_harness.ts";
import { DIRECTORY } from "../support/fake_directory.ts";
import { STRANGER } from "../support/machine_harness.ts";
import { Prng } from "../support/random.ts";

/** A directory and endpoints that hear each other at once. */
class Network {
  now = 1000;
  readonly random = new Prng(1).bytes;
  readonly #machines = new Map<string, [Address, DatagramMachine<unknown>]>();

  constructor() {
    const identity = makeKeyPair(this.random);
    const server = newServer({ maxClients: 10, lease: 45_000, identity, random: this.random });
    this.#machines.set(formatAddress(DIRECTORY), [DIRECTORY, server]);
  }

  endpoint(name: string, options: Partial<EndpointOptions> = {}): Endpoint {
    const { random } = this;
    const address = { hostname: `10.0.1.${this.#machines.size}`, port: 4000 };
    const endpoint = new Endpoint(this.now, {
      directoryAddresses: [DIRECTORY],
      id: 0,
      name,
      port: 4000,
      identity: makeKeyPair(random),
      policy: TIMER_POLICIES.adaptive,
      random,
      ...options,
    });
    this.#machines.set(formatAddress(address), [address, endpoint]);
    this.settle();
    return endpoint;
  }

  /** Exchanges datagrams until all are idle. */
  settle(): void {
    for (let isIdle = false; !isIdle;) {
      isIdle = true;
      for (const [from, machine] of this.#machines.values()) {
        const transmit = machine.pollTransmit(this.now);
        if (transmit === undefined) continue;
        isIdle = false;
        const [, to] = this.#machines.get(formatAddress(transmit.to)) ?? [];
        to?.handleDatagram(this.now, transmit.bytes.slice(), from);
      }
    }
  }

  /** Lets time pass in steps of 10 ms. */
  wait(ms: number): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 10;
      for (const [, machine] of this.#machines.values()) machine.handleTimeout(this.now);
      this.settle();
    }
  }
}

function eventsOf(endpoint: Endpoint): EndpointEvent[] {
  const all: EndpointEvent[] = [];
  for (let event = endpoint.pollEvent(); event; event = endpoint.pollEvent()) all.push(event);
  return all;
}

function kindsOfEvents(endpoint: Endpoint): string[] {
  return eventsOf(endpoint).map(({ kind }) => kind);
}

Deno.test("two endpoints register, connect, talk and leave; either can accept", () => {
  for (const isAdmitted of [true, false]) {
    const network = new Network();
    const ana = network.endpoint("ana");
    const ben = network.endpoint("ben", isAdmitted ? { admit: () => "accept" } : {});
    assertEquals([ana.id, ben.id], [1, 2]);
    assert(ana.connect(network.now, { id: 0, name: "Ben" }).ok);
    network.settle();
    if (!isAdmitted) {
      assert(ana.calls[0]?.isRinging);
      const [request] = ben.requests;
      assertEquals([request?.requester, request?.name], [1, "ana"]);
      assert(ben.accept(network.now, request!).ok);
      network.settle();
    }
    const [ours, theirs] = [ana.connections[0]!, ben.connections[0]!];
    assertEquals(ours.handshakeHash, theirs.handshakeHash);
    assertEquals(theirs.ids, { local: 2, localName: "ben", remote: 1, remoteName: "ana" });
    eventsOf(ana);
    eventsOf(ben);
    ours.send("hi");
    theirs.send("there");
    network.wait(100);
    const texts = [ana, ben].map((each) =>
      eventsOf(each).flatMap((event) => event.kind === "message" ? [event.text] : [])
    );
    assertEquals(texts, [["there"], ["hi"]]);
    ana.leave(network.now);
    network.wait(100);
    assertEquals(kindsOfEvents(ana), ["terminated", "left"]);
    assertEquals(kindsOfEvents(ben), ["terminated"]);
    assertEquals(ana.nextTimeout(), undefined);
  }
});

Deno.test("an endpoint needs no event to be polled to go on", () => {
  const network = new Network();
  const ana = network.endpoint("ana");
  const ben = network.endpoint("ben", { admit: () => "accept" });
  ana.connect(network.now, { id: ben.id!, name: "" });
  network.settle();
  for (let count = 0; count < 100; count++) ana.connections[0]!.send(`${count}`);
  network.wait(200);
  assertEquals(ana.connections[0]!.undelivered, 0);
  const texts = eventsOf(ben).filter(({ kind }) => kind === "message");
  assertEquals(texts.length, 100);
});

Deno.test("a command that is not possible says why, and changes nothing", () => {
  const target = { id: 2, name: "" };
  const registering = new EndpointHarness();
  const { endpoint, now } = registering;
  assertEquals([endpoint.connect(now, target), endpoint.list(now)], [
    { ok: false, error: "notRegistered" },
    { ok: false, error: "notRegistered" },
  ]);
  const harness = registered();
  const problem = (to: { id: number; name: string }) => {
    const result = harness.endpoint.connect(harness.now, to);
    return result.ok ? undefined : result.error;
  };
  assertEquals(problem({ id: 1, name: "" }), "self");
  const { connection } = harness.connectedWith(5);
  assertEquals(problem({ id: 5, name: "" }), "alreadyConnected");
  assertEquals(problem(target), undefined);
  assertEquals(problem(target), "alreadyRequesting");
  const { ids: { remote: requester }, remoteKey: key } = connection;
  const request = { requester, name: "", key };
  assertEquals(harness.endpoint.accept(harness.now, request), { ok: false, error: "noRequest" });
  assertEquals(harness.endpoint.reject(harness.now, request), false);
  harness.endpoint.leave(harness.now);
  assertEquals(problem(target), "leaving");
  assertEquals(harness.endpoint.list(harness.now), { ok: false, error: "leaving" });
});

Deno.test("there is room for 16 connections, what is requested included", () => {
  const harness = registered({ admit: () => "accept" });
  for (let id = 2; id < 1 + CONNECTIONS_MAX; id++) {
    harness.now += 100;
    harness.request(harness.requester(id));
  }
  assertEquals(harness.endpoint.connections.length, CONNECTIONS_MAX - 1);
  harness.want({ id: 50, name: "" });
  harness.respond(50);
  // What would be one too many rings, and cannot be accepted.
  const peer = harness.requester(60);
  assertEquals(kindsOf(harness.request(peer)), ["ringing"]);
  const [request] = harness.endpoint.requests;
  assertEquals(harness.endpoint.accept(harness.now, request!), {
    ok: false,
    error: "tooManyConnections",
  });
  harness.cancel();
  assert(harness.endpoint.accept(harness.now, request!).ok);
  const result = harness.endpoint.connect(harness.now, { id: 70, name: "" });
  assertEquals(result, { ok: false, error: "tooManyConnections" });
});

Deno.test("a client that accepts the peer that it requests takes its own request back", () => {
  const harness = registered();
  harness.want({ id: 0, name: "ben" });
  const [call] = harness.asked();
  // The directory knows ben under another key than the one that rings under his name.
  const { publicKey } = makeKeyPair(harness.random);
  harness.receive(call!.answer(harness.meeting(9, { name: "ben", publicKey })), DIRECTORY);
  const peer = harness.requester(2, { name: "Ben" });
  harness.request(peer);
  harness.events();
  harness.accept();
  assertEquals(harness.requestEvents(), [
    "requestFailed: cancelled",
    "connected with 2 by acceptance",
  ]);
  assertEquals(harness.endpoint.calls[0], undefined);
});

Deno.test("a Call without a result fails the request", () => {
  const inactive = registered();
  inactive.want({ id: 2, name: "" });
  const [call] = inactive.asked();
  inactive.receive(call!.answer({ kind: "inactive", id: 2, name: "" }), DIRECTORY);
  assertEquals(inactive.requestEvents(), ["requestFailed: inactive"]);
  const silent = registered();
  silent.want({ id: 2, name: "" });
  silent.advance(30_000);
  assertEquals(silent.requestEvents(), ["requestFailed: directoryTimeout"]);
});

Deno.test("a Call that was taken back is not heard any more", () => {
  const harness = registered();
  harness.want({ id: 2, name: "" });
  const [call] = harness.asked();
  assert(harness.cancel());
  harness.want({ id: 3, name: "" });
  assertEquals(kindsOf(harness.receive(call!.answer(harness.meeting(2)), DIRECTORY)), ["call"]);
  assertEquals(harness.endpoint.calls[0]?.target, { id: 3, name: "" });
});

Deno.test("a list is reported whole, or that it timed out", () => {
  const harness = registered();
  assert(harness.endpoint.list(harness.now).ok);
  const [first] = harness.asked();
  const one = [{ id: 1, name: "ana" }];
  harness.give(first!.answer({ kind: "listing", more: 1, clients: one }), DIRECTORY);
  const [second] = harness.asked();
  assertEquals(second?.frame, { kind: "list", after: 1 });
  const two = [{ id: 7, name: "" }];
  harness.give(second!.answer({ kind: "listing", more: 0, clients: two }), DIRECTORY);
  assertEquals(harness.events(), [{ kind: "list", clients: [...one, ...two] }]);
  harness.endpoint.list(harness.now);
  harness.advance(30_000);
  assertEquals(harness.eventKinds().filter((kind) => kind === "listTimeout"), ["listTimeout"]);
});

Deno.test("a registration that is refused, or not answered, ends the endpoint", () => {
  const silent = new EndpointHarness();
  silent.advance(30_000);
  assertEquals(silent.eventKinds().slice(-2), ["registrationTimeout", "left"]);
  const refused = new EndpointHarness();
  const [first] = refused.sent();
  refused.give(refused.directory.challenge(refused.now, first!.bytes), DIRECTORY);
  const [register] = refused.asked();
  refused.give(register!.refuse(RefusalReason.full), DIRECTORY);
  assertEquals(refused.events(), [
    { kind: "refused", reason: RefusalReason.full },
    { kind: "left", acknowledged: false, undelivered: 0 },
  ]);
  for (const harness of [silent, refused]) {
    assertEquals(harness.endpoint.isLeaving, true);
    assertEquals([harness.advance(100_000), harness.events()], [[], []]);
    assertEquals(harness.endpoint.nextTimeout(), undefined);
  }
});

Deno.test("leaving ends the connections first, then the registration", () => {
  const harness = registered();
  const { peer } = harness.connectedWith(2);
  harness.endpoint.leave(harness.now);
  assertEquals(harness.endpoint.leaveBy, harness.now + LEAVE_DRAIN_TIMEOUT);
  assertEquals(kindsOf(harness.sent()), ["ack", "connectionTermination"]);
  harness.give(peer.seal({ kind: "connectionTerminationAck", sender: 2, finalSeq: 0 }));
  assertEquals(harness.eventKinds(), ["terminated"]);
  const [leave] = harness.asked();
  assertEquals(leave?.frame.kind, "leave");
  harness.give(leave!.answer({ kind: "leaveAck" }), DIRECTORY);
  assertEquals(harness.events(), [{ kind: "left", acknowledged: true, undelivered: 0 }]);
});

Deno.test("the last word of a connection leaves before the Leave, with whose ack nothing follows", () => {
  const terminationAck: Frame = { kind: "connectionTerminationAck", sender: 2, finalSeq: 1 };
  const termination: Frame = { kind: "connectionTermination", sender: 2, finalSeq: 1 };
  const start = () => {
    const harness = registered({ holdsTexts: true });
    const { peer, connection } = harness.connectedWith(2);
    harness.give(peer.seal({ kind: "message", sender: 2, seq: 0, flags: 0, text: "hi" }));
    const text = harness.events().find((event) => event.kind === "message");
    harness.endpoint.leave(harness.now);
    return { harness, peer, connection, text: text! };
  };
  const crossing = start();
  crossing.connection.take(crossing.harness.now, crossing.text);
  crossing.harness.sent();
  crossing.harness.give(crossing.peer.seal(terminationAck, termination));
  assertEquals(kindsOf(crossing.harness.sent()), ["connectionTerminationAck", "leave"]);

  const unread = start();
  unread.connection.forsake(unread.harness.now);
  unread.harness.sent();
  unread.harness.give(unread.peer.seal(terminationAck));
  assertEquals(kindsOf(unread.harness.sent()), ["connectionReject", "leave"]);
});

Deno.test("leaving takes a bounded time, whatever the peers and the directory do", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  connection.send("never acknowledged");
  harness.endpoint.leave(harness.now);
  harness.advance(LEAVE_DRAIN_TIMEOUT);
  const ended = harness.events().find(({ kind }) => kind === "terminated");
  assert(ended?.kind === "terminated" && ended.undelivered === 1);
  harness.advance(30_000);
  assertEquals(harness.events().at(-1), { kind: "left", acknowledged: false, undelivered: 1 });
});

Deno.test("abandoning ends everything at once, and tells the directory once", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  connection.send("lost");
  harness.endpoint.abandon(harness.now);
  const [leave, ...more] = harness.asked();
  assertEquals([leave?.frame.kind, more], ["leave", []]);
  assertEquals(harness.eventKinds(), ["terminated", "left"]);
  assertEquals([harness.advance(100_000), harness.endpoint.nextTimeout()], [[], undefined]);
  harness.endpoint.abandon(harness.now);
  assertEquals([harness.sent(), harness.events()], [[], []]);
});

Deno.test("a flood of another version, or of Punches with 0, is answered no further, and drains nothing", () => {
  const harness = registered();
  const bytes = encodeDatagram({ type: DatagramType.Packet, session: 7, packet: 1 }, []);
  const other = bytes.with(2, 9);
  let answers = 0;
  for (let n = 0; n < 1000; n++) answers += harness.receive(other).length;
  assertEquals(answers, VERSION_ANSWERS_PER_SECOND);
  assertEquals(harness.endpoint.handleDatagram(harness.now, other, STRANGER), false);
  const header = { type: DatagramType.Punch, session: 0, packet: 0 } as const;
  const punch = encodeDatagram(header, [{ kind: "punch", number: 0n }], PUNCH_SIZE);
  assertEquals(harness.endpoint.handleDatagram(harness.now, punch, STRANGER), false);
});

Deno.test("a datagram of another version is answered by a Version, unless it is one", () => {
  const harness = registered();
  const header = { type: DatagramType.Packet, session: 7, packet: 9 };
  const other = encodeDatagram(header, [{ kind: "padding", size: 200 }]).with(2, 2);
  const [answer, ...more] = harness.receive(other);
  assertEquals([answer?.to, more], [STRANGER, []]);
  const expected = encodeDatagram({ ...header, type: DatagramType.Version }, []);
  assertEquals(answer?.bytes, expected);
  assertLessOrEqual(expected.length, other.length);
  assertEquals(harness.receive(expected.with(2, 2)), []);
  assertEquals(harness.endpoint.dropped, { malformed: 0, otherVersion: 2, notAuthentic: 0 });
});

Deno.test("what is malformed, or not authentic, is counted and not answered", () => {
  const harness = registered();
  const prng = new Prng(1);
  for (let size = 0; size < 300; size++) {
    assertEquals(harness.give(prng.bytes(size)), false, `${size} bytes`);
  }
  assertEquals(harness.endpoint.dropped.malformed, 300);
  const types = Object.values(DatagramType).filter((type) => type !== DatagramType.Version);
  for (const type of types) {
    const [session, packet] = [4711, 0];
    const bytes = encodeDatagram({ type, session, packet }, [{ kind: "padding", size: 100 }]);
    for (const from of [STRANGER, DIRECTORY]) {
      assertEquals(harness.give(bytes, from), false, `type ${type}: there is nothing to drain`);
    }
  }
  assertEquals([harness.sent(), harness.events()], [[], []]);
  const { malformed, notAuthentic } = harness.endpoint.dropped;
  assertEquals(malformed + notAuthentic, 300 + 2 * types.length);
});

Deno.test("a session id is none that another session has", () => {
  // Random bytes that come again and again: each id is asked for twice at first.
  const ids = new Set<number>();
  const prng = new Prng(5);
  let last = new Uint8Array();
  const random = (size: number): Uint8Array => {
    if (size !== 4) return prng.bytes(size);
    const again = last;
    last = prng.bytes(4) as Uint8Array<ArrayBuffer>;
    return again.length === 4 && prng.chance(0.5) ? again : last;
  };
  const harness = registered({ random, admit: () => "accept" });
  for (let id = 2; id < 12; id++) {
    const peer = harness.requester(id);
    harness.request(peer);
    ids.add(new DataView(peer.seal().buffer).getUint32(4));
  }
  assertEquals(ids.size, 10);
  assertEquals(harness.endpoint.connections.length, 10);
});

Deno.test("a spurious timeout does nothing", () => {
  const connected = registered();
  connected.connectedWith(2);
  const requesting = registered();
  requesting.connect(2);
  for (const harness of [new EndpointHarness(), registered(), requesting, connected]) {
    harness.endpoint.handleTimeout(harness.now);
    harness.sent();
    harness.events();
    const before = harness.endpoint.nextTimeout();
    for (let times = 0; times < 50; times++) harness.endpoint.handleTimeout(harness.now);
    assertEquals([harness.sent(), harness.events()], [[], []]);
    assertEquals(harness.endpoint.nextTimeout(), before);
  }
});

Deno.test("a forged Unknown leaves connections and requests as they are", () => {
  const harness = registered();
  const { connection, peer } = harness.connectedWith(2);
  harness.want({ id: 3, name: "" });
  const [call] = harness.asked();
  const header = { ...call!.header, type: DatagramType.Unknown };
  harness.give(encodeDatagram(header, []), DIRECTORY);
  harness.advance(100);
  assertEquals(harness.endpoint.connections, [connection] as readonly Connection[]);
  assertEquals(harness.endpoint.calls[0]?.target.id, 3);
  connection.send("hi");
  const frames = framesOf(harness.sent());
  assert(frames.some(({ kind }) => kind === "message"));
  assertEquals(kindsOf(harness.receive(peer.seal({ kind: "connectionKeepalive" }))), ["ack"]);
});
