import { assertEquals } from "@std/assert";
import { actionOf, KEYS_HELP } from "../../../client/screen/keys.ts";
import { Typist } from "../../support/typist.ts";

const REPORT = "see you at ten, bring the report";

/** Graphemes of several code points. */
const GRAPHEMES = ["👍🏽", "🇩🇪", "👨‍👩‍👧‍👦", "e\u0301", "日", "❤️", "\u1112\u1161\u11ab"];

Deno.test("LineEditor: Up in the middle of a draft loses nothing of it", () => {
  for (const history of [[], ["see you", "list"], ["no match"]]) {
    const typist = new Typist(history).type(REPORT);
    typist.press("M-b", "M-b");
    const before = "see you at ten, bring |the report";
    assertEquals(typist.shown, before);
    typist.press("up");
    assertEquals(typist.shown, history.length === 0 ? before : `${history[0]}|`);
    typist.press("up", "up", "up");
    typist.press("down", "down", "down", "down");
    assertEquals(typist.shown, before, "the draft comes back, with its cursor");
  }
});

Deno.test("LineEditor: Up and Down move in a draft of several rows first", () => {
  const typist = new Typist(["list"], 12).type("first row and the second");
  typist.press("up");
  assertEquals(typist.shown, "first row an|d the second", "the column of the end");
  typist.press("right", "right", "up");
  assertEquals(typist.shown, "fi|rst row and the second", "after the prompt");
  typist.press("down", "down");
  assertEquals(typist.shown, "first row and the second|");
  typist.press("up", "up", "up");
  assertEquals(typist.shown, "list|");
  typist.press("down");
  assertEquals(typist.shown, "fi|rst row and the second");
  typist.press("down", "down", "down");
  assertEquals(typist.shown, "first row and the second|", "not beyond the last row");
});

Deno.test("LineEditor: Up keeps its column over a short row", () => {
  const typist = new Typist().type("a long row");
  typist.press("M-return");
  typist.type("b");
  typist.press("M-return");
  typist.type("another row");
  typist.press("up");
  assertEquals(typist.shown, "a long row\nb|\nanother row");
  typist.press("up");
  assertEquals(typist.shown, "a long ro|w\nb\nanother row");
});

Deno.test("LineEditor: Up goes through lines of several rows one by one", () => {
  const typist = new Typist().enter("list").enter("x".repeat(300)).type("draft");
  typist.press("up");
  typist.press("up");
  assertEquals(typist.shown, "list|");
  typist.press("down");
  assertEquals(typist.editor.state.text, "x".repeat(300));
  typist.press("down");
  assertEquals(typist.shown, "draft|");
});

Deno.test("LineEditor: what is typed in a recalled line stays until a line is entered", () => {
  const typist = new Typist(["two", "one"]).type("draft");
  typist.press("up", "up");
  typist.type(" and more");
  typist.press("down");
  assertEquals(typist.shown, "two|");
  typist.press("up");
  assertEquals(typist.shown, "one and more|");
  typist.editor.clear();
  assertEquals(typist.shown, "|");
  typist.press("up");
  assertEquals(typist.shown, "draft|", "the draft that was left is kept as a line");
  typist.press("up");
  assertEquals(typist.shown, "one and more|");
  typist.press("up", "up");
  assertEquals(typist.shown, "one|", "as it was");
});

Deno.test("LineEditor: Ctrl-P and Ctrl-N go through the lines from any row", () => {
  const typist = new Typist(["two", "one"]).type("a");
  typist.press("M-return");
  typist.press("C-p", "C-p");
  assertEquals(typist.shown, "one|");
  typist.press("C-n", "C-n");
  assertEquals(typist.shown, "a\n|");
});

Deno.test("LineEditor: Ctrl-R searches, and Down comes back to the draft", () => {
  const history = ["connect carol", "list", "Connect bob"];
  const typist = new Typist(history).type("draft");
  typist.press("C-r");
  assertEquals(typist.editor.search, { ...typist.editor.search, text: "", hasFailed: false });
  typist.type("conn");
  assertEquals(typist.shown, "|connect carol");
  typist.press("C-r");
  assertEquals(typist.shown, "|Connect bob", "upper and lower case are the same");
  typist.press("C-r");
  assertEquals([typist.shown, typist.editor.search?.hasFailed], ["|Connect bob", true]);
  typist.press("backspace");
  assertEquals([typist.shown, typist.editor.search?.hasFailed], ["|connect carol", false]);
  typist.press("C-e");
  assertEquals([typist.shown, typist.editor.search], ["connect carol|", undefined]);
  typist.press("down");
  assertEquals(typist.shown, "draft|");
});

Deno.test("LineEditor: Ctrl-R with Enter enters the line, with Ctrl-G gives up", () => {
  const typist = new Typist(["list", "connect bob"]).type("draft");
  typist.press("C-r");
  typist.type("bob");
  assertEquals(typist.press("return"), "enter");
  assertEquals(typist.editor.state.text, "connect bob");
  typist.editor.clear();
  typist.press("up");
  assertEquals(typist.shown, "draft|", "it is not lost by the search");
  for (const key of ["C-g", "C-c"]) {
    typist.press("C-r");
    typist.type("list");
    assertEquals(typist.press(key), undefined, "the key ends the search alone");
    assertEquals(typist.shown, "draft|");
  }
  typist.press("C-r");
  typist.type("zoo");
  assertEquals(typist.editor.search?.hasFailed, true);
  typist.press("right");
  assertEquals(typist.shown, "draft|", "nothing was found");
});

