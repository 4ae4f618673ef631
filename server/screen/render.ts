/**
 * What a directory says: as text for people, and as JSON for programs.
 *
 * @module
 */
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import type { Instant } from "../../protocol/machine.ts";
import { type Brush, styles } from "../../cli/style.ts";
import { cleanText } from "../../cli/text.ts";
import { alignRows, type Row } from "./columns.ts";
import type { TableClient } from "../table/entry.ts";
import { type ChangeKind, type ServerEvent, TABLE_ROWS_MAX, type TableEvent } from "../event.ts";
import { PORT_DEFAULT } from "../options.ts";
import type { DropReason } from "../server.ts";

const { bold, dim, green, red, yellow } = styles(true);

/** What the process has to say: the events of the directory, and its own. */
export type Output =
  | ServerEvent
  | { kind: "listening"; address: Address; isPrivate?: boolean }
  | { kind: "error"; code: string; message: string };

/** When something is said. */
export interface Moment {
  now: Instant;
  /** What an instant is on the wall clock. */
  toDate(instant: Instant): Date;
}

/** One line of JSON. */
export function renderJson(output: Output, moment: Moment): string {
  // A table is always the whole one, so what is told of a large one is another event.
  const isLarge = output.kind === "table" && output.size > TABLE_ROWS_MAX;
  return JSON.stringify({
    event: isLarge ? "tableSize" : output.kind,
    time: moment.toDate(moment.now).toISOString(),
    ...(isLarge ? { size: output.size } : jsonFields(output, moment)),
  });
}

function jsonFields(output: Output, moment: Moment): Record<string, unknown> {
  switch (output.kind) {
    case "listening":
      return { host: output.address.hostname, port: output.address.port };
    case "error":
      return { code: output.code, message: output.message };
    case "table":
      return {
        clients: Array.from(output.clients, (client) => ({
          ...jsonClient(client),
          since: moment.toDate(client.joinedAt).toISOString(),
        })),
      };
    default:
      return { client: jsonClient(output.client) };
  }
}

function jsonClient({ id, name, address }: TableClient): Record<string, unknown> {
  return { id, name, host: address.hostname, port: address.port };
}

/** Lines of text, without a line break behind the last one. */
export function renderText(output: Output, moment: Moment, isColored: boolean): string {
  switch (output.kind) {
    case "listening": {
      const kind = output.isPrivate ? "UDP, private" : "UDP";
      return `Listening on ${formatAddress(output.address)} (${kind}) · Ctrl-C stops`;
    }
    case "error":
      return output.message;
    case "table":
      return renderTable(output, moment, isColored);
    default:
      return renderChange(output.kind, output.client, isColored);
  }
}

/** How to become the first client of a directory. */
export function renderHint(address: Address): string {
  const { hostname, port } = address;
  const isUsual = hostname === "127.0.0.1" && port === PORT_DEFAULT;
  const isAny = hostname === "0.0.0.0" || hostname === "::";
  const where = isUsual
    ? ""
    : ` --server ${formatAddress(isAny ? { hostname: "HOST", port } : address)}`;
  return `Nobody is here yet · in another terminal: udp-chat client --name ana${where}`;
}

const CHANGES: Record<ChangeKind, [words: string, color: Brush]> = {
  joined: ["joined from", green],
  moved: ["is now at", green],
  left: ["left", yellow],
  expired: ["expired: its lease ended without a keepalive", red],
};

/** Something that happened, and what it looks like. */
export interface Change {
  readonly text: string;
  readonly brush: Brush;
}

/** What happened to a client, behind the time, in the color that says what it was. */
export function changeOf(kind: ChangeKind, client: TableClient, moment: Moment): Change {
  const time = formatTime(moment.toDate(moment.now));
  return { text: `${time} ${renderChange(kind, client, false)}`, brush: CHANGES[kind][1] };
}

/** A text behind the time, in the place of a change. */
export function noteOf(text: string, moment: Moment): Change {
  return { text: `${formatTime(moment.toDate(moment.now))} ${text}`, brush: yellow };
}

function renderChange(kind: ChangeKind, client: TableClient, isColored: boolean): string {
  const [words, color] = CHANGES[kind];
  const name = cleanText(client.name);
  const who = `client ${client.id}${name === "" ? "" : ` (${name})`}`;
  const where = kind === "joined" || kind === "moved" ? ` ${formatAddress(client.address)}` : "";
  const line = `${who} ${words}${where}`;
  return isColored ? color(line) : line;
}

function renderTable(table: TableEvent, moment: Moment, isColored: boolean): string {
  const total = table.size === 1 ? "1 client" : `${table.size} clients`;
  if (table.size > TABLE_ROWS_MAX) return isColored ? dim(total) : total;
  const rows = Array.from(table.clients, ({ id, name, address, joinedAt }): Row => {
    const since = formatSince(moment.toDate(joinedAt), moment.toDate(moment.now));
    return [String(id), cleanText(name), formatAddress(address), since];
  });
  const header: Row = ["id", "name", "address", "since"];
  const [header_, ...lines] = alignRows(rows.length === 0 ? [] : [header, ...rows]);
  if (header_ !== undefined) lines.unshift(isColored ? bold(header_) : header_);
  return [...lines, isColored ? dim(total) : total].join("\n");
}

/** The time of day, behind the day where that is not today's. */
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

/** The last line: what the directory leaves behind. */
export function renderTotals(
  clients: number,
  dropped: Partial<Record<DropReason, number>>,
): string {
  const reasons = Object.entries(dropped);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  const details = reasons.map(([reason, count]) => `${reason} ${count}`).join(", ");
  const active = clients === 1 ? "1 client was" : `${clients} clients were`;
  const drops = total === 0 ? "nothing was dropped" : `dropped ${total}: ${details}`;
  return `Stopped · ${active} active · ${drops}`;
}
