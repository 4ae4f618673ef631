// How a client stays registered, and leaves: protocol/README.md, "Requests and answers". How it comes to
// be registered is in registering_test.ts, what it asks in queries_test.ts.
import { assert, assertEquals } from "@std/assert";
import { DIRECTORY_LOST_AFTER } from "../../../protocol/directory/liveness.ts";
import { LEAVE_TIMEOUT, LEAVE_UNKNOWN_TIMEOUT } from "../../../protocol/directory/registration.ts";
import { LEASE_KEEPALIVE_MAX, LEASE_KEEPALIVE_MIN } from "../../../protocol/directory/lease.ts";
import { CALL_RESEND_MAX } from "../../../protocol/directory/outstanding.ts";
import { FORGERY_PATIENCE } from "../../../protocol/directory/unproven.ts";
import {
  DatagramType,
  type Frame,
  RefusalReason,
  type Register,
} from "../../../protocol/wire/frame.ts";
import { Dealings, FOUND, LOOK_UP, registered } from "../../support/dealings.ts";
import { type Asked, DIRECTORY, LEASE, SEEN_AT } from "../../support/fake_directory.ts";

const ELSEWHERE = { hostname: "192.0.2.66", port: 666 };
const ZERO = new Uint8Array(16);
const ACK: Frame = { kind: "leaseKeepaliveAck", lease: LEASE };
const REGISTERED: Frame = {
  kind: "registered",
  token: ZERO,
  id: 7,
  lease: 1,
  seenAt: SEEN_AT,
};

/** The Lease Keepalive that is due. */
function keepalive(dealings: Dealings): Asked {
  dealings.wait(LEASE / 3);
  const asked = dealings.ask();
  assertEquals(asked.frame.kind, "leaseKeepalive");
  return asked;
}

Deno.test("a Request is sealed in the session of the registration, under the client id, and counts on", () => {
  const dealings = registered();
  const first = keepalive(dealings);
  assertEquals(first.header, { type: DatagramType.Request, session: 1, packet: 1 });
  dealings.registration.lookUp(dealings.now, LOOK_UP);
  assertEquals(dealings.ask().header.packet, 2);
});

Deno.test("an Answer counts only for the packet that it answers, unaltered, and once", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, LOOK_UP);
  const lookUp = dealings.ask();
  const answer = lookUp.answer(FOUND);
  for (let at = 4; at < answer.length; at++) {
    if (at === 8) continue;
    assertEquals(dealings.give(answer.with(at, answer[at]! ^ 1)), false, `byte ${at}`);
  }
  for (const packet of [0, 2, 99]) assertEquals(dealings.give(lookUp.answer(FOUND, packet)), false);
  assertEquals(dealings.events(), []);
  assertEquals([dealings.give(answer, ELSEWHERE), dealings.give(answer)], [true, false]);
  const [event, ...more] = dealings.events();
  assert(event?.kind === "found" && more.length === 0);
  assertEquals<unknown>([event.client, event.query], [FOUND, LOOK_UP]);
});

Deno.test("an Answer to any of the last eight transmissions counts", () => {
  for (const index of [0, 1, 2, 9]) {
    const dealings = registered();
    const sent = [keepalive(dealings)];
    while (sent.length < 10) {
      const asked = dealings.times(100).map(([, asked]) => asked);
      sent.push(...asked.filter(({ frame }) => frame.kind === "leaseKeepalive"));
    }
    assertEquals(dealings.answer(sent[index]!, ACK), index >= 2, `${index}`);
  }
});

Deno.test("an Answer to another kind of request has no effect", () => {
  const wrong: Frame[] = [
    REGISTERED,
    FOUND,
    { kind: "inactive", id: 2, name: "" },
    { kind: "listing", more: 1, clients: [] },
    { kind: "leaveAck" },
    { kind: "leave" },
    { kind: "refused", reason: RefusalReason.full },
  ];
  const dealings = registered();
  const asked = keepalive(dealings);
  for (const frame of wrong) dealings.answer(asked, frame);
  assertEquals([dealings.kinds(), dealings.events(), dealings.registration.id], [[], [], 1]);
  dealings.answer(asked, ACK);
  assertEquals(dealings.registration.nextTimeout(), dealings.now + LEASE / 3);
});

