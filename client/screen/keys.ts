/**
 * The keys of the line editor: one table for what they do, and for the help.
 *
 * @module
 */

/** A key as `node:readline` reports it. */
export interface Key {
  readonly name?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
  readonly sequence?: string | undefined;
}

/** What a key does. */
export type Action =
  | "left"
  | "right"
  | "wordLeft"
  | "wordRight"
  | "lineStart"
  | "lineEnd"
  | "up"
  | "down"
  | "older"
  | "newer"
  | "search"
  | "deleteLeft"
  | "deleteRight"
  | "deleteRightOrEnd"
  | "killWordLeft"
  | "killUnspacedLeft"
  | "killWordRight"
  | "killLineStart"
  | "killLineEnd"
  | "yank"
  | "yankOlder"
  | "transpose"
  | "undo"
  | "redo"
  | "lineBreak"
  | "enter"
  | "complete"
  | "interrupt"
  | "stop"
  | "clearScreen"
  | "giveUp";

/** The keys by the names that keyName() gives. */
const ACTIONS: Readonly<Record<string, Action>> = {
  "left": "left",
  "C-b": "left",
  "right": "right",
  "C-f": "right",
  "M-b": "wordLeft",
  "M-left": "wordLeft",
  "C-left": "wordLeft",
  "M-f": "wordRight",
  "M-right": "wordRight",
  "C-right": "wordRight",
  "home": "lineStart",
  "C-a": "lineStart",
  "end": "lineEnd",
  "C-e": "lineEnd",
  "up": "up",
  "down": "down",
  "C-p": "older",
  "C-n": "newer",
  "C-r": "search",
  "backspace": "deleteLeft",
  "C-h": "deleteLeft",
  "delete": "deleteRight",
  "C-d": "deleteRightOrEnd",
  "C-w": "killUnspacedLeft",
  "M-backspace": "killWordLeft",
  "C-backspace": "killWordLeft",
  "M-d": "killWordRight",
  "C-delete": "killWordRight",
  "M-delete": "killWordRight",
  "C-u": "killLineStart",
  "C-k": "killLineEnd",
  "C-y": "yank",
  "M-y": "yankOlder",
  "C-t": "transpose",
  "\x1f": "undo",
  "\x1e": "redo",
  "M-return": "lineBreak",
  "M-enter": "lineBreak",
  "return": "enter",
  "enter": "enter",
  "tab": "complete",
  "C-c": "interrupt",
  "C-z": "stop",
  "C-l": "clearScreen",
  "C-g": "giveUp",
};

/** The keys, and what they do, for people. */
export const KEYS_HELP: readonly (readonly [keys: string, help: string])[] = [
  ["Up, Down", "move in the draft, then to older lines, and back"],
  ["Ctrl-R", "search the older lines; again: one before that"],
  ["Tab", "complete a command, name or path; twice: show all"],
  ["Alt-Enter", "break the line without sending it"],
  ["Ctrl-U, Ctrl-K, Ctrl-W", "cut to the start, to the end, the last word"],
  ["Ctrl-Y, Alt-Y", "put back what was cut; then an older one instead"],
  ["Ctrl-_", "undo"],
  ["Ctrl-D", "leave, on an empty line; while connected, twice"],
  ["Ctrl-C", "cancel a call, or drop the draft, or leave likewise"],
];

/** The action of a key, undefined if it has none. */
export function actionOf(key: Key): Action | undefined {
  const name = keyName(key);
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
}

/** `C-a`, `M-left`, or the characters of a key without a name. */
function keyName({ name, ctrl, meta, sequence = "" }: Key): string {
  if (name === undefined) return sequence;
  return `${ctrl ? "C-" : ""}${meta ? "M-" : ""}${name}`;
}
