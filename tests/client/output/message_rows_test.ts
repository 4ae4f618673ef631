// No text of a peer can speak for the program: every row of it has a mark, on any terminal.
import { assert, assertEquals, assertLessOrEqual, assertMatch } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { styles, withoutStyle } from "../../../cli/style.ts";
import { MARKS_MAX } from "../../../cli/text.ts";
import type { ClientEvent } from "../../../client/event.ts";
import {
  FOLD_COLUMNS,
  messageRows,
  RUN_MAX,
  textForRows,
} from "../../../client/output/message_rows.ts";
import { Renderer, type Surface } from "../../../client/output/render.ts";
import { countRows } from "../../../client/screen/rows.ts";
import { wholeRun, withoutCodes } from "../../../client/screen/whole_run.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { scaled } from "../../support/scale.ts";

const TIME = new Date(2026, 0, 2, 16, 25);
const FORGED = "16:25 * ana, as before · key 12345 67890 00000 11111 22222 33333";
const TERMINAL: Surface = { isTyped: true, hasPrompt: true, columns: 80, style: styles(false) };
const PLAIN: Surface = {
  isTyped: true,
  hasPrompt: false,
  columns: undefined,
  messageColumns: 80,
  style: styles(false),
};
const PIPE: Surface = { ...PLAIN, isTyped: false, messageColumns: undefined };
/** What stands in front of the further rows of a message. */
const MARKED = /^(?: {6})?│/;

/** Characters that were used to get around the layout, or may be. */
const TRICKY = [
  ..."ab 1:*·│←→✓|\n\t\r",
  ...["16:25*", "https://example.org/", "a_b", "'"],
  ...["16:25 * ", "     ", "longwordlongword", "\u0600", "\u06dd", "\u070f", "\u08e2", "\u{110bd}"],
  ...["\u0301", "\u20dd", "\u302a", "\u3099", "\u0e49", "\u094d", "\ufe0f", "\u200d", "\u200c"],
  ...["\u4dc0", "\u3248", "\u{18d00}", "\u{1fadf}", "\u{13441}", "\u2800", "\ue000", "\u{e0100}"],
  ...["\u1100", "\u1161", "\u11a8", "\ud7b0", "日", "ｶ", "가", "👩", "🏽", "🇨", "❤", "م", "क", "ש"],
  ...[
    "\x1b[2J",
    "\u202e",
    "\u2028",
    "\u3000",
    "\u00a0",
    "\u2003",
    "\ud800",
    "\u3164",
    "…",
    "é",
    "ж",
  ],
];

function message(text: string, name = "bob"): ClientEvent {
  return { kind: "message", peer: 2, name, textSeq: 0, text };
}

function rowsOn(surface: Surface, text: string, name = "bob"): string[] {
  return withoutStyle(new Renderer(surface).event(message(text, name), TIME) ?? "").split("\n");
}

/** Draws rows as a terminal does that gives each character such a width, and breaks rows itself. */
function draw(rows: readonly string[], columns: number, width: (char: string) => number): string[] {
  return rows.flatMap((row) => {
    const drawn = [""];
    let left = columns;
    for (const character of row) {
      const taken = width(character);
      if (taken > left) {
        drawn.push("");
        left = columns;
      }
      drawn[drawn.length - 1] += character;
      left -= taken;
    }
    return drawn;
  });
}

/** A terminal of its own: for each character a width that some terminal may give it. */
function randomTerminal(prng: Prng): (char: string) => number {
  const widths = new Map<string, number>();
  return (char) => {
    const code = char.codePointAt(0)!;
    if (code < 0x7f || "←→│…".includes(char)) return 1;
    let width = widths.get(char);
    if (width !== undefined) return width;
    const isLetter = /[\p{L}\p{Nd}]/u.test(char) && code < 0x10000;
    width = isLetter
      ? Math.max(prng.int(2), unicodeWidth(char))
      : prng.int(isNarrow(char, code) ? 2 : 3);
    widths.set(char, width);
    return width;
  };
}

/** What at most adds a column to what it belongs to. */
function isNarrow(char: string, code: number): boolean {
  return /\p{Default_Ignorable_Code_Point}/u.test(char) || /\p{M}/u.test(char) && code < 0x2e80;
}

function randomText(prng: Prng): string {
  let text = "";
  for (let parts = prng.int(20); parts >= 0; parts--) {
    text += prng.pick(TRICKY).repeat(prng.chance(0.3) ? prng.int(200) : 1);
  }
  return text;
}

/** What a terminal breaks of a run: no line of the program is without a space. */
const RUN = /^[!-~]+$/;

