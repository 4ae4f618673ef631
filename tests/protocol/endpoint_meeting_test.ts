// An endpoint that its directory introduces to others, and whose datagrams the directory carries.
import { assert, assertEquals } from "@std/assert";
import type { Connection } from "../../protocol/connection/connection.ts";
import { CALL_AGAIN } from "../../protocol/connection/outgoing_request.ts";
import {
  CALL_INTERVAL,
  CARRIED_CALL_INTERVAL,
  SILENCE_WAITING,
} from "../../protocol/connection/recall.ts";
import { DIRECTORY_TIMEOUT } from "../../protocol/directory/outstanding.ts";
import type { EndpointOptions } from "../../protocol/endpoint.ts";
import { PUNCH_SCHEDULE } from "../../protocol/session/path.ts";
import { carriedTo } from "../../protocol/wire/remote.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  CALL_SIZE,
  DatagramType,
  FLAG_CALLER,
  FLAG_NEAR,
  type Frame,
  type Meeting,
} from "../../protocol/wire/frame.ts";
import { EndpointHarness, kindsOf, type Sent, STRANGER } from "../support/endpoint_harness.ts";
import { type Asked, DIRECTORY } from "../support/fake_directory.ts";
import type { FakeRequester } from "../support/fake_peer.ts";
import { Prng } from "../support/random.ts";

const ELSEWHERE: Address = { hostname: "198.51.100.77", port: 77 };
const OWN: Address = { hostname: "192.168.1.7", port: 7 };
const KEEPALIVE: Frame = { kind: "connectionKeepalive" };

/** An endpoint with the id 1, and what is said over its directory. */
class Stage extends EndpointHarness {
  constructor(options: Partial<EndpointOptions> = {}, timers: "adaptive" | "fixed" = "adaptive") {
    super(options, timers);
    this.register();
  }

  /** The directory announces client `id`, which calls; returns what the endpoint sends. */
  tellOf(id: number, fields: Partial<Meeting> = {}): Sent[] {
    return [...this.notify(this.meeting(id, fields)), ...this.wait(0)];
  }

  /** The directory carries a datagram of client `id`; returns the datagrams to be carried back. */
  carry(id: number, datagram: Uint8Array): Uint8Array[] {
    return carriedIn(this.notify({ kind: "carried", from: id, datagram }), id);
  }

  /** A peer that is reached by the directory alone: returns it, and its connection. */
  carriedWith(id: number): { peer: FakeRequester; connection: Connection } {
    this.tellOf(id, { addresses: [] });
    const peer = this.stranger(id);
    const [response] = this.carry(id, peer.initiation);
    assert(response !== undefined, "there is no Response");
    peer.handleResponse(response);
    this.carry(id, peer.seal(peer.requestFrame()));
    const connection = this.accept();
    const accept = carriedIn(this.sent(), id).flatMap((bytes) => peer.open(bytes));
    assert(accept.some(({ kind }) => kind === "connectionAccept"));
    this.carry(id, peer.seal(KEEPALIVE));
    this.events();
    return { peer, connection };
  }

  /** Lets the time go on; returns when the directory is called, in ms from now, and the Calls. */
  calls(ms: number, onTimeout: () => void = () => {}): [at: number, call: Asked][] {
    const start = this.now;
    const calls: [number, Asked][] = [];
    for (;;) {
      const next = this.endpoint.nextTimeout();
      if (next === undefined || next > start + ms) break;
      this.now = Math.max(this.now, next);
      this.endpoint.handleTimeout(this.now);
      onTimeout();
      for (const { to, bytes, frames: [frame] } of this.sent()) {
        if (!sameAddress(to, DIRECTORY)) continue;
        const asked = this.directory.read(this.now, bytes);
        if (frame?.kind === "call") calls.push([this.now - start, asked]);
        else if (frame?.kind === "leaseKeepalive") {
          this.give(asked.answer({ kind: "leaseKeepaliveAck", lease: 1e9 }), DIRECTORY);
        }
      }
    }
    this.now = start + ms;
    return calls;
  }
}

