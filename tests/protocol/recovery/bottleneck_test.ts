// Congestion control and loss detection over a model of a bottleneck that several flows share.
import { assert, assertEquals } from "@std/assert";
import { type Flow, type Line, NewRenoFlow, share, TcpFlow } from "../../sim/bottleneck.ts";

const MEGABIT = 125;
const SECOND = 1_000;

/** Lines of all kinds; the queue in bytes is that of so many milliseconds. */
const LINES: Line[] = [[2, 1, 200], [2, 10, 20], [10, 10, 10], [50, 10, 50], [100, 5, 25], [
  200,
  1,
  400,
]].map(([rtt, megabits, queue]) => ({
  rtt: rtt!,
  rate: megabits! * MEGABIT,
  queue: queue! * megabits! * MEGABIT,
}));

/** Two flows on each line, the second one joining late: their shares of it. */
function* shares(first: () => Flow, second: () => Flow): Generator<[name: string, number[]]> {
  for (const line of LINES) {
    for (const start of [0, 300, 3 * SECOND]) {
      const flows = [{ flow: first(), start: 0 }, { flow: second(), start }];
      const end = 60 * SECOND;
      const arrived = share(line, flows, end);
      const name = `${JSON.stringify(line)}, from ${start} ms`;
      yield [name, arrived.map((bytes) => bytes / (line.rate * end))];
    }
  }
}

/** Checks that each gets at least a third of the other's share, and that both use the link. */
function assertFair(name: string, [first, second]: number[]): void {
  const told = `${name}: ${first} and ${second}`;
  assert(first! < 3 * second! && second! < 3 * first!, told);
  assert(first! + second! > 0.85, told);
}

Deno.test("a flow that joins TCP Reno at a bottleneck gets a fair share", () => {
  for (const [name, each] of shares(() => new TcpFlow(), () => new NewRenoFlow())) {
    assertFair(name, each);
  }
});

Deno.test("a flow that TCP Reno joins at a bottleneck keeps a fair share", () => {
  for (const [name, each] of shares(() => new NewRenoFlow(), () => new TcpFlow())) {
    assertFair(name, each);
  }
});

Deno.test("two flows share a bottleneck fairly", () => {
  for (const [name, each] of shares(() => new NewRenoFlow(), () => new NewRenoFlow())) {
    assertFair(name, each);
  }
});

Deno.test("a flow uses a line that it has for itself, and fills its queue no further than must be", () => {
  for (const line of LINES) {
    const flow = new NewRenoFlow();
    const [arrived] = share(line, [{ flow, start: 0 }], 60 * SECOND);
    assert(arrived! > 0.85 * line.rate * 60 * SECOND, `${JSON.stringify(line)}: ${arrived}`);
    assert(flow.congestion.window < 1.1 * (line.rate * line.rtt + line.queue) + 2400);
  }
});

Deno.test("a flow falls to two datagrams when the line was out for long, and recovers", () => {
  const line: Line = {
    rate: 10 * MEGABIT,
    queue: 62_500,
    rtt: 50,
    outage: [5 * SECOND, 10 * SECOND],
  };
  const flow = new NewRenoFlow();
  let least = Infinity;
  let back = Infinity;
  const onTick = (now: number) => {
    const { window } = flow.congestion;
    least = Math.min(least, window);
    if (now > 10 * SECOND && least === 2400 && window > 60_000) back = Math.min(back, now);
  };
  share(line, [{ flow, start: 0, onTick }], 20 * SECOND);
  assertEquals(least, 2400);
  assert(back < 16 * SECOND, `${back}`);
});

Deno.test("a flow that loses 1 datagram in 50 by chance does not collapse", () => {
  // The throughput of RFC 5348 (3.1) without timeouts: 1200 bytes / (RTT √(2p/3)) is 8.7 windows.
  const line: Line = { rate: 100 * MEGABIT, queue: 1e6, rtt: 40 };
  const flow = new NewRenoFlow();
  const lossy: Flow = {
    size: flow.size,
    poll: (now) => flow.poll(now),
    // A datagram that no Ack names counts as lost.
    handleArrival: (now, packet) => {
      if (packet % 50 !== 7) flow.handleArrival(now, packet);
    },
    nextTimeout: () => flow.nextTimeout(),
    handleTimeout: (now) => flow.handleTimeout(now),
  };
  const [arrived] = share(line, [{ flow: lossy, start: 0 }], 60 * SECOND);
  const windows = arrived! / 1200 / (60 * SECOND / line.rtt);
  assert(windows > 7 && windows < 13, `${windows}`);
});
