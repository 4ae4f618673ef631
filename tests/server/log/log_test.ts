import { assertEquals } from "@std/assert";
import { describeClient, describeReload, describeStart } from "../../../server/log/entries.ts";
import { Log, type LogEntry, renderLogEntry } from "../../../server/log/log.ts";
import type { LogLevel } from "../../../server/options.ts";

const DATE = new Date(Date.UTC(2026, 10, 29, 12));
const ENTRIES: LogEntry[] = (["error", "warn", "info", "debug"] as const).map((level) => ({
  level,
  event: "output",
  message: level,
}));

/** The lines of a log to which one entry of each level is added. */
function linesAt(level: LogLevel, showNote?: (text: string) => void): string[] {
  const lines: string[] = [];
  const writeLine = (line: string): void => void lines.push(line);
  const log = new Log({ format: "text", level, readDate: () => DATE, writeLine });
  log.showOn(showNote);
  for (const entry of ENTRIES) log.add(entry);
  return lines.map((line) => line.replace("2026-11-29T12:00:00.000Z ", ""));
}

Deno.test("Log writes a level and the graver ones", () => {
  const [error, warn, info, debug] = ENTRIES.map(({ level }) => `${level} ${level}`);
  assertEquals(linesAt("error"), [error]);
  assertEquals(linesAt("warn"), [error, warn]);
  assertEquals(linesAt("info"), [error, warn, info]);
  assertEquals(linesAt("debug"), [error, warn, info, debug]);
});

Deno.test("Log shows entries on a screen as notes, but nothing of each client", () => {
  const notes: string[] = [];
  assertEquals(linesAt("debug", (text) => notes.push(text)), []);
  assertEquals(notes, ["error", "warn", "info"]);
});

Deno.test("renderLogEntry() has the fields in JSON, and the message in text", () => {
  const address = { hostname: "::1", port: 7070 };
  const entry = describeStart({ address, fingerprint: "12345 67890", isPrivate: true });
  assertEquals(
    renderLogEntry(entry, "text", DATE),
    "2026-11-29T12:00:00.000Z info Listening on [::1]:7070 (UDP, private); fingerprint 12345 67890",
  );
  assertEquals(JSON.parse(renderLogEntry(entry, "json", DATE)), {
    time: "2026-11-29T12:00:00.000Z",
    level: "info",
    event: "started",
    message: entry.message,
    host: "::1",
    port: 7070,
    fingerprint: "12345 67890",
    private: true,
  });
});

Deno.test("describeReload() names what was read again", () => {
  const message = (limitsFile?: string, secretFile?: string): string =>
    describeReload({ limitsFile, secretFile }).message;
  assertEquals(message("a", "b"), "Read the limits and the secret again");
  assertEquals(message(undefined, "b"), "Read the secret again");
  assertEquals(message(), "Nothing to read again: neither --limits nor --secret names a file");
});

Deno.test("renderLogEntry() makes one line of what others chose", () => {
  const address = { hostname: "192.0.2.1", port: 1 };
  const client = { id: 2, name: "a\n\x1b[31mb", address, joinedAt: 0 };
  const entry = describeClient({ kind: "joined", client });
  const control = /[^\P{C}]|\n/u;
  for (const format of ["text", "json"] as const) {
    assertEquals(control.test(renderLogEntry(entry, format, DATE)), false);
  }
  assertEquals(entry.fields, {
    change: "joined",
    id: 2,
    name: client.name,
    host: "192.0.2.1",
    port: 1,
  });
  const error: LogEntry = { level: "warn", event: "socket", message: "a\nb" };
  assertEquals(renderLogEntry(error, "text", DATE).includes("\n"), false);
});
