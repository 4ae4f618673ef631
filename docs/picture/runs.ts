/**
 * Parses the content of a terminal with SGR codes (ECMA-48), as `tmux capture-pane -e` prints it.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";

/** How a text looks. */
export interface Look {
  /** One of the 256 colors of xterm; undefined for that of the terminal. */
  readonly color: number | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

/** A text of one look, somewhere in a row. */
export interface Run {
  /** From 0. */
  readonly column: number;
  readonly columns: number;
  readonly text: string;
  readonly look: Look;
}

const PLAIN: Look = { color: undefined, isBold: false, isDim: false };

/** A code, or a text up to the next one. */
// deno-lint-ignore no-control-regex
const PART = /\x1b\[([\d;]*)m|[^\x1b]+|\x1b/g;
/** Words of ASCII together, and each other character alone: fonts differ in the widths of those. */
const PIECE = /[\x21-\x7e]+(?: [\x21-\x7e]+)*|\p{RGI_Emoji}|[^\s\x21-\x7e]\p{Mn}*|\s+/gv;

/** The runs of each row; a look lasts beyond the end of its row. */
export function parseScreen(rows: readonly string[]): Run[][] {
  let look = PLAIN;
  return rows.map((row) => {
    const runs: Run[] = [];
    let column = 0;
    for (const [part, codes] of row.matchAll(PART)) {
      if (codes !== undefined) {
        look = changed(look, codes);
        continue;
      }
      for (const [text] of part.matchAll(PIECE)) {
        const columns = unicodeWidth(text);
        if (text.trim() !== "") runs.push({ column, columns, text, look });
        column += columns;
      }
    }
    return runs;
  });
}

/** The look after the codes between `ESC [` and `m`. */
function changed(look: Look, codes: string): Look {
  const numbers = codes.split(";").map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at]!;
    if (code === 0) look = PLAIN;
    else if (code === 1) look = { ...look, isBold: true };
    else if (code === 2) look = { ...look, isDim: true };
    else if (code === 22) look = { ...look, isBold: false, isDim: false };
    else if (code >= 30 && code <= 37) look = { ...look, color: code - 30 };
    else if (code >= 90 && code <= 97) look = { ...look, color: code - 82 };
    else if (code === 39) look = { ...look, color: undefined };
    else if (code === 38 || code === 48) {
      // Of the 256 colors; that of the background is not shown.
      if (code === 38) look = { ...look, color: numbers[at + 2] };
      at += 2;
    }
  }
  return look;
}
