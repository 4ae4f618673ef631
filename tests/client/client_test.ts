import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../client/client.ts";
import { FLAG_RESUMED, type Frame, RefusalReason } from "../../protocol/wire/frame.ts";
import { DIRECTORY_TIMEOUT } from "../../protocol/directory/outstanding.ts";
import {
  ClientHarness,
  framesOf,
  kindsOf,
  registered,
  requesting,
} from "../support/client_harness.ts";
import { DIRECTORY, SEEN_AT } from "../support/fake_directory.ts";

const ACCEPT: Frame = { kind: "connectionAccept", responder: 2, flags: 0, name: "ben" };

Deno.test("Client reports its registration, with the key of the directory", () => {
  const harness = new ClientHarness();
  const [first] = harness.sent();
  harness.give(harness.directory.challenge(harness.now, first!.bytes), DIRECTORY);
  harness.give(harness.directory.grant(harness.asked()[0]!, { id: 7 }), DIRECTORY);
  assertEquals(harness.events(), [{
    kind: "registered",
    id: 7,
    name: "ana",
    lostName: "",
    address: SEEN_AT,
    server: "localhost:7070",
    serverAddress: DIRECTORY,
    serverKey: harness.directory.identity.publicKey,
  }]);
});

Deno.test("Client ignores Connection Requests before it is registered", () => {
  const harness = new ClientHarness();
  harness.sent();
  assertEquals([harness.request(harness.requester(2)), harness.events()], [[], []]);
});

Deno.test("Client drops a request from itself, and from client 0", () => {
  const harness = registered();
  for (const id of [0, 1]) assertEquals(harness.request(harness.requester(id)), []);
  assertEquals(harness.events(), []);
});

Deno.test("Client replaces a request by a newer one from the same client, and tells its user once", () => {
  const harness = registered();
  const [older, newer] = [harness.requester(2), harness.requester(2)];
  harness.request(older);
  harness.request(newer);
  assertEquals(harness.eventKinds(), ["request"]);
  assertEquals(harness.client.view().requests.map(({ id }) => id), [2]);
  assertEquals(kindsOf(harness.request(older)), ["connectionReject"]);
  harness.client.accept(harness.now);
  assertEquals(newer.open(harness.sent()[0]!.bytes)[0]?.kind, "connectionAccept");
});

Deno.test("Client takes a repeated request in another session for the same one", () => {
  const harness = registered();
  const first = harness.requester(2);
  const { request } = first;
  harness.request(first);
  assertEquals(harness.events().length, 1);
  const second = Object.assign(harness.requester(2), { request });
  for (let times = 0; times < 3; times++) {
    assertEquals(second.open(harness.request(second)[0]!.bytes)[0]?.kind, "ringing");
  }
  assertEquals([harness.events(), harness.client.view().requests.length], [[], 1]);
});

Deno.test("Client rejects a request whose connection has ended, and uses no packet counter twice", () => {
  const harness = registered();
  const peer = harness.requester(2);
  const sent = harness.request(peer);
  harness.client.accept(harness.now);
  sent.push(...harness.sent());
  const frame: Frame = { kind: "connectionTermination", sender: 2, finalSeq: 0 };
  sent.push(...harness.receive(peer.seal(frame)));
  sent.push(...harness.request(peer));
  harness.advance(60_000);
  assertEquals(framesOf(sent).map(({ kind }) => kind), [
    "ringing",
    "connectionAccept",
    "connectionTerminationAck",
    "connectionReject",
  ]);
  assertEquals(sent.map(({ packet }) => packet), [0, 1, 2, 3]);
});

Deno.test("Client drops what answers a request that it did not make", () => {
  const [harness, other] = [registered(), requesting()];
  const answers: Frame[] = [
    ACCEPT,
    { kind: "connectionReject", responder: 2, reason: 1 },
    { kind: "ringing", responder: 2 },
  ];
  for (const answer of answers) assertEquals(harness.receive(other.peer.seal(answer)), []);
  assertEquals(harness.receive(other.peer.response), []);
  assertEquals(harness.events(), []);
  assertEquals(harness.client.dropped.notAuthentic, answers.length + 1);
});

