/**
 * A client with a scripted user, as a machine that a test drives: one user of each pair connects to
 * the other, they chat, the other connects back, they chat again, and both leave.
 *
 * @module
 */
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { DatagramMachine, Instant, Random, Transmit } from "../../protocol/machine.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { toHex } from "./hex.ts";
import { clientOptions } from "./client_options.ts";

/** Texts that each user sends in a conversation. */
const TEXTS = 3;

/** One conversation, as one of both users sees it. */
interface Conversation {
  /** The peer's key. */
  readonly key: Uint8Array;
  sent: number;
  delivered: number;
  readonly received: string[];
}

/** A client whose number gives its peer's: 0 chats with 1, 2 with 3, and so on. */
export class ScriptedClient implements DatagramMachine<ClientEvent> {
  readonly number: number;
  readonly publicKey: Uint8Array;
  readonly #peer: number;
  readonly #client: Client;
  #conversation: Conversation | undefined;
  #hasConnected = false;
  #isRequested = false;
  /** The results of its conversations. */
  readonly #results: string[] = [];
  #isRegistered = false;
  #hasLeft: boolean | undefined;

  /** Starts registering as `honest…`. */
  constructor(now: Instant, number: number, server: Address, port: number, random: Random) {
    this.number = number;
    this.#peer = number ^ 1;
    const identity = makeKeyPair(random);
    this.publicKey = identity.publicKey;
    this.#client = new Client(
      now,
      clientOptions({
        directoryAddresses: [server],
        name: `honest${number}`,
        port,
        identity,
        random,
      }),
    );
  }

  get isRegistered(): boolean {
    return this.#isRegistered;
  }

  /** Whether its leave was acknowledged; undefined before that. */
  get hasLeft(): boolean | undefined {
    return this.#hasLeft;
  }

  /** The results: a line for each conversation and for each error. */
  get results(): readonly string[] {
    return this.#results;
  }

  /** The results that are expected with a peer with this key. */
  static expectedResults(number: number, peerKey: Uint8Array): string[] {
    const texts = Array.from({ length: TEXTS }, (_, n) => textOf(number ^ 1, n)).join();
    const all = `${toHex(peerKey)} received ${texts}, ${TEXTS} delivered, 0 undelivered`;
    return ["local", "peer"].map((_, conversation) =>
      `${all}, by ${conversation === number % 2 ? "local" : "peer"}`
    );
  }

  /** Acts if it is the user's turn. The even numbers connect first. */
  act(now: Instant): void {
    const client = this.#client;
    const isRequester = this.#results.length === this.number % 2;
    const conversation = this.#conversation;
    if (this.#results.length === 2) return client.leave(now);
    if (conversation === undefined) {
      if (isRequester && !this.#hasConnected) client.connect(now, `honest${this.#peer}`);
      if (!isRequester && this.#isRequested) client.accept(now);
      this.#hasConnected ||= isRequester;
      this.#isRequested &&= isRequester;
      return;
    }
    const isOwnTurn = isRequester
      ? conversation.received.length === conversation.sent
      : conversation.received.length > conversation.sent;
    if (isOwnTurn && conversation.sent < TEXTS) {
      client.send(now, textOf(this.number, conversation.sent++));
    }
    const isOver = conversation.received.length === TEXTS && conversation.delivered === TEXTS;
    const isConnected = client.view().state === "connected";
    if (isRequester && isOver && isConnected) client.terminate(now);
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
    const conversation = this.#conversation;
    if (event?.kind === "registered") this.#isRegistered = true;
    if (event?.kind === "request") this.#isRequested = true;
    if (event?.kind === "connected") {
      this.#conversation = { key: event.key.slice(), sent: 0, delivered: 0, received: [] };
    }
    if (event?.kind === "message") conversation?.received.push(event.text);
    if (event?.kind === "delivered" && conversation !== undefined) conversation.delivered++;
    if (event?.kind === "terminated" && conversation !== undefined) {
      const { key, received, delivered } = conversation;
      const end = `${delivered} delivered, ${event.undelivered} undelivered, by ${event.by}`;
      this.#results.push(`${toHex(key)} received ${received}, ${end}`);
      this.#conversation = undefined;
    }
    if (event?.kind === "error") this.#results.push(event.message);
    if (event?.kind === "left") this.#hasLeft = event.acknowledged;
    return event;
  }
}

function textOf(number: number, n: number): string {
  return `text ${n} of honest${number}`;
}
