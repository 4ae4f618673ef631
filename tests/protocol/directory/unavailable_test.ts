// A directory that cannot answer: protocol/README.md, "A directory that cannot answer".
import { assert, assertEquals } from "@std/assert";
import {
  MOVE_PAUSE_FIRST,
  MOVE_PAUSE_MAX,
  SEVERAL_SILENT_AFTER,
  UNAVAILABLE_RETRY,
} from "../../../protocol/directory/directory_choice.ts";
import { REGISTRATION_TIMEOUT } from "../../../protocol/directory/registering.ts";
import { RefusalReason } from "../../../protocol/wire/frame.ts";
import { FOUND, LOOK_UP } from "../../support/dealings.ts";
import type { Asked } from "../../support/fake_directory.ts";
import {
  A,
  a,
  B,
  b,
  C,
  c,
  MovingStage,
  registeredAtA,
  UNAVAILABLE,
} from "../../support/moving_stage.ts";

for (const kind of ["leaseKeepalive", "lookUp"] as const) {
  Deno.test(`a ${kind} that is refused for now lets the client register at the next directory at once`, () => {
    const stage = registeredAtA();
    stage.at[a] = "refusing";
    if (kind === "lookUp") stage.registration.lookUp(stage.now, LOOK_UP);
    const at = kind === "lookUp" ? 0 : 4000;
    stage.run(7900);
    assertEquals(stage.timesOf(kind, a), [at]);
    assertEquals(stage.timesOf("register", b), [at]);
    const found = kind === "lookUp" ? ["found"] : [];
    assertEquals(stage.told, [`moved ${b} unavailable`, ...found]);
  });
}

Deno.test("a Notice that the directory cannot answer lets the client register at the next one at once", () => {
  const stage = registeredAtA();
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.run(100);
  assertEquals([stage.told, stage.registration.addresses], [[`moved ${b} unavailable`], [B]]);
});

Deno.test("an answer that comes after a refusal does not end the search for another directory", () => {
  const stage = registeredAtA();
  stage.registration.lookUp(stage.now, LOOK_UP);
  const [[, lookUp]] = stage.askedAt() as [[string, Asked]];
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.give(lookUp.answer(FOUND), A);
  stage.run(100);
  assertEquals(stage.told, ["found", `moved ${b} unavailable`]);
});

Deno.test("until another directory grants one, the registration stays", () => {
  const stage = registeredAtA();
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(2900);
  assertEquals([stage.told, stage.timesOf("lookUp", a)], [[], [0]]);
  assert(stage.registration.carry(1n, 2, new Uint8Array(50))?.to === A);
  stage.run(200);
  assertEquals(stage.told, ["unavailable"]);
  stage.run(10_000);
  // Its lease is renewed as before.
  assertEquals([stage.told, stage.timesOf("leaseKeepalive", a)], [[], [900, 4900, 8900]]);
});

Deno.test("where there is no other directory, a question that is refused is reported at once", () => {
  const stage = registeredAtA({ addresses: [A] });
  stage.at[a] = "refusing";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.registration.list(stage.now);
  stage.run(40_000);
  assertEquals(stage.told, ["unavailable", "unavailable"]);
  assertEquals(stage.timesOf("leaseKeepalive", a), [15_000, 30_000]);
  assertEquals(stage.log.length, 4);
  stage.at[a] = "up";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(0);
  assertEquals(stage.told, ["found"]);
});

Deno.test("where all directories refuse, they are asked ever more rarely, and each question is answered", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "refusing";
  for (let second = 0; second < 300; second++) {
    stage.registration.lookUp(stage.now, LOOK_UP);
    const before = stage.log.length;
    stage.run(1000);
    assert(stage.log.length - before <= 5, `${stage.log}`);
    assertEquals(stage.told, ["unavailable"]);
  }
  stage.run(300_000);
  const searches = stage.timesOf("register", b).length;
  assert(searches >= 4 && searches <= 300_000 / MOVE_PAUSE_MAX + 1, `${searches}`);
  assertEquals(stage.registration.addresses, [A]);
});

Deno.test("two directories that take a client and then refuse cannot make it hurry", () => {
  const stage = registeredAtA();
  let moves = 0;
  for (let ms = 0; ms < 60_000; ms += 100) {
    // What refuses is always the one in use, and it does so unasked.
    const [inUse] = stage.registration.addresses;
    stage.give(stage.directory.notice(1, UNAVAILABLE), inUse);
    stage.run(100);
    moves += stage.told.length;
  }
  assert(moves >= 2 && moves <= 1 + 60_000 / MOVE_PAUSE_FIRST, `${moves}`);
});

