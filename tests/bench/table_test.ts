import { assertEquals, assertThrows } from "@std/assert";
import { figuresOf, findRow, type Report, type Row } from "./report.ts";
import { formatNumber, replaceMarked, reportMarkdown, sectionText } from "./table.ts";

const ROWS: readonly Row[] = [
  { subject: "bare UDP", metric: "messages", unit: "/s", rounds: [100, 200], baseline: "bare UDP" },
  {
    subject: "udp-chat",
    metric: "messages",
    unit: "/s",
    rounds: [900, 1600],
    baseline: "bare UDP",
  },
  { subject: "udp-chat", metric: "seconds", unit: "s", rounds: [1.5] },
];

const REPORT: Report = {
  machine: { cpu: "a processor", cores: 2, os: "linux x86_64", deno: "2.9.6" },
  date: "2026-01-02T03:04:05.000Z",
  rounds: 2,
  isQuick: false,
  sections: [
    { name: "one", rows: ROWS, notes: ["A note.", "Another."] },
    { name: "two", skipped: "needs root", rows: [], notes: [] },
    { name: "three", failed: "it broke", rows: [], notes: [] },
  ],
};

Deno.test("figuresOf() makes the ratios round by round, to the row of the same metric", () => {
  assertEquals(figuresOf(ROWS[1]!, ROWS).ratio, { median: 8.5, min: 8, max: 9 });
  assertEquals(figuresOf(ROWS[2]!, ROWS).ratio, undefined);
});

Deno.test("findRow() finds a subject's row", () => {
  assertEquals(findRow(REPORT, "one", "messages", "bare UDP")?.figures.value.median, 150);
  assertEquals(findRow(REPORT, "one", "messages", "TCP"), undefined);
  assertEquals(findRow(REPORT, "two", "messages"), undefined);
});

Deno.test("formatNumber() keeps three digits, or the whole number", () => {
  const shown = [0, 0.000123, 0.5, 1, 2.346, 23.46, 234.6, 1234.6, 2_000_000, -2.346, NaN];
  assertEquals(shown.map(formatNumber), [
    "0",
    "0.000123",
    "0.5",
    "1",
    "2.35",
    "23.5",
    "235",
    "1,235",
    "2,000,000",
    "-2.35",
    "–",
  ]);
});

Deno.test("sectionText() aligns the columns, or gives the reason", () => {
  assertEquals(sectionText(REPORT.sections[0]!).split("\n"), [
    "one",
    "  what      who         median    min to max  ratio  min to max",
    "  messages  bare UDP    150 /s    100 to 200    1 ×",
    "  messages  udp-chat  1,250 /s  900 to 1,600  8.5 ×      8 to 9",
    "  seconds   udp-chat     1.5 s",
    "  A note.",
    "  Another.",
    "",
  ]);
  assertEquals(sectionText(REPORT.sections[1]!), "two\n  skipped: needs root\n");
  assertEquals(sectionText(REPORT.sections[2]!), "three\n  failed: it broke\n");
});

Deno.test("reportMarkdown() has a table for each section, and its notes as a list", () => {
  assertEquals(reportMarkdown(REPORT).split("\n"), [
    "a processor, 2 cores, linux x86_64, Deno 2.9.6; 2026-01-02, 2 rounds.",
    "",
    "### one",
    "",
    "| what | who | median | min to max | ratio | min to max |",
    "| --- | --- | --: | --: | --: | --: |",
    "| messages | bare UDP | 150 /s | 100 to 200 | 1 × |  |",
    "| messages | udp-chat | 1,250 /s | 900 to 1,600 | 8.5 × | 8 to 9 |",
    "| seconds | udp-chat | 1.5 s |  |  |  |",
    "",
    "- A note.",
    "- Another.",
    "",
    "### two",
    "",
    "skipped: needs root",
    "",
    "### three",
    "",
    "failed: it broke",
  ]);
});

Deno.test("replaceMarked() replaces what is between the marks, again and again", () => {
  const page = "before\n\n<!-- x: made by `deno task chart` -->\nold\n<!-- end of x -->\nafter\n";
  const once = replaceMarked(page, "x", "new");
  assertEquals(
    once,
    "before\n\n<!-- x: made by `deno task chart` -->\n\nnew\n\n<!-- end of x -->\nafter\n",
  );
  assertEquals(replaceMarked(once, "x", "new"), once);
  assertThrows(() => replaceMarked(page, "y", "new"), Error, `the section "y"`);
});

Deno.test("the pages have the sections that deno task chart fills", () => {
  const read = (path: string): string => Deno.readTextFileSync(new URL(path, import.meta.url));
  for (const marker of ["summary", "last run"]) replaceMarked(read("README.md"), marker, "");
  replaceMarked(read("../../README.md"), "figures", "");
});
