// When the directory is asked again where a peer is: protocol/README.md, "Meeting".
import { assertEquals } from "@std/assert";
import {
  CALL_INTERVAL,
  CARRIED_CALL_INTERVAL,
  Recall,
  SILENCE_IDLE,
  SILENCE_WAITING,
} from "../../../protocol/connection/recall.ts";
import { TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";

/** A peer that was asked for something as soon as it was heard. */
function asked(now: number, repairDelay = 0): Recall {
  const recall = new Recall(now, repairDelay);
  recall.onAsked(now);
  return recall;
}

Deno.test("a silent peer is called after 5 s where something waits for an answer, else after 11.5 s", () => {
  assertEquals([SILENCE_WAITING, SILENCE_IDLE], [5_000, 11_500]);
  assertEquals([asked(1_000).callAt(false), new Recall(1_000, 0).callAt(false)], [6_000, 12_500]);
});

Deno.test("a peer has 5 s to answer from when it was asked first, not from when it was heard", () => {
  const recall = new Recall(0, 0);
  recall.onAsked(4_000);
  assertEquals(recall.callAt(false), 9_000);
  // What is sent again asks for the same.
  recall.onAsked(6_000);
  assertEquals(recall.callAt(false), 9_000);
  recall.onHeard(7_000);
  assertEquals(recall.callAt(false), 18_500);
  // It does not have longer than one that was not asked.
  recall.onAsked(17_000);
  assertEquals(recall.callAt(false), 18_500);
});

Deno.test("a peer that knows more than the directory told is called three times, 5 s apart", () => {
  const recall = new Recall(1_000, 0);
  for (const at of [6_000, 11_000, 16_000]) {
    assertEquals(recall.callAt(false, true), at);
    recall.onCall(at, true);
    recall.onHeard(at);
  }
  assertEquals(recall.callAt(false, true), 16_000 + SILENCE_IDLE);
});

Deno.test("with fixed timers a silent peer is called 10 s later: nothing was repeated before", () => {
  const { repairDelay } = TIMER_POLICIES.fixed;
  const all = [asked(0, repairDelay), new Recall(0, repairDelay)];
  assertEquals(all.map((recall) => recall.callAt(false)), [15_000, 21_500]);
  assertEquals(TIMER_POLICIES.adaptive.repairDelay, 0);
});

Deno.test("a peer that stays silent is called every 5 s", () => {
  assertEquals(CALL_INTERVAL, 5_000);
  for (const [recall, first] of [[asked(0), 5_000], [new Recall(0, 0), 11_500]] as const) {
    const calls: number[] = [];
    for (let times = 0; times < 4; times++) {
      const at = recall.callAt(false);
      calls.push(at);
      recall.onCall(at);
    }
    assertEquals(calls, [0, 1, 2, 3].map((count) => first + count * CALL_INTERVAL));
  }
});

Deno.test("a call is no sign of the peer, and what was heard of it ends the calls for a while", () => {
  const recall = asked(0);
  recall.onCall(5_000);
  assertEquals(recall.callAt(false), 10_000);
  recall.onHeard(5_100);
  assertEquals(recall.callAt(false), 16_600);
  recall.onHeard(9_000);
  recall.onAsked(9_000);
  assertEquals(recall.callAt(false), 14_000);
});

Deno.test("while datagrams are carried the peer is called every 25 s, though it is heard", () => {
  assertEquals(CARRIED_CALL_INTERVAL, 25_000);
  const recall = new Recall(0, 0);
  for (let now = 0; now <= 24_000; now += 1_000) recall.onHeard(now);
  assertEquals(recall.callAt(true), 25_000);
  recall.onHeard(25_000);
  recall.onCall(25_000);
  for (let now = 25_000; now <= 49_000; now += 1_000) recall.onHeard(now);
  assertEquals([recall.callAt(true), recall.callAt(false)], [50_000, 60_500]);
  // And earlier where it is silent.
  assertEquals(asked(0).callAt(true), SILENCE_WAITING);
});