Deno.test("a first registration goes on at the next directory where one refuses it for now", () => {
  const stage = new MovingStage([A, B]);
  stage.at[a] = "refusing";
  stage.run(100);
  assertEquals([stage.told, stage.registration.addresses], [["registered"], [B]]);
});

Deno.test("a first registration that all refuse for now is tried every 5 s, until it is given up", () => {
  const stage = new MovingStage([A, B]);
  stage.at[a] = stage.at[b] = "refusing";
  stage.run(REGISTRATION_TIMEOUT - 1);
  assertEquals(stage.told, ["unavailable"]);
  const tries = Array.from({ length: 6 }, (_, count) => count * UNAVAILABLE_RETRY);
  assertEquals([stage.timesOf("register", a), stage.timesOf("register", b)], [tries, tries]);
  stage.wait(1);
  assertEquals(stage.events(), [{ kind: "refused", reason: RefusalReason.unavailable }]);
});

Deno.test("a first registration that was refused for now succeeds once a directory can answer", () => {
  const stage = new MovingStage([A]);
  stage.at[a] = "refusing";
  stage.run(UNAVAILABLE_RETRY + 100);
  stage.at[a] = "up";
  stage.run(UNAVAILABLE_RETRY);
  assertEquals(stage.told, ["registered"]);
});

Deno.test("a directory that refused is tried again 5 s later, also where another one is silent", () => {
  const stage = new MovingStage([A, B]);
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.run(100);
  stage.at[a] = "up";
  stage.run(UNAVAILABLE_RETRY);
  assertEquals(stage.told, ["unavailable", "registered"]);
});

Deno.test("another name that is refused for now at all directories is reported so, and the own one stays", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "refusing";
  stage.registration.rename(stage.now, "zoe");
  stage.run(0);
  assertEquals([stage.told, stage.registration.name], [["nameRefused"], "ana"]);
});

/** The Register that B gets from a client whose directory refuses, once it has answered `refusals`. */
function askedAfter(stage: MovingStage, ...refusals: number[]): Asked | undefined {
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  const next = (): Asked | undefined => stage.askedAt().find(([at]) => at === b)?.[1];
  for (const reason of refusals) {
    stage.challenge(next()!, B);
    stage.give(next()!.refuse(reason), B);
  }
  const first = next();
  if (first === undefined) return undefined;
  stage.challenge(first, B);
  return next();
}

Deno.test("a directory that has no place for the client takes nothing from it", () => {
  const stage = registeredAtA();
  assertEquals(askedAfter(stage, RefusalReason.full), undefined);
  stage.at[a] = "up";
  stage.run(3_000);
  assertEquals([stage.registration.name, stage.registration.addresses], ["ana", [A]]);
});

Deno.test("a client whose id and name others have by now is registered without them at once", () => {
  const stage = registeredAtA();
  const { idTaken, nameTaken } = RefusalReason;
  const register = askedAfter(stage, idTaken, nameTaken);
  assert(register?.frame.kind === "register");
  assertEquals([register.frame.wantedId, register.frame.name], [0, ""]);
  stage.give(stage.directory.grant(register, { id: 7 }), B);
  const [moved, registered] = stage.events();
  assertEquals(moved?.kind, "moved");
  assert(registered?.kind === "registered");
  assertEquals([registered.id, registered.name, registered.lostName], [7, "", "ana"]);
});

Deno.test("a directory that refuses the name, and then has no place, takes nothing from the client", () => {
  const stage = registeredAtA();
  const { nameTaken, full } = RefusalReason;
  assertEquals(askedAfter(stage, nameTaken, full), undefined);
  assertEquals(stage.registration.name, "ana");
  stage.at[a] = "up";
  stage.run(MOVE_PAUSE_FIRST);
  const register = askedAfter(stage);
  assert(register?.frame.kind === "register");
  assertEquals([register.frame.wantedId, register.frame.name], [1, "ana"]);
});

Deno.test("a directory that refuses the name takes it from no client whose own directory answers", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(4_000 + SEVERAL_SILENT_AFTER - 1);
  stage.wait(1);
  const next = (): Asked | undefined => stage.askedAt().find(([at]) => at === b)?.[1];
  stage.challenge(next()!, B);
  stage.give(next()!.refuse(RefusalReason.nameTaken), B);
  stage.at[a] = "up";
  stage.run(5_000);
  assertEquals([stage.told, stage.registration.name], [[], "ana"]);
  stage.run(MOVE_PAUSE_FIRST);
  const register = askedAfter(stage);
  assert(register?.frame.kind === "register");
  assertEquals([register.frame.wantedId, register.frame.name], [1, "ana"]);
});

