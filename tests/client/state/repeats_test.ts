import { assertEquals } from "@std/assert";
import type { ClientEvent } from "../../../client/event.ts";
import {
  Repeats,
  REPEATS_INTERVAL,
  REPEATS_KEYS_MAX,
  REPEATS_MAX,
  REPEATS_PER_KEY,
} from "../../../client/state/repeats.ts";

const ADDRESS = { hostname: "192.0.2.1", port: 1 };

function returned(peer = 2): Extract<ClientEvent, { kind: "returned" }> {
  const [key, hash] = [new Uint8Array(32).fill(peer), new Uint8Array(32)];
  return { kind: "returned", peer, name: "bob", key, hash, who: "peer" };
}

function path(isCarried: boolean, peer = 2): ClientEvent {
  const [path, before] = isCarried
    ? ["carried", "direct"] as const
    : ["direct", "carried"] as const;
  return { kind: "path", peer, name: "bob", path, before, address: ADDRESS };
}

function isQuiet(event: ClientEvent): boolean {
  return "isQuiet" in event;
}

Deno.test("Repeats gives a key that returns again and again three lines a minute, and counts the rest", () => {
  const repeats = new Repeats();
  const marked = Array.from({ length: 238 }, (_, index) => repeats.mark(40 * index, returned()));
  assertEquals(marked.map(isQuiet).indexOf(true), REPEATS_PER_KEY);
  assertEquals(marked.filter((each) => !isQuiet(each)).length, REPEATS_PER_KEY);
  const quietBefore = 238 - REPEATS_PER_KEY;
  assertEquals(repeats.mark(REPEATS_INTERVAL, returned()), { ...returned(), quietBefore });
  assertEquals(repeats.mark(2 * REPEATS_INTERVAL, returned()), returned(), "it is counted anew");
});

Deno.test("Repeats gives all keys together twelve lines a minute", () => {
  const repeats = new Repeats();
  let lines = 0;
  for (let peer = 1; peer <= 250; peer++) {
    if (!isQuiet(repeats.mark(peer, returned(peer)))) lines++;
  }
  assertEquals(lines, REPEATS_MAX);
  assertEquals(isQuiet(repeats.mark(REPEATS_INTERVAL + 1, returned(251))), false);
});

Deno.test("Repeats counts the ways by the directory and back, and not what has no line", () => {
  const repeats = new Repeats();
  const lan: ClientEvent = { ...path(true), path: "lan", before: "direct" } as ClientEvent;
  for (let count = 0; count < 100; count++) assertEquals(repeats.mark(count, lan), lan);
  const marked = Array.from({ length: 10 }, (_, index) => repeats.mark(100, path(index % 2 === 0)));
  assertEquals(marked.filter((each) => !isQuiet(each)).length, REPEATS_PER_KEY);
  assertEquals(isQuiet(repeats.mark(101, returned())), false, "that is another line");
});

Deno.test("Repeats leaves all other events alone", () => {
  const repeats = new Repeats();
  const event: ClientEvent = { kind: "ringing", peer: 2, name: "bob" };
  for (let count = 0; count < 100; count++) assertEquals(repeats.mark(0, event), event);
});

Deno.test("Repeats remembers a bounded number of keys", () => {
  const repeats = new Repeats();
  for (let count = 0; count < REPEATS_PER_KEY; count++) repeats.mark(0, returned(1));
  for (let peer = 2; peer <= REPEATS_KEYS_MAX; peer++) repeats.mark(0, returned(peer));
  assertEquals(isQuiet(repeats.mark(0, returned(1))), true);
  for (let peer = 2; peer <= REPEATS_KEYS_MAX + 1; peer++) repeats.mark(0, returned(peer));
  assertEquals(repeats.mark(REPEATS_INTERVAL, returned(1)), returned(1), "it is counted anew");
});
