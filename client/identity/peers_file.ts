/**
 * The known peers on the disk, in a file that all clients of the user share.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { hasFile, readFile, replaceFile } from "../../cli/files.ts";
import { SharedFile } from "../../cli/shared_file.ts";
import { KNOWN_PEERS_SIZE_MAX, KnownPeers } from "./known_peers.ts";
import type { PeerStore } from "./peer_memory.ts";

/** A change of the known peers. */
type Change = (peers: KnownPeers) => void;

/** The known peers, kept beside the identity. */
export class PeersFile implements PeerStore {
  readonly #file: SharedFile<Change> | undefined;
  readonly #onProblem: (message: string) => void;
  #peers = new KnownPeers();
  #hasReportedBadLines = false;

  /**
   * @param identityFile the identity; the peers are in memory only if it is undefined.
   * @param onProblem called with what is wrong with the file.
   */
  constructor(identityFile: string | undefined, onProblem: (message: string) => void) {
    this.#onProblem = onProblem;
    this.#file = identityFile === undefined
      ? undefined
      : new SharedFile(join(dirname(identityFile), "known_peers"), {
        apply: (path, changes) => this.#apply(path, changes),
        onGivenUp: (why) => onProblem(`${why}; nobody is remembered beyond this run`),
      });
  }

  /** See {@linkcode PeerStore}. */
  get peers(): KnownPeers {
    return this.#peers;
  }

  /** Reads the file. */
  load(): void {
    this.#peers = this.#file?.read((path) => this.#read(path)) ?? this.#peers;
  }

  /** See {@linkcode PeerStore}. */
  change(change: Change): void {
    change(this.#peers);
    this.#file?.change(change);
  }

  /** Settles when all changes are in the file. */
  async settle(): Promise<void> {
    await this.#file?.settle();
  }

  #apply(path: string, changes: readonly Change[]): void {
    const peers = this.#read(path);
    if (peers === undefined) return;
    for (const change of changes) change(peers);
    replaceFile(path, peers.format());
    this.#peers = peers;
  }

  /** The peers in the file; undefined, and the file is given up, if it is of another version. */
  #read(path: string): KnownPeers | undefined {
    if (!hasFile(path)) return new KnownPeers();
    const parsed = KnownPeers.parse(readFile(path, KNOWN_PEERS_SIZE_MAX).text);
    if (!parsed.ok) {
      this.#file?.giveUp(`Cannot read ${path}: ${parsed.error}`);
      return undefined;
    }
    const { length: count, 0: first } = parsed.value.badLines;
    if (first !== undefined && !this.#hasReportedBadLines) {
      this.#hasReportedBadLines = true;
      const lines = count === 1 ? `line ${first}` : `${count} lines, the first is ${first},`;
      this.#onProblem(`Cannot understand ${lines} of ${path}: kept as it is`);
    }
    return parsed.value.peers;
  }
}
