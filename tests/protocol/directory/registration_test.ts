import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { TIMER_POLICIES, type TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  DatagramType,
  type Frame,
  RefusalReason,
  type Register,
} from "../../../protocol/wire/frame.ts";
import {
  LEASE_KEEPALIVE_MIN,
  QUERIES_MAX,
  Registration,
  type RegistrationEvent,
} from "../../../protocol/directory/registration.ts";

import { Prng } from "../../support/random.ts";

const SERVER: Address = { hostname: "10.0.0.1", port: 7070 };
const SEEN_AT: Address = { hostname: "198.51.100.4", port: 4444 };
const LEASE = 45_000;
const ZERO = new Uint8Array(16);
const PUBLIC_KEY = new Uint8Array(32).fill(0x4b);
const COOKIE = new Uint8Array(16).fill(0xc0);

type Request = Frame & { nonce: bigint };

/** A client's dealings with a directory that the test plays. */
class Dealings {
  now = 1000;
  readonly registration: Registration;

  constructor(mode: TimerMode = "adaptive") {
    const wish = { id: 0, name: "ana", port: 4000, publicKey: PUBLIC_KEY };
    const random = new Prng(7).bytes;
    this.registration = new Registration(this.now, SERVER, wish, TIMER_POLICIES[mode], random);
  }

  /** What the client sends now. */
  sent(): Request[] {
    const all: Request[] = [];
    for (;;) {
      const transmit = this.registration.pollTransmit(this.now);
      if (transmit === undefined) return all;
      assertEquals(transmit.to, SERVER);
      const decoded = decodeDatagram(transmit.bytes);
      assert(
        decoded.ok && !decoded.value.sealed && decoded.value.header.type === DatagramType.Request,
      );
      all.push(...decoded.value.frames.filter((frame): frame is Request => "nonce" in frame));
    }
  }

  sentKinds(): string[] {
    return this.sent().map(({ kind }) => kind);
  }

  /** The one request that the client sends now. */
  request(): Request {
    const [request, ...more] = this.sent();
    assert(request !== undefined && more.length === 0);
    return request;
  }

  hear(frame: Frame): void {
    this.registration.handleFrame(this.now, frame);
  }

  told(): RegistrationEvent[] {
    const all: RegistrationEvent[] = [];
    for (let event = this.registration.pollEvent(); event;) {
      all.push(event);
      event = this.registration.pollEvent();
    }
    return all;
  }

  wait(ms: number): void {
    this.now += ms;
    this.registration.handleTimeout(this.now);
  }

  /** Answers with an entry. */
  grant({ nonce }: Request, { id = 1, token = 0xaa, lease = LEASE } = {}): void {
    const bytes = new Uint8Array(16).fill(token);
    this.hear({ kind: "registered", nonce, token: bytes, id, lease, seenAt: SEEN_AT });
  }

  refuse({ nonce }: Request, reason: number = RefusalReason.unknownToken): void {
    this.hear({ kind: "refused", nonce, reason });
  }
}

/** Dealings of a client that is registered. */
function registered(mode?: TimerMode): Dealings {
  const dealings = new Dealings(mode);
  dealings.grant(dealings.request());
  dealings.told();
  return dealings;
}

Deno.test("Registration asks for what the user wants, and repeats it with the cookie", () => {
  const dealings = new Dealings();
  const first = dealings.request() as Register;
  assertEquals(first.token, ZERO);
  assertEquals(first.cookie, ZERO);
  assertEquals([first.wantedId, first.port, first.name], [0, 4000, "ana"]);
  assertEquals(first.publicKey, PUBLIC_KEY);
  dealings.hear({ kind: "challenge", nonce: first.nonce, cookie: COOKIE });
  assertEquals(dealings.request(), { ...first, cookie: COOKIE });
  dealings.grant(first, { id: 9 });
  assertEquals(dealings.told(), [{ kind: "registered", id: 9, name: "ana", seenAt: SEEN_AT }]);
  assertEquals(dealings.registration.id, 9);
});

Deno.test("Registration does not answer repeated Challenges at the speed of the network", () => {
  const dealings = new Dealings();
  const { nonce } = dealings.request();
  let sent = 0;
  for (let ms = 0; ms < 10_000; ms++) {
    dealings.hear({ kind: "challenge", nonce, cookie: COOKIE });
    sent += dealings.sent().length;
    dealings.wait(1);
  }
  // At once after the first, then after 1, 2 and 4 s.
  assertEquals(sent, 4);
});

