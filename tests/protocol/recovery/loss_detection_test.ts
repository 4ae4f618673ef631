import { assert, assertEquals } from "@std/assert";
import { TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";
import { CongestionController } from "../../../protocol/recovery/congestion.ts";
import { LossDetector, SENT_PACKETS_MAX } from "../../../protocol/recovery/loss_detection.ts";
import { PathMtu } from "../../../protocol/recovery/path_mtu.ts";
import { RttEstimator } from "../../../protocol/recovery/rtt.ts";

const SIZE = 1200;

/** A detector with what it reports to. */
class Stage {
  readonly rtt = new RttEstimator(TIMER_POLICIES.adaptive);
  readonly congestion = new CongestionController();
  readonly detector = new LossDetector(this.rtt, this.congestion, new PathMtu(0));

  /** Sends these counters at once. */
  send(now: number, ...packets: number[]): this {
    for (const packet of packets) this.detector.onSent(now, packet, SIZE);
    return this;
  }

  /** Takes an Ack that newly names these counters. */
  ack(now: number, ...packets: number[]): this {
    for (const packet of packets) this.detector.onArrived(now, packet);
    const sample = this.detector.takeSample(now);
    if (sample !== undefined) this.rtt.sample(sample);
    this.detector.update(now);
    return this;
  }
}

/** The counters from `first` to `last`. */
function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

Deno.test("LossDetector counts the bytes in flight", () => {
  const stage = new Stage().send(0, 0, 1, 2);
  assertEquals(stage.detector.bytesInFlight, 3 * SIZE);
  stage.ack(100, 0, 1);
  assertEquals(stage.detector.bytesInFlight, SIZE);
  assertEquals(stage.detector.resolvedUpTo, 1);
  stage.ack(110, 0, 1, 2);
  assertEquals(stage.detector.bytesInFlight, 0);
  assertEquals(stage.detector.resolvedUpTo, 2);
});

Deno.test("LossDetector takes a sample of the newest arrival, and of nothing twice", () => {
  const stage = new Stage().send(0, 0).send(60, 1).ack(100, 0, 1);
  assertEquals(stage.rtt.srtt, 40);
  stage.ack(500, 0, 1);
  assertEquals(stage.rtt.srtt, 40);
  // What was overtaken is no sample: the Ack for it may have waited.
  stage.send(600, 2, 3).ack(640, 3).ack(1000, 2);
  assertEquals(stage.rtt.srtt, 40);
});

Deno.test("LossDetector takes a datagram for lost when one three later arrived", () => {
  const stage = new Stage().send(0, 0, 1, 2, 3, 4).ack(100, 2);
  assertEquals(stage.detector.resolvedUpTo, -1);
  assert(stage.congestion.isSlowStart);
  stage.ack(100, 3);
  assertEquals(stage.detector.resolvedUpTo, 0);
  assertEquals(stage.detector.bytesInFlight, 2 * SIZE);
  assert(!stage.congestion.isSlowStart);
  stage.ack(100, 4);
  // 1 is lost, 2 to 4 arrived.
  assertEquals(stage.detector.resolvedUpTo, 4);
  assertEquals(stage.detector.bytesInFlight, 0);
});

Deno.test("LossDetector takes a datagram for lost 9/8 round trips after it left, if a later one arrived", () => {
  const stage = new Stage().send(0, 0).send(8, 1).send(16, 2);
  assertEquals(stage.detector.nextTimeout(), undefined);
  stage.ack(88, 1);
  assertEquals(stage.detector.nextTimeout(), 90);
  stage.ack(89.9);
  assertEquals(stage.detector.resolvedUpTo, -1);
  stage.ack(90);
  assertEquals(stage.detector.resolvedUpTo, 1);
  assertEquals(stage.detector.nextTimeout(), undefined);
  // Nothing later than 2 arrived, so it is only late.
  stage.ack(10_000);
  assertEquals(stage.detector.resolvedUpTo, 1);
  assertEquals(stage.detector.bytesInFlight, SIZE);
});

Deno.test("LossDetector ignores a late arrival of what was lost", () => {
  const stage = new Stage().send(0, 0, 1, 2, 3).ack(100, 1, 2, 3);
  const { window } = stage.congestion;
  stage.ack(200, 0);
  assertEquals(stage.congestion.window, window);
  assertEquals(stage.rtt.srtt, 100);
  assertEquals(stage.detector.bytesInFlight, 0);
});

Deno.test("LossDetector ignores counters that were not sent, or asked for no ack", () => {
  const stage = new Stage().send(0, 0, 5).ack(100, 1, 2, 3, 4, 6, 1e15, SENT_PACKETS_MAX);
  assertEquals(stage.detector.bytesInFlight, 2 * SIZE);
  assertEquals(stage.rtt.srtt, undefined);
  stage.ack(100, 5);
  assertEquals(stage.detector.resolvedUpTo, 5);
  assertEquals(stage.detector.bytesInFlight, 0);
});

Deno.test("LossDetector takes samples of datagrams that do not count as in flight", () => {
  const stage = new Stage();
  for (const [packet, sentAt] of [[3, 0], [5, 20], [8, 40]] as const) {
    stage.detector.onSent(sentAt, packet, 0);
  }
  assertEquals(stage.detector.bytesInFlight, 0);
  stage.ack(100, 4, 6, 7);
  assertEquals(stage.rtt.srtt, undefined);
  stage.ack(100, 5);
  assertEquals(stage.rtt.srtt, 80);
  stage.send(110, 9).ack(300, 8);
  assertEquals(stage.rtt.srtt, 80 + (260 - 80) / 8);
  // 3 may be lost, which does not count.
  stage.send(310, 10, 11, 12).ack(400, 9, 10, 11, 12);
  assertEquals(stage.detector.resolvedUpTo, 12);
  assert(stage.congestion.isSlowStart);
});

Deno.test("LossDetector sees persistent congestion in losses over three timeouts", () => {
  const stage = new Stage().send(0, 0).ack(100, 0);
  // The samples are all 100 ms, so the timeout comes down from 300 ms to 250 ms, then to 213 ms.
  stage.send(200, 1).send(200 + 749, 2).send(2000, 3, 4, 5).ack(2100, 3, 4, 5);
  assertEquals(stage.rtt.timeout(1), 250);
  assertEquals(stage.detector.resolvedUpTo, 5);
  assert(stage.congestion.window > 4 * SIZE, `${stage.congestion.window}`);
  stage.send(3000, 6).send(3000 + 751, 7).send(9000, 8, 9, 10).ack(9100, 8, 9, 10);
  assertEquals(stage.congestion.window, 2 * SIZE);
});

Deno.test("LossDetector sees no persistent congestion where anything arrived in between", () => {
  const stage = new Stage().send(0, 0).ack(100, 0);
  stage.send(200, 1).send(800, 2).send(1500, 3).send(2000, 4, 5, 6).ack(2100, 2, 4, 5, 6);
  assertEquals(stage.detector.resolvedUpTo, 6);
  assert(stage.congestion.window > 4 * SIZE, `${stage.congestion.window}`);
});

Deno.test("LossDetector sees no persistent congestion before there is a sample", () => {
  const stage = new Stage().send(0, 0).send(5000, 1).send(9000, 2).send(9100, 3, 4, 5);
  stage.ack(9200, 3, 4, 5);
  assertEquals(stage.detector.resolvedUpTo, 5);
  assert(stage.congestion.window > 4 * SIZE, `${stage.congestion.window}`);
});

Deno.test("LossDetector keeps 4096 counters, and takes an older one for lost", () => {
  const stage = new Stage().send(0, 0).ack(100, 0).send(200, 1);
  // Datagrams that ask for no ack have counters, too.
  stage.send(300, SENT_PACKETS_MAX);
  assertEquals(stage.detector.bytesInFlight, 2 * SIZE);
  assertEquals(stage.detector.sendableAt(SIZE), undefined);
  stage.send(300, SENT_PACKETS_MAX + 1);
  assertEquals(stage.detector.bytesInFlight, 2 * SIZE);
  stage.ack(400, SENT_PACKETS_MAX, SENT_PACKETS_MAX + 1);
  assertEquals(stage.detector.bytesInFlight, 0);
  assert(stage.detector.sendableAt(SIZE) !== undefined);
});

Deno.test("LossDetector goes on after any number of datagrams that asked for no ack", () => {
  const stage = new Stage();
  let now = 0;
  for (let packet = 0; packet < 2 ** 50; packet = 2 * packet + 1) {
    now += 100;
    stage.send(now, packet).ack(now + 50, packet);
    assertEquals(stage.detector.resolvedUpTo, packet);
  }
});

Deno.test("LossDetector counts nothing twice when many counters asked for no ack", () => {
  for (const leap of [4095, 4096, 4097, 8192, 12_345]) {
    const stage = new Stage().send(0, 0, 1, 2).ack(100, 1).send(200, 2 + leap);
    assertEquals(stage.detector.bytesInFlight, (leap < 4095 ? 3 : leap === 4095 ? 2 : 1) * SIZE);
    stage.ack(300, 2 + leap);
    assertEquals(stage.detector.bytesInFlight, 0);
    assertEquals(stage.detector.resolvedUpTo, 2 + leap);
  }
});

Deno.test("LossDetector.forget() clears the flight without blaming the path", () => {
  const stage = new Stage().send(0, 0).ack(100, 0).send(200, 1, 2, 3);
  const { window } = stage.congestion;
  stage.detector.forget();
  assertEquals(stage.detector.bytesInFlight, 0);
  assertEquals(stage.detector.resolvedUpTo, 3);
  stage.send(300, 4, 5, 6, 7).ack(400, 1, 2, 3, 7);
  assertEquals(stage.congestion.window, window / 2);
});

Deno.test("LossDetector agrees with a set of counters over rounds of any losses", () => {
  const stage = new Stage();
  let packet = 0;
  for (let round = 0; round < 300; round++) {
    const sent = range(packet, packet + 19);
    packet += 20;
    stage.send(round * 100, ...sent);
    const arrived = sent.filter((each) => (each * 7919) % 11 > 2);
    stage.ack(round * 100 + 50, ...arrived.toReversed());
    stage.ack(round * 100 + 99);
    const tail = sent.filter((each) => each > arrived.at(-1)!);
    assertEquals(stage.detector.bytesInFlight, tail.length * SIZE);
  }
});
