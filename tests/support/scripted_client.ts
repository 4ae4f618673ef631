/**
 * An honest client, as a machine that a test drives: a whole client whose user calls another one and
 * is called back, chats each time, and leaves.
 *
 * @module
 */
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { DatagramMachine, Instant, Random, Transmit } from "../../protocol/machine.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { toHex } from "./hex.ts";

/** Texts that each of the two says in a conversation. */
const TEXTS = 3;

/** One conversation, as one of the two has it. */
interface Call {
  /** The other's key. */
  readonly key: Uint8Array;
  said: number;
  delivered: number;
  readonly heard: string[];
}

/** A client whose number decides whom it talks with: 0 with 1, 2 with 3, and so on. */
export class ScriptedClient implements DatagramMachine<ClientEvent> {
  readonly number: number;
  readonly publicKey: Uint8Array;
  readonly #other: number;
  readonly #client: Client;
  #call: Call | undefined;
  #hasAsked = false;
  #isAsked = false;
  /** What came of its conversations. */
  readonly #past: string[] = [];
  #isRegistered = false;
  #hasLeft: boolean | undefined;

  /** Starts registering as `honest…`. */
  constructor(now: Instant, number: number, server: Address, port: number, random: Random) {
    this.number = number;
    this.#other = number ^ 1;
    const identity = makeKeyPair(random);
    this.publicKey = identity.publicKey;
    this.#client = new Client(now, {
      server,
      serverName: "directory",
      id: 0,
      name: `honest${number}`,
      port,
      timers: "adaptive",
      acceptAll: false,
      identity,
      isBlocked: () => false,
      epoch: 0,
      random,
    });
  }

  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** Whether its leave was acknowledged; undefined before that. */
  get hasLeft(): boolean | undefined {
    return this.#hasLeft;
  }

  /** What came of it, in a line for each conversation, and one for each error. */
  get past(): readonly string[] {
    return this.#past;
  }

  /** What must come of it where the other one has this key. */
  static past(number: number, otherKey: Uint8Array): string[] {
    const texts = Array.from({ length: TEXTS }, (_, n) => textOf(number ^ 1, n)).join();
    const story = `${toHex(otherKey)} heard ${texts}, ${TEXTS} delivered, 0 undelivered`;
    return ["local", "peer"].map((_, call) =>
      `${story}, by ${call === number % 2 ? "local" : "peer"}`
    );
  }

  /** Does what comes next, if it is its turn. The even numbers call first. */
  act(now: Instant): void {
    const client = this.#client;
    const isCaller = this.#past.length === this.number % 2;
    const call = this.#call;
    if (this.#past.length === 2) return client.leave(now);
    if (call === undefined) {
      if (isCaller && !this.#hasAsked) client.connect(now, `honest${this.#other}`);
      if (!isCaller && this.#isAsked) client.accept(now);
      this.#hasAsked ||= isCaller;
      this.#isAsked &&= isCaller;
      return;
    }
    const isOwnTurn = isCaller ? call.heard.length === call.said : call.heard.length > call.said;
    if (isOwnTurn && call.said < TEXTS) client.send(now, textOf(this.number, call.said++));
    const isOver = call.heard.length === TEXTS && call.delivered === TEXTS;
    const isConnected = client.view().state === "connected";
    if (isCaller && isOver && isConnected) client.terminate(now);
  }

  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.#client.handleDatagram(now, bytes, from);
  }

  handleTimeout(now: Instant): void {
    this.#client.handleTimeout(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#client.nextTimeout();
  }

  pollTransmit(now: Instant): Transmit | undefined {
    return this.#client.pollTransmit(now);
  }

  pollEvent(): ClientEvent | undefined {
    const event = this.#client.pollEvent();
    const call = this.#call;
    if (event?.kind === "registered") this.#isRegistered = true;
    if (event?.kind === "request") this.#isAsked = true;
    if (event?.kind === "connected") {
      this.#call = { key: event.key.slice(), said: 0, delivered: 0, heard: [] };
    }
    if (event?.kind === "message") call?.heard.push(event.text);
    if (event?.kind === "delivered" && call !== undefined) call.delivered++;
    if (event?.kind === "terminated" && call !== undefined) {
      const { key, heard, delivered } = call;
      const end = `${delivered} delivered, ${event.undelivered} undelivered, by ${event.by}`;
      this.#past.push(`${toHex(key)} heard ${heard}, ${end}`);
      this.#call = undefined;
    }
    if (event?.kind === "error") this.#past.push(event.message);
    if (event?.kind === "left") this.#hasLeft = event.acknowledged;
    return event;
  }
}

function textOf(number: number, n: number): string {
  return `text ${n} of honest${number}`;
}
