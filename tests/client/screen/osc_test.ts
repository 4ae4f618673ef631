// Codes for the title and for notifications: no text gets out of its place.
import { assert, assertEquals } from "@std/assert";
import { notificationCode, RESTORE_TITLE, titleCode } from "../../../client/screen/osc.ts";
import { Prng } from "../../support/random.ts";

/** What ends a command, begins one, parts its fields, or is invisible. */
const HOSTILE = [
  "\x07",
  "\x1b",
  "\\",
  "\x1b\\",
  "\x9c",
  "\x9d",
  "\x18",
  ";",
  "\n",
  "\u202e",
  "4;1",
  "é",
];

/** Whether a code is such a command for each of the beginnings, each with a text that is not hostile. */
function isWhole(code: string, ...beginnings: string[]): boolean {
  const commands = code.split("\x1b\\");
  return commands.pop() === "" && commands.length === beginnings.length &&
    commands.every((command, index) => {
      const beginning = beginnings[index]!;
      return command.startsWith(beginning) &&
        !/[;\p{Cc}\u202e]/u.test(command.slice(beginning.length));
    });
}

Deno.test("titleCode() and notificationCode() let no text end or extend their commands", () => {
  const prng = new Prng(18);
  for (let round = 0; round < 500; round++) {
    const text = Array.from({ length: 8 }, () => prng.pick(HOSTILE)).join("");
    assert(isWhole(titleCode(text), "\x1b]2;"), JSON.stringify(text));
    assert(
      isWhole(notificationCode(text), "\x1b]9;", "\x1b]777;notify;udp-chat;"),
      JSON.stringify(text),
    );
  }
});

Deno.test("titleCode() cuts a long text", () => {
  assertEquals(titleCode("日".repeat(1000)).length, "\x1b]2;\x1b\\".length + 40);
});

Deno.test("notificationCode() is one code where the terminal would show both", () => {
  for (const terminal of ["xterm-kitty", "xterm-ghostty", "wezterm"]) {
    assertEquals(notificationCode("hi", terminal), "\x1b]9;hi\x1b\\");
  }
  assert(notificationCode("hi", "xterm-256color").endsWith("777;notify;udp-chat;hi\x1b\\"));
});

Deno.test("RESTORE_TITLE leaves no title of this program where titles cannot be saved", () => {
  assert(RESTORE_TITLE.startsWith(titleCode("")));
});
