/**
 * The output of a directory: text for people, JSON for programs.
 *
 * @module
 */
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import type { Instant } from "../../protocol/machine.ts";
import { type Brush, styles } from "../../cli/style.ts";
import { formatSize } from "../../cli/format.ts";
import { cleanText } from "../../cli/text.ts";
import { alignRows, type Row } from "./columns.ts";
import type { ChangeKind, TableClient } from "../table/table.ts";
import { type ServerEvent, TABLE_ROWS_MAX, type TableEvent } from "../event.ts";
import { PORT_DEFAULT } from "../options.ts";
import type { Totals } from "../totals.ts";

const { bold, dim, green, red, yellow } = styles(true);

/** What is printed: the events of the directory, and those of the process. */
export type Output =
  | ServerEvent
  | { kind: "listening"; address: Address; fingerprint: string; isPrivate?: boolean }
  | { kind: "totals"; totals: Totals }
  | { kind: "error"; code: string; message: string };

/** A reading of the monotonic clock and the wall clock. */
export interface ClockReading {
  readonly now: Instant;
  /** What an instant is on the wall clock. */
  toDate(instant: Instant): Date;
}

/** One line of JSON. */
export function renderJson(output: Output, time: ClockReading): string {
  // The event "table" always has all clients.
  const isLarge = output.kind === "table" && output.size > TABLE_ROWS_MAX;
  return JSON.stringify({
    event: isLarge ? "tableSize" : output.kind,
    time: time.toDate(time.now).toISOString(),
    ...(isLarge ? { size: output.size } : jsonFields(output, time)),
  });
}

function jsonFields(output: Output, time: ClockReading): Record<string, unknown> {
  switch (output.kind) {
    case "listening":
      return {
        host: output.address.hostname,
        port: output.address.port,
        fingerprint: output.fingerprint,
      };
    case "error":
      return { code: output.code, message: output.message };
    case "totals": {
      const { refused, dropped, ...counts } = output.totals;
      return { ...counts, refused: jsonCounts(refused), dropped: jsonCounts(dropped) };
    }
    case "table":
      return {
        clients: Array.from(output.clients, (client) => ({
          ...jsonClient(client),
          since: time.toDate(client.joinedAt).toISOString(),
        })),
      };
    default:
      return { client: jsonClient(output.client) };
  }
}

function jsonCounts(counts: Readonly<Record<string, number>>): Record<string, unknown>[] {
  return Object.entries(counts).map(([reason, count]) => ({ reason, count }));
}

function jsonClient({ id, name, address }: TableClient): Record<string, unknown> {
  return { id, name, host: address.hostname, port: address.port };
}

/** Lines of text, without a line break after the last one. */
export function renderText(output: Output, time: ClockReading, isColored: boolean): string {
  switch (output.kind) {
    case "listening": {
      const kind = output.isPrivate ? "UDP, private" : "UDP";
      return `Listening on ${formatAddress(output.address)} (${kind}) · Ctrl-C stops\n` +
        `Fingerprint of this directory: ${output.fingerprint}`;
    }
    case "error":
      return output.message;
    case "totals":
      return renderTotals(output.totals);
    case "table":
      return renderTable(output, time, isColored);
    default:
      return renderChange(output.kind, output.client, isColored);
  }
}

/** How to start the first client of a directory. */
export function renderHint(address: Address): string {
  const { hostname, port } = address;
  const isDefault = hostname === "127.0.0.1" && port === PORT_DEFAULT;
  const isAny = hostname === "0.0.0.0" || hostname === "::";
  if (isDefault) return "Nobody is here yet · in another terminal: udp-chat client --name ana";
  // With an address there is no room for more in 80 columns.
  const where = formatAddress(isAny ? { hostname: "HOST", port } : address);
  return `Nobody is here yet · udp-chat client --name ana --server ${where}`;
}

const CHANGES: Record<ChangeKind, [words: string, brush: Brush]> = {
  joined: ["joined from", green],
  moved: ["is now at", green],
  left: ["left", yellow],
  expired: ["expired: its lease ended without a keepalive", red],
  displaced: ["gave its place to one from another address: the table is full", red],
};

/** A line of the log that a live screen shows. */
export interface LogLine {
  readonly text: string;
  readonly brush: Brush;
  /** Whether it is wrapped where it is wider than the screen, rather than cut. */
  readonly isWrapped: boolean;
}

/** A change of the table, with the time. */
export function renderChangeLine(
  kind: ChangeKind,
  client: TableClient,
  time: ClockReading,
): LogLine {
  const text = withTime(renderChange(kind, client, false), time);
  return { text, brush: CHANGES[kind][1], isWrapped: false };
}

/** A note for the user, with the time. */
export function renderNoteLine(text: string, time: ClockReading): LogLine {
  return { text: withTime(text, time), brush: yellow, isWrapped: true };
}

function withTime(text: string, { now, toDate }: ClockReading): string {
  return `${formatTime(toDate(now))} ${text}`;
}

/** A change of the table in words. */
export function renderChange(kind: ChangeKind, client: TableClient, isColored: boolean): string {
  const [words, brush] = CHANGES[kind];
  const name = cleanText(client.name);
  const label = `client ${client.id}${name === "" ? "" : ` (${name})`}`;
  const where = kind === "joined" || kind === "moved" ? ` ${formatAddress(client.address)}` : "";
  const line = `${label} ${words}${where}`;
  return isColored ? brush(line) : line;
}

function renderTable(table: TableEvent, time: ClockReading, isColored: boolean): string {
  const total = table.size === 1 ? "1 client" : `${table.size} clients`;
  if (table.size > TABLE_ROWS_MAX) return isColored ? dim(total) : total;
  const rows = Array.from(table.clients, ({ id, name, address, joinedAt }): Row => {
    const since = formatSince(time.toDate(joinedAt), time.toDate(time.now));
    return [String(id), cleanText(name), formatAddress(address), since];
  });
  const header: Row = ["id", "name", "address", "since"];
  const [title, ...lines] = alignRows(rows.length === 0 ? [] : [header, ...rows]);
  if (title !== undefined) lines.unshift(isColored ? bold(title) : title);
  return [...lines, isColored ? dim(total) : total].join("\n");
}

/** The time of day, after the date if that is not today's. */
function formatSince(since: Date, today: Date): string {
  const time = formatTime(since);
  if (since.toDateString() === today.toDateString()) return time;
  const day = [since.getMonth() + 1, since.getDate()].map(twoDigits).join("-");
  return `${since.getFullYear()}-${day} ${time}`;
}

function formatTime(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(":");
}

function twoDigits(part: number): string {
  return String(part).padStart(2, "0");
}

/** The last line, when the directory stops. */
export function renderTotals({ clients, introductions, carriedBytes, dropped }: Totals): string {
  const reasons = Object.entries(dropped);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const details = reasons.map(([reason, count]) => `${reason} ${count}`).join(", ");
  const active = clients === 1 ? "1 client was" : `${clients} clients were`;
  const met = introductions === 1 ? "1 introduction" : `${introductions} introductions`;
  const drops = total === 0 ? "nothing was dropped" : `dropped ${total}: ${details}`;
  return `Stopped · ${active} active · ${met} · carried ${formatSize(carriedBytes)} · ${drops}`;
}
