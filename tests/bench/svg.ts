/**
 * The chart: groups of bars on a logarithmic scale, readable on dark and on light pages.
 *
 * @module
 */

/** A bar. */
export interface Bar {
  readonly who: string;
  readonly value: number;
  /** The label at its end. */
  readonly label: string;
  /** Whether it belongs to this program. */
  readonly isOwn: boolean;
}

/** A group of bars. */
export interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** Groups that share a scale. */
export interface Panel {
  readonly title: string;
  /** A value to be marked by a line. */
  readonly mark?: number;
  readonly groups: readonly Group[];
}

const WIDTH = 720;
const LEFT = 200;
const RIGHT = 90;
const BAR = 14;
const GROUP_GAP = 10;
const TITLE = 34;
const MARGIN = 12;
/** The shortest bar, so that the least value is visible. */
const BAR_MIN = 6;
/** The ratio of the scale's start to the least value. */
const FLOOR = 0.7;

const STYLE = `
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.who { text-anchor: end; }
.own { fill: #0969da; }
.other { fill: #9aa4af; }
line { stroke: #cf222e; stroke-dasharray: 3 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .own { fill: #4493f8; }
  .other { fill: #656c76; }
  line { stroke: #f85149; }
}`;

/** The chart as an SVG document; its background is that of the page. */
export function chart(panels: readonly Panel[]): string {
  const parts: string[] = [];
  let y = MARGIN;
  for (const panel of panels) {
    y += TITLE - BAR;
    parts.push(`<text class="title" x="${MARGIN}" y="${y}">${escape(panel.title)}</text>`);
    y += BAR;
    const scale = scaleOf(panel);
    const top = y - 2;
    for (const { title, bars } of panel.groups) {
      const middle = y + (bars.length * BAR) / 2 + 4;
      parts.push(`<text x="${MARGIN}" y="${middle}">${escape(title)}</text>`);
      for (const bar of bars) {
        parts.push(barOf(bar, y, scale(bar.value)));
        y += BAR;
      }
      y += GROUP_GAP;
    }
    if (panel.mark !== undefined) {
      const x = LEFT + 80 + Math.round(scale(panel.mark));
      parts.push(`<line x1="${x}" x2="${x}" y1="${top}" y2="${y - GROUP_GAP + 2}"/>`);
    }
  }
  const height = y + MARGIN;
  const box = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  const name = escape(panels.map(({ title }) => title).join("; "));
  const open = `<svg xmlns="http://www.w3.org/2000/svg" ${box} role="img" aria-label="${name}">`;
  return [open, `<style>${STYLE}\n</style>`, ...parts, "</svg>", ""].join("\n");
}

function barOf({ who, label, isOwn }: Bar, y: number, length: number): string {
  const width = Math.round(length);
  const style = isOwn ? "own" : "other";
  const baseline = y + BAR - 3;
  return [
    `<text class="who" x="${LEFT + 72}" y="${baseline}">${escape(who)}</text>`,
    `<rect class="${style}" x="${LEFT + 80}" y="${y + 1}" width="${width}" height="${BAR - 2}"/>`,
    `<text x="${LEFT + 86 + width}" y="${baseline}">${escape(label)}</text>`,
  ].join("\n");
}

/** Maps values to lengths; the greatest value of the panel has the full length. */
function scaleOf({ groups, mark = NaN }: Panel): (value: number) => number {
  const values = [mark, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value))]
    .filter((value) => value > 0 && Number.isFinite(value));
  const least = FLOOR * Math.min(...values);
  const range = Math.log(Math.max(...values) / least);
  const full = WIDTH - LEFT - 80 - RIGHT;
  return (value) =>
    value > 0 && Number.isFinite(value)
      ? Math.max(BAR_MIN, full * Math.log(value / least) / range)
      : 0;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
