import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  DATAGRAM_SIZE_MAX,
  type Frame,
  type Listing,
  RefusalReason,
  type Register,
} from "../../protocol/wire/frame.ts";
import { COOKIE_SLOT } from "../../server/cookie.ts";
import { Prng } from "../support/random.ts";
import {
  client,
  framesOf,
  LEASE,
  publicKeyOf,
  registerFrame,
  requestBytes,
  Stage,
  ZERO,
} from "../support/server_stage.ts";

Deno.test("Server challenges a Register, then registers its sender", () => {
  const stage = new Stage();
  const challenge = stage.ask(registerFrame(1, { name: "ana" }), client(1));
  assert(challenge.kind === "challenge");
  assertEquals(stage.server.table().size, 0);
  assertEquals(stage.takeEvents(), []);
  const frame = registerFrame(1, { name: "ana", cookie: challenge.cookie });
  const answer = stage.ask(frame, client(1));
  assert(answer.kind === "registered");
  assertEquals([answer.id, answer.lease, answer.seenAt], [1, LEASE, client(1)]);
  assertNotEquals(answer.token, ZERO);
  assertEquals(stage.takeEvents(), ["joined 1 40001", "table 1"]);
});

Deno.test("Server challenges again if the cookie is for another address, nonce or key", () => {
  const stage = new Stage();
  const challenge = stage.ask(registerFrame(1), client(1));
  assert(challenge.kind === "challenge");
  const frame = registerFrame(1, { cookie: challenge.cookie });
  const other = new Stage({ random: new Prng(2).bytes });
  const wrong = frame.cookie.slice();
  wrong[15]! ^= 1;
  assertEquals(stage.ask(frame, client(2)).kind, "challenge");
  assertEquals(stage.ask(frame, { ...client(1), hostname: "127.0.0.2" }).kind, "challenge");
  assertEquals(stage.ask({ ...frame, nonce: 2n }, client(1)).kind, "challenge");
  assertEquals(stage.ask({ ...frame, cookie: wrong }, client(1)), challenge);
  assertEquals(other.ask(frame, client(1)).kind, "challenge");
  assertEquals(stage.server.table().size, 0);
  assertEquals(stage.ask(frame, client(1)).kind, "registered");
});

Deno.test("Server accepts a cookie in its time slot and the next only", () => {
  for (const [later, kind] of [[1, "registered"], [2, "challenge"]] as const) {
    for (const sentAt of [0, COOKIE_SLOT - 1]) {
      const stage = new Stage();
      stage.now = 100 * COOKIE_SLOT + sentAt;
      const challenge = stage.ask(registerFrame(1), client(1));
      assert(challenge.kind === "challenge");
      stage.now = (100 + later) * COOKIE_SLOT + (later === 1 ? COOKIE_SLOT - 1 : 0);
      const frame = registerFrame(1, { cookie: challenge.cookie });
      assertEquals(stage.ask(frame, client(1)).kind, kind);
    }
  }
});

Deno.test("Server answers a repeated Register in the same way", () => {
  const stage = new Stage();
  const first = stage.join(1, { name: "ana" });
  stage.takeEvents();
  assertEquals(stage.register(registerFrame(1, { name: "ana" }), client(1)), first);
  assertEquals(stage.takeEvents(), []);
});

Deno.test("Server replaces the earlier run of a client at the same address", () => {
  const stage = new Stage();
  const first = stage.join(1);
  stage.takeEvents();
  const second = stage.join(1, { nonce: 77n });
  assertEquals(second.id, first.id);
  assertNotEquals(second.token, first.token);
  assertEquals(stage.takeEvents(), ["left 1 40001", "joined 1 40001", "table 1"]);
});

Deno.test("Server keeps the id of a client that sends its token from a new address", () => {
  const stage = new Stage();
  const { token } = stage.join(1);
  stage.takeEvents();
  const publicKey = publicKeyOf(1);
  const answer = stage.register(registerFrame(9, { token, publicKey }), client(9));
  assert(answer.kind === "registered");
  assertEquals([answer.id, answer.token, answer.seenAt], [1, token, client(9)]);
  assertEquals(stage.takeEvents(), ["moved 1 40009", "table 1"]);
});

