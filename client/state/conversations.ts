/**
 * The conversations of a client: its connections that have not ended, one of which is current.
 *
 * @module
 */
import type { Connection } from "../../protocol/connection/connection.ts";
import { matchesClient, type Peer } from "../peer.ts";
import type { ClientView, ConversationView, OpenConversation } from "../view.ts";

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

  /** What a prompt shows of them. */
  views(): Pick<ClientView, "peer" | "others"> {
    const others = this.all.filter((each) => each !== this.#current);
    return {
      peer: this.#current && viewConversation(this.#current),
      others: others.map(viewConversation),
    };
  }

  /** What a later run can go on with, the current one first: not where the key is not trusted. */
  get open(): readonly OpenConversation[] {
    const latest = [...this.#uses].sort(([, a], [, b]) => b.lastCurrent - a.lastCurrent);
    return latest.map(([connection]) => connection)
      .filter(({ state, isHeld }) => state === "open" && !isHeld)
      .map(({ ids: { remote: id, remoteName: name }, remoteKey: key }) => ({ id, name, key }));
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

  /** Sends the texts that wait for the user to trust a key, where that has happened. */
  release(isTrusted: (connection: Connection, calledAs: Peer | undefined) => boolean): void {
    // Called for every text that is sent: a list of those that are held would take most of its time.
    for (const [connection, { calledAs }] of this.#uses) {
      if (connection.isHeld) connection.isHeld = !isTrusted(connection, calledAs);
    }
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

function viewConversation(connection: Connection): ConversationView {
  const { ids: { remote: id, remoteName: name }, undelivered, state, path, isHeld } = connection;
  const isEnding = state !== "open";
  const isCarried = path === "carried";
  return { id, name, unconfirmed: undelivered, isEnding, isHeld, isCarried };
}
