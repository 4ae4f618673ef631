/**
 * A store on the simulated network, and the connections of directories to it, which are slow and fail.
 *
 * @module
 */
import type { ServerEvent } from "../../server/event.ts";
import { Server } from "../../server/server.ts";
import type { StoreInput, StoreQuestion } from "../../server/store/store.ts";
import { SimulatedStore } from "../support/simulated_store.ts";
import type { Host, SimNetwork } from "./network.ts";

/** Records in a page: few, so that loading takes several. */
const PAGE_LENGTH = 3;

/** A directory that asks its questions whenever it is drained. */
export class LinkedServer extends Server {
  link: StoreLink | undefined;

  override pollEvent(): ServerEvent | undefined {
    const event = super.pollEvent();
    if (event === undefined) this.link?.pump();
    return event;
  }
}

/** A store, and those that are connected to it. */
export class LinkedStore {
  /** Milliseconds that anything takes at most, each way. */
  delayMax = 5;
  readonly network: SimNetwork;
  readonly #store = new SimulatedStore(PAGE_LENGTH);
  readonly #links = new Set<StoreLink>();

  constructor(network: SimNetwork) {
    this.network = network;
  }

  /** Loses everything. */
  forget(): void {
    this.#store.forget();
  }

  attach(link: StoreLink): void {
    this.#links.add(link);
    this.#store.attach(link.number);
    this.#deliver();
  }

  detach(link: StoreLink): void {
    this.#links.delete(link);
    this.#store.detach(link.number);
  }

  ask(link: StoreLink, question: StoreQuestion): void {
    this.#store.ask(this.network.instant(), link.number, question);
    this.#deliver();
  }

  #deliver(): void {
    for (const link of this.#links) {
      for (let input = this.#store.poll(link.number); input;) {
        link.take(input);
        input = this.#store.poll(link.number);
      }
    }
  }
}

/** One directory's connection to the store. */
export class StoreLink {
  /** The directory's number. */
  readonly number: number;
  readonly #store: LinkedStore;
  readonly #host: Host<ServerEvent>;
  readonly #server: LinkedServer;
  #isUp = false;
  /** Counts the connections: what was under way on one that was lost is lost, too. */
  #epoch = 0;
  /** When the last one of what is under way in order arrives. */
  readonly #lastAt = { question: 0, answer: 0, change: 0 };

  constructor(store: LinkedStore, number: number, host: Host<ServerEvent>, server: LinkedServer) {
    this.number = number;
    this.#store = store;
    this.#host = host;
    this.#server = server;
    server.link = this;
  }

  /** Whether it is connected. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Milliseconds until all that is under way has arrived, also what was sent while the store was slow. */
  get lag(): number {
    const { question, answer, change } = this.#lastAt;
    return Math.max(question, answer, change) - this.#store.network.now;
  }

  connect(): void {
    if (this.#isUp) return;
    this.#isUp = true;
    this.#store.attach(this);
  }

  /** Ends the connection; `isNoticed` is not when it only falls silent. */
  cut(isNoticed: boolean): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#epoch++;
    this.#store.detach(this);
    if (isNoticed) this.#hand({ kind: "down", reason: "cut" });
  }

  /** Hands over what the directory asks. */
  pump(): void {
    const { network } = this.#store;
    const now = network.instant();
    for (let next = this.#server.pollQuestion(now); next; next = this.#server.pollQuestion(now)) {
      const question = next;
      if (this.#isUp) this.#later("question", () => this.#store.ask(this, question));
    }
  }

  /** Takes what the store has for the directory. */
  take(input: StoreInput): void {
    const isChange = ["up", "change", "message"].includes(input.kind);
    this.#later(isChange ? "change" : "answer", () => this.#hand(input));
  }

  #hand(input: StoreInput): void {
    this.#host.input((now) => this.#server.handleStore(now, [input]));
  }

  #later(line: "question" | "answer" | "change", action: () => void): void {
    const { network, delayMax } = this.#store;
    const epoch = this.#epoch;
    const at = Math.max(network.now + network.prng.next() * delayMax, this.#lastAt[line]);
    this.#lastAt[line] = at;
    network.at(at, () => {
      if (epoch === this.#epoch) action();
    });
  }
}
