import { assert, assertEquals } from "@std/assert";
import { SOURCES_MAX } from "../../server/rate_limit.ts";
import { HELD_NAMES_MAX } from "../../server/table/held_names.ts";

/** As SECURITY.md says. */
const BYTES_MAX = 90_000_000;

Deno.test("a directory holds at most 90 MB beside its table, whoever sends what", async () => {
  const [file, map] = ["bounds_fill.ts", "../../import_map.json"].map((name) =>
    new URL(name, import.meta.url).href
  );
  const options = ["--no-check", "--v8-flags=--expose-gc", `--import-map=${map}`];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...options, file!],
  }).output();
  const decoder = new TextDecoder();
  const [bytes = 0, counts, names] = decoder.decode(stdout).split(" ").map(Number);
  assertEquals([counts, names], [7 * SOURCES_MAX, HELD_NAMES_MAX], decoder.decode(stderr));
  assert(bytes <= BYTES_MAX, `${bytes} bytes`);
});
