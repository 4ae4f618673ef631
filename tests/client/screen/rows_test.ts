import { assertEquals } from "@std/assert";
import { countRows, Rows } from "../../../client/screen/rows.ts";
import { Prng } from "../../support/random.ts";

Deno.test("Rows finds a printed row while it is on the screen", () => {
  const rows = new Rows();
  const first = rows.next;
  assertEquals(rows.above(first, 4), undefined, "not printed yet");
  rows.print(1);
  assertEquals(rows.above(first, 4), 1);
  rows.print(2);
  assertEquals(rows.above(first, 4), 3, "the top row of four, the prompt being the last");
  rows.print(1);
  assertEquals(rows.above(first, 4), undefined);
});

Deno.test("Rows counts the rows that a former long draft scrolled off the screen", () => {
  const rows = new Rows();
  rows.print(2);
  rows.reach(3);
  rows.reach(1);
  assertEquals([0, 1].map((row) => rows.above(row, 4)), [undefined, 1]);
});

Deno.test("Rows counts an erased line back", () => {
  const rows = new Rows();
  rows.print(1);
  rows.print(1);
  rows.print(-1);
  assertEquals(rows.next, 1);
  assertEquals(rows.above(0, 10), 1);
});

Deno.test("Rows finds no row above the prompt after forget()", () => {
  const rows = new Rows();
  rows.print(3);
  rows.forget();
  assertEquals(rows.above(2, 24), undefined);
  rows.print(1);
  assertEquals(rows.above(3, 24), 1);
});

Deno.test("Rows agrees with a model of a screen that scrolls", () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new Prng(seed);
    const height = 3 + random.int(8);
    const rows = new Rows();
    // The rows on the screen, counted from its top, as is the prompt.
    let prompt = random.int(height);
    const numbers = new Map<number, number>();
    const scrollTo = (row: number): void => {
      const moved = Math.max(0, row - height + 1);
      prompt -= moved;
      for (const [number, at] of numbers) numbers.set(number, at - moved);
    };
    for (let step = 0; step < 60; step++) {
      if (random.int(3) > 0) {
        numbers.set(rows.next, prompt);
        rows.print(1);
        scrollTo(++prompt);
      } else {
        const typed = 1 + random.int(2);
        rows.reach(typed);
        scrollTo(prompt + typed - 1);
      }
      for (const [number, at] of numbers) {
        const above = rows.above(number, height);
        if (above !== undefined) assertEquals(above, prompt - at, `seed ${seed}`);
        if (above !== undefined) assertEquals(at >= 0, true, `seed ${seed}: on the screen`);
      }
    }
  }
});

Deno.test("countRows() counts the rows of a text on a screen", () => {
  assertEquals(countRows("a\n\n\x1b[1mbb\x1b[22m", 2), 3);
  assertEquals(countRows("x".repeat(21), 10), 3);
  assertEquals(countRows("日本", 4), 1);
});
