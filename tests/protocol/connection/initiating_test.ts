// Where an Initiation goes, and when: protocol/README.md, "Meeting". What follows is in requesting_test.ts.
import { assert, assertEquals } from "@std/assert";
import {
  CALL_AGAIN,
  CARRY_AFTER,
  SESSION_RENEWAL,
} from "../../../protocol/connection/outgoing_request.ts";
import { PUNCHED_MAX } from "../../../protocol/connection/initiation_targets.ts";
import type { TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import { PUNCH_SCHEDULE } from "../../../protocol/session/path.ts";
import { carriedTo, isCarried } from "../../../protocol/wire/remote.ts";
import { type Address, formatAddress, sameAddress } from "../../../protocol/wire/address.ts";
import { encodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  DatagramType,
  FLAG_CALLER,
  FLAG_NEAR,
  type Frame,
  type Meeting,
  PUNCH_SIZE,
} from "../../../protocol/wire/frame.ts";
import {
  EndpointHarness,
  exceptProbes,
  kindsOf,
  type Sent,
  toPeers,
} from "../../support/endpoint_harness.ts";
import { DIRECTORY } from "../../support/fake_directory.ts";
import { FakeResponder } from "../../support/fake_peer.ts";

const ONE: Address = { hostname: "192.0.2.1", port: 1 };
const TWO: Address = { hostname: "2001:db8::2", port: 2 };
const MAPPED: Address = { hostname: "192.0.2.1", port: 4_711 };
const NUMBER = 0x1234_5678_9abc_def0n;
const CARRIED = "carried";
/** When adaptive timers send an Initiation in the first 10 s: by the schedule, and by the RTO. */
const ADAPTIVE_TIMES = [...PUNCH_SCHEDULE, 1_000, 3_000, 7_000].toSorted((a, b) => a - b);

/** A client that met client 2, and has just sent its Initiation. */
class Stage extends EndpointHarness {
  readonly first: readonly Sent[];

  constructor(timers: TimerMode = "adaptive", fields: Partial<Meeting> = {}) {
    super({}, timers);
    this.register();
    this.want({ id: 2, name: "" });
    this.first = this.meet(2, { number: NUMBER, addresses: [ONE, TWO], ...fields });
  }

  /** When an Initiation goes where, in milliseconds from now. */
  initiations(ms: number): [at: number, to: string][] {
    const start = this.now;
    const times = targetsOf(this.sent()).map((to): [number, string] => [0, to]);
    while (this.now < start + ms) {
      this.now++;
      this.endpoint.handleTimeout(this.now);
      for (const to of targetsOf(this.sent())) times.push([this.now - start, to]);
    }
    return times;
  }

  /** When it goes to one of them, the first time included. */
  timesOf(target: Address | typeof CARRIED, ms = 10_000 - 1): number[] {
    const name = target === CARRIED ? CARRIED : formatAddress(target);
    const first = targetsOf(this.first).map((to): [number, string] => [0, to]);
    return [...first, ...this.initiations(ms)].filter(([, to]) => to === name).map(([at]) => at);
  }

  /** A Punch of the peer comes; returns where an Initiation goes on it. */
  punch(from: Address, number = NUMBER): string[] {
    const header = { type: DatagramType.Punch, session: 0, packet: 0 };
    return targetsOf(
      this.receive(encodeDatagram(header, [{ kind: "punch", number }], PUNCH_SIZE), from),
    );
  }

  /** The peer, which got the Initiation. */
  peer(): FakeResponder {
    const identity = this.identityOf(2);
    return new FakeResponder(this.random, this.first[0]!.bytes, { id: 2, identity });
  }

  /** The Response of the peer comes. */
  complete(): void {
    this.receive(this.peer().response, ONE);
  }
}

/** Where Initiations go among what is sent, with the directory or without. */
function targetsOf(sent: readonly Sent[]): string[] {
  return sent.flatMap(({ to, frames }) => {
    const [frame] = frames;
    if (frame?.kind === "initiation") return [formatAddress(to)];
    const isCarried = frame?.kind === "carry" && frame.datagram[3] === DatagramType.Initiation;
    if (isCarried) assertEquals([frame.number, frame.to], [NUMBER, 2]);
    return isCarried ? [CARRIED] : [];
  });
}

Deno.test("the Initiation goes to all told addresses at once, and again by the schedule of Punches", () => {
  assertEquals(targetsOf(new Stage().first), [ONE, TWO].map(formatAddress));
  for (const address of [ONE, TWO]) assertEquals(new Stage().timesOf(address), ADAPTIVE_TIMES);
});

Deno.test("it is the same Initiation to all of them, and each time", () => {
  const stage = new Stage();
  const all = [...stage.first, ...stage.advance(5_000)];
  assertEquals(new Set(all.map(({ bytes }) => `${bytes}`)).size, 1);
});

Deno.test("with fixed timers the Initiation goes to all told addresses every 10 s, and never between", () => {
  for (const address of [ONE, TWO]) {
    assertEquals(new Stage("fixed").timesOf(address, 39_999), [0, 10_000, 20_000, 30_000]);
  }
});

Deno.test("a Response ends the Initiations, to wherever", () => {
  const stage = new Stage();
  stage.initiations(60);
  stage.complete();
  assertEquals(stage.initiations(5_000), []);
});

Deno.test("a Punch with the number of the meeting gets the Initiation at once, where it came from", () => {
  for (const timers of ["adaptive", "fixed"] as const) {
    const stage = new Stage(timers);
    assertEquals(stage.punch(MAPPED), [formatAddress(MAPPED)]);
    assertEquals(stage.endpoint.dropped.notAuthentic, 0);
    // From then on it is one of those that the Initiation goes to.
    const next = timers === "adaptive" ? PUNCH_SCHEDULE[1]! : 10_000;
    const [again] = stage.initiations(next).filter(([, to]) => to === formatAddress(MAPPED));
    assertEquals(again, [next, formatAddress(MAPPED)]);
  }
});

Deno.test("a Punch from where an Initiation went gets another one, but not within 50 ms", () => {
  const stage = new Stage("fixed");
  assertEquals(stage.punch(TWO), []);
  stage.now += PUNCH_SCHEDULE[1]! - 1;
  assertEquals(stage.punch(TWO), []);
  stage.now++;
  assertEquals([stage.punch(TWO), stage.punch(TWO)], [[formatAddress(TWO)], []]);
});

Deno.test("a Punch with another number, or for no request, gets nothing, and is counted", () => {
  const stage = new Stage();
  for (const number of [0n, NUMBER ^ 1n, NUMBER ^ 1n << 63n]) {
    assertEquals(stage.punch(MAPPED, number), []);
  }
  assertEquals(stage.endpoint.dropped.notAuthentic, 3);
  assert(stage.initiations(5_000).every(([, to]) => to !== formatAddress(MAPPED)));
  stage.complete();
  assertEquals(stage.punch(MAPPED), [], "there is a session");
  const idle = new EndpointHarness().register();
  const header = { type: DatagramType.Punch, session: 0, packet: 0 };
  const punch = encodeDatagram(header, [{ kind: "punch", number: NUMBER }], PUNCH_SIZE);
  assertEquals(idle.receive(punch, MAPPED), []);
  assertEquals(idle.endpoint.dropped.notAuthentic, 1);
});

Deno.test("Punches add 4 addresses at most: a host that learned the number cannot have others flooded", () => {
  assertEquals(PUNCHED_MAX, 4);
  const stage = new Stage();
  const victims = Array.from({ length: 100 }, (_, i) => ({ hostname: `203.0.113.${i}`, port: 53 }));
  const reached = new Set(victims.flatMap((each) => stage.punch(each)));
  assertEquals([...reached], victims.slice(0, PUNCHED_MAX).map(formatAddress));
  for (const [, to] of stage.initiations(5_000)) reached.add(to);
  const others = [...reached].filter((to) => to.startsWith("203."));
  assertEquals(others.length, PUNCHED_MAX);
  // Told ones are none of the four.
  assertEquals(stage.punch(ONE), [formatAddress(ONE)]);
});

Deno.test("many Punches from one address before anything is sent get one Initiation", () => {
  const stage = new Stage();
  const header = { type: DatagramType.Punch, session: 0, packet: 0 };
  const punch = encodeDatagram(header, [{ kind: "punch", number: NUMBER }], PUNCH_SIZE);
  for (let times = 0; times < 10; times++) stage.give(punch, MAPPED);
  assertEquals(targetsOf(stage.sent()), [formatAddress(MAPPED)]);
});

Deno.test("a request that was taken back sends no more Initiations, whatever Punches come", () => {
  const stage = new Stage();
  stage.cancel();
  assertEquals([stage.punch(MAPPED), stage.initiations(20_000)], [[], []]);
});

Deno.test("after 300 ms without a Response the directory carries the Initiation, too", () => {
  assertEquals(CARRY_AFTER, 300);
  const later = ADAPTIVE_TIMES.filter((ms) => ms > CARRY_AFTER);
  assertEquals(new Stage().timesOf(CARRIED), [CARRY_AFTER, ...later]);
  const answered = new Stage();
  answered.initiations(CARRY_AFTER - 1);
  answered.complete();
  assertEquals(answered.initiations(5_000), []);
});

Deno.test("with fixed timers the directory carries the Initiation from the second transmission on", () => {
  assertEquals(new Stage("fixed").timesOf(CARRIED, 29_999), [10_000, 20_000]);
});

Deno.test("between two that are near the directory carries the Initiation at once", () => {
  const flags = FLAG_CALLER | FLAG_NEAR;
  for (const timers of ["adaptive", "fixed"] as const) {
    const expected = timers === "adaptive" ? ADAPTIVE_TIMES : [0];
    assertEquals(new Stage(timers, { flags }).timesOf(CARRIED), expected);
  }
});

Deno.test("the session is where the Response came from, if an Initiation went there", () => {
  for (const from of [ONE, TWO, MAPPED]) {
    const stage = new Stage();
    if (from === MAPPED) stage.punch(MAPPED);
    const [request] = exceptProbes(stage.receive(stage.peer().response, from));
    assertEquals(kindsOf([request!]), ["connectionRequest"]);
    assertEquals(request?.to, from);
  }
});

Deno.test("a Response from elsewhere counts, but where it came from is not believed", () => {
  const stage = new Stage();
  const [request] = exceptProbes(stage.receive(stage.peer().response, MAPPED));
  assertEquals([kindsOf([request!]), request?.to], [["connectionRequest"], ONE]);
});

Deno.test("after a Response that the directory carried it carries what follows, until something is better", () => {
  const stage = new Stage();
  stage.initiations(CARRY_AFTER);
  const peer = stage.peer();
  const carried = (bytes: Uint8Array): Sent[] =>
    stage.notify({ kind: "carried", from: 2, datagram: bytes });
  const sent = carried(peer.response);
  const opened = sent.flatMap(({ frames: [frame] }) =>
    frame?.kind === "carry" ? peer.open(frame.datagram) : []
  );
  assert(opened.some(({ kind }) => kind === "connectionRequest"));
  assert(toPeers(sent).every(({ to }) => !isCarried(to)));
  // The told addresses are challenged in the session: the first that answers takes over.
  const challenge = sent.find(({ to }) => sameAddress(to, ONE))?.frames[0];
  assert(challenge?.kind === "pathChallenge");
  stage.receive(peer.seal({ ...challenge, kind: "pathResponse" }), ONE);
  const accept: Frame = { kind: "connectionAccept", responder: 2, flags: 0, name: "" };
  stage.receive(peer.seal(accept), ONE);
  const [connection] = stage.endpoint.connections;
  assertEquals(connection?.session.address, ONE);
  assertEquals(carriedTo(2).port, 2);
});

Deno.test("each told address of the peer is challenged in the session, beside where the Response came from", () => {
  const stage = new Stage();
  const peer = stage.peer();
  const sent = stage.receive(peer.response, ONE);
  const challenged = (address: Address) =>
    sent.some(({ to, frames }) => sameAddress(to, address) && frames[0]?.kind === "pathChallenge");
  assertEquals([ONE, TWO].map(challenged), [true, true]);
  // The way by the directory, too: it is ready where the others fail.
  assert(sent.some(({ frames: [frame] }) => frame?.kind === "carry"));
});

Deno.test("copies of a Punch get no more Initiations than a responder sends Punches", () => {
  for (const from of [ONE, MAPPED]) {
    const stage = new Stage();
    let count = 0;
    for (let times = 0; times < 100; times++) {
      stage.now += PUNCH_SCHEDULE[1]!;
      count += stage.punch(from).length;
    }
    assertEquals(count, PUNCH_SCHEDULE.length);
  }
});

/** The Response comes: returns the milliseconds after which the Request is sent again. */
function resendTimeout(stage: Stage): number {
  stage.complete();
  const start = stage.now;
  while (!kindsOf(stage.wait(1)).includes("connectionRequest"));
  return stage.now - start;
}

Deno.test("an Initiation that was sent once gives the first sample of the round trip", () => {
  const stage = new Stage();
  stage.initiations(40);
  assertEquals(resendTimeout(stage), 3 * 40);
});

Deno.test("one that was sent more often gives the longest time that the round trip can have taken", () => {
  for (const [ms, timeout] of [[50, 75], [400, 600], [660, 990], [700, 1_000]] as const) {
    const stage = new Stage();
    stage.initiations(ms);
    assertEquals(resendTimeout(stage), timeout);
  }
});

Deno.test("that time is counted anew from the first Punch on, and from another Meeting on", () => {
  const punched = new Stage();
  punched.initiations(600);
  punched.punch(ONE);
  punched.initiations(60);
  assertEquals(resendTimeout(punched), 90);
  const told = new Stage();
  told.initiations(600);
  told.notify(told.meeting(2, { number: NUMBER, addresses: [ONE, TWO] }));
  told.initiations(60);
  assertEquals(resendTimeout(told), 90);
});

Deno.test("the directory is called again while no Response comes: twice after 500 ms, then twice as late", () => {
  for (const timers of ["adaptive", "fixed"] as const) {
    const stage = new Stage(timers);
    const times: number[] = [];
    for (let ms = 1; ms <= 20_000; ms++) {
      stage.now++;
      stage.endpoint.handleTimeout(stage.now);
      const asked = stage.sent().filter(({ to }) => sameAddress(to, DIRECTORY))
        .map(({ bytes }) => stage.directory.read(stage.now, bytes));
      for (const call of asked.filter(({ frame }) => frame.kind === "call")) {
        times.push(ms);
        stage.give(call.answer(stage.meeting(2, { number: NUMBER })), DIRECTORY);
      }
    }
    const adaptive = [CALL_AGAIN, 1_000, 2_000, 4_000, 8_000, 16_000];
    assertEquals(times, timers === "adaptive" ? adaptive : [10_000, 20_000]);
  }
});

Deno.test("the Initiation of another session goes everywhere by the schedule as well", () => {
  const stage = new Stage();
  stage.initiations(PUNCH_SCHEDULE[2]!);
  stage.complete();
  const times = stage.initiations(SESSION_RENEWAL + 20_000)
    .filter(([, to]) => to === formatAddress(TWO)).map(([at]) => at);
  const soon = times.map((at) => at - times[0]!).filter((ms) => PUNCH_SCHEDULE.includes(ms));
  assertEquals(soon, [...PUNCH_SCHEDULE]);
});
