// Several directories: protocol/README.md, "Several directories" and "A directory that cannot answer".
import { assert, assertEquals } from "@std/assert";
import {
  ADDRESS_AVOIDED,
  MOVE_PAUSE_FIRST,
  MOVE_PAUSE_MAX,
  SEVERAL_KEEPALIVE_MAX,
  SEVERAL_SILENT_AFTER,
  UNAVAILABLE_RETRY,
} from "../../../protocol/directory/directory_choice.ts";
import { REGISTRATION_TIMEOUT } from "../../../protocol/directory/registering.ts";
import { LEAVE_TIMEOUT } from "../../../protocol/directory/registration.ts";
import type { RegistrationRequest } from "../../../protocol/directory/registration_event.ts";
import type { TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { type Frame, RefusalReason } from "../../../protocol/wire/frame.ts";
import { Dealings, FOUND, LOOK_UP } from "../../support/dealings.ts";
import type { Asked } from "../../support/fake_directory.ts";

const [A, B, C] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((hostname) => ({
  hostname,
  port: 7070,
})) as [Address, Address, Address];
const [a, b, c] = [A.hostname, B.hostname, C.hostname];
const A6: Address = { hostname: "2001:db8::1", port: 7070 };
const UNAVAILABLE: Frame = { kind: "refused", reason: RefusalReason.unavailable };

/** A client and the directories at its addresses, which have one key. */
class Stage extends Dealings {
  /** What is at each address. */
  readonly at: Record<string, "up" | "silent" | "refusing"> = {};
  /** What was asked where, and when. */
  readonly log: [number, string, Frame["kind"]][] = [];
  readonly told: string[] = [];
  #start = 0;

  constructor(
    addresses: readonly Address[],
    options?: Partial<RegistrationRequest>,
    timers?: TimerMode,
  ) {
    super({ directoryAddresses: addresses, ...options }, timers);
    for (const { hostname } of addresses) this.at[hostname] = "up";
  }

  /** Lets the time go on; the directories answer at once, or not. */
  run(ms: number): void {
    this.#start = this.now;
    this.log.length = this.told.length = 0;
    this.#exchange();
    for (const end = this.now + ms; this.now < end;) {
      this.wait(1);
      this.#exchange();
    }
  }

  /** The times at which something of this kind was asked there. */
  timesOf(kind: Frame["kind"], hostname: string): number[] {
    return this.log.filter(([, at, what]) => at === hostname && what === kind).map(([at]) => at);
  }

  #exchange(): void {
    for (;;) {
      const sent = this.askedAt();
      for (const [hostname, asked] of sent) {
        this.log.push([this.now - this.#start, hostname, asked.frame.kind]);
        this.#answer(hostname, asked);
      }
      for (const event of this.events()) {
        const why = event.kind === "moved" ? ` ${event.to.hostname} ${event.why}` : "";
        this.told.push(`${event.kind}${why}`);
      }
      if (sent.length === 0) return;
    }
  }

  #answer(hostname: string, asked: Asked): void {
    const from = { hostname, port: 7070 };
    const { frame } = asked;
    const state = this.at[hostname];
    if (state === "silent") return;
    if (frame.kind === "credentials") return void this.challenge(asked, from);
    if (frame.kind === "register") {
      const { unavailable } = RefusalReason;
      const answer = state === "up" ? this.directory.grant(asked) : asked.refuse(unavailable);
      return void this.give(answer, from);
    }
    if (frame.kind === "leave") return void this.give(asked.answer({ kind: "leaveAck" }), from);
    const good: Frame = frame.kind === "lookUp"
      ? FOUND
      : { kind: "leaseKeepaliveAck", lease: 45_000 };
    this.give(asked.answer(state === "up" ? good : UNAVAILABLE), from);
  }
}

/** A client that is registered at A, and knows B as well. */
function registeredAtA(
  { addresses = [A, B], ...options }: { addresses?: Address[] } & Partial<RegistrationRequest> = {},
  timers: TimerMode = "adaptive",
): Stage {
  const stage = new Stage(addresses, options, timers);
  for (const each of addresses.slice(1)) stage.at[each.hostname] = "silent";
  stage.run(0);
  assertEquals(stage.told, ["registered"]);
  for (const each of addresses) stage.at[each.hostname] = "up";
  return stage;
}

Deno.test("a client that knows several directories renews its lease every 4 s, and others as before", () => {
  assertEquals(SEVERAL_KEEPALIVE_MAX, 4000);
  const several = registeredAtA();
  several.run(12_000);
  assertEquals(several.timesOf("leaseKeepalive", a), [4000, 8000, 12_000]);
  for (const addresses of [[A], [A, A6]]) {
    const one = registeredAtA({ addresses });
    one.run(15_000);
    assertEquals(one.timesOf("leaseKeepalive", a), [15_000]);
  }
});

Deno.test("a directory that is silent for 3 s, at three tries or more, is left for the next one", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.run(20_000);
  const tries = stage.timesOf("leaseKeepalive", a);
  assertEquals(tries, [4000, 4200, 4600, 5400, 6400, 7000].slice(0, tries.length));
  assert(tries.length >= 3);
  assertEquals(stage.timesOf("credentials", b), [4000 + SEVERAL_SILENT_AFTER]);
  assertEquals(stage.told, [`moved ${b} silent`]);
  assertEquals(stage.registration.addresses, [B]);
  assertEquals(stage.timesOf("leaseKeepalive", b), [11_000, 15_000, 19_000]);
});

