/**
 * Makes the vectors anew: the JSON files in this folder, and the end of `protocol/README.md`.
 *
 *     deno run --allow-all --import-map=import_map.json tests/vectors/write.ts && deno fmt tests/vectors
 *
 * @module
 */
import { loadCipher } from "../../protocol/crypto/sodium.ts";
import { SPECIFICATION, specification, vectorFile, vectorFiles } from "./make/files.ts";

await loadCipher();
for (const [name, content] of Object.entries(vectorFiles())) {
  await Deno.writeTextFile(vectorFile(name), `${JSON.stringify(content, undefined, 2)}\n`);
}
const text = await Deno.readTextFile(SPECIFICATION);
await Deno.writeTextFile(SPECIFICATION, specification(text));
