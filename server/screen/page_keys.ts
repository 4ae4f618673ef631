/**
 * The keys that turn the pages of the table.
 *
 * @module
 */

/** Which page is wanted. */
export type PageTurn = "next" | "previous" | "first" | "last";

/** What the last row shows of them, and where there is little room. */
export const PAGE_KEYS_HINT = "Space next, b back";
export const PAGE_KEYS_SHORT = "Space, b";

/** What terminals send for each key. */
const KEYS: readonly (readonly [sequences: readonly string[], turn: PageTurn])[] = [
  [[" ", "\x1b[6~"], "next"],
  [["b", "\x1b[5~"], "previous"],
  [["g", "\x1b[H", "\x1bOH", "\x1b[1~"], "first"],
  [["G", "\x1b[F", "\x1bOF", "\x1b[4~"], "last"],
];

/** The turns that typed keys ask for, in order; other keys ask for none. */
export function pageTurns(typed: string): PageTurn[] {
  const turns: PageTurn[] = [];
  for (let at = 0; at < typed.length;) {
    const [sequence, turn] = keyAt(typed, at);
    if (turn !== undefined) turns.push(turn);
    at += sequence.length;
  }
  return turns;
}

function keyAt(typed: string, at: number): [sequence: string, turn: PageTurn | undefined] {
  for (const [sequences, turn] of KEYS) {
    const sequence = sequences.find((each) => typed.startsWith(each, at));
    if (sequence !== undefined) return [sequence, turn];
  }
  return [otherKey(typed.slice(at)), undefined];
}

/** A key without a meaning here, whole: a sequence of ESC (ECMA-48), or one character. */
function otherKey(typed: string): string {
  const end = /^.(?:\[[0-?]*[ -\/]*[@-~]|O.)/s;
  return typed.startsWith("\x1b") ? end.exec(typed)?.[0] ?? "\x1b" : typed.slice(0, 1);
}