/** The datagrams for client `id` that the directory is given. */
function carriedIn(sent: readonly Sent[], id: number): Uint8Array[] {
  return sent.flatMap(({ to, frames: [frame] }) => {
    if (frame?.kind !== "carry") return [];
    assertEquals([to, frame.to, frame.number], [DIRECTORY, id, BigInt(id) << 32n]);
    return [frame.datagram];
  });
}

function punchesIn(sent: readonly Sent[]): Address[] {
  return sent.filter(({ frames }) => frames[0]?.kind === "punch").map(({ to }) => to);
}

Deno.test("a client that is called sends Punches to the caller by the schedule, and tells the user nothing", () => {
  const stage = new Stage();
  const addresses = [STRANGER, ELSEWHERE];
  const first = stage.tellOf(2, { addresses, number: 5n });
  assertEquals(punchesIn(first), addresses);
  assertEquals(first.map(({ frames }) => frames), [
    [{ kind: "punch", number: 5n }],
    [{ kind: "punch", number: 5n }],
  ]);
  const more = punchesIn(stage.advance(10_000));
  assertEquals(more.length, 2 * (PUNCH_SCHEDULE.length - 1));
  assertEquals(stage.events(), []);
});

Deno.test("a key that may not be met is not punched, nor is anything carried to it", () => {
  const stage = new Stage({ mayMeet: (key) => key[0] !== 7 });
  const publicKey = new Uint8Array(32).fill(7);
  assertEquals(stage.tellOf(2, { publicKey }), []);
  assertEquals(stage.advance(10_000), []);
  const peer = stage.stranger(2);
  assertEquals(stage.carry(2, peer.initiation), [], "there is no number to answer with");
  assertEquals(punchesIn(stage.tellOf(3)), [STRANGER]);
});

Deno.test("a Meeting that answers no call of now leads to nothing but Punches", () => {
  const stage = new Stage();
  stage.tellOf(2, { flags: FLAG_CALLER });
  assertEquals([stage.endpoint.calls[0], stage.endpoint.requests], [undefined, []]);
  // Somebody calls while this client calls somebody else.
  stage.want({ id: 0, name: "ben" });
  stage.tellOf(2, { name: "bea" });
  stage.tellOf(3);
  assertEquals(stage.endpoint.calls[0]?.peer, undefined);
});

Deno.test("a Meeting because the wanted peer calls answers this client's call, too", () => {
  for (const target of [{ id: 2, name: "" }, { id: 0, name: "Ben" }]) {
    const stage = new Stage();
    stage.want(target);
    const [call] = stage.asked();
    const sent = stage.tellOf(2, { name: "ben" });
    assertEquals([...new Set(kindsOf(sent))].toSorted(), ["initiation", "macs", "punch"]);
    assertEquals(stage.endpoint.calls[0]?.peer, 2);
    // The answer to its own call says nothing new.
    stage.receive(call!.answer(stage.meeting(2, { flags: FLAG_CALLER })), DIRECTORY);
    assertEquals(stage.calls(CALL_AGAIN - 1), []);
  }
});

Deno.test("an Initiation that was carried is answered by way of the directory, and so is what follows", () => {
  const stage = new Stage();
  const { peer, connection } = stage.carriedWith(2);
  assertEquals(connection.session.address, carriedTo(2));
  connection.send("hi");
  const texts = carriedIn(stage.sent(), 2).flatMap((bytes) => peer.open(bytes))
    .flatMap((frame) => frame.kind === "message" ? [frame.text] : []);
  assertEquals(texts, ["hi"]);
  const text: Frame = { kind: "message", seq: 0, sender: 2, flags: 0, text: "there" };
  stage.carry(2, peer.seal(text));
  assert(stage.events().some((event) => event.kind === "message" && event.text === "there"));
});

Deno.test("nothing goes to the address that stands for the directory's carrying", () => {
  const stage = new Stage();
  const { connection } = stage.carriedWith(2);
  connection.send("x".repeat(20_000));
  const sent = [...stage.sent(), ...stage.advance(20_000)];
  assert(sent.every(({ to }) => !to.hostname.startsWith("100::")));
});

