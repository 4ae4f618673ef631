/**
 * Clients' names: which are good, and which are the same.
 *
 * @module
 */
import { NAME_SIZE_MAX } from "./frame.ts";

/** Characters (grapheme clusters) in the longest name. */
export const NAME_LENGTH_MAX = 32;

const graphemes = new Intl.Segmenter();

/**
 * Why `name` is no good name, in words that go on after "a name", or undefined where it is good.
 *
 * A name of digits alone would be taken for a client id.
 */
export function nameProblem(name: string): string | undefined {
  // It is compared in its NFKC form, so that has to be a good name, too.
  return problemOf(name) ?? problemOf(name.normalize("NFKC"));
}

function problemOf(name: string): string | undefined {
  if (name === "") return "cannot be empty";
  if (/[\p{C}\p{Z}]/u.test(name)) return "cannot hold spaces or control characters";
  if (/^\d+$/.test(name)) return "cannot be a number: that is a client id";
  if (name.startsWith("/") || name.startsWith("@")) return `cannot start with "${name[0]}"`;
  const isTooLong = new TextEncoder().encode(name).length > NAME_SIZE_MAX ||
    [...graphemes.segment(name)].length > NAME_LENGTH_MAX;
  return isTooLong ? `cannot have more than ${NAME_LENGTH_MAX} characters` : undefined;
}

/** What two names have in common that are the same name. */
export function nameKey(name: string): string {
  return name.normalize("NFKC").toLowerCase();
}
