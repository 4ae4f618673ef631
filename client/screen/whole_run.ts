/**
 * Runs of characters without a space that are wider than the screen, such as long addresses of pages.
 *
 * The terminal breaks them at its edge, so that they can be clicked and copied whole. Each cell is
 * underlined: that marks the rows of them that have no other mark, and no text can produce it.
 *
 * @module
 */
import { withoutStyle } from "../../cli/style.ts";

/**
 * Lets the terminal break rows at its edge, or not (DECAWM): a terminal that draws characters wider
 * than they are counted then breaks no row of a message where no mark would stand before it.
 */
export const BREAK_ROWS = "\x1b[?7h";
export const BREAK_NO_ROWS = "\x1b[?7l";

const UNDERLINE = "\x1b[4m";
const UNDERLINE_OFF = "\x1b[24m";

/** The beginning and the end of a link (OSC 8). */
const LINK = "\x1b]8;;";
const LINK_END = "\x1b\\";

/** The address of a page, without what may follow it in a sentence. */
const ADDRESS = /\b(?:https?|ftp):\/\/[!-~]*[\w/#=&~+-]/gi;

// deno-lint-ignore no-control-regex
const CODES = /\x1b\[\?7[hl]|\x1b\]8;;[^\x1b]*\x1b\\/g;

/** The codes that show a run of visible ASCII characters whole, where rows are not broken elsewhere. */
export function wholeRun(run: string): string {
  const linked = run.replace(ADDRESS, (url) => LINK + url + LINK_END + url + LINK + LINK_END);
  return BREAK_ROWS + UNDERLINE + linked + UNDERLINE_OFF + BREAK_NO_ROWS;
}

/** A text as it is seen, without the codes of wholeRun() and of a style. */
export function withoutCodes(text: string): string {
  return withoutStyle(text.replace(CODES, ""));
}
