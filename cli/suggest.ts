/**
 * "Did you mean …?"
 *
 * @module
 */

/** The name that was probably meant by a word that is none. */
export function nearestName<Name extends string>(
  word: string,
  candidates: readonly { readonly name: Name; readonly alsoKnownAs?: readonly string[] }[],
): Name | undefined {
  const typed = word.toLowerCase();
  let best: { name: Name; distance: number } | undefined;
  for (const { name, alsoKnownAs = [] } of candidates) {
    if (alsoKnownAs.includes(typed)) return name;
    // A prefix, as in "term", counts as one typing error.
    const isPrefix = typed.length >= 2 && name.startsWith(typed);
    const distance = isPrefix ? 1 : editDistance(typed, name);
    const tolerated = name.length > 5 ? 2 : 1;
    if (distance <= tolerated && distance < (best?.distance ?? Infinity)) best = { name, distance };
  }
  return best?.name;
}

/** The Damerau-Levenshtein distance, without changes between two swapped letters. */
function editDistance(a: string, b: string): number {
  // Names of commands are short: a long word is far from all of them.
  if (a.length > 2 * b.length) return Infinity;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + change);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) distance = Math.min(distance, beforeLast[j - 2]! + 1);
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
