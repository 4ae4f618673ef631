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
import { cutToWidth, screenWidth, wrapped } from "../../cli/wrap.ts";
import { alignRows, GAP, type Row } from "./columns.ts";
import { PAGE_KEYS_HINT, PAGE_KEYS_SHORT } from "./page_keys.ts";
import type { TableClient } from "../table/table.ts";
import type { LogLine } from "./render.ts";
import type { Totals } from "../totals.ts";

const { bold, dim } = styles(true);

/** Rows of the terminal from which on the title has more than one. */
const TITLE_ROWS_MIN = 8;
/** With a long table, the log gets one of so many rows. */
const LOG_SHARE = 3;
/** Columns by which the further rows of a log line are indented, as wide as its time; less where it is narrow. */
const LOG_INDENT = 9;
const LOG_COLUMNS_MIN = 31;
/** Columns of the status that are seen beside the pages in words, and beside their numbers. */
const STATUS_COLUMNS = 40;
const STATUS_COLUMNS_MIN = 10;

/** What is shown. */
export interface ScreenState {
  /** A row, or more where there is room. */
  readonly title: readonly string[];
  /** Shown until the first client comes. */
  readonly hint: string;
  /** The clients from the `index`th on, by rising id. */
  readonly clientsFrom: (index: number) => Iterable<TableClient>;
  /** Which page of the table is shown, counted from 0; the last one if there are fewer. */
  readonly page: number;
  /** Whether there is a keyboard that turns pages. */
  readonly hasKeys: boolean;
  /** The oldest first. */
  readonly log: readonly LogLine[];
  readonly totals: Totals;
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
  size: ScreenSize,
  isColored: boolean,
): string[] {
  const { columns, rows } = size;
  const paint = (brush: Brush, text: string): string => {
    const cut = cutToWidth(text, columns);
    return isColored ? brush(cut) : cut;
  };
  const { title, middle, logMin } = layOut(state, size);
  const table = renderTableRows(state, middle - logMin, columns);
  const isUnused = state.totals.clients === 0 && state.log.length === 0 && middle > 0;
  // An empty row between the table and the log, if there is one to spare.
  const hasGap = table.length > 0 && table.length + logMin < middle;
  const space = middle - table.length - (hasGap ? 1 : 0);
  const log = wrapLog(state.log, space, columns);
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
    paint(bold, renderLastRow(state, middle - logMin, columns)),
  ].slice(-rows);
}

/** How many pages the table has on a terminal of this size. */
export function countPages(state: ScreenState, size: ScreenSize): number {
  const { middle, logMin } = layOut(state, size);
  return pagesOf(state, middle - logMin).count;
}

/** The rows of the title, and how many rows there are for the table and the log, and at least for the log. */
function layOut({ title, log }: ScreenState, { columns, rows }: ScreenSize): {
  title: readonly string[];
  middle: number;
  logMin: number;
} {
  const shown = title.slice(0, rows < TITLE_ROWS_MIN ? 1 : undefined);
  // The title, and the totals in the last row.
  const middle = Math.max(0, rows - shown.length - 1);
  const logMin = wrapLog(log, Math.ceil(middle / LOG_SHARE), columns).length;
  return { title: shown, middle, logMin };
}

/** The newest lines of the log that fit into so many rows, each of them whole, but for a taller one. */
function wrapLog(log: readonly LogLine[], space: number, columns: number): LogLine[] {
  const indent = Math.max(0, Math.min(LOG_INDENT, columns - LOG_COLUMNS_MIN));
  const wrapping = { first: columns, rest: columns - indent, measure: screenWidth };
  const rows: LogLine[] = [];
  for (let index = log.length - 1; index >= 0 && rows.length < space; index--) {
    const line = log[index]!;
    const lines = line.isWrapped ? [...wrapped(line.text, wrapping)] : [line.text];
    if (rows.length > 0 && rows.length + lines.length > space) break;
    const indented = lines.map((text, row) => row === 0 ? text : " ".repeat(indent) + text);
    rows.unshift(...indented.map((text) => ({ ...line, text })));
  }
  return rows.slice(0, space);
}

/** The pages of the table in so many rows: how many clients are on each, which is shown, and how many there are. */
function pagesOf(
  { totals: { clients }, page }: ScreenState,
  space: number,
): { length: number; shown: number; count: number } {
  // A header, and where the table is cut a row for how many more there are.
  const length = clients + 1 > space ? Math.max(0, space - 2) : clients;
  const count = length === 0 ? 1 : Math.ceil(clients / length);
  return { length, shown: Math.min(page, count - 1), count };
}

function plain(text: string): string {
  return text;
}

/** The row, or what follows its label where there is no room for both: digits are to be seen whole. */
function withoutLabel(row: string, columns: number): string {
  return screenWidth(row) <= columns ? row : row.replace(/^[^:]+: /, "");
}

/** The header, a page of the clients, and the number of the others. */
function renderTableRows(state: ScreenState, space: number, columns: number): string[] {
  const { totals: { clients }, clientsFrom, now } = state;
  if (clients === 0 || space < 2) return [];
  const { length, shown } = pagesOf(state, space);
  const cells: Row[] = [["id", "name", "address", "age"]];
  // Only the clients that are shown are read: there may be a million.
  if (length > 0) {
    for (const client of clientsFrom(shown * length)) {
      cells.push(cellsOf(client, now));
      if (cells.length > length) break;
    }
  }
  const others = clients - (cells.length - 1);
  const lines = alignRows(cells, columns);
  if (others > 0) lines.push(`${GAP}… and ${formatCount(others)} more`);
  return lines;
}

function cellsOf({ id, name, address, joinedAt }: TableClient, now: Instant): Row {
  return [`${id}`, cleanText(name), formatAddress(address), formatAge(now - joinedAt)];
}

/** The status; at the right, where the table has pages, which is shown, and the keys that turn them. */
function renderLastRow(state: ScreenState, space: number, columns: number): string {
  const status = renderStatus(state);
  const { shown, count } = pagesOf(state, space);
  if (count < 2 || !state.hasKeys) return status;
  const [page, all] = [formatCount(shown + 1), formatCount(count)];
  const roomFor = (pages: string): number => columns - screenWidth(pages) - GAP.length;
  const long = `page ${page} of ${all} · ${PAGE_KEYS_HINT}`;
  const pages = roomFor(long) < STATUS_COLUMNS ? `${page}/${all}: ${PAGE_KEYS_SHORT}` : long;
  const room = roomFor(pages);
  if (room < STATUS_COLUMNS_MIN) return status;
  const cut = cutToWidth(status, room);
  return cut + " ".repeat(room - screenWidth(cut)) + GAP + pages;
}

/** The numbers of what was done, and of drops, with the most frequent reason first. */
function renderStatus({ totals }: ScreenState): string {
  const { clients, lookUps, introductions, carriedBytes } = totals;
  const reasons = Object.entries(totals.dropped).toSorted(([, a], [, b]) => b - a);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const status = [
    count(clients, "client"),
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