Deno.test("a directory that refuses again what is not asked for any more is of no use", () => {
  const stage = registeredAtA();
  const { idTaken } = RefusalReason;
  assertEquals(askedAfter(stage, idTaken, idTaken), undefined);
});

Deno.test("while its directory cannot answer, a client tries the others again as soon as it may", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "refusing";
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.run(MOVE_PAUSE_FIRST - 1);
  assertEquals(stage.timesOf("register", b), [0]);
  stage.at[b] = "up";
  stage.run(2);
  assertEquals(stage.told, [`moved ${b} unavailable`]);
});

Deno.test("a directory that answers a search late is as good, while the one in use cannot answer", () => {
  const stage = registeredAtA();
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(SEVERAL_SILENT_AFTER + 1_000);
  assertEquals(stage.told, ["unavailable"]);
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(20_000);
  assertEquals(stage.told, ["unavailable"]);
  assert(stage.timesOf("credentials", b).length <= 4);
  stage.at[b] = "up";
  stage.run(10_000);
  assertEquals(stage.told, [`moved ${b} unavailable`]);
});

Deno.test("a directory that works again ends a search for which nobody answered", () => {
  const stage = registeredAtA();
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.run(20_000);
  stage.at[a] = "up";
  stage.run(4_000);
  assert(stage.timesOf("leaseKeepalive", a).length === 1);
  stage.run(60_000);
  assertEquals([stage.told, stage.timesOf("credentials", b)], [[], []]);
});

Deno.test("a directory that has started again is registered with, though nobody answered a search", () => {
  const stage = registeredAtA();
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.run(3_900);
  stage.at[a] = "silent";
  stage.wait(100);
  const [, keepalive] = stage.askedAt().find(([at]) => at === a)!;
  stage.give(stage.unknown(keepalive), A);
  stage.at[a] = "up";
  stage.run(1_000);
  assertEquals(stage.timesOf("register", a).length, 1);
});

Deno.test("a directory that falls silent, too, is lost, and all are tried", () => {
  const stage = registeredAtA();
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.run(10_000);
  stage.at[a] = "silent";
  stage.run(10_000);
  assertEquals(stage.told, ["lost"]);
  stage.at[a] = "up";
  stage.run(12_000);
  assertEquals(stage.told, ["back"]);
});

Deno.test("a client tries no others any more once its directory renews the lease", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "refusing";
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.run(100);
  stage.at[a] = "up";
  stage.run(30_000);
  assertEquals([stage.told, stage.timesOf("credentials", b)], [[], []]);
});

Deno.test("an address that is given twice is no other directory", () => {
  const stage = new MovingStage([A, A]);
  stage.run(0);
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.registration.handleTimeout(stage.now);
  const next = stage.registration.nextTimeout() ?? Infinity;
  assert(next > stage.now, `due again at ${next}`);
  stage.run(14_900);
  assertEquals(stage.log, []);
});

for (const timers of ["adaptive", "fixed"] as const) {
  Deno.test(`a directory that was left is tried again where no other answers, with ${timers} timers`, () => {
    const stage = registeredAtA({ addresses: [A, B, C] }, timers);
    stage.at[a] = "refusing";
    stage.at[b] = "silent";
    stage.give(stage.directory.notice(1, UNAVAILABLE), A);
    stage.run(100);
    assertEquals(stage.told, [`moved ${c} unavailable`]);
    stage.at[a] = "up";
    stage.at[c] = "refusing";
    stage.run(timers === "fixed" ? 60_000 : 15_000);
    assertEquals(stage.told, [`moved ${a} unavailable`]);
  });
}

Deno.test("a search that nobody answered in time goes on at a new address", () => {
  const stage = registeredAtA({ addresses: [A, B] });
  stage.at[a] = "refusing";
  stage.at[b] = "silent";
  stage.at[c] = "up";
  stage.give(stage.directory.notice(1, UNAVAILABLE), A);
  stage.run(10_000);
  stage.registration.moveDirectory(stage.now, [A, C]);
  stage.run(500);
  assertEquals(stage.told, [`moved ${c} unavailable`]);
});
