import { assertEquals } from "@std/assert";
import {
  IncomingRequests,
  PENDING_EXPIRY,
  REQUEST_MEMORY,
  SHARED_IDS_MAX,
  TIMESTAMPS_MAX,
} from "../../../protocol/connection/incoming_requests.ts";
import { framesOf, registered } from "../../support/client_harness.ts";
import { FakeRequest } from "../../support/fake_peer.ts";
import { Prng } from "../../support/random.ts";

const prng = new Prng(1);
const CONTENT = { requester: 2, responder: 1, name: "" };

Deno.test("a request that was accepted does not ring again by a recording, however many strangers come", () => {
  const lone = registered();
  const { bytes } = lone.request(2, 22);
  lone.receive(bytes);
  lone.client.accept(lone.now, 2);
  lone.sent();
  for (let left = TIMESTAMPS_MAX + 1; left > 0; left--) {
    lone.now += 100;
    lone.client.handleTimeout(lone.now);
    const stranger = new FakeRequest(lone.random, lone.identity.publicKey, { connection: left });
    lone.receive(stranger.bytes);
  }
  lone.now += PENDING_EXPIRY + REQUEST_MEMORY;
  lone.client.handleTimeout(lone.now);
  lone.sent();
  lone.events();
  assertEquals([framesOf(lone.receive(bytes)), lone.events()], [[], []]);
});

Deno.test("a Handshake datagram is tried under a few keys at most, however many requests share its id", () => {
  const lone = registered();
  const requests = Array.from({ length: 3 * SHARED_IDS_MAX }, (_, index) => {
    lone.now += 100;
    const words = { requester: 100 + index, responder: 9, connection: 22 };
    const request = new FakeRequest(lone.random, lone.identity.publicKey, words);
    lone.receive(request.bytes);
    return request;
  });
  const acked = requests.filter((request) => {
    const said = { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 0 } as const;
    return framesOf(lone.receive(request.seal(said))).length > 0;
  });
  assertEquals(acked, requests.slice(0, SHARED_IDS_MAX));
});

Deno.test("IncomingRequests forgets the timestamp of one key for that of another, not of the same", () => {
  const book = new IncomingRequests(prng.bytes, 0);
  const keys = Array.from({ length: TIMESTAMPS_MAX }, () => prng.bytes(32));
  for (const key of keys) book.note(key, 5n);
  for (let timestamp = 6n; timestamp < 20n; timestamp++) book.note(keys[7]!, timestamp);
  const isNewer = (key: Uint8Array, timestamp: bigint): boolean =>
    book.isNewer(key, { ...CONTENT, timestamp });
  assertEquals(keys.filter((key) => isNewer(key, 5n)), []);
  book.note(prng.bytes(32), 2n ** 64n - 1n);
  assertEquals(keys.filter((key) => isNewer(key, 5n)), [keys[0]]);
  assertEquals([isNewer(keys[1]!, 6n), isNewer(keys[7]!, 19n)], [true, false]);
});
