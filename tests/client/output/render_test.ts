import { carriedTo } from "../../../protocol/wire/remote.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import type { ClientEvent } from "../../../client/event.ts";
import { MARKS } from "../../../client/output/deliveries.ts";
import { Renderer, type Surface } from "../../../client/output/render.ts";
import { styles, withoutStyle } from "../../../cli/style.ts";
import { hang } from "../../../cli/wrap.ts";
import { RejectReason } from "../../../protocol/wire/frame.ts";
import { ADDRESS, BOB, BOB_CONNECTED, BOB_KEY, KEY, message, registered, TIME } from "./events.ts";

const style = styles(false);
const PIPE: Surface = { isTyped: false, hasPrompt: false, columns: undefined, style };
const TERMINAL: Surface = { isTyped: true, hasPrompt: true, columns: 80, style };
const CARRIED = carriedTo(2);
const MOVE = {
  before: { hostname: "10.0.0.1", port: 7070 },
  address: { hostname: "10.0.0.2", port: 7070 },
};

/** The lines for the events. */
function plain(surface: Surface, ...events: ClientEvent[]): (string | undefined)[] {
  const renderer = new Renderer(surface);
  return events.map((event) => renderer.event(event, TIME));
}

Deno.test("Renderer shows events in the words of the specification", () => {
  const cases: [ClientEvent, string | undefined][] = [
    [registered, "Registered at localhost:7070 as client 1 (ana), seen at 127.0.0.1:40001"],
    [{ kind: "serverLost", server: "s:1" }, "The directory at s:1 does not answer · trying again"],
    [{ kind: "serverBack", server: "s:1" }, "The directory at s:1 answers again"],
    [
      { kind: "serverUnavailable", server: "s:1" },
      "The directory at s:1 cannot answer now · trying again",
    ],
    [
      { kind: "serverMoved", server: "s:1,s:2", ...MOVE, why: "silent" },
      "The directory at 10.0.0.1:7070 does not answer · registered at 10.0.0.2:7070 now",
    ],
    [
      { kind: "serverMoved", server: "s:1,s:2", ...MOVE, why: "unavailable" },
      "The directory at 10.0.0.1:7070 cannot answer now · registered at 10.0.0.2:7070 now",
    ],
    [
      { kind: "requesting", ...BOB, attempt: 1, nextInMs: 1 },
      "Connection Request sent to bob",
    ],
    [
      { kind: "requesting", ...BOB, attempt: 3, nextInMs: 1 },
      "Connection Request sent to bob again · attempt 3",
    ],
    [{ kind: "ringing", ...BOB }, "bob is ringing"],
    [{ kind: "inactive", peer: 2 }, "Client 2 Inactive"],
    [{ kind: "inactive", peer: "bob" }, "Client bob Inactive · nobody called bob is here"],
    [
      { kind: "rejected", ...BOB, reason: RejectReason.declined },
      "Connection Reject from bob",
    ],
    [
      { kind: "rejected", ...BOB, reason: RejectReason.busy },
      "Connection Reject from bob: busy",
    ],
    [{ kind: "cancelled", ...BOB }, "Connection Request to bob cancelled"],
    [{ kind: "request", ...BOB_KEY }, "Connection Request from bob"],
    [{ kind: "request", ...BOB_KEY, name: "" }, "Connection Request from client 2"],
    [
      { kind: "requestEnded", ...BOB, why: "cancelled" },
      "Connection Request from bob withdrawn",
    ],
    [
      { kind: "requestEnded", ...BOB, why: "expired" },
      "Connection Request from bob expired",
    ],
    [
      { kind: "requestEnded", ...BOB, why: "busy" },
      "Connection Request from bob rejected: you are busy",
    ],
    [
      { kind: "unanswered", peer: "bob", name: "bob", by: "directory" },
      "The directory does not answer yet where bob is · trying on",
    ],
    [
      { kind: "unanswered", ...BOB, by: "peer" },
      "Nothing came back from bob yet: its client was closed, its network is down or blocks UDP, " +
      "or there is no way to it and the directory carries nothing · trying on",
    ],
    [{ kind: "connected", ...BOB_CONNECTED }, "Connected to bob"],
    [{ kind: "connected", ...BOB_CONNECTED, path: "lan" }, "Connected to bob"],
    [
      { kind: "connected", ...BOB_CONNECTED, path: "carried" },
      "Connected to bob, carried by the directory",
    ],
    [
      { kind: "path", ...BOB, path: "carried", before: "direct", address: CARRIED },
      "Now carried by the directory: nothing direct gets through to bob",
    ],
    [
      { kind: "path", ...BOB, path: "lan", before: "carried", address: ADDRESS },
      "Now direct with bob",
    ],
    // What is direct needs no word.
    [{ kind: "path", ...BOB, path: "lan", before: "direct", address: ADDRESS }, undefined],
    [
      { kind: "returned", ...BOB_CONNECTED, who: "peer" },
      "bob is back: what was not delivered follows",
    ],
    [
      { kind: "returned", ...BOB_CONNECTED, who: "peer", quietBefore: 9 },
      "bob is back, after 9 more times: what was not delivered follows",
    ],
    [{ kind: "returned", ...BOB_CONNECTED, who: "peer", isQuiet: true }, undefined],
    [
      { kind: "path", ...BOB, path: "carried", before: "lan", address: CARRIED, isQuiet: true },
      undefined,
    ],
    [
      { kind: "returned", ...BOB_CONNECTED, name: "", who: "peer" },
      "client 2 is back: what was not delivered follows",
    ],
    [
      { kind: "returned", ...BOB_CONNECTED, who: "self" },
      "ana is back: the conversation with bob goes on",
    ],
    [{ kind: "current", ...BOB, why: "chosen" }, "You talk with bob"],
    [{ kind: "current", ...BOB, why: "ended" }, "You talk with bob now"],
    [{ kind: "sent", peer: 2, textSeq: 0 }, undefined],
    [{ kind: "delivered", peer: 2, textSeq: 0, rttMs: 1 }, undefined],
    [
      { kind: "terminated", ...BOB, by: "local", undelivered: 0 },
      "You ended the conversation with bob",
    ],
    [
      { kind: "terminated", ...BOB, by: "peer", undelivered: 1 },
      "bob ended the conversation · 1 message left undelivered",
    ],
    [
      { kind: "terminated", ...BOB, by: "timeout", undelivered: 3 },
      "The conversation with bob ended: no answer · 3 messages left undelivered",
    ],
    [{ kind: "error", code: "notConnected", message: "Not connected" }, "Not connected"],
    [{ kind: "left", undelivered: 0, acknowledged: true }, "Client Leave acknowledged"],
    [
      { kind: "left", undelivered: 2, acknowledged: false },
      "Client Leave not acknowledged by the directory · 2 messages left undelivered",
    ],
  ];
  const lines = plain(PIPE, ...cases.map(([event]) => event));
  assertEquals(lines, cases.map(([, text]) => text === undefined ? undefined : `09:05 * ${text}`));
});

