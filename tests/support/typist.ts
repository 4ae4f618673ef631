/**
 * Keys for a line editor, by short names: `C-a`, `M-b`, `up`, `return`; `C-_` for undo.
 *
 * @module
 */
import { draftRows } from "../../client/screen/draft_layout.ts";
import type { Key } from "../../client/screen/keys.ts";
import { LineEditor, type Request } from "../../client/screen/line_editor.ts";

/** A line editor with somebody who types. */
export class Typist {
  readonly editor: LineEditor;

  /** @param history lines of earlier runs, the latest first. */
  constructor(history: readonly string[] = [], columns = 80) {
    this.editor = new LineEditor(history, (text) => draftRows("> ", text, columns));
  }

  /** The text, with a bar for the cursor. */
  get shown(): string {
    const { text, cursor } = this.editor.state;
    return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
  }

  /** Types a text, code point by code point as `node:readline` does. */
  type(text: string): this {
    for (const typed of text) this.editor.press(typed, { sequence: typed, name: nameOf(typed) });
    return this;
  }

  /** Presses keys; returns what the last one asks for. */
  press(...keys: string[]): Request | undefined {
    let request: Request | undefined;
    for (const key of keys) request = this.editor.press(undefined, keyOf(key));
    return request;
  }

  /** Types a text and enters it. */
  enter(text: string): this {
    this.type(text).editor.clear();
    return this;
  }
}

function nameOf(typed: string): string | undefined {
  if (typed === " ") return "space";
  return /^[a-z0-9]$/.test(typed) ? typed : undefined;
}

function keyOf(key: string): Key {
  if (key === "C-_") return { sequence: "\x1f" };
  if (key === "C-^") return { sequence: "\x1e" };
  const [, modifiers = "", name = ""] = /^((?:[CM]-)*)(.+)$/.exec(key) ?? [];
  return { name, ctrl: modifiers.includes("C"), meta: modifiers.includes("M"), sequence: "" };
}
