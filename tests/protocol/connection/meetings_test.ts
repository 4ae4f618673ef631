// The peers that the directory announced, and the Punches to them: protocol/README.md, "Meeting".
import { assert, assertEquals } from "@std/assert";
import {
  MEETING_LIFE,
  Meetings,
  MEETINGS_MAX,
  PUNCHINGS_MAX,
} from "../../../protocol/connection/meetings.ts";
import { PUNCH_SCHEDULE } from "../../../protocol/session/path.ts";
import { carriedTo } from "../../../protocol/wire/remote.ts";
import { type Address, formatAddress } from "../../../protocol/wire/address.ts";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  DatagramType,
  FLAG_CALLER,
  FLAG_NEAR,
  type Meeting,
  PUNCH_SIZE,
} from "../../../protocol/wire/frame.ts";

const ONE: Address = { hostname: "192.0.2.1", port: 1 };
const TWO: Address = { hostname: "2001:db8::2", port: 2 };
const OWN: Address = { hostname: "192.168.1.7", port: 7 };

function keyOf(id: number): Uint8Array {
  return new Uint8Array(32).fill(id);
}

function meeting(id: number, fields: Partial<Meeting> = {}): Meeting {
  return {
    ...{ kind: "meeting", number: BigInt(1000 + id), flags: 0, id, name: `client ${id}` },
    ...{ publicKey: keyOf(id), addresses: [ONE], ...fields },
  };
}

/** Meetings with some clients, and the time. */
class Stage {
  now = 5_000;
  readonly meetings = new Meetings(() => [OWN]);

  /** Notes a meeting with a client that called, and punches. */
  called(id: number, fields: Partial<Meeting> = {}): void {
    const met = meeting(id, fields);
    this.meetings.add(this.now, met);
    this.meetings.punch(this.now, met);
  }

  /** Lets the time go on; returns when, in milliseconds from now, to which address, and which Punches are sent. */
  punches(ms = 60_000): [at: number, to: string, number: bigint][] {
    const start = this.now;
    const all: [number, string, bigint][] = [];
    for (;;) {
      const next = this.meetings.nextTimeout();
      if (next === undefined || next > start + ms) break;
      this.now = Math.max(this.now, next);
      this.meetings.handleTimeout(this.now);
      for (let sent = this.meetings.pollTransmit(); sent; sent = this.meetings.pollTransmit()) {
        const decoded = decodeDatagram(sent.bytes);
        assert(decoded.ok);
        const { header, frames: [frame, ...more] } = decoded.value;
        assertEquals([header.type, header.session, header.packet], [DatagramType.Punch, 0, 0]);
        assert(frame?.kind === "punch" && more.every(({ kind }) => kind === "padding"));
        // No less than an Initiation: nothing is amplified.
        assertEquals(sent.bytes.length, PUNCH_SIZE);
        all.push([this.now - start, formatAddress(sent.to), frame.number]);
      }
    }
    this.now = start + ms;
    return all;
  }
}

Deno.test("Punches go to each address of the caller by the schedule, with the number of the meeting", () => {
  const stage = new Stage();
  stage.called(2, { number: 77n, addresses: [ONE, TWO] });
  const expected = PUNCH_SCHEDULE.flatMap((ms) =>
    [ONE, TWO].map((each) => [ms, formatAddress(each), 77n] as const)
  );
  assertEquals<readonly unknown[]>(stage.punches(), expected);
  assertEquals(stage.meetings.nextTimeout(), undefined);
});

Deno.test("a meeting alone, without a call of the peer, punches nowhere", () => {
  const stage = new Stage();
  stage.meetings.add(stage.now, meeting(2));
  assertEquals([stage.punches(), stage.meetings.nextTimeout()], [[], undefined]);
  // Nor does a call of somebody who was forgotten.
  stage.meetings.punch(stage.now, meeting(3));
  assertEquals(stage.punches(), []);
});

Deno.test("a peer that calls again is punched anew, with the new number, and no more under the old one", () => {
  const stage = new Stage();
  stage.called(2, { number: 1n });
  assertEquals(stage.punches(100).map(([at, , number]) => [at, number]), [[0, 1n], [50, 1n]]);
  stage.called(2, { number: 2n, addresses: [TWO] });
  const again = stage.punches();
  assertEquals(again.map(([at]) => at), [...PUNCH_SCHEDULE]);
  assert(again.every(([, to, number]) => to === formatAddress(TWO) && number === 2n));
  assertEquals(stage.meetings.number(2), 2n);
});

Deno.test("4 peers are punched at a time: of more, the others are not, until there is room", () => {
  assertEquals(PUNCHINGS_MAX, 4);
  const stage = new Stage();
  for (let id = 2; id < 12; id++) stage.called(id);
  const numbers = new Set(stage.punches(PUNCH_SCHEDULE.at(-1)! - 1).map(([, , number]) => number));
  assertEquals([...numbers], [1002n, 1003n, 1004n, 1005n]);
  stage.called(12);
  assert(stage.punches().every(([, , number]) => number !== 1012n));
  stage.called(13);
  assertEquals(stage.punches().length, PUNCH_SCHEDULE.length);
});