Deno.test("Renderer cleans the lines that answer commands", () => {
  assertEquals(
    new Renderer(PIPE).note(["Blocked e\x1bve", "and more"], TIME),
    "09:05 * Blocked eve\n09:05 * and more",
  );
});

Deno.test("Renderer adds hints on what to type for a user", () => {
  assertEquals(
    plain(
      TERMINAL,
      { kind: "serverLost", server: "s:1" },
      registered,
      registered,
      { ...registered, name: "bea" },
      { kind: "serverLost", server: "s:1" },
      { kind: "request", ...BOB_KEY },
      { kind: "connected", ...BOB_CONNECTED },
      { kind: "connected", ...BOB_CONNECTED, isAside: true },
      { kind: "requesting", ...BOB, attempt: 2, nextInMs: 1 },
    ),
    [
      "09:05 * The directory at s:1 does not answer · trying again · udp-chat serve\n" +
      "        starts one, --server names another",
      "09:05 * Registered at localhost:7070 as client 1 (ana)\n" +
      "09:05 * Type list to see who is here, connect NAME to call, help for more",
      "09:05 * Registered again at localhost:7070 as client 1 (ana)",
      "09:05 * You are bea now",
      "09:05 * The directory at s:1 does not answer · trying again",
      "09:05 * Connection Request from bob · accept bob or reject bob",
      "09:05 * Connected to bob · type to talk, terminate to end",
      "09:05 * Connected to bob · type switch bob to talk",
      undefined,
    ],
  );
});

