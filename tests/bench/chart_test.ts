import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { figuresLine, panelsOf, shortTable } from "./chart.ts";
import type { Report, Row } from "./report.ts";
import { chart } from "./svg.ts";

function delays(subject: Row["subject"], p99: number): Row[] {
  const where = "every 20 ms, 5% loss";
  const row = (metric: string, unit: string, value: number): Row => {
    return { subject, metric: `${metric}, ${where}`, unit, rounds: [value] };
  };
  return [
    row("p50", "ms", 25),
    row("p99", "ms", p99),
    row("worst", "ms", 2 * p99),
    row("datagrams a message", "", 2.5),
  ];
}

function messages(subject: Row["subject"], value: number): Row {
  return { subject, metric: "messages", unit: "/s", rounds: [value], baseline: "bare UDP" };
}

const REPORT: Report = {
  machine: { cpu: "a processor", cores: 2, os: "linux x86_64", deno: "2.9.6" },
  date: "2026-01-02T03:04:05.000Z",
  rounds: 1,
  isQuick: false,
  sections: [
    {
      name: "throughput-64",
      rows: [messages("bare UDP", 100), messages("TCP", 90), messages("udp-chat", 800)],
      notes: [],
    },
    {
      name: "latency-loss",
      rows: [...delays("udp-chat", 40), ...delays("TCP", 120)],
      notes: [],
    },
  ],
};

Deno.test("panelsOf() leaves out what was not measured", () => {
  const shown = panelsOf(REPORT).map(({ groups }) =>
    groups.map(({ title, bars }) => [title, ...bars.map(({ who, label }) => `${who} ${label}`)])
  );
  assertEquals(shown, [
    [["64-byte messages", "udp-chat 8 ×", "TCP 0.9 ×"]],
    [["5%, every 20 ms", "udp-chat 40 ms", "TCP 120 ms"]],
  ]);
  assertEquals(panelsOf({ ...REPORT, sections: [] }), []);
});

Deno.test("shortTable() has a line for each figure that counts", () => {
  assertEquals(shortTable(REPORT).split("\n").filter((line) => !line.includes("--")), [
    "|  | udp-chat | × bare UDP | TCP × bare UDP |",
    "| 64-byte messages | 800 /s | 8 × | 0.9 × |",
    "",
    "| loss, a 64-byte message | p50 / p99 / worst, ms | TCP | datagrams a message |",
    "| 5%, every 20 ms | 25 / 40 / 80 | 25 / 120 / 240 | 2.5 |",
  ]);
});

Deno.test("figuresLine() says what was measured, and where", () => {
  assertEquals(
    figuresLine(REPORT),
    "800 messages of 64 bytes a second, 8 × a bare Deno UDP socket; with 5% loss and 25 ms one " +
      "way, 99% of messages arrive within 40 ms, over TCP within 120 ms " +
      "(a processor, 2 cores, Deno 2.9.6, 2026-01-02).",
  );
});

Deno.test("chart() draws longer bars for greater values, within the picture", () => {
  const values = [0.03, 1, 13];
  const bars = values.map((value) => ({ who: "w", value, label: `${value}`, isOwn: value === 1 }));
  const svg = chart([{ title: "t", groups: [{ title: "g", bars }] }]);
  const [x, width] = [/<rect [^>]*?x="(\d+)"/, /width="(\d+)"/].map((pattern) =>
    Number(pattern.exec(svg)?.[1])
  ) as [number, number];
  const lengths = [...svg.matchAll(/<rect [^>]*width="(\d+)"/g)].map(([, length]) =>
    Number(length)
  );
  assertEquals(new Set(lengths).size, values.length);
  assertEquals(lengths, lengths.toSorted((a, b) => a - b));
  assert(lengths[0]! > 0 && x + lengths[2]! < width, `${lengths} in ${width}`);
  assertEquals([...svg.matchAll(/<rect class="own"/g)].length, 1);
});

Deno.test("chart() marks a value where a bar of that value ends", () => {
  const bars = [0.1, 1, 10].map((value) => ({ who: "w", value, label: "", isOwn: value === 1 }));
  const svg = chart([{ title: "t", mark: 1, groups: [{ title: "g", bars }] }]);
  const own = /class="own" x="(\d+)" y="\d+" width="(\d+)"/.exec(svg)!;
  assertStringIncludes(svg, `<line x1="${Number(own[1]) + Number(own[2])}"`);
});

Deno.test("chart() shows texts as they are, and both colour schemes", () => {
  const bars = [{ who: "a<b", value: NaN, label: '"&"', isOwn: true }];
  const svg = chart([{ title: "1 < 2", groups: [{ title: "g", bars }] }]);
  for (const text of ["1 &lt; 2", "a&lt;b", "&quot;&amp;&quot;", "prefers-color-scheme: dark"]) {
    assertStringIncludes(svg, text);
  }
  assert(!svg.includes("NaN"));
});
