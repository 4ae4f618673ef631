import { assert, assertEquals } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import { TIMEOUT_PROBES, WINDOW_UNPROVED } from "../../../protocol/recovery/congestion.ts";
import { Flight, type Probe } from "../../../protocol/recovery/flight.ts";
import type { Ack } from "../../../protocol/wire/frame.ts";
import {
  BLACK_HOLE_LOSSES,
  BLACK_HOLE_TIMEOUTS,
  MAX_PROBES,
  PATH_MTU_BASE,
  PATH_MTU_ETHERNET,
  PATH_MTU_JUMBO,
  PATH_MTU_LOOPBACK,
  PATH_MTU_MIN,
  PROBE_TIMER,
} from "../../../protocol/recovery/path_mtu.ts";
import { RttEstimator } from "../../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES, type TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import { Prng } from "../../support/random.ts";

const THERE: Address = { hostname: "192.0.2.2", port: 2 };
const ELSEWHERE: Address = { hostname: "192.0.2.3", port: 2 };
/** As many bytes as wait where larger datagrams are of use. */
const BULK = 1e6;

/** What is on its way to one address. */
class Stage {
  readonly rtt: RttEstimator;
  readonly flight: Flight;
  readonly #random = new Prng(1).bytes;

  constructor(mode: TimerMode = "adaptive", address = THERE) {
    this.rtt = new RttEstimator(TIMER_POLICIES[mode]);
    this.flight = new Flight(0, this.rtt, address);
  }

  /** Sends full datagrams with these counters. */
  send(now: number, ...packets: number[]): this {
    for (const packet of packets) this.flight.onSent(now, packet, this.flight.datagramSize);
    return this;
  }

  /** Takes an Ack, of one packet unless its fields say more; returns whether it may be true. */
  ack(now: number, fields: Partial<Ack>): boolean {
    const one = { cumulativeSeq: 0, largestPacket: 0, delay: 0, packetBitmap: 1, ranges: [] };
    return this.flight.handleAck(now, { kind: "ack", ...one, ...fields });
  }

