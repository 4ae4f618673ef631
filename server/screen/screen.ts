/**
 * What a directory shows on a terminal, as rows: the table, what happened, and the totals.
 *
 * @module
 */
import { formatAddress } from "../../protocol/wire/address.ts";
import type { Instant } from "../../protocol/machine.ts";
import { type Brush, styles } from "../../cli/style.ts";
import { cleanText } from "../../cli/text.ts";
import { formatAge } from "../../cli/format.ts";
import { cutToWidth } from "../../cli/wrap.ts";
import { alignRows, GAP, type Row } from "./columns.ts";
import type { TableClient } from "../table/entry.ts";
import type { TableEvent } from "../event.ts";
import type { Change } from "./render.ts";
import type { DropReason } from "../server.ts";

const { bold, dim } = styles(true);

/** Rows for what happened, where the table is long: one of so many of the screen. */
const CHANGES_SHARE = 3;

/** What is shown. */
export interface ScreenState {
  readonly title: string;
  /** What to do while nothing has happened. */
  readonly hint: string;
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
  const isUnused = state.table.size === 0 && state.changes.length === 0 && middle > 0;
  // An empty row between the two, if there is one to spare.
  const isRoomy = table.length > 0 && table.length + changesMin < middle;
  const space = middle - table.length - (isRoomy ? 1 : 0);
  const changes = space === 0 ? [] : state.changes.slice(-space);
  const body = [
    ...isUnused ? [paint(dim, state.hint)] : [],
    ...table.map((row, index) => paint(index === 0 ? bold : plain, row)),
    ...isRoomy ? [""] : [],
    ...changes.map(({ text, brush }) => paint(brush, text)),
  ];
  return [
    paint(dim, state.title),
    ...body,
    ...Array<string>(middle - body.length).fill(""),
    paint(bold, renderStatus(state)),
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
  const cells: Row[] = [["id", "name", "address", "age"]];
  // Only those that are shown are asked for: there may be a million.
  for (const client of table.clients) {
    if (cells.length > shown) break;
    cells.push(cellsOf(client, now));
  }
  const lines = alignRows(cells, columns);
  if (isCut) lines.push(`${GAP}… and ${formatCount(table.size - shown)} more`);
  return lines;
}

function cellsOf({ id, name, address, joinedAt }: TableClient, now: Instant): Row {
  return [`${id}`, cleanText(name), formatAddress(address), formatAge(now - joinedAt)];
}

/** The clients, the look-ups, and what was dropped, with the most frequent reason first. */
function renderStatus({ table, lookUps, dropped }: ScreenState): string {
  const reasons = Object.entries(dropped).toSorted(([, a], [, b]) => b - a);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const clients = table.size === 1 ? "1 client" : `${formatCount(table.size)} clients`;
  const asked = lookUps === 1 ? "1 look-up" : `${formatCount(lookUps)} look-ups`;
  const status = `${clients} · ${asked} · dropped ${formatCount(total)}`;
  const details = reasons.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(", ");
  return details === "" ? status : `${status}: ${details}`;
}

/** `1,234` */
function formatCount(count: number): string {
  return `${count}`.replace(/\B(?=(?:\d{3})+$)/g, ",");
}
