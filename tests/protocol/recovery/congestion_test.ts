import { assert, assertEquals } from "@std/assert";
import {
  CongestionController,
  DATAGRAMS_UNPROVED,
  initialWindow,
  TIMEOUT_PROBES,
  WINDOW_UNPROVED,
} from "../../../protocol/recovery/congestion.ts";

const SIZE = 1200;

/** Sends full datagrams until the window is full, and lets them all arrive `rtt` later. */
function playRound(congestion: CongestionController, start: number, rtt: number): number {
  let inFlight = 0;
  let datagrams = 0;
  while (congestion.sendableAt(SIZE, inFlight, datagrams) !== undefined) {
    inFlight += SIZE;
    datagrams++;
    congestion.onSent(start, SIZE, inFlight, undefined);
  }
  const sent = inFlight;
  while (inFlight > 0) {
    inFlight -= SIZE;
    congestion.onArrived(start + rtt, SIZE, start, inFlight);
  }
  return sent;
}

/** Plays rounds until the window has left slow start by a loss. */
function avoiding(): CongestionController {
  const congestion = new CongestionController(SIZE);
  playRound(congestion, 0, 100);
  playRound(congestion, 100, 100);
  congestion.onLost(250, 240);
  return congestion;
}

Deno.test("initialWindow() is ten datagrams, but at most 14720 bytes or two of them", () => {
  assertEquals(initialWindow(1200), 12_000);
  assertEquals(initialWindow(1452), 14_520);
  assertEquals(initialWindow(1500), 14_720);
  assertEquals(initialWindow(8952), 17_904);
});

Deno.test("CongestionController doubles the window each round trip in slow start", () => {
  const congestion = new CongestionController(SIZE);
  const sent = [0, 100, 200].map((start) => playRound(congestion, start, 100));
  assertEquals(sent, [12_000, 24_000, 48_000]);
  assertEquals(congestion.isSlowStart, true);
});

Deno.test("CongestionController has 80 full datagrams in flight before it grows slowly", () => {
  const congestion = new CongestionController(SIZE);
  const sent = [0, 100, 200, 300, 400, 500].map((start) => playRound(congestion, start, 100));
  assertEquals(DATAGRAMS_UNPROVED, 80);
  assertEquals(sent.slice(3), [80 * SIZE, 90 * SIZE, 101 * SIZE]);
});

Deno.test("CongestionController allows 80 small datagrams, however few bytes they have", () => {
  const congestion = new CongestionController(SIZE);
  for (const start of [0, 100, 200]) playRound(congestion, start, 100);
  assertEquals(congestion.window, WINDOW_UNPROVED);
  assert(congestion.sendableAt(50, 79 * 50, 79) !== undefined);
  assertEquals(congestion.sendableAt(50, 80 * 50, 80), undefined);
});

Deno.test("CongestionController halves the window once for the losses of a round trip", () => {
  const congestion = avoiding();
  assertEquals(congestion.window, 24_000);
  assertEquals(congestion.isSlowStart, false);
  congestion.onLost(260, 241);
  congestion.onLost(270, 250);
  assertEquals(congestion.window, 24_000);
  congestion.onLost(400, 251);
  assertEquals(congestion.window, 12_000);
});

Deno.test("CongestionController adds one datagram a round trip after a loss", () => {
  const congestion = avoiding();
  for (let start = 300; start < 2300; start += 100) {
    const { window } = congestion;
    playRound(congestion, start, 100);
    const gained = congestion.window - window;
    assert(gained > 0.9 * SIZE && gained <= SIZE, `${gained}`);
  }
});

Deno.test("CongestionController does not grow by what was sent before the loss", () => {
  const congestion = avoiding();
  congestion.onArrived(260, SIZE, 245, 22_800);
  assertEquals(congestion.window, 24_000);
});

Deno.test("CongestionController never goes under two datagrams", () => {
  const congestion = new CongestionController(SIZE);
  for (let now = 1; now < 20; now++) congestion.onLost(now, now);
  assertEquals(congestion.window, 2 * SIZE);
});

