/**
 * The file of limits: one a line, as in `calls-per-source 2 20`.
 *
 * It is a file and not a set of options, so that it can be read again while the directory runs.
 *
 * @module
 */
import { fileProblem, readFile } from "../cli/files.ts";
import { type Option, unexpected } from "../cli/options.ts";
import { parseSettings, type SettingTable } from "../cli/settings.ts";
import { failure, type Result, success } from "../protocol/result.ts";
import { RATES, type Rates } from "./limits.ts";
import type { Rate } from "./rate_limit.ts";

/** Bytes in the largest file. */
const LIMITS_SIZE_MAX = 65_536;
/** The most that is taken for a rate, a second and at once. */
const NUMBER_MAX = 1_000_000_000;
/** The least rate, a second. */
const PER_SECOND_MIN = 0.001;
const EXPECTED = `a rate a second, of ${PER_SECOND_MIN} to ${NUMBER_MAX}, and how many at once`;

/** The lines that a file may have. */
export const LIMITS = {
  registrationsPerSource: rate(
    "registrations-per-source",
    RATES.registrationsPerSource,
    "registrations of one address",
  ),
  questionsPerSource: rate(
    "questions-per-source",
    RATES.questionsPerSource,
    "look-ups and lists of one address",
  ),
  questionsInTotal: rate(
    "questions-in-total",
    RATES.questionsInTotal,
    "the same of all together",
  ),
  strangersPerSource: rate(
    "strangers-per-source",
    RATES.strangersPerSource,
    "answers to strangers at one address",
  ),
  strangersInTotal: rate(
    "strangers-in-total",
    RATES.strangersInTotal,
    "the same to all together",
  ),
  strangersExcess: rate(
    "strangers-excess",
    RATES.strangersExcess,
    "those of them to addresses beyond their own limit",
  ),
  callsPerSource: rate("calls-per-source", RATES.callsPerSource, "calls of one address"),
  callsInTotal: rate(
    "calls-in-total",
    RATES.callsInTotal,
    "calls of all together, and the meetings that they lead to",
  ),
  meetingsPerClient: rate(
    "meetings-per-client",
    RATES.meetingsPerClient,
    "callers that are introduced to one client",
  ),
  carriedPerClient: rate(
    "carried-per-client",
    RATES.carriedPerClient,
    "bytes carried for one client",
  ),
  carriedPerSource: rate(
    "carried-per-source",
    RATES.carriedPerSource,
    "bytes carried for all clients of one address",
  ),
  carriedInTotal: rate(
    "carried-in-total",
    RATES.carriedInTotal,
    "bytes carried for all together, in place of --relay-limit",
  ),
} satisfies Readonly<Record<keyof Rates, Option<Rate>>>;

const SETTINGS: SettingTable<typeof LIMITS> = Object.fromEntries(
  Object.entries(LIMITS).map(([option, { name }]) => [name, { option: option as keyof Rates }]),
);

/** The limits that a file sets, and the usual ones for the others; only these without a file. */
export function readLimits(file: string | undefined, usual: Rates): Result<Rates> {
  if (file === undefined) return success(usual);
  try {
    const parsed = parseLimits(readFile(file, LIMITS_SIZE_MAX).text, usual);
    return parsed.ok ? parsed : failure(`Cannot use the limits in "${file}": ${parsed.error}`);
  } catch (error) {
    return failure(`Cannot read the limits in "${file}": ${fileProblem(error)}`);
  }
}

/** The limits in the text of a file. */
export function parseLimits(text: string, usual: Rates): Result<Rates> {
  const parsed = parseSettings(LIMITS, SETTINGS, text, () => false);
  return parsed.ok ? success({ ...usual, ...parsed.value }) : parsed;
}

/** A rate as the file has it. */
export function formatRate({ perSecond, burst }: Rate): string {
  return `${perSecond} ${burst}`;
}

function rate(name: string, usual: Rate, help: string): Option<Rate> {
  return { name, value: "RATE BURST", expected: EXPECTED, default: usual, help, parse: parseRate };
}

function parseRate(text: string): Result<Rate> {
  const [, perSecond, burst] = /^(\d+(?:\.\d+)?)\s+(\d+)$/.exec(text)?.map(Number) ?? [];
  if (perSecond === undefined || burst === undefined) return unexpected(EXPECTED, text);
  const isRate = perSecond >= PER_SECOND_MIN && perSecond <= NUMBER_MAX;
  const isBurst = burst >= 1 && burst <= NUMBER_MAX;
  return isRate && isBurst ? success({ perSecond, burst }) : unexpected(EXPECTED, text);
}
