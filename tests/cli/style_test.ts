import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { NAME_COLORS, nameColor, styles, withoutStyle } from "../../cli/style.ts";
import { Prng } from "../support/random.ts";

/** The relative luminance of one of the 256 colors of xterm, in its cube (WCAG 2.2). */
function luminance(color: number): number {
  assert(color >= 16 && color < 232, "in the cube");
  const parts = [Math.floor((color - 16) / 36), Math.floor((color - 16) / 6) % 6, (color - 16) % 6];
  const [red = 0, green = 0, blue = 0] = parts.map((part) => {
    const value = (part === 0 ? 0 : 55 + 40 * part) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

Deno.test("NAME_COLORS are readable on black and on white", () => {
  for (const color of NAME_COLORS) {
    const light = luminance(color);
    const contrast = Math.min((light + 0.05) / 0.05, 1.05 / (light + 0.05));
    assert(contrast >= 3.75, `${color}: ${contrast}`);
  }
});

Deno.test("nameColor() gives a key the same color in every run", () => {
  // Computed by another program.
  assertEquals([0, 1, 2, 3].map((byte) => nameColor(new Uint8Array(32).fill(byte))), [
    30,
    30,
    129,
    129,
  ]);
});

Deno.test("nameColor() uses all colors about as often", () => {
  const { bytes } = new Prng(1);
  const counts = new Map(NAME_COLORS.map((color) => [color, 0]));
  for (let count = 0; count < 4000; count++) {
    const color = nameColor(bytes(32));
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  assertEquals(counts.size, NAME_COLORS.length);
  for (const [color, count] of counts) assert(count > 400 && count < 600, `${color}: ${count}`);
});

Deno.test("styles() adds nothing without color", () => {
  const { bold, red, name } = styles(false);
  assertEquals(bold(red(name("ana", new Uint8Array(32)))), "ana");
});

Deno.test("styles() resumes a style after a nested one; withoutStyle() removes all codes", () => {
  const { bold, dim, name } = styles(true);
  assertEquals(bold(`a${dim("b")}c`), "\x1b[1ma\x1b[2mb\x1b[1mc\x1b[22m");
  const text = bold(name("ana", new Uint8Array(32)));
  assertNotEquals(text, "ana");
  assertEquals(withoutStyle(text), "ana");
  assertEquals(name("ana", undefined), "ana");
});