Deno.test("Server refuses an id or a name that is taken, a bad name, and a client above its maximum", () => {
  const stage = new Stage({ maxClients: 2 });
  stage.join(1, { name: "ana" });
  stage.takeEvents();
  const refusal = (fields: Partial<Register>) => {
    const answer = stage.register(registerFrame(3, fields), client(3));
    return answer.kind === "refused" ? answer.reason : answer.kind;
  };
  assertEquals(refusal({ wantedId: 1 }), RefusalReason.idTaken);
  assertEquals(refusal({ name: "ANA" }), RefusalReason.nameTaken);
  for (const name of ["two words", "12", "a\x1b", "a\u202eb", "x".repeat(33)]) {
    assertEquals(refusal({ name }), RefusalReason.badName, name);
  }
  assertEquals(refusal({ name: "x".repeat(200) }), RefusalReason.badName);
  stage.join(2);
  assertEquals(refusal({}), RefusalReason.full);
  assertEquals(stage.takeEvents(), ["joined 2 40002", "table 1 2"]);
});

Deno.test("Server refuses the token after a restart, and the client registers again with its id", () => {
  const before = new Stage();
  before.join(1);
  const { token, id } = before.join(2);
  const after = new Stage({ random: new Prng(2).bytes });
  const refused = after.ask({ kind: "leaseKeepalive", nonce: 5n, token }, client(2));
  assertEquals(refused, { kind: "refused", nonce: 5n, reason: RefusalReason.unknownToken });
  const again = after.join(2, { nonce: 6n, token, wantedId: id });
  assertEquals(again.id, id);
  assertNotEquals(again.token, token);
});

Deno.test("Server ends a lease in time; a Lease Keepalive renews it", () => {
  const stage = new Stage();
  const { token } = stage.join(1);
  stage.takeEvents();
  stage.now += 15_000;
  const ack = stage.ask({ kind: "leaseKeepalive", nonce: 9n, token }, client(1));
  assertEquals(ack, { kind: "leaseKeepaliveAck", nonce: 9n, lease: LEASE });
  const end = stage.now + LEASE;
  while (stage.server.nextTimeout()! < end) {
    stage.now = stage.server.nextTimeout()!;
    stage.server.handleTimeout(stage.now);
  }
  assertEquals(stage.takeEvents(), []);
  assertEquals(stage.server.nextTimeout(), end);
  stage.server.handleTimeout(end - 0.001);
  assertEquals(stage.takeEvents(), []);
  stage.server.handleTimeout(end);
  assertEquals(stage.takeEvents(), ["expired 1 40001", "table"]);
  assertEquals(stage.server.nextTimeout(), undefined);
});

Deno.test("Server does not find a client whose lease has ended, even before its timeout", () => {
  const stage = new Stage();
  const { token } = stage.join(1);
  stage.takeEvents();
  stage.now += LEASE;
  const answer = stage.ask({ kind: "leaseKeepalive", nonce: 9n, token }, client(1));
  assertEquals(answer.kind, "refused");
  assertEquals(stage.takeEvents(), ["expired 1 40001", "table"]);
});

Deno.test("Server finds clients by id and by name, and answers Inactive for others", () => {
  const stage = new Stage();
  const { token } = stage.join(1);
  stage.join(2, { name: "Bob" });
  const lookUp = (id: number, name: string) =>
    stage.ask({ kind: "lookUp", nonce: 9n, token, id, name }, client(1));
  const address = client(2);
  const publicKey = publicKeyOf(2);
  const found: Frame = { kind: "found", nonce: 9n, id: 2, name: "Bob", address, publicKey };
  assertEquals(lookUp(2, ""), found);
  assertEquals(lookUp(2, "ignored"), found);
  assertEquals(lookUp(0, "bOB"), found);
  assertEquals(lookUp(3, ""), { kind: "inactive", nonce: 9n, id: 3, name: "" });
  assertEquals(lookUp(0, "eve"), { kind: "inactive", nonce: 9n, id: 0, name: "eve" });
  assertEquals(lookUp(0, ""), { kind: "inactive", nonce: 9n, id: 0, name: "" });
  const longest = "n".repeat(255);
  assertEquals(lookUp(0, longest), { kind: "inactive", nonce: 9n, id: 0, name: longest });
});