Deno.test("LineEditor: kills go together, and are yanked back", () => {
  const typist = new Typist().type("one two three");
  typist.press("C-w", "C-w");
  assertEquals(typist.shown, "one |");
  typist.press("C-y");
  assertEquals(typist.shown, "one two three|");
  typist.press("home", "C-k");
  typist.press("C-y", "C-y");
  assertEquals(typist.shown, "one two threeone two three|");
  typist.press("C-u");
  assertEquals(typist.shown, "|");
  typist.press("C-y", "M-y");
  assertEquals(typist.shown, "one two three|");
  typist.press("M-y");
  assertEquals(typist.shown, "two three|");
});

Deno.test("LineEditor: Ctrl-W cuts to a space, Alt-Backspace and Alt-D cut a word", () => {
  const typist = new Typist().type("see https://a.example/b?c");
  typist.press("M-backspace");
  assertEquals(typist.shown, "see https://a.example/b?|");
  typist.press("C-w");
  assertEquals(typist.shown, "see |");
  typist.press("home", "M-d");
  assertEquals(typist.shown, "| ");
});

Deno.test("LineEditor: Ctrl-K and Ctrl-U cut to the ends of a line, then its break", () => {
  const typist = new Typist().type("one");
  typist.press("M-return");
  typist.type("two");
  typist.press("up", "C-e", "C-u");
  assertEquals(typist.shown, "|\ntwo");
  typist.press("C-k");
  assertEquals(typist.shown, "|two");
});

Deno.test("LineEditor: undo goes back word by word, redo forth", () => {
  const typist = new Typist().type("one two  three");
  typist.press("C-_");
  assertEquals(typist.shown, "one two  |");
  typist.press("C-_");
  assertEquals(typist.shown, "one |");
  typist.press("C-^");
  assertEquals(typist.shown, "one two  |");
  typist.press("C-w", "C-_");
  assertEquals(typist.shown, "one two  |", "a cut as well");
  typist.press("C-_", "C-_", "C-_", "C-_");
  assertEquals(typist.shown, "|");
});

Deno.test("LineEditor: a dropped draft can be yanked back, or undone", () => {
  const typist = new Typist().type("draft");
  typist.press("left", "left");
  typist.editor.drop();
  assertEquals(typist.shown, "|");
  typist.press("C-_");
  assertEquals(typist.shown, "dra|ft");
  typist.editor.drop();
  typist.press("C-y");
  assertEquals(typist.shown, "draft|");
});

Deno.test("LineEditor: backspace, delete and the arrows take a grapheme", () => {
  for (const grapheme of GRAPHEMES) {
    const typist = new Typist().type(`a${grapheme}b`);
    typist.press("left", "left");
    assertEquals(typist.shown, `a|${grapheme}b`);
    typist.press("right");
    assertEquals(typist.shown, `a${grapheme}|b`);
    typist.press("backspace");
    assertEquals(typist.shown, "a|b");
    typist.press("C-_", "left", "delete");
    assertEquals(typist.shown, "a|b");
    typist.press("C-_");
    assertEquals(typist.editor.state.text, `a${grapheme}b`);
  }
});

Deno.test("LineEditor: the token of a paste is never taken apart", () => {
  const token = "[paste 1: 3 lines, 5 characters]";
  const typist = new Typist().type(`a ${token}`);
  typist.press("C-_");
  assertEquals(typist.shown, "a |");
  typist.press("C-^");
  typist.type("b");
  typist.press("left", "left");
  assertEquals(typist.shown, `a |${token}b`);
  typist.press("right", "backspace");
  assertEquals(typist.shown, "a |b");
  typist.press("C-_", "C-w", "C-_", "home", "M-f", "right", "M-d");
  assertEquals(typist.shown, "a |");
});

Deno.test("LineEditor: Up does not stop within the token of a paste", () => {
  const token = "[paste 1: 3 lines, 5 characters]";
  const typist = new Typist().type(token);
  typist.press("M-return");
  typist.type("a longer line, or what");
  typist.press("up");
  assertEquals(typist.shown, `${token}|\na longer line, or what`);
  typist.press("down", "home", "right", "up");
  assertEquals(typist.shown, `|${token}\na longer line, or what`);
});

Deno.test("LineEditor: Ctrl-T exchanges two graphemes", () => {
  const typist = new Typist().type("a👍🏽");
  typist.press("C-t");
  assertEquals(typist.shown, "👍🏽a|");
  typist.press("home", "C-t");
  assertEquals(typist.shown, "|👍🏽a");
});

Deno.test("LineEditor asks its owner to enter, complete, interrupt and end", () => {
  const typist = new Typist();
  assertEquals(typist.press("C-d"), "end");
  typist.type("ab");
  typist.press("home");
  assertEquals(typist.press("C-d"), undefined);
  assertEquals(typist.shown, "|b", "on a draft it deletes");
  assertEquals(["return", "tab", "C-c", "C-z", "C-l"].map((key) => typist.press(key)), [
    "enter",
    "complete",
    "interrupt",
    "stop",
    "clearScreen",
  ]);
  typist.press("return");
  assertEquals(typist.press("enter"), undefined, "a line end of two characters is one");
  assertEquals(typist.press("enter"), "enter");
});

Deno.test("LineEditor ignores keys without an action, and controls", () => {
  const typist = new Typist().type("a\x07\x00b");
  typist.press("f5", "M-x", "C-o", "escape", "pageup");
  assertEquals(typist.shown, "ab|");
});

Deno.test("actionOf() knows no key by a name of all objects", () => {
  assertEquals(actionOf({ name: "constructor" }), undefined);
});

Deno.test("KEYS_HELP fits into 80 columns", () => {
  const width = Math.max(...KEYS_HELP.map(([keys]) => keys.length));
  assertEquals(KEYS_HELP.filter(([, help]) => 4 + width + help.length > 80), []);
});
