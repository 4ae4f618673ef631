/**
 * What is said in answer to datagrams, and not repeated by itself.
 *
 * @module
 */
import type { Transmit } from "../machine.ts";
import type { Session } from "../session/session.ts";
import type { Frame } from "../wire/frame.ts";

/** Answers that wait to be sent; more are dropped, as a network may drop them. */
export const ANSWERS_MAX = 64;

/** An answer: a frame that is sealed when it is sent, or a datagram that is ready. */
export type Answer = Transmit | { readonly session: Session; readonly frame: Frame };

/** The answers that wait to be sent. */
export class Answers {
  /**
   * Datagrams, and the frames of sessions: one of each kind, in one packet, so that who asks many times
   * in one packet gets no more bytes than they sent.
   */
  readonly #waiting = new Map<Transmit | Session, Map<Frame["kind"], Frame>>();

  /** Queues an answer. */
  add(answer: Answer): void {
    const key = "session" in answer ? answer.session : answer;
    const frames = this.#waiting.get(key) ?? new Map<Frame["kind"], Frame>();
    if (frames.size === 0 && this.#waiting.size >= ANSWERS_MAX) return;
    if ("session" in answer) frames.set(answer.frame.kind, answer.frame);
    this.#waiting.set(key, frames);
  }

  /** See {@linkcode Machine}. */
  pollTransmit(): Transmit | undefined {
    for (const [key, frames] of this.#waiting) {
      this.#waiting.delete(key);
      if ("bytes" in key) return key;
      const writer = key.start();
      for (const frame of frames.values()) writer.add(frame);
      return { bytes: key.seal(), to: key.address };
    }
    return undefined;
  }
}
