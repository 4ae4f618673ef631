import { assert, assertEquals } from "@std/assert";
import { fromHex, toHex } from "../../support/hex.ts";
import {
  DERIVED,
  HUMAN_READABLE,
  INPUTS,
  PUBLIC_KEYS,
  SEALED,
  VECTORS,
} from "../../support/vectors.ts";

Deno.test("protocol/README.md shows the vectors, byte for byte", async () => {
  const readme = await Deno.readTextFile(new URL("../../../protocol/README.md", import.meta.url));
  const section = readme.split(/^## Vectors$/m)[1] ?? "";
  const shown: [string, string][] = [];
  for (const [, name = "", block = ""] of section.matchAll(/^### (.*)\n\n```\n([^`]*)```$/gm)) {
    const bytes = block.split("\n").map((line) => {
      const [, digits = "", times = "1"] = /^((?:[\da-f]{2} )*[\da-f]{2})(?: × (\d+))?(?: {2}|$)/
        .exec(line) ?? [];
      return `${digits} `.repeat(Number(times));
    });
    shown.push([name, toHex(fromHex(bytes.join("")))]);
  }
  const join = (values: Record<string, Uint8Array>): string =>
    Object.values(values).map(toHex).join("");
  assertEquals(shown, [
    ...VECTORS.map(({ name, bytes }) => [name, toHex(bytes)]),
    ["The keys that are given", join(INPUTS)],
    ["Their public keys", join(PUBLIC_KEYS)],
    ["What follows from them", join(DERIVED)],
    ...SEALED.map(({ name, bytes }) => [name, toHex(bytes)]),
  ] as [string, string][]);
  const prose = section.replace(/\s+/g, " ");
  for (const digits of Object.values(HUMAN_READABLE)) {
    assert(prose.includes(`\`${digits}\``), digits);
  }
});
