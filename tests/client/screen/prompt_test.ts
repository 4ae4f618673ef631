import { assert, assertEquals } from "@std/assert";
import { unicodeWidth } from "@std/cli/unicode-width";
import { hasCountdown, prompt } from "../../../client/screen/prompt.ts";
import type { ClientView } from "../../../client/view.ts";

const VIEW: ClientView = {
  state: "idle",
  id: 1,
  name: "ana",
  peer: undefined,
  others: [],
  outgoing: undefined,
  calls: [],
  requests: [],
  leaveBy: undefined,
  serverLostSince: undefined,
};
const CONTEXT = {
  now: 10_000,
  server: "localhost:7070",
  overdue: 0,
  lostSince: "14:02",
  columns: 80,
  unreadOf: () => ({ count: 0, isNew: false }),
};
const outgoing = { peer: 2, name: "bob", attempt: 3, nextAt: 13_001, isRinging: true };
const peer = {
  id: 2,
  name: "bob",
  unconfirmed: 0,
  isEnding: false,
  isHeld: false,
  isCarried: false,
};
const carol = { ...peer, id: 3, name: "carol" };

Deno.test("prompt() shows the state of the client", () => {
  const prompts: [Partial<ClientView>, string][] = [
    [{ state: "registering" }, "registering at localhost:7070 > "],
    [{}, "ana · idle > "],
    [{ name: "" }, "client 1 · idle > "],
    [{ serverLostSince: 9000 }, "ana · idle · directory lost since 14:02 > "],
    [{ state: "registering", serverLostSince: 9000 }, "offline · no directory since 14:02 > "],
    [{ requests: [{ id: 3, name: "carol" }] }, "ana · idle · request from carol > "],
    [{ requests: [{ id: 3, name: "" }, peer] }, "ana · idle · 2 requests > "],
    [
      { state: "requesting", outgoing: { ...outgoing, peer: "bob", attempt: 0 } },
      "looking up bob · Ctrl-C cancels > ",
    ],
    [
      { state: "requesting", outgoing: { ...outgoing, isRinging: false } },
      "requesting bob · attempt 3 · next in 4s · Ctrl-C cancels > ",
    ],
    [
      { state: "requesting", outgoing },
      "ringing bob · attempt 3 · next in 4s · Ctrl-C cancels > ",
    ],
    [{ state: "connected", peer }, "bob > "],
    [
      { state: "connected", peer: { ...peer, isCarried: true } },
      "bob · carried by the directory > ",
    ],
    [{ state: "connected", peer: { ...peer, name: "" } }, "client 2 > "],
    [{ state: "connected", peer: { ...peer, name: "b\x1bob" } }, "bob > "],
    [
      { state: "connected", peer, outgoing: { ...outgoing, peer: 3, name: "" } },
      "bob · ringing client 3 · attempt 3 · next in 4s · Ctrl-C cancels > ",
    ],
    [
      { state: "requesting", outgoing, calls: [{ ...outgoing, peer: "bob" }, outgoing] },
      "calling bob, bob · Ctrl-C cancels bob > ",
    ],
    [{ state: "terminating", peer }, "ending with bob > "],
    [
      { state: "leaving", leaveBy: 40_000 },
      "leaving · gives up in 30s · Ctrl-C leaves at once > ",
    ],
    [{ state: "left" }, ""],
  ];
  for (const [part, expected] of prompts) {
    assertEquals(prompt({ ...VIEW, ...part }, CONTEXT), expected);
  }
});

Deno.test("prompt() counts unconfirmed messages", () => {
  const context = { ...CONTEXT, overdue: 2 };
  assertEquals(prompt({ ...VIEW, state: "connected", peer }, context), "bob · 2 unconfirmed > ");
});

Deno.test("prompt() shows what is unread, and what is new, in other conversations", () => {
  const dave = { ...carol, id: 4, name: "dave" };
  const shown = (unread: Record<number, [count: number, isNew: boolean]>, columns = 80): string =>
    prompt({ ...VIEW, state: "connected", peer, others: [carol, dave] }, {
      ...CONTEXT,
      columns,
      unreadOf(id) {
        const [count, isNew] = unread[id] ?? [0, false];
        return { count, isNew };
      },
    });
  assertEquals(shown({}), "bob > ");
  assertEquals(shown({ 3: [2, true] }), "bob · 2 unread from carol > ");
  assertEquals(shown({ 3: [2, false], 4: [1, true] }), "bob · 3 unread > ");
  assertEquals(shown({ 3: [0, true] }), "bob · new from carol > ");
  assertEquals(shown({ 3: [0, true], 4: [0, true] }), "bob · new from 2 > ");
  assertEquals(
    shown({ 3: [2, false], 4: [0, true] }),
    "bob · 2 unread from carol · new from dave > ",
  );
  assertEquals(shown({ 3: [2, false], 4: [0, true] }, 40), "bob · 2 unread · new > ");
});

Deno.test("prompt() leaves out the least important parts on a narrow screen", () => {
  const ringing: ClientView = { ...VIEW, state: "requesting", outgoing };
  const shown = (view: ClientView, columns: number): string =>
    prompt(view, { ...CONTEXT, columns });
  assertEquals(shown(ringing, 56), "ringing bob · next in 4s · Ctrl-C cancels > ");
  assertEquals(shown(ringing, 40), "ringing bob · next in 4s > ");
  assertEquals(shown(ringing, 26), "ringing bob > ");
  const calls = Array.from({ length: 12 }, () => outgoing);
  assertEquals(shown({ ...ringing, calls }, 80), "calling 12 clients · Ctrl-C cancels > ");
  assertEquals(shown({ ...VIEW, state: "registering" }, 40), "registering > ");
  const lost = { ...VIEW, serverLostSince: 9000 };
  assertEquals(shown(lost, 44), "ana · idle · directory lost > ");
  assertEquals(shown(lost, 36), "idle · directory lost > ");
  assertEquals(shown({ ...lost, state: "registering" }, 40), "offline · no directory > ");
  const requests = [{ id: 3, name: "carol" }];
  const busy: ClientView = { ...VIEW, state: "connected", peer, requests, serverLostSince: 9000 };
  assertEquals(shown(busy, 40), "bob · request from carol > ");
  assertEquals(shown(busy, 20), "bob > ");
  const long = { ...peer, name: "日本語".repeat(10) };
  assertEquals(shown({ ...busy, peer: long }, 40), `${"日本語".repeat(4)}日… > `);
  for (let columns = 1; columns < 40; columns++) {
    assert(unicodeWidth(shown(busy, columns)) <= Math.max(4, columns - 4), `${columns}`);
  }
});

Deno.test("hasCountdown() is true only if the prompt changes with time", () => {
  assertEquals(hasCountdown(VIEW), false);
  assertEquals(hasCountdown({ ...VIEW, outgoing }), true);
  assertEquals(hasCountdown({ ...VIEW, outgoing: { ...outgoing, attempt: 0 } }), false);
  assertEquals(hasCountdown({ ...VIEW, leaveBy: 5 }), true);
});
