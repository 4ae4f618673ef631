import { assertEquals } from "@std/assert";
import type { PrintedLine } from "../../../client/output/printer.ts";
import { type Place, UnreadMessages } from "../../../client/screen/unread.ts";

const CAROL = 3;

/** Unread messages on a screen of three rows. */
class Sheet {
  readonly unread = new UnreadMessages((line) => this.#placeOf(line));
  #printed = 0;

  /** Prints a message of Carol, or something else. */
  print(isCarol = false): void {
    if (isCarol) this.unread.add(CAROL, { row: this.#printed });
    this.#printed++;
  }

  get shown(): [count: number, isNew: boolean] {
    const { count, isNew } = this.unread.of(CAROL);
    return [count, isNew];
  }

  #placeOf({ row }: PrintedLine): Place {
    if (row === undefined) return "waiting";
    return row < this.#printed - 3 ? "gone" : "onScreen";
  }
}

Deno.test("UnreadMessages does not count what is on the screen, but says that it is new", () => {
  const sheet = new Sheet();
  sheet.print(true);
  assertEquals(sheet.shown, [0, true]);
  sheet.unread.press();
  assertEquals(sheet.shown, [0, true]);
  sheet.unread.enter();
  assertEquals(sheet.shown, [0, false]);
});

Deno.test("UnreadMessages counts what scrolled away before a key was pressed", () => {
  const sheet = new Sheet();
  for (let count = 0; count < 5; count++) sheet.print(true);
  assertEquals(sheet.shown, [2, true]);
  sheet.unread.press();
  sheet.unread.enter();
  for (let count = 0; count < 5; count++) sheet.print();
  assertEquals(sheet.shown, [2, false], "the others were on the screen when a key was pressed");
});

Deno.test("UnreadMessages forgets what the user looks at, and what is over", () => {
  const sheet = new Sheet();
  for (let count = 0; count < 5; count++) sheet.print(true);
  sheet.unread.look(CAROL);
  assertEquals(sheet.shown, [0, false]);
});

Deno.test("UnreadMessages keeps what is not drawn yet", () => {
  const sheet = new Sheet();
  const line: PrintedLine = { row: undefined };
  sheet.unread.add(CAROL, line);
  sheet.unread.press();
  assertEquals(sheet.shown, [0, true]);
  line.row = 0;
  for (let count = 0; count < 4; count++) sheet.print();
  assertEquals(sheet.shown, [1, true]);
});
