import { assert, assertEquals } from "@std/assert";
import { AGREED, GIVEN, PUBLIC, READ_ALOUD, SEALED } from "../../vectors/handshake.ts";
import { hexToBytes, VECTORS } from "../../vectors/wire.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

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
    shown.push([name, hex(hexToBytes(bytes.join("")))]);
  }
  const keys = [GIVEN, PUBLIC, AGREED].map((group) => Object.values(group).join(""));
  const wanted = [
    ...VECTORS.map((vector) => [vector.name, vector.hex]),
    ["The keys that are given", keys[0]!],
    ["Their public keys", keys[1]!],
    ["What follows from them", keys[2]!],
    ...SEALED.map((vector) => [vector.name, vector.hex]),
  ];
  assertEquals(shown, wanted.map(([name, digits]) => [name!, hex(hexToBytes(digits!))]));
  const words = section.replace(/\s+/g, " ");
  for (const digits of Object.values(READ_ALOUD)) assert(words.includes(`\`${digits}\``), digits);
});
