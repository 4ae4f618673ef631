// What a client reports to its user about callers, and what it only counts.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { KNOWN_PAUSE, STRANGER_PAUSE, STRANGERS_MAX } from "../../client/state/callers.ts";
import { styles } from "../../cli/style.ts";
import { REPEATS_INTERVAL, REPEATS_PER_KEY } from "../../client/state/repeats.ts";
import { MISSED_REQUESTS_MAX } from "../../client/state/missed.ts";
import { Renderer } from "../../client/output/render.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { ClientOptions } from "../../client/view.ts";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { RejectReason } from "../../protocol/wire/frame.ts";
import { type ClientHarness, framesOf, kindsOf, registered } from "../support/client_harness.ts";
import type { FakeRequester } from "../support/fake_peer.ts";

const SURFACE = { isTyped: true, hasPrompt: true, columns: 80, style: styles(false) };

/** A client that knows only the keys in `friends`. */
function popular(options: Partial<ClientOptions> = {}): ClientHarness & { friends: KeyPair[] } {
  const friends: KeyPair[] = [];
  const isKnown = (key: Uint8Array): boolean =>
    friends.some(({ publicKey }) => publicKey.join() === key.join());
  return Object.assign(registered({ isKnown, ...options }), { friends });
}

/** Client `id` calls under a key of its own; returns what it is answered. */
function call(
  harness: ClientHarness,
  id: number,
  identity = harness.identityOf(id),
): { peer: FakeRequester; answer: string | undefined } {
  harness.now += 50;
  harness.sent();
  const peer = harness.requester(id, { identity });
  const [answer] = kindsOf(harness.request(peer));
  return { peer, answer };
}

function takeBack(harness: ClientHarness, peer: FakeRequester): void {
  harness.receive(peer.seal({ kind: "connectionTermination", sender: peer.id, finalSeq: 0 }));
}

function ofRequests(events: readonly ClientEvent[]): ClientEvent[] {
  return events.filter(({ kind }) => kind !== "serverLost");
}

function kindsAndPeers(events: readonly ClientEvent[]): string[] {
  return ofRequests(events).map((event) =>
    "peer" in event ? `${event.kind} ${event.peer}` : event.kind
  );
}

function missed(harness: ClientHarness): Extract<ClientEvent, { kind: "requests" }>["missed"] {
  harness.client.listRequests(harness.now);
  const event = harness.events().find(({ kind }) => kind === "requests");
  assert(event?.kind === "requests");
  return event.missed;
}

Deno.test("Client rings once for a key that calls 238 times in 10 s, and counts the others", () => {
  for (const isFriend of [false, true]) {
    const harness = popular();
    if (isFriend) harness.friends.push(harness.identityOf(2));
    for (let times = 0; times < 238; times++) {
      harness.now -= 8;
      takeBack(harness, call(harness, 2).peer);
    }
    assertEquals(kindsAndPeers(harness.events()), ["request 2", "requestEnded 2"]);
    assertEquals(missed(harness).map(({ id, why, times }) => [id, why, times]), [
      [2, "cancelled", 238],
    ]);
  }
});

Deno.test("Client prints one line about a peer that claims the id of a connected peer again and again", () => {
  const harness = popular();
  const { peer } = call(harness, 2);
  harness.client.accept(harness.now);
  harness.sent();
  harness.give(peer.seal({ kind: "connectionKeepalive" }));
  harness.events();
  const identity = makeKeyPair(harness.random);
  for (let times = 0; times < 198; times++) {
    assertEquals(call(harness, 2, identity).answer, "connectionReject");
  }
  assertEquals(kindsAndPeers(harness.events()), ["requestEnded 2"]);
  assertEquals(missed(harness).map(({ times }) => times), [198]);
});

Deno.test("Client reports 6 strangers a minute at most, whatever they do, and counts the others", () => {
  const harness = popular();
  const lines: ClientEvent[] = [];
  for (let id = 2; id < 202; id++) {
    const { peer, answer } = call(harness, id);
    if (answer === "ringing" && id % 3 > 0) takeBack(harness, peer);
    harness.now += 200;
    harness.client.handleTimeout(harness.now);
    lines.push(...ofRequests(harness.events()));
  }
  assertLessOrEqual(harness.now, 5000 + 60_000);
  assertEquals(lines.filter(({ kind }) => kind === "request").length, STRANGERS_MAX);
  assertLessOrEqual(lines.length, 2 * STRANGERS_MAX);
});

