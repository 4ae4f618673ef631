// What a directory says unasked, and what it is given to carry: protocol/README.md, "Meeting".
import { assert, assertEquals } from "@std/assert";
import { REPLAY_WINDOW } from "../../../protocol/crypto/replay_window.ts";
import { DIRECTORY_TIMEOUT } from "../../../protocol/directory/outstanding.ts";
import type { Query } from "../../../protocol/directory/registration_event.ts";
import {
  CALL_SIZE,
  CARRIED_SIZE_MAX,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  FLAG_CALLER,
  type Frame,
  type Meeting,
} from "../../../protocol/wire/frame.ts";
import { Dealings, registered } from "../../support/dealings.ts";
import { DIRECTORY, SEEN_AT } from "../../support/fake_directory.ts";
import { Prng } from "../../support/random.ts";

const CALL: Extract<Query, { id: number }> = { kind: "call", id: 0, name: "ben" };

function meeting(number = 5n): Meeting {
  return {
    ...{ kind: "meeting", number, flags: 0, id: 2, name: "ben" },
    ...{ publicKey: new Uint8Array(32).fill(0x4b), addresses: [SEEN_AT] },
  };
}

/** The numbers of the Meetings that were reported unasked. */
function numbersIn(dealings: Dealings): bigint[] {
  return dealings.events().flatMap((event) => {
    if (event.kind !== "meeting") return [];
    assertEquals(event.query, undefined);
    return [event.meeting.number];
  });
}

Deno.test("a Meeting in a Notice is reported, as it came", () => {
  const dealings = registered();
  assert(dealings.give(dealings.directory.notice(1, meeting())));
  assertEquals(dealings.events(), [{ kind: "meeting", query: undefined, meeting: meeting() }]);
  assertEquals(dealings.datagrams(), [], "it is not answered");
});

Deno.test("a Notice is taken from anywhere: only its seal counts", () => {
  const dealings = registered();
  assert(dealings.give(dealings.directory.notice(1, meeting()), SEEN_AT));
  assertEquals(numbersIn(dealings), [5n]);
});

Deno.test("a datagram that was carried is reported with its sender, whole", () => {
  const dealings = registered();
  for (const size of [0, 1, 16, CARRIED_SIZE_MAX]) {
    const datagram = new Prng(size).bytes(size);
    assert(dealings.give(dealings.directory.notice(1, { kind: "carried", from: 9, datagram })));
    // Dealings have used the buffer again by now.
    assertEquals(dealings.events(), [{ kind: "carried", from: 9, datagram }]);
  }
});

Deno.test("Notices come in any order, and each once", () => {
  const dealings = registered();
  const order = [0, 2, 1, 9 + REPLAY_WINDOW, 10, 9];
  const notices = order.map((packet) =>
    dealings.directory.notice(1, meeting(BigInt(packet)), packet)
  );
  for (const [index, each] of notices.entries()) {
    assertEquals(dealings.give(each), index < 5, "the last one is too old");
    for (const before of notices.slice(0, index + 1)) assertEquals(dealings.give(before), false);
  }
  assertEquals(numbersIn(dealings), order.slice(0, -1).map(BigInt));
});

Deno.test("a forged Notice has no effect, and keeps no true one from being taken", () => {
  const dealings = registered();
  const notice = dealings.directory.notice(1, meeting(), 3);
  // After the magic, the version and the type, and where the packet counter cannot be too large.
  for (let at = 4; at < notice.length; at++) {
    if (at === 8) continue;
    const forged = notice.with(at, notice[at]! ^ 0x10);
    assertEquals(dealings.give(forged), false, `byte ${at}`);
  }
  assertEquals(notice[3], DatagramType.Notice);
  assertEquals(dealings.give(notice.with(3, DatagramType.Answer)), false, "a Notice is no Answer");
  assertEquals(dealings.events(), []);
  assert(dealings.give(notice));
  assertEquals(numbersIn(dealings), [5n]);
});

Deno.test("an Answer is no Notice: it is sealed for its request", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, CALL);
  const answer = dealings.ask().answer(meeting());
  assertEquals(dealings.give(answer.with(3, DatagramType.Notice)), false);
  assert(dealings.give(answer));
});

Deno.test("a Notice before there is a session, or of the session before, is not authentic", () => {
  const first = registered();
  const notice = first.directory.notice(1, meeting());
  const dealings = new Dealings();
  assertEquals(dealings.give(notice), false);
  // Registered again: the Notices of the new session count from 0 again.
  first.give(notice);
  first.registration.lookUp(first.now, CALL);
  const old = first.directory.notice(1, meeting(6n));
  first.give(first.unknown(first.ask()));
  first.wait(1_000);
  const asked = first.asked();
  const register = asked.find(({ frame }) => frame.kind === "credentials");
  assert(register !== undefined, asked.map(({ frame }) => frame.kind).join());
  first.challenge(register);
  const [granted] = first.asked().filter(({ frame }) => frame.kind === "register");
  first.grant(granted!);
  first.events();
  assertEquals(first.give(old), false);
  assert(first.give(first.directory.notice(1, meeting(7n), 0)));
  assertEquals(numbersIn(first), [7n]);
});

