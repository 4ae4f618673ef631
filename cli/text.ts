/**
 * Text from the network, made safe to show.
 *
 * @module
 */

/** How cleanText() treats line breaks. */
export interface CleanOptions {
  /** Whether line breaks stay, each as one `\n`; by default each becomes a space. */
  keepLines?: boolean;
}

/** Every line break of Unicode (UAX #14, classes BK, CR, LF and NL). */
const LINE_BREAKS = /\r\n|[\n\v\f\r\x85\u2028\u2029]/g;

/** The scripts in which a joiner between two letters changes how they look (UAX #31, 2.3.1). */
const JOINING_SCRIPTS = ["Arab", "Syrc", "Mong", "Nkoo", "Deva", "Beng", "Guru", "Gujr", "Orya"]
  .concat("Taml", "Telu", "Knda", "Mlym", "Sinh", "Khmr", "Mymr")
  .map((script) => `\\p{Script=${script}}`)
  .join("");

/** Invisible characters that have an effect beside what they belong to. */
const EFFECTIVE = [
  "\\n",
  // A joiner inside an emoji (UTS #51, ED-16): between two pictures.
  "(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d(?=\\p{Extended_Pictographic})",
  // A joiner or non-joiner inside a word.
  `(?<=[${JOINING_SCRIPTS}])[\\u200c\\u200d](?=[${JOINING_SCRIPTS}])`,
  // One variation selector after what it varies: a sequence of them can hide a message.
  "(?<=(?!\\p{Default_Ignorable_Code_Point})[\\p{L}\\p{N}\\p{P}\\p{S}])\\p{Variation_Selector}",
].join("|");

/**
 * Controls (C0, DEL, C1), default ignorable code points (bidi controls and marks, zero-width
 * characters, tags, fillers, the byte order mark), and annotation marks.
 */
const HIDDEN = new RegExp(
  `(${EFFECTIVE})|[\\p{Cc}\\p{Default_Ignorable_Code_Point}\\ufff9-\\ufffb]`,
  "gu",
);

/** Marks in a row that one character can carry: what people write has up to six (Burmese, Hebrew). */
export const MARKS_MAX = 8;

/** A row of more marks; in a pile they cover the rows above and below. */
const PILED_MARKS = new RegExp(`(\\p{M}{${MARKS_MAX}})\\p{M}+`, "gu");

/** In front of a mark that would join what stands before the text, or the space before it. */
const BEFORE_LONE_MARK = /(?<=^|\s)(?=\p{M})/gu;
/** What Unicode shows a mark on that has nothing to be on. */
const DOTTED_CIRCLE = "\u25cc";

/**
 * Removes from a text what could control the terminal, reorder the text around it, be invisible, or
 * cover other rows.
 *
 * Controls can drive the terminal (escape sequences start with ESC or with a C1 control, ECMA-48),
 * bidi controls reorder the text around them (CVE-2021-42574, "Trojan Source"), and invisible
 * characters make two names look alike (UTS #39). Line breaks and tabs become a space, and half a
 * surrogate pair becomes U+FFFD. What belongs to a visible character stays: the joiner between two
 * emoji, one variation selector, the joiners and non-joiners of Persian or Hindi words, up to
 * {@linkcode MARKS_MAX} marks.
 *
 * Cleaning a cleaned text changes nothing.
 */
export function cleanText(text: string, options: CleanOptions = {}): string {
  return withoutHidden(text, options)
    .replace(PILED_MARKS, "$1")
    .replace(BEFORE_LONE_MARK, DOTTED_CIRCLE);
}

/** How many marks cleanText() leaves out, because they are piled up. */
export function countPiledMarks(text: string): number {
  let count = 0;
  for (const [pile] of withoutHidden(text, {}).matchAll(PILED_MARKS)) {
    count += Array.from(pile).length - MARKS_MAX;
  }
  return count;
}

function withoutHidden(text: string, { keepLines }: CleanOptions): string {
  return text
    .replace(LINE_BREAKS, keepLines ? "\n" : " ")
    .replaceAll("\t", " ")
    .replace(/\p{Cs}/gu, "\ufffd")
    .replace(HIDDEN, "$1");
}
