import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Frame, RefusalReason, type Register } from "../../protocol/wire/frame.ts";
import { COOKIE_SLOT } from "../../server/cookie.ts";
import { ENDPOINT_SIZE } from "../../protocol/wire/endpoint_bytes.ts";
import { RegisterReplayFilter } from "../../server/table/register_replay.ts";
import { Prng } from "../support/random.ts";
import {
  client,
  LEASE,
  publicKeyOf,
  registerFrame,
  requestBytes,
  Stage,
  ZERO,
} from "../support/server_stage.ts";

/** The answer to a look-up by client `n`. */
function lookUp(stage: Stage, n: number, token: Uint8Array, name: string): Frame {
  return stage.ask({ kind: "lookUp", nonce: 99n, token, id: 0, name }, client(n));
}

/** The reason of a refusal, or the kind of any other answer. */
function outcome(answer: Frame): number | string {
  return answer.kind === "refused" ? answer.reason : answer.kind;
}

/** A Register from client `n` with a valid cookie. */
function proven(stage: Stage, n: number, fields: Partial<Register> = {}): Register {
  const frame = registerFrame(n, fields);
  const challenge = stage.ask(frame, client(n));
  assert(challenge.kind === "challenge");
  return { ...frame, cookie: challenge.cookie };
}

Deno.test("Server answers with a copy of the key that a client registered with", () => {
  const stage = new Stage();
  const { token } = stage.join(1, { name: "ana" });
  const publicKey = publicKeyOf(77);
  const bytes = requestBytes([proven(stage, 2, { name: "bob", publicKey })]);
  stage.deliver(bytes, client(2));
  // The buffer of the datagram is reused.
  bytes.fill(0xee);
  const found = lookUp(stage, 1, token, "bob");
  assert(found.kind === "found");
  assertEquals(found.publicKey, publicKeyOf(77));
});

Deno.test("Server gives no name and no id to another key while the lease lasts", () => {
  const stage = new Stage();
  const { id } = stage.join(1, { name: "ana" });
  const { token } = stage.join(2);
  const attempt = (fields: Partial<Register>) =>
    outcome(stage.register(registerFrame(3, fields), client(3)));
  stage.takeEvents();
  assertEquals(attempt({ name: "Ana" }), RefusalReason.nameTaken);
  assertEquals(attempt({ wantedId: id }), RefusalReason.idTaken);
  // A key is public, so that sending it proves nothing.
  const publicKey = publicKeyOf(1);
  assertEquals(attempt({ name: "ana", publicKey }), RefusalReason.nameTaken);
  assertEquals(attempt({ wantedId: id, publicKey }), RefusalReason.idTaken);
  // A registered client cannot take it by changing its name, either.
  const renamed = registerFrame(2, { nonce: 9n, token, name: "ana" });
  assertEquals(outcome(stage.register(renamed, client(2))), RefusalReason.nameTaken);
  assertEquals(stage.takeEvents(), []);
  stage.now += LEASE;
  assertEquals(attempt({ name: "Ana", wantedId: id }), "registered");
});

Deno.test("Server refuses a token with another key", () => {
  const stage = new Stage();
  const { token } = stage.join(1, { name: "ana" });
  const other = stage.join(2).token;
  stage.takeEvents();
  for (const n of [1, 3]) {
    const frame = registerFrame(n, { nonce: 9n, token, name: "ana", publicKey: publicKeyOf(66) });
    assertEquals(outcome(stage.register(frame, client(n))), RefusalReason.otherKey);
  }
  const found = lookUp(stage, 2, other, "ana");
  assert(found.kind === "found");
  assertEquals([found.publicKey, found.address], [publicKeyOf(1), client(1)]);
  assertEquals(stage.takeEvents(), []);
});

Deno.test("Server keeps the key of a client that moves and changes its name", () => {
  const stage = new Stage();
  const { token } = stage.join(1, { name: "ana" });
  const frame = registerFrame(3, { token, name: "anna", publicKey: publicKeyOf(1) });
  assertEquals(stage.register(frame, client(3)).kind, "registered");
  const found = lookUp(stage, 3, token, "anna");
  assert(found.kind === "found");
  assertEquals([found.publicKey, found.address], [publicKeyOf(1), client(3)]);
});