  probe(now: number, waiting = BULK): Probe | undefined {
    return this.flight.pollProbe(now, waiting, this.#random);
  }

  /** Lets every probe up to `limit` bytes be answered at once; returns their sizes. */
  discover(now: number, limit = Infinity): number[] {
    const sizes: number[] = [];
    for (let probe = this.probe(now); probe !== undefined; probe = this.probe(now)) {
      sizes.push(probe.size);
      if (probe.size > limit) break;
      this.flight.handleResponse(now, probe.frame.nonce);
    }
    return sizes;
  }

  /** How many full datagrams may leave at once. */
  sendable(now: number, packet: number): number {
    const { flight } = this;
    let count = 0;
    while (flight.sendableAt(flight.datagramSize) !== undefined) {
      flight.onSent(now, packet + count, flight.datagramSize);
      count++;
    }
    return count;
  }
}

Deno.test("Flight starts with datagrams of 1200 bytes, and with nothing resolvedUpTo", () => {
  const { flight } = new Stage();
  assertEquals([flight.datagramSize, flight.resolvedUpTo], [PATH_MTU_BASE, -1]);
  assertEquals(flight.nextTimeout(), undefined);
});

Deno.test("Flight.handleAck() takes bit n for the counter n below the largest", () => {
  const packets = Array.from({ length: 40 }, (_, packet) => packet);
  const stage = new Stage().send(0, ...packets);
  // 39 and 8 by the first bit and the last; what is 3 below the largest is lost.
  assert(stage.ack(100, { largestPacket: 39, packetBitmap: 1 + 2 ** 31 }));
  assertEquals(stage.flight.resolvedUpTo, 36);
  assertEquals(stage.rtt.srtt, 100);
  assert(stage.ack(110, { largestPacket: 39, packetBitmap: 1 + 2 + 4 }));
  assertEquals(stage.flight.resolvedUpTo, 39);
  assertEquals(stage.rtt.srtt, 100, "no sample of what was overtaken");
});

Deno.test("Flight.handleAck() takes all 32 bits: what they name is not lost", () => {
  const packets = Array.from({ length: 32 }, (_, packet) => packet);
  const stage = new Stage().send(0, ...packets);
  assert(stage.ack(100, { largestPacket: 31, packetBitmap: 0xffff_ffff }));
  assertEquals(stage.flight.resolvedUpTo, 31);
  assertEquals(stage.sendable(100, 32), 10 + 32, "slow start goes on");
});

Deno.test("Flight.handleAck() looks at no counter below 0", () => {
  const stage = new Stage().send(0, 0, 1);
  assert(stage.ack(100, { largestPacket: 1, packetBitmap: 0xffff_ffff }));
  assertEquals(stage.flight.resolvedUpTo, 1);
});

Deno.test("Flight.handleAck() learns nothing where the bitmap is 0: the fields beside it mean nothing", () => {
  const stage = new Stage().send(0, 0);
  for (const largestPacket of [0, 1, 2 ** 32 - 1]) {
    assert(stage.ack(100, { largestPacket, delay: 65_535, packetBitmap: 0 }));
  }
  assertEquals([stage.flight.resolvedUpTo, stage.rtt.srtt], [-1, undefined]);
});

Deno.test("Flight.handleAck() refuses what was never sent (RFC 9000, 13.1)", () => {
  const stage = new Stage();
  assertEquals(stage.ack(0, { largestPacket: 0 }), false);
  stage.send(0, 0, 1, 2);
  for (const largestPacket of [3, 4, 2 ** 31, 2 ** 32 - 1]) {
    assertEquals(stage.ack(100, { largestPacket, packetBitmap: 0xffff_ffff }), false);
  }
  assertEquals([stage.flight.resolvedUpTo, stage.rtt.srtt], [-1, undefined]);
  assert(stage.ack(100, { largestPacket: 2, packetBitmap: 7 }));
  assertEquals(stage.flight.resolvedUpTo, 2);
});

Deno.test("Flight.handleAck() restores the packet counter from its lower 32 bits", () => {
  const span = 2 ** 32;
  for (const first of [span - 3, 5 * span - 2, 2 ** 45 - 1]) {
    const packets = [0, 1, 2, 3].map((index) => first + index);
    const stage = new Stage().send(0, ...packets);
    for (const packet of packets) {
      assert(stage.ack(100, { largestPacket: packet % span }));
      assertEquals(stage.flight.resolvedUpTo, packet);
    }
  }
});

Deno.test("Flight.handleAck() subtracts the delay in the Ack (RFC 9002, 5.3)", () => {
  const stage = new Stage().send(0, 0);
  assert(stage.ack(100, { largestPacket: 0, delay: 200 }));
  assertEquals(stage.rtt.srtt, 100, "20 ms, but no sample is shorter than the shortest");
  stage.send(200, 1);
  assert(stage.ack(320, { largestPacket: 1, delay: 200 }));
  assertEquals(stage.rtt.srtt, 100);
  stage.send(400, 2);
  assert(stage.ack(520, { largestPacket: 2, delay: 201 }));
  assertEquals(stage.rtt.srtt, 100 + 20 / 8, "that would be too short");
});

Deno.test("Flight.update() finds what is lost when its time has come, and not before", () => {
  const stage = new Stage().send(0, 0, 1);
  stage.ack(80, { largestPacket: 1 });
  assertEquals(stage.flight.nextTimeout(), 90, "9/8 of the round trip (RFC 9002, 6.1.2)");
  stage.flight.update(89.9);
  assertEquals(stage.flight.resolvedUpTo, -1);
  stage.flight.update(90);
  assertEquals([stage.flight.resolvedUpTo, stage.flight.nextTimeout()], [1, undefined]);
});

Deno.test("Flight.sendableAt() keeps to the window, and with fixed timers to none", () => {
  const stage = new Stage();
  assertEquals(stage.sendable(0, 0), 10, "the initial window (RFC 9002, 7.2)");
  // A round trip later the window is twice as large, and is paced.
  stage.ack(100, { largestPacket: 9, packetBitmap: 0x3ff });
  assertEquals(stage.sendable(1000, 10), 20);
  const fixed = new Stage("fixed");
  for (let packet = 0; packet < 1000; packet++) fixed.send(0, packet);
  assertEquals(fixed.flight.sendableAt(PATH_MTU_BASE), -Infinity);
});

Deno.test("Flight.onSent() counts no datagram of size 0 as in flight", () => {
  const stage = new Stage();
  for (let packet = 0; packet < 100; packet++) stage.flight.onSent(0, packet, 0);
  assertEquals(stage.sendable(0, 100), 10);
  stage.ack(50, { largestPacket: 99 });
  assertEquals(stage.rtt.srtt, 50);
});

Deno.test("Flight.onTimeout() lets two datagrams leave beyond the window (RFC 9002, 6.2.4)", () => {
  const stage = new Stage();
  assertEquals(stage.sendable(0, 0), 10);
  stage.flight.onTimeout(1000);
  assertEquals(TIMEOUT_PROBES, 2);
  assertEquals([stage.sendable(1000, 10), stage.sendable(1000, 12)], [2, 0]);
  stage.flight.onTimeout(3000);
  stage.flight.onTimeout(3000);
  assertEquals(stage.sendable(3000, 12), 2, "no more for being called twice");
});

Deno.test("Flight.forget() settles all that is in flight, without blame", () => {
  const stage = new Stage();
  stage.sendable(0, 0);
  stage.flight.forget();
  assertEquals(stage.flight.resolvedUpTo, 9);
  assertEquals(stage.sendable(0, 10), 10);
});

Deno.test("Flight.pollProbe() asks what the path carries, once it is of use", () => {
  const stage = new Stage();
  const { flight } = stage;
  assertEquals(flight.probeAt(PATH_MTU_BASE - 1), undefined);
  assertEquals(stage.probe(0, PATH_MTU_BASE - 1), undefined);
  assertEquals(flight.probeAt(PATH_MTU_BASE), 0);
  const probe = stage.probe(0, PATH_MTU_BASE)!;
  assertEquals([probe.size, probe.frame.kind], [PATH_MTU_BASE, "pathChallenge"]);
  flight.handleResponse(20, probe.frame.nonce);
  const larger = stage.probe(20)!;
  assert(larger.size === PATH_MTU_ETHERNET && larger.frame.nonce !== probe.frame.nonce);
  assertEquals(flight.datagramSize, PATH_MTU_BASE, "not before the answer");
  flight.handleResponse(40, probe.frame.nonce);
  assertEquals(flight.datagramSize, PATH_MTU_BASE, "and not by an old one");
  flight.handleResponse(40, larger.frame.nonce);
  assertEquals(flight.datagramSize, PATH_MTU_ETHERNET);
  assertEquals(stage.probe(PROBE_TIMER), undefined);
});

Deno.test("Flight.pollProbe() asks nothing with fixed timers", () => {
  const stage = new Stage("fixed");
  assertEquals([stage.flight.probeAt(BULK), stage.probe(1e9)], [undefined, undefined]);
});

Deno.test("Flight.pollProbe() waits for an answer as long as the path is slow", () => {
  const stage = new Stage().send(0, 0);
  stage.ack(700, { largestPacket: 0 });
  assert(stage.probe(700) !== undefined);
  assertEquals(stage.flight.probeAt(BULK), 700 + 2100);
  assertEquals(stage.probe(2799), undefined);
  assert(stage.probe(2800) !== undefined);
});

Deno.test("Flight asks for no more than the interface carries whole", () => {
  const there = new Stage();
  assertEquals(there.discover(0), [PATH_MTU_BASE, PATH_MTU_ETHERNET]);
  for (const hostname of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    const here = new Stage("adaptive", { hostname, port: 2 });
    const sizes = [PATH_MTU_BASE, PATH_MTU_ETHERNET, PATH_MTU_JUMBO, PATH_MTU_LOOPBACK];
    assertEquals(here.discover(0), sizes);
  }
});

Deno.test("Flight fills the initial window with larger datagrams, as they prove good", () => {
  const stage = new Stage();
  stage.discover(0);
  assertEquals(stage.sendable(0, 0), 10);
  assertEquals(stage.flight.datagramSize, PATH_MTU_ETHERNET);
});

Deno.test("Flight goes back to the smallest size where only large datagrams are lost (RFC 8899, 4.3)", () => {
  const stage = new Stage().send(0, 0);
  stage.ack(50, { largestPacket: 0 });
  stage.discover(50);
  let packet = 1;
  // Rounds of one large datagram, which is lost, and three small ones that arrive.
  for (let lost = 0; lost < BLACK_HOLE_LOSSES; lost++) {
    assertEquals(stage.flight.datagramSize, PATH_MTU_ETHERNET);
    const now = 100 * (1 + lost);
    stage.send(now, packet);
    for (const small of [1, 2, 3]) stage.flight.onSent(now, packet + small, 500);
    stage.ack(now + 50, { largestPacket: packet + 3, packetBitmap: 7 });
    packet += 4;
  }
  assertEquals(stage.flight.datagramSize, PATH_MTU_MIN);
  // Found out again, below what failed.
  const [base, next] = stage.discover(1000);
  assertEquals(base, PATH_MTU_BASE);
  assert(next! > PATH_MTU_BASE && next! < PATH_MTU_ETHERNET, `${next}`);
});

Deno.test("Flight goes back to the smallest size after three timeouts without an Ack in between", () => {
  const stage = new Stage();
  stage.discover(0);
  stage.send(0, 0);
  for (let count = 1; count < BLACK_HOLE_TIMEOUTS; count++) stage.flight.onTimeout(1000);
  stage.ack(2000, { largestPacket: 0 });
  for (let count = 1; count < BLACK_HOLE_TIMEOUTS; count++) stage.flight.onTimeout(3000);
  assertEquals(stage.flight.datagramSize, PATH_MTU_ETHERNET);
  stage.flight.onTimeout(4000);
  assertEquals(stage.flight.datagramSize, PATH_MTU_MIN);
  assertEquals(stage.discover(4000), [PATH_MTU_BASE, PATH_MTU_ETHERNET], "all are worth a try");
});

Deno.test("Flight takes a probe that is never answered, or could not be sent, for too large", () => {
  const stage = new Stage();
  stage.discover(0, PATH_MTU_BASE);
  for (let count = 1; count < MAX_PROBES; count++) {
    assertEquals(stage.probe(count * PROBE_TIMER)?.size, PATH_MTU_ETHERNET);
  }
  assertEquals(stage.sendable(0, 0), 10, "which is no congestion (RFC 8899, 3)");
  const next = stage.probe(MAX_PROBES * PROBE_TIMER)!;
  assert(next.size > PATH_MTU_BASE && next.size < PATH_MTU_ETHERNET, `${next.size}`);
});

Deno.test("Flight.follow() changes nothing where the address is the same", () => {
  const stage = new Stage();
  stage.discover(0);
  stage.sendable(0, 0);
  stage.flight.follow(100, THERE);
  stage.flight.follow(100, { ...THERE });
  assertEquals([stage.flight.datagramSize, stage.flight.resolvedUpTo], [PATH_MTU_ETHERNET, -1]);
  assertEquals(stage.sendable(100, 10), 0);
});

Deno.test("Flight.follow() starts again on another path (RFC 9000, 9.4)", () => {
  const stage = new Stage();
  stage.discover(0);
  let packet = 0;
  for (let round = 0; round < 3; round++) {
    packet += stage.sendable(1000 * round, packet);
    for (let largestPacket = packet - 65; largestPacket < packet; largestPacket += 32) {
      if (largestPacket < 0) continue;
      stage.ack(1000 * round + 50, { largestPacket, packetBitmap: 0xffff_ffff });
    }
  }
  const sent = stage.sendable(4000, packet);
  assert(sent > 40, `${sent} datagrams`);
  packet += sent;
  stage.flight.follow(4100, ELSEWHERE);
  assertEquals([stage.flight.datagramSize, stage.flight.resolvedUpTo], [PATH_MTU_BASE, packet - 1]);
  assertEquals(stage.sendable(4100, packet), 10);
  assertEquals(stage.discover(4100), [PATH_MTU_BASE, PATH_MTU_ETHERNET]);
  // Once.
  stage.flight.follow(4200, { ...ELSEWHERE });
  assertEquals(stage.flight.datagramSize, PATH_MTU_ETHERNET);
});

Deno.test("Flight.follow() asks for what the new path's interface carries", () => {
  const stage = new Stage();
  stage.flight.follow(0, { hostname: "127.0.0.1", port: 2 });
  assertEquals(stage.discover(0).at(-1), PATH_MTU_LOOPBACK);
  stage.flight.follow(0, ELSEWHERE);
  assertEquals(stage.discover(0).at(-1), PATH_MTU_ETHERNET);
});

Deno.test("Flight has no more in flight than is proved, however large the datagrams", () => {
  const stage = new Stage("adaptive", { hostname: "127.0.0.1", port: 2 });
  stage.discover(0);
  assertEquals(stage.flight.datagramSize, PATH_MTU_LOOPBACK);
  assertEquals(stage.sendable(0, 0), 2, "the initial window (RFC 9002, 7.2)");
  assert(2 * PATH_MTU_LOOPBACK > WINDOW_UNPROVED);
});
