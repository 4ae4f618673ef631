/**
 * Known directories: the static key that each has shown first, as text.
 *
 * The file is one of `known_keys.ts`:
 *
 * ```
 * # udp-chat known_directories 1
 * 8520f009…4eeaa9b4e6a 2026-01-02T09:05:07Z 2026-03-04T10:20:30Z known chat.example:7070
 * ```
 *
 * The dates are those of the first and the last registration.
 *
 * @module
 */
import { BoundedMap } from "../../protocol/bounded_map.ts";
import { type Result, success } from "../../protocol/result.ts";
import { formatDate, formatKeyLines, type KeyLine, parseKeyLines } from "./known_keys.ts";

/** Directories that are remembered; beyond that, the least recently used one is forgotten. */
export const KNOWN_DIRECTORIES_MAX = 1000;

const TITLE = "udp-chat known_directories";

/** What is remembered of a directory. */
export interface KnownDirectory {
  /** In hexadecimal. */
  readonly key: string;
  /** The host and the port, as users name them. */
  readonly name: string;
  /** When this client first and last registered there, in ISO 8601. */
  readonly firstSeen: string;
  readonly lastSeen: string;
}

/** The content of a file. */
export interface ParsedKnownDirectories {
  readonly content: KnownDirectories;
  /** The numbers of the lines that cannot be parsed. */
  readonly badLines: readonly number[];
}

/** All directories that are remembered. */
export class KnownDirectories {
  /** By name, the most recent one last. */
  readonly #directories = new BoundedMap<string, KnownDirectory>(KNOWN_DIRECTORIES_MAX);
  #keptLines: readonly string[] = [];

  /** Parses the text of a file; fails for one of another version, which must not be overwritten. */
  static parse(text: string): Result<ParsedKnownDirectories> {
    const parsed = parseKeyLines(text, TITLE, toDirectory);
    if (!parsed.ok) return parsed;
    const { entries, keptLines, badLines } = parsed.value;
    const directories = new KnownDirectories();
    directories.#keptLines = keptLines;
    for (const directory of entries) directories.#directories.set(directory.name, directory);
    return success({ content: directories, badLines });
  }

  /** Makes the text of the file. */
  format(): string {
    const lines = Array.from(this.#directories.values(), toLine);
    return formatKeyLines(TITLE, this.#keptLines, lines);
  }

  /** The directory with this name. */
  get(name: string): KnownDirectory | undefined {
    return this.#directories.get(name);
  }

  /** Records that this client registered at a directory with this key. */
  record(name: string, key: string, date: Date): void {
    const lastSeen = formatDate(date);
    const before = this.#directories.get(name);
    const firstSeen = before?.key === key ? before.firstSeen : lastSeen;
    this.#directories.set(name, { key, name, firstSeen, lastSeen });
  }
}

function toDirectory(line: KeyLine): KnownDirectory | undefined {
  const { key, firstSeen, lastSeen, state, name } = line;
  if (firstSeen === undefined || lastSeen === undefined) return undefined;
  return state === "known" && name !== "" ? { key, name, firstSeen, lastSeen } : undefined;
}

function toLine(directory: KnownDirectory): KeyLine {
  return { ...directory, state: "known" };
}
