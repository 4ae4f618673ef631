// What the fuzz tests found, each as a test of its own.
import { assert, assertEquals } from "@std/assert";
import { ReceivePool } from "../../protocol/connection/receive_pool.ts";
import { ReceiveQueue } from "../../protocol/connection/receive_queue.ts";
import { RECEIVE_SIZE_MAX, WINDOW } from "../../protocol/connection/send_queue.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { decodeFrames } from "../../protocol/wire/datagram.ts";
import { FLAG_MORE, type Frame, type Message } from "../../protocol/wire/frame.ts";
import { Prng } from "../support/random.ts";
import { CLIENT_KEY, FuzzedClient, type Outcome } from "./fuzzed_client.ts";
import { ResourceMonitor } from "./bounds.ts";
import { encodeFrames, HostilePeer, type PeerIdentity } from "./hostile_peer.ts";

const STRANGER: PeerIdentity = {
  id: 2,
  name: "mal",
  address: { hostname: "192.0.2.2", port: 40_002 },
  identity: new KeyPair(new Uint8Array(32).fill(2)),
};

/** A registered client, and a stranger with a session. */
function inSession(acceptAll: boolean): { target: FuzzedClient; peer: HostilePeer } {
  const prng = new Prng(1);
  const target = new FuzzedClient(prng, { acceptAll, timers: "adaptive" });
  target.register();
  const peer = new HostilePeer(prng, STRANGER);
  const { sent } = target.receive(peer.initiation(CLIENT_KEY.publicKey), STRANGER.address);
  peer.handleResponse(sent[0]!.bytes);
  return { target, peer };
}

function send({ target, peer }: ReturnType<typeof inSession>, ...frames: Frame[]): Outcome {
  return target.receive(peer.sealFrames(...frames), STRANGER.address);
}

Deno.test("a session is for one request: another one in it opens no second connection", () => {
  for (const isAtOnce of [true, false]) {
    const stage = inSession(isAtOnce);
    const { target, peer } = stage;
    const request = peer.requestFrame(1);
    const other = { ...request, request: request.request ^ 1, requester: 3 };
    send(stage, request, other);
    send(stage, other);
    if (!isAtOnce) {
      target.client.accept(target.now, 2);
      target.client.accept(target.now, 3);
      target.drain();
    }
    const { peer: current, others } = target.client.view();
    assertEquals([current?.id, others], [2, []]);
    // Nor may the one that there is be forgotten.
    let terminated = 0;
    for (let seconds = 0; seconds < 61; seconds++) {
      target.advance(1_000, ({ events }) => {
        terminated += events.filter(({ kind }) => kind === "terminated").length;
      });
    }
    assertEquals(terminated, 1);
  }
});

Deno.test("a packet with many requests, cancellations or challenges is answered by one as large", () => {
  const stage = inSession(false);
  const { peer } = stage;
  const { id } = STRANGER;
  const asked: Frame[][] = [
    Array(50).fill(peer.requestFrame(1)),
    Array(50).fill({ kind: "connectionTermination", sender: id, finalSeq: 0 }),
    Array.from({ length: 8 }, (_, i) => ({ kind: "pathChallenge", nonce: BigInt(i) })),
  ];
  for (const frames of asked) {
    const bytes = peer.sealFrames(...frames);
    const { sent } = stage.target.receive(bytes, STRANGER.address);
    assertEquals(sent.length, 1);
    assert(sent[0]!.bytes.length <= bytes.length, `${frames[0]!.kind}: ${sent[0]!.bytes.length}`);
  }
});

/** A Message of the stranger's. */
function message(seq: number, text: string, flags = 0): Message {
  return { kind: "message", seq, sender: STRANGER.id, flags, text };
}

Deno.test("large Messages that come early are taken only up to a bound, and the rest afterwards", () => {
  const stage = inSession(true);
  const { target, peer } = stage;
  send(stage, peer.requestFrame(1));
  const text = "x".repeat(64_000);
  const taken = Math.floor(RECEIVE_SIZE_MAX / text.length);
  let sent: Outcome["sent"] = [];
  for (let seq = 1; seq <= taken + 20; seq++) ({ sent } = send(stage, message(seq, text)));
  const acks = sent.flatMap(({ bytes }) => peer.open(bytes)).filter(({ kind }) => kind === "ack");
  assertEquals(acks.map((ack) => ack.kind === "ack" && ack.ranges), [[{ first: 1, last: taken }]]);
  let heard = 0;
  for (const seq of [0, ...Array.from({ length: 20 }, (_, i) => taken + 1 + i)]) {
    heard += send(stage, message(seq, text)).events.filter(({ kind }) => kind === "message").length;
  }
  assertEquals(heard, taken + 21);
  target.check();
});

Deno.test("a text that waits for the rest of it, or for others before it, keeps no other texts", () => {
  const other = message(0, "x".repeat(64_000));
  for (const [first, flags] of [[1, 0], [0, FLAG_MORE]] as const) {
    const monitor = new ResourceMonitor();
    const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
    for (let seq = first; seq < WINDOW; seq++) {
      const packet = encodeFrames([message(seq, "fifteen letters", flags), other]);
      const [frame] = decodeFrames(packet)?.frames ?? [];
      assert(frame?.kind === "message");
      assertEquals(queue.handleMessage(frame, []), "new");
    }
    monitor.check();
    // The queue is kept until here.
    assertEquals(queue.next, first === 0 ? WINDOW : 0);
  }
});
