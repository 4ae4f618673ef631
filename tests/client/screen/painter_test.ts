import { assert, assertEquals } from "@std/assert";
import { type DraftPicture, pictureOf } from "../../../client/screen/draft_layout.ts";
import { Painter } from "../../../client/screen/painter.ts";
import { Prng } from "../../support/random.ts";
import { VirtualTerminal } from "../../support/virtual_terminal.ts";
import { IS_FULL } from "../../support/scale.ts";

/** 110 words, without one that comes twice. */
const TALL = Array.from({ length: 110 }, (_, index) => `word${index}`).join(" ");

/** A terminal, and what a client draws on it. */
class Easel {
  readonly terminal: VirtualTerminal;
  readonly painter = new Painter();
  /** The number of columns that the client knows of. */
  columns: number;
  rowsMax: number;
  top = 0;

  constructor(columns: number, height: number) {
    this.terminal = new VirtualTerminal(columns, height);
    this.columns = columns;
    this.rowsMax = Math.floor(height / 2);
  }

  draw(text: string, cursor = text.length, printed = ""): DraftPicture {
    const picture = pictureOf("bob > ", { text, cursor }, this, this.top);
    this.top = picture.top;
    this.terminal.write(this.painter.paint(printed, picture, this.columns));
    return picture;
  }
}

Deno.test("Painter draws the prompt and the draft, with the cursor where it is", () => {
  const easel = new Easel(20, 10);
  easel.draw("");
  assertEquals(easel.terminal.rows(), ["bob >"]);
  easel.draw("a line that is longer than a row", 3);
  assertEquals(easel.terminal.rows(), ["bob > a line that is", " longer than a row"]);
  assertEquals(easel.terminal.cursor, [9, 0]);
  easel.draw("a line", 6, "← bob: hi\n");
  assertEquals(easel.terminal.rows(), ["← bob: hi", "bob > a line"]);
  assertEquals(easel.terminal.cursor, [12, 1]);
});

Deno.test("Painter writes only what is added at the end", () => {
  const painter = new Painter();
  const paint = (text: string): string =>
    painter.paint(
      "",
      pictureOf("> ", { text, cursor: text.length }, { columns: 9, rowsMax: 5 }),
      9,
    );
  paint("ab");
  assertEquals(paint("abc"), "c");
  assertEquals(paint("abc"), "");
  assert(paint("abcdefgh").includes("\r\n"), "another row");
});

Deno.test("Painter leaves a line on the screen, and erases the draft", () => {
  const easel = new Easel(20, 10);
  easel.draw("a line that is longer than a row", 3);
  assertEquals(easel.painter.rows, 2);
  easel.terminal.write(easel.painter.leave());
  easel.draw("next");
  easel.terminal.write(easel.painter.erase("the end\n", 20));
  assertEquals(easel.terminal.rows(), ["bob > a line that is", " longer than a row", "the end"]);
});

Deno.test("a draft taller than the screen leaves no copy of itself, and messages stay", () => {
  const easel = new Easel(40, 10);
  let text = "";
  let messages = 0;
  for (const word of TALL.split(" ")) {
    text += `${word} `;
    easel.draw(text);
    if (/[05]$/.test(word)) easel.draw(text, text.length, `← bob: message ${messages++}\n`);
  }
  for (let at = text.length; at >= 0; at -= 7) easel.draw(text, at);
  easel.draw(text, 0, `← bob: message ${messages++}\n`);
  const all = easel.terminal.all();
  const printed = all.filter((row) => row.startsWith("← bob"));
  assertEquals(printed, Array.from({ length: messages }, (_, index) => `← bob: message ${index}`));
  assertEquals(all.length, messages + easel.rowsMax, "nothing else is above the draft");
  assert(easel.terminal.rows().filter((row) => row.startsWith("← bob")).length >= 5);
});

Deno.test("pictureOf() shows the rows around the cursor, and how many are hidden", () => {
  const text = "aaaa\nbbbb\ncccc\ndddd\neeee\nffff";
  const size = { columns: 22, rowsMax: 4 };
  const shown = (cursor: number, top = 0): unknown[] => {
    const picture = pictureOf("> ", { text, cursor }, size, top);
    return [picture.rows, picture.cursorRow, picture.beforeCursor];
  };
  assertEquals(shown(text.length), [["> ↑ 3 more", "dddd", "eeee", "ffff"], 3, "ffff"]);
  assertEquals(shown(16, 3), [["> ↑ 3 more", "dddd", "eeee", "ffff"], 1, "d"], "scrolls late");
  assertEquals(shown(11, 3), [["> ↑ 2 more · ↓ 1 more", "cccc", "dddd", "eeee"], 1, "c"]);
  assertEquals(shown(0, 3), [["> aaaa", "bbbb", "cccc", "↓ 3 more"], 0, "> "]);
  const one = pictureOf("> ", { text, cursor: 12 }, { columns: 20, rowsMax: 1 });
  assertEquals([one.rows, one.cursorRow, one.beforeCursor], [["cccc"], 0, "cc"]);
});

Deno.test("Painter erases no printed row, whatever the size is while it draws", () => {
  for (let seed = 0; seed < (IS_FULL ? 50 : 10); seed++) {
    const random = new Prng(seed);
    const easel = new Easel(20 + random.int(60), 6 + random.int(20));
    const printed: string[] = [];
    let text = "";
    for (let step = 0; step < 60; step++) {
      switch (random.int(4)) {
        case 0:
          // The client may not know of the new size yet. Once it does, it draws.
          easel.terminal.resize(20 + random.int(60), 6 + random.int(20));
          if (random.int(2) === 0) break;
          easel.columns = easel.terminal.columns;
          easel.draw(text);
          break;
        case 1:
          printed.push(`<${printed.length}>`);
          easel.draw(text, random.int(text.length + 1), `${printed.at(-1)}\n`);
          break;
        case 2:
          text = text.length > 300 ? "" : `${text}${"draft ".repeat(random.int(9))}`;
          easel.draw(text);
          break;
        default:
          easel.draw(text, random.int(text.length + 1));
      }
    }
    easel.columns = easel.terminal.columns;
    easel.draw(text);
    // What was drawn too wide may stay in front of it.
    const kept = easel.terminal.all().join("").match(/<\d+>/g) ?? [];
    assertEquals(kept, printed, `seed ${seed}`);
  }
});
