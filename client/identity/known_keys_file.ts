/**
 * A file of known keys on the disk, which all clients of the user share: what one of them learns is
 * known to the others at once.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileVersion, hasFile, readFile, replaceFile } from "../../cli/files.ts";
import { SharedFile } from "../../cli/shared_file.ts";
import type { Result } from "../../protocol/result.ts";
import { KnownDirectories } from "./known_directories.ts";
import { KNOWN_KEYS_SIZE_MAX } from "./known_keys.ts";
import { KnownPeers } from "./known_peers.ts";

/** What a file holds, as text and parsed. */
interface Format<Content> {
  readonly fileName: string;
  readonly empty: Content;
  parse(text: string): Result<{ content: Content; badLines: readonly number[] }>;
  /** What follows if the file cannot be used. */
  readonly ifGivenUp: string;
}

/** Keeps what is known beside the identity. */
export class KnownKeysFile<Content extends { format(): string }> {
  readonly #format: Format<Content>;
  readonly #file: SharedFile<(content: Content) => void> | undefined;
  readonly #onProblem: (message: string) => void;
  #content: Content;
  /** That of the file which the content is from. */
  #version: string | undefined;
  #hasReportedBadLines = false;

  /**
   * @param identityFile the identity; all is in memory only if it is undefined.
   * @param onProblem called with what is wrong with the file.
   */
  constructor(
    format: Format<Content>,
    identityFile: string | undefined,
    onProblem: (message: string) => void,
  ) {
    this.#format = format;
    this.#content = format.empty;
    this.#onProblem = onProblem;
    this.#file = identityFile === undefined
      ? undefined
      : new SharedFile(join(dirname(identityFile), format.fileName), {
        apply: (path, changes) => this.#apply(path, changes),
        onGivenUp: (why) => onProblem(`${why}; ${format.ifGivenUp}`),
      });
  }

  /** The path of the file, undefined for none. */
  get path(): string | undefined {
    return this.#file?.path;
  }

  /** What is known by now, also to other processes. */
  get content(): Content {
    this.load();
    return this.#content;
  }

  /** Reads the file, if it has changed. */
  load(): void {
    if (this.#file?.isGivenUp !== false) return;
    const content = this.#file.read((path) => {
      const version = fileVersion(path);
      if (version === this.#version) return undefined;
      this.#version = version;
      return this.#read(path);
    });
    if (content === undefined) return;
    for (const change of this.#file.pending) change(content);
    this.#content = content;
  }

  /** Changes what is known: in memory at once, in the file soon. */
  change(change: (content: Content) => void): void {
    change(this.content);
    this.#file?.change(change);
  }

  /** Settles when all changes are in the file. */
  async settle(): Promise<void> {
    await this.#file?.settle();
  }

  /** See {@linkcode SharedFile.saveNow}. */
  saveNow(): void {
    this.#file?.saveNow();
  }

  #apply(path: string, changes: readonly ((content: Content) => void)[]): void {
    const content = this.#read(path);
    if (content === undefined) return;
    for (const change of changes) change(content);
    replaceFile(path, content.format());
    this.#version = fileVersion(path);
    this.#content = content;
  }

  /** What the file holds; undefined, and the file is given up, if it is of another version. */
  #read(path: string): Content | undefined {
    const text = hasFile(path) ? readFile(path, KNOWN_KEYS_SIZE_MAX).text : "";
    const parsed = this.#format.parse(text);
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
    return parsed.value.content;
  }
}

/** The known peers, kept beside the identity. */
export function openKnownPeers(
  identityFile: string | undefined,
  onProblem: (message: string) => void,
): KnownKeysFile<KnownPeers> {
  const format = {
    fileName: "known_peers",
    empty: new KnownPeers(),
    parse: (text: string) => KnownPeers.parse(text),
    ifGivenUp: "nobody is remembered beyond this run",
  };
  return new KnownKeysFile(format, identityFile, onProblem);
}

/** The known directories, kept beside the identity. */
export function openKnownDirectories(
  identityFile: string | undefined,
  onProblem: (message: string) => void,
): KnownKeysFile<KnownDirectories> {
  const format = {
    fileName: "known_directories",
    empty: new KnownDirectories(),
    parse: (text: string) => KnownDirectories.parse(text),
    ifGivenUp: "no directory is remembered beyond this run",
  };
  return new KnownKeysFile(format, identityFile, onProblem);
}
