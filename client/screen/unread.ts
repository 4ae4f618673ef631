/**
 * What the user has not seen of the conversations beside the current one.
 *
 * Everything is printed on one screen, so that a message counts as unread only if it scrolled away
 * before the user pressed a key with it on the screen. Until the next line is entered, its peer is one
 * with something new.
 *
 * @module
 */
import type { PrintedLine } from "../output/printer.ts";

/** What is unread, and what is new, of a peer that is not the current one. */
export interface Unread {
  /** Messages that left the screen unseen. */
  readonly count: number;
  /** Whether a message came since the last line was entered. */
  readonly isNew: boolean;
}

/** Where a printed line is; `waiting`: not drawn yet. */
export type Place = "waiting" | "onScreen" | "gone";

interface Aside {
  /** The messages that may still be seen. */
  lines: PrintedLine[];
  count: number;
  isNew: boolean;
}

/** The unread messages of all peers. It holds no more lines than wait and than a screen has. */
export class UnreadMessages {
  readonly #placeOf: (line: PrintedLine) => Place;
  readonly #byPeer = new Map<number, Aside>();

  constructor(placeOf: (line: PrintedLine) => Place) {
    this.#placeOf = placeOf;
  }

  /** Adds a message of a peer that is not the current one. */
  add(peer: number, line: PrintedLine): void {
    const aside = this.#byPeer.get(peer) ?? { lines: [], count: 0, isNew: true };
    aside.lines.push(line);
    aside.isNew = true;
    this.#byPeer.set(peer, aside);
  }

  /** The user pressed a key: what is on the screen is seen. */
  press(): void {
    this.#sortOut();
    for (const aside of this.#byPeer.values()) {
      aside.lines = aside.lines.filter((line) => this.#placeOf(line) === "waiting");
    }
  }

  /** The user entered a line. */
  enter(): void {
    for (const aside of this.#byPeer.values()) aside.isNew = false;
  }

  /** The user looks at a conversation, or answers there, or it has ended. */
  look(peer: number): void {
    this.#byPeer.delete(peer);
  }

  /** What there is of a peer. */
  of(peer: number): Unread {
    this.#sortOut();
    const { count, isNew } = this.#byPeer.get(peer) ?? { count: 0, isNew: false };
    return { count, isNew };
  }

  /** Counts what has left the screen. */
  #sortOut(): void {
    for (const aside of this.#byPeer.values()) {
      const left = aside.lines.filter((line) => this.#placeOf(line) !== "gone");
      aside.count += aside.lines.length - left.length;
      aside.lines = left;
    }
  }
}
