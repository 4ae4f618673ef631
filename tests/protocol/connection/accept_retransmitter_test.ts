import { assertEquals } from "@std/assert";
import {
  RESEND_INTERVAL,
  TIMER_POLICIES,
  type TimerMode,
} from "../../../protocol/recovery/timer_policy.ts";
import { AcceptRetransmitter } from "../../../protocol/connection/connection.ts";
import { ACCEPT_TRIES } from "../../../protocol/connection/connection.ts";
import { RTO_INITIAL, RttEstimator } from "../../../protocol/recovery/rtt.ts";

/** The responder's end, before the first RTT sample. */
function accepter(mode: TimerMode = "adaptive"): AcceptRetransmitter {
  return new AcceptRetransmitter(new RttEstimator(TIMER_POLICIES[mode]), true);
}

/** Sends when it is due, until `end`; returns when that was. */
function play(accepting: AcceptRetransmitter, end = 100_000): number[] {
  const sentAt: number[] = [];
  for (let now = 0; now < end; now = accepting.nextTimeout() ?? end) {
    accepting.handleTimeout(now);
    if (!accepting.isDue) break;
    sentAt.push(now);
    accepting.onSent(now);
  }
  return sentAt;
}

Deno.test("AcceptRetransmitter does nothing if the peer accepted", () => {
  const accepting = new AcceptRetransmitter(new RttEstimator(TIMER_POLICIES.adaptive), false);
  assertEquals([accepting.isDue, accepting.isUnconfirmed], [false, false]);
  assertEquals(accepting.nextTimeout(), undefined);
  accepting.handleTimeout(1e9);
  assertEquals(accepting.isDue, false);
});

Deno.test("AcceptRetransmitter sends the Accept at once, and three times in all (RFC 9000, 8.1)", () => {
  assertEquals(ACCEPT_TRIES, 3);
  const accepting = accepter();
  assertEquals([accepting.isDue, accepting.isUnconfirmed], [true, true]);
  assertEquals(play(accepting), [0, RTO_INITIAL, 3 * RTO_INITIAL]);
  assertEquals(accepting.nextTimeout(), undefined);
  assertEquals([accepting.isDue, accepting.isUnconfirmed], [false, true]);
});

Deno.test("AcceptRetransmitter repeats every 10 s with fixed timers", () => {
  assertEquals(play(accepter("fixed")), [0, RESEND_INTERVAL, 2 * RESEND_INTERVAL]);
});

Deno.test("AcceptRetransmitter takes the round-trip time as it is when the Accept is sent", () => {
  const rtt = new RttEstimator(TIMER_POLICIES.adaptive);
  const accepting = new AcceptRetransmitter(rtt, true);
  rtt.sample(100);
  assertEquals(play(accepting), [0, 300, 900]);
});

Deno.test("AcceptRetransmitter.handleTimeout() does nothing before its instant, and nothing twice", () => {
  const accepting = accepter();
  accepting.onSent(0);
  accepting.handleTimeout(999.9);
  assertEquals([accepting.isDue, accepting.nextTimeout()], [false, 1000]);
  accepting.handleTimeout(1000);
  assertEquals([accepting.isDue, accepting.nextTimeout()], [true, undefined]);
  accepting.onSent(1000);
  accepting.handleTimeout(1000);
  assertEquals([accepting.isDue, accepting.nextTimeout()], [false, 3000]);
});

Deno.test("AcceptRetransmitter.repeat() sends it at once, and three times again", () => {
  const accepting = accepter();
  play(accepting);
  accepting.repeat();
  assertEquals(play(accepting), [0, 1000, 3000]);
  // In between, as well: two Requests at once are one answer.
  accepting.repeat();
  accepting.onSent(0);
  accepting.repeat();
  accepting.repeat();
  assertEquals(play(accepting), [0, 1000, 3000]);
});

Deno.test("AcceptRetransmitter.confirm() ends it, however often it is called", () => {
  for (const sent of [false, true]) {
    const accepting = accepter();
    if (sent) accepting.onSent(0);
    accepting.confirm();
    accepting.confirm();
    assertEquals([accepting.isDue, accepting.isUnconfirmed], [false, false]);
    assertEquals(accepting.nextTimeout(), undefined);
    accepting.handleTimeout(1e9);
    assertEquals(accepting.isDue, false);
  }
});

Deno.test("AcceptRetransmitter.stop() sends it no more, and leaves it unconfirmed", () => {
  const accepting = accepter();
  accepting.onSent(0);
  accepting.stop();
  assertEquals(accepting.nextTimeout(), undefined);
  accepting.handleTimeout(1e9);
  assertEquals([accepting.isDue, accepting.isUnconfirmed], [false, true]);
});
