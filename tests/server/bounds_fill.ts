/**
 * Fills what a directory holds beside its table up to the bounds, in a process of its own, for
 * bounds_test.ts, and prints the bytes.
 *
 * @module
 */
import { ENDPOINT_SIZE, writeEndpoint } from "../../protocol/wire/endpoint_bytes.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { DEPARTED_MAX, DepartedClients } from "../../server/departed.ts";
import {
  CALLS_PER_SOURCE,
  CARRIED_PER_CLIENT,
  CARRIED_PER_SOURCE,
  MEETINGS_PER_CLIENT,
  NAME_HOLD,
  QUESTIONS_PER_SOURCE,
  REGISTRATIONS_PER_SOURCE,
  STRANGERS_PER_SOURCE,
} from "../../server/limits.ts";
import { RateLimit, SOURCES_MAX } from "../../server/rate_limit.ts";
import { Entries } from "../../server/table/entries.ts";
import { HELD_NAMES_MAX, HELD_NAMES_PER_SOURCE, HeldNames } from "../../server/table/held_names.ts";
import { Prng } from "../support/random.ts";
import { residentBytes } from "../support/resident_bytes.ts";

const NO_LIMIT = { perSecond: 1e9, burst: 1e9 };
const { bytes: random } = new Prng(1);

/** The `n`th of many networks whose names are long. */
function source(n: number): Address {
  return { hostname: `2001:db8:${(n >> 12) + 0x1000}:${(n & 4095) + 0x1000}::1`, port: 7 };
}

function fillLimits(): readonly RateLimit[] {
  const rates = [
    REGISTRATIONS_PER_SOURCE,
    QUESTIONS_PER_SOURCE,
    STRANGERS_PER_SOURCE,
    CALLS_PER_SOURCE,
    MEETINGS_PER_CLIENT,
    CARRIED_PER_CLIENT,
    CARRIED_PER_SOURCE,
  ];
  return rates.map((rate) => {
    const limit = new RateLimit(rate, NO_LIMIT);
    for (let n = 0; n < SOURCES_MAX; n++) limit.take(0, source(n));
    return limit;
  });
}

function fillNames(): HeldNames {
  const names = new HeldNames(NAME_HOLD);
  for (let n = 0; n < HELD_NAMES_MAX; n++) {
    const name = `${"ж".repeat(20)}${n}`;
    names.add(0, name, random(32), source(Math.floor(n / HELD_NAMES_PER_SOURCE)).hostname);
  }
  return names;
}

function fillDeparted(entries: Entries): DepartedClients {
  const departed = new DepartedClients();
  for (let slot = 0; slot < DEPARTED_MAX; slot++) departed.add(entries, slot);
  return departed;
}

function departing(): Entries {
  const entries = new Entries(DEPARTED_MAX);
  const endpoint = new Uint8Array(ENDPOINT_SIZE);
  for (let n = 0; n < DEPARTED_MAX; n++) {
    const slot = entries.add(n + 1, random(12), random(32), 0, 1);
    writeEndpoint(endpoint, source(n));
    entries.setSession(slot, endpoint, random(32), n);
  }
  return entries;
}

const entries = departing();
const before = residentBytes();
const held = [fillLimits(), fillNames(), fillDeparted(entries)] as const;
const bytes = residentBytes() - before;
// Used once more, so that it is not garbage before.
console.log(bytes, held[0].reduce((sum, { size }) => sum + size, 0), held[1].size);
