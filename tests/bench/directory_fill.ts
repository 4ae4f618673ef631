/**
 * A process that fills a directory's table, without a socket and on virtual time.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { loadCipher } from "../../protocol/crypto/sodium.ts";
import { KEY_SIZE, KeyPair } from "../../protocol/crypto/x25519.ts";
import { systemRandom } from "../../protocol/udp.ts";
import { Server } from "../../server/server.ts";
import { LoadClients } from "./directory_requests.ts";
import { type Delays, delaysOf } from "./stats.ts";
import type { Line } from "./worker.ts";

/** The longest lease that `serve` takes, in ms, so that no limit per second is reached. */
const LEASE = 3_600_000;
/** The share of a lease in which all clients register, one after the other. */
const FILLING = 0.9;
/** Clients that register before the first measurement, so that the young heap has its full size. */
const WARM_UP_CLIENTS = 20_000;
const LOOK_UPS = 50_000;
/** Milliseconds between Look-ups while no lease ends. */
const REST_STEP = 1;

/** Memory and times of a full table, in bytes and microseconds. */
export interface Filled {
  readonly bytesPerClient: number;
  readonly registerMicros: number;
  readonly atRest: Delays;
  readonly sweeping: Delays;
  readonly expired: number;
}

/** Fills a table, measures it, and reports {@linkcode Filled}. */
export async function fillDirectory({ clients }: { clients: number }, line: Line): Promise<void> {
  await loadCipher();
  const full = new FullServer(clients);
  full.register(WARM_UP_CLIENTS);
  const before = residentBytes();
  const start = performance.now();
  full.register(clients);
  const registerMicros = 1000 * (performance.now() - start) / (clients - WARM_UP_CLIENTS);
  const bytesPerClient = (residentBytes() - before) / (clients - WARM_UP_CLIENTS);
  const atRest = full.lookUp(REST_STEP);
  full.expireFirst();
  const size = full.size;
  const sweeping = full.lookUp(full.step);
  const expired = size - full.size;
  const filled: Filled = { bytesPerClient, registerMicros, atRest, sweeping, expired };
  line.tell(filled);
  await line.hear();
}

function residentBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  return Deno.memoryUsage().rss;
}

/** A key pair for peers that all have the same key: a million agreements would take minutes. */
class OneAgreement extends KeyPair {
  #secret: Uint8Array | undefined;

  override agree(publicKey: Uint8Array): Uint8Array | undefined {
    return this.#secret ??= super.agree(publicKey);
  }
}

class FullServer {
  /** Milliseconds between two registrations, and so between two expiries. */
  readonly step: number;
  readonly #server: Server;
  readonly #address = { hostname: "", port: 4242 };
  #now = 0;
  #count = 0;
  readonly #clients = new LoadClients();
  #last = 0;

  constructor(clients: number) {
    this.step = FILLING * LEASE / clients;
    this.#server = new Server({
      maxClients: clients,
      lease: LEASE,
      identity: new OneAgreement(systemRandom(KEY_SIZE)),
      random: systemRandom,
      hasSourceLimits: false,
    });
  }

  get size(): number {
    return this.#server.table().size;
  }

  /** Registers clients up to this number. */
  register(upTo: number): void {
    for (; this.#count < upTo; this.#count++) {
      this.#now += this.step;
      const from = this.#addressOf(this.#count);
      const challenge = this.#exchange(this.#clients.firstRegister(this.#count), from);
      const register = this.#clients.register(challenge);
      if (register === undefined) throw new Error(`No challenge for client ${this.#count}`);
      const isKept = this.#count === upTo - 1;
      this.#last = this.#clients.registered(this.#exchange(register.bytes, from), isKept);
    }
  }

  /** Advances the time to the end of the first lease. */
  expireFirst(): void {
    this.#now = LEASE;
  }

  /** Look-ups by the last client, with this interval. */
  lookUp(step: number): Delays {
    const from = this.#addressOf(this.#count - 1);
    const micros: number[] = [];
    for (let count = 0; count < LOOK_UPS; count++) {
      this.#now += step;
      const target = 1 + (count * 7919) % this.#count;
      const request = this.#clients.lookUp(this.#last, target);
      const start = performance.now();
      this.#exchange(request, from);
      micros.push(1000 * (performance.now() - start));
    }
    return delaysOf(micros);
  }

  /** Handles one datagram as drive() does: timers, answer, events. */
  #exchange(request: Uint8Array, from: Address): Uint8Array {
    const server = this.#server;
    if ((server.nextTimeout() ?? Infinity) <= this.#now) server.handleTimeout(this.#now);
    server.handleDatagram(this.#now, request, from);
    const answer = server.pollTransmit()?.bytes;
    if (answer === undefined) throw new Error(`No answer: ${Deno.inspect(server.dropped)}`);
    while (server.pollEvent() !== undefined);
    return answer;
  }

  #addressOf(client: number): Address {
    const { port } = this.#address;
    return { hostname: `10.${client >> 16}.${client >> 8 & 0xff}.${client & 0xff}`, port };
  }
}
