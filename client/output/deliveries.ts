/**
 * What becomes of the messages that this client sends, and what to show of it.
 *
 * @module
 */
import type { ClientEvent } from "../event.ts";

/** What is known of a message; `lost`: the connection ended before it was delivered. */
export type DeliveryState = "sent" | "delivered" | "unconfirmed" | "lost";

/** A message whose state changed. `line`: where it was shown, if it was. */
export interface Change<Line> {
  readonly peer: number;
  readonly line: Line | undefined;
  readonly state: DeliveryState;
  /** Whether it was, or is, unconfirmed for long. */
  readonly wasLate: boolean;
}

/** What one line tells of messages whose own lines cannot be changed. */
export interface DeliveryNotice {
  readonly kind: "unconfirmed" | "delivered";
  readonly peer: number;
  /** Messages that it is about. */
  readonly count: number;
  /** Whether some of them were unconfirmed. */
  readonly wasLate: boolean;
}

/** The messages to one peer. */
class Outbox<Line> {
  /** Lines of messages that have no number yet: they get them in order. */
  readonly unnumbered: Line[] = [];
  /** Sent and not known to be delivered, by seq. */
  readonly waiting = new Map<number, { line: Line | undefined; isLate: boolean }>();
  /** Those that were delivered, and are to be told of in one line. */
  missed = { count: 0, wasLate: false, isLateTold: false };
}

/**
 * Follows one's own messages to all peers. It holds no more of them than the connections do, which
 * bound what they queue.
 */
export class Deliveries<Line> {
  readonly #outboxes = new Map<number, Outbox<Line>>();
  readonly #tellsAll: boolean;

  /** @param tellsAll whether a delivery is worth a notice also where the message was never late. */
  constructor(tellsAll: boolean) {
    this.#tellsAll = tellsAll;
  }

  /** Messages that are unconfirmed since 5 s or more. */
  get overdue(): number {
    let count = 0;
    for (const { waiting } of this.#outboxes.values()) {
      for (const { isLate } of waiting.values()) if (isLate) count++;
    }
    return count;
  }

  /** A message was queued for this peer, and shown there. */
  add(peer: number, line: Line): void {
    this.#outbox(peer).unnumbered.push(line);
  }

  /** The messages that the event changes. */
  handle(event: ClientEvent): Change<Line>[] {
    switch (event.kind) {
      case "sent": {
        const outbox = this.#outbox(event.peer);
        outbox.waiting.set(event.seq, { line: outbox.unnumbered.shift(), isLate: false });
        return [];
      }
      case "unconfirmed": {
        const message = this.#outboxes.get(event.peer)?.waiting.get(event.seq);
        if (message === undefined) return [];
        message.isLate = true;
        return [{ peer: event.peer, line: message.line, state: "unconfirmed", wasLate: true }];
      }
      case "delivered":
        return this.#deliver(event.peer, event.seq);
      case "terminated":
        return this.#end(event.peer);
      default:
        return [];
    }
  }

  /**
   * What to tell in a line of its own, because the line of the message, or of earlier ones, is out of
   * reach: once when messages begin to be late, and once when all of them are delivered.
   *
   * @param isShown whether the line of the message itself shows the change.
   */
  tell({ peer, state, wasLate }: Change<Line>, isShown: boolean): DeliveryNotice | undefined {
    const outbox = this.#outboxes.get(peer);
    if (outbox === undefined || state === "lost") return undefined;
    const { missed, waiting } = outbox;
    if (state === "unconfirmed") {
      if (isShown || missed.isLateTold) return undefined;
      missed.isLateTold = true;
      return { kind: "unconfirmed", peer, count: 1, wasLate };
    }
    if (!isShown && (wasLate || this.#tellsAll)) {
      missed.count++;
      missed.wasLate ||= wasLate;
    }
    const follows = [...waiting.values()].some(({ isLate }) => isLate || this.#tellsAll);
    if (missed.count === 0 || !isShown && follows) return undefined;
    outbox.missed = { count: 0, wasLate: false, isLateTold: false };
    return { kind: "delivered", peer, count: missed.count, wasLate: missed.wasLate };
  }

  #deliver(peer: number, seq: number): Change<Line>[] {
    const outbox = this.#outboxes.get(peer);
    const message = outbox?.waiting.get(seq);
    if (outbox === undefined || message === undefined) return [];
    outbox.waiting.delete(seq);
    return [{ peer, line: message.line, state: "delivered", wasLate: message.isLate }];
  }

  #end(peer: number): Change<Line>[] {
    const outbox = this.#outboxes.get(peer);
    if (outbox === undefined) return [];
    this.#outboxes.delete(peer);
    const lines = [...[...outbox.waiting.values()].map(({ line }) => line), ...outbox.unnumbered];
    return lines.map((line) => ({ peer, line, state: "lost", wasLate: false }));
  }

  #outbox(peer: number): Outbox<Line> {
    let outbox = this.#outboxes.get(peer);
    if (outbox === undefined) this.#outboxes.set(peer, outbox = new Outbox());
    return outbox;
  }
}
