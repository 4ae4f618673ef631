/**
 * Pastes on a terminal: a long one, or one of several lines, becomes a short token in the draft,
 * which is expanded when the draft is entered. So a paste is never a burst of commands, and the
 * line editor, which processes the whole line for every key, stays fast.
 *
 * @module
 */
import { BoundedMap } from "../../protocol/bounded_map.ts";
import { textSize } from "../output/words.ts";

/** Turns "bracketed paste" on: the terminal marks pastes. */
export const MARK_PASTES = "\x1b[?2004h";
/** Turns it off. */
export const MARK_PASTES_OFF = "\x1b[?2004l";

const START = "\x1b[200~";
const END = "\x1b[201~";

/** Ctrl-C. */
export const INTERRUPT = "\x03";

/** Characters in the longest paste that goes into the draft as it is. */
const SHORT_PASTE_MAX = 200;
/** Characters in one unmarked chunk that must be a paste; and that continue one. */
const RUN_MIN = 200;
const RUN_CONTINUED_MIN = 32;
/** Characters that are kept of a paste: more than a message can have. */
const PASTE_LENGTH_MAX = 512 * 1024;
/** Pastes that are kept, for lines that are recalled from the history. */
const PASTES_MAX = 8;

/** What stands in the draft for a paste. */
export const PASTE_TOKENS = /\[paste \d+: [^\]]*\]/g;
/** The beginning of such a token, at the end of a text. */
export const PASTE_TOKEN_BEGUN = /\[paste [^\]]*$/;

/** A filter between the terminal and the line editor. */
export class PasteFilter {
  readonly #texts = new BoundedMap<string, string>(PASTES_MAX);
  #count = 0;
  /** The marked paste that is being received. */
  #paste: string | undefined;
  /** The beginning of a mark at the end of a chunk. */
  #partial = "";
  /** The token at the end of the last chunk, which may continue an unmarked paste. */
  #openToken: string | undefined;
  /** Marked pastes for takeNew(). */
  #fresh: string[] = [];

  /** Whether a paste is being received whose end has not come. */
  get isOpen(): boolean {
    return this.#paste !== undefined;
  }

  /** Returns what the line editor gets of a chunk from the terminal. */
  filter(chunk: string): string {
    // The key, on its own: whatever was lost of a paste, it works.
    if (chunk === INTERRUPT) return this.end() + chunk;
    let rest = this.#partial + chunk;
    let typed = "";
    this.#partial = "";
    for (;;) {
      const mark = this.#paste === undefined ? START : END;
      const at = rest.indexOf(mark);
      const end = at < 0 ? rest.length - partialLength(rest, mark) : at;
      const before = rest.slice(0, end);
      if (this.#paste === undefined) typed += this.#typed(before);
      else this.#paste = (this.#paste + before).slice(0, PASTE_LENGTH_MAX);
      if (at < 0) {
        this.#partial = rest.slice(end);
        return typed;
      }
      if (this.#paste !== undefined) typed += this.#pasted(this.#paste);
      this.#paste = this.#paste === undefined ? "" : undefined;
      rest = rest.slice(at + mark.length);
    }
  }

  /** Ends a paste whose end mark got lost; returns what the line editor gets. */
  end(): string {
    const paste = this.#paste;
    this.#partial = "";
    this.#paste = undefined;
    return paste === undefined ? "" : this.#pasted(paste);
  }

  /** The marked pastes that became tokens since the last call. */
  takeNew(): string[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh;
  }

  /** The line with its pastes in place of their tokens. */
  expand(line: string): string {
    return line.replace(PASTE_TOKENS, (token) => this.#texts.get(token) ?? token);
  }

  /** Whether a line has the token of a paste. */
  hasPaste(line: string): boolean {
    return (line.match(PASTE_TOKENS) ?? []).some((token) => this.#texts.has(token));
  }

  #pasted(paste: string): string {
    const text = paste.replaceAll(START, "").replace(/\r\n?/g, "\n").replace(/\n+$/, "");
    this.#openToken = undefined;
    if (text.includes("\n") || text.length > SHORT_PASTE_MAX) {
      this.#fresh.push(text);
      return this.#token(text);
    }
    return text.replace(/\t/g, " ").replace(/\p{Cc}/gu, "");
  }

  /** Long runs of text in one chunk were pasted, even where the terminal does not mark pastes. */
  #typed(text: string): string {
    if (text === "") return "";
    const continued = this.#continue(text);
    const [erased, rest] = continued ?? ["", text];
    if (rest === "") return erased;
    this.#openToken = undefined;
    return erased + rest.replace(/\P{Cc}+/gu, (run: string, at: number) => {
      if (run.length < RUN_MIN) return run;
      const token = this.#token(run);
      if (at + run.length === rest.length) this.#openToken = token;
      return token;
    });
  }

  /** Replaces the open token, which one backspace erases, by one for the longer paste. */
  #continue(text: string): [typed: string, rest: string] | undefined {
    const open = this.#openToken;
    const run = /^\P{Cc}+/u.exec(text)?.[0] ?? "";
    if (open === undefined || run.length < RUN_CONTINUED_MIN) return undefined;
    const before = this.#texts.get(open) ?? "";
    this.#texts.delete(open);
    const token = this.#token((before + run).slice(0, PASTE_LENGTH_MAX), this.#count);
    this.#openToken = token;
    return [`\x7f${token}`, text.slice(run.length)];
  }

  #token(text: string, number = this.#count + 1): string {
    const token = `[paste ${number}: ${textSize(text)}]`;
    this.#count = number;
    this.#texts.set(token, text);
    return token;
  }
}

/**
 * How many characters at the end of `text` may be the beginning of `mark`. ESC alone, or with a
 * bracket, does not count: a key may send that.
 */
function partialLength(text: string, mark: string): number {
  const shortest = mark === START ? 3 : 1;
  for (let length = mark.length - 1; length >= shortest; length--) {
    if (text.endsWith(mark.slice(0, length))) return length;
  }
  return 0;
}
