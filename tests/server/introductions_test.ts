import { NAME_SIZE_MAX } from "../../protocol/name/name.ts";
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { REQUEST_WINDOW } from "../../protocol/crypto/replay_window.ts";
import { COOKIE_SLOT } from "../../protocol/directory/timed_mac.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { CALL_SIZE, FLAG_CALLER, FLAG_NEAR, type Meeting } from "../../protocol/wire/frame.ts";
import {
  CALLS_PER_SOURCE,
  MEETINGS_PER_CLIENT,
  QUESTIONS_PER_SOURCE,
} from "../../server/limits.ts";
import { toHex } from "../support/hex.ts";
import { client, type FakeClient, publicKeyOf, Stage } from "../support/server_stage.ts";

/** Some datagram that a client has carried. */
const DATAGRAM = new Uint8Array(40).fill(7);

/** Client `n` on a machine of its own. */
function joinAt(stage: Stage, n: number, hostname: string): FakeClient {
  return stage.join(n, {}, { address: { hostname, port: 5000 + n } });
}

/** The flags of the Meetings of clients at these hosts, one calling the other. */
function flagsBetween(caller: string, callee: string): [own: number, others: number] {
  const stage = new Stage();
  const { own, others } = joinAt(stage, 1, caller).meet(joinAt(stage, 2, callee));
  return [own.flags, others.flags];
}

function meetingWith(n: number, more: Partial<Meeting>): Meeting {
  const [id, name, publicKey, addresses] = [n, "", publicKeyOf(n), [client(n)]];
  return { kind: "meeting", number: 0n, flags: 0, id, name, publicKey, addresses, ...more };
}

Deno.test("Server tells both clients of each other at once, with the same number", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  const bob = stage.join(2, { name: "Bob" });
  for (const target of [{ id: 2 }, { id: 2, name: "ignored" }, { name: "bOB" }]) {
    const { answer, others: [notice, ...more] } = ana.call(target);
    assert(answer?.kind === "meeting" && notice !== undefined);
    assertEquals(more, []);
    const { number } = answer;
    assertEquals(answer, meetingWith(2, { name: "Bob", number, flags: FLAG_CALLER | FLAG_NEAR }));
    const told = meetingWith(1, { name: "ana", number, flags: FLAG_NEAR });
    assertEquals(bob.openNotice(notice).frame, told);
  }
  assertEquals(stage.server.totals.introductions, 3);
});

Deno.test("Server answers Inactive to a Call of a client that is not there, and tells no other client", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.join(2, { name: "bob" }).ask({ kind: "leave" });
  for (const target of [{ id: 2, name: "" }, { id: 0, name: "bob" }, { id: 0, name: "" }]) {
    assertEquals(ana.call(target), { answer: { kind: "inactive", ...target }, others: [] });
  }
  assertEquals(stage.server.totals.introductions, 0);
});

Deno.test("Server answers a Call of oneself, and sends no Notice", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  const { answer, others } = ana.call({ name: "ana" });
  assert(answer?.kind === "meeting");
  assertEquals([answer.id, others], [1, []]);
  assertEquals(stage.server.totals.introductions, 0);
});

Deno.test("Server takes no Call of a client from another address than its", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.join(2);
  const [answer, ...more] = stage.give(ana.callBytes({ id: 2 }), client(3));
  assertEquals([answer?.bytes.length, answer?.to, more], [16, client(3), []]);
  assertEquals(stage.server.dropped, { unknown: 1 });
});

Deno.test("a Meeting says near where both are behind the same IPv4 address, whatever the ports", () => {
  const near: [number, number] = [FLAG_CALLER | FLAG_NEAR, FLAG_NEAR];
  assertEquals(flagsBetween("192.0.2.1", "192.0.2.1"), near);
  assertEquals(flagsBetween("192.0.2.1", "192.0.2.2"), [FLAG_CALLER, 0]);
});

