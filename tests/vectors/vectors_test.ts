// The vectors, and the text that shows them, are what their program makes of them.
import { assert, assertEquals } from "@std/assert";
import { fromHex, toHex } from "../support/hex.ts";
import {
  CONVERSATION,
  DATAGRAM_VECTORS,
  FRAME_VECTORS,
  HUMAN_READABLE,
  SEALED,
} from "../support/vectors.ts";
import { SPECIFICATION, specification, vectorFile, vectorFiles } from "./make/files.ts";

const README = await Deno.readTextFile(SPECIFICATION);
const AGAIN = "run tests/vectors/write.ts, and look at what changed";

for (const [name, content] of Object.entries(vectorFiles())) {
  Deno.test(`tests/vectors/${name} is what write.ts makes`, async () => {
    assertEquals(JSON.parse(await Deno.readTextFile(vectorFile(name))), content, AGAIN);
  });
}

Deno.test("protocol/README.md ends with what write.ts makes", () => {
  const lines = specification(README).split("\n");
  for (const [index, line] of README.split("\n").entries()) {
    assertEquals(line, lines[index], `line ${index + 1}: ${AGAIN}`);
  }
  assertEquals(README.split("\n").length, lines.length, AGAIN);
});

/** The bytes in a block of code. */
function bytesIn(block: string): string {
  const lines = block.split("\n").map((line) => {
    const [, digits = "", times = "1"] =
      /^((?:[\da-f]{2} )*[\da-f]{2})(?: × (\d+))?(?: {2}|$)/.exec(line) ?? [];
    return digits.repeat(Number(times));
  });
  return toHex(fromHex(lines.join("")));
}

/** The blocks of code in a section, by the title above them. */
function blocksIn(section: string, title: RegExp): [title: string, blocks: string[]][] {
  return section.split(title).slice(1).map((part) => {
    const [name = "", ...rest] = part.split("\n");
    const blocks = rest.join("\n").split(/^#/m)[0]!.matchAll(/^```\n([^`]*)```$/gm);
    return [name, Array.from(blocks, ([, block = ""]) => bytesIn(block))];
  });
}

// An independent look at the same: the bytes that stand there are those of the files.
Deno.test("protocol/README.md shows the vectors, byte for byte", () => {
  const [section = ""] = README.split(/^## Vectors$/m)[1]?.split(/^## /m) ?? [];
  const shown = new Map(blocksIn(section, /^#### /m));
  for (const { name, bytes } of DATAGRAM_VECTORS) {
    assertEquals(shown.get(name), [toHex(bytes)], name);
  }
  for (const { name, bytes, plain } of SEALED) {
    assertEquals(shown.get(name), [toHex(bytes), toHex(plain)], name);
  }
  let shownFrames = 0;
  for (const { name, bytes } of FRAME_VECTORS) {
    const blocks = shown.get(name);
    const isElsewhere = SEALED.some(({ plain }) => toHex(plain).startsWith(toHex(bytes)));
    assert(blocks !== undefined || isElsewhere, name);
    if (blocks === undefined || bytes.length === 0) continue;
    shownFrames++;
    assertEquals(blocks, [toHex(bytes)], name);
  }
  assert(shownFrames > 20);
  for (const digits of Object.values(HUMAN_READABLE)) assert(section.includes(`\`${digits}\``));
});

Deno.test("protocol/README.md shows the conversation, byte for byte", () => {
  const section = README.split(/^## A conversation$/m)[1]?.split(/^### /m)[0] ?? "";
  const shown = blocksIn(section, /^\*\*(?=\d+ ms)/m);
  assertEquals(
    shown.map(([, blocks]) => blocks),
    CONVERSATION.map(({ bytes, plain }) =>
      [bytes, plain].flatMap((each) => each ? toHex(each) : [])
    ),
  );
});
