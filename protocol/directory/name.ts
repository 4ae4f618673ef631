/**
 * Clients' names: which are good, and which are the same.
 *
 * @module
 */
import { NAME_SIZE_MAX } from "../wire/frame.ts";

/** Characters (grapheme clusters) in the longest name. */
export const NAME_LENGTH_MAX = 32;

/** What is not seen. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
/** Controls and separators, and what is not seen but for variation selectors, as in "❤️". */
const NOT_IN_NAMES = /[\p{C}\p{Z}]|(?!\p{Variation_Selector})\p{Default_Ignorable_Code_Point}/u;

const graphemes = new Intl.Segmenter();

/**
 * Why `name` is no good name, in words that go on after "a name", or undefined where it is good.
 *
 * A name of digits alone would be taken for a client id.
 */
export function nameProblem(name: string): string | undefined {
  // What it is compared and read as has to be a good name, too.
  const normal = name.normalize("NFKC").replace(IGNORABLE, "");
  return problemOf(name) ?? (normal === name ? undefined : problemOf(normal));
}

function problemOf(name: string): string | undefined {
  if (name === "") return "cannot be empty";
  if (NOT_IN_NAMES.test(name)) return "cannot hold spaces or control characters";
  if (/^\d+$/.test(name)) return "cannot be a number: that is a client id";
  if (name.startsWith("/") || name.startsWith("@")) return `cannot start with "${name[0]}"`;
  return isTooLong(name) ? `cannot have more than ${NAME_LENGTH_MAX} characters` : undefined;
}

function isTooLong(name: string): boolean {
  // A character each; the segmenter would take longer than all the rest of a registration.
  if (/^[!-~]*$/.test(name)) return name.length > NAME_LENGTH_MAX;
  return new TextEncoder().encode(name).length > NAME_SIZE_MAX ||
    [...graphemes.segment(name)].length > NAME_LENGTH_MAX;
}

/**
 * What two names have in common that are the same name: NFKC, case folding, and nothing that is not
 * seen (NFKC_Casefold of Unicode, 3.13).
 */
export function nameKey(name: string): string {
  const shown = name.normalize("NFKC").replace(IGNORABLE, "");
  // One after the other: ẞ, ß and ss are one, and so are all three sigmas.
  return shown.toLowerCase().toUpperCase().normalize("NFKC");
}
