/**
 * A client under fuzz tests, with its directory and its user.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { ClientOptions } from "../../client/view.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { PENDING_REQUESTS_MAX } from "../../protocol/connection/incoming_requests.ts";
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import { isSameKey, KeyPair } from "../../protocol/crypto/x25519.ts";
import type { Instant } from "../../protocol/machine.ts";
import { isCarried } from "../../protocol/wire/remote.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";
import { drain, ResourceMonitor, runTimeouts } from "./bounds.ts";
import { DIRECTORY_KEY, PlayedDirectory } from "./played_directory.ts";
import { Tally } from "./runner.ts";

/** The directory of the client under test. */
export const SERVER: Address = { hostname: "192.0.2.1", port: 7070 };
/** Where the client itself is. */
export const CLIENT: Address = { hostname: "192.0.2.3", port: 40_001 };
/** Its static key pair. */
export const CLIENT_KEY = new KeyPair(new Uint8Array(32).fill(1));

/** The options of a client under test. */
function clientOptions(prng: Prng): ClientOptions {
  return {
    directoryAddresses: [SERVER],
    serverName: "server",
    id: 0,
    name: "zoë",
    port: CLIENT.port,
    timers: prng.pick(["adaptive", "fixed"]),
    acceptAll: false,
    identity: CLIENT_KEY,
    isBlocked: (key) => key[0] === 0,
    isKnown: (key) => key[0]! % 2 === 1,
    isTrustedPeer: (key) => key[0] !== 1,
    trust: {
      isTrusted: (key) => isSameKey(key, DIRECTORY_KEY.publicKey),
      refusal: () => "has another key",
    },
    random: prng.bytes,
  };
}

/** Checks that the events of a client are consistent. */
class EventChecker {
  readonly tally = new Tally();
  /** The connected peers by client id. */
  readonly #connected = new Map<number, { messages: number; sent: number; delivered: number }>();

  onEvent(event: ClientEvent): void {
    this.tally.add(event.kind === "error" ? event.code : event.kind);
    if (event.kind === "connected") {
      assert(!this.#connected.has(event.peer), "connected twice");
      this.#connected.set(event.peer, { messages: 0, sent: 0, delivered: 0 });
      return assert(this.#connected.size <= CONNECTIONS_MAX);
    }
    if (event.kind === "left") return this.#connected.clear();
    const isOfConnection = event.kind === "message" || event.kind === "sent" ||
      event.kind === "delivered" || event.kind === "terminated" || event.kind === "current" ||
      event.kind === "returned" || event.kind === "renewed";
    if (!isOfConnection) return;
    const counts = this.#connected.get(event.peer);
    assert(counts !== undefined, `${event.kind} without a connection`);
    switch (event.kind) {
      case "terminated":
        this.#connected.delete(event.peer);
        return;
      case "returned":
        // What a peer that started again sends counts from 0.
        counts.messages = 0;
        return;
      case "message":
        assertEquals(event.textSeq, counts.messages++);
        return assert(new TextEncoder().encode(event.text).length <= TEXT_SIZE_MAX);
      case "sent":
        return assertEquals(event.textSeq, counts.sent++);
      case "delivered":
        assertEquals(event.textSeq, counts.delivered++);
        return assert(event.textSeq < counts.sent);
    }
  }
}

/** The results of one input. */
export interface Outcome {
  readonly sent: readonly { readonly bytes: Uint8Array; readonly to: Address }[];
  readonly events: readonly ClientEvent[];
}

/** A client under test. */
export class FuzzedClient {
  client: Client;
  now: Instant = 0;
  readonly tally: Tally;
  /** The directory that the client registers with; it sees what the client sends. */
  directory: PlayedDirectory;
  readonly #prng: Prng;
  readonly #options: Partial<ClientOptions>;
  readonly #checker = new EventChecker();
  readonly #monitor = new ResourceMonitor();

  constructor(prng: Prng, options: Partial<ClientOptions> = {}) {
    this.#prng = prng;
    this.#options = options;
    this.tally = this.#checker.tally;
    this.directory = new PlayedDirectory(prng);
    this.client = this.#start();
  }

  /** Replaces the client by a new one. */
  restart(): void {
    this.directory = new PlayedDirectory(this.#prng);
    this.client = this.#start();
  }

  /** Registers the client as number 1, for longer than any test takes. */
  register(): void {
    this.drain();
    this.receive(this.directory.challenges.shift()!, SERVER);
    this.receiveAnswer({
      ...{ kind: "registered", token: this.#prng.bytes(16), id: 1 },
      ...{ lease: 2 ** 32 - 1, seenAt: CLIENT },
    });
    assertEquals(this.client.view().id, 1);
  }

  /** Gives the client a frame from the directory, as the answer to its last request. */
  receiveAnswer(frame: Frame): Outcome {
    return this.receive(this.directory.answer(frame), SERVER);
  }

  /** Gives the client a datagram. */
  receive(bytes: Uint8Array, from: Address): Outcome {
    let outcome: Outcome = { sent: [], events: [] };
    this.#monitor.time(() => {
      this.client.handleDatagram(this.now, bytes, from);
      outcome = this.drain();
    });
    assert(this.client.view().requests.length <= PENDING_REQUESTS_MAX);
    return outcome;
  }

  /** Advances the time, and passes on the results. */
  advance(milliseconds: number, onOutcome: (outcome: Outcome) => void): void {
    this.now += milliseconds;
    runTimeouts(this.client, this.now, () => onOutcome(this.drain()));
    onOutcome(this.drain());
  }

  /** Takes all datagrams and events of the client. */
  drain(): Outcome {
    const sent: { bytes: Uint8Array; to: Address }[] = [];
    const events: ClientEvent[] = [];
    drain(
      this.client,
      this.now,
      (bytes, to) => {
        assert(!isCarried(to), "no network carries that");
        sent.push({ bytes: bytes.slice(), to });
        if (sameAddress(to, SERVER)) this.directory.take(this.now, bytes, CLIENT);
      },
      (event) => {
        this.#checker.onEvent(event);
        events.push(event);
      },
    );
    return { sent, events };
  }

  /** Checks the bounds at the end of a run. */
  check(): void {
    this.#monitor.check();
  }

  #start(): Client {
    return new Client(this.now, { ...clientOptions(this.#prng), ...this.#options });
  }
}
