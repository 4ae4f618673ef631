import { assertEquals } from "@std/assert";
import { formatRun, parseRun, RUN_RECORD_SIZE_MAX } from "../../../client/identity/run_record.ts";
import type { Run } from "../../../client/view.ts";
import { CONNECTIONS_MAX } from "../../../protocol/connection/connections.ts";

const ENTRY = {
  token: new Uint8Array(16).fill(0xaa),
  directoryKey: new Uint8Array(32).fill(0xdd),
};

/** A run with this many conversations. */
function runWith(count: number, name = "ana"): Run {
  const conversations = Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    name: index % 2 === 0 ? `peer${index}` : "",
    key: new Uint8Array(32).fill(index),
  }));
  return { entry: ENTRY, name, conversations };
}

Deno.test("parseRun() reads what formatRun() makes", () => {
  for (const run of [runWith(0), runWith(0, ""), runWith(3), runWith(CONNECTIONS_MAX, "Zoë")]) {
    assertEquals(parseRun(formatRun(run)), run);
  }
});

Deno.test("a record names the token, the directory, the name and the peers, each in a line", () => {
  assertEquals(formatRun(runWith(1)).split("\n"), [
    "udp-chat run 1",
    "# Secret: who has this file and the identity can pass for this client.",
    `directory ${"dd".repeat(32)}`,
    `token ${"aa".repeat(16)}`,
    "name ana",
    `peer ${"00".repeat(32)} 1 peer0`,
    "end",
    "",
  ]);
});

Deno.test("what follows the end does not count: it is the rest of a longer record", () => {
  const short = formatRun(runWith(0));
  const long = formatRun(runWith(3));
  assertEquals(parseRun(short + long.slice(short.length)), runWith(0));
});

Deno.test("a record that is cut, altered or of another version is none", () => {
  const text = formatRun(runWith(2));
  const end = text.lastIndexOf("end");
  for (let size = 0; size < end + 3; size++) assertEquals(parseRun(text.slice(0, size)), undefined);
  for (
    const [from, to] of [["run 1", "run 2"], ["aaaa", "xxxx"], ["dddd", "ddd"], [
      " 2",
      " 0",
    ]] as const
  ) {
    assertEquals(parseRun(text.replace(from, to)), undefined, `${from} → ${to}`);
  }
});

Deno.test("the largest record fits", () => {
  const name = "ж".repeat(32);
  const { conversations } = runWith(CONNECTIONS_MAX);
  const peers = conversations.map((each) => ({ ...each, id: 2 ** 32 - 1, name }));
  const text = formatRun({ entry: ENTRY, name, conversations: peers });
  assertEquals(new TextEncoder().encode(text).length < RUN_RECORD_SIZE_MAX, true);
});
