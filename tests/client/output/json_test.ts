import { assert, assertEquals } from "@std/assert";
import type { AnswerEvent, ClientEvent } from "../../../client/event.ts";
import { renderJson } from "../../../client/output/json.ts";
import { ADDRESS, BOB, BOB_CONNECTED, BOB_KEY, KEY, message, registered, TIME } from "./events.ts";

Deno.test("renderJson() gives the documented events and fields", () => {
  const cases: [ClientEvent, Record<string, unknown> | undefined][] = [
    [
      registered,
      {
        ...{ id: 1, name: "ana", host: "127.0.0.1", port: 40001, server: "localhost:7070" },
        serverAddress: "127.0.0.1:7070",
        serverKey: "32617 65254 62111 10488 35948 09238",
      },
    ],
    [{ kind: "serverLost", server: "s" }, { server: "s" }],
    [{ kind: "serverBack", server: "s" }, { server: "s" }],
    [{ kind: "serverUnavailable", server: "s" }, { server: "s" }],
    [
      {
        ...{ kind: "serverMoved", server: "s", why: "silent" },
        before: { hostname: "10.0.0.1", port: 7070 },
        address: { hostname: "10.0.0.2", port: 7071 },
      },
      { server: "s", host: "10.0.0.2", port: 7071, why: "silent" },
    ],
    [
      { kind: "requesting", ...BOB, attempt: 3, nextInMs: 9999.6 },
      { peer: 2, attempt: 3, nextInMs: 10000 },
    ],
    [{ kind: "ringing", ...BOB }, { peer: 2 }],
    [{ kind: "inactive", peer: 2 }, { peer: 2 }],
    [{ kind: "inactive", peer: "bob" }, { name: "bob" }],
    [{ kind: "rejected", ...BOB, reason: 1 }, { peer: 2 }],
    [{ kind: "request", ...BOB_KEY }, BOB],
    [{ kind: "connected", ...BOB_CONNECTED }, { ...BOB, path: "direct" }],
    [
      { kind: "path", ...BOB, path: "lan", before: "direct", address: ADDRESS },
      { peer: 2, kind: "lan", host: "127.0.0.1", port: 40001 },
    ],
    [{ kind: "unanswered", peer: "bob", name: "bob", by: "directory" }, {
      name: "bob",
      by: "directory",
    }],
    [{ kind: "unanswered", ...BOB, by: "peer" }, { peer: 2, by: "peer" }],
    [{ kind: "returned", ...BOB_CONNECTED, who: "peer" }, { ...BOB, who: "peer" }],
    [{ kind: "returned", ...BOB_CONNECTED, who: "self" }, { ...BOB, who: "self" }],
    [{ kind: "sent", peer: 2, textSeq: 0 }, { peer: 2, seq: 0 }],
    [{ kind: "delivered", peer: 2, textSeq: 0, rttMs: 1.23456 }, { peer: 2, seq: 0, rttMs: 1.235 }],
    [{ kind: "unconfirmed", peer: 2, textSeq: 0 }, { peer: 2, seq: 0 }],
    [message("a\nb"), { ...BOB, seq: 0, text: "a\nb" }],
    [
      { kind: "terminated", ...BOB, by: "peer", undelivered: 0 },
      { peer: 2, by: "peer", undelivered: 0 },
    ],
    [
      { kind: "list", clients: [], pattern: "x", total: 2 },
      { clients: [], pattern: "x", total: 2 },
    ],
    [{ kind: "list", clients: [{ id: 1, name: "" }] }, { clients: [{ id: 1, name: "" }] }],
    [{ kind: "left", undelivered: 0, acknowledged: true }, { undelivered: 0, acknowledged: true }],
    [{ kind: "error", code: "usage", message: "m" }, { code: "usage", message: "m" }],
    [{ kind: "cancelled", ...BOB }, { peer: 2 }],
    [{ kind: "cancelled", peer: "bob", name: "bob" }, { name: "bob" }],
    [{ kind: "current", ...BOB, why: "ended" }, { ...BOB, why: "ended" }],
    [{ kind: "requestEnded", ...BOB, why: "busy" }, { ...BOB, why: "busy" }],
    [{ kind: "renewed", peer: 2, hash: KEY }, undefined],
    [
      {
        kind: "requests",
        pending: [{ id: 2, name: "", key: KEY }],
        missed: [{ id: 3, name: "eve", key: KEY, why: "expired", times: 2, agoMs: 1.6 }],
      },
      {
        pending: [{ id: 2, name: "" }],
        missed: [{ id: 3, name: "eve", why: "expired", times: 2, agoMs: 2 }],
      },
    ],
  ];
  for (const [event, fields] of cases) {
    const line = renderJson(event, TIME);
    const expected = fields && { event: event.kind, time: TIME.toISOString(), ...fields };
    assertEquals(line === undefined ? undefined : JSON.parse(line), expected);
  }
});

Deno.test("renderJson() gives the answers of the client itself, with the reference of the command", () => {
  const eve = { id: 3, name: "eve", fingerprint: "1" };
  const stranger = { id: undefined, name: "", fingerprint: "2" };
  const cases: [AnswerEvent, Record<string, unknown>][] = [
    [{ kind: "fingerprint", fingerprint: "1" }, { fingerprint: "1" }],
    [{ kind: "fingerprint", fingerprint: "1", file: "f" }, { fingerprint: "1", file: "f" }],
    [{ kind: "verify", ...BOB, digits: "1" }, { ...BOB, digits: "1" }],
    [{ kind: "trust", client: eve }, { peer: 3, name: "eve", fingerprint: "1" }],
    [{ kind: "block", client: stranger }, { name: "", fingerprint: "2" }],
    [{ kind: "blocked", clients: [stranger] }, { clients: [{ name: "", fingerprint: "2" }] }],
    [{ kind: "reject", ...BOB }, BOB],
    [{ kind: "log" }, {}],
    [{ kind: "log", file: "f" }, { file: "f" }],
    [{ kind: "help", text: "t" }, { text: "t" }],
  ];
  for (const [event, fields] of cases) {
    const line = renderJson(event, TIME, 'a "ref"') ?? "";
    const common = { event: event.kind, time: TIME.toISOString(), ref: 'a "ref"' };
    assertEquals(JSON.parse(line), { ...common, ...fields });
  }
});

Deno.test("renderJson() gives the exact text in one line that does nothing to a terminal", () => {
  const text = "\x00\x1b[2J\x9b\u2028\u202e\u{e0041}\ud800 “日本” 👩‍👩‍👧\r\n";
  const line = renderJson(message(text), TIME) ?? "";
  assertEquals(JSON.parse(line).text, text);
  assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(line));
  assert(line.includes("日本"));
});