Deno.test("a Lease Keepalive goes out every third of the lease that was told last", () => {
  const dealings = registered();
  dealings.answer(keepalive(dealings), { kind: "leaseKeepaliveAck", lease: 9000 });
  dealings.wait(2999);
  assertEquals(dealings.kinds(), []);
  dealings.wait(1);
  assertEquals(dealings.kinds(), ["leaseKeepalive"]);
});

Deno.test("a Lease Keepalive goes out every 20 s at least, however long the lease", () => {
  assertEquals(LEASE_KEEPALIVE_MAX, 20_000);
  const dealings = new Dealings().register({ lease: 2 ** 32 - 1 });
  dealings.wait(LEASE_KEEPALIVE_MAX - 1);
  assertEquals(dealings.kinds(), []);
  dealings.wait(1);
  assertEquals(dealings.kinds(), ["leaseKeepalive"]);
});

Deno.test("a directory that gives no lease to speak of is not flooded", () => {
  for (const lease of [0, 1, 10]) {
    const dealings = new Dealings().register({ lease });
    let sent = 0;
    for (let ms = 0; ms < 10_000; ms++) {
      for (const asked of dealings.asked()) {
        sent++;
        dealings.answer(asked, { kind: "leaseKeepaliveAck", lease });
      }
      dealings.wait(1);
    }
    assert(sent <= 10_000 / LEASE_KEEPALIVE_MIN, `lease ${lease}: ${sent} in 10 s`);
  }
});

Deno.test("a Request is sent again after the RTO, at least 200 ms, doubled; with fixed timers after 10 s", () => {
  for (const [rtt, times] of [[0, [200, 600, 1400, 3000]], [100, [300, 900, 2100]]] as const) {
    const dealings = new Dealings();
    const register = dealings.reachRegister();
    dealings.now += rtt;
    dealings.grant(register);
    dealings.registration.lookUp(dealings.now, LOOK_UP);
    assertEquals(dealings.kinds(), ["lookUp"]);
    assertEquals(dealings.times(4000).map(([at]) => at), [...times]);
  }
  const fixed = registered({}, "fixed");
  fixed.registration.lookUp(fixed.now, LOOK_UP);
  fixed.kinds();
  assertEquals(fixed.times(12_000).map(([at]) => at), [10_000]);
});

Deno.test("the Call of a user who waits is sent again each second at the latest, or each RTO", () => {
  const call = { kind: "call", id: 2, name: "" } as const;
  const cases = [
    [0, [200, 400, 800, 1600, 2600, 3600, 4600]],
    [100, [300, 600, 1200, 2200, 3200, 4200]],
    [500, [1500, 3000, 4500]],
  ] as const;
  for (const [rtt, times] of cases) {
    const dealings = new Dealings();
    const register = dealings.reachRegister();
    dealings.now += rtt;
    dealings.grant(register);
    dealings.registration.lookUp(dealings.now, call, CALL_RESEND_MAX);
    dealings.kinds();
    const calls = dealings.times(5000).filter(([, { frame }]) => frame.kind === "call");
    assertEquals(calls.map(([at]) => at), [...times]);
  }
  const fixed = registered({}, "fixed");
  fixed.registration.lookUp(fixed.now, call, CALL_RESEND_MAX);
  fixed.kinds();
  const calls = fixed.times(25_000).filter(([, { frame }]) => frame.kind === "call");
  assertEquals(calls.map(([at]) => at), [10_000, 20_000]);
});

Deno.test("a directory that leaves a Lease Keepalive unanswered for 5 s is lost; with fixed timers for 15 s", () => {
  assertEquals(DIRECTORY_LOST_AFTER, 5000);
  for (const [timers, patience] of [["adaptive", 5000], ["fixed", 15_000]] as const) {
    const dealings = registered({}, timers);
    keepalive(dealings);
    dealings.times(patience - 1);
    assertEquals([dealings.events(), dealings.registration.isLost], [[], false]);
    dealings.wait(1);
    assertEquals([dealings.eventKinds(), dealings.registration.isLost], [["lost"], true]);
    // It may have started again: the client registers again.
    dealings.wait(0);
    const register = dealings.asked().find(({ frame }) => frame.kind === "credentials");
    assert(register !== undefined);
    dealings.challenge(register);
    const sealed = dealings.asked().find(({ frame }) => frame.kind === "register");
    dealings.grant(sealed!);
    assertEquals([dealings.eventKinds(), dealings.registration.isLost], [["back"], false]);
    assertEquals(dealings.registration.id, 1);
  }
});

