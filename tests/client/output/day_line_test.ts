import { assertEquals } from "@std/assert";
import { LineWriter } from "../../../cli/line_writer.ts";
import { styles } from "../../../cli/style.ts";
import { DAY_CHECK_MAX, DayLine, untilMidnight } from "../../../client/output/day_line.ts";
import { Printer, type PromptScreen } from "../../../client/output/printer.ts";
import { Renderer } from "../../../client/output/render.ts";
import { Transcript, TRANSCRIPT_SURFACE } from "../../../client/output/transcript.ts";

const EVENING = new Date(2026, 10, 29, 23, 58);

/** A time so many minutes after the evening. */
function later(minutes: number): Date {
  return new Date(EVENING.getTime() + minutes * 60_000);
}

const MONDAY = "Monday, 30 November 2026";

Deno.test("DayLine gives the date before the first line of another day", () => {
  const day = new DayLine(EVENING);
  assertEquals(day.beforeLine(later(1)), undefined);
  assertEquals(day.beforeLine(later(2)), MONDAY);
  assertEquals(day.beforeLine(later(3)), undefined);
  assertEquals(day.beforeLine(later(3 * 24 * 60)), "Wednesday, 2 December 2026");
});

Deno.test("DayLine gives the date at midnight, once as long as nothing follows", () => {
  const day = new DayLine(EVENING);
  day.beforeLine(EVENING);
  assertEquals(day.atMidnight(later(1)), undefined);
  assertEquals(day.atMidnight(later(2)), MONDAY);
  assertEquals(day.beforeLine(later(3)), undefined);
  assertEquals(day.atMidnight(later(2 + 24 * 60)), "Tuesday, 1 December 2026");
  assertEquals(day.atMidnight(later(2 + 48 * 60)), undefined, "nothing was printed on Tuesday");
  assertEquals(day.beforeLine(later(3 + 48 * 60)), "Wednesday, 2 December 2026");
});

Deno.test("untilMidnight() is never more than DAY_CHECK_MAX: the clock may be set", () => {
  assertEquals(untilMidnight(EVENING), 120_000);
  assertEquals(untilMidnight(later(2)), DAY_CHECK_MAX);
});

/** A printer on a screen, with a clock that the test sets. */
class Night {
  now = EVENING;
  readonly rows: string[] = [];
  readonly printer: Printer;
  #timers = new Set<{ at: number; action: () => void }>();

  constructor(isJson: boolean) {
    const system = {
      date: () => this.now,
      every: (ms: number, action: () => void) => {
        const timer = { at: this.now.getTime() + ms, action };
        this.#timers.add(timer);
        return () => void this.#timers.delete(timer);
      },
      printError: () => {},
      openLog: () => {
        throw new Error("no files");
      },
      fileProblem: () => "",
    };
    const renderer = new Renderer({
      isTyped: true,
      hasPrompt: true,
      columns: 80,
      style: styles(false),
    });
    const log = new Transcript(system, new Renderer(TRANSCRIPT_SURFACE), () => {});
    const output = new LineWriter({
      pendingMax: 1,
      write: () => Promise.resolve(0),
      onBroken() {},
    });
    this.printer = new Printer(isJson, false, renderer, output, system, log);
    const screen: PromptScreen = {
      print: (text) => {
        this.rows.push(text);
        return { row: undefined };
      },
      shown: () => Promise.resolve(true),
      overwrite: () => false,
      eraseTyped() {},
    };
    this.printer.useScreen(screen);
  }

  wait(minutes: number): void {
    for (let left = minutes; left > 0; left--) {
      this.now = new Date(this.now.getTime() + 60_000);
      for (const timer of this.#timers) {
        if (timer.at <= this.now.getTime()) timer.action();
      }
    }
  }
}

Deno.test("Printer prints the date at midnight, and before the first line after a day", () => {
  const night = new Night(false);
  night.printer.note(["good evening"]);
  night.printer.watchMidnight();
  night.wait(60);
  night.printer.note(["good night"]);
  night.wait(3 * 24 * 60);
  night.printer.note(["hello again"]);
  assertEquals(night.rows, [
    "23:58 * good evening",
    "00:00 * Monday, 30 November 2026",
    "00:58 * good night",
    "00:00 * Tuesday, 1 December 2026",
    "00:58 * Thursday, 3 December 2026",
    "00:58 * hello again",
  ]);
});

Deno.test("Printer prints the date before a line also where no timer ran at midnight", () => {
  const night = new Night(false);
  night.printer.note(["good evening"]);
  night.now = later(9 * 60);
  night.printer.note(["good morning"]);
  assertEquals(night.rows.slice(1), ["08:58 * Monday, 30 November 2026", "08:58 * good morning"]);
});

Deno.test("Printer prints no date among JSON lines", () => {
  const night = new Night(true);
  night.printer.event({ kind: "serverLost", server: "s" });
  night.now = later(9 * 60);
  night.printer.event({ kind: "serverBack", server: "s" });
  assertEquals(night.rows.map((row) => JSON.parse(row).event), ["serverLost", "serverBack"]);
});
