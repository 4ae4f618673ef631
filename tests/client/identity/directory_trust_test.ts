import { assert, assertEquals } from "@std/assert";
import { toHex } from "../../../cli/hex.ts";
import {
  directoryName,
  type DirectoryStore,
  PinnedDirectory,
  type PinnedDirectoryOptions,
} from "../../../client/identity/directory_trust.ts";
import { KnownDirectories } from "../../../client/identity/known_directories.ts";
import { fingerprint } from "../../../protocol/crypto/fingerprint.ts";

const MONDAY = new Date("2026-01-05T10:00:00Z");
const KEY = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const NAME = "chat.example:7070";

/** What a client remembers from run to run. */
function newStore(): DirectoryStore {
  const content = new KnownDirectories();
  return { content, path: "/x/known_directories", change: (change) => change(content) };
}

function open(store: DirectoryStore, more: Partial<PinnedDirectoryOptions> = {}): PinnedDirectory {
  return new PinnedDirectory({
    store,
    names: [NAME],
    expected: undefined,
    isLoopback: false,
    ...more,
  });
}

/** Which of the two keys are trusted. */
function trusted(directory: PinnedDirectory): boolean[] {
  return [KEY, OTHER].map((key) => directory.isTrusted(key));
}

Deno.test("PinnedDirectory trusts any key at first, and then only the one of the first registration", () => {
  const store = newStore();
  const first = open(store);
  assertEquals(trusted(first), [true, true]);
  assertEquals(first.record(KEY, MONDAY), true);
  assertEquals(trusted(first), [true, false]);
  assertEquals(first.record(KEY, MONDAY), false, "not new any more");
  assertEquals(trusted(open(store)), [true, false], "in a later run");
  assertEquals(trusted(open(store, { names: ["other.example:7070"] })), [true, true]);
});

Deno.test("PinnedDirectory has one memory for all names of a directory", () => {
  const store = newStore();
  const names = ["a.example:7070", NAME];
  const both = open(store, { names });
  assertEquals(trusted(both), [true, true]);
  both.record(KEY, MONDAY);
  for (const name of names) assertEquals(trusted(open(store, { names: [name] })), [true, false]);
  // A name with another key stands for another directory: its key stays what it was.
  const third = "c.example:7070";
  open(store, { names: [third] }).record(OTHER, MONDAY);
  const mixed = open(store, { names: [NAME, third] });
  assertEquals(trusted(mixed), [true, false]);
  mixed.record(KEY, MONDAY);
  assertEquals(trusted(open(store, { names: [third] })), [false, true]);
  const named = open(store, { names: [NAME, third], expected: fingerprint(OTHER) });
  assertEquals(named.record(OTHER, MONDAY), true);
  for (const name of [NAME, third]) {
    assertEquals(trusted(open(store, { names: [name] })), [false, true]);
  }
});

Deno.test("PinnedDirectory does not pin a directory on this machine", () => {
  const store = newStore();
  const local = open(store, { isLoopback: true });
  assertEquals(local.record(KEY, MONDAY), false);
  assertEquals([trusted(local), store.content.get(NAME)], [[true, true], undefined]);
  // But one that is named has to be the one.
  assertEquals(trusted(open(store, { isLoopback: true, expected: fingerprint(OTHER) })), [
    false,
    true,
  ]);
});

Deno.test("PinnedDirectory trusts the key of --server-key alone, and remembers it", () => {
  const store = newStore();
  open(store).record(KEY, MONDAY);
  const named = open(store, { expected: fingerprint(OTHER) });
  assertEquals(trusted(named), [false, true]);
  assertEquals(named.record(OTHER, MONDAY), true);
  assertEquals(trusted(open(store)), [false, true]);
});

Deno.test("PinnedDirectory.refusal() says which key was there, since when, and what to do", () => {
  const store = newStore();
  open(store).record(KEY, MONDAY);
  const shown = `has the key ${fingerprint(OTHER)}`;
  assertEquals(
    open(store).refusal(OTHER),
    `${shown}, but until 2026-01-05 it had ${fingerprint(KEY)} (in /x/known_directories): ` +
      "somebody may be between you and it. " +
      "If its operator says that the key is new, name it with --server-key",
  );
  assertEquals(
    open(store, { expected: fingerprint(KEY) }).refusal(OTHER),
    `${shown}, not the one of --server-key: somebody may be between you and it`,
  );
});

Deno.test("directoryName() is the same for each way to write a host", () => {
  assertEquals(directoryName({ host: "Chat.Example", port: 7070 }), NAME);
  assertEquals(directoryName({ host: "2001:DB8::1", port: 7 }), "[2001:db8::1]:7");
  assert(directoryName({ host: "chat.example", port: 7071 }) !== NAME);
  assertEquals(toHex(KEY).length, 64);
});
