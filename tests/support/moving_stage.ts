/**
 * A client on virtual time that knows several directories, which the test plays.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { RegistrationRequest } from "../../protocol/directory/registration_event.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { type Frame, RefusalReason } from "../../protocol/wire/frame.ts";
import { Dealings, FOUND } from "./dealings.ts";
import type { Asked } from "./fake_directory.ts";

/** Where the directories are. */
export const [A, B, C] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((hostname) => ({
  hostname,
  port: 7070,
})) as [Address, Address, Address];
/** Their hosts. */
export const [a, b, c] = [A.hostname, B.hostname, C.hostname];
/** Says that a directory cannot answer now. */
export const UNAVAILABLE: Frame = { kind: "refused", reason: RefusalReason.unavailable };

/** A client and the directories at its addresses, which have one key. */
export class MovingStage extends Dealings {
  /** What is at each address. */
  readonly at: Record<string, "up" | "silent" | "refusing"> = {};
  /** What was asked where, and when. */
  readonly log: [number, string, Frame["kind"]][] = [];
  readonly told: string[] = [];
  #start = 0;

  constructor(
    addresses: readonly Address[],
    options?: Partial<RegistrationRequest>,
    timers?: TimerMode,
  ) {
    super({ directoryAddresses: addresses, ...options }, timers);
    for (const { hostname } of addresses) this.at[hostname] = "up";
  }

  /** Lets the time go on; the directories answer at once, or not. */
  run(ms: number): void {
    this.#start = this.now;
    this.log.length = this.told.length = 0;
    this.#exchange();
    for (const end = this.now + ms; this.now < end;) {
      this.wait(1);
      this.#exchange();
    }
  }

  /** The times at which something of this kind was asked there. */
  timesOf(kind: Frame["kind"], hostname: string): number[] {
    return this.log.filter(([, at, what]) => at === hostname && what === kind).map(([at]) => at);
  }

  #exchange(): void {
    for (;;) {
      const sent = this.askedAt();
      for (const [hostname, asked] of sent) {
        this.log.push([this.now - this.#start, hostname, asked.frame.kind]);
        this.#answer(hostname, asked);
      }
      for (const event of this.events()) {
        const why = event.kind === "moved" ? ` ${event.to.hostname} ${event.why}` : "";
        this.told.push(`${event.kind}${why}`);
      }
      if (sent.length === 0) return;
    }
  }

  #answer(hostname: string, asked: Asked): void {
    const from = { hostname, port: 7070 };
    const { frame } = asked;
    const state = this.at[hostname];
    if (state === "silent") return;
    if (frame.kind === "credentials") return void this.challenge(asked, from);
    if (frame.kind === "register") {
      const { unavailable } = RefusalReason;
      const answer = state === "up" ? this.directory.grant(asked) : asked.refuse(unavailable);
      return void this.give(answer, from);
    }
    if (frame.kind === "leave") return void this.give(asked.answer({ kind: "leaveAck" }), from);
    const good: Frame = frame.kind === "lookUp"
      ? FOUND
      : { kind: "leaseKeepaliveAck", lease: 45_000 };
    this.give(asked.answer(state === "up" ? good : UNAVAILABLE), from);
  }
}

/** A client that is registered at A, and knows B as well. */
export function registeredAtA(
  { addresses = [A, B], ...options }: { addresses?: Address[] } & Partial<RegistrationRequest> = {},
  timers: TimerMode = "adaptive",
): MovingStage {
  const stage = new MovingStage(addresses, options, timers);
  for (const each of addresses.slice(1)) stage.at[each.hostname] = "silent";
  stage.run(0);
  assertEquals(stage.told, ["registered"]);
  for (const each of addresses) stage.at[each.hostname] = "up";
  return stage;
}

/** A client that was registered at A, and is lost: nothing answers. */
export function lost(): MovingStage {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(30_000);
  assertEquals(stage.told, ["lost"]);
  return stage;
}