Deno.test("CongestionController does not grow while the window is not used", () => {
  const congestion = avoiding();
  const slowStart = new CongestionController(SIZE);
  for (let start = 300; start < 10_000; start += 100) {
    for (const each of [congestion, slowStart]) {
      each.onSent(start, SIZE, SIZE, undefined);
      each.onArrived(start + 50, SIZE, start, 0);
    }
  }
  assertEquals(congestion.window, 24_000);
  assertEquals(slowStart.window, 12_000);
});

Deno.test("CongestionController grows by half a window in use in slow start alone", () => {
  const [congestion, slowStart] = [avoiding(), new CongestionController(SIZE)];
  for (const each of [congestion, slowStart]) {
    each.onSent(300, SIZE, 7200, undefined);
    each.onArrived(350, SIZE, 300, 6000);
  }
  assertEquals(congestion.window, 24_000);
  assertEquals(slowStart.window, 13_200);
});

Deno.test("CongestionController falls to two datagrams at persistent congestion, and starts slowly", () => {
  const congestion = avoiding();
  congestion.onPersistentCongestion();
  assertEquals(congestion.window, 2 * SIZE);
  const sent = [300, 400, 500, 600].map((start) => playRound(congestion, start, 100));
  assertEquals(sent, [2400, 4800, 9600, 19_200]);
});

Deno.test("CongestionController allows two datagrams at a timeout, whatever is in flight", () => {
  const congestion = new CongestionController(SIZE);
  assertEquals(congestion.sendableAt(SIZE, 12_000, 10), undefined);
  congestion.allowProbes();
  for (let probe = 0; probe < TIMEOUT_PROBES; probe++) {
    assertEquals(congestion.sendableAt(SIZE, 12_000, 10), -Infinity);
    congestion.onSent(1000, SIZE, 12_000, 100);
  }
  assertEquals(congestion.sendableAt(SIZE, 12_000, 10), undefined);
});

Deno.test("CongestionController lets anything leave when nothing is in flight", () => {
  const congestion = new CongestionController(SIZE);
  assert(congestion.sendableAt(65_000, 0, 0) !== undefined);
  assertEquals(congestion.sendableAt(65_000, 1, 1), undefined);
});

Deno.test("CongestionController spreads a window over a round trip, after a burst", () => {
  const congestion = avoiding();
  const times: number[] = [];
  for (let now = 1000; times.length < 20;) {
    const at = congestion.sendableAt(SIZE, 0, 0)!;
    now = Math.max(now, at);
    congestion.onSent(now, SIZE, SIZE, 100);
    times.push(now);
  }
  // Ten at once, the next when the first of them would have left at 1.25 windows a round trip.
  assertEquals(times.slice(0, 11), Array(11).fill(1000));
  const interval = 100 * SIZE / (1.25 * 24_000);
  for (const [index, time] of times.slice(11).entries()) {
    assert(Math.abs(time - (1000 + (index + 1) * interval)) < 1e-6, `${times}`);
  }
});

Deno.test("CongestionController makes up for a late timer, at any burst size", () => {
  const congestion = avoiding();
  // At 0.1 ms a round trip, 2 ms are 25 windows.
  for (let sent = 0; sent < 400; sent++) {
    assert(congestion.sendableAt(SIZE, 0, 0)! <= 1000, `${sent}`);
    congestion.onSent(1000, SIZE, SIZE, 0.1);
  }
});

Deno.test("CongestionController.setDatagramSize() keeps the window, but for its minimum", () => {
  const unused = new CongestionController(SIZE);
  unused.setDatagramSize(1452);
  assertEquals(unused.window, 14_520);
  const used = avoiding();
  used.setDatagramSize(1452);
  assertEquals(used.window, 24_000);
  used.setDatagramSize(65_488);
  assertEquals(used.window, 2 * 65_488);
});

Deno.test("CongestionController.restart() forgets the old path", () => {
  const congestion = avoiding();
  congestion.onSent(1e6, SIZE, 24_000, 1e4);
  congestion.allowProbes();
  congestion.restart();
  assertEquals(congestion.window, 12_000);
  assertEquals(congestion.isSlowStart, true);
  assertEquals(congestion.sendableAt(SIZE, 0, 0), -Infinity);
  assertEquals(congestion.sendableAt(SIZE, 12_000, 10), undefined);
  assertEquals([0, 100].map((start) => playRound(congestion, start, 100)), [12_000, 24_000]);
});