Deno.test("the next directory is shown the token, and asked for the same id and name", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(4000 + SEVERAL_SILENT_AFTER);
  stage.wait(200);
  const [, first] = stage.askedAt().find(([at]) => at === b)!;
  stage.challenge(first, B);
  const [, { frame }] = stage.askedAt().find(([at]) => at === b)!;
  assert(frame.kind === "register");
  assertEquals([frame.wantedId, frame.name, frame.token[0]], [1, "ana", 0xaa]);
});

Deno.test("a question that the silent directory did not answer is asked at the next one", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(4000);
  assert(stage.timesOf("lookUp", a).length >= 3);
  assertEquals(stage.timesOf("lookUp", b), [SEVERAL_SILENT_AFTER]);
  assertEquals(stage.told, [`moved ${b} silent`, "found"]);
});

Deno.test("a question that is taken back expects no answer", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(1000);
  stage.registration.dropQuery(LOOK_UP);
  stage.at[a] = "up";
  stage.run(4500);
  assertEquals(stage.timesOf("credentials", b), []);
});

Deno.test("a directory that answers while the next one is tried stays in use", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(4000 + SEVERAL_SILENT_AFTER + 100);
  stage.at[a] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.addresses], [[], [A]]);
  assertEquals(stage.timesOf("register", b), []);
});

Deno.test("a client that slept while it waited for an answer does not take the directory for silent", () => {
  const stage = registeredAtA();
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.askedAt();
  stage.now += 10_000;
  stage.registration.handleWake(stage.now);
  stage.wait(0);
  stage.run(100);
  assertEquals([stage.told, stage.registration.addresses], [["found"], [A]]);
  assertEquals(stage.timesOf("credentials", b), []);
});

Deno.test("where all directories are silent, they are lost, and the first that answers is used", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(30_000);
  assertEquals(stage.told, ["lost"]);
  stage.at[b] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.addresses], [[`moved ${b} silent`], [B]]);
});

/** A client that was registered at A, and is lost: nothing answers. */
function lost(): Stage {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(30_000);
  assertEquals(stage.told, ["lost"]);
  return stage;
}

Deno.test("a directory that was lost and answers again is not another one", () => {
  const stage = lost();
  stage.at[a] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.addresses], [["back"], [A]]);
});

Deno.test("a client that is lost is back where it is registered, and not where it is refused for now", () => {
  const stage = lost();
  stage.at[b] = "refusing";
  stage.run(30_000);
  assertEquals([stage.told, stage.registration.isLost], [[], true]);
  const tries = stage.timesOf("register", b);
  assert(tries.length >= 2 && tries.length <= 30_000 / UNAVAILABLE_RETRY, `${tries}`);
  stage.at[b] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.isLost], [[`moved ${b} silent`], false]);
});

Deno.test("a client that is lost goes on registering after it got no other name", () => {
  const stage = lost();
  stage.registration.rename(stage.now, "zoe");
  stage.run(REGISTRATION_TIMEOUT);
  assertEquals(stage.told, ["nameRefused"]);
  stage.at[b] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.name], [[`moved ${b} silent`], "ana"]);
});