Deno.test("frames in a Notice that say nothing there are skipped", () => {
  const dealings = registered();
  const frames: Frame[] = [{ kind: "leaveAck" }, { kind: "refused", reason: 1 }, {
    kind: "leaseKeepaliveAck",
    lease: 1,
  }, { kind: "inactive", id: 2, name: "" }];
  for (const frame of frames) assert(dealings.give(dealings.directory.notice(1, frame)));
  assertEquals(dealings.events(), []);
  assertEquals(dealings.times(10_000), []);
});

Deno.test("a Call is as large as what it brings about, each time, and is answered by a Meeting", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, CALL);
  const call = dealings.ask();
  assertEquals<Frame>(call.frame, CALL);
  assertEquals(call.bytes.length, CALL_SIZE);
  assert(dealings.registration.isCalling(0));
  dealings.wait(500);
  const again = dealings.ask();
  assertEquals(again.bytes.length, CALL_SIZE);
  const answer = { ...meeting(), flags: FLAG_CALLER };
  assert(dealings.answer(again, answer));
  assertEquals(dealings.events(), [{ kind: "meeting", query: CALL, meeting: answer }]);
  assertEquals(dealings.registration.isCalling(0), false);
  assertEquals(dealings.answer(call, answer), false, "it was answered");
});

Deno.test("a Call of a client that is not there is answered by Inactive, or given up after 30 s", () => {
  const inactive = registered();
  inactive.registration.lookUp(inactive.now, CALL);
  inactive.answer(inactive.ask(), { kind: "inactive", id: 0, name: "ben" });
  assertEquals(inactive.events(), [{ kind: "inactive", query: CALL, rttMs: 0, lost: 0 }]);
  const silent = registered();
  silent.registration.lookUp(silent.now, CALL);
  silent.wait(DIRECTORY_TIMEOUT);
  const timeouts = silent.events().filter(({ kind }) => kind === "timeout");
  assertEquals(timeouts, [{ kind: "timeout", query: CALL }]);
});

Deno.test("a Meeting answers nothing but a Call", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, { ...CALL, kind: "lookUp" });
  const lookUp = dealings.ask();
  dealings.answer(lookUp, meeting());
  assertEquals(dealings.events(), []);
  assertEquals(dealings.times(500).map(([, { frame }]) => frame.kind), ["lookUp"]);
});

Deno.test("carry() wraps a datagram, at once and once, for the client with the number of the meeting", () => {
  const dealings = registered();
  for (const size of [16, CARRIED_SIZE_MAX]) {
    const datagram = new Prng(size).bytes(size);
    const transmit = dealings.registration.carry(77n, 9, datagram);
    assert(transmit !== undefined);
    assertEquals(transmit.to, DIRECTORY);
    assert(transmit.bytes.length <= DATAGRAM_SIZE_MAX);
    const { frame } = dealings.directory.read(dealings.now, transmit.bytes.slice());
    assertEquals<Frame>(frame, { kind: "carry", number: 77n, to: 9, datagram });
  }
  assertEquals(dealings.times(10_000), [], "nothing is repeated");
  assertEquals(dealings.events(), [], "nor waited for");
});

Deno.test("carry() has no packet counter twice, whatever is asked between", () => {
  const dealings = registered();
  const packets = new Set<number>();
  for (let count = 0; count < 20; count++) {
    const { bytes } = dealings.registration.carry(77n, 9, new Uint8Array(50))!;
    packets.add(dealings.directory.read(dealings.now, bytes.slice()).header.packet);
    dealings.registration.lookUp(dealings.now, { kind: "call", id: 2 + count, name: "" });
    for (const { header } of dealings.asked()) packets.add(header.packet);
  }
  assertEquals(packets.size, 20 + 20);
});

Deno.test("carry() carries nothing before the client is registered, and when it leaves", () => {
  const dealings = new Dealings();
  const carry = () => dealings.registration.carry(77n, 9, new Uint8Array(50));
  assertEquals(carry(), undefined);
  dealings.register();
  assert(carry() !== undefined);
  dealings.registration.leave(dealings.now);
  assertEquals(carry(), undefined);
});

Deno.test("what is in a Notice is kept as it came: the buffers are used again", () => {
  const dealings = registered();
  const { directory } = dealings;
  const carried = [1, 2].map((seed): Frame => ({
    kind: "carried",
    from: seed,
    datagram: new Prng(seed).bytes(100),
  }));
  const met = [3, 4].map((byte): Frame => ({
    ...meeting(),
    publicKey: new Uint8Array(32).fill(byte),
  }));
  for (const frame of [...carried, ...met]) dealings.give(directory.notice(1, frame));
  const events = dealings.events();
  assertEquals<unknown>(events.slice(0, 2), carried);
  assertEquals<unknown>(events.slice(2).map((event) => "meeting" in event && event.meeting), met);
});
