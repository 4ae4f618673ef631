/**
 * Where a cursor can stand in a text: between graphemes, and at the ends of words. The token of a
 * paste is like one grapheme. Indices count UTF-16 code units.
 *
 * @module
 */

import { PASTE_TOKENS } from "./paste.ts";

const graphemes = new Intl.Segmenter();

/** A letter, digit, or mark on one. */
const WORD = /[\p{L}\p{N}\p{M}_]/u;
const SPACE = /^\s+$/u;

/** The beginning of the grapheme before `at`. */
export function graphemeBefore(text: string, at: number): number {
  if (at <= 0) return 0;
  return tokenWith(text, at - 1)?.start ?? graphemes.segment(text).containing(at - 1)?.index ?? 0;
}

/** The end of the grapheme after `at`. */
export function graphemeAfter(text: string, at: number): number {
  const token = tokenWith(text, at);
  if (token !== undefined) return token.end;
  const found = graphemes.segment(text).containing(at);
  return found === undefined ? text.length : found.index + found.segment.length;
}

/** The nearest place for a cursor that is not within the token of a paste. */
export function outsideToken(text: string, at: number): number {
  const token = tokenWith(text, at);
  if (token === undefined || at === token.start) return at;
  return at - token.start < token.end - at ? token.start : token.end;
}

/** The beginning of the word before `at`; a word has letters and digits. */
export function wordBefore(text: string, at: number): number {
  return skipBefore(text, skipBefore(text, at, (each) => !WORD.test(each)), isWord);
}

/** The end of the word after `at`. */
export function wordAfter(text: string, at: number): number {
  return skipAfter(text, skipAfter(text, at, (each) => !WORD.test(each)), isWord);
}

/** The beginning of what stands between spaces before `at`. */
export function unspacedBefore(text: string, at: number): number {
  return skipBefore(text, skipBefore(text, at, isSpace), (each) => !SPACE.test(each));
}

/** The beginning of the line that `at` is in; lines end with a line break. */
export function lineStart(text: string, at: number): number {
  return at <= 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
}

/** The end of the line that `at` is in. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** The token of a paste that this character is in. */
function tokenWith(text: string, at: number): { start: number; end: number } | undefined {
  for (const { 0: token, index } of text.matchAll(PASTE_TOKENS)) {
    if (index <= at && at < index + token.length) {
      return { start: index, end: index + token.length };
    }
  }
  return undefined;
}

function isWord(grapheme: string): boolean {
  return WORD.test(grapheme);
}

function isSpace(grapheme: string): boolean {
  return SPACE.test(grapheme);
}

function skipBefore(text: string, from: number, skips: (grapheme: string) => boolean): number {
  let at = from;
  while (at > 0) {
    const before = graphemeBefore(text, at);
    if (!skips(text.slice(before, at))) break;
    at = before;
  }
  return at;
}

function skipAfter(text: string, from: number, skips: (grapheme: string) => boolean): number {
  let at = from;
  while (at < text.length) {
    const after = graphemeAfter(text, at);
    if (!skips(text.slice(at, after))) break;
    at = after;
  }
  return at;
}
