// The responder's half of a handshake: protocol/README.md, "The handshake".
import { assert, assertEquals, assertLess, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { Initiator } from "../../../protocol/crypto/noise.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import type { Transmit } from "../../../protocol/machine.ts";
import { TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";
import {
  COOKIE_REPLIES_PER_SECOND,
  HANDSHAKES_AT_ONCE,
  HANDSHAKES_PER_SECOND,
  INTRODUCED_CHECKS_IN_ALL,
  INTRODUCED_CHECKS_PER_SECOND,
  INTRODUCED_HOSTS_MAX,
  MAC_CHECKS_PER_SECOND,
  REPEATED_RESPONSES_PER_SECOND,
} from "../../../protocol/session/handshake_limits.ts";
import {
  IncomingHandshakes,
  PROVEN_HANDSHAKES_PER_SECOND,
  PROVEN_HANDSHAKES_PER_SOURCE,
  PROVEN_SOURCES_MAX,
  UNCONFIRMED_LIFE,
  UNCONFIRMED_MAX,
  UNCONFIRMED_PER_SOURCE,
} from "../../../protocol/session/incoming_handshakes.ts";
import { encodeInitiation, openCookie } from "../../../protocol/session/macs.ts";
import { PROLOGUE } from "../../../protocol/session/outgoing_handshake.ts";
import { encodeSessionId } from "../../../protocol/session/session_id.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { mac1, mac2 } from "../../../protocol/wire/codes.ts";
import { type Datagram, decodeDatagram } from "../../../protocol/wire/datagram.ts";
import { DatagramType, type Initiation } from "../../../protocol/wire/frame.ts";
import { carriedTo, isCarried } from "../../../protocol/wire/remote.ts";
import { agreements } from "../../support/agreements.ts";
import { macChecks } from "../../support/mac_checks.ts";
import { FakeRequester } from "../../support/fake_peer.ts";
import { Prng } from "../../support/random.ts";

const HERE: Address = { hostname: "192.0.2.1", port: 1000 };
const THERE: Address = { hostname: "192.0.2.2", port: 1000 };
/** X25519 operations of one handshake: es, ss, ee and se. */
const PER_HANDSHAKE = 4;

/** An address of its own for each number. */
function source(number: number): Address {
  return { hostname: `198.51.${number >> 8}.${number & 0xff}`, port: 1 };
}

/** A responder, and the initiators of handshakes with it. */
class Stage {
  now = 1000;
  readonly random = new Prng(1).bytes;
  readonly identity = makeKeyPair(this.random);
  readonly handshakes: IncomingHandshakes;
  #ids = 0;

  /** @param introduced the hosts that the directory announced. */
  constructor(...introduced: string[]) {
    this.handshakes = new IncomingHandshakes(this.now, {
      identity: this.identity,
      policy: TIMER_POLICIES.adaptive,
      makeSessionId: () => ++this.#ids,
      isIntroduced: (_, from) => isCarried(from) || introduced.includes(from.hostname),
      random: this.random,
    });
  }

  /** How many sessions were made. */
  get made(): number {
    return this.#ids;
  }

  /** The ids of the sessions that wait for a packet. */
  get unconfirmed(): number[] {
    const ids = Array.from({ length: this.#ids }, (_, index) => index + 1);
    return ids.filter((id) => this.handshakes.find(id) !== undefined);
  }

  /** An Initiation from a new key. */
  fresh(): Uint8Array {
    return new FakeRequester(this.random, this.identity.publicKey).initiation;
  }

  receive(bytes: Uint8Array, from = HERE): Transmit | undefined {
    return this.handshakes.handleInitiation(this.now, bytes, initiationIn(bytes), from);
  }

  /** The type of the answer to an Initiation. */
  typeOf(bytes: Uint8Array, from = HERE): number | undefined {
    return this.receive(bytes, from)?.bytes[3];
  }

  /** Computes as many handshakes as strangers may have without a cookie. */
  load(): void {
    for (let left = HANDSHAKES_AT_ONCE; left > 0; left--) this.receive(this.fresh(), source(left));
  }

  /** The cookie for an address; there must be load. */
  cookieFor(from: Address): Uint8Array {
    const initiation = this.fresh();
    const reply = decode(this.receive(initiation, from)!.bytes).frames[0];
    assert(reply?.kind === "cookieReply");
    const cookie = openCookie(reply, this.identity.publicKey, initiation);
    assert(cookie !== undefined);
    return cookie;
  }

  /** A new Initiation with a cookie. */
  proven(cookie: Uint8Array): Uint8Array {
    const { messageOne } = initiationIn(this.fresh());
    return encodeInitiation(messageOne, this.identity.publicKey, cookie);
  }
}

function decode(bytes: Uint8Array): Datagram {
  const decoded = decodeDatagram(bytes.slice());
  assert(decoded.ok);
  return decoded.value;
}

function initiationIn(bytes: Uint8Array): Initiation {
  const [frame] = decode(bytes).frames;
  assert(frame?.kind === "initiation");
  return frame;
}

Deno.test("an Initiation that opens is answered by a Response, smaller than it, and kept as unconfirmed", () => {
  const stage = new Stage();
  const requester = new FakeRequester(stage.random, stage.identity.publicKey);
  const response = stage.receive(requester.initiation, THERE);
  assertEquals(response?.to, THERE);
  assertEquals(response?.bytes.length, 71);
  assertLess(71, requester.initiation.length);
  assertEquals(stage.unconfirmed, [1]);
  requester.handleResponse(response!.bytes);
  const session = stage.handshakes.find(1);
  assertEquals(session?.remoteKey, requester.identity.publicKey);
  assertEquals(session?.hash, requester.session.hash);
  // Both ids were told.
  assertEquals(decode(requester.seal()).header.session, 1);
});

Deno.test("an Initiation without a good mac1 is dropped, at the cost of no X25519", () => {
  const stage = new Stage();
  const good = stage.fresh();
  const { byteOffset } = mac1(good).code;
  const bad: Uint8Array[] = [byteOffset, 4, 20, 60].map((at) => good.with(at, good[at]! ^ 1));
  bad.push(new FakeRequester(stage.random, makeKeyPair(stage.random).publicKey).initiation);
  const cost = agreements(() => {
    for (const bytes of bad) assertEquals(stage.receive(bytes), undefined);
  });
  assertEquals([cost, stage.made], [0, 0]);
  assertEquals(agreements(() => assert(stage.receive(good))), PER_HANDSHAKE);
});

Deno.test("mac2 is not looked at while there is no load", () => {
  const stage = new Stage();
  const initiation = stage.fresh();
  mac2(initiation).code.fill(7);
  assertEquals(stage.typeOf(initiation), DatagramType.Response);
});

Deno.test("an Initiation that does not open is dropped, and not remembered", () => {
  const stage = new Stage();
  const { messageOne } = initiationIn(stage.fresh());
  // The ephemeral key, the static key and the payload, each with its tag.
  for (const at of [0, 32, 79, 96, 99]) {
    const altered = encodeInitiation(
      messageOne.with(at, messageOne[at]! ^ 1),
      stage.identity.publicKey,
    );
    assertEquals(stage.receive(altered), undefined);
  }
  assertEquals([stage.made, stage.handshakes.nextTimeout()], [0, undefined]);
});

Deno.test("a message one whose payload is no session id is bad", () => {
  const stage = new Stage();
  const { publicKey } = stage.identity;
  const sizes = [new Uint8Array(4), encodeSessionId(5)].map((payload) => {
    const [own, ephemeral] = [makeKeyPair(stage.random), makeKeyPair(stage.random)];
    const messageOne = new Initiator(own, ephemeral, publicKey, PROLOGUE).writeMessageOne(payload);
    return stage.receive(encodeInitiation(messageOne!, publicKey))?.bytes.length;
  });
  assertEquals(sizes, [undefined, 71], "0 stands for none");
});

Deno.test("a handshake with another prologue fails: of another program, or another version", () => {
  const stage = new Stage();
  const { publicKey } = stage.identity;
  assertEquals(new TextDecoder().decode(PROLOGUE), "udp-chat \x01");
  for (const prologue of [new Uint8Array(), PROLOGUE.with(9, 2)]) {
    const [own, ephemeral] = [makeKeyPair(stage.random), makeKeyPair(stage.random)];
    const initiator = new Initiator(own, ephemeral, publicKey, prologue);
    const messageOne = initiator.writeMessageOne(encodeSessionId(5));
    assertEquals(stage.receive(encodeInitiation(messageOne!, publicKey)), undefined);
  }
});

Deno.test("a repeated Initiation gets the same Response, to where it came from, at the cost of no X25519", () => {
  const stage = new Stage();
  const initiation = stage.fresh();
  const { bytes: response } = stage.receive(initiation)!;
  const cost = agreements(() => {
    for (let left = 100; left > 0; left--) {
      assertEquals(stage.receive(initiation, THERE), { bytes: response, to: THERE });
    }
  });
  assertEquals([cost, stage.made], [0, 1]);
});

Deno.test("a repeated Initiation gets its Response under load, too, with whatever mac2", () => {
  const stage = new Stage();
  const initiation = stage.fresh();
  assertEquals(stage.typeOf(initiation), DatagramType.Response);
  stage.load();
  assertEquals(stage.typeOf(stage.fresh()), DatagramType.Cookie);
  assertEquals(stage.typeOf(initiation), DatagramType.Response);
  const { messageOne } = initiationIn(initiation);
  const again = encodeInitiation(messageOne, stage.identity.publicKey, stage.cookieFor(HERE));
  assertEquals(stage.typeOf(again), DatagramType.Response);
});

Deno.test("a session that waits for 30 s is forgotten: the same Initiation makes another one then", () => {
  const stage = new Stage();
  const initiation = stage.fresh();
  const first = stage.receive(initiation)?.bytes;
  assertEquals(stage.handshakes.nextTimeout(), stage.now + UNCONFIRMED_LIFE);
  stage.now += UNCONFIRMED_LIFE - 1;
  // A repeat makes it live no longer.
  stage.receive(initiation);
  stage.handshakes.handleTimeout(stage.now);
  assertEquals(stage.unconfirmed, [1]);
  stage.handshakes.handleTimeout(++stage.now);
  assertEquals([stage.unconfirmed, stage.handshakes.nextTimeout()], [[], undefined]);
  assertNotEquals(stage.receive(initiation)?.bytes, first);
  assertEquals(stage.unconfirmed, [2]);
});

Deno.test("a session whose packets come without the request waits for 30 s from the last one", () => {
  const stage = new Stage();
  stage.receive(stage.fresh());
  stage.now += 10;
  stage.receive(stage.fresh());
  stage.now += UNCONFIRMED_LIFE - 11;
  stage.handshakes.renew(stage.now, stage.handshakes.find(1)!);
  assertEquals(stage.handshakes.nextTimeout(), stage.now + 11);
  stage.now += 11;
  stage.handshakes.handleTimeout(stage.now);
  assertEquals(stage.unconfirmed, [1]);
  assertEquals(stage.handshakes.nextTimeout(), stage.now - 11 + UNCONFIRMED_LIFE);
});

Deno.test("a session that is confirmed is nobody's oldest any more", () => {
  const stage = new Stage();
  stage.receive(stage.fresh());
  stage.receive(stage.fresh());
  stage.handshakes.confirm(stage.handshakes.find(1)!);
  assertEquals(stage.unconfirmed, [2]);
});

Deno.test("eight sessions of one source wait at most: of more, its oldest goes", () => {
  assertEquals(UNCONFIRMED_PER_SOURCE, 8);
  const stage = new Stage();
  stage.receive(stage.fresh(), THERE);
  // Whatever the port.
  for (let port = 1; port <= 10; port++) stage.receive(stage.fresh(), { ...HERE, port });
  assertEquals(stage.unconfirmed, [1, 4, 5, 6, 7, 8, 9, 10, 11]);
});

Deno.test("each peer that the directory carries for is a source of its own", () => {
  const stage = new Stage();
  stage.receive(stage.fresh(), carriedTo(1));
  for (let left = 10; left > 0; left--) stage.receive(stage.fresh(), carriedTo(2));
  assertEquals(stage.unconfirmed, [1, 4, 5, 6, 7, 8, 9, 10, 11]);
});

Deno.test("128 sessions wait at most: of more, the oldest goes", () => {
  assertEquals(UNCONFIRMED_MAX, 128);
  const stage = new Stage();
  for (let number = 1; number <= UNCONFIRMED_MAX + 2; number++) {
    stage.now += 100;
    stage.receive(stage.fresh(), source(number));
  }
  const { unconfirmed } = stage;
  assertEquals([unconfirmed.length, unconfirmed[0]], [UNCONFIRMED_MAX, 3]);
});

Deno.test("without a cookie strangers get 40 handshakes at once and 20 a second, then a Cookie Reply each", () => {
  assertEquals([HANDSHAKES_AT_ONCE, HANDSHAKES_PER_SECOND], [40, 20]);
  const stage = new Stage();
  const fresh = Array.from({ length: 200 }, () => stage.fresh());
  const flood = (): void => {
    for (let number = 0; number < 100; number++) {
      const initiation = fresh.pop()!;
      const answer = stage.receive(initiation, source(number));
      assert(answer !== undefined);
      assertLessOrEqual(answer.bytes.length, initiation.length);
      assertEquals(answer.to, source(number));
    }
  };
  assertEquals(agreements(flood), PER_HANDSHAKE * HANDSHAKES_AT_ONCE);
  stage.now += 1000;
  assertEquals(agreements(flood), PER_HANDSHAKE * HANDSHAKES_PER_SECOND);
  assertEquals(stage.made, HANDSHAKES_AT_ONCE + HANDSHAKES_PER_SECOND);
});

Deno.test("under load a cookie gets a handshake, from its address only", () => {
  const stage = new Stage();
  stage.load();
  const cookie = stage.cookieFor(HERE);
  assertEquals(stage.typeOf(stage.proven(cookie)), DatagramType.Response);
  for (const other of [THERE, { ...HERE, port: 1001 }]) {
    assertEquals(stage.typeOf(stage.proven(cookie), other), DatagramType.Cookie);
  }
});

Deno.test("with a cookie one source gets ten handshakes a second, and then no answer", () => {
  assertEquals(PROVEN_HANDSHAKES_PER_SOURCE, 10);
  const stage = new Stage();
  stage.load();
  const cookie = stage.cookieFor(HERE);
  const types = Array.from({ length: 40 }, () => stage.typeOf(stage.proven(cookie)));
  assertEquals(types.filter((type) => type === DatagramType.Response).length, 10);
  assertEquals(types.slice(10), Array(30).fill(undefined));
  // They cost nobody else anything, whatever their ports.
  const port = { ...HERE, port: 1001 };
  assertEquals(stage.typeOf(stage.proven(stage.cookieFor(port)), port), undefined);
  assertEquals(stage.typeOf(stage.proven(stage.cookieFor(THERE)), THERE), DatagramType.Response);
});

Deno.test("one network of IPv6 is one source", () => {
  const stage = new Stage();
  stage.load();
  const types = Array.from({ length: 20 }, (_, host) => {
    const from = { hostname: `2001:db8::${host + 1}`, port: 1 };
    return stage.typeOf(stage.proven(stage.cookieFor(from)), from);
  });
  assertEquals(types.filter((type) => type === DatagramType.Response).length, 10);
});

Deno.test("with cookies all sources together get a hundred handshakes a second", () => {
  assertEquals(PROVEN_HANDSHAKES_PER_SECOND, 100);
  const stage = new Stage();
  stage.load();
  const flood = (): void => {
    for (let number = 0; number < 30; number++) {
      const from = source(number);
      const cookie = stage.cookieFor(from);
      for (let left = 10; left > 0; left--) stage.receive(stage.proven(cookie), from);
    }
  };
  const before = stage.made;
  flood();
  assertEquals(stage.made - before, PROVEN_HANDSHAKES_PER_SECOND);
});

/** What became of many Initiations that came within a second. */
interface Flood {
  readonly macs: number;
  readonly handshakes: number;
  readonly responses: number;
  readonly cookieReplies: number;
}

function flood(stage: Stage, initiations: readonly Uint8Array[], count: number): Flood {
  const types: (number | undefined)[] = [];
  const made = stage.made;
  const macs = macChecks(() => {
    for (let number = 0; number < count; number++) {
      const initiation = initiations[number % initiations.length]!;
      types.push(stage.typeOf(initiation, { hostname: HERE.hostname, port: 1 + number }));
    }
  });
  const countOf = (type: number): number => types.filter((each) => each === type).length;
  return {
    macs,
    handshakes: stage.made - made,
    responses: countOf(DatagramType.Response),
    cookieReplies: countOf(DatagramType.Cookie),
  };
}

Deno.test("a flood of one recorded Initiation costs a bounded number of codes and of Responses a second", () => {
  const stage = new Stage();
  const recording = [stage.fresh()];
  for (let second = 0; second < 3; second++) {
    const { macs, handshakes, responses } = flood(stage, recording, 8000);
    const isFirst = second === 0;
    assertEquals([macs > MAC_CHECKS_PER_SECOND, handshakes], [isFirst, isFirst ? 1 : 0]);
    assertLessOrEqual(macs, MAC_CHECKS_PER_SECOND + 40);
    assertEquals(responses, REPEATED_RESPONSES_PER_SECOND + handshakes);
    stage.now += 1000;
  }
});

Deno.test("a flood of many Initiations costs a bounded number of codes, handshakes and Cookie Replies a second", () => {
  const stage = new Stage();
  const all = Array.from({ length: 300 }, () => stage.fresh());
  const { macs, handshakes, cookieReplies } = flood(stage, all, 8000);
  assertEquals([handshakes, cookieReplies], [HANDSHAKES_AT_ONCE, COOKIE_REPLIES_PER_SECOND]);
  // Besides mac1, a handshake computes some for its keys, and a Cookie Reply one for the cookie.
  assertLessOrEqual(macs, MAC_CHECKS_PER_SECOND + COOKIE_REPLIES_PER_SECOND + 40 * handshakes);
});

Deno.test("Initiations without a good mac1 use up what strangers may, and are dropped at no cost then", () => {
  const stage = new Stage();
  const bad = stage.fresh().with(40, 0);
  assertEquals(flood(stage, [bad], 8000).macs, MAC_CHECKS_PER_SECOND);
  assertEquals(stage.receive(stage.fresh()), undefined);
  stage.now += 10;
  assert(stage.receive(stage.fresh()));
});

Deno.test("peers that the directory announced are heard in any flood of strangers, and are bounded, too", () => {
  const stage = new Stage(THERE.hostname);
  const recording = [stage.fresh()];
  flood(stage, recording, 8000);
  assertEquals(stage.receive(stage.fresh(), HERE), undefined);
  assertEquals(stage.typeOf(stage.fresh(), THERE), DatagramType.Response);
  const fresh = stage.fresh();
  const macs = macChecks(() => {
    for (let port = 1; port < 1000; port++) stage.receive(fresh.with(40, 0), { ...THERE, port });
  });
  assertEquals(macs, INTRODUCED_CHECKS_PER_SECOND - 1);
});

Deno.test("a flood of one introduced peer, or in its name, keeps out no other one, direct or carried", () => {
  const [mallory, ben] = [HERE, THERE];
  for (const flooder of [mallory, carriedTo(1)]) {
    const stage = new Stage(mallory.hostname, ben.hostname);
    const bad = stage.fresh().with(40, 0);
    const macs = macChecks(() => {
      for (let count = 0; count < 8000; count++) stage.receive(bad, flooder);
    });
    assertEquals(macs, INTRODUCED_CHECKS_PER_SECOND + MAC_CHECKS_PER_SECOND);
    assertEquals(stage.receive(stage.fresh(), flooder), undefined);
    for (const from of [ben, carriedTo(2)]) {
      assertEquals(stage.typeOf(stage.fresh(), from), DatagramType.Response);
    }
  }
});

Deno.test("introduced peers that use up the handshakes without a cookie leave Cookie Replies to others", () => {
  const stage = new Stage();
  for (let id = 1; id <= 20; id++) {
    for (let left = 20; left > 0; left--) stage.receive(stage.fresh(), carriedTo(id));
  }
  assertEquals(stage.made, HANDSHAKES_AT_ONCE);
  const cookie = stage.cookieFor(carriedTo(21));
  assertEquals(stage.typeOf(stage.proven(cookie), carriedTo(21)), DatagramType.Response);
});

Deno.test("however many peers are introduced, a bounded number of Initiations is checked a second", () => {
  const stage = new Stage();
  const bad = stage.fresh().with(40, 0);
  const macs = macChecks(() => {
    for (let count = 0; count < 8000; count++) stage.receive(bad, carriedTo(count % 200));
  });
  assertEquals(macs, INTRODUCED_CHECKS_IN_ALL + MAC_CHECKS_PER_SECOND);
});

Deno.test("of more than 256 sources with a cookie, the one that came first is forgotten", () => {
  const stage = new Stage();
  const cookies: Uint8Array[] = [];
  while (cookies.length <= PROVEN_SOURCES_MAX) {
    // So many Cookie Replies a second.
    if (cookies.length % (COOKIE_REPLIES_PER_SECOND / 2) === 0) {
      stage.now += 1000;
      stage.load();
    }
    cookies.push(stage.cookieFor(source(cookies.length)));
  }
  const typeFrom = (number: number): number | undefined =>
    stage.typeOf(stage.proven(cookies[number]!), source(number));
  for (let count = 0; count < PROVEN_HANDSHAKES_PER_SOURCE; count++) typeFrom(0);
  for (let number = 1; number < PROVEN_SOURCES_MAX; number++) typeFrom(number);
  // Too soon for one more of a source that is remembered.
  stage.now += 50;
  assertEquals(typeFrom(0), undefined);
  typeFrom(PROVEN_SOURCES_MAX);
  assertEquals(typeFrom(0), DatagramType.Response);
});

Deno.test("of more than 96 introduced hosts, the one that came first is forgotten", () => {
  const stage = new Stage();
  const bad = stage.fresh().with(40, 0);
  const checksOf = (id: number): number => macChecks(() => void stage.receive(bad, carriedTo(id)));
  for (let count = 0; count < MAC_CHECKS_PER_SECOND; count++) stage.receive(bad);
  for (let count = 0; count < INTRODUCED_CHECKS_PER_SECOND; count++) assertEquals(checksOf(1), 1);
  for (let id = 2; id <= INTRODUCED_HOSTS_MAX; id++) checksOf(id);
  assertEquals(checksOf(1), 0);
  checksOf(INTRODUCED_HOSTS_MAX + 1);
  assertEquals(checksOf(1), 1);
});