Deno.test("Renderer distinguishes sent from received messages", () => {
  assertEquals(plain(PIPE, message("hi"), message("hi", "")), [
    "09:05 ← bob: hi",
    "09:05 ← client 2: hi",
  ]);
  assertEquals(
    new Renderer(PIPE).own({ peer: 2, name: "ana", text: "hello" }, TIME),
    "09:05 → ana: hello",
  );
  assertEquals(
    new Renderer(PIPE).own({ peer: 2, name: "", text: "a\nb" }, TIME),
    "09:05 → you: a\n      │ b",
  );
});

Deno.test("Renderer names the receiver of a message where several conversations are open", () => {
  const own = (columns: number, name: string, to: string): string =>
    new Renderer({ ...TERMINAL, columns }).own({ peer: 3, name, to, text: "hi" }, TIME);
  assertEquals(own(80, "ana", "bob"), "09:05 → ana → bob: hi");
  assertEquals(own(80, "", ""), "09:05 → you → client 3: hi");
  // The own name makes room for the peer's.
  assertEquals(
    own(40, "anastasia".repeat(3), "bob"),
    "09:05 → anastasiaanastasiaanas… → bob:\n      │ hi",
  );
  const long = own(40, "anastasia".repeat(3), "bartholomew".repeat(2));
  assertEquals(long.split("\n")[0], "09:05 → ana… → bartholomewbartholomew:");
  for (let columns = 20; columns < 100; columns++) {
    for (const row of own(columns, "日本語".repeat(9), "x".repeat(32)).split("\n")) {
      assert(unicodeWidth(row) <= columns, row);
    }
  }
});

Deno.test("Renderer lets no line of a message look like one of the program", () => {
  const text = "hi\n09:05 * Client 3 Inactive\r\n\x1b[2J\x1b]0;title\x07\u202egnp\n> leave\x85x";
  const [lines = ""] = plain(PIPE, message(text));
  const [first, ...others] = lines.split("\n");
  assertEquals(first, "09:05 ← bob: hi");
  assertEquals(others.length, 4);
  for (const line of others) assert(line.startsWith("      │ "), line);
  // deno-lint-ignore no-control-regex
  assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(lines));
});

Deno.test("Renderer cleans names", () => {
  const name = "b\x1b[31mo\nb";
  assertEquals(plain(PIPE, { kind: "connected", ...BOB_CONNECTED, name }), [
    "09:05 * Connected to b[31mo b",
  ]);
  assertEquals(plain(PIPE, message("x", name)), ["09:05 ← b[31mo b: x"]);
});

Deno.test("Renderer wraps at the width of the terminal, and indents further rows", () => {
  const columns = 30;
  const text = `${"word ".repeat(20)}${"läng".repeat(20)} ${"日本語".repeat(10)}`;
  const [lines = ""] = plain({ ...TERMINAL, columns }, message(text));
  const rows = lines.split("\n");
  for (const row of rows) assert(unicodeWidth(row) <= columns, row);
  for (const row of rows.slice(1)) assert(row.startsWith("      │ "), row);
  const shown = rows.join("").replaceAll(/[\s│]/g, "");
  assertEquals(shown, `09:05←bob:${text.replaceAll(/\s/g, "")}`);
});

Deno.test("hang() breaks between words, and keeps spaces inside a row", () => {
  assertEquals(hang("", 0, "aa  bb cc ddddddddddddddd", 2, 12), "aa  bb cc\n  dddddddddd\n  ddddd");
  assertEquals(hang("> ", 2, "a\n\nb", 4), "> a\n    \n    b");
});

Deno.test("Renderer shows the state of messages with the name of the peer", () => {
  const renderer = new Renderer(PIPE);
  renderer.event({ kind: "connected", ...BOB_CONNECTED }, TIME);
  const lines = (["unconfirmed", "delivered", "delivered"] as const).map((kind, index) =>
    renderer.delivery({ kind, peer: 2, count: index + 1, wasLate: index < 2 }, TIME)
  );
  assertEquals(lines, [
    "09:05 * Unconfirmed by bob after 5 s · still trying",
    "09:05 * 2 messages delivered to bob after all",
    "09:05 * 3 messages delivered to bob",
  ]);
});