Deno.test("a datagram to be carried is lost where that client was not met, and nothing else is", () => {
  const stage = new Stage();
  const peer = stage.stranger(9);
  assertEquals(stage.notify({ kind: "carried", from: 9, datagram: peer.initiation }), []);
  // The session is there all the same: it opens what comes directly.
  const second = stage.requester(3);
  assertEquals(kindsOf(stage.request(second)), ["ringing"]);
});

Deno.test("only what clients say to each other is carried: not what a directory says, nor a Punch", () => {
  const carried = new Set<number>();
  const { Initiation, Response, Cookie, Packet } = DatagramType;
  for (const type of Object.values(DatagramType)) {
    const stage = new Stage();
    stage.tellOf(2);
    const { dropped } = stage.endpoint;
    const bytes = encodeDatagram({ type, session: 4711, packet: 0 }, [{
      kind: "padding",
      size: 50,
    }]);
    assertEquals(stage.carry(2, bytes), []);
    // Those that are carried are looked at: the others are malformed.
    if (dropped.malformed === 0) carried.add(type);
    assertEquals(dropped.malformed + dropped.notAuthentic, 1, `type ${type}`);
  }
  assertEquals([...carried].toSorted(), [Initiation, Response, Cookie, Packet].toSorted());
});

Deno.test("a Notice that is carried does not make the directory say more", () => {
  const stage = new Stage();
  stage.tellOf(2);
  const inner = stage.directory.notice(1, stage.meeting(3));
  assertEquals(stage.carry(2, inner), []);
  assertEquals(punchesIn(stage.advance(2_000)).filter((to) => !sameAddress(to, STRANGER)), []);
  const short = new Stage();
  for (let size = 0; size < 16; size++) short.carry(2, new Uint8Array(size));
  assertEquals(short.endpoint.dropped.malformed, 16);
});

Deno.test("a socket that claims to be the directory's carrying is not heard", () => {
  const stage = new Stage();
  stage.tellOf(2);
  const peer = stage.stranger(2);
  const from = [carriedTo(2), carriedTo(9), { hostname: "100::1:2:3", port: 9 }];
  for (const each of from) assertEquals(stage.receive(peer.initiation, each), []);
  assertEquals(stage.carry(2, peer.initiation).length, 1);
  assertEquals(stage.endpoint.dropped, { malformed: 0, otherVersion: 0, notAuthentic: 0 });
});

Deno.test("a connection whose peer is silent has the directory called, again and again", () => {
  const stage = new Stage();
  const { connection } = stage.connectedWith(2);
  connection.send("is anybody there?");
  const times: number[] = [];
  const start = stage.now;
  while (times.length < 3) {
    const [[, call]] = stage.calls(CALL_INTERVAL) as [[number, Asked]];
    times.push(stage.now - start);
    assertEquals<Frame>(call.frame, { kind: "call", id: 2, name: "" });
    assertEquals(call.bytes.length, CALL_SIZE);
    stage.receive(call.answer(stage.meeting(2)), DIRECTORY);
  }
  assertEquals(times, [0, 1, 2].map((count) => SILENCE_WAITING + count * CALL_INTERVAL));
  assertEquals(stage.requestEvents(), [], "the user is told nothing of that");
});

Deno.test("a call of the user that is not answered is sent again each second at the latest", () => {
  const stage = new Stage();
  stage.endpoint.connect(stage.now, { id: 9, name: "" });
  const times = stage.calls(4_000).map(([at]) => at);
  assertEquals(times, [0, 200, 400, 800, 1_600, 2_600, 3_600]);
});

