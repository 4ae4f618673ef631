import { assert, assertEquals } from "@std/assert";
import { scaled } from "../../support/scale.ts";

/** Bytes that a client in the table may take, with its name and its places in the indexes. */
const BYTES_MAX = 300;
const CLIENTS = scaled(400_000, 150_000);

Deno.test(`MemoryTable takes at most ${BYTES_MAX} bytes for each client`, async () => {
  const [file, map] = ["fill.ts", "../../../import_map.json"].map((name) =>
    new URL(name, import.meta.url).href
  );
  const options = ["--no-check", "--v8-flags=--expose-gc", `--import-map=${map}`];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...options, file!, `${CLIENTS}`],
  }).output();
  const decoder = new TextDecoder();
  const [bytes = 0, size] = decoder.decode(stdout).split(" ").map(Number);
  assertEquals(size, CLIENTS, decoder.decode(stderr));
  assert(bytes > 100 && bytes <= BYTES_MAX, `${bytes} bytes`);
});