Deno.test("Renderer puts the mark of a message at its markColumn", () => {
  const renderer = new Renderer(TERMINAL);
  const line = renderer.own({ peer: 2, name: "ana", text: "hi" }, TIME);
  assertEquals(line[renderer.markColumn - 1], MARKS.sent);
  const precise = new Renderer({ ...TERMINAL, hasSeconds: true });
  const longer = precise.own({ peer: 2, name: "ana", text: "hi" }, TIME);
  assertEquals(longer[precise.markColumn - 1], MARKS.sent);
  for (const mark of Object.values(MARKS)) assertEquals(unicodeWidth(mark), 1);
  assertEquals(renderer.mark("delivered"), "✓");
});

Deno.test("Renderer shows seconds in front of every line, and indents by them", () => {
  const precise = new Renderer({ ...TERMINAL, columns: 40, hasSeconds: true });
  const lines = [
    precise.event(message("one\ntwo"), TIME),
    precise.note(["a notice that is longer than the screen is"], TIME),
  ];
  assertEquals(lines, [
    "09:05:07 ← bob: one\n         │ two",
    "09:05:07 * a notice that is longer than\n           the screen is",
  ]);
});

Deno.test("Renderer gives every name the color of its key", () => {
  const colored = styles(true);
  const renderer = new Renderer({ ...TERMINAL, style: colored }, KEY);
  renderer.event({ kind: "connected", ...BOB_CONNECTED }, TIME);
  const received = renderer.event(message("hi"), TIME) ?? "";
  const name = colored.name("bob", KEY);
  assert(name !== "bob" && received.includes(name), JSON.stringify(received));
  assert(
    renderer.own({ peer: 2, name: "ana", text: "hi" }, TIME).includes(colored.name("ana", KEY)),
  );
  assertEquals(withoutStyle(received), "09:05 ← bob: hi");
});

Deno.test("Renderer shows the beginning and the size of a long sent message", () => {
  const text = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join("\n");
  const lines = new Renderer(TERMINAL).own({ peer: 2, name: "ana", text: text }, TIME).split("\n");
  assertEquals(lines[0], "09:05 → ana: line 0");
  assertEquals(lines.slice(4), ["      │ line 4", "        … 1000 lines, 8889 characters"]);
  const long = new Renderer(TERMINAL).own(
    { peer: 2, name: "ana", text: "日本".repeat(20_000) },
    TIME,
  );
  assert(long.length < 1000 && long.endsWith("… 40000 characters"), long);
  assertEquals(
    new Renderer(PIPE).own({ peer: 2, name: "ana", text: text }, TIME).split("\n").length,
    1000,
  );
});

Deno.test("Renderer cuts a long received message, and keeps it in full, on a terminal", () => {
  const text = Array.from({ length: 1000 }, (_, index) => `line ${index}`).join("\n");
  const renderer = new Renderer(TERMINAL);
  assertEquals(renderer.fullMessage(), undefined);
  const rows = renderer.event(message(text), TIME)?.split("\n") ?? [];
  assertEquals(rows[0], "09:05 ← bob: line 0");
  assertEquals(rows.slice(19), [
    "      │ line 19",
    "        … 1000 lines, 8889 characters · type show to see it all",
  ]);
  renderer.event(message("short"), TIME);
  const whole = renderer.fullMessage()?.split("\n") ?? [];
  assertEquals([whole.length, whole.at(-1)], [1000, "      │ line 999"]);
  const wide = renderer.event(message("日本".repeat(20_000)), TIME) ?? "";
  assert(wide.length < 2000 && wide.includes("… 40000 characters"), wide);
  assertEquals(plain(PIPE, message(text))[0]?.split("\n").length, 1000);
});