Deno.test("while the directory is silent, too, there is one call for each peer, and room for the user's", () => {
  const stage = new Stage();
  for (const id of [2, 3, 4, 5]) {
    stage.now += 100;
    stage.connectedWith(id);
  }
  for (const connection of stage.endpoint.connections) connection.send("is anybody there?");
  // The time between two of the same peer grows, as where any question is sent again.
  const times = stage.calls(25_000).filter(([, { frame }]) => "id" in frame && frame.id === 2)
    .map(([at]) => at);
  assertEquals(times.map((at) => at - times[0]!), [0, 200, 400, 800, 1_600, 3_200, 6_400, 12_800]);
  assertEquals(stage.endpoint.connect(stage.now, { id: 9, name: "" }).ok, true);
});

Deno.test("a connection whose peer is heard makes no call", () => {
  const stage = new Stage();
  const { peer } = stage.connectedWith(2);
  let heardAt = stage.now;
  const calls = stage.calls(120_000, () => {
    if (stage.now < heardAt + 3_000) return;
    heardAt = stage.now;
    stage.give(peer.seal(KEEPALIVE));
  });
  assertEquals(calls, []);
});

Deno.test("a call that nobody asked for fails no request, whatever its answer", () => {
  const stage = new Stage();
  const { connection } = stage.connectedWith(2);
  connection.send("is anybody there?");
  const [[, call]] = stage.calls(SILENCE_WAITING) as [[number, Asked]];
  stage.want({ id: 3, name: "" });
  stage.give(call.answer({ kind: "inactive", id: 2, name: "" }), DIRECTORY);
  assertEquals(stage.requestEvents(), []);
  assertEquals(stage.endpoint.calls[0]?.target, { id: 3, name: "" });
});

Deno.test("what the call of a silent peer tells is challenged: the peer is found elsewhere", () => {
  const stage = new Stage();
  const { peer, connection } = stage.connectedWith(2);
  connection.send("is anybody there?");
  const [[, call]] = stage.calls(SILENCE_WAITING) as [[number, Asked]];
  const meeting = stage.meeting(2, { addresses: [ELSEWHERE], flags: FLAG_CALLER });
  const sent = stage.receive(call.answer(meeting), DIRECTORY);
  assertEquals(punchesIn(sent), [], "a challenge opens the way as well");
  const challenge = sent.find(({ to }) => sameAddress(to, ELSEWHERE))?.frames[0];
  assert(challenge?.kind === "pathChallenge");
  stage.give(peer.seal({ ...challenge, kind: "pathResponse" }), ELSEWHERE);
  assertEquals(connection.session.address, ELSEWHERE);
});

Deno.test("the peer of a connection that calls is challenged where it is, too, without Punches", () => {
  const stage = new Stage();
  stage.connectedWith(2);
  const sent = stage.tellOf(2, { addresses: [ELSEWHERE] });
  assertEquals(punchesIn(sent), []);
  assert(sent.some(({ to }) => sameAddress(to, ELSEWHERE)));
  // Not one with another key under the same id.
  const other = new Stage();
  other.connectedWith(2);
  const { publicKey } = other.identityOf(9);
  const elsewhere = other.tellOf(2, { addresses: [ELSEWHERE], publicKey });
  assertEquals(punchesIn(elsewhere), [ELSEWHERE]);
  assertEquals(kindsOf(elsewhere), ["punch"]);
});

Deno.test("while a peer is reached by the directory alone it is called every 25 s, so that the number lives", () => {
  const stage = new Stage();
  const { peer } = stage.carriedWith(2);
  const calls: number[] = [];
  const start = stage.now;
  for (let count = 0; count < 4; count++) {
    let heardAt = stage.now;
    const [[, call]] = stage.calls(CARRIED_CALL_INTERVAL, () => {
      if (stage.now < heardAt + 1_000) return;
      heardAt = stage.now;
      const carried: Frame = { kind: "carried", from: 2, datagram: peer.seal(KEEPALIVE) };
      stage.give(stage.directory.notice(1, carried), DIRECTORY);
    }) as [[number, Asked]];
    calls.push(stage.now - start);
    const answer = stage.meeting(2, { addresses: [], flags: FLAG_CALLER });
    stage.receive(call.answer(answer), DIRECTORY);
  }
  assertEquals(calls, [1, 2, 3, 4].map((count) => count * CARRIED_CALL_INTERVAL));
});

