/**
 * What random conversations are like, and the network that they go over.
 *
 * @module
 */
import { DATAGRAM_SIZE_MAX } from "../../protocol/wire/frame.ts";
import { PATH_MTU_ETHERNET } from "../../protocol/session/path_mtu.ts";
import type { Prng } from "../support/random.ts";
import type { Conditions } from "./network.ts";

/** What the seeds of one kind have in common; times are milliseconds. */
export interface Profile {
  /** How long the network is bad and the users are busy. */
  readonly storm: number;
  /** How long the network is good again before the users end what they began. */
  readonly grace: number;
  /** Between two things that a user does, on average. */
  readonly pause: number;
  /** How long a user thinks at most before answering a request: one of these. */
  readonly answerTimes: readonly number[];
  /** The chance that a user stops without a word instead, that one leaves, and that one ends a talk. */
  readonly stopping: number;
  readonly leaving: number;
  readonly terminating: number;
  /** The share of texts that are long. */
  readonly longTexts: number;
  /** Users, at most; at least there are two. */
  readonly playersMax: number;
  /** The share of seeds in which nothing is lost, though it may be late, or come twice. */
  readonly fairSeeds: number;
  readonly garbageMax: number;
  readonly replaysMax: number;
  /** How long two hosts are cut off from each other at most. */
  readonly cutMax: number;
  /** The share of texts that arrive, at least, over many seeds. */
  readonly deliveredMin: number;
  /** What the network is like at the start. */
  conditions(prng: Prng, isFair: boolean): Conditions;
  /** How often the user of this number, from 1, moves. */
  moves(prng: Prng, number: number): number;
  /** When the MTU falls, and to what. */
  mtuDrops(prng: Prng): { at: number; mtu: number }[];
}

/** Long talks; what goes wrong differs from seed to seed. */
export const MIXED: Profile = {
  storm: 90_000,
  grace: 0,
  pause: 4_000,
  answerTimes: [100, 2_000, 20_000],
  stopping: 0.02,
  leaving: 0.03,
  terminating: 0.15,
  longTexts: 0.03,
  playersMax: 5,
  fairSeeds: 0.2,
  garbageMax: 30,
  replaysMax: 60,
  cutMax: 70_000,
  deliveredMin: 0.75,
  conditions: (prng, isFair) => ({
    loss: isFair ? 0 : prng.next() * 0.4,
    bursts: 0,
    delay: prng.next() * 100,
    mtu: prng.chance(0.5) ? DATAGRAM_SIZE_MAX : PATH_MTU_ETHERNET,
    jitter: prng.chance(0.3) ? 0 : prng.next() * 200,
    duplication: prng.chance(0.5) ? 0 : prng.next() * 0.2,
    corruption: isFair ? 0 : prng.next() * 0.1,
    lateness: prng.next() * 5,
  }),
  moves: (prng) => prng.chance(0.5) ? prng.int(5) : 0,
  mtuDrops: () => [],
};

const STORM_TIME = 20_000;

/** Short talks; everything goes wrong at once. */
export const STORM: Profile = {
  storm: STORM_TIME,
  grace: 25_000,
  pause: 600,
  answerTimes: [100, 1_000],
  stopping: 0.004,
  leaving: 0.006,
  terminating: 0.04,
  longTexts: 0.2,
  playersMax: 3,
  fairSeeds: 0,
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
  // Where both ends of a connection move at once, neither finds the other.
  moves: (prng, number) => (number === 1 ? 1 : 0) + (prng.chance(0.3) ? 1 : 0),
  mtuDrops: (prng) => [{ at: (0.2 + 0.6 * prng.next()) * STORM_TIME, mtu: 1200 + prng.int(81) }],
};
