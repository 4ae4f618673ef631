/**
 * The rows that a directory shows on a terminal: the table, the log of its changes, the totals.
 *
 * @module
 */
import { formatAddress } from "../../protocol/wire/address.ts";
import type { Instant } from "../../protocol/machine.ts";
import { type Brush, styles } from "../../cli/style.ts";
import { cleanText } from "../../cli/text.ts";
import { formatAge, formatSize } from "../../cli/format.ts";
import { cutToWidth, screenWidth } from "../../cli/wrap.ts";
import { alignRows, GAP, type Row } from "./columns.ts";
import type { TableClient } from "../table/table.ts";
import type { TableEvent } from "../event.ts";
import type { LogLine } from "./render.ts";
import type { Totals } from "../totals.ts";

const { bold, dim } = styles(true);

/** Rows of the terminal from which on the title has more than one. */
const TITLE_ROWS_MIN = 8;
/** With a long table, the log gets one of so many rows. */
const LOG_SHARE = 3;

/** What is shown. */
export interface ScreenState {
  /** A row, or more where there is room. */
  readonly title: readonly string[];
  /** Shown until the first client comes. */
  readonly hint: string;
  readonly table: TableEvent;
  /** The oldest first. */
  readonly log: readonly LogLine[];
  readonly totals: Omit<Totals, "clients">;
  readonly now: Instant;
}

/** The size of the terminal. */
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
  const title = state.title.slice(0, rows < TITLE_ROWS_MIN ? 1 : undefined);
  // The title, and the totals in the last row.
  const middle = Math.max(0, rows - title.length - 1);
  const logMin = Math.min(Math.ceil(middle / LOG_SHARE), state.log.length);
  const table = renderTableRows(state, middle - logMin, columns);
  const isUnused = state.table.size === 0 && state.log.length === 0 && middle > 0;
  // An empty row between the table and the log, if there is one to spare.
  const hasGap = table.length > 0 && table.length + logMin < middle;
  const space = middle - table.length - (hasGap ? 1 : 0);
  const log = space === 0 ? [] : state.log.slice(-space);
  const body = [
    ...isUnused ? [paint(dim, state.hint)] : [],
    ...table.map((row, index) => paint(index === 0 ? bold : plain, row)),
    ...hasGap ? [""] : [],
    ...log.map(({ text, brush }) => paint(brush, text)),
  ];
  return [
    ...title.map((row) => paint(dim, withoutLabel(row, columns))),
    ...body,
    ...Array<string>(middle - body.length).fill(""),
    paint(bold, renderStatus(state)),
  ].slice(-rows);
}

function plain(text: string): string {
  return text;
}

/** The row, or what follows its label where there is no room for both: digits are to be seen whole. */
function withoutLabel(row: string, columns: number): string {
  return screenWidth(row) <= columns ? row : row.replace(/^[^:]+: /, "");
}

/** The header, as many clients as fit, and the number of the others. */
function renderTableRows({ table, now }: ScreenState, space: number, columns: number): string[] {
  if (table.size === 0 || space < 2) return [];
  const isCut = table.size + 1 > space;
  const shown = isCut ? Math.max(0, space - 2) : table.size;
  const cells: Row[] = [["id", "name", "address", "age"]];
  // Only the clients that are shown are read: there may be a million.
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

/** The numbers of what was done, and of drops, with the most frequent reason first. */
function renderStatus({ table, totals }: ScreenState): string {
  const { lookUps, introductions, carriedBytes } = totals;
  const reasons = Object.entries(totals.dropped).toSorted(([, a], [, b]) => b - a);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const status = [
    count(table.size, "client"),
    count(introductions, "introduction"),
    ...carriedBytes === 0 ? [] : [`carried ${formatSize(carriedBytes)}`],
    ...lookUps === 0 ? [] : [count(lookUps, "look-up")],
    `dropped ${formatCount(total)}`,
  ].join(" · ");
  const details = reasons.map(([reason, count]) => `${reason} ${formatCount(count)}`).join(", ");
  return details === "" ? status : `${status}: ${details}`;
}

/** `1 client`, `1,234 clients` */
function count(many: number, what: string): string {
  return `${formatCount(many)} ${what}${many === 1 ? "" : "s"}`;
}

/** `1,234` */
function formatCount(count: number): string {
  return `${count}`.replace(/\B(?=(?:\d{3})+$)/g, ",");
}