Deno.test("Registration uses the newest cookie when it asks again", () => {
  const dealings = new Dealings();
  const { nonce } = dealings.request();
  dealings.hear({ kind: "challenge", nonce, cookie: COOKIE });
  dealings.sent();
  const newer = new Uint8Array(16).fill(0xc1);
  dealings.hear({ kind: "challenge", nonce, cookie: newer });
  assertEquals(dealings.sent(), []);
  dealings.wait(1000);
  assertEquals((dealings.request() as Register).cookie, newer);
});

Deno.test("Registration does nothing at answers with a nonce that is not outstanding", () => {
  const dealings = registered();
  const timeout = dealings.registration.nextTimeout();
  const nonce = 12345n;
  const answers: Frame[] = [
    { kind: "challenge", nonce, cookie: COOKIE },
    { kind: "registered", nonce, token: COOKIE, id: 7, lease: 1, seenAt: SEEN_AT },
    { kind: "refused", nonce, reason: RefusalReason.unknownToken },
    { kind: "leaseKeepaliveAck", nonce, lease: 1 },
    { kind: "found", nonce, id: 1, name: "", address: SEEN_AT, publicKey: PUBLIC_KEY },
    { kind: "inactive", nonce, id: 1, name: "" },
    { kind: "listing", nonce, more: 1, clients: [] },
    { kind: "leaveAck", nonce },
  ];
  for (const answer of answers) dealings.hear(answer);
  assertEquals([dealings.sent(), dealings.told()], [[], []]);
  assertEquals(dealings.registration.nextTimeout(), timeout);
});

Deno.test("Registration does nothing at an answer to another kind of request", () => {
  const dealings = registered();
  dealings.wait(LEASE / 3);
  const { nonce, kind } = dealings.request();
  assertEquals(kind, "leaseKeepalive");
  const answers: Frame[] = [
    { kind: "challenge", nonce, cookie: COOKIE },
    { kind: "registered", nonce, token: COOKIE, id: 7, lease: 1, seenAt: SEEN_AT },
    { kind: "found", nonce, id: 1, name: "", address: SEEN_AT, publicKey: PUBLIC_KEY },
    { kind: "listing", nonce, more: 1, clients: [] },
    { kind: "leaveAck", nonce },
    { kind: "leave", nonce, token: ZERO },
  ];
  for (const answer of answers) dealings.hear(answer);
  assertEquals([dealings.sent(), dealings.told()], [[], []]);
  assertEquals(dealings.registration.id, 1);
  dealings.hear({ kind: "leaseKeepaliveAck", nonce, lease: LEASE });
  assertEquals(dealings.registration.nextTimeout(), dealings.now + LEASE / 3);
});

Deno.test("Registration uses the lease of the last answer", () => {
  const dealings = registered();
  dealings.wait(LEASE / 3);
  dealings.hear({ kind: "leaseKeepaliveAck", nonce: dealings.request().nonce, lease: 9000 });
  dealings.wait(2999);
  assertEquals(dealings.sent(), []);
  dealings.wait(1);
  assertEquals(dealings.sentKinds(), ["leaseKeepalive"]);
});

Deno.test("Registration does not flood a directory that gives no lease to speak of", () => {
  for (const lease of [0, 1, 10]) {
    const dealings = new Dealings();
    dealings.grant(dealings.request(), { lease });
    let sent = 0;
    for (let ms = 0; ms < 10_000; ms++) {
      for (const request of dealings.sent()) {
        sent++;
        dealings.hear({ kind: "leaseKeepaliveAck", nonce: request.nonce, lease });
      }
      dealings.wait(1);
    }
    assert(sent <= 10_000 / LEASE_KEEPALIVE_MIN, `lease ${lease}: ${sent} in 10 s`);
  }
});

Deno.test("Registration registers again under its id and token when that is unknown", () => {
  const dealings = registered();
  dealings.wait(LEASE / 3);
  dealings.refuse(dealings.request());
  dealings.wait(0);
  const again = dealings.request() as Register;
  assertEquals([again.kind, again.wantedId, again.name], ["register", 1, "ana"]);
  assertEquals(again.token, new Uint8Array(16).fill(0xaa));
  assertEquals(again.cookie, ZERO);
  dealings.grant(again, { token: 0xbb });
  // The user need not know.
  assertEquals(dealings.told(), []);
  dealings.wait(LEASE / 3);
  const keepalive = dealings.request();
  assert(keepalive.kind === "leaseKeepalive");
  assertEquals(keepalive.token, new Uint8Array(16).fill(0xbb));
});

Deno.test("Registration registers once a second at most, however often it is refused", () => {
  const dealings = registered();
  let registers = 0;
  dealings.registration.query(dealings.now, { kind: "list", after: 0 });
  for (let ms = 0; ms < 20_000; ms++) {
    for (const request of dealings.sent()) {
      if (request.kind !== "register") dealings.refuse(request);
      else {
        registers++;
        dealings.grant(request);
      }
      // The refusal again, as a duplicate.
      dealings.refuse(request);
    }
    dealings.wait(1);
  }
  assert(registers > 1 && registers <= 21, `${registers}`);
});

