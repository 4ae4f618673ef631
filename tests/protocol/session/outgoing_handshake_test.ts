// The initiator's half of a handshake: protocol/README.md, "The handshake".
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { readMessageOne } from "../../../protocol/crypto/noise.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { RttEstimator } from "../../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";
import { COOKIE_LIFE, Cookies, encodeInitiation } from "../../../protocol/session/macs.ts";
import { OutgoingHandshake, PROLOGUE } from "../../../protocol/session/outgoing_handshake.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { mac2 } from "../../../protocol/wire/codes.ts";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import type { CookieReply, Frame, Response } from "../../../protocol/wire/frame.ts";
import { FakeResponder } from "../../support/fake_peer.ts";
import { Prng } from "../../support/random.ts";

const HERE: Address = { hostname: "192.0.2.1", port: 1000 };
const PEER: Address = { hostname: "192.0.2.2", port: 2 };

function frameIn(bytes: Uint8Array): Frame | undefined {
  const decoded = decodeDatagram(bytes.slice());
  assert(decoded.ok);
  return decoded.value.frames[0];
}

/** A handshake that was begun, and both keys. */
class Stage {
  readonly random = new Prng(1).bytes;
  readonly identity = makeKeyPair(this.random);
  readonly remote = makeKeyPair(this.random);
  readonly handshake = this.begin();

  /** Begins one more, of the same initiator with the same responder. */
  begin(remoteKey = this.remote.publicKey): OutgoingHandshake {
    const { identity, random } = this;
    const rtt = new RttEstimator(TIMER_POLICIES.adaptive);
    const options = { identity, remoteKey, localId: 77, rtt, random };
    const begun = OutgoingHandshake.begin(options);
    assert(begun.ok);
    return begun.value;
  }

  /** The responder, after this Initiation. */
  respond(initiation: Uint8Array): FakeResponder {
    return new FakeResponder(this.random, initiation, { identity: this.remote });
  }

  /** A Response from this responder. */
  response(responder: FakeResponder): Response {
    const frame = frameIn(responder.response);
    assert(frame?.kind === "response");
    return frame;
  }

  /** The responder's Cookie Reply. */
  cookieReply(initiation: Uint8Array): CookieReply {
    const cookies = new Cookies(0, this.remote.publicKey, this.random);
    const frame = frameIn(cookies.reply(0, initiation, HERE));
    assert(frame?.kind === "cookieReply");
    return frame;
  }
}

Deno.test("a Response that opens makes a session, which both ends have", () => {
  const stage = new Stage();
  const responder = stage.respond(stage.handshake.encode(0));
  const session = stage.handshake.handleResponse(5, stage.response(responder), PEER);
  assert(session !== undefined);
  assertEquals([session.isInitiator, session.localId, session.since], [true, 77, 5]);
  assertEquals([session.address, session.remoteKey], [PEER, stage.remote.publicKey]);
  assertEquals(session.hash, responder.session.hash);
  assertEquals(responder.session.remoteKey, stage.identity.publicKey);
  const keepalive: Frame = { kind: "connectionKeepalive" };
  assertEquals(responder.open(session.encode(keepalive).slice()), [keepalive]);
});

Deno.test("the same Initiation is sent again: the Response to either completes the handshake", () => {
  const stage = new Stage();
  const first = stage.handshake.encode(0).slice();
  assertEquals(stage.handshake.encode(1000), first);
  const session = stage.handshake.handleResponse(5, stage.response(stage.respond(first)), PEER);
  assert(session !== undefined);
});

Deno.test("another handshake has another ephemeral key", () => {
  const stage = new Stage();
  assertNotEquals(stage.begin().encode(0), stage.handshake.encode(0));
});

Deno.test("forged Responses neither end nor break a handshake, however many", () => {
  const stage = new Stage();
  const initiation = stage.handshake.encode(0).slice();
  const { kind, messageTwo } = stage.response(stage.respond(initiation));
  for (let at = 0; at < messageTwo.length; at++) {
    const forged = { kind, messageTwo: messageTwo.with(at, messageTwo[at]! ^ 1) };
    assertEquals(stage.handshake.handleResponse(5, forged, PEER), undefined, `byte ${at}`);
  }
  // From somebody with another key, and to another Initiation.
  const identity = makeKeyPair(stage.random);
  const other = stage.begin(identity.publicKey).encode(0);
  const responders = [
    new FakeResponder(stage.random, other, { identity }),
    stage.respond(stage.begin().encode(0)),
  ];
  for (const responder of responders) {
    assertEquals(stage.handshake.handleResponse(5, stage.response(responder), PEER), undefined);
  }
  assert(stage.handshake.handleResponse(5, { kind, messageTwo }, PEER) !== undefined);
});

Deno.test("a message two whose payload is no session id is bad", () => {
  const stage = new Stage();
  const decoded = frameIn(stage.handshake.encode(0));
  assert(decoded?.kind === "initiation");
  const payloads = [new Uint8Array(4), Uint8Array.of(0, 0, 0, 9)];
  const sessions = payloads.map((payload) => {
    const responder = readMessageOne(stage.remote, decoded.messageOne, PROLOGUE);
    const two = responder?.writeMessageTwo(makeKeyPair(stage.random), payload);
    assert(two !== undefined);
    return stage.handshake.handleResponse(5, { kind: "response", messageTwo: two.message }, PEER);
  });
  assertEquals(sessions[0], undefined, "0 stands for none");
  assert(sessions[1] !== undefined);
});

Deno.test("a cookie is shown from the next transmission on, for 120 s", () => {
  const stage = new Stage();
  const { handshake } = stage;
  const first = handshake.encode(0).slice();
  assert(handshake.handleCookie(500, stage.cookieReply(first)));
  const shown = handshake.encode(1000).slice();
  assert(mac2(shown).code.some((byte) => byte !== 0));
  assertEquals(shown.subarray(0, -16), first.subarray(0, -16));
  assertEquals(handshake.encode(500 + COOKIE_LIFE - 1), shown);
  assertEquals(handshake.encode(500 + COOKIE_LIFE), first, "it is too old");
});

Deno.test("a Cookie Reply to another Initiation, and a forged one, change nothing", () => {
  const stage = new Stage();
  const { handshake } = stage;
  const reply = stage.cookieReply(encodeInitiation(new Uint8Array(100), stage.remote.publicKey));
  assertEquals(handshake.handleCookie(0, reply), false, "nothing was sent yet");
  const first = handshake.encode(0).slice();
  const good = stage.cookieReply(first);
  const forged = { ...good, cookie: good.cookie.with(3, good.cookie[3]! ^ 1) };
  assertEquals([handshake.handleCookie(5, reply), handshake.handleCookie(5, forged)], [
    false,
    false,
  ]);
  assertEquals(handshake.encode(10), first);
  assert(handshake.handleCookie(20, good), "nor do they keep a good one from being used");
});

Deno.test("a handshake with a weak key cannot be begun", () => {
  const { identity, random } = new Stage();
  const rtt = new RttEstimator(TIMER_POLICIES.adaptive);
  const remoteKey = new Uint8Array(32);
  const options = { identity, remoteKey, localId: 1, rtt, random };
  assertEquals(OutgoingHandshake.begin(options).ok, false);
});
