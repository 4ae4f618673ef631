/**
 * Parameters of the random conversations and of their network.
 *
 * @module
 */
import { DATAGRAM_SIZE_MAX, NARROW_SIZE_MAX } from "../../protocol/wire/frame.ts";
import { PATH_MTU_ETHERNET } from "../../protocol/recovery/path_mtu.ts";
import type { Prng } from "../support/random.ts";
import type { Conditions } from "./network.ts";

/** Parameters of one kind of seeds; times are in milliseconds. */
export interface Profile {
  /** Duration of the faults, while the users act. */
  readonly storm: number;
  /** Time without faults before the users end their connections. */
  readonly grace: number;
  /** Mean time between two actions of a user. */
  readonly pause: number;
  /** Longest times until a user answers a request; one is picked for each. */
  readonly answerTimes: readonly number[];
  /** The probability that an action is a crash, a leave, or a termination. */
  readonly stopping: number;
  readonly leaving: number;
  readonly terminating: number;
  /** The share of texts that are long. */
  readonly longTexts: number;
  /** Most users; there are at least two. */
  readonly usersMax: number;
  /** The share of seeds without losses, though with delays and duplicates. */
  readonly losslessShare: number;
  readonly garbageMax: number;
  readonly replaysMax: number;
  /** Longest partition between two hosts. */
  readonly cutMax: number;
  /** The least share of texts that arrive, over many seeds. */
  readonly deliveredMin: number;
  /** The network at the start. */
  conditions(prng: Prng, isLossless: boolean): Conditions;
  /** How often this user, counted from 1, changes its address. */
  moves(prng: Prng, number: number): number;
  /** When the MTU falls, and to what. */
  mtuDrops(prng: Prng): { at: number; mtu: number }[];
}

/** Long conversations; the faults differ from seed to seed. */
export const MIXED: Profile = {
  storm: 90_000,
  grace: 0,
  pause: 4_000,
  answerTimes: [100, 2_000, 20_000],
  stopping: 0.02,
  leaving: 0.03,
  terminating: 0.15,
  longTexts: 0.03,
  usersMax: 5,
  losslessShare: 0.2,
  garbageMax: 30,
  replaysMax: 60,
  cutMax: 70_000,
  deliveredMin: 0.75,
  conditions: (prng, isLossless) => ({
    loss: isLossless ? 0 : prng.next() * 0.4,
    bursts: 0,
    delay: prng.next() * 100,
    mtu: pickMtu(prng),
    jitter: prng.chance(0.3) ? 0 : prng.next() * 200,
    duplication: prng.chance(0.5) ? 0 : prng.next() * 0.2,
    corruption: isLossless ? 0 : prng.next() * 0.1,
    lateness: prng.next() * 5,
  }),
  moves: (prng) => prng.chance(0.5) ? prng.int(5) : 0,
  mtuDrops: () => [],
};

/** That of Ethernet, the least that most paths carry, or anything below that. */
function pickMtu(prng: Prng): number {
  const share = prng.next();
  if (share < 0.5) return PATH_MTU_ETHERNET;
  if (share < 0.75) return DATAGRAM_SIZE_MAX;
  return NARROW_SIZE_MAX + Math.floor((share - 0.75) * 4 * (DATAGRAM_SIZE_MAX - NARROW_SIZE_MAX));
}

const STORM_TIME = 20_000;

/** Short conversations, with all faults at once. */
export const STORM: Profile = {
  storm: STORM_TIME,
  grace: 25_000,
  pause: 600,
  answerTimes: [100, 1_000],
  stopping: 0.004,
  leaving: 0.006,
  terminating: 0.04,
  longTexts: 0.2,
  usersMax: 3,
  losslessShare: 0,
  garbageMax: 10,
  replaysMax: 20,
  cutMax: 10_000,
  deliveredMin: 0.5,
  conditions: (prng) => ({
    loss: 0.01 + prng.next() * 0.2,
    bursts: 0.01 + prng.next() * 0.1,
    delay: 5 + prng.next() * 95,
    mtu: PATH_MTU_ETHERNET,
    jitter: 5 + prng.next() * 95,
    duplication: 0.01 + prng.next() * 0.15,
    corruption: 0.01 + prng.next() * 0.1,
    lateness: prng.next() * 5,
  }),
  // If both ends of a connection move at once, neither finds the other.
  moves: (prng, number) => (number === 1 ? 1 : 0) + (prng.chance(0.3) ? 1 : 0),
  mtuDrops: (
    prng,
  ) => [{ at: (0.2 + 0.6 * prng.next()) * STORM_TIME, mtu: NARROW_SIZE_MAX + prng.int(753) }],
};