/** No row but the first is without a mark, or part of a run, as a terminal of that width draws them. */
function assertMarked(
  rows: readonly string[],
  columns: number,
  width: (char: string) => number,
): void {
  const [first = "", ...further] = draw(rows, columns, width);
  assertMatch(first, /^16:25 [←→] /);
  for (const row of further) if (!RUN.test(row)) assertMatch(row, MARKED);
}

Deno.test("65 characters that are drawn wider than counted put no forged line at the left edge", () => {
  // U+0600 takes no column by unicodeWidth(), and one on tmux and by glibc.
  const text = "\u0600".repeat(65) + FORGED;
  for (const surface of [TERMINAL, PLAIN]) {
    const rows = draw(
      rowsOn(surface, text),
      80,
      (char) => char === "\u0600" ? 1 : unicodeWidth(char),
    );
    assert(rows.length > 1);
    for (const row of rows.slice(1)) assertMatch(row, MARKED);
  }
});

Deno.test("spaces put no forged line at the left edge, with --plain and on a pipe", () => {
  for (let spaces = 40; spaces < 90; spaces++) {
    const text = `hi${" ".repeat(spaces)}${FORGED}`;
    for (const row of draw(rowsOn(PLAIN, text), 80, unicodeWidth).slice(1)) {
      assertMatch(row, MARKED);
    }
    for (const row of draw(rowsOn(PIPE, text), 80, unicodeWidth).slice(1)) assertMatch(row, MARKED);
  }
});

Deno.test("line breaks put no forged line at the left edge", () => {
  const breaks = ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"];
  for (const surface of [TERMINAL, PLAIN, PIPE]) {
    const rows = rowsOn(surface, `a${breaks.map((each) => `${each}${FORGED}`).join("")}`);
    assert(rows.length > breaks.length);
    for (const row of rows.slice(1)) assertMatch(row, MARKED);
  }
});

Deno.test("no row of any text is without a mark, on any terminal", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < scaled(3000, 300); run++) {
      const columns = 12 + prng.int(100);
      const surface = prng.pick([{ ...TERMINAL, columns }, { ...PLAIN, messageColumns: columns }]);
      const text = randomText(prng);
      const rows = rowsOn(surface, text);
      // The hint below a message that was cut is the program's own.
      const hint = rows.findIndex((row) => /^ *…/.test(row));
      const own = hint < 0 ? rows : rows.slice(0, hint);
      assertMarked(own, columns, randomTerminal(prng));
    }
  });
});

Deno.test("no row of any text is without a mark where the width is not known, on 72 columns", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < scaled(1000, 100); run++) {
      const rows = rowsOn(PIPE, randomText(prng)).filter((row) => !row.includes("marks piled up"));
      assertMarked(rows, FOLD_COLUMNS, randomTerminal(prng));
    }
  });
});

Deno.test("no text holds the marks of rows", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < scaled(2000, 200); run++) {
      assertEquals(/[│←]/.test(textForRows(randomText(prng))), false);
    }
  });
  assertEquals(textForRows("│ 16:25 ← carol: hi"), "| 16:25 <- carol: hi");
});

Deno.test("a name as wide as a name can be, or wider than the screen, leaves the rows marked", () => {
  for (const columns of [14, 16, 20, 40, 73, 74, 80]) {
    for (const name of ["日".repeat(32), "x".repeat(32), "bob"]) {
      const rows = rowsOn({ ...TERMINAL, columns }, `${FORGED} ${FORGED}`, name);
      assertMarked(rows, columns, unicodeWidth);
    }
  }
});

Deno.test("a message of 65,536 tabs, spaces, line breaks or letters is 21 rows until show", () => {
  for (const each of ["\t", " ", "\n", "a", "日", "\u0600", "\u11a8", "\u{1f469}\u200d"]) {
    const rows = rowsOn(TERMINAL, each.repeat(65_536));
    // One row of spaces has no word after it to begin another.
    assertLessOrEqual(rows.length, 23, JSON.stringify(each));
  }
});

Deno.test("32,000 marks on a letter are 8, and a line says how many are left out", () => {
  const rows = rowsOn(TERMINAL, `a${"\u0301".repeat(32_000)}b`);
  assertEquals(rows, [
    `16:25 ← bob: a${"\u0301".repeat(MARKS_MAX)}b`,
    "        … 31992 marks piled up on letters left out",
  ]);
});

Deno.test("the rows and the marks of any text are bounded", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < scaled(300, 30); run++) {
      const columns = 12 + prng.int(100);
      const text = randomText(prng).repeat(1 + prng.int(100)).slice(0, 65_536);
      const rows = rowsOn({ ...TERMINAL, columns }, text);
      assertLessOrEqual(rows.filter((row) => /^16|│/.test(row)).length, 20);
      assertEquals(/\p{M}{9}/u.test(rows.join("\n")), false);
      for (const row of rows) assertLessOrEqual(row.length, 40 * columns);
    }
  });
});

