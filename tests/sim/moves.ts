/**
 * Two clients in a conversation whose addresses change: at random instants, to new addresses and back,
 * while they talk and while they are silent.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { Totals } from "./delivery_checker.ts";
import { PairRun, type PairUser } from "./pair.ts";
import { runSeeds, type Sums } from "./seeds.ts";

const LOSS_MAX = 0.2;
/**
 * Milliseconds between moves of different ends: if both move at once, neither can find the other. A
 * silent client tells where it is 10 s later, and may have to say so several times.
 */
const APART = 30_000;
const MOVES_MAX = 4;
/** Mean milliseconds between two texts: the last are those of users who listen. */
const PAUSES = [2_000, 10_000, 30_000, Infinity];

/** The counts of one simulation. */
export interface MovesOutcome extends Totals {
  moves: number;
  /** Moves back to the address before. */
  back: number;
}

/** Simulates `count` seeds: no connection may end because of a move. */
export function simulateMoves(count: number, modes: readonly TimerMode[]): Sums<MovesOutcome> {
  return runSeeds(count, (seed) => new Moves(seed, modes));
}

class Moves extends PairRun {
  #back = 0;
  #isOver = false;
  /** Where the users were before. */
  readonly #before = new Map<PairUser, Address>();

  run(): MovesOutcome {
    const pair = this.pair;
    const { prng, world: { network, users } } = pair;
    pair.register();
    pair.connect();
    for (const user of users) {
      user.onEvent = ({ kind }) => assert(kind !== "terminated" || this.#isOver, "terminated");
    }
    pair.set({
      loss: prng.next() * LOSS_MAX,
      jitter: prng.chance(0.3) ? 0 : prng.next() * 100,
      duplication: prng.chance(0.5) ? 0 : prng.next() * 0.1,
      lateness: prng.next() * 5,
    });
    const end = network.now + this.#scheduleMoves();
    for (const user of users) pair.talkUntil(user, end, prng.pick(PAUSES), 0);
    network.run(end - network.now + 1);
    this.#isOver = true;
    const totals = pair.finish();
    assertEquals(totals.connections, 2);
    return { ...totals, moves: pair.first.moves + pair.second.moves, back: this.#back };
  }

  /** Schedules the moves; returns how long they and what follows take. */
  #scheduleMoves(): number {
    const { prng, world: { network, users } } = this.pair;
    let time = prng.next() * 15_000;
    let mover = prng.pick(users);
    for (let moves = 1 + prng.int(MOVES_MAX); moves > 0; moves--) {
      const user = mover;
      network.at(network.now + time, () => this.#move(user));
      mover = prng.pick(users);
      const gap = prng.chance(0.5) ? prng.next() * 2_000 : prng.next() * 40_000;
      time += mover === user ? gap : APART + gap;
    }
    return time + APART;
  }

  #move(user: PairUser): void {
    const { prng } = this.pair;
    const before = this.#before.get(user);
    this.#before.set(user, user.address);
    if (before === undefined || prng.chance(0.6)) return user.move(user.newAddress());
    this.#back++;
    user.move(before);
  }
}
