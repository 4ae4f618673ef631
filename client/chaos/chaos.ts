/**
 * A bad line on purpose, `--chaos`: what it loses, repeats, reorders and delays, all from one seed.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { failure, type Result, success } from "../../protocol/result.ts";

/** Datagrams on their way in one direction; further ones are lost. */
export const UNDER_WAY_MAX = 10_000;
/** Milliseconds of the longest delay. */
export const DELAY_MAX = 60_000;
/** The largest seed. */
const SEED_MAX = 2 ** 32 - 1;
/** Milliseconds at least by which a datagram is held back, so that others overtake it. */
export const HOLD_BACK_MIN = 20;
/** What makes the two directions different. */
const DIRECTIONS = { out: 0, in: 0x5bd1e995 } as const;

/** How bad the line is, in each direction; probabilities are from 0 to 1. */
export interface Chaos {
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Milliseconds. */
  readonly delay: number;
  /** The n-th datagram of a direction has the same fate in each run with the same seed. */
  readonly seed: number;
}

const DEFAULTS: Chaos = { loss: 0, duplicate: 0, reorder: 0, delay: 0, seed: 1 };

const PROBABILITY = "a probability from 0 to 1";
/** What each value must be, for error messages. */
const EXPECTED: Readonly<Record<keyof Chaos, string>> = {
  loss: PROBABILITY,
  duplicate: PROBABILITY,
  reorder: PROBABILITY,
  delay: `a time up to ${DELAY_MAX / 1000}s, such as 50ms`,
  seed: `a number from 0 to ${SEED_MAX}`,
};

/** What `--chaos` expects. */
export const CHAOS_EXAMPLE = "loss=0.2,duplicate=0.1,reorder=0.1,delay=50ms,seed=7";

/** Parses a list such as `loss=0.2,delay=50ms`. */
export function parseChaos(text: string): Result<Chaos> {
  const chaos: Record<keyof Chaos, number> = { ...DEFAULTS };
  const seen = new Set<string>();
  for (const part of text.split(",")) {
    const { name = "", value = "" } = /^\s*(?<name>[a-z]+)=(?<value>.*?)\s*$/.exec(part)?.groups ??
      {};
    if (!isName(name)) {
      return failure(`expected a list such as ${CHAOS_EXAMPLE}, got ${JSON.stringify(part)}`);
    }
    if (seen.has(name)) return failure(`expected ${name} only once`);
    seen.add(name);
    const number = parseValue(name, value);
    if (number === undefined) {
      const expected = EXPECTED[name];
      return failure(`expected ${name} to be ${expected}, got ${JSON.stringify(value)}`);
    }
    chaos[name] = number;
  }
  return success(chaos);
}

function isName(name: string): name is keyof Chaos {
  return Object.hasOwn(DEFAULTS, name);
}

function parseValue(name: keyof Chaos, text: string): number | undefined {
  switch (name) {
    case "loss":
    case "duplicate":
    case "reorder":
      return atMost(1, /^\d*\.?\d+$/.test(text) ? Number(text) : NaN);
    case "delay": {
      const { digits, unit } = /^(?<digits>\d{1,6})(?<unit>ms|s)$/.exec(text)?.groups ?? {};
      return atMost(DELAY_MAX, Number(digits) * (unit === "s" ? 1000 : 1));
    }
    case "seed":
      return atMost(SEED_MAX, /^\d{1,10}$/.test(text) ? Number(text) : NaN);
  }
}

function atMost(max: number, value: number): number | undefined {
  return value <= max ? value : undefined;
}

/** What is done to the line, for its user. */
export function describeChaos({ loss, duplicate, reorder, delay, seed }: Chaos): string {
  const percent = (part: number): string => `${Math.round(part * 1000) / 10} %`;
  const done = [
    loss > 0 ? `${percent(loss)} of the datagrams lost` : "",
    duplicate > 0 ? `${percent(duplicate)} twice` : "",
    reorder > 0 ? `${percent(reorder)} overtaken` : "",
    delay > 0 ? `${delay} ms late` : "",
  ].filter((text) => text !== "");
  const what = done.length === 0 ? "nothing at all" : done.join(", ");
  return `The line is made bad on purpose, each way: ${what} (seed ${seed})`;
}

/** One direction of a bad line: items go in, and come out later, twice, or never. */
export class BadLine<Item> {
  readonly #chaos: Chaos;
  /** What is under way, the next one first. */
  readonly #underWay: { item: Item; at: Instant }[] = [];
  #state: number;

  constructor(chaos: Chaos, direction: keyof typeof DIRECTIONS) {
    this.#chaos = chaos;
    this.#state = (chaos.seed ^ DIRECTIONS[direction]) >>> 0;
  }

  /** Takes what is sent. */
  put(now: Instant, item: Item): void {
    const { loss, duplicate, reorder, delay } = this.#chaos;
    // All are drawn for each item, so that the fate of the next ones depends on nothing else.
    const [isLost, isTwice, isHeldBack] = [loss, duplicate, reorder].map((p) => this.#draw() < p);
    if (isLost) return;
    const at = now + delay + (isHeldBack ? Math.max(delay, HOLD_BACK_MIN) : 0);
    this.#add(item, at);
    if (isTwice) this.#add(item, at);
  }

  /** The next item that has come through. */
  take(now: Instant): Item | undefined {
    const first = this.#underWay[0];
    if (first === undefined || first.at > now) return undefined;
    return this.#underWay.shift()?.item;
  }

  /** When the next item comes through. */
  next(): Instant | undefined {
    return this.#underWay[0]?.at;
  }

  #add(item: Item, at: Instant): void {
    if (this.#underWay.length >= UNDER_WAY_MAX) return;
    const before = this.#underWay.findLastIndex((other) => other.at <= at);
    this.#underWay.splice(before + 1, 0, { item, at });
  }

  /** A number from 0 up to, but not including, 1, by the generator mulberry32. */
  #draw(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }
}
