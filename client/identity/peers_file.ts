/**
 * The known peers on the disk, in a file that all clients of the user share.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileProblem, hasFile, readFile, replaceFile, withLock } from "../../cli/files.ts";
import { KNOWN_PEERS_SIZE_MAX, KnownPeers } from "./known_peers.ts";
import type { PeerStore } from "./peer_memory.ts";

/** Changes known peers. */
type Change = (peers: KnownPeers) => void;

/** The known peers, kept beside the identity. */
export class PeersFile implements PeerStore {
  readonly #file: string | undefined;
  readonly #onProblem: (message: string) => void;
  #peers = new KnownPeers();
  /** Changes that are not in the file yet. */
  #changes: Change[] = [];
  #saving: Promise<void> | undefined;
  /** Whether the file is left alone, after a problem with it. */
  #isGivenUp = false;
  #hasToldBadLines = false;

  /**
   * @param identityFile the file that it stands beside, undefined to keep everything in memory.
   * @param onProblem is told what is wrong with the file.
   */
  constructor(identityFile: string | undefined, onProblem: (message: string) => void) {
    this.#file = identityFile && join(dirname(identityFile), "known_peers");
    this.#onProblem = onProblem;
  }

  /** See {@linkcode PeerStore}. */
  get peers(): KnownPeers {
    return this.#peers;
  }

  /** Reads the file. */
  load(): void {
    if (this.#file === undefined) return;
    try {
      this.#peers = this.#read(this.#file) ?? this.#peers;
    } catch (error) {
      this.#giveUp(`Cannot read ${this.#file}: ${fileProblem(error)}`);
    }
  }

  /** See {@linkcode PeerStore}. */
  change(change: Change): void {
    change(this.#peers);
    if (this.#file === undefined || this.#isGivenUp) return;
    this.#changes.push(change);
    this.#saving ??= this.#save(this.#file);
  }

  /** Settles when all changes are in the file. */
  async settle(): Promise<void> {
    await this.#saving;
  }

  async #save(file: string): Promise<void> {
    while (this.#changes.length > 0) {
      try {
        await withLock(`${file}.lock`, () => this.#apply(file));
      } catch (error) {
        this.#giveUp(`Cannot write ${file}: ${fileProblem(error)}`);
      }
    }
    this.#saving = undefined;
  }

  /** Makes the changes to what is in the file by now, which another client may have written. */
  #apply(file: string): void {
    const peers = this.#read(file);
    if (peers === undefined) return;
    for (const change of this.#changes) change(peers);
    replaceFile(file, peers.format());
    this.#peers = peers;
    this.#changes = [];
  }

  /** Who is in the file; undefined where it is to be left alone. */
  #read(file: string): KnownPeers | undefined {
    if (!hasFile(file)) return new KnownPeers();
    const parsed = KnownPeers.parse(readFile(file, KNOWN_PEERS_SIZE_MAX).text);
    if (!parsed.ok) {
      this.#giveUp(`Cannot read ${file}: ${parsed.error}`);
      return undefined;
    }
    const { length: count, 0: first } = parsed.value.badLines;
    if (first !== undefined && !this.#hasToldBadLines) {
      this.#hasToldBadLines = true;
      const lines = count === 1 ? `line ${first}` : `${count} lines, the first is ${first},`;
      this.#onProblem(`Cannot understand ${lines} of ${file}: kept as it is`);
    }
    return parsed.value.peers;
  }

  #giveUp(message: string): void {
    this.#isGivenUp = true;
    this.#changes = [];
    this.#onProblem(`${message}; nobody is remembered beyond this run`);
  }
}
