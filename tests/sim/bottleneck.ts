/**
 * A model of a bottleneck: a link of fixed rate with a drop-tail queue, and the flows that share it.
 * Times are in ms, sizes in bytes.
 *
 * @module
 */
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { CongestionController } from "../../protocol/recovery/congestion.ts";
import { LossDetector } from "../../protocol/recovery/loss_detection.ts";
import { PathMtu } from "../../protocol/recovery/path_mtu.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";

/** The link. */
export interface Line {
  /** Bytes per millisecond. */
  rate: number;
  /** Size of the queue. */
  queue: number;
  /** The round trip without the queue. */
  rtt: number;
  /** An interval in which everything is lost. */
  outage?: readonly [from: number, to: number];
}

/** A sender that always has data, and learns of each datagram that arrived. */
export interface Flow {
  /** Bytes in a datagram. */
  readonly size: number;
  /** The number of the next datagram; undefined if none may be sent now. */
  poll(now: number): number | undefined;
  /** Handles the ack of a datagram. */
  handleArrival(now: number, packet: number): void;
  /** When to call handleTimeout() or poll(). */
  nextTimeout(): number;
  /** Handles timeouts that are due. */
  handleTimeout(now: number): void;
}

/** A flow with the congestion control under test. */
export class NewRenoFlow implements Flow {
  readonly size = 1200;
  readonly rtt = new RttEstimator(TIMER_POLICIES.adaptive);
  readonly congestion = new CongestionController();
  readonly detector = new LossDetector(this.rtt, this.congestion, new PathMtu(0));
  #packet = 0;
  #timeouts = 0;
  #timeoutAt = Infinity;

  poll(now: number): number | undefined {
    const at = this.detector.sendableAt(this.size);
    if (at === undefined || at > now) return undefined;
    this.detector.onSent(now, this.#packet, this.size);
    this.#setTimeout(now);
    return this.#packet++;
  }

  handleArrival(now: number, packet: number): void {
    this.detector.onArrived(now, packet);
    const sample = this.detector.takeSample(now);
    if (sample !== undefined) this.rtt.sample(sample);
    this.detector.update(now);
    this.#timeouts = 0;
    this.#setTimeout(now);
  }

  nextTimeout(): number {
    const sendAt = this.detector.sendableAt(this.size) ?? Infinity;
    return Math.min(this.#timeoutAt, this.detector.nextTimeout() ?? Infinity, sendAt);
  }

  handleTimeout(now: number): void {
    this.detector.update(now);
    if (now < this.#timeoutAt) return;
    this.#timeouts++;
    this.congestion.allowProbes();
    this.#setTimeout(now);
  }

  #setTimeout(now: number): void {
    this.#timeoutAt = now + this.rtt.timeout(1 + this.#timeouts);
  }
}

/** A model of TCP Reno with selective acks: unpaced, windows in segments. */
export class TcpFlow implements Flow {
  readonly size = 1500;
  window = 10;
  #threshold = Infinity;
  #next = 0;
  #highest = -1;
  /** Losses below this number already reduced the window. */
  #recover = 0;
  readonly #inFlight = new Set<number>();
  #timeoutAt = Infinity;

  poll(now: number): number | undefined {
    if (this.#inFlight.size + 1 > this.window) return undefined;
    if (this.#inFlight.size === 0) this.#timeoutAt = now + 1000;
    this.#inFlight.add(this.#next);
    return this.#next++;
  }

  handleArrival(now: number, packet: number): void {
    this.#timeoutAt = now + 1000;
    if (!this.#inFlight.delete(packet)) return;
    this.#highest = Math.max(this.#highest, packet);
    if (packet >= this.#recover) {
      this.window += this.window < this.#threshold ? 1 : 1 / this.window;
    }
    for (const each of this.#inFlight) {
      if (each > this.#highest - 3) break;
      this.#inFlight.delete(each);
      if (each >= this.#recover) this.#reduce(Math.max(this.window / 2, 2));
    }
  }

  nextTimeout(): number {
    return this.#timeoutAt;
  }

  handleTimeout(now: number): void {
    if (now < this.#timeoutAt) return;
    this.#timeoutAt = now + 1000;
    this.#inFlight.clear();
    this.#reduce(Math.max(this.window / 2, 2));
    this.window = 1;
  }

  #reduce(window: number): void {
    this.window = this.#threshold = window;
    this.#recover = this.#next;
  }
}

/** Runs the flows, each from its start; returns the bytes of each that arrived. */
export function share(
  line: Line,
  flows: readonly { flow: Flow; start: number; onTick?: (now: number) => void }[],
  end: number,
): number[] {
  const arrived = flows.map(() => 0);
  /** Acks under way, by time: the link keeps the order. */
  const acks: { at: number; index: number; packet: number }[] = [];
  let head = 0;
  let freeAt = 0;
  for (let now = 0; now < end;) {
    for (; head < acks.length && acks[head]!.at <= now; head++) {
      const { index, packet } = acks[head]!;
      flows[index]!.flow.handleArrival(now, packet);
      arrived[index]! += flows[index]!.flow.size;
    }
    let next = head < acks.length ? acks[head]!.at : Infinity;
    for (const [index, { flow, start, onTick }] of flows.entries()) {
      if (now < start) {
        next = Math.min(next, start);
        continue;
      }
      flow.handleTimeout(now);
      onTick?.(now);
      for (let packet = flow.poll(now); packet !== undefined; packet = flow.poll(now)) {
        const isOut = line.outage !== undefined && now >= line.outage[0] && now < line.outage[1];
        const isFull = (freeAt - now) * line.rate + flow.size > line.queue;
        if (isOut || isFull) continue;
        freeAt = Math.max(freeAt, now) + flow.size / line.rate;
        acks.push({ at: freeAt + line.rtt, index, packet });
      }
      next = Math.min(next, flow.nextTimeout());
    }
    // Time that stands still would be a fault of the model or the flow.
    if (next < now) throw new Error(`At ${now}: something was due at ${next}`);
    if (head < acks.length) next = Math.min(next, acks[head]!.at);
    now = next === now ? now + 1e-6 : next;
  }
  return arrived;
}
