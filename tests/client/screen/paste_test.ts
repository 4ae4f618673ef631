import { assert, assertEquals } from "@std/assert";
import { PasteFilter } from "../../../client/screen/paste.ts";
import { Typist } from "../../support/typist.ts";

/** A paste with the marks of a terminal. */
function marked(text: string): string {
  return `\x1b[200~${text}\x1b[201~`;
}

/** The line after the keys. */
function typed(keys: string): string {
  const typist = new Typist();
  for (const key of keys) {
    if (key === "\x7f") typist.press("backspace");
    else typist.type(key);
  }
  return typist.editor.state.text;
}

Deno.test("PasteFilter passes typed text and keys on", () => {
  const filter = new PasteFilter();
  for (const chunk of ["a", "日本", "\x1b", "\x1b[A", "\x1b[", "connect 2\rsend hi\r", "\x7f"]) {
    assertEquals(filter.filter(chunk), chunk);
  }
});

Deno.test("PasteFilter types a short paste without its line end", () => {
  assertEquals(new PasteFilter().filter(`x${marked("hi\tyou\x1b[A\r\n")}y`), "xhi you[Ay");
});

Deno.test("PasteFilter replaces a paste of several lines by a token, and expands it", () => {
  const filter = new PasteFilter();
  const line = filter.filter(`send ${marked("a\r\nb\rc\n")} end`);
  assertEquals(line, "send [paste 1: 3 lines, 5 characters] end");
  assertEquals(filter.expand(line), "send a\nb\nc end");
  assertEquals(
    filter.expand("[paste 1: 2 lines, 5 characters]"),
    "[paste 1: 2 lines, 5 characters]",
  );
});

Deno.test("PasteFilter finds marks that are split between chunks", () => {
  const text = `go ${marked("one\ntwo")} on`;
  for (let at = 1; at < text.length; at++) {
    // ESC and ESC [ can be keys, or begin one.
    const start = text.indexOf("\x1b");
    if (at === start + 1 || at === start + 2) continue;
    const filter = new PasteFilter();
    const line = filter.filter(text.slice(0, at)) + filter.filter(text.slice(at));
    assertEquals(filter.expand(line), "go one\ntwo on", `cut at ${at}`);
  }
});

Deno.test("PasteFilter makes one token of a long unmarked paste", () => {
  const filter = new PasteFilter();
  const text = "y".repeat(60_000);
  let keys = "";
  for (let at = 0; at < text.length; at += 4096) keys += filter.filter(text.slice(at, at + 4096));
  const line = typed(keys);
  assertEquals(line, "[paste 1: 60000 characters]");
  assertEquals(filter.expand(line), text);
  assert(keys.length < 2000);
});

Deno.test("PasteFilter keeps the line ends of an unmarked paste", () => {
  const filter = new PasteFilter();
  const long = "z".repeat(300);
  const keys = filter.filter(`connect 2\r${long}\rleave\r`);
  assertEquals(keys, "connect 2\r[paste 1: 300 characters]\rleave\r");
});

Deno.test("PasteFilter keeps only the last pastes", () => {
  const filter = new PasteFilter();
  const tokens = Array.from({ length: 10 }, (_, index) => filter.filter(marked(`a\n${index}`)));
  assertEquals(filter.expand(tokens[0]!), tokens[0]);
  assertEquals(filter.expand(tokens[9]!), "a\n9");
});

Deno.test("PasteFilter returns each new token's paste once, and finds its token in a line", () => {
  const filter = new PasteFilter();
  filter.filter(marked("short"));
  assertEquals(filter.takeNew(), []);
  const line = filter.filter(`send ${marked("a\r\nb")}`);
  assertEquals(filter.takeNew(), ["a\nb"]);
  assertEquals(filter.takeNew(), []);
  assertEquals(filter.hasPaste(line), true);
  assertEquals(filter.hasPaste("send [paste 7: 2 lines, 3 characters]"), false);
});

Deno.test("PasteFilter lets Ctrl-C through a paste whose end mark got lost", () => {
  const filter = new PasteFilter();
  assertEquals(filter.filter("\x1b[200~half"), "");
  assert(filter.isOpen);
  assertEquals(filter.filter("\x03"), "half\x03");
  assert(!filter.isOpen);
  assertEquals(filter.filter("x"), "x");
});

Deno.test("PasteFilter ends a paste without its mark when asked to, also in the middle of one", () => {
  for (const cut of ["", "\x1b[20", "\x1b[201"]) {
    const filter = new PasteFilter();
    const line = filter.filter(`\x1b[200~a\nb${cut}`) + filter.end();
    assertEquals(filter.expand(line), "a\nb");
    assertEquals(filter.filter("\x1b[A"), "\x1b[A");
    assertEquals(filter.end(), "");
  }
});

Deno.test("PasteFilter takes a start mark inside a paste for nothing", () => {
  const filter = new PasteFilter();
  assertEquals(filter.filter("\x1b[200~a\x1b[200~b\x1b[201~c"), "abc");
  assert(!filter.isOpen);
});

Deno.test("PasteFilter leaves a key of Ctrl-C inside a longer chunk to the paste", () => {
  const filter = new PasteFilter();
  assertEquals(filter.filter("\x1b[200~a\x03"), "");
  assertEquals(filter.filter("b\x1b[201~"), "ab");
});
