import { assert, assertEquals } from "@std/assert";
import type { IdentityEvent } from "../../../client/event.ts";
import { Renderer } from "../../../client/output/render.ts";
import { styles } from "../../../cli/style.ts";
import { fingerprint } from "../../../protocol/crypto/fingerprint.ts";

const TIME = new Date(2026, 0, 2, 9, 5, 7, 89);
const KEY = new Uint8Array(32).fill(7);
const BOB = { peer: 2, name: "bob" };
const BOB_KEY = { ...BOB, key: KEY };

Deno.test("Renderer shows a request and the identity of its sender in one line", () => {
  const renderer = new Renderer({
    isTyped: true,
    hasPrompt: true,
    columns: 80,
    style: styles(false),
  });
  const identity: IdentityEvent = {
    kind: "identity",
    ...BOB,
    fingerprint: fingerprint(KEY),
    known: "same",
    isOwn: false,
    formerName: "",
    lastSeen: undefined,
  };
  const words: [Partial<IdentityEvent>, string][] = [
    [{}, "known key"],
    [{ formerName: "rob" }, "known as rob"],
    [{ known: "new" }, "new key"],
    [{ known: "changed" }, "NEW KEY"],
    [{ isOwn: true }, "your own key"],
  ];
  for (const [part, expected] of words) {
    const event = { kind: "request" as const, ...BOB_KEY, isAgain: false };
    const line = renderer.event(event, TIME, { ...identity, ...part });
    const start = `09:05 * Connection Request from bob, ${expected} · accept bob or`;
    assertEquals(line?.replaceAll(/\s+/g, " "), `${start} reject bob`);
    assert(line!.split("\n").length <= 2);
  }
});

Deno.test("Renderer lists the pending and the missed requests", () => {
  const requests = (...ids: number[]) => ids.map((id) => ({ id, name: "b\x07ob", key: KEY }));
  const [waiting] = requests(2);
  const missed = [
    { ...waiting!, why: "expired" as const, times: 1, agoMs: 300_000 },
    { ...waiting!, why: "cancelled" as const, times: 238, agoMs: 1 },
    { ...waiting!, why: "busy" as const, times: 1, agoMs: 7_200_000 },
  ];
  const renderer = new Renderer({
    isTyped: false,
    hasPrompt: false,
    columns: undefined,
    style: styles(false),
  });
  assertEquals(
    [
      renderer.event({ kind: "requests", pending: [waiting!], missed }, TIME),
      renderer.event({ kind: "requests", pending: [], missed: [] }, TIME),
    ],
    [
      [
        `09:05 * Waiting: bob · accept bob or reject bob · key ${fingerprint(KEY)}`,
        "09:05 * Missed 5m ago: bob, expired",
        "09:05 * Missed 0s ago: bob, withdrawn, 238 times in all",
        "09:05 * Missed 2h ago: bob, rejected because you were busy",
      ].join("\n"),
      "09:05 * No requests wait, and none were missed",
    ],
  );
});