Deno.test("a Meeting says near where both are in the same /64 of IPv6", () => {
  const near: [number, number] = [FLAG_CALLER | FLAG_NEAR, FLAG_NEAR];
  assertEquals(flagsBetween("2001:db8:0:1::1", "2001:db8:0:1:ffff::2"), near);
  assertEquals(flagsBetween("2001:db8:0:1::1", "2001:db8:0:2::1"), [FLAG_CALLER, 0]);
  assertEquals(flagsBetween("2001:db8:0:1::1", "192.0.2.1"), [FLAG_CALLER, 0]);
});

const OTHER_FAMILY: Address = { hostname: "2001:db8::7", port: 4007 };

Deno.test("Server notes the address of the other family where the cookie is good, and tells it in Meetings", () => {
  const stage = new Stage();
  const [ana, bob] = [stage.join(1), stage.join(2)];
  assertEquals(ana.meet(bob).own.addresses, [client(2)]);
  const [ack, ...more] = bob.alsoAt(OTHER_FAMILY);
  assert(ack !== undefined);
  assertEquals([ack.to, more], [OTHER_FAMILY, []]);
  const { own, others } = ana.meet(bob);
  assertEquals([own.addresses, others.addresses], [[client(2), OTHER_FAMILY], [client(1)]]);
  assertEquals(bob.meet(ana).others.addresses, [client(2), OTHER_FAMILY]);
  assertEquals(stage.server.dropped, {});
});

Deno.test("Server finds two clients near by the address of the other family, too", () => {
  const stage = new Stage();
  const ana = joinAt(stage, 1, "2001:db8::1");
  const bob = joinAt(stage, 2, "192.0.2.2");
  assertEquals(ana.meet(bob).own.flags, FLAG_CALLER);
  bob.alsoAt(OTHER_FAMILY);
  assertEquals(ana.meet(bob).own.flags, FLAG_CALLER | FLAG_NEAR);
});

Deno.test("Server notes no other address without a cookie that was given to it", () => {
  const stage = new Stage();
  const [ana, bob] = [stage.join(1), stage.join(2)];
  const cookies = [new Uint8Array(16), new Uint8Array(16).fill(9), bob.begin().cookie];
  bob.askToRegister({ token: bob.token });
  for (const cookie of cookies) {
    // Nothing says that the session is unknown: the client would register again.
    assertEquals(bob.alsoAt(OTHER_FAMILY, cookie), []);
  }
  assertEquals(ana.meet(bob).own.addresses, [client(2)]);
  assertEquals(stage.server.dropped, { unknown: 3 });
});

Deno.test("Server limits how often clients tell it addresses of the other family", () => {
  const stage = new Stage();
  const bob = stage.join(1);
  let acknowledged = 0;
  for (let i = 0; i < QUESTIONS_PER_SOURCE.burst + 9; i++) {
    acknowledged += bob.alsoAt({ ...OTHER_FAMILY, port: 4001 + i % 2 }).length;
  }
  assertEquals(acknowledged, QUESTIONS_PER_SOURCE.burst);
  assertEquals(stage.server.dropped, { questions: 9 });
});

Deno.test("Server notes no second address of the same family, nor the one that a client is at", () => {
  const stage = new Stage();
  const [ana, bob] = [stage.join(1), stage.join(2)];
  assertEquals(bob.alsoAt(client(9)), []);
  assertEquals(bob.alsoAt(client(2)), []);
  assertEquals(ana.meet(bob).own.addresses, [client(2)]);
  assertEquals(stage.server.dropped, { notRequest: 2 });
});

Deno.test("Server forgets the address of the other family when the client registers again", () => {
  const stage = new Stage();
  const [ana, bob] = [stage.join(1), stage.join(2)];
  bob.alsoAt(OTHER_FAMILY);
  assertEquals(bob.register({ token: bob.token }).kind, "registered");
  assertEquals(ana.meet(bob).own.addresses, [client(2)]);
});

