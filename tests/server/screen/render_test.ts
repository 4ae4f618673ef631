import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { TableClient } from "../../../server/table/table.ts";
import { TABLE_ROWS_MAX, type TableEvent } from "../../../server/event.ts";
import { type ClockReading, renderJson, renderText } from "../../../server/screen/render.ts";
import { NOTHING } from "./nothing.ts";

/** Noon on 9 March, local time, is the instant 1,000,000. */
const NOON = new Date(2024, 2, 9, 12, 0, 0);
const time: ClockReading = {
  now: 1_000_000,
  toDate: (instant) => new Date(NOON.getTime() - 1_000_000 + instant),
};

const fingerprint = "01234 56789 01234 56789 01234 56789";

function newClient(id: number, name = "", secondsAgo = 0): TableClient {
  const address = { hostname: "127.0.0.1", port: 40_000 + id };
  return { id, name, address, joinedAt: time.now - 1000 * secondsAgo };
}

function table(...clients: TableClient[]): TableEvent {
  return { kind: "table", size: clients.length, clients };
}

function text(output: Parameters<typeof renderText>[0]): string {
  return renderText(output, time, false);
}

Deno.test("renderText() reports a change of the table in one line", () => {
  const client = newClient(3, "alice");
  assertEquals(text({ kind: "joined", client }), "client 3 (alice) joined from 127.0.0.1:40003");
  assertEquals(text({ kind: "moved", client }), "client 3 (alice) is now at 127.0.0.1:40003");
  assertEquals(text({ kind: "left", client }), "client 3 (alice) left");
  assertEquals(text({ kind: "left", client: newClient(3) }), "client 3 left");
  assertEquals(
    text({ kind: "expired", client }),
    "client 3 (alice) expired: its lease ended without a keepalive",
  );
});

Deno.test("renderText() shows where the directory listens, and its fingerprint", () => {
  const listening = {
    kind: "listening",
    address: { hostname: "::1", port: 7070 },
    fingerprint,
  } as const;
  assertEquals(text(listening).split("\n"), [
    "Listening on [::1]:7070 (UDP) · Ctrl-C stops",
    `Fingerprint of this directory: ${fingerprint}`,
  ]);
  assertEquals(
    text({ ...listening, isPrivate: true }).split("\n")[0],
    "Listening on [::1]:7070 (UDP, private) · Ctrl-C stops",
  );
});

Deno.test("renderText() aligns the table by the width of its characters", () => {
  const clients = [newClient(1, "alice", 3661), newClient(2, "王小明", 1), newClient(10, "")];
  assertEquals(text(table(...clients)).split("\n"), [
    "  id  name    address             since",
    "   1  alice   127.0.0.1:40001  10:58:59",
    "   2  王小明  127.0.0.1:40002  11:59:59",
    "  10          127.0.0.1:40010  12:00:00",
    "3 clients",
  ]);
});

Deno.test("renderText() has no header without clients, and counts one client in the singular", () => {
  assertEquals(text(table()), "0 clients");
  assert(text(table(newClient(1))).endsWith("\n1 client"));
});

Deno.test("renderText() adds the day to a time that is not today's", () => {
  assertStringIncludes(text(table(newClient(1, "", 13 * 3600))), "  2024-03-08 23:00:00\n");
});

Deno.test("renderText() and renderJson() show only the size of a table above a bound, without reading it", () => {
  const longest = Array.from({ length: TABLE_ROWS_MAX }, (_, index) => newClient(index + 1));
  assertEquals(text(table(...longest)).split("\n").length, 1 + TABLE_ROWS_MAX + 1);
  assertEquals(JSON.parse(renderJson(table(...longest), time)).clients.length, TABLE_ROWS_MAX);
  const size = 1_000_000;
  const clients = {
    [Symbol.iterator](): Iterator<TableClient> {
      throw new Error("read");
    },
  };
  const larger: TableEvent = { kind: "table", size, clients };
  assertEquals(text(larger), "1000000 clients");
  assertEquals(
    renderJson(larger, time),
    `{"event":"tableSize","time":"${NOON.toISOString()}","size":1000000}`,
  );
  assertEquals(text({ ...larger, size: TABLE_ROWS_MAX + 1 }), `${TABLE_ROWS_MAX + 1} clients`);
});

