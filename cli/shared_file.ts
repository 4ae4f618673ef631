/**
 * A file that all processes of the user change.
 *
 * @module
 */
import { fileProblem, withLock } from "./files.ts";

/** What is done with a {@linkcode SharedFile}. */
export interface SharedFileHandlers<Change> {
  /** Applies changes to what the file holds by now; no other process writes it meanwhile. */
  apply(path: string, changes: readonly Change[]): void;
  /** Called once, when the file cannot be used: it is left alone from then on. */
  onGivenUp(problem: string): void;
}

/** Queues changes, and applies them under a lock. */
export class SharedFile<Change> {
  readonly #path: string;
  readonly #handlers: SharedFileHandlers<Change>;
  #changes: Change[] = [];
  #saving: Promise<void> | undefined;
  #isGivenUp = false;

  constructor(path: string, handlers: SharedFileHandlers<Change>) {
    this.#path = path;
    this.#handlers = handlers;
  }

  /** The path of the file. */
  get path(): string {
    return this.#path;
  }

  /** The changes that are not in the file yet. */
  get pending(): readonly Change[] {
    return this.#changes;
  }

  /** Whether it is left alone. */
  get isGivenUp(): boolean {
    return this.#isGivenUp;
  }

  /** What `read` makes of the file; undefined, and the file is given up, if it throws. */
  read<Content>(read: (path: string) => Content): Content | undefined {
    try {
      return read(this.#path);
    } catch (error) {
      this.giveUp(`Cannot read ${this.#path}: ${fileProblem(error)}`);
      return undefined;
    }
  }

  /** Queues a change. */
  change(change: Change): void {
    if (this.#isGivenUp) return;
    this.#changes.push(change);
    this.#saving ??= this.#saveAll();
  }

  /** Leaves the file alone from now on, and drops the queued changes. */
  giveUp(problem: string): void {
    this.#changes = [];
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#handlers.onGivenUp(problem);
  }

  /** Settles when all changes are in the file, or it was given up. */
  async settle(): Promise<void> {
    await this.#saving;
  }

  /**
   * Applies what is still queued, without the lock: for the end of a run, where somebody holds it for
   * too long. That two write at the same instant is unlikely; else the changes would be lost for sure.
   */
  saveNow(): void {
    try {
      this.#apply();
    } catch (error) {
      this.#giveUpWriting(error);
    }
  }

  async #saveAll(): Promise<void> {
    while (this.#changes.length > 0) {
      try {
        await withLock(`${this.#path}.lock`, () => this.#apply());
      } catch (error) {
        this.#giveUpWriting(error);
      }
    }
    this.#saving = undefined;
  }

  #apply(): void {
    // They may have been saved without the lock, or the file given up, meanwhile.
    if (this.#changes.length === 0) return;
    this.#handlers.apply(this.#path, this.#changes);
    this.#changes = [];
  }

  #giveUpWriting(error: unknown): void {
    this.giveUp(`Cannot write ${this.#path}: ${fileProblem(error)}`);
  }
}