Deno.test("with fixed timers nothing is sent again within 10 s, so the next one is tried after 13 s", () => {
  const stage = registeredAtA({}, "fixed");
  stage.at[a] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(20_000);
  assertEquals(stage.timesOf("lookUp", a), [0, 10_000]);
  assertEquals(stage.timesOf("credentials", b), [13_000]);
  assertEquals(stage.told, [`moved ${b} silent`, "found"]);
});

Deno.test("an address that was left is tried again only where there is no other, or after a while", () => {
  const stage = registeredAtA({ addresses: [A, B, C] });
  stage.at[a] = stage.at[c] = "silent";
  stage.run(10_000);
  assertEquals(stage.told, [`moved ${b} silent`]);
  stage.at[a] = stage.at[c] = "up";
  stage.at[b] = "silent";
  stage.run(20_000);
  assertEquals(stage.told, [`moved ${c} silent`]);
  assertEquals(stage.timesOf("credentials", a), []);
  stage.run(ADDRESS_AVOIDED);
  stage.at[c] = "silent";
  stage.run(20_000);
  assertEquals(stage.told.length, 1);
  assertEquals([stage.timesOf("credentials", a).length, stage.timesOf("credentials", b).length], [
    1,
    1,
  ]);
});

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
  const stage = new Stage([A, B]);
  stage.at[a] = "refusing";
  stage.run(100);
  assertEquals([stage.told, stage.registration.addresses], [["registered"], [B]]);
});

Deno.test("a first registration that all refuse for now is tried every 5 s, until it is given up", () => {
  const stage = new Stage([A, B]);
  stage.at[a] = stage.at[b] = "refusing";
  stage.run(REGISTRATION_TIMEOUT - 1);
  assertEquals(stage.told, ["unavailable"]);
  const tries = Array.from({ length: 6 }, (_, count) => count * UNAVAILABLE_RETRY);
  assertEquals([stage.timesOf("register", a), stage.timesOf("register", b)], [tries, tries]);
  stage.wait(1);
  assertEquals(stage.events(), [{ kind: "refused", reason: RefusalReason.unavailable }]);
});

Deno.test("a first registration that was refused for now succeeds once a directory can answer", () => {
  const stage = new Stage([A]);
  stage.at[a] = "refusing";
  stage.run(UNAVAILABLE_RETRY + 100);
  stage.at[a] = "up";
  stage.run(UNAVAILABLE_RETRY);
  assertEquals(stage.told, ["registered"]);
});

Deno.test("another name that is refused for now at all directories is reported so, and the own one stays", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "refusing";
  stage.registration.rename(stage.now, "zoe");
  stage.run(0);
  assertEquals([stage.told, stage.registration.name], [["nameRefused"], "ana"]);
});

/** The Register that B gets from a client whose directory refuses, once it has answered `refusals`. */
function askedAfter(stage: Stage, ...refusals: number[]): Asked | undefined {
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

Deno.test("a client whose directory is silent when it leaves does so at another one, within 5 s", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.registration.leave(stage.now);
  stage.run(5_000);
  assert(stage.timesOf("leave", a).length >= 3);
  assertEquals(stage.timesOf("register", b), [SEVERAL_SILENT_AFTER]);
  assertEquals(stage.timesOf("leave", b), [SEVERAL_SILENT_AFTER]);
  assertEquals([stage.told, stage.registration.leaveBy], [["left"], undefined]);
});

Deno.test("a client that leaves while all were silent does so at the first that answers, within 5 s", () => {
  const stage = lost();
  stage.at[b] = "up";
  stage.registration.leave(stage.now);
  stage.run(5_000);
  assertEquals([stage.timesOf("leave", b).length, stage.told], [1, ["left"]]);
});

Deno.test("a client that leaves where all are silent ends after 30 s, and says nothing of them", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.registration.leave(stage.now);
  stage.run(LEAVE_TIMEOUT - 1);
  assertEquals(stage.told, []);
  const tries = stage.log.length;
  assert(tries <= 60, `${tries}`);
  stage.run(1);
  assertEquals(stage.told, ["left"]);
});

Deno.test("a directory that answers while the next one is tried for leaving is left", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.registration.leave(stage.now);
  stage.run(SEVERAL_SILENT_AFTER + 100);
  stage.at[a] = "up";
  stage.run(5_000);
  assertEquals([stage.told, stage.timesOf("register", b)], [["left"], []]);
});