Deno.test("renderText() cleans names", () => {
  const client = newClient(1, "a\x1b[31m\u202eb\u{e0061}\nc");
  assertEquals(text({ kind: "left", client }), "client 1 (a[31mb c) left");
  assertStringIncludes(text(table(client)), "\n   1  a[31mb c  127");
  assertEquals(text({ kind: "left", client: newClient(1, "\u200b") }), "client 1 left");
});

Deno.test("renderText() uses colors only if asked to", () => {
  const outputs = [{ kind: "joined", client: newClient(1) }, table(newClient(1))] as const;
  for (const output of outputs) {
    assertEquals(renderText(output, time, true).includes("\x1b"), true);
    assertEquals(renderText(output, time, false).includes("\x1b"), false);
  }
});

Deno.test("renderJson() writes the contract's events to the letter", () => {
  const noon = NOON.toISOString();
  const since = new Date(NOON.getTime() - 1500).toISOString();
  const client = newClient(3, "alice", 1.5);
  const address = { hostname: "127.0.0.1", port: 7070 };
  const json = { id: 3, name: "alice", host: "127.0.0.1", port: 40_003 };
  const lines = [
    [
      renderJson({ kind: "listening", address, fingerprint }, time),
      `{"event":"listening","time":"${noon}","host":"127.0.0.1","port":7070,` +
      `"fingerprint":"${fingerprint}"}`,
    ],
    ...(["joined", "moved", "left", "expired", "displaced"] as const).map((kind) => [
      renderJson({ kind, client }, time),
      `{"event":"${kind}","time":"${noon}","client":${JSON.stringify(json)}}`,
    ]),
    [
      renderJson(table(client, newClient(4)), time),
      `{"event":"table","time":"${noon}","clients":[` +
      `{"id":3,"name":"alice","host":"127.0.0.1","port":40003,"since":"${since}"},` +
      `{"id":4,"name":"","host":"127.0.0.1","port":40004,"since":"${noon}"}]}`,
    ],
    [renderJson(table(), time), `{"event":"table","time":"${noon}","clients":[]}`],
    [
      renderJson({ kind: "error", code: "portInUse", message: "no" }, time),
      `{"event":"error","time":"${noon}","code":"portInUse","message":"no"}`,
    ],
  ];
  for (const [line, expected] of lines) assertEquals(line, expected);
});

Deno.test("renderText() shows the totals: clients, introductions, what was carried, and what was dropped, by reason", () => {
  assertEquals(
    text({ kind: "totals", totals: NOTHING }),
    "Stopped · 0 clients were active · 0 introductions · carried 0 B · nothing was dropped",
  );
  const dropped = { strangers: 10, registrations: 2, meetings: 3, carry: 4 };
  const totals = { ...NOTHING, clients: 1, introductions: 1, carriedBytes: 2048, dropped };
  assertEquals(
    text({ kind: "totals", totals }),
    "Stopped · 1 client was active · 1 introduction · carried 2 KiB · " +
      "dropped 19: strangers 10, registrations 2, meetings 3, carry 4",
  );
});

Deno.test("renderJson() has all totals as numbers", () => {
  const dropped = { calls: 5, carried: 6 };
  const refused = { nameTaken: 7 };
  const counts = { clients: 1, registrations: 8, lookUps: 2, introductions: 3 };
  const totals = { ...counts, carriedDatagrams: 9, carriedBytes: 4, refused, dropped };
  const { time: _, ...fields } = JSON.parse(renderJson({ kind: "totals", totals }, time));
  assertEquals(fields, {
    event: "totals",
    ...totals,
    refused: [{ reason: "nameTaken", count: 7 }],
    dropped: [{ reason: "calls", count: 5 }, { reason: "carried", count: 6 }],
  });
});
