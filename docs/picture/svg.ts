/**
 * Terminals as a picture: windows with their text as text, dark windows, which fit light pages and dark ones.
 *
 * @module
 */
import { type Look, parseScreen, type Run } from "./runs.ts";

/** The content of a terminal. */
export interface Terminal {
  readonly title: string;
  readonly columns: number;
  /** With SGR codes. */
  readonly rows: readonly string[];
  /** Column and row, from 0; undefined for none. */
  readonly cursor?: readonly [column: number, row: number];
}

/** Pixels of a character: most monospaced fonts are 0.6 times as wide as they are high. */
const FONT_SIZE = 12;
const CELL_WIDTH = 7.2;
const CELL_HEIGHT = 17;
const BASELINE = 12.5;
const PADDING = 12;
/** The height of the title bar. */
const BAR = 28;
/** Between two windows. */
const GAP = 14;
const MARGIN = 1;

/** The first 16 colors of xterm, which every terminal chooses for itself. */
const BASE_COLORS = [
  ...["#6e7681", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#b1bac4"],
  ...["#8b949e", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#87e4ea", "#f0f6fc"],
];
/** The steps of the color cube, from 16 to 231. */
const CUBE_STEPS = [0, 95, 135, 175, 215, 255];

const STYLE = `
text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono",
  "Liberation Mono", monospace; fill: #e6edf3; }
.title { fill: #9198a1; text-anchor: middle; }
.window { fill: #0d1117; stroke: #3d444d; }
.bar { fill: #1c2128; }
.dot { fill: #3d444d; }
.bold { font-weight: 600; }
.dim { opacity: 0.65; }
.cursor { fill: #9198a1; }`;

/** An SVG document with lines of windows, each line in the middle and as high as its highest. */
export function picture(lines: readonly (readonly Terminal[])[], label: string): string {
  const widths = lines.map((line) =>
    line.reduce((sum, terminal) => sum + widthOf(terminal), GAP * (line.length - 1))
  );
  const width = Math.max(...widths);
  const parts: string[] = [];
  let y = MARGIN;
  for (const [index, line] of lines.entries()) {
    const height = Math.max(...line.map(heightOf));
    let x = MARGIN + (width - widths[index]!) / 2;
    for (const terminal of line) {
      parts.push(...windowOf(terminal, round(x), y, height));
      x += widthOf(terminal) + GAP;
    }
    y += height + GAP;
  }
  const size = [Math.ceil(width + 2 * MARGIN), Math.ceil(y - GAP + MARGIN)];
  const box = `viewBox="0 0 ${size[0]} ${size[1]}" width="${size[0]}" height="${size[1]}"`;
  const name = `role="img" aria-label="${escape(label)}"`;
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${box} ${name}>`;
  return [open, `<style>${STYLE}\n</style>`, ...parts, "</svg>", ""].join("\n");
}

function widthOf({ columns }: Terminal): number {
  return columns * CELL_WIDTH + 2 * PADDING;
}

function heightOf({ rows }: Terminal): number {
  return BAR + rows.length * CELL_HEIGHT + 2 * PADDING;
}

function windowOf(terminal: Terminal, x: number, y: number, height: number): string[] {
  const { title, rows, cursor } = terminal;
  const width = round(widthOf(terminal));
  const bar = `M${x} ${y + BAR}v${8 - BAR}a8 8 0 0 1 8 -8h${round(width - 16)}a8 8 0 0 1 8 8` +
    `v${BAR - 8}z`;
  const middle = y + BAR / 2;
  const left = x + PADDING;
  const top = y + BAR + PADDING;
  const dots = [0, 1, 2].map((index) => round(left + 4 + 16 * index));
  // In the middle, but not on the dots.
  const center = Math.max(width / 2, 60 + (title.length * CELL_WIDTH) / 2);
  const parts = [
    `<rect class="window" x="${x}" y="${y}" width="${width}" height="${height}" rx="8"/>`,
    `<path class="bar" d="${bar}"/>`,
    ...dots.map((dot) => `<circle class="dot" cx="${dot}" cy="${middle}" r="4.5"/>`),
    `<text class="title" x="${round(x + center)}" y="${middle + 4}">${escape(title)}</text>`,
    ...parseScreen(rows).flatMap((runs, row) =>
      runs.map((run) => textOf(run, left, top + row * CELL_HEIGHT))
    ),
  ];
  if (cursor !== undefined) {
    const [column, row] = cursor;
    const place = `x="${round(left + column * CELL_WIDTH)}" y="${top + row * CELL_HEIGHT}"`;
    const size = `width="${CELL_WIDTH}" height="${CELL_HEIGHT - 1}"`;
    parts.push(`<rect class="cursor" ${place} ${size}/>`);
  }
  return parts;
}

/** A run, as wide as its columns in any font. */
function textOf({ column, columns, text, look }: Run, left: number, top: number): string {
  const x = round(left + column * CELL_WIDTH);
  const length = `textLength="${round(columns * CELL_WIDTH)}" lengthAdjust="spacingAndGlyphs"`;
  return `<text x="${x}" y="${round(top + BASELINE)}" ${length}${looks(look)}>${
    escape(text)
  }</text>`;
}

function looks({ color, isBold, isDim }: Look): string {
  const classes = [...isBold ? ["bold"] : [], ...isDim ? ["dim"] : []];
  const fill = color === undefined ? "" : ` style="fill: ${colorOf(color)}"`;
  return `${classes.length === 0 ? "" : ` class="${classes.join(" ")}"`}${fill}`;
}

/** One of the 256 colors of xterm, as CSS has it. */
function colorOf(color: number): string {
  const base = BASE_COLORS[color];
  if (base !== undefined) return base;
  const gray = 8 + 10 * (color - 232);
  const cube = color - 16;
  const steps = [cube / 36, (cube / 6) % 6, cube % 6].map((step) => CUBE_STEPS[Math.floor(step)]!);
  const parts = color >= 232 ? [gray, gray, gray] : steps;
  return `#${parts.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
