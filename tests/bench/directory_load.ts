/**
 * Processes: the load on a directory, and the bare echo that the directory is compared with.
 *
 * @module
 */
import { BatchSocket } from "./batch_socket.ts";
import { loadCipher } from "../../protocol/crypto/sodium.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { systemRandom } from "../../protocol/udp.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { LoadClients } from "./directory_requests.ts";
import type { Line } from "./worker.ts";

/** Outstanding requests. */
export const OUTSTANDING = 128;
/** Milliseconds of silence, below a second, after which outstanding requests count as unanswered. */
const PATIENCE = 900;

/** The commands of a load process. */
export type LoadJob =
  /** Milliseconds of Look-ups after a warm-up; the clients register before. */
  | {
    readonly do: "lookUp" | "echo";
    readonly clients: number;
    readonly ms: number;
    readonly warmUpMs: number;
  }
  /** The first client, and their number. */
  | {
    readonly do: "register";
    readonly first: number;
    readonly clients: number;
    readonly ms: number;
  }
  /** Milliseconds of key agreements, and nothing else. */
  | { readonly do: "agree"; readonly ms: number };

/** The result. */
export interface Load {
  /** Answers or registrations per second, after the warm-up. */
  readonly rate: number;
  /** Answers or registrations in all. */
  readonly count: number;
  readonly unanswered: number;
}

/** A bare Deno echo. */
export async function echoProcess(_config: unknown, line: Line): Promise<void> {
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  line.tell(socket.addr);
  const buffer = new Uint8Array(2048);
  for (;;) {
    const [bytes, from] = await socket.receive(buffer);
    await socket.send(bytes, from);
  }
}

/** Sends requests to a directory or an echo as fast as it answers. */
export async function loadProcess({ port }: { port: number }, line: Line): Promise<void> {
  await loadCipher();
  const load = new Loader(port);
  for (;;) {
    const job = await line.hear() as LoadJob | undefined;
    if (job === undefined) return;
    if (job.do === "agree") line.tell(agreeFor(job.ms));
    else line.tell(job.do === "register" ? load.register(job) : load.ask(job));
  }
}

/** What each registration needs at least. */
function agreeFor(ms: number): Load {
  const [one, other] = [makeKeyPair(systemRandom), makeKeyPair(systemRandom)];
  const start = performance.now();
  let count = 0;
  for (; performance.now() < start + ms; count++) one.agree(other.publicKey);
  return { rate: 1000 * count / ms, count, unanswered: 0 };
}

class Loader {
  readonly #socket: BatchSocket;
  readonly #clients = new LoadClients();

  constructor(port: number) {
    this.#socket = new BatchSocket(port, PATIENCE);
  }

  /** Registers clients from different addresses, challenges included. */
  register({ first, clients, ms }: Extract<LoadJob, { do: "register" }>): Load {
    const socket = this.#socket;
    const end = first + clients;
    let next = first;
    let outstanding = 0;
    let registered = 0;
    let unanswered = 0;
    const start = performance.now();
    let now = start;
    for (; registered + unanswered < clients && now < start + ms; now = performance.now()) {
      for (; outstanding < OUTSTANDING && next < end; outstanding++) {
        socket.queue(this.#clients.firstRegister(next), next++);
      }
      socket.flush();
      const count = socket.receive();
      if (count === 0) {
        unanswered += outstanding;
        outstanding = 0;
      }
      for (let index = 0; index < count; index++) {
        const answer = socket.received(index);
        const register = this.#clients.register(answer);
        if (register !== undefined) socket.queue(register.bytes, register.number);
        else {
          this.#clients.registered(answer, registered < KNOWN_CLIENTS);
          registered++;
          outstanding--;
        }
      }
    }
    this.#settle();
    return { rate: 1000 * registered / (now - start), count: registered, unanswered };
  }

  /** Sends Look-ups to a directory or an echo, and counts the answers. */
  ask({ do: what, clients, ms, warmUpMs }: Extract<LoadJob, { do: "lookUp" | "echo" }>): Load {
    const socket = this.#socket;
    const isLookUp = what === "lookUp";
    // Before the time starts: sealing them would take the processor that the answers need.
    const lookUps = isLookUp ? this.#makeLookUps(clients) : [];
    const numbers = [...this.#clients.ids.keys()];
    const echoed = new Uint8Array(LOOK_UP_SIZE);
    let outstanding = 0;
    let unanswered = 0;
    let answered = 0;
    let asked = 0;
    let before = 0;
    const start = performance.now();
    let measuredFrom: number | undefined;
    let now = start;
    for (; now < start + warmUpMs + ms && asked < LOOK_UPS_MAX; now = performance.now()) {
      if (measuredFrom === undefined && now > start + warmUpMs) {
        measuredFrom = now;
        before = answered;
        unanswered = 0;
      }
      for (; outstanding < OUTSTANDING && asked < LOOK_UPS_MAX; outstanding++) {
        const from = isLookUp ? numbers[asked % clients]! : asked % clients;
        socket.queue(isLookUp ? lookUps[asked]! : echoed, from);
        asked++;
      }
      socket.flush();
      const count = socket.receive();
      if (count === 0) {
        unanswered += outstanding;
        outstanding = 0;
      } else if (isLookUp && socket.received(0)[3] !== DatagramType.Answer) {
        throw new Error("A Look-up was not answered");
      }
      answered += count;
      outstanding = Math.max(0, outstanding - count);
    }
    this.#settle();
    const rate = 1000 * (answered - before) / (now - measuredFrom!);
    return { rate, count: answered, unanswered };
  }

  /** As many Look-ups as a job may send, of each client in turn. */
  #makeLookUps(clients: number): Uint8Array[] {
    const known = [...this.#clients.ids].slice(0, clients);
    if (known.length < clients) throw new Error("Clients are missing");
    return Array.from({ length: LOOK_UPS_MAX }, (_, index) => {
      const [number] = known[index % clients]!;
      const [, target] = known[(index * 7919) % clients]!;
      return this.#clients.lookUp(number, target).slice();
    });
  }

  /** Receives what is still under way. */
  #settle(): void {
    this.#socket.flush();
    while (this.#socket.receive() > 0);
  }
}

/** The most requests of a job: what a directory answers in twice the time. */
const LOOK_UPS_MAX = 80_000;
/** Bytes in a Look-up by id. */
const LOOK_UP_SIZE = 40;
/** Clients whose keys are kept for Look-ups. */
export const KNOWN_CLIENTS = 1000;
