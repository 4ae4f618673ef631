/**
 * What becomes of the messages that this client sends, and what to show of it.
 *
 * @module
 */
import type { ClientEvent } from "../event.ts";

/** What is known of a message; `lost`: the connection ended before it was delivered. */
export type DeliveryState = "sent" | "delivered" | "unconfirmed" | "lost";

/** The mark in front of a message in each state, one column wide. */
export const MARKS: Readonly<Record<DeliveryState, string>> = {
  sent: "→",
  delivered: "✓",
  unconfirmed: "!",
  lost: "✗",
};

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
class PeerDeliveries<Line> {
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
  readonly #byPeer = new Map<number, PeerDeliveries<Line>>();
  readonly #tellsAll: boolean;

  /** @param tellsAll whether a delivery is worth a notice also where the message was never late. */
  constructor(tellsAll: boolean) {
    this.#tellsAll = tellsAll;
  }

  /** Messages that are unconfirmed since 5 s or more. */
  get overdue(): number {
    let count = 0;
    for (const { waiting } of this.#byPeer.values()) {
      for (const { isLate } of waiting.values()) if (isLate) count++;
    }
    return count;
  }

  /** A message was queued for this peer, and shown there. */
  add(peer: number, line: Line): void {
    this.#deliveriesTo(peer).unnumbered.push(line);
  }

  /** The messages that the event changes. */
  handle(event: ClientEvent): Change<Line>[] {
    switch (event.kind) {
      case "sent": {
        const deliveries = this.#deliveriesTo(event.peer);
        deliveries.waiting.set(event.textSeq, {
          line: deliveries.unnumbered.shift(),
          isLate: false,
        });
        return [];
      }
      case "unconfirmed": {
        const message = this.#byPeer.get(event.peer)?.waiting.get(event.textSeq);
        if (message === undefined) return [];
        message.isLate = true;
        return [{ peer: event.peer, line: message.line, state: "unconfirmed", wasLate: true }];
      }
      case "delivered":
        return this.#deliver(event.peer, event.textSeq);
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
    const deliveries = this.#byPeer.get(peer);
    if (deliveries === undefined || state === "lost") return undefined;
    const { missed, waiting } = deliveries;
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
    deliveries.missed = { count: 0, wasLate: false, isLateTold: false };
    return { kind: "delivered", peer, count: missed.count, wasLate: missed.wasLate };
  }

  #deliver(peer: number, seq: number): Change<Line>[] {
    const deliveries = this.#byPeer.get(peer);
    const message = deliveries?.waiting.get(seq);
    if (deliveries === undefined || message === undefined) return [];
    deliveries.waiting.delete(seq);
    return [{ peer, line: message.line, state: "delivered", wasLate: message.isLate }];
  }

  #end(peer: number): Change<Line>[] {
    const deliveries = this.#byPeer.get(peer);
    if (deliveries === undefined) return [];
    this.#byPeer.delete(peer);
    const lines = [
      ...[...deliveries.waiting.values()].map(({ line }) => line),
      ...deliveries.unnumbered,
    ];
    return lines.map((line) => ({ peer, line, state: "lost", wasLate: false }));
  }

  #deliveriesTo(peer: number): PeerDeliveries<Line> {
    let deliveries = this.#byPeer.get(peer);
    if (deliveries === undefined) this.#byPeer.set(peer, deliveries = new PeerDeliveries());
    return deliveries;
  }
}
