/**
 * The delivery states of the messages that this client sends, and which of them to report.
 *
 * @module
 */
import type { ClientEvent } from "../event.ts";

/** The state of a message; `lost`: the connection ended before it was delivered. */
export type DeliveryState = "sent" | "delivered" | "unconfirmed" | "lost";

/** The mark in front of a message in each state, one column wide. */
export const MARKS: Readonly<Record<DeliveryState, string>> = {
  sent: "→",
  delivered: "✓",
  unconfirmed: "!",
  lost: "✗",
};

/** A message whose state changed. */
export interface DeliveryChange<Line> {
  readonly peer: number;
  /** Where the message was printed, if it was. */
  readonly line: Line | undefined;
  readonly state: DeliveryState;
  /** Whether it is unconfirmed, or was before it was delivered. */
  readonly wasLate: boolean;
}

/** A line that reports messages whose own lines cannot be changed. */
export interface DeliveryNotice {
  readonly kind: "unconfirmed" | "delivered";
  readonly peer: number;
  /** The number of messages. */
  readonly count: number;
  /** Whether some of them were unconfirmed. */
  readonly wasLate: boolean;
}

/** The messages to one peer. */
class PeerDeliveries<Line> {
  /** Lines of messages that have no number yet: they get their numbers in order. */
  readonly unnumbered: Line[] = [];
  /** Messages that are sent and not delivered, by number. */
  readonly waiting = new Map<number, { line: Line | undefined; isLate: boolean }>();
  /** Deliveries for the next notice, and whether one has reported that messages are late. */
  unreported = { count: 0, wasLate: false, isLateReported: false };
}

/**
 * Tracks the messages to all peers. It is bounded by the send queues of the connections: it holds no
 * more messages than they do.
 */
export class Deliveries<Line> {
  readonly #byPeer = new Map<number, PeerDeliveries<Line>>();
  readonly #reportsAll: boolean;

  /** @param reportsAll whether to report also deliveries that were never late. */
  constructor(reportsAll: boolean) {
    this.#reportsAll = reportsAll;
  }

  /** The number of messages that are unconfirmed after 5 s. */
  get overdue(): number {
    let count = 0;
    for (const { waiting } of this.#byPeer.values()) {
      for (const { isLate } of waiting.values()) if (isLate) count++;
    }
    return count;
  }

  /** Adds a message to this peer, which was queued, and printed at `line`. */
  add(peer: number, line: Line): void {
    this.#deliveriesTo(peer).unnumbered.push(line);
  }

  /** Takes an event of the client; returns the messages that it changes. */
  handle(event: ClientEvent): DeliveryChange<Line>[] {
    switch (event.kind) {
      case "sent": {
        const { unnumbered, waiting } = this.#deliveriesTo(event.peer);
        waiting.set(event.textSeq, { line: unnumbered.shift(), isLate: false });
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
   * The notice that is due with a change, because the line of this or of an earlier message cannot
   * show it: one when messages begin to be late, and one when all of them are delivered.
   *
   * @param isShown whether the line of the message itself shows the change.
   */
  report(
    { peer, state, wasLate }: DeliveryChange<Line>,
    isShown: boolean,
  ): DeliveryNotice | undefined {
    const deliveries = this.#byPeer.get(peer);
    if (deliveries === undefined || state === "lost") return undefined;
    const { unreported, waiting } = deliveries;
    if (state === "unconfirmed") {
      if (isShown || unreported.isLateReported) return undefined;
      unreported.isLateReported = true;
      return { kind: "unconfirmed", peer, count: 1, wasLate };
    }
    if (!isShown && (wasLate || this.#reportsAll)) {
      unreported.count++;
      unreported.wasLate ||= wasLate;
    }
    const follows = [...waiting.values()].some(({ isLate }) => isLate || this.#reportsAll);
    if (unreported.count === 0 || !isShown && follows) return undefined;
    deliveries.unreported = { count: 0, wasLate: false, isLateReported: false };
    return { kind: "delivered", peer, count: unreported.count, wasLate: unreported.wasLate };
  }

  #deliver(peer: number, textSeq: number): DeliveryChange<Line>[] {
    const deliveries = this.#byPeer.get(peer);
    const message = deliveries?.waiting.get(textSeq);
    if (deliveries === undefined || message === undefined) return [];
    deliveries.waiting.delete(textSeq);
    return [{ peer, line: message.line, state: "delivered", wasLate: message.isLate }];
  }

  #end(peer: number): DeliveryChange<Line>[] {
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
