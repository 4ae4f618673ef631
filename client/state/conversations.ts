/**
 * The conversations of a client: its connections that have not ended, one of which is current.
 *
 * @module
 */
import type { Connection } from "../../protocol/connection/connection.ts";
import { matchesClient, type Peer } from "../peer.ts";

/** What the user has seen of a connection. */
interface Use {
  /** Higher than that of all connections that were current before. */
  lastCurrent: number;
  /** What this client called the peer by, where it called. */
  readonly calledAs: Peer | undefined;
}

/** Connections in the order in which they were opened. */
export class Conversations {
  readonly #uses = new Map<Connection, Use>();
  #current: Connection | undefined;
  #switches = 0;

  /** The connection that messages go to; there is one as long as there are any. */
  get current(): Connection | undefined {
    return this.#current;
  }

  /** All of them, the oldest first. */
  get all(): readonly Connection[] {
    return [...this.#uses.keys()];
  }

  /**
   * Adds a connection.
   *
   * @param isAside whether another one stays current.
   * @param calledAs what this client called the peer by, where it called.
   * @returns whether it is the current one.
   */
  add(connection: Connection, isAside: boolean, calledAs: Peer | undefined): boolean {
    this.#uses.set(connection, { lastCurrent: 0, calledAs });
    const isCurrent = !isAside || this.#current === undefined;
    if (isCurrent) this.choose(connection);
    return isCurrent;
  }

  /** Makes a connection the current one. */
  choose(connection: Connection): void {
    const use = this.#uses.get(connection);
    if (use === undefined) return;
    use.lastCurrent = ++this.#switches;
    this.#current = connection;
  }

  /** Those whose texts wait, with what this client called the peer by. */
  get held(): readonly { connection: Connection; calledAs: Peer | undefined }[] {
    return Array.from(this.#uses, ([connection, { calledAs }]) => ({ connection, calledAs }))
      .filter(({ connection }) => connection.isHeld);
  }

  /** Those with the clients that an id, a name or a fingerprint refers to. */
  matching(peer: Peer): Connection[] {
    return this.all.filter(({ ids: { remote, remoteName }, remoteKey }) =>
      matchesClient(peer, remote, remoteName, remoteKey)
    );
  }

  /** Removes one that has ended; if it was current, the one that was current before is so again. */
  remove(connection: Connection): void {
    this.#uses.delete(connection);
    if (connection !== this.#current) return;
    this.#current = undefined;
    const others = [...this.#uses].sort(([, a], [, b]) => b.lastCurrent - a.lastCurrent);
    const [next] = others.find(([{ state }]) => state === "open") ?? others[0] ?? [];
    if (next !== undefined) this.choose(next);
  }
}
