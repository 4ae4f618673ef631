/**
 * What joins a directory to its store.
 *
 * @module
 */
import type { DatagramMachine, Instant, Transmit } from "../protocol/machine.ts";
import type { Drive } from "../protocol/udp.ts";
import type { Address } from "../protocol/wire/address.ts";
import type { ServerEvent } from "./event.ts";
import { describeOtherSettings } from "./log/entries.ts";
import type { Log } from "./log/log.ts";
import type { Timing } from "./metrics/loop_delay.ts";
import { DELAY_BUCKETS, Histogram } from "./metrics/histogram.ts";
import type { Server } from "./server.ts";
import { type OpenStore, openStore } from "./store/redis_store.ts";
import type { StoreInput, StoreQuestion } from "./store/store.ts";
import type { StoreUrl } from "./store/store_url.ts";
import type { SharedSettings } from "./table/table.ts";

/** Clients that are told together to go to another directory. */
const SENT_AWAY_MAX = 200;
/** Milliseconds after which the next ones are told. */
const SENT_AWAY_PAUSE = 5;

/**
 * A directory, as drive() runs it, with its store: whenever it is drained, its questions are asked.
 */
export class StoreLink implements DatagramMachine<ServerEvent> {
  /** Seconds in which the store answered, once a second. */
  readonly latency = new Histogram(DELAY_BUCKETS);
  readonly #server: Server;
  readonly #log: Log;
  readonly #timing: Timing;
  #store: OpenStore | undefined;
  #inputs: StoreInput[] = [];
  #askedAt: Instant | undefined;
  /** The settings that were compared last. */
  #sharedSettings: SharedSettings | undefined;
  /** What was logged of those that differ. */
  #otherSettings: string | undefined;
  /** Whether it was logged last that the store cannot be used. */
  #isDown = false;

  constructor(server: Server, log: Log, timing: Timing) {
    this.#server = server;
    this.#log = log;
    this.#timing = timing;
  }

  /** Connects to the store; what comes from it goes into the running directory. */
  open(url: StoreUrl, directory: number, running: Drive): void {
    const take = (): void => {
      const inputs = this.#inputs;
      this.#inputs = [];
      running.input((now) => this.#server.handleStore(now, inputs));
      this.#compareSettings();
    };
    this.#store = openStore(url, directory, (input) => {
      this.#note(input);
      // What comes together goes in together.
      if (this.#inputs.push(input) === 1) queueMicrotask(take);
    });
  }

  /** Tells the clients to go to another directory, as this one stops, until it is closed. */
  async sendAway(running: Drive): Promise<void> {
    for (let after: number | undefined = 0; after !== undefined && this.#store !== undefined;) {
      const from: number = after;
      running.input(() => after = this.#server.sendAway(from, SENT_AWAY_MAX));
      await new Promise<void>((resolve) => this.#timing.after(SENT_AWAY_PAUSE, resolve));
    }
  }

  close(): void {
    this.#store?.close();
    this.#store = undefined;
  }

  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.#server.handleDatagram(now, bytes, from);
  }

  handleTimeout(now: Instant): void {
    this.#server.handleTimeout(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#server.nextTimeout();
  }

  pollTransmit(): Transmit | undefined {
    return this.#server.pollTransmit();
  }

  pollEvent(): ServerEvent | undefined {
    const event = this.#server.pollEvent();
    if (event === undefined) this.#ask();
    return event;
  }

  #ask(): void {
    const now = this.#timing.clock();
    const questions: StoreQuestion[] = [];
    for (let next = this.#server.pollQuestion(now); next; next = this.#server.pollQuestion(now)) {
      if (next.kind === "due") this.#askedAt = now;
      questions.push(next);
    }
    if (questions.length > 0) this.#store?.ask(questions);
  }

  /** Logs that the store is used with other settings, once. */
  #compareSettings(): void {
    const { settings, sharedSettings } = this.#server;
    if (sharedSettings === this.#sharedSettings || sharedSettings === undefined) return;
    this.#sharedSettings = sharedSettings;
    const entry = describeOtherSettings(settings, sharedSettings);
    if (entry === undefined || entry.message === this.#otherSettings) return;
    this.#otherSettings = entry.message;
    this.#log.add(entry);
  }

  /** Logs whether it is there, and how long it took to answer. */
  #note(input: StoreInput): void {
    if (input.kind === "up") {
      // Who was told that it is lost is told that it is back.
      const level = this.#isDown ? "warn" : "info";
      this.#isDown = false;
      this.#log.add({ level, event: "storeUp", message: "The store answers" });
    } else if (input.kind === "down") {
      this.#isDown = true;
      this.#log.add({ level: "error", event: "storeDown", message: input.reason });
    } else if (input.kind === "due" && this.#askedAt !== undefined) {
      this.latency.observe((this.#timing.clock() - this.#askedAt) / 1000);
      this.#askedAt = undefined;
    }
  }
}
