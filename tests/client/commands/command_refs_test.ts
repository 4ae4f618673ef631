import { assertEquals } from "@std/assert";
import { CommandRefs } from "../../../client/commands/command_refs.ts";
import type { ClientEvent } from "../../../client/event.ts";

const KEY = new Uint8Array(32);
const CONNECTED = { kind: "connected", peer: 2, name: "bob", key: KEY, hash: KEY } as const;

/** The references of events, one after the other. */
function refsOf(refs: CommandRefs, ...events: ClientEvent[]): (string | undefined)[] {
  return events.map((event) => refs.handle(event));
}

Deno.test("CommandRefs gives every event of a call its reference, and none after that", () => {
  const requesting = { kind: "requesting", peer: 2, name: "bob", attempt: 1, nextInMs: 1 } as const;
  const ends: ClientEvent[] = [
    { ...CONNECTED, path: "direct", calledAs: "bob" },
    { kind: "inactive", peer: "bob" },
    { kind: "rejected", peer: 2, name: "bob", reason: 1 },
    { kind: "cancelled", peer: 2, name: "bob" },
    { kind: "error", code: "peerTimeout", message: "", of: { calledAs: "bob" } },
  ];
  for (const end of ends) {
    const refs = new CommandRefs();
    refs.note({ command: "connect", peer: "bob", ref: "c" });
    const events = refsOf(refs, requesting, { kind: "ringing", peer: 2, name: "bob" }, end, end);
    assertEquals(events, ["c", "c", "c", undefined]);
  }
});

Deno.test("CommandRefs gives nothing of a peer that connected by itself, or of another error", () => {
  const refs = new CommandRefs();
  refs.note({ command: "connect", peer: "carol", ref: "c" });
  const other = { kind: "error", code: "usage", message: "" } as const;
  assertEquals(refsOf(refs, { ...CONNECTED, path: "direct" }, other), [undefined, undefined]);
});

Deno.test("CommandRefs gives the error about a peer's key the reference of the call, too", () => {
  const refs = new CommandRefs();
  refs.note({ command: "connect", peer: "bob", ref: "c" });
  const held = { ...CONNECTED, path: "direct", calledAs: "bob", isHeld: true } as const;
  const error = { kind: "error", code: "peerKey", message: "", of: { calledAs: "bob" } } as const;
  assertEquals(refsOf(refs, held, error), ["c", "c"]);
});

Deno.test("CommandRefs gives the events of a message its reference, until its connection ends", () => {
  const refs = new CommandRefs();
  refs.noteMessage(2, 0, "a");
  refs.noteMessage(2, 1, "b");
  refs.noteMessage(3, 0, "c");
  const sent = (peer: number, textSeq: number): ClientEvent => ({ kind: "sent", peer, textSeq });
  assertEquals(refsOf(refs, sent(2, 0), sent(3, 0), sent(2, 1), sent(2, 2)), [
    "a",
    "c",
    "b",
    undefined,
  ]);
  assertEquals(
    refsOf(
      refs,
      { kind: "unconfirmed", peer: 2, textSeq: 0 },
      { kind: "delivered", peer: 2, textSeq: 0, rttMs: 1 },
      sent(2, 0),
      { kind: "terminated", peer: 2, name: "bob", by: "peer", undelivered: 1 },
      sent(2, 1),
      sent(3, 0),
    ),
    ["a", "a", undefined, undefined, undefined, "c"],
  );
});

Deno.test("CommandRefs gives lists, terminations and the leave their references", () => {
  const refs = new CommandRefs();
  refs.note({ command: "list", ref: "l" });
  const list = { kind: "list", clients: [] } as const;
  assertEquals(refsOf(refs, list, list), ["l", undefined]);
  refs.note({ command: "list", ref: "m" });
  assertEquals(refs.handle({ kind: "error", code: "serverTimeout", message: "", of: "list" }), "m");
  refs.note({ command: "nick", name: "ana", ref: "n" });
  assertEquals(refs.handle({ kind: "error", code: "refused", message: "", of: "nick" }), "n");
  refs.noteEnd(2, "t");
  refs.note({ command: "leave", ref: "q" });
  const end = (peer: number, by: "local" | "peer"): ClientEvent => {
    return { kind: "terminated", peer, name: "", by, undelivered: 0 };
  };
  const left = { kind: "left", undelivered: 0, acknowledged: true } as const;
  assertEquals(refsOf(refs, end(2, "local"), end(3, "local"), end(4, "peer"), left), [
    "t",
    "q",
    undefined,
    "q",
  ]);
});