Deno.test("a client that lost its directory is not given up, and asks on at 10 s at most", () => {
  const dealings = registered();
  keepalive(dealings);
  const times = dealings.times(200_000).map(([at]) => at);
  assertEquals(dealings.eventKinds(), ["lost"]);
  const gaps = times.slice(1).map((at, index) => at - times[index]!);
  assert(Math.max(...gaps) <= 10_000);
  assert(times.length < 100, `${times.length}`);
});

Deno.test("an Unknown for an unanswered packet, from the directory, has the client register again under its id", () => {
  const dealings = registered();
  const unknown = dealings.unknown(keepalive(dealings));
  assertEquals(dealings.give(unknown, ELSEWHERE), false);
  assert(dealings.give(unknown));
  dealings.wait(0);
  const { wantedId, name, token } = dealings.reachRegister().frame as Register;
  assertEquals([wantedId, name, token], [1, "ana", new Uint8Array(16).fill(0xaa)]);
  assertEquals([dealings.events(), dealings.registration.id], [[], 1]);
});

Deno.test("an Unknown for a packet that was answered, or never sent, has no effect", () => {
  const dealings = registered();
  const asked = keepalive(dealings);
  const never = dealings.unknown(asked).with(15, 77);
  dealings.answer(asked, ACK);
  for (const bytes of [never, dealings.unknown(asked)]) {
    assertEquals(dealings.give(bytes), false);
  }
  dealings.wait(1000);
  assertEquals(dealings.kinds(), []);
});

Deno.test("a client registers once a second at most, however often it is told Unknown", () => {
  const dealings = registered();
  let registers = 0;
  for (let ms = 0; ms < 20_000; ms++) {
    if (ms % 10 === 0) dealings.registration.lookUp(dealings.now, { ...LOOK_UP });
    for (const asked of dealings.asked()) {
      if (asked.frame.kind === "credentials") {
        registers++;
        dealings.challenge(asked);
      } else if (asked.frame.kind === "register") dealings.grant(asked);
      else dealings.give(dealings.unknown(asked));
    }
    dealings.wait(1);
  }
  assert(registers > 1 && registers <= 21, `${registers}`);
  assertEquals(dealings.registration.id, 1);
});

Deno.test("questions that the session before left open are asked at once in the next one", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, LOOK_UP);
  const first = dealings.ask();
  dealings.wait(100);
  dealings.give(dealings.unknown(first));
  dealings.wait(900);
  const [again, register] = dealings.asked();
  assertEquals([again?.frame.kind, register?.frame.kind], ["lookUp", "credentials"]);
  dealings.challenge(register!);
  dealings.grant(dealings.ask(), { id: 1, token: 0xbb });
  const lookUp = dealings.ask();
  assertEquals([lookUp.frame, lookUp.header.packet], [LOOK_UP as Frame, 1]);
  // An Answer in the session before is still one.
  dealings.answer(again!, FOUND);
  assertEquals(dealings.eventKinds(), ["entry", "found"]);
});

Deno.test("a client whose id or name is taken meanwhile stays under another id, or without its name", () => {
  const cases = [[RefusalReason.idTaken, 0, "ana"], [RefusalReason.nameTaken, 1, ""]] as const;
  for (const [reason, wantedId, name] of cases) {
    const dealings = registered();
    dealings.give(dealings.unknown(keepalive(dealings)));
    dealings.wait(0);
    dealings.give(dealings.reachRegister().refuse(reason));
    assertEquals([dealings.events(), dealings.registration.id], [[], 1]);
    const again = dealings.times(1100).map(([, asked]) => asked)
      .find(({ frame }) => frame.kind === "credentials");
    dealings.challenge(again!);
    const register = dealings.asked().find(({ frame }) => frame.kind === "register");
    assert(register?.frame.kind === "register");
    assertEquals([register.frame.wantedId, register.frame.name], [wantedId, name]);
    dealings.grant(register, { id: 8 });
    const [event] = dealings.events();
    assert(event?.kind === "registered");
    assertEquals([event.id, event.name], [8, name]);
  }
});

