/**
 * A process that floods a directory with Registers, each from an address of its own.
 *
 * It prints events: `sent`, when each Register was sent; and `flooded`, when each has its answer, or
 * none was answered for a while.
 *
 * @module
 */
import { jsonLine } from "../../client/output/json.ts";
import { loadCipher } from "../../protocol/crypto/sodium.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { type RefusalName, refusalName } from "../../server/totals.ts";
import { BatchSocket } from "../bench/batch_socket.ts";
import { LoadClients } from "../bench/directory_requests.ts";

/** What such a process is started with. */
export interface RegisterFloodConfig {
  /** The directory's at 127.0.0.1. */
  readonly port: number;
  readonly clients: number;
}

/** What has become of the Registers. */
export interface FloodReport {
  readonly registered: number;
  /** By reason. */
  readonly refused: Partial<Readonly<Record<RefusalName, number>>>;
  readonly unanswered: number;
  /** The longest time from a Register, sent for the last time, to its answer, in milliseconds. */
  readonly longest: number;
}

/** Datagrams that are sent together, and milliseconds from them to the next ones. */
const TOGETHER = 32;
const PAUSE = 10;
/** Milliseconds after which a first Register, and then one with a cookie, is sent again. */
const REPEATS = [500, 3_500] as const;
/** Milliseconds after which the directory counts as silent. */
const SILENCE = 10_000;

class Flood {
  readonly #socket: BatchSocket;
  readonly #clients = new LoadClients();
  /** The datagram of each client that is to be answered, and when it was sent last. */
  readonly #waiting = new Map<number, { readonly bytes: Uint8Array; sentAt: number }>();

  constructor(port: number) {
    this.#socket = new BatchSocket(port, PAUSE);
  }

  run(count: number): FloodReport {
    const registers = new Map<number, Uint8Array>();
    for (let number = 0; number < count; number++) {
      this.#add(number, this.#clients.firstRegister(number));
    }
    this.#exchange(REPEATS[0], (answer) => {
      const register = this.#clients.register(answer);
      if (register === undefined) return;
      registers.set(register.number, register.bytes.slice());
      this.#waiting.delete(register.number);
    });
    for (const [number, bytes] of registers) this.#add(number, bytes);
    let [registered, longest] = [0, 0];
    const refused: Partial<Record<RefusalName, number>> = {};
    this.#exchange(REPEATS[1], (answer) => {
      if (answer[3] !== DatagramType.Answer) return;
      const { number, frame } = this.#clients.open(answer);
      const waited = this.#waiting.get(number);
      if (waited === undefined) return;
      this.#waiting.delete(number);
      longest = Math.max(longest, performance.now() - waited.sentAt);
      if (frame.kind === "registered") registered++;
      else if (frame.kind === "refused") {
        const reason = refusalName(frame.reason);
        refused[reason] = (refused[reason] ?? 0) + 1;
      }
    }, () => print("sent", {}));
    return { registered, refused, unanswered: this.#waiting.size, longest: Math.round(longest) };
  }

  #add(number: number, bytes: Uint8Array): void {
    this.#waiting.set(number, { bytes, sentAt: -Infinity });
  }

  /** Sends all that wait, and takes what comes, until none waits or nothing comes any more. */
  #exchange(repeat: number, take: (answer: Uint8Array) => void, onSent = (): void => {}): void {
    let isSent = false;
    for (
      let heardAt = performance.now();
      this.#waiting.size > 0 && performance.now() < heardAt + SILENCE;
    ) {
      const isSome = this.#sendSome(repeat);
      if (!isSome && !isSent) onSent();
      isSent ||= !isSome;
      const count = this.#socket.receive();
      if (count > 0) heardAt = performance.now();
      for (let index = 0; index < count; index++) take(this.#socket.received(index));
    }
  }

  /** Whether there was something to send. */
  #sendSome(repeat: number): boolean {
    const now = performance.now();
    let count = 0;
    for (const [number, each] of this.#waiting) {
      if (now < each.sentAt + repeat) continue;
      each.sentAt = now;
      this.#socket.queue(each.bytes, number);
      if (++count === TOGETHER) break;
    }
    this.#socket.flush();
    return count > 0;
  }
}

function print(event: string, fields: Record<string, unknown>): void {
  console.log(jsonLine(event, new Date(), fields));
}

if (import.meta.main) {
  await loadCipher();
  const { port, clients }: RegisterFloodConfig = JSON.parse(Deno.args[0]!);
  print("flooded", { ...new Flood(port).run(clients) });
}
