/**
 * The width of text on a terminal, and text cut or wrapped to a width.
 *
 * Terminals differ in the width that they give to a character: by their version of Unicode, by their
 * settings, and by whether they join several characters. The program's own words are measured as most
 * terminals draw them; text of others by the most that any takes, so that a terminal breaks no row
 * of it by itself.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";

/** Columns that a row has for text, if the screen has them at all. */
const COLUMNS_MIN = 10;
/** The most columns that a terminal takes for one character. */
const CHARACTER_WIDTH_MAX = 2;

const graphemes = new Intl.Segmenter();

const ASCII = /^[\x20-\x7e]*$/;
/** Visible ASCII characters: all terminals agree on their width. */
const RUN = /^[!-~]+$/;
const CONTROL = /\p{Cc}/u;
/** Selectors and joiners: terminals that do not join what they stand in draw them, or nothing. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/u;
/** Letters and digits: all terminals agree on those that `unicodeWidth` knows to be wide. */
const LETTER = /[\p{L}\p{Nd}]/u;
const MARK = /\p{M}/u;
/** From here on marks can be wide, such as the tone marks of ideographs. */
const WIDE_FROM = 0x2e80;
/** From here on versions of Unicode differ: scripts and pictures are still added. */
const NEW_FROM = 0x10000;
/** Variation selector 16, for emoji presentation: terminals differ in the width that it gives. */
const EMOJI_SELECTOR = /\ufe0f/g;

/** The columns that a text takes, or the most where terminals that join characters differ. */
export function screenWidth(text: string): number {
  return unicodeWidth(text) + (text.match(EMOJI_SELECTOR)?.length ?? 0);
}

/** The most columns that any terminal takes for a text. */
export function widestWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  const code = character.codePointAt(0)!;
  if (ASCII.test(character)) return 1;
  if (CONTROL.test(character)) return 0;
  if (IGNORABLE.test(character)) return 1;
  if (code >= NEW_FROM) return CHARACTER_WIDTH_MAX;
  if (LETTER.test(character)) return Math.max(1, unicodeWidth(character));
  return MARK.test(character) && code < WIDE_FROM ? 1 : CHARACTER_WIDTH_MAX;
}

/** The text, or as much of its beginning as fits, with an ellipsis; never part of a grapheme. */
export function cutToWidth(text: string, columns: number, measure = screenWidth): string {
  if (measure(text) <= columns) return text;
  if (columns < 1) return "";
  let cut = "";
  let left = columns - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= measure(segment);
    if (left < 0) break;
    cut += segment;
  }
  return `${cut}…`;
}

/**
 * `prefix` and `text`, with every row but the first indented.
 *
 * Without `columns`, only the line breaks of the text start new rows.
 *
 * @param prefixWidth the columns that `prefix` takes, which may hold color codes.
 */
export function hang(
  prefix: string,
  prefixWidth: number,
  text: string,
  indent: number,
  columns?: number,
): string {
  if (columns === undefined) return prefix + text.split("\n").join(`\n${" ".repeat(indent)}`);
  // On a narrow screen the indent makes room for the text.
  const shift = Math.max(0, Math.min(indent, columns - COLUMNS_MIN));
  const left = columns - prefixWidth;
  const rows = wrapped(text, {
    first: left < COLUMNS_MIN ? 0 : left,
    rest: Math.max(columns - shift, 1),
    measure: screenWidth,
  });
  return prefix + [...rows].join(`\n${" ".repeat(shift)}`);
}

/** How a text is wrapped. */
export interface Wrapping {
  /** The columns of the first row, and of each other. */
  readonly first: number;
  readonly rest: number;
  readonly measure: (text: string) => number;
  /**
   * A run of up to so many visible ASCII characters is not broken, even where it is wider than a row: it
   * then is a row by itself, which the terminal breaks. 0 where left out.
   */
  readonly runMax?: number;
}

/** The rows of a text, which are broken at its line breaks, and between words. */
export function* wrapped(text: string, wrapping: Wrapping): Generator<string, void> {
  let { first } = wrapping;
  for (const line of text.split("\n")) {
    for (const row of wrappedLine(line, { ...wrapping, first })) {
      yield row;
      first = wrapping.rest;
    }
  }
}

function* wrappedLine(
  line: string,
  { first, rest, measure, runMax = 0 }: Wrapping,
): Generator<string, void> {
  let row = "";
  let left = first;
  let isAfterRun = false;
  for (const [token] of line.matchAll(/\s+|\S+/g)) {
    const isSpace = /^\s/.test(token);
    if (isAfterRun && isSpace) continue;
    isAfterRun = false;
    if (measure(token) > left && row !== "") {
      yield row.trimEnd();
      row = "";
      left = rest;
      if (isSpace) continue;
    }
    const isRun = token.length <= runMax && RUN.test(token);
    const isTooWide = token.length > rest;
    if (isRun && token.length > left && (left === 0 || !isTooWide)) {
      yield "";
      left = rest;
    }
    if (isRun && isTooWide) {
      yield token;
      left = rest;
      isAfterRun = true;
      continue;
    }
    for (const part of measure(token) > left ? partsOf(token, rest, measure) : [token]) {
      const width = measure(part);
      if (width > left && (row !== "" || left < rest)) {
        yield row.trimEnd();
        row = "";
        left = rest;
      }
      row += part;
      left -= width;
    }
  }
  if (!isAfterRun) yield row;
}

/** The graphemes of a text; the characters of one that takes more than a row. */
function* partsOf(
  text: string,
  columns: number,
  measure: Wrapping["measure"],
): Generator<string, void> {
  for (const { segment } of graphemes.segment(text)) {
    if (measure(segment) <= columns) yield segment;
    else yield* segment;
  }
}