Deno.test("a client whose name is taken meanwhile asks for it every 10 s, and has it as soon as it is free", () => {
  const dealings = registered();
  dealings.give(dealings.unknown(keepalive(dealings)));
  dealings.wait(0);
  dealings.give(dealings.reachRegister().refuse(RefusalReason.nameTaken));
  const names: string[] = [];
  for (let ms = 0; ms < 35_000; ms++) {
    dealings.wait(1);
    for (const asked of dealings.asked()) {
      const isKept = asked.frame.kind === "leaseKeepalive" && names.length > 0;
      if (isKept) dealings.answer(asked, ACK);
      if (asked.frame.kind === "credentials") dealings.challenge(asked);
      if (asked.frame.kind !== "register") continue;
      names.push(asked.frame.name);
      const isRefused = asked.frame.name === "ana" && ms < 30_000;
      if (isRefused) dealings.give(asked.refuse(RefusalReason.nameTaken));
      else dealings.grant(asked, { id: 1 });
    }
    assertEquals(dealings.registration.name, names.length < 4 ? "" : "ana");
  }
  assertEquals(names, ["", "ana", "ana", "ana"]);
  const told = dealings.events().filter((event) => event.kind === "registered");
  assertEquals(told.map(({ name, lostName }) => [name, lostName]), [["", "ana"], ["ana", ""]]);
});

Deno.test("the question for a lost name is repeated, and not asked anew, where nothing comes back", () => {
  const dealings = new Dealings({}, "fixed").register({ id: 1, lease: LEASE });
  dealings.events();
  dealings.give(dealings.unknown(keepalive(dealings)));
  dealings.wait(0);
  dealings.give(dealings.reachRegister().refuse(RefusalReason.nameTaken));
  dealings.wait(1000);
  dealings.challenge(dealings.asked().find(({ frame }) => frame.kind === "credentials")!);
  dealings.grant(dealings.asked().find(({ frame }) => frame.kind === "register")!, { id: 1 });
  const asked = dealings.times(45_000).filter(([, { frame }]) => frame.kind === "credentials");
  const times = asked.map(([time]) => time);
  assert(times.length > 2, `${times}`);
  times.slice(1).forEach((time, index) => assert(time - times[index]! >= 10_000, `${times}`));
});

Deno.test("a client with an id registers once a second where that is refused for ever, and does not end", () => {
  for (const reason of [...Object.values(RefusalReason), 99]) {
    const dealings = registered();
    dealings.give(dealings.unknown(keepalive(dealings)));
    let registers = 0;
    for (let ms = 0; ms < 20_000; ms++) {
      for (const asked of dealings.asked()) {
        if (asked.frame.kind === "credentials") dealings.challenge(asked);
        else if (asked.frame.kind === "register") {
          registers++;
          dealings.give(asked.refuse(reason));
        }
      }
      dealings.wait(1);
    }
    assert(registers > 1 && registers <= 21, `reason ${reason}: ${registers}`);
    assertEquals(dealings.eventKinds().filter((kind) => kind === "refused"), []);
  }
});

Deno.test("a Version is believed after 12 s, from the directory's address, before anything authentic", () => {
  assertEquals(FORGERY_PATIENCE, 12_000);
  const told = (prepare: (dealings: Dealings) => void): string[] => {
    const dealings = new Dealings();
    prepare(dealings);
    dealings.times(FORGERY_PATIENCE + 1000);
    return dealings.eventKinds().filter((kind) => kind === "otherVersion");
  };
  const version = ({ registration, now }: Dealings, from = DIRECTORY) =>
    registration.handleVersion(now, 2, from);
  assertEquals(told((dealings) => version(dealings)), ["otherVersion"]);
  // A Challenge can be forged, too.
  const challenged = told((dealings) => {
    dealings.reachRegister();
    version(dealings);
  });
  assertEquals(challenged, ["otherVersion"]);
  assertEquals(told((dealings) => version(dealings, ELSEWHERE)), []);
  assertEquals(told((dealings) => version(dealings.register())), []);
  const overtaken = told((dealings) => {
    version(dealings);
    dealings.register();
  });
  assertEquals(overtaken, []);
  const early = new Dealings();
  version(early);
  early.times(FORGERY_PATIENCE - 1);
  assertEquals(early.eventKinds().includes("otherVersion"), false);
});

