/**
 * When to call for the user's attention, and what the title of the terminal says.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { ClientEvent } from "../event.ts";
import { label } from "../output/words.ts";
import type { ClientView } from "../view.ts";

/** Milliseconds without a key after which the user may be away, where no focus is reported. */
export const AWAY_AFTER = 60_000;
/** Milliseconds from one alert about messages to the next, while the user is away. */
export const ALERT_PAUSE = 10_000;

/** A bell, and the text of a notification; none while the user looks at the terminal. */
export interface Alert {
  readonly notification: string | undefined;
}

/** Whether the user looks at the terminal, and what came while that was not so. */
export class Attention {
  /** Undefined until the terminal reports it, as not every one does. */
  #hasFocus: boolean | undefined;
  #usedAt: Instant;
  #alertedAt: Instant = -Infinity;
  #unseen = 0;

  /** The user has just started the client. */
  constructor(now: Instant) {
    this.#usedAt = now;
  }

  /** The messages and requests that came while the user was away. */
  get unseen(): number {
    return this.#unseen;
  }

  /** A key was pressed: the user is here, whatever was reported. */
  press(now: Instant): void {
    if (this.#hasFocus === false) this.#hasFocus = true;
    this.#return(now);
  }

  /** The terminal reports that it got, or lost, the focus. */
  setFocus(now: Instant, hasFocus: boolean): void {
    this.#hasFocus = hasFocus;
    if (hasFocus) this.#return(now);
  }

  /** Takes an event of the client; returns how to call for attention, if at all. */
  handle(now: Instant, event: ClientEvent): Alert | undefined {
    if (event.kind !== "message" && event.kind !== "request") return undefined;
    const isAway = this.#isAway(now);
    if (isAway) this.#unseen++;
    const name = label(event.peer, event.name);
    if (event.kind === "request") {
      return { notification: isAway ? `Connection Request from ${name}` : undefined };
    }
    if (!isAway || now < this.#alertedAt + ALERT_PAUSE) return undefined;
    this.#alertedAt = now;
    return { notification: `Message from ${name}` };
  }

  #isAway(now: Instant): boolean {
    return this.#hasFocus === undefined ? now >= this.#usedAt + AWAY_AFTER : !this.#hasFocus;
  }

  #return(now: Instant): void {
    this.#usedAt = now;
    this.#alertedAt = -Infinity;
    this.#unseen = 0;
  }
}

/** `(2) bob — udp-chat`: what came unseen, and the peer of the current conversation, or of a request. */
export function titleOf(
  { peer, requests: [request] }: Pick<ClientView, "peer" | "requests">,
  unseen: number,
): string {
  const who = peer ?? request;
  const name = who === undefined ? "" : `${label(who.id, who.name)} — `;
  return `${unseen === 0 ? "" : `(${unseen}) `}${name}udp-chat`;
}