Deno.test("a peer that is punched may call again while there is no room for others", () => {
  const stage = new Stage();
  for (let id = 2; id < 2 + PUNCHINGS_MAX; id++) stage.called(id);
  stage.punches(200);
  stage.called(2);
  const again = stage.punches().filter(([, , number]) => number === 1002n);
  assertEquals(again.map(([at]) => at), [...PUNCH_SCHEDULE]);
});

Deno.test("a late handleTimeout() sends each Punch once, and catches up", () => {
  const stage = new Stage();
  stage.called(2);
  let count = 0;
  for (let times = 0; times < 20; times++) {
    stage.meetings.handleTimeout(stage.now + 100_000);
    while (stage.meetings.pollTransmit() !== undefined) count++;
  }
  assertEquals(count, PUNCH_SCHEDULE.length);
});

Deno.test("whereabouts() is where a peer was told to be, and behind the directory, for 60 s", () => {
  assertEquals(MEETING_LIFE, 60_000);
  const { meetings, now } = new Stage();
  meetings.add(now, meeting(2, { addresses: [TWO, ONE], flags: FLAG_CALLER }));
  const expected = { addresses: [TWO, ONE, carriedTo(2)], isNear: false, own: [] };
  assertEquals(meetings.whereabouts(now, 2, keyOf(2)), expected);
  assertEquals(meetings.whereabouts(now + MEETING_LIFE - 1, 2, keyOf(2)), expected);
  assertEquals(meetings.whereabouts(now + MEETING_LIFE, 2, keyOf(2)), undefined);
});

Deno.test("whereabouts() tells nothing of another id, or of somebody with another key", () => {
  const { meetings, now } = new Stage();
  meetings.add(now, meeting(2));
  assertEquals(meetings.whereabouts(now, 3, keyOf(2)), undefined);
  for (const at of [0, 31]) {
    assertEquals(meetings.whereabouts(now, 2, keyOf(2).with(at, 3)), undefined);
  }
});

Deno.test("this client's own addresses are only for a peer in the same network", () => {
  const { meetings } = new Stage();
  const near = meetings.whereaboutsIn(meeting(2, { flags: FLAG_NEAR | FLAG_CALLER }));
  assertEquals([near.isNear, near.own], [true, [OWN]]);
  const other = meetings.whereaboutsIn(meeting(2, { flags: 0xff & ~FLAG_NEAR }));
  assertEquals([other.isNear, other.own], [false, []]);
});

Deno.test("this client's own addresses are those of now: it may have gone to another network", () => {
  let own: Address[] = [OWN];
  const meetings = new Meetings(() => own);
  const near = meeting(2, { flags: FLAG_NEAR });
  assertEquals(meetings.whereaboutsIn(near).own, [OWN]);
  own = [];
  assertEquals(meetings.whereaboutsIn(near).own, []);
});

Deno.test("32 meetings are remembered: of more, the oldest is forgotten", () => {
  assertEquals(MEETINGS_MAX, 32);
  const { meetings, now } = new Stage();
  for (let id = 1; id <= 100; id++) meetings.add(now, meeting(id));
  const known = Array.from({ length: 110 }, (_, id) => id).filter((id) =>
    meetings.number(id) !== undefined
  );
  assertEquals(known, Array.from({ length: MEETINGS_MAX }, (_, i) => 69 + i));
  // One with the same peer takes the place of the one before.
  for (let times = 0; times < 100; times++) meetings.add(now, meeting(100, { number: 5n }));
  assertEquals([meetings.number(100), meetings.number(69)], [5n, 1069n]);
});

Deno.test("the meeting of a peer that is talked with is not forgotten for others", () => {
  const meetings = new Meetings(() => [], (id) => id === 5);
  for (let id = 1; id <= 100; id++) meetings.add(0, meeting(id));
  const known = [1, 5, 69, 70, 100].map((id) => meetings.number(id) !== undefined);
  assertEquals(known, [false, true, false, true, true]);
});

Deno.test("Meetings.isIntroduced() knows the hosts of peers that the directory announced lately, or carries for", () => {
  const { meetings, now } = new Stage();
  assertEquals(meetings.isIntroduced(now, ONE), false);
  assertEquals(meetings.isIntroduced(now, carriedTo(2)), true);
  meetings.add(now, meeting(2, { addresses: [ONE, TWO] }));
  // Its NAT may give it another port for each of its peers.
  for (const address of [ONE, TWO, { ...ONE, port: 99 }]) {
    assertEquals(meetings.isIntroduced(now, address), true);
  }
  assertEquals(meetings.isIntroduced(now, OWN), false);
  assertEquals(meetings.isIntroduced(now + MEETING_LIFE, ONE), false);
});