Deno.test("Server lets a run with another key replace the one at its address, but not take its name or id", () => {
  const stage = new Stage();
  const first = stage.join(1, { name: "ana" });
  stage.takeEvents();
  const publicKey = publicKeyOf(70);
  for (const fields of [{ name: "ANA" }, { wantedId: 1 }, { wantedId: 1, name: "ana" }]) {
    const answer = stage.register(registerFrame(1, { nonce: 7n, publicKey, ...fields }), client(1));
    assertEquals(answer.kind, "refused");
  }
  assertEquals(stage.takeEvents(), []);
  assertEquals(lookUp(stage, 1, first.token, "ana").kind, "found");
  stage.join(1, { nonce: 7n, name: "eve", publicKey });
  // With another key it is another Register, even if the nonce is the same.
  const { token } = stage.join(1, { nonce: 7n, name: "zoe", publicKey: publicKeyOf(71) });
  assertNotEquals(token, first.token);
  assertEquals(stage.takeEvents(), [
    ...["left 1 40001", "joined 1 40001", "table 1"],
    ...["left 1 40001", "joined 1 40001", "table 1"],
  ]);
  const found = lookUp(stage, 1, token, "zoe");
  assert(found.kind === "found");
  assertEquals(found.publicKey, publicKeyOf(71));
});

Deno.test("Server ignores a replayed Register after the client left", () => {
  const stage = new Stage();
  const register = proven(stage, 1, { name: "ana" });
  const granted = stage.ask(register, client(1));
  assert(granted.kind === "registered");
  stage.ask({ kind: "leave", nonce: 5n, token: granted.token }, client(1));
  stage.takeEvents();
  for (let age = 0; age < COOKIE_SLOT; age += 1000) {
    stage.now += 1000;
    const answers = stage.askAll([register], client(1));
    // When the cookie has expired, it is challenged like any other.
    assert(answers.every(({ kind }) => kind === "challenge"));
  }
  assertEquals(stage.takeEvents(), []);
  assert(stage.server.dropped.replay! >= 20);
});

Deno.test("Server ignores a replayed Register of a run that another one replaced", () => {
  const stage = new Stage();
  const register = proven(stage, 1, { name: "ana" });
  assertEquals(stage.ask(register, client(1)).kind, "registered");
  const { token } = stage.join(1, { nonce: 8n, name: "ana" });
  stage.takeEvents();
  assertEquals(stage.askAll([register], client(1)), []);
  assertEquals(stage.takeEvents(), []);
  assertEquals(stage.server.dropped, { replay: 1 });
  assertEquals(lookUp(stage, 1, token, "ana").kind, "found");
});

Deno.test("Server ignores a replayed Register after the client registered again", () => {
  const stage = new Stage();
  const first = proven(stage, 1, { name: "ana" });
  const granted = stage.ask(first, client(1));
  assert(granted.kind === "registered");
  const { token } = granted;
  stage.join(1, { nonce: 9n, token, name: "anna" });
  stage.takeEvents();
  assertEquals(stage.askAll([first], client(1)), []);
  assertEquals(stage.takeEvents(), []);
  assertEquals(lookUp(stage, 1, token, "anna").kind, "found");
});

Deno.test("Server challenges a Register that is replayed from another address", () => {
  const stage = new Stage();
  const register = proven(stage, 1, { name: "ana" });
  assertEquals(stage.ask(register, client(2)).kind, "challenge");
  assertEquals(stage.ask(register, client(1)).kind, "registered");
  assertEquals(stage.ask(register, client(2)).kind, "challenge");
  assertEquals(stage.server.table().size, 1);
});

Deno.test("Server grants a repeated Register if the lease ended before the answer arrived", () => {
  const stage = new Stage({ lease: 1000 });
  const register = proven(stage, 1);
  assertEquals(stage.ask(register, client(1)).kind, "registered");
  stage.now += 1000;
  assertEquals(stage.ask(register, client(1)).kind, "registered");
  assertEquals(stage.ask({ ...register, token: ZERO }, client(1)).kind, "registered");
});

Deno.test("RegisterReplayFilter remembers the latest, and no more than its bound", () => {
  const max = 1010;
  const filter = new RegisterReplayFilter(max, new Prng(1).bytes);
  const endpoint = (n: number) => new Uint8Array(ENDPOINT_SIZE).fill(n % 7);
  for (let n = 0; n < 3 * max; n++) {
    filter.add(endpoint(n), BigInt(n));
    assert(filter.size <= 2 * max);
  }
  const last = 3 * max - 1;
  for (let n = last; n > last - max; n--) assert(filter.has(endpoint(n), BigInt(n)));
  assert(!filter.has(endpoint(0), 0n));
  assert(!filter.has(endpoint(last + 1), BigInt(last)));
  assert(!filter.has(endpoint(last), BigInt(last + 1)));
});