Deno.test("a client that leaves asks nothing else, and ends when it is acknowledged, or after 30 s", () => {
  for (const isAcknowledged of [true, false]) {
    const dealings = registered();
    dealings.registration.lookUp(dealings.now, LOOK_UP);
    dealings.registration.leave(dealings.now);
    assertEquals(dealings.registration.lookUp(dealings.now, LOOK_UP), false);
    const leave = dealings.ask();
    assertEquals(leave.frame.kind, "leave");
    assertEquals(dealings.registration.leaveBy, dealings.now + LEAVE_TIMEOUT);
    if (isAcknowledged) dealings.answer(leave, { kind: "leaveAck" });
    else dealings.times(LEAVE_TIMEOUT);
    assertEquals(dealings.events(), [{ kind: "left", acknowledged: isAcknowledged }]);
    assertEquals([dealings.kinds(), dealings.registration.nextTimeout()], [[], undefined]);
  }
});

Deno.test("a client that leaves and is told Unknown ends 3 s later, if no ack comes", () => {
  for (const isAcknowledged of [true, false]) {
    const dealings = registered();
    dealings.registration.leave(dealings.now);
    const leave = dealings.ask();
    dealings.give(dealings.unknown(leave));
    dealings.times(LEAVE_UNKNOWN_TIMEOUT - 1);
    assertEquals(dealings.events(), []);
    if (isAcknowledged) dealings.answer(leave, { kind: "leaveAck" });
    else dealings.wait(1);
    assertEquals(dealings.events(), [{ kind: "left", acknowledged: isAcknowledged }]);
  }
});

Deno.test("a client that leaves before it is registered ends at once", () => {
  const dealings = new Dealings();
  const register = dealings.reachRegister();
  dealings.registration.leave(dealings.now);
  assertEquals(dealings.events(), [{ kind: "left", acknowledged: false }]);
  assertEquals(dealings.give(dealings.directory.grant(register)), false);
  assertEquals([dealings.kinds(), dealings.events()], [[], []]);
});

Deno.test("no packet counter is used twice in a session, whatever is asked and repeated", () => {
  const dealings = new Dealings();
  const used = new Set<string>();
  for (let ms = 0; ms < 60_000; ms += 10) {
    if (ms % 700 === 0) dealings.registration.lookUp(dealings.now, { ...LOOK_UP });
    for (const asked of dealings.asked()) {
      const { frame, header } = asked;
      if (frame.kind === "credentials") {
        if (ms % 3 > 0) dealings.challenge(asked);
        continue;
      }
      const name = `${asked.shared.key} ${header.packet}`;
      assert(!used.has(name), `${frame.kind} with a used counter`);
      used.add(name);
      // Most answers are lost; some say that the session is not known.
      if (ms % 70 === 0) dealings.give(dealings.unknown(asked));
      else if (frame.kind === "register") {
        dealings.grant(asked);
        break;
      } else if (ms % 11 === 0 && frame.kind === "lookUp") {
        // This ends a registration that is under way.
        dealings.answer(asked, FOUND);
        break;
      }
    }
    dealings.wait(10);
  }
  assert(used.size > 100, `${used.size}`);
});

Deno.test("a call of handleTimeout() before its time does nothing", () => {
  const dealings = registered();
  const before = dealings.registration.nextTimeout();
  for (let times = 0; times < 100; times++) dealings.wait(0);
  assertEquals([dealings.kinds(), dealings.events()], [[], []]);
  assertEquals(dealings.registration.nextTimeout(), before);
});
