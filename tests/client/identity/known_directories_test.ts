import { assert, assertEquals } from "@std/assert";
import {
  KNOWN_DIRECTORIES_MAX,
  KnownDirectories,
  type ParsedKnownDirectories,
} from "../../../client/identity/known_directories.ts";
import { keyOf, MONDAY, TUESDAY } from "./known_keys.ts";

const KEY = keyOf(1);
const OTHER = keyOf(2);
const TEXT = `# udp-chat known_directories 1
${OTHER} 2026-01-05T10:00:00Z 2026-01-05T10:00:00Z known [2001:db8::1]:7071
${KEY} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known chat.example:7070
`;

function parse(text: string): ParsedKnownDirectories {
  const parsed = KnownDirectories.parse(text);
  assert(parsed.ok);
  return parsed.value;
}

Deno.test("KnownDirectories writes and parses the documented lines", () => {
  const directories = new KnownDirectories();
  directories.record("chat.example:7070", KEY, MONDAY);
  directories.record("[2001:db8::1]:7071", OTHER, MONDAY);
  directories.record("chat.example:7070", KEY, TUESDAY);
  assertEquals(directories.format(), TEXT);
  const { content, badLines } = parse(TEXT);
  assertEquals([content.format(), badLines], [TEXT, []]);
  assertEquals(content.get("chat.example:7070"), {
    key: KEY,
    name: "chat.example:7070",
    firstSeen: "2026-01-05T10:00:00Z",
    lastSeen: "2026-01-06T11:30:00Z",
  });
  assertEquals(content.get("chat.example:7071"), undefined);
});

Deno.test("KnownDirectories has one key for each name, the one that was recorded last", () => {
  const { content } = parse(TEXT);
  content.record("chat.example:7070", OTHER, TUESDAY);
  assertEquals(content.get("chat.example:7070"), {
    key: OTHER,
    name: "chat.example:7070",
    firstSeen: "2026-01-06T11:30:00Z",
    lastSeen: "2026-01-06T11:30:00Z",
  });
  // Two lines for one name, as in a file that was edited: the last one counts.
  const twice = TEXT +
    `${OTHER} 2026-01-05T10:00:00Z 2026-01-05T10:00:00Z known chat.example:7070\n`;
  assertEquals(parse(twice).content.get("chat.example:7070")?.key, OTHER);
});

Deno.test("KnownDirectories keeps comments and lines that it cannot parse", () => {
  const bad = [
    "# my directories",
    `${KEY} 2026-01-05 2026-01-06 known chat.example:7070`,
    `${KEY.slice(1)} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known chat.example:7070`,
    `${KEY} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z blocked chat.example:7070`,
    `${KEY} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known`,
    `${KEY} - - known chat.example:7070`,
    "<<<<<<< theirs",
  ];
  const text = ["# udp-chat known_directories 1", ...bad, ""].join("\n");
  const { content, badLines } = parse(text);
  assertEquals(badLines, [3, 4, 5, 6, 7, 8]);
  assertEquals(content.get("chat.example:7070"), undefined);
  assertEquals(content.format(), text);
});

Deno.test("KnownDirectories rejects a file of another version", () => {
  const text = TEXT.replace("known_directories 1", "known_directories 2");
  assertEquals(KnownDirectories.parse(text), { ok: false, error: "it is of version 2" });
});

Deno.test("KnownDirectories forgets the one that was not used for longest", () => {
  const directories = new KnownDirectories();
  for (let n = 1; n <= KNOWN_DIRECTORIES_MAX; n++) directories.record(`host:${n}`, KEY, MONDAY);
  directories.record("host:1", KEY, TUESDAY);
  directories.record("host:70000", KEY, TUESDAY);
  const known = [1, 2, 3, 70_000].map((n) => directories.get(`host:${n}`) !== undefined);
  assertEquals(known, [true, false, true, true]);
});
