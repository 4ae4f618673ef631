/**
 * Text from others, made safe to show.
 *
 * @module
 */

/** What cleanText() is to leave as it is. */
export interface CleanOptions {
  /** Whether line breaks stay, each as one `\n`; otherwise each becomes a space. */
  keepLines?: boolean;
}

/** Every line break of Unicode (UAX #14, classes BK, CR, LF and NL). */
const LINE_BREAKS = /\r\n|[\n\v\f\r\x85\u2028\u2029]/g;

/** The scripts in which a joiner between two letters changes how they look (UAX #31, 2.3.1). */
const JOINING_SCRIPTS = ["Arab", "Syrc", "Mong", "Nkoo", "Deva", "Beng", "Guru", "Gujr", "Orya"]
  .concat("Taml", "Telu", "Knda", "Mlym", "Sinh", "Khmr", "Mymr")
  .map((script) => `\\p{Script=${script}}`)
  .join("");

/** Hidden characters that have a meaning where they stand: what they belong to is beside them. */
const MEANT = [
  "\\n",
  // A joiner inside an emoji (UTS #51, ED-16): between two pictures.
  "(?<=\\p{Extended_Pictographic}[\\ufe0f\\p{Emoji_Modifier}]?)\\u200d(?=\\p{Extended_Pictographic})",
  // A joiner or non-joiner inside a word.
  `(?<=[${JOINING_SCRIPTS}])[\\u200c\\u200d](?=[${JOINING_SCRIPTS}])`,
  // A variation selector behind what it varies: one only, because rows of them can hide a message.
  "(?<=(?!\\p{Default_Ignorable_Code_Point})[\\p{L}\\p{N}\\p{P}\\p{S}])\\p{Variation_Selector}",
].join("|");

/**
 * Controls (C0, DEL, C1), all that Unicode calls ignorable when shown (bidi controls and marks,
 * zero-width characters, tags, fillers, the byte order mark), and annotation marks.
 */
const HIDDEN = new RegExp(
  `(${MEANT})|[\\p{Cc}\\p{Default_Ignorable_Code_Point}\\ufff9-\\ufffb]`,
  "gu",
);

/**
 * `text` without what could change the screen, reorder its neighbours or hide in it.
 *
 * Controls could drive the terminal (escape sequences start with ESC or with a C1 control, ECMA-48),
 * bidi controls reorder what stands beside them (CVE-2021-42574, "Trojan Source"), and invisible
 * characters make two names look alike (UTS #39). They are removed. Line breaks and tabs become a
 * space, and half a surrogate pair becomes U+FFFD. What belongs to a visible character stays: the
 * joiner between two emoji, one variation selector, the (non-)joiners of Persian or Hindi words.
 *
 * Cleaning twice changes nothing more.
 */
export function cleanText(text: string, options: CleanOptions = {}): string {
  return text
    .replace(LINE_BREAKS, options.keepLines ? "\n" : " ")
    .replaceAll("\t", " ")
    .replace(/\p{Cs}/gu, "\ufffd")
    .replace(HIDDEN, "$1");
}
