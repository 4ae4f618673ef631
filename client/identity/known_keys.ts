/**
 * What the files of known keys have in common: a title with a version, and a line for each key with
 * five fields, separated by single spaces.
 *
 * 1. a static public key: 32 bytes in hexadecimal
 * 2. when it was first accepted, in UTC; `-` for never
 * 3. when it was last accepted; `-` for never
 * 4. a word for its state
 * 5. a name; left out, with its space, where there is none
 *
 * Other lines that begin with `#`, and lines that cannot be parsed, are kept as they are.
 *
 * @module
 */
import { KEY_SIZE } from "../../protocol/crypto/x25519.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import { fromHex } from "../../cli/hex.ts";

/** Bytes in the largest file that is read. */
export const KNOWN_KEYS_SIZE_MAX: number = 4 * 1024 * 1024;

const VERSION = "1";

/** The fields of a line. */
export interface KeyLine {
  /** In hexadecimal. */
  readonly key: string;
  /** When it was first and last accepted, in ISO 8601; undefined for never. */
  readonly firstSeen: string | undefined;
  readonly lastSeen: string | undefined;
  /** A word for its state. */
  readonly state: string;
  /** Empty for none. */
  readonly name: string;
}

/** The content of a file. */
export interface ParsedKeyLines<Entry> {
  /** In the order of the file. */
  readonly entries: readonly Entry[];
  /** Comments, and lines that cannot be parsed. */
  readonly keptLines: readonly string[];
  /** The numbers of the lines that cannot be parsed. */
  readonly badLines: readonly number[];
}

/**
 * Parses the text of a file; fails for one of another version, which must not be overwritten.
 *
 * @param title what the first line begins with, as in `udp-chat known_peers`.
 * @param toEntry what a line means, undefined where it means nothing.
 */
export function parseKeyLines<Entry>(
  text: string,
  title: string,
  toEntry: (line: KeyLine) => Entry | undefined,
): Result<ParsedKeyLines<Entry>> {
  const entries: Entry[] = [];
  const keptLines: string[] = [];
  const badLines: number[] = [];
  for (const [index, row] of text.split("\n").entries()) {
    const line = row.replace(/\r$/, "");
    const prefix = `# ${title} `;
    const isTitle = index === 0 && line.startsWith(prefix) && !line.includes(" ", prefix.length);
    if (isTitle && line.slice(prefix.length) !== VERSION) {
      return failure(`it is of version ${line.slice(prefix.length)}`);
    }
    if (line === "" || isTitle) continue;
    const fields = line.startsWith("#") ? undefined : parseLine(line);
    const entry = fields && toEntry(fields);
    if (entry !== undefined) entries.push(entry);
    else keptLines.push(line);
    if (entry === undefined && !line.startsWith("#")) badLines.push(index + 1);
  }
  return success({ entries, keptLines, badLines });
}

/** Makes the text of a file. */
export function formatKeyLines(
  title: string,
  keptLines: readonly string[],
  lines: readonly KeyLine[],
): string {
  return [`# ${title} ${VERSION}`, ...keptLines, ...lines.map(formatLine), ""].join("\n");
}

/** An instant as the files have it. */
export function formatDate(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

const LINE = /^(?<key>\S+) (?<firstSeen>\S+) (?<lastSeen>\S+) (?<state>\S+)(?: (?<name>\S+))?$/;

function parseLine(line: string): KeyLine | undefined {
  const { key = "", firstSeen = "", lastSeen = "", state = "", name = "" } =
    LINE.exec(line)?.groups ?? {};
  if (fromHex(key, KEY_SIZE) === undefined) return undefined;
  if (firstSeen === "-" && lastSeen === "-") {
    return { key, firstSeen: undefined, lastSeen: undefined, state, name };
  }
  return isDate(firstSeen) && isDate(lastSeen)
    ? { key, firstSeen, lastSeen, state, name }
    : undefined;
}

function formatLine({ key, firstSeen, lastSeen, state, name }: KeyLine): string {
  return [key, firstSeen ?? "-", lastSeen ?? "-", state, name].join(" ").trimEnd();
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text));
}
