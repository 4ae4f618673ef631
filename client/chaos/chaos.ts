/**
 * `--chaos`: an impaired link that loses, duplicates, reorders and delays datagrams, from one seed.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { failure, type Result, success } from "../../protocol/result.ts";

/** Datagrams in transit in one direction; further ones are lost. */
export const IN_TRANSIT_MAX = 10_000;
/** Milliseconds of the longest delay. */
export const DELAY_MAX = 60_000;
/** The largest seed. */
const SEED_MAX = 2 ** 32 - 1;
/** The least milliseconds by which a reordered datagram is delayed more than others. */
export const REORDER_DELAY_MIN = 20;
/** Makes the random numbers of the two directions differ. */
const DIRECTIONS = { out: 0, in: 0x5bd1e995 } as const;

/** The impairment in each direction; probabilities are from 0 to 1. */
export interface Chaos {
  readonly loss: number;
  readonly duplicate: number;
  readonly reorder: number;
  /** Milliseconds. */
  readonly delay: number;
  /** With the same seed, the n-th datagram of a direction is treated the same in each run. */
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

/** An example of a list, for messages. */
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

/** Describes the impairment for the user. */
export function describeChaos({ loss, duplicate, reorder, delay, seed }: Chaos): string {
  const percent = (part: number): string => `${Math.round(part * 1000) / 10} %`;
  const parts = [
    loss > 0 ? `${percent(loss)} of the datagrams lost` : "",
    duplicate > 0 ? `${percent(duplicate)} twice` : "",
    reorder > 0 ? `${percent(reorder)} overtaken` : "",
    delay > 0 ? `${delay} ms late` : "",
  ].filter((text) => text !== "");
  const what = parts.length === 0 ? "nothing at all" : parts.join(", ");
  return `The line is made bad on purpose, each way: ${what} (seed ${seed})`;
}

/** One direction of an impaired link: items go in, and come out later, twice, or never. */
export class ImpairedLink<Item> {
  readonly #chaos: Chaos;
  /** The items in transit, the next one first. */
  readonly #inTransit: { item: Item; at: Instant }[] = [];
  #state: number;

  constructor(chaos: Chaos, direction: keyof typeof DIRECTIONS) {
    this.#chaos = chaos;
    this.#state = (chaos.seed ^ DIRECTIONS[direction]) >>> 0;
  }

  /** Takes an item that is sent. */
  put(now: Instant, item: Item): void {
    const { loss, duplicate, reorder, delay } = this.#chaos;
    // Three numbers for each item, so that none depends on the other settings.
    const [isLost, isDuplicated, isReordered] = [loss, duplicate, reorder].map((p) =>
      this.#draw() < p
    );
    if (isLost) return;
    const at = now + delay + (isReordered ? Math.max(delay, REORDER_DELAY_MIN) : 0);
    this.#add(item, at);
    if (isDuplicated) this.#add(item, at);
  }

  /** Returns the next item that has arrived. */
  take(now: Instant): Item | undefined {
    const first = this.#inTransit[0];
    if (first === undefined || first.at > now) return undefined;
    return this.#inTransit.shift()?.item;
  }

  /** When the next item arrives. */
  next(): Instant | undefined {
    return this.#inTransit[0]?.at;
  }

  #add(item: Item, at: Instant): void {
    if (this.#inTransit.length >= IN_TRANSIT_MAX) return;
    const before = this.#inTransit.findLastIndex((other) => other.at <= at);
    this.#inTransit.splice(before + 1, 0, { item, at });
  }

  /** A random number from 0 to below 1, by the generator mulberry32. */
  #draw(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let bits = this.#state;
    bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  }
}