Deno.test("Client drops an answer that is sealed with other keys than the request's session", () => {
  const harness = requesting();
  const stranger = harness.requester(66);
  for (const frame of [ACCEPT, { kind: "connectionReject", responder: 2, reason: 1 } as const]) {
    // The right session id, but another key.
    const forged = stranger.seal(frame);
    forged.set(harness.peer.seal().subarray(4, 8), 4);
    assertEquals(harness.receive(forged), []);
  }
  assertEquals(harness.events(), []);
  assertEquals(harness.client.dropped.notAuthentic, 2);
  harness.receive(harness.peer.seal(ACCEPT));
  assertEquals(harness.eventKinds(), ["connected"]);
});

Deno.test("Client ignores an Accept that names another client than the requested one", () => {
  const harness = requesting();
  harness.receive(harness.peer.seal({ ...ACCEPT, responder: 3, name: "eve" } as Frame));
  assertEquals([harness.events(), harness.client.view().state], [[], "requesting"]);
});

Deno.test("Client connects with the requested client, under the key from the directory", () => {
  const harness = requesting();
  harness.receive(harness.peer.seal(ACCEPT));
  const [event] = harness.events();
  assert(event?.kind === "connected");
  assertEquals([event.peer, event.name, event.key], [2, "ben", harness.identityOf(2).publicKey]);
  assertEquals(event.hash, harness.peer.session.hash);
});

Deno.test("Client tells that its peer is back, with the hash of the new session", () => {
  const harness = requesting();
  harness.receive(harness.peer.seal(ACCEPT));
  harness.events();
  harness.now += 1000;
  const peer = harness.requester(2);
  harness.request(peer);
  const key = harness.identityOf(2).publicKey;
  const { hash } = peer.session;
  assertEquals(harness.events(), [
    { kind: "returned", peer: 2, name: "ben", key, hash, who: "peer" },
  ]);
  assertEquals(harness.client.view().peer?.id, 2);
});

Deno.test("Client tells that it is back itself", () => {
  const harness = requesting();
  harness.receive(harness.peer.seal({ ...ACCEPT, flags: FLAG_RESUMED } as Frame));
  const [connected, returned, ...more] = harness.events();
  assertEquals([connected?.kind, more], ["connected", []]);
  assert(returned?.kind === "returned");
  assertEquals([returned.who, returned.peer, returned.name], ["self", 2, "ben"]);
});

Deno.test("Client with accept-all accepts at once, and rejects a blocked peer", () => {
  const harness = registered({ acceptAll: true });
  assertEquals(kindsOf(harness.request(harness.requester(2))), ["connectionAccept"]);
  assertEquals(harness.eventKinds(), ["connected"]);
  const blocking = registered({ acceptAll: true, isBlocked: () => true });
  assertEquals(kindsOf(blocking.request(blocking.requester(2))), ["connectionReject"]);
  assertEquals(blocking.events(), []);
});

Deno.test("Client ignores a spurious timeout", () => {
  for (const harness of [new ClientHarness(), registered(), requesting()]) {
    harness.sent();
    harness.events();
    const before = harness.client.nextTimeout();
    for (let times = 0; times < 50; times++) harness.client.handleTimeout(harness.now);
    assertEquals([harness.sent(), harness.events(), harness.client.nextTimeout()], [
      [],
      [],
      before,
    ]);
  }
});

Deno.test("Client reports a failed command by an event, never by an exception", () => {
  const commands: ((client: Client, now: number) => void)[] = [
    (client, now) => client.connect(now, 2),
    (client, now) => client.cancel(now),
    (client, now) => client.accept(now),
    (client, now) => client.reject(now, "nobody"),
    (client, now) => client.send(now, "hi"),
    (client, now) => client.terminate(now),
    (client, now) => client.list(now),
  ];
  for (const command of commands) {
    const harness = new ClientHarness();
    command(harness.client, harness.now);
    const [event, ...more] = harness.events();
    assertEquals([event?.kind, more], ["error", []]);
  }
});

