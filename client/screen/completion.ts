/**
 * What completion inserts, and how the possible words are listed.
 *
 * @module
 */
import { screenWidth } from "../../cli/wrap.ts";

/** Columns between two words of a list. */
const GAP = 2;

const graphemes = new Intl.Segmenter();

/** The longest beginning that all words share, upper and lower case being the same. */
export function commonBeginning(words: readonly string[]): string {
  const [first = "", ...others] = words;
  let beginning = "";
  for (const { segment } of graphemes.segment(first)) {
    const longer = (beginning + segment).toLowerCase();
    if (!others.every((word) => word.toLowerCase().startsWith(longer))) break;
    beginning += segment;
  }
  return beginning;
}

/** The words in columns, each sorted downwards; a line says how many more there are. */
export function listing(words: readonly string[], columns: number, rowsMax: number): string {
  const sorted = words.map((word) => word.trimEnd()).sort(byName);
  const width = Math.max(...sorted.map(screenWidth)) + GAP;
  const across = Math.max(1, Math.floor((columns + GAP) / width));
  const shown = sorted.slice(0, across * rowsMax);
  const down = Math.ceil(shown.length / across);
  const rows = Array.from({ length: down }, (_, row) => {
    const cells = shown.filter((_, index) => index % down === row);
    return cells.map((cell) => cell + " ".repeat(width - screenWidth(cell))).join("").trimEnd();
  });
  const more = sorted.length - shown.length;
  return [...rows, ...(more > 0 ? [`…and ${more} more`] : [])].join("\n");
}

/** Names, and then numbers. */
function byName(a: string, b: string): number {
  const [isId, isOtherId] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isId !== isOtherId) return isId ? 1 : -1;
  return a.localeCompare(b, "en", { numeric: true });
}