Deno.test("Server drops a Call that is smaller than what clients make it", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.join(2);
  assertEquals(stage.give(ana.callBytes({ id: 2 }, CALL_SIZE - 1), ana.address), []);
  assertEquals(stage.give(ana.requestBytes({ kind: "call", id: 2, name: "" }), ana.address), []);
  assertEquals([stage.server.dropped, stage.server.totals.introductions], [{ size: 2 }, 0]);
});

Deno.test("Server answers a repeated Call with nothing, and sends no Notice", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  stage.join(2);
  const bytes = ana.callBytes({ id: 2 });
  assertEquals(stage.give(bytes, ana.address).length, 2);
  assertEquals(stage.give(bytes, ana.address), []);
  assertEquals(stage.server.dropped, { replay: 1 });
});

Deno.test("Server takes requests that overtake each other, each once", () => {
  const stage = new Stage();
  const [ana, bob] = [stage.join(1), stage.join(2)];
  const { number } = ana.meet(bob).own;
  const datagrams = Array.from({ length: REQUEST_WINDOW + 2 }, () => {
    return ana.requestBytes({ kind: "carry", number, to: bob.id, datagram: new Uint8Array(40) });
  });
  const late = datagrams.shift()!;
  for (const each of datagrams.toReversed()) {
    assertEquals(stage.give(each, ana.address).length, 1);
    assertEquals(stage.give(each, ana.address), []);
  }
  assertEquals(stage.give(late, ana.address), [], "too old");
});

Deno.test("Server takes a burst of Calls from one source, then two a second, and counts the others", () => {
  const stage = new Stage();
  const { burst, perSecond } = CALLS_PER_SOURCE;
  const callers = [1, 2, 3].map((n) => stage.join(n));
  const call = (times: number): number => {
    let answered = 0;
    // Of clients that are not there, so that only this limit counts.
    for (let i = 0; i < times; i++) {
      if (callers[i % 3]!.call({ id: 99 }).answer !== undefined) answered++;
    }
    return answered;
  };
  assertEquals(call(burst + 10), burst);
  assertEquals(stage.server.dropped, { calls: 10 });
  stage.now += 1000;
  assertEquals(call(10), perSecond);
  assertEquals(joinAt(stage, 4, "192.0.2.4").call({ id: 99 }).answer?.kind, "inactive");
});

Deno.test("Server makes one client meet a burst of others, then five a second, and counts the others", () => {
  const stage = new Stage();
  const { burst, perSecond } = MEETINGS_PER_CLIENT;
  const victim = stage.join(1);
  const callers = Array.from({ length: 20 }, (_, n) => joinAt(stage, 2 + n, `192.0.2.${n}`));
  const meetings = (): number => {
    const sent = callers.flatMap((caller) => {
      const { answer, others } = caller.call({ id: victim.id });
      // The caller has its answer whatever others do.
      assertEquals(answer?.kind, "meeting");
      return others;
    });
    for (const each of sent) assertEquals(victim.openNotice(each).frame.kind, "meeting");
    return sent.length;
  };
  assertEquals(meetings(), burst);
  assertEquals(stage.server.dropped, { meetings: callers.length - burst });
  stage.now += 1000;
  assertEquals(meetings(), perSecond);
  assertEquals(stage.server.totals.introductions, burst + perSecond);
});

