import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { ANSWERS_MAX } from "../client/requests.ts";
import { encodeDatagram } from "../protocol/datagram.ts";
import { DatagramType, type Frame, RejectReason, REQUEST_SIZE_MIN } from "../protocol/frame.ts";
import { PENDING_REQUESTS_MAX, REQUESTS_MAX } from "../protocol/incoming_requests.ts";
import { framesOf, registered, STRANGER } from "./lone_client.ts";
import { Prng } from "./random.ts";

Deno.test("Client lets 16 requests wait; the next one hears busy, and nothing of it is kept", () => {
  const lone = registered();
  for (let requester = 2; requester < 2 + PENDING_REQUESTS_MAX; requester++) {
    assertEquals(framesOf(lone.hearRequest(requester, 100 + requester))[0]?.kind, "ringing");
  }
  const [answer] = framesOf(lone.hearRequest(99, 199));
  assert(answer?.kind === "connectionReject" && answer.reason === RejectReason.busy);
  assertEquals(lone.told().length, PENDING_REQUESTS_MAX);
  assertEquals(lone.client.view().requests.length, PENDING_REQUESTS_MAX);
});

Deno.test("Client remembers a bounded number of requests, and no pending one is lost to others", () => {
  const lone = registered();
  lone.hearRequest(2, 22);
  for (let connection = 1; connection <= 2 * REQUESTS_MAX; connection++) {
    lone.hearRequest(3, connection);
    lone.client.reject(lone.now, 3);
    lone.sent();
  }
  assertEquals(lone.client.view().requests.map(({ id }) => id), [2]);
  lone.told();
  assertEquals(framesOf(lone.hearRequest(2, 22))[0]?.kind, "ringing");
  assertEquals(lone.told(), []);
  // The newest answer still sticks, the oldest is forgotten.
  assertEquals(framesOf(lone.hearRequest(3, 2 * REQUESTS_MAX))[0]?.kind, "connectionReject");
  assertEquals(framesOf(lone.hearRequest(3, 1))[0]?.kind, "ringing");
});

Deno.test("Client answers no datagram with more bytes than it has", () => {
  const request: Frame = {
    kind: "connectionRequest",
    requester: 2,
    responder: 1,
    connection: 22,
    name: "",
  };
  const termination: Frame = {
    kind: "connectionTermination",
    sender: 2,
    connection: 22,
    finalSeq: 0,
  };
  const many = (frame: Frame): Frame[] => Array<Frame>(70).fill(frame);
  for (const type of [1, 2, 3, 4] as const) {
    for (const frames of [[request], [termination], many(request), many(termination)]) {
      const bytes = encodeDatagram({ type, connection: 0, packet: 0 }, frames);
      const answers = registered().hear(type, frames);
      const size = answers.reduce((sum, each) => sum + each.size, 0);
      assertLessOrEqual(size, bytes.length, `${frames.length} in a datagram of type ${type}`);
    }
  }
});

Deno.test("Client reads the first frame of a Handshake datagram only", () => {
  const lone = registered();
  const requests = [2, 3].map((requester): Frame => ({
    kind: "connectionRequest",
    requester,
    responder: 1,
    connection: requester,
    name: "",
  }));
  lone.hear(DatagramType.Handshake, requests, { size: REQUEST_SIZE_MIN });
  assertEquals(lone.client.view().requests.map(({ id }) => id), [2]);
});

Deno.test("Client keeps a bounded number of answers that were not sent yet", () => {
  const lone = registered();
  for (let index = 0; index < 1000; index++) {
    const frame: Frame = {
      kind: "connectionRequest",
      requester: 2,
      responder: 9,
      connection: 1 + index,
      name: "",
    };
    const header = { type: DatagramType.Handshake, connection: 0, packet: 0 };
    lone.client.handleDatagram(lone.now, encodeDatagram(header, [frame], 160), STRANGER);
  }
  assertEquals(lone.sent().length, ANSWERS_MAX);
});

Deno.test("Client acknowledges the Termination of a connection that it does not know", () => {
  const lone = registered();
  const frame: Frame = { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 7 };
  for (const type of [DatagramType.Handshake, DatagramType.Connection]) {
    const [answer, ...more] = lone.hear(type, [frame], { connection: 4711 });
    assertEquals(answer?.frames, [{ kind: "connectionTerminationAck", sender: 1, finalSeq: 0 }]);
    assertEquals([answer?.to, more], [STRANGER, []]);
  }
  assertEquals(lone.told(), []);
});

Deno.test("Client drops and counts what is for a connection that it does not know", () => {
  const lone = registered();
  const frames: Frame[] = [
    { kind: "message", seq: 0, sender: 2, flags: 0, text: "hi" },
    { kind: "ack", next: 0, ranges: [] },
    { kind: "connectionKeepalive" },
    { kind: "connectionTerminationAck", sender: 2, finalSeq: 0 },
  ];
  for (const frame of frames) {
    assertEquals(lone.hear(DatagramType.Connection, [frame], { connection: 4711 }), []);
  }
  assertEquals(lone.client.dropped.unknownConnection, frames.length);
  assertEquals(lone.told(), []);
});

Deno.test("Client counts what cannot be read, and answers none of it", () => {
  const lone = registered();
  const prng = new Prng(1);
  for (let size = 0; size < 300; size++) {
    lone.client.handleDatagram(lone.now, prng.bytes(size), STRANGER);
  }
  assertEquals(lone.client.dropped.malformed, 300);
  assertEquals([lone.sent(), lone.told()], [[], []]);
});