Deno.test("Client does not request itself by its name", () => {
  const harness = registered();
  harness.client.connect(harness.now, "Ana");
  assertEquals(harness.events().map((event) => event.kind === "error" && event.code), ["self"]);
  assertEquals(harness.sent(), []);
});

Deno.test("Client reports what a directory cannot answer now, and goes on", () => {
  const harness = registered();
  harness.client.connect(harness.now, "ben");
  harness.client.list(harness.now);
  harness.client.rename(harness.now, "zoe");
  const asked = harness.asked();
  assertEquals(asked.map(({ frame }) => frame.kind), ["call", "list", "credentials"]);
  const { unavailable: reason } = RefusalReason;
  const refused = { kind: "refused", reason } as const;
  for (const each of asked.slice(0, 2)) harness.give(each.answer(refused), DIRECTORY);
  harness.give(harness.directory.challenge(harness.now, asked[2]!.bytes), DIRECTORY);
  const [register] = harness.asked();
  harness.give(register!.refuse(reason), DIRECTORY);
  const message = "The directory at localhost:7070 cannot answer now · try again in a moment";
  const error = { kind: "error", code: "serverUnavailable", message } as const;
  assertEquals(harness.events(), [
    { ...error, of: "list" },
    { ...error, of: { calledAs: "ben" } },
    { ...error, of: "nick" },
  ]);
  assertEquals([harness.client.view().state, harness.client.view().calls], ["idle", []]);
});

Deno.test("Client tells of several directories what none of them does", () => {
  const serverName = "a.example:7070,b.example:7071";
  const at = "directories at a.example:7070 and b.example:7071";
  const harness = registered({ serverName });
  harness.client.list(harness.now);
  const [list] = harness.asked();
  harness.give(
    list!.answer({ kind: "refused", reason: RefusalReason.unavailable }),
    DIRECTORY,
  );
  harness.client.connect(harness.now, "ben");
  harness.now += DIRECTORY_TIMEOUT;
  harness.client.handleTimeout(harness.now);
  const errors = harness.events().map((event) => event.kind === "error" ? event.message : "");
  assertEquals(errors.filter((message) => message !== ""), [
    `The ${at} cannot answer now · try again in a moment`,
    `No answer from the ${at}`,
  ]);
  const full = new ClientHarness({ serverName });
  const [first] = full.sent();
  full.give(full.directory.challenge(full.now, first!.bytes), DIRECTORY);
  full.give(full.asked()[0]!.refuse(RefusalReason.full), DIRECTORY);
  const [refused] = full.events();
  assertEquals(refused?.kind === "error" && refused.message, `The ${at} are full`);
});

Deno.test("Client whose first registration cannot be answered says so, and ends after 30 s", () => {
  const harness = new ClientHarness();
  for (const wait of [0, 5000, 5000, 5000, 5000, 5000, 5000]) {
    harness.now += wait;
    harness.client.handleTimeout(harness.now);
    const [first] = harness.sent();
    if (first === undefined) break;
    harness.give(harness.directory.challenge(harness.now, first.bytes), DIRECTORY);
    const [register] = harness.asked();
    harness.give(register!.refuse(RefusalReason.unavailable), DIRECTORY);
  }
  const [unavailable, error, left, ...more] = harness.events();
  assertEquals(unavailable, { kind: "serverUnavailable", server: "localhost:7070" });
  assert(error?.kind === "error" && error.code === "serverUnavailable");
  assertEquals([left?.kind, more], ["left", []]);
});

Deno.test("Client ends where only a directory with another key answers, and says so", () => {
  const trust = { isTrusted: () => false, refusal: () => "has another key than before" };
  const harness = new ClientHarness({ trust });
  const [first] = harness.sent();
  harness.give(harness.directory.challenge(harness.now, first!.bytes), DIRECTORY);
  harness.advance(12_000);
  const [error, left] = harness.events().filter(({ kind }) => kind !== "serverLost");
  assert(error?.kind === "error" && error.code === "serverKey");
  assertEquals(error.message, "The directory at localhost:7070 has another key than before");
  assertEquals(left?.kind, "left");
});