Deno.test("Server shows the IPv4 address of a client on a dual-stack socket", () => {
  const stage = new Stage();
  const mapped = { hostname: "::ffff:127.0.0.1", port: 40_001 };
  const answer = stage.register(registerFrame(1), mapped);
  assert(answer.kind === "registered");
  assertEquals(answer.seenAt, client(1));
  const { token } = answer;
  const found = stage.ask({ kind: "lookUp", nonce: 9n, token, id: 1, name: "" }, mapped);
  assert(found.kind === "found");
  assertEquals(found.address, client(1));
});

Deno.test("Server lists 10,000 clients page by page", () => {
  const stage = new Stage({ hasSourceLimits: false });
  let { token } = stage.join(1);
  for (let n = 2; n <= 10_000; n++) {
    // Long, short and empty names, with one and with several bytes per character.
    const name = n % 3 === 0 ? "" : n % 3 === 1 ? `n${n}` : `名`.repeat(26) + n;
    stage.now++;
    token = stage.join(n, { name }).token;
  }
  const seen: number[] = [];
  for (let more = 1; more === 1;) {
    const after = seen.at(-1) ?? 0;
    const page = stage.ask({ kind: "list", nonce: 9n, token, after }, client(10_000)) as Listing;
    assert(page.clients.length > 0 && page.clients.length <= 255);
    seen.push(...page.clients.map(({ id }) => id));
    more = page.more;
  }
  assertEquals(seen, Array.from({ length: 10_000 }, (_, index) => index + 1));
  const end = stage.ask({ kind: "list", nonce: 9n, token, after: 10_000 }, client(10_000));
  assertEquals(end, { kind: "listing", nonce: 9n, more: 0, clients: [] });
});

Deno.test("Server fills a Listing with as many clients as one byte can count", () => {
  const stage = new Stage({ hasSourceLimits: false });
  let { token } = stage.join(1);
  for (let n = 2; n <= 300; n++) token = stage.join(n).token;
  const page = stage.ask({ kind: "list", nonce: 9n, token, after: 0 }, client(300)) as Listing;
  // The header has 16 bytes, the frame header 3, the fields before the clients 10, a client 5.
  assertEquals(page.clients.length, Math.floor((DATAGRAM_SIZE_MAX - 16 - 3 - 10) / 5));
  assertEquals(page.more, 1);
});

Deno.test("Server acknowledges a Client Leave, and a repeated one", () => {
  const stage = new Stage();
  const { token } = stage.join(1);
  stage.takeEvents();
  const leave = { kind: "leave", nonce: 9n, token } as const;
  assertEquals(stage.ask(leave, client(1)), { kind: "leaveAck", nonce: 9n });
  assertEquals(stage.takeEvents(), ["left 1 40001", "table"]);
  assertEquals(stage.ask(leave, client(1)), { kind: "leaveAck", nonce: 9n });
  assertEquals(stage.takeEvents(), []);
  assertEquals(stage.server.nextTimeout(), undefined);
});

Deno.test("Server handles several requests in one datagram, and answers them in one", () => {
  const stage = new Stage();
  const { token } = stage.join(1);
  const bytes = requestBytes([
    { kind: "leaseKeepalive", nonce: 7n, token },
    { kind: "lookUp", nonce: 8n, token, id: 1, name: "" },
    { kind: "leave", nonce: 9n, token },
    { kind: "list", nonce: 10n, token, after: 0 },
  ]);
  const sent = stage.deliver(bytes, client(1));
  assertEquals(sent.length, 1);
  const kinds = framesOf(sent[0]!).map(({ kind }) => kind);
  assertEquals(kinds, ["leaseKeepaliveAck", "found", "leaveAck", "refused"]);
});