Deno.test("the number of the last meeting is the one that is carried for", () => {
  const stage = new Stage();
  const { connection } = stage.carriedWith(2);
  stage.tellOf(2, { addresses: [], number: 99n });
  connection.send("hi");
  const numbers = stage.sent().flatMap(({ frames: [frame] }) =>
    frame?.kind === "carry" ? [frame.number] : []
  );
  assertEquals(new Set(numbers), new Set([99n]));
});

Deno.test("a peer that requests after it called is looked for where the directory said", () => {
  const stage = new Stage({ localAddresses: () => [OWN] });
  stage.tellOf(2, { addresses: [ELSEWHERE], flags: FLAG_NEAR });
  const peer = stage.requester(2);
  const sent = stage.request(peer);
  const to = (address: Address): string[] =>
    kindsOf(sent.filter((each) => sameAddress(each.to, address)));
  assertEquals(to(ELSEWHERE), ["pathChallenge"]);
  assert(to(STRANGER).includes("candidates"), "it is near: it is told this end's own addresses");
  // Who claims that id with another key is not.
  const impostor = new Stage({ localAddresses: () => [OWN] });
  impostor.tellOf(2, { addresses: [ELSEWHERE], flags: FLAG_NEAR });
  const other = impostor.requester(2, { identity: impostor.identityOf(66) });
  assertEquals(kindsOf(impostor.request(other)), ["ringing"]);
});

Deno.test("an endpoint that leaves makes no call", () => {
  const stage = new Stage();
  const { connection } = stage.connectedWith(2);
  connection.send("never acknowledged");
  stage.endpoint.leave(stage.now);
  assertEquals(stage.calls(25_000), []);
});

Deno.test("a datagram of random bytes that is carried does no harm", () => {
  const stage = new Stage();
  stage.tellOf(2);
  const prng = new Prng(1);
  for (let size = 0; size < 300; size++) {
    const bytes = prng.bytes(size);
    if (size > 3) bytes[3] = prng.pick([5, 6, 7, 8]);
    assertEquals(stage.carry(2, bytes), []);
  }
  const { malformed, otherVersion, notAuthentic } = stage.endpoint.dropped;
  assertEquals(malformed + otherVersion + notAuthentic, 300);
});

Deno.test("a call of a silent peer that is answered when the connection has ended leads to nothing", () => {
  const stage = new Stage();
  const { connection } = stage.connectedWith(2);
  connection.send("is anybody there?");
  const [[, call]] = stage.calls(SILENCE_WAITING) as [[number, Asked]];
  connection.abandon(stage.now, "local");
  stage.give(call.answer(stage.meeting(2, { flags: FLAG_CALLER })), DIRECTORY);
  assertEquals(punchesIn(stage.wait(0)), []);
});

Deno.test("a call of a silent peer that is not answered fails no request of the user's", () => {
  const stage = new Stage();
  stage.connectedWith(2).connection.send("is anybody there?");
  stage.calls(SILENCE_WAITING + 10_000);
  stage.want({ id: 3, name: "" });
  stage.calls(DIRECTORY_TIMEOUT - 10_000);
  assertEquals(stage.requestEvents(), []);
  stage.calls(10_000);
  assertEquals(stage.requestEvents(), ["requestFailed: directoryTimeout"]);
});

Deno.test("a peer that the directory announced is heard in a flood of strangers, directly and carried", () => {
  const stage = new Stage();
  const recording = stage.stranger(9).initiation;
  const flood = (): void => {
    for (let left = 2000; left > 0; left--) stage.receive(recording, ELSEWHERE);
  };
  flood();
  assertEquals(stage.receive(stage.stranger(2).initiation, STRANGER), []);
  stage.tellOf(2, { addresses: [STRANGER] });
  flood();
  const direct = stage.receive(stage.stranger(2).initiation, { ...STRANGER, port: 1 });
  assertEquals(kindsOf(direct), ["response"]);
  assertEquals(stage.carry(2, stage.stranger(2).initiation).length, 1);
});