Deno.test("Renderer shows the beginning of a paste, in one row where there is room", () => {
  const renderer = new Renderer(TERMINAL);
  const text = "\n  first line that goes on and on and on\nsecond\nthird";
  const shown = renderer.paste(text, true, TIME);
  assertEquals(unicodeWidth(shown), 80);
  const keys = "Enter sends, Ctrl-C drops";
  assertMatch(shown, new RegExp(`^09:05 \\* Pasted 4 lines, 53 characters: ${keys} · first .*…$`));
  assertMatch(renderer.paste("\x1b[2Jx\ny", false, TIME), /: Ctrl-C drops · \[2Jx$/);
  const narrow = new Renderer({ ...TERMINAL, columns: 40 }).paste(text, true, TIME).split("\n");
  assert(narrow.length <= 4 && narrow.every((row) => unicodeWidth(row) <= 40), narrow.join("\n"));
});

Deno.test("Renderer wraps help, and keeps its indent", () => {
  const help = (columns: number): string =>
    new Renderer({ ...TERMINAL, columns }).help("  list  show the active clients\n  a     b\nend");
  assertEquals(help(31), "  list  show the active clients\n  a     b\nend");
  assertEquals(help(24), "  list · show the active\n    clients\n  a · b\nend");
  const paragraph = `  ${"word ".repeat(16)}end`;
  const wrapped = `  ${"word ".repeat(15).trimEnd()}\n  word end`;
  assertEquals(new Renderer({ ...TERMINAL, columns: 80 }).help(paragraph), wrapped);
  assertEquals(new Renderer({ ...TERMINAL, columns: undefined }).help(paragraph), wrapped);
});

Deno.test("Renderer tells several directories from one", () => {
  const server = "s:1,s:2,s:3";
  const all = "The directories at s:1, s:2 and s:3";
  const cases: [ClientEvent, string][] = [
    [
      { ...registered, server },
      "Registered at 127.0.0.1:7070 as client 1 (ana), seen at 127.0.0.1:40001",
    ],
    [{ kind: "serverQuiet", server, start: undefined }, `${all} do not answer yet`],
    [{ kind: "serverLost", server }, `${all} do not answer · trying again`],
    [
      { kind: "serverBack", server },
      "One of the directories at s:1, s:2 and s:3 answers again",
    ],
    [{ kind: "serverUnavailable", server }, `${all} cannot answer now · trying again`],
  ];
  for (const [event, line] of cases) assertEquals(plain(PIPE, event), [`09:05 * ${line}`]);
});

Deno.test("Renderer remembers when the directory stopped answering", () => {
  const renderer = new Renderer(TERMINAL);
  assertEquals(renderer.lostSince, "");
  const ends: ClientEvent[] = [
    { kind: "serverBack", server: "s" },
    { kind: "serverMoved", server: "s", ...MOVE, why: "silent" },
  ];
  for (const end of ends) {
    renderer.event({ kind: "serverLost", server: "s" }, TIME);
    assertEquals(renderer.lostSince, "09:05");
    renderer.event(end, TIME);
    assertEquals(renderer.lostSince, "");
  }
});

const BOB_ENTRY = { id: 2, name: "bob" };

Deno.test("Renderer lists the active clients, and marks itself and the connected peers", () => {
  const clients = [{ id: 1, name: "ana" }, { id: 2, name: "b\x07ob" }, { id: 12, name: "" }];
  const list: ClientEvent = { kind: "list", clients };
  const connected: ClientEvent = { kind: "connected", ...BOB_CONNECTED };
  const terminated: ClientEvent = { kind: "terminated", ...BOB, by: "local", undelivered: 0 };
  const rows = (use: string): string =>
    [
      "09:05 * 3 active clients",
      "09:05 *  1  ana  (you)",
      `09:05 *  2  bob${use}`,
      "09:05 * 12",
    ].join("\n");
  const lines = plain(PIPE, registered, list, connected, list, terminated, list);
  assertEquals([lines[1], lines[3], lines[5]], [rows(""), rows("  (connected)"), rows("")]);
  assertEquals(plain(PIPE, { kind: "list", clients: [] }), ["09:05 * No active clients"]);
});

Deno.test("Renderer lists those that match a pattern, and says how to shorten a long list", () => {
  const some = { kind: "list", clients: [BOB_ENTRY], pattern: "b\x07o", total: 300 } as const;
  assertEquals(plain(PIPE, some), ["09:05 * 1 of 300 active clients: bo\n09:05 * 2  bob"]);
  const none = { ...some, clients: [], total: 1 };
  assertEquals(plain(PIPE, none), ["09:05 * None of 1 active client matches bo"]);
  const clients = Array.from({ length: 21 }, (_, index) => ({ id: index + 1, name: "" }));
  const last = (surface: Surface, count: number): string | undefined =>
    plain(surface, { kind: "list", clients: clients.slice(0, count) })[0]?.split("\n").at(-1);
  assertEquals(last(TERMINAL, 21), "09:05 * 21 active clients · list PATTERN shows some of them");
  assertEquals([last(TERMINAL, 20), last(PIPE, 21)], ["09:05 * 20", "09:05 * 21"]);
});

Deno.test("Renderer shows no leave of a client that never registered", () => {
  assertEquals(plain(PIPE, { kind: "left", undelivered: 0, acknowledged: false }), [undefined]);
});