Deno.test("show shows the rest, so many rows at a time", () => {
  const renderer = new Renderer(TERMINAL);
  const lines = Array.from({ length: 2500 }, (_, index) => `line ${index}`);
  renderer.event(message(lines.join("\n")), TIME);
  const pages = [0, 1, 2, 3].map(() => renderer.fullMessage()?.split("\n") ?? []);
  assertEquals(pages.map((rows) => rows.length), [1001, 1001, 500, 1001]);
  assertEquals(pages[0]?.slice(-2), ["      │ line 999", "        … type show to go on"]);
  assertEquals(pages[1]?.[0], "      │ line 1000");
  assertEquals(pages[2]?.at(-1), "      │ line 2499");
  assertEquals(pages[3], pages[0]);
});

Deno.test("messageRows() splits a grapheme that is wider than a row", () => {
  const head = { clock: "16:25", mark: "←", name: "bob", brush: (name: string) => name };
  const text = textForRows(`\u1100${"\u1161".repeat(300)}`);
  const space = { indent: 8, columns: 40, runRows: 20, whole: (run: string) => run };
  const rows = [...messageRows(head, text, space)];
  assert(rows.length >= 9);
  for (const row of rows) assertLessOrEqual(row.text.length, 40);
});

const URL_OF_200 = `https://example.org/${"path/".repeat(35)}#end!`;

Deno.test("a run that is wider than the screen is whole, at the end of a row with a mark", () => {
  for (const surface of [TERMINAL, PLAIN, PIPE, { ...TERMINAL, columns: 40 }]) {
    assertEquals(rowsOn(surface, URL_OF_200), [`16:25 ← bob: ${URL_OF_200}`]);
    assertEquals(rowsOn(surface, `see ${URL_OF_200} , and\nmore`), [
      "16:25 ← bob: see",
      `      │ ${URL_OF_200}`,
      "      │ , and",
      "      │ more",
    ]);
  }
  assertEquals(
    rowsOn({ ...TERMINAL, columns: 50 }, URL_OF_200, "日".repeat(32))[1],
    `      │ ${URL_OF_200}`,
  );
});

Deno.test("a run that fits a row is not broken for the name before it", () => {
  const run = "x".repeat(70);
  assertEquals(rowsOn(TERMINAL, run), ["16:25 ← bob:", `      │ ${run}`]);
  assertEquals(rowsOn(TERMINAL, `${run} and`), ["16:25 ← bob:", `      │ ${run}`, "      │ and"]);
});

Deno.test("on a terminal a whole run is broken by it, underlined, and links to its address", () => {
  const codes = { ...TERMINAL, whole: wholeRun };
  const [row = ""] = new Renderer(codes).event(message(URL_OF_200), TIME)!.split("\n");
  const link = `\x1b]8;;${URL_OF_200.slice(0, -1)}\x1b\\`;
  const shown = `${link}${URL_OF_200.slice(0, -1)}\x1b]8;;\x1b\\!`;
  assertEquals(row, `16:25 ← bob: \x1b[?7h\x1b[4m${shown}\x1b[24m\x1b[?7l`);
  assertEquals(withoutCodes(row), `16:25 ← bob: ${URL_OF_200}`);
  assertEquals(countRows(row, 80), 3);
  assertEquals(wholeRun("x".repeat(90)).includes("]8;"), false);
});

Deno.test("a run of more than 20 rows, or of other characters, is broken in marked rows", () => {
  assertEquals(rowsOn(TERMINAL, "x".repeat(19 * 80)).length, 1);
  const long = rowsOn(TERMINAL, "x".repeat(19 * 80 + 1));
  assertEquals(long.length, 21);
  for (const row of long.slice(1, 20)) assertMatch(row, MARKED);
  assertEquals(rowsOn(PIPE, "x".repeat(RUN_MAX)).length, 1);
  for (const each of ["é", "\u00a0*", "日"]) {
    const [, ...further] = rowsOn(TERMINAL, each.repeat(200));
    assert(further.length > 0, each);
    for (const row of further) assertMatch(row, MARKED);
  }
});

Deno.test("show begins where the beginning of a message with long runs was cut", () => {
  const renderer = new Renderer(TERMINAL);
  const runs = Array.from({ length: 4 }, (_, index) => `${index}`.repeat(600));
  const first = renderer.event(message(runs.join("\n")), TIME)?.split("\n") ?? [];
  // Each takes 8 rows; two of them fit into 20.
  assertEquals(first.length, 3);
  const whole = renderer.fullMessage()?.split("\n") ?? [];
  assertEquals(whole.map((row) => row.slice(-600)), runs);
});
