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
};
const outgoing = { peer: 2, name: "bob", attempt: 3, nextAt: 13_001, isRinging: true };
const peer = {
  id: 2,
  name: "bob",
  unconfirmed: 0,
  unread: 0,
  isEnding: false,
  isHeld: false,
  isCarried: false,
};
const carol = { ...peer, id: 3, name: "carol", unread: 2 };

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
    [{ state: "connected", peer, others: [carol, peer] }, "bob · 2 unread from carol > "],
    [{ state: "connected", peer, others: [carol, { ...carol, id: 4 }] }, "bob · 4 unread > "],
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
  assertEquals(
    shown({ ...VIEW, state: "connected", peer, others: [carol] }, 30),
    "bob · 2 unread > ",
  );
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