Deno.test("Registration with an id registers once a second when that is refused for ever", () => {
  for (const reason of [...Object.values(RefusalReason), 99]) {
    const dealings = registered();
    dealings.wait(LEASE / 3);
    dealings.refuse(dealings.request());
    let registers = 0;
    for (let ms = 0; ms < 20_000; ms++) {
      for (const request of dealings.sent()) {
        registers++;
        dealings.refuse(request, reason);
      }
      dealings.wait(1);
    }
    assert(registers > 1 && registers <= 21, `reason ${reason}: ${registers}`);
    assertEquals(dealings.told().filter(({ kind }) => kind === "refused"), []);
  }
});

Deno.test("Registration reports the first refusal, and is done", () => {
  const dealings = new Dealings();
  dealings.refuse(dealings.request(), RefusalReason.full);
  assertEquals(dealings.told(), [{ kind: "refused", reason: RefusalReason.full }]);
  dealings.wait(100_000);
  assertEquals([dealings.sent(), dealings.told()], [[], []]);
});

Deno.test("Registration holds questions back until it is registered, and gives them up in time", () => {
  const dealings = new Dealings();
  dealings.registration.query(dealings.now, { kind: "list", after: 0 });
  const register = dealings.request();
  dealings.wait(400);
  dealings.grant(register);
  const question = dealings.request();
  assertEquals(question.kind, "list");
  dealings.told();
  dealings.wait(29_599);
  dealings.sent();
  assertEquals(dealings.told().filter(({ kind }) => kind === "timeout"), []);
  dealings.wait(1);
  assertEquals(dealings.told().filter(({ kind }) => kind === "timeout").length, 1);
});

Deno.test("Registration has a bound on questions under way", () => {
  const dealings = registered();
  const query = { kind: "list", after: 0 } as const;
  for (let index = 0; index < QUERIES_MAX; index++) {
    assert(dealings.registration.query(dealings.now, query));
  }
  assertEquals(dealings.registration.query(dealings.now, query), false);
  assertEquals(dealings.sent().length, QUERIES_MAX);
});

Deno.test("Registration.dropQuery() withdraws a query; its answer is not reported", () => {
  const dealings = registered();
  const query = { kind: "lookUp", id: 2, name: "" } as const;
  dealings.registration.query(dealings.now, query);
  const { nonce } = dealings.request();
  dealings.registration.dropQuery(query);
  dealings.hear({ kind: "inactive", nonce, id: 2, name: "" });
  dealings.wait(5000);
  assertEquals([dealings.sent(), dealings.told()], [[], []]);
});

Deno.test("Registration that leaves sends nothing else, and ends even if it is refused", () => {
  const dealings = registered();
  dealings.registration.query(dealings.now, { kind: "list", after: 0 });
  dealings.registration.leave(dealings.now);
  assertEquals(dealings.registration.query(dealings.now, { kind: "list", after: 0 }), false);
  const leave = dealings.request();
  assertEquals(leave.kind, "leave");
  dealings.refuse(leave);
  assertEquals(dealings.told(), [{ kind: "left", acknowledged: true }]);
  assertEquals([dealings.sent(), dealings.registration.nextTimeout()], [[], undefined]);
});

Deno.test("Registration repeats a request with the same nonce, and makes a new one with another", () => {
  const dealings = registered();
  const query = { kind: "list", after: 0 } as const;
  dealings.registration.query(dealings.now, query);
  const first = dealings.request();
  dealings.wait(500);
  assertEquals(dealings.request(), first);
  dealings.registration.query(dealings.now, query);
  assertNotEquals(dealings.request().nonce, first.nonce);
});

Deno.test("Registration copies what it keeps out of the datagram", () => {
  const dealings = new Dealings();
  const { nonce } = dealings.request();
  const token = new Uint8Array(16).fill(5);
  dealings.hear({ kind: "registered", nonce, token, id: 1, lease: LEASE, seenAt: SEEN_AT });
  token.fill(0xee);
  dealings.wait(LEASE / 3);
  const keepalive = dealings.request();
  assert(keepalive.kind === "leaseKeepalive");
  assertEquals(keepalive.token, new Uint8Array(16).fill(5));
});

Deno.test("Registration does nothing at a call of handleTimeout() before its time", () => {
  const dealings = registered();
  const before = dealings.registration.nextTimeout();
  for (let times = 0; times < 100; times++) dealings.wait(0);
  assertEquals([dealings.sent(), dealings.told()], [[], []]);
  assertEquals(dealings.registration.nextTimeout(), before);
});
