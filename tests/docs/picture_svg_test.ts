import { assert, assertEquals, assertMatch } from "@std/assert";
import { picture } from "../../docs/picture/svg.ts";

const ROWS = ["\x1b[1mid\x1b[0m <ana>", "\x1b[38;5;166mx\x1b[38;5;240my\x1b[31mz"];

Deno.test("picture() has each text as text, in its place, and its colors", () => {
  const svg = picture([[{ title: "a & b", columns: 10, rows: ROWS, cursor: [2, 1] }]], '"A"');
  assertMatch(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 98 88" /);
  assertMatch(svg, / aria-label="&quot;A&quot;">\n<style>/);
  const texts = [...svg.matchAll(/<text [^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  assertEquals(texts, ["a &amp; b", "id", "&lt;ana>", "x", "y", "z"]);
  assertMatch(svg, /<text x="13" y="53.5" textLength="14.4" [^>]*class="bold">id</);
  assertMatch(svg, /<text x="34.6" y="53.5" textLength="36" [^>]*>&lt;ana/);
  for (const color of ["#d75f00", "#585858", "#ff7b72"]) assert(svg.includes(`fill: ${color}`));
  assertMatch(svg, /<rect class="cursor" x="27.4" y="58"/);
});

Deno.test("picture(): windows side by side are as high as the highest, below others", () => {
  const terminal = (rows: number) => ({ title: "", columns: 10, rows: Array(rows).fill("") });
  const svg = picture([[terminal(1)], [terminal(2), terminal(3)]], "");
  const frames = [
    ...svg.matchAll(/<rect class="window" x="(\S+)" y="(\S+)" width="(\S+)" height="(\S+)"/g),
  ];
  assertEquals(frames.map((frame) => frame.slice(1).map(Number)), [
    [56, 1, 96, 69],
    [1, 84, 96, 103],
    [111, 84, 96, 103],
  ]);
});
