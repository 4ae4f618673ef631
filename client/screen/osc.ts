/**
 * What a terminal shows beside its rows: its title and notifications, as Operating System Commands
 * (ECMA-48, OSC).
 *
 * Each ends with ST, not with BEL, so that a terminal that knows none of them rings no bell. The texts
 * are cleaned here, whoever they come from: none can end a command or begin another.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";
import { cutToWidth } from "../../cli/wrap.ts";

/** Columns of the longest title or notification. */
const TEXT_COLUMNS_MAX = 80;

const OSC = "\x1b]";
const ST = "\x1b\\";
/** Terminals that show both kinds of notifications, and would show each one twice. */
const SHOWS_BOTH = /kitty|ghostty|wezterm/;

/** Puts the title on the terminal's stack of titles (XTWINOPS). */
export const SAVE_TITLE = "\x1b[22;2t";
/** Gives the saved title back; a terminal without a stack shows its own default instead of an empty one. */
export const RESTORE_TITLE = `${OSC}2;${ST}\x1b[23;2t`;

/** Shows a title. */
export function titleCode(text: string): string {
  return `${OSC}2;${clean(text)}${ST}`;
}

/**
 * Shows a notification on the desktop: as OSC 9 and, for terminals that know only that, as OSC 777.
 *
 * @param terminal its name, as in the environment variable `TERM`.
 */
export function notificationCode(text: string, terminal = ""): string {
  const body = clean(text);
  const plain = `${OSC}9;${body}${ST}`;
  return SHOWS_BOTH.test(terminal) ? plain : `${plain}${OSC}777;notify;udp-chat;${body}${ST}`;
}

/** A text without controls, nor the semicolon that parts the fields of a command. */
function clean(text: string): string {
  return cutToWidth(cleanText(text).replaceAll(";", ","), TEXT_COLUMNS_MAX);
}