Deno.test("no two Notices have the same counter under one key, whatever the client registers again as", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  let bob = stage.join(2, { name: "bob" });
  const nonces = new Set<string>();
  const noteMeetings = (): void => {
    for (let i = 0; i < 3; i++) {
      stage.now += 1000;
      const { answer, others: [notice] } = ana.call({ id: bob.id });
      assert(answer?.kind === "meeting" && notice !== undefined);
      const number = answer.number;
      const [carried] = ana.carry(number, bob.id, DATAGRAM);
      for (const sent of [notice, carried!]) {
        nonces.add(`${toHex(bob.key)} ${bob.openNotice(sent).packet}`);
      }
    }
  };
  noteMeetings();
  // The answer was lost: the same session goes on.
  bob.askToRegister();
  noteMeetings();
  // The same entry, at the same address and at another one.
  bob.register({ token: bob.token });
  noteMeetings();
  bob.address = client(22);
  bob.register({ token: bob.token, name: "bob" });
  noteMeetings();
  // Another run at the same address, then one after a leave.
  bob = stage.join(2, {}, { address: client(22) });
  noteMeetings();
  bob.ask({ kind: "leave" });
  bob = stage.join(2, { wantedId: 2 });
  noteMeetings();
  assertEquals(nonces.size, 6 * 6);
});

Deno.test("the number of a meeting is good for 30 to 60 s, to the end of the next time slot", () => {
  for (const age of [0, 1, 15_000, COOKIE_SLOT - 1]) {
    const stage = new Stage({ lease: 3_600_000 });
    stage.now = 100 * COOKIE_SLOT + age;
    const [ana, bob] = [stage.join(1), stage.join(2)];
    const { number } = ana.meet(bob).own;
    stage.now = 102 * COOKIE_SLOT - 1;
    assertEquals(ana.carry(number, 2, DATAGRAM).length, 1);
    assertEquals(bob.carry(number, 1, DATAGRAM).length, 1);
    stage.now++;
    assertEquals(ana.carry(number, 2, DATAGRAM), []);
    assertEquals(bob.carry(number, 1, DATAGRAM), []);
    // The next Meeting has another one.
    assertNotEquals(ana.meet(bob).own.number, number);
  }
});

Deno.test("the number of a meeting is no other pair's, and not that of the next client with an id", () => {
  const stage = new Stage();
  const [ana, bob, eve] = [stage.join(1), stage.join(2), stage.join(3)];
  const numbers = [ana.meet(bob), bob.meet(eve), eve.meet(ana)].map(({ own }) => own.number);
  assertEquals(new Set(numbers).size, 3);
  assertEquals(bob.meet(ana).own.number, numbers[0], "who calls makes no difference");
  const [withBob, withEve] = [numbers[0]!, numbers[2]!];
  assertEquals(ana.carry(withEve, 2, DATAGRAM), []);
  assertEquals(ana.carry(withBob, 3, DATAGRAM), []);
  assertEquals(eve.carry(withBob, 2, DATAGRAM), []);
  assertEquals(ana.carry(withBob, 1, DATAGRAM), []);
  bob.ask({ kind: "leave" });
  const other = stage.join(4, { wantedId: 2 });
  assertEquals(ana.carry(withBob, 2, DATAGRAM), []);
  assertEquals(other.carry(withBob, 1, DATAGRAM), []);
  assertEquals(stage.server.dropped, { carry: 6 });
});

Deno.test("a private Server makes clients meet, too", () => {
  const stage = new Stage({ secret: new Uint8Array(16).fill(1) });
  const { own, others } = stage.join(1).meet(stage.join(2));
  assertEquals([own.number, own.id, others.id], [others.number, 2, 1]);
});

Deno.test("both Meetings fit into a Call, with the longest names and two addresses each", () => {
  const stage = new Stage();
  const [first, second] = ["𠮷", "𠮟"].map((character) => character.repeat(NAME_SIZE_MAX / 4));
  const [ana, bob] = [stage.join(1, { name: first! }), stage.join(2, { name: second! })];
  ana.alsoAt(OTHER_FAMILY);
  bob.alsoAt({ ...OTHER_FAMILY, port: 4008 });
  const sent = stage.give(ana.callBytes({ id: 2 }), ana.address);
  assertEquals(sent.length, 2);
  assertLessOrEqual(sent.reduce((sum, { bytes }) => sum + bytes.length, 0), CALL_SIZE);
});
