/**
 * What a directory shows on a terminal, as rows: the table, what happened, and the totals.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";
import { formatAddress } from "../protocol/address.ts";
import type { Instant } from "../protocol/driven.ts";
import { type Brush, styles } from "../protocol/style.ts";
import { cleanText } from "../protocol/text.ts";
import type { TableClient } from "./entry.ts";
import type { TableEvent } from "./event.ts";
import type { DropReason } from "./server.ts";

const { bold, dim } = styles(true);

/** Rows for what happened, where the table is long: one of so many of the screen. */
const CHANGES_SHARE = 3;
/** Columns that a name gets at least, if the screen has them. */
const NAME_WIDTH_MIN = 4;
/** Columns between two others. */
const GAP = "  ";

/** Something that happened to a client. */
export interface Change {
  readonly text: string;
  readonly brush: Brush;
}

/** What is shown. */
export interface ScreenState {
  readonly title: string;
  readonly table: TableEvent;
  /** The oldest first. */
  readonly changes: readonly Change[];
  readonly lookUps: number;
  readonly dropped: Partial<Record<DropReason, number>>;
  readonly now: Instant;
}

/** How large the terminal is. */
export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** As many rows as the terminal has, none wider than it. */
export function renderScreen(
  state: ScreenState,
  { columns, rows }: ScreenSize,
  isColored: boolean,
): string[] {
  const paint = (brush: Brush, text: string): string => {
    const cut = cutToWidth(text, columns);
    return isColored ? brush(cut) : cut;
  };
  // The title, and the totals in the last row.
  const middle = Math.max(0, rows - 2);
  const changesMin = Math.min(Math.ceil(middle / CHANGES_SHARE), state.changes.length);
  const table = renderRows(state, middle - changesMin, columns);
  const space = middle - table.length;
  const changes = space === 0 ? [] : state.changes.slice(-space);
  const body = [
    ...table.map((row, index) => paint(index === 0 ? bold : plain, row)),
    ...changes.map(({ text, brush }) => paint(brush, text)),
  ];
  const empty = Array.from({ length: middle - body.length }, () => "");
  return [
    paint(dim, state.title),
    ...body,
    ...empty,
    paint(bold, renderStatus(state, columns)),
  ].slice(-rows);
}

function plain(text: string): string {
  return text;
}

/** The header, as many clients as fit, and how many more there are. */
function renderRows({ table, now }: ScreenState, space: number, columns: number): string[] {
  if (table.size === 0 || space < 2) return [];
  const isCut = table.size + 1 > space;
  const shown = isCut ? Math.max(0, space - 2) : table.size;
  const cells: string[][] = [["id", "name", "address", "age"]];
  // Only those that are shown are asked for: there may be a million.
  for (const client of table.clients) {
    if (cells.length > shown) break;
    cells.push(cellsOf(client, now));
  }
  const lines = align(cells, columns);
  if (isCut) lines.push(`${GAP}… and ${formatCount(table.size - shown)} more`);
  return lines;
}

function cellsOf({ id, name, address, joinedAt }: TableClient, now: Instant): string[] {
  return [`${id}`, cleanText(name), formatAddress(address), formatAge(now - joinedAt)];
}

/** The cells as lines: ids and ages to the right, names cut where the screen is narrow. */
function align(cells: string[][], columns: number): string[] {
  const [id = 0, name = 0, address = 0, age = 0] = [0, 1, 2, 3].map((column) =>
    Math.max(...cells.map((row) => unicodeWidth(row[column]!)))
  );
  const spare = columns - id - address - age - 4 * GAP.length;
  const nameWidth = Math.min(name, Math.max(spare, NAME_WIDTH_MIN));
  return cells.map((row) => {
    const [idText = "", nameText = "", addressText = "", ageText = ""] = row;
    return GAP + [
      idText.padStart(id),
      padToWidth(cutToWidth(nameText, nameWidth), nameWidth),
      addressText.padEnd(address),
      ageText.padStart(age),
    ].join(GAP);
  });
}

/** The clients, the look-ups, and what was dropped; the reasons as far as there is room. */
function renderStatus({ table, lookUps, dropped }: ScreenState, columns: number): string {
  const reasons = Object.entries(dropped).toSorted(([, a], [, b]) => b - a);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const clients = table.size === 1 ? "1 client" : `${formatCount(table.size)} clients`;
  const asked = lookUps === 1 ? "1 look-up" : `${formatCount(lookUps)} look-ups`;
  const status = `${clients} · ${asked} · dropped ${formatCount(total)}`;
  const details = reasons.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(", ");
  const whole = details === "" ? status : `${status}: ${details}`;
  return unicodeWidth(whole) <= columns ? whole : cutToWidth(whole, columns);
}

/** `1,234` */
function formatCount(count: number): string {
  return `${count}`.replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `0:07`, `12:34`, `5:00:01`, `3 d 4 h` */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => `${value}`.padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24)} d ${hours % 24} h`;
  if (hours > 0) return `${hours}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** The text, or its beginning and an ellipsis, in so many columns. */
export function cutToWidth(text: string, columns: number): string {
  if (unicodeWidth(text) <= columns) return text;
  let cut = "";
  let width = 0;
  for (const character of text) {
    width += unicodeWidth(character);
    if (width > columns - 1) break;
    cut += character;
  }
  return columns < 1 ? "" : `${cut}…`;
}

function padToWidth(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - unicodeWidth(text)));
}
