/**
 * A client on the simulated network whose user acts at random.
 *
 * @module
 */
import type { ClientEvent } from "../../client/event.ts";
import type { ClientOptions } from "../../client/view.ts";
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Prng } from "../support/random.ts";
import type { Profile } from "./profile.ts";
import { SimUser } from "./sim_user.ts";
import type { World } from "./world.ts";

const FILLINGS = ["x", "héllo ", "€", "👋🏽", "line\n"];

/** What some texts are filled with, a share of them long. */
export function randomFillings(prng: Prng, countMax: number, longTexts: number): string[] {
  const count = prng.chance(0.2) ? prng.int(countMax) : 1;
  return Array.from({ length: count }, () => {
    const size = prng.chance(longTexts) ? prng.int(TEXT_SIZE_MAX / 12) : prng.int(40);
    return prng.pick(FILLINGS).repeat(size);
  });
}

/** A client and its user, who may do anything at any time. */
export class RandomUser extends SimUser {
  readonly #users: readonly RandomUser[];
  readonly #profile: Profile;
  #isSettling = false;

  constructor(world: World<RandomUser>, number: number, mode: TimerMode, profile: Profile) {
    super(world, number, mode);
    this.#users = world.users;
    this.#profile = profile;
  }

  override start(options: Partial<ClientOptions> = {}): void {
    super.start({ acceptAll: this.prng.chance(0.3), ...options });
  }

  /** Acts once, at random. */
  act(): void {
    this.check();
    const { prng, view, open } = this;
    if (view === undefined) return this.start();
    const { state, outgoing, requests } = view;
    const roll = prng.next();
    if (state === "left") return this.stop();
    const { stopping, leaving } = this.#profile;
    if (roll < stopping) return this.stop();
    if (roll < stopping + leaving) {
      this.run.isOver = true;
      const isGentle = roll < stopping + leaving / 1.5;
      return this.do((client, now) => isGentle ? client.leave(now) : client.abandon(now));
    }
    if (roll < 0.1) return this.do((client, now) => client.list(now));
    if (open.length > 0 && prng.chance(0.6)) return this.#converse(prng.pick(open).id);
    // At times it calls another client, too.
    if (outgoing !== undefined && !prng.chance(0.1)) {
      if (prng.chance(0.1)) this.do((client, now) => client.cancel(now));
      return;
    }
    if (requests.length > 0) return;
    this.#connect();
  }

  /** Ends all connections and requests, but stays registered. */
  settle(): void {
    this.#isSettling = true;
    const { view } = this;
    if (view === undefined || view.state === "left") return this.start();
    for (const { id } of view.requests) this.answer(id, false);
    const { peer, others, calls } = this.view!;
    this.do((client, now) => {
      for (const _ of calls) client.cancel(now);
      for (const each of [peer, ...others]) if (each !== undefined) client.terminate(now, each.id);
    });
  }

  /** Starts a new run if this one has left. */
  returnIfLeft(): void {
    if (this.view?.state === "left") this.start();
  }

  protected override handleEvent(event: ClientEvent): void {
    super.handleEvent(event);
    if (event.kind === "request") this.#answerLater(event.peer);
  }

  #answerLater(peer: number): void {
    const { prng, run, world: { network } } = this;
    const roll = prng.next();
    if (roll < 0.1 && !this.#isSettling) return;
    const isAccepted = roll < 0.8 && !this.#isSettling;
    network.at(network.now + prng.next() * prng.pick(this.#profile.answerTimes), () => {
      if (this.run !== run || (isAccepted && this.#isSettling)) return;
      this.answer(peer, isAccepted);
    });
  }

  #connect(): void {
    const { prng, world: { network } } = this;
    const other = 1 + prng.int(this.#users.length);
    this.connect(prng.chance(0.5) ? other : `c${other}`);
    // At times both connect at once.
    const crossing = this.#users[other - 1]!;
    if (crossing === this || prng.chance(0.7)) return;
    network.at(network.now + prng.next() * 300, () => {
      if (!this.#isSettling) crossing.connect(this.name);
    });
  }

  /** Sends to a connected peer, or terminates. */
  #converse(peer: number): void {
    const { prng } = this;
    const { terminating, longTexts } = this.#profile;
    if (prng.chance(0.3)) this.do((client, now) => client.switchTo(now, peer));
    const isCurrent = this.view?.peer?.id === peer;
    const name = isCurrent && prng.chance(0.5) ? undefined : peer;
    if (!prng.chance(terminating)) {
      this.send(peer, randomFillings(prng, 40, longTexts), name);
      if (!prng.chance(terminating / 3)) return;
    }
    this.do((client, now) => client.terminate(now, name));
  }
}
