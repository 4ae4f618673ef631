/**
 * Clients' names: which are good, and which are the same.
 *
 * @module
 */
import { profileProblem } from "./profile.ts";

/** UTF-8 bytes in the longest name. */
export const NAME_SIZE_MAX = 128;
/** Characters (grapheme clusters) in the longest name. */
export const NAME_LENGTH_MAX = 32;

/** What is not seen. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;
/** Names that most have, all of them good. */
const PLAIN = /^[A-Za-z_]\w{0,31}$/;

const graphemes = new Intl.Segmenter();

/**
 * Why `name` is no good name, in words that go on after "a name", or undefined where it is good.
 *
 * A name of digits alone would be taken for a client id.
 */
export function nameProblem(name: string): string | undefined {
  if (PLAIN.test(name)) return undefined;
  if (name === "") return "cannot be empty";
  if (/^\p{Nd}+$/u.test(name)) return "cannot be a number: that is a client id";
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Z}]/u.test(name)) return "cannot hold spaces or control characters";
  if (name.startsWith("/") || name.startsWith("@")) return `cannot start with "${name[0]}"`;
  // First: the rest takes as long as the name is.
  if (isTooLong(name)) return `cannot have more than ${NAME_LENGTH_MAX} characters`;
  return profileProblem(name);
}

/** A name that somebody gave, or none where it is no good name: nobody has to believe or show it. */
export function goodName(name: string): string {
  return name === "" || nameProblem(name) === undefined ? name : "";
}

/** A name as it is typed, in the form in which it can be a good one. */
export function normalName(text: string): string {
  return text.normalize("NFKC");
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
