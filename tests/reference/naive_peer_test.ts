// A peer written from protocol/README.md alone works with a real client.
import { assert, assertEquals } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import {
  CLIENT_KEY,
  EPOCH,
  framesTo,
  FuzzedClient,
  type Outcome,
  SERVER,
} from "../fuzz/fuzzed_client.ts";
import { naiveDecode, naiveDecodeFrames, naiveEncodeFrames } from "./naive_codec.ts";
import * as naive from "./naive_handshake.ts";
import { Prng } from "../support/random.ts";
import type { Frame } from "../../protocol/wire/frame.ts";

const PEER: Address = { hostname: "192.0.2.2", port: 40_002 };
const STATIC = new Uint8Array(32).fill(7);
const EPHEMERAL = new Uint8Array(32).fill(8);
/** The peer's connection id. */
const LOCAL = 0x0a0b0c0d;

function registered(): FuzzedClient {
  const target = new FuzzedClient(new Prng(1), { timers: "adaptive" });
  target.register();
  return target;
}

/** The only datagram that the client sent. */
function only({ sent }: Outcome): Uint8Array {
  assertEquals(sent.length, 1);
  return sent[0]!.bytes;
}

function headerOf(datagram: Uint8Array): { type: number; connection: number } {
  const decoded = naiveDecode([...datagram]);
  assert(decoded.ok);
  return decoded.value.header;
}

async function open(key: Uint8Array, datagram: Uint8Array): Promise<readonly Frame[]> {
  const decoded = naiveDecodeFrames([...await naive.framesIn(key, datagram)]);
  assert(decoded !== undefined);
  return decoded.frames;
}

function seal(
  key: Uint8Array,
  header: readonly [type: number, connection: number, packet: number],
  ...frames: Frame[]
): Promise<Uint8Array> {
  return naive.sealedDatagram(key, header, Uint8Array.from(naiveEncodeFrames(frames)));
}

/** Exchanges texts and their acks. */
async function converse(
  target: FuzzedClient,
  [toClient, fromClient]: readonly [Uint8Array, Uint8Array],
  remote: number,
): Promise<void> {
  const message: Frame = { kind: "message", seq: 0, sender: 2, flags: 0, text: "привет" };
  const heard = target.receive(await seal(toClient, [5, remote, 0], message), PEER);
  const texts = heard.events.filter(({ kind }) => kind === "message");
  assertEquals(texts, [{ kind: "message", peer: 2, name: "ben", textSeq: 0, text: "привет" }]);
  const acks = (await open(fromClient, only(heard))).filter(({ kind }) => kind === "ack");
  assertEquals(acks, [{
    kind: "ack",
    cumulativeSeq: 1,
    largestPacket: 1,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  }]);
  target.client.send(target.now, "hi 👋");
  const said = only(target.drain());
  assertEquals(headerOf(said).connection, LOCAL);
  assertEquals((await open(fromClient, said)).at(-1), {
    ...{ kind: "message", seq: 0, sender: 1, flags: 0, text: "hi 👋" },
  });
  const ack: Frame = {
    kind: "ack",
    cumulativeSeq: 1,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  };
  const { events } = target.receive(await seal(toClient, [5, remote, 1], ack), PEER);
  assertEquals(events.map(({ kind }) => kind), ["delivered"]);
}

Deno.test("a naive requester connects to a client and exchanges texts", async () => {
  const target = registered();
  const key = CLIENT_KEY.publicKey;
  const payload = naive.requestPayload(2, 1, BigInt(EPOCH), "ben");
  const one = await naive.writeOne(STATIC, EPHEMERAL, key, payload);
  const rung = target.receive(await naive.requestDatagram(LOCAL, 0, one.message, key), PEER);
  assertEquals(rung.events.map(({ kind }) => kind), ["request"]);
  assertEquals(headerOf(only(rung)), { ...headerOf(only(rung)), type: 4, connection: LOCAL });
  assertEquals(await open(one.early.backward, only(rung)), [{ kind: "ringing", responder: 1 }]);
  target.client.accept(target.now);
  const [accept] = await open(one.early.backward, only(target.drain()));
  assert(accept?.kind === "connectionAccept");
  const end = await naive.readTwo(one, STATIC, EPHEMERAL, accept.messageTwo);
  const content = Array.from(end.payload);
  assertEquals(content.slice(0, 4), [0, 0, 0, 1]);
  const remote = content.slice(4, 8).reduce((sum, byte) => sum * 256 + byte);
  // The timestamp is between them.
  assertEquals(content.slice(16, 21), [4, 0x7a, 0x6f, 0xc3, 0xab]);
  await converse(target, [end.keys.forward, end.keys.backward], remote);
});

Deno.test("a client connects to a naive responder and exchanges texts", async () => {
  const target = registered();
  target.client.connect(target.now, 2);
  const [lookUp] = framesTo(SERVER, target.drain());
  assert(lookUp?.kind === "lookUp");
  const publicKey = naive.publicKeyOf(STATIC);
  const { nonce } = lookUp;
  const request = only(target.receiveAnswer({
    ...{ kind: "found", nonce, id: 2, name: "ben", address: PEER, publicKey },
  }));
  assertEquals(request.length, 299);
  const decoded = naiveDecode([...request]);
  assert(decoded.ok && decoded.value.sealed === undefined);
  const [frame, codes] = decoded.value.frames;
  assert(frame?.kind === "connectionRequest" && codes?.kind === "requestCodes");
  const { connection, messageOne } = frame;
  const again = await naive.requestDatagram(connection, 0, messageOne, publicKey);
  assertEquals(Array.from(request), Array.from(again));
  const read = await naive.readOne(STATIC, messageOne);
  assertEquals(Array.from(read.requesterStatic), Array.from(CLIENT_KEY.publicKey));
  assertEquals(Array.from(read.payload), [
    ...naive.requestPayload(1, 2, BigInt(EPOCH), "zoë"),
  ]);
  // The peer is under load and sends a cookie; the next Request proves it.
  const cookie = new Uint8Array(16).fill(9);
  target.receive(await naive.cookieDatagram(request, publicKey, 5n, cookie), PEER);
  const sent: Uint8Array[] = [];
  target.advance(1000, (outcome) => sent.push(...outcome.sent.map(({ bytes }) => bytes)));
  const shown = await naive.requestDatagram(connection, 1, messageOne, publicKey, cookie);
  assertEquals(sent.map((bytes) => Array.from(bytes)), [Array.from(shown)]);
  const packet = 2 ** 47 + 12345;
  const ringing = await seal(read.early.backward, [4, connection, packet], {
    ...{ kind: "ringing", responder: 2 },
  });
  assertEquals(target.receive(ringing, PEER).events.map(({ kind }) => kind), ["ringing"]);
  const two = await naive.writeTwo(read, EPHEMERAL, naive.acceptPayload(2, LOCAL, 1n, "ben"));
  const accept = await seal(read.early.backward, [4, connection, packet + 1], {
    ...{ kind: "connectionAccept", messageTwo: two.message },
  });
  const accepted = target.receive(accept, PEER);
  assertEquals(accepted.events.map(({ kind }) => kind), ["connected"]);
  assertEquals(await open(two.keys.forward, only(accepted)), [
    { kind: "ack", cumulativeSeq: 0, largestPacket: 0, delay: 0, packetBitmap: 0, ranges: [] },
  ]);
  await converse(target, [two.keys.backward, two.keys.forward], connection);
});