Deno.test("Client lets a known key through sixty strangers, which get through to the user no more", () => {
  const harness = popular();
  for (let id = 2; id < 62; id++) call(harness, id);
  harness.events();
  harness.friends.push(harness.identityOf(99));
  assertEquals(call(harness, 99).answer, "ringing");
  assertEquals(kindsAndPeers(harness.events()), ["request 99"]);
  harness.client.accept(harness.now, 99);
  assertEquals(kindsOf(harness.sent()).at(-1), "connectionAccept");
});

Deno.test("Client hides a request that the user was not told about until it reports it, or is asked", () => {
  const harness = popular();
  for (let id = 2; id < 2 + STRANGERS_MAX; id++) takeBack(harness, call(harness, id).peer);
  const { peer } = call(harness, 50);
  harness.events();
  const ids = (): number[] => harness.client.view().requests.map(({ id }) => id);
  assertEquals(ids(), []);
  // Nobody accepts what they have not seen.
  harness.client.accept(harness.now);
  assertEquals(kindsAndPeers(harness.events()), ["error"]);
  for (let waited = 0; waited < STRANGER_PAUSE; waited += 10_000) {
    harness.request(peer);
    harness.advance(10_000);
  }
  assertEquals(kindsAndPeers(harness.events()), ["request 50"]);
  assertEquals(ids(), [50]);

  call(harness, 51);
  harness.events();
  harness.client.listRequests(harness.now);
  assertEquals(ids(), [50, 51]);
  harness.client.reject(harness.now, 51);
  const [reject] = framesOf(harness.sent());
  assert(reject?.kind === "connectionReject" && reject.reason === RejectReason.declined);
  assertEquals(ids(), [50]);
});

Deno.test("Client shows a key that calls again at once, without another line, and it may be accepted", () => {
  const harness = popular();
  takeBack(harness, call(harness, 2).peer);
  call(harness, 2);
  assertEquals(kindsAndPeers(harness.events()), ["request 2", "requestEnded 2"]);
  // The prompt shows it.
  assertEquals(harness.client.view().requests.map(({ id }) => id), [2]);
  harness.client.accept(harness.now);
  assertEquals(kindsAndPeers(harness.events()), ["connected 2"]);
});

Deno.test("Client rejects without a word what was blocked before the user was told about it", () => {
  let isBlocked = false;
  const harness = popular({ isBlocked: () => isBlocked });
  harness.friends.push(harness.identityOf(2));
  takeBack(harness, call(harness, 2).peer);
  call(harness, 2);
  harness.events();
  isBlocked = true;
  assertEquals(kindsOf(harness.advance(KNOWN_PAUSE)).includes("connectionReject"), true);
  assertEquals([ofRequests(harness.events()), harness.client.view().requests], [[], []]);
});

Deno.test("Client forgets the missed requests of strangers first", () => {
  const harness = popular();
  harness.friends.push(harness.identityOf(2));
  takeBack(harness, call(harness, 2).peer);
  for (let id = 3; id < 60; id++) takeBack(harness, call(harness, id).peer);
  assertEquals([missed(harness).at(-1)?.id, missed(harness).length], [2, MISSED_REQUESTS_MAX]);
});

Deno.test("Client prints three lines about a connected peer that returns 100 times, and counts the others", () => {
  const harness = popular();
  call(harness, 2);
  harness.client.accept(harness.now);
  harness.events();
  const lines: (string | undefined)[] = [];
  const renderer = new Renderer(SURFACE);
  for (let times = 0; times < 100; times++) {
    assertEquals(call(harness, 2).answer, "connectionAccept");
    for (const event of harness.events()) {
      lines.push(...[renderer.event(event, new Date(0))].flat());
    }
  }
  assertEquals(lines.filter((line) => line !== undefined).length, REPEATS_PER_KEY);
  harness.now += REPEATS_INTERVAL;
  call(harness, 2);
  const [last] = harness.events().filter(({ kind }) => kind === "returned");
  assertEquals(last?.kind === "returned" && last.quietBefore, 100 - REPEATS_PER_KEY);
});
