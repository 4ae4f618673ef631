import { assertEquals } from "@std/assert";
import { RATES, usualRates } from "../../server/limits.ts";
import { parseLimits, readLimits } from "../../server/limits_file.ts";

function errorOf(text: string): string | undefined {
  const parsed = parseLimits(text, RATES);
  return parsed.ok ? undefined : parsed.error;
}

Deno.test("parseLimits() sets what is there, and leaves the rest as usual", () => {
  const usual = usualRates(5);
  const text = "# quieter\n\ncalls-per-source 0.5 \t3\r\n  strangers-excess 1 1\n";
  assertEquals(parseLimits(text, usual), {
    ok: true,
    value: {
      ...usual,
      callsPerSource: { perSecond: 0.5, burst: 3 },
      strangersExcess: { perSecond: 1, burst: 1 },
    },
  });
  const carried = parseLimits("carried-in-total 7 8", usual);
  assertEquals(carried.ok && carried.value.carriedInTotal, { perSecond: 7, burst: 8 });
});

Deno.test("parseLimits() refuses what is no limit, with the number of the line", () => {
  const rate = "expected a rate a second, of 0.001 to 1000000000, and how many at once";
  const cannot = "cannot parse calls-per-source: ";
  const errors: [text: string, error: string][] = [
    [
      "calls-per-sauce 1 1",
      'line 1: unknown key "calls-per-sauce": did you mean "calls-per-source"?',
    ],
    ["\ncalls-per-source", `line 2: ${cannot}${rate}`],
    ["calls-per-source 1", `line 1: ${cannot}${rate}, got "1"`],
    ["calls-per-source 0 1", `line 1: ${cannot}${rate}, got "0 1"`],
    ["calls-per-source 1 0", `line 1: ${cannot}${rate}, got "1 0"`],
    ["calls-per-source 1 1.5", `line 1: ${cannot}${rate}, got "1 1.5"`],
    ["calls-per-source 1e3 1", `line 1: ${cannot}${rate}, got "1e3 1"`],
    ["calls-per-source 1 9999999999", `line 1: ${cannot}${rate}, got "1 9999999999"`],
    [
      "calls-per-source 1 1\ncalls-per-source 1 1",
      "line 2: calls-per-source is set in line 1, too",
    ],
  ];
  for (const [text, error] of errors) assertEquals(errorOf(text), error);
});

Deno.test("readLimits() names the file that cannot be read", () => {
  const result = readLimits("/no such file", RATES);
  assertEquals(
    !result.ok && /^Cannot read the limits in "\/no such file": /.test(result.error),
    true,
  );
  assertEquals(readLimits(undefined, RATES), { ok: true, value: RATES });
});

Deno.test("readLimits() names a file that is not UTF-8", () => {
  const file = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(file, Uint8Array.of(0xff, 0xfe, 0x63, 0));
    const error = `Cannot read the limits in "${file}": It is not UTF-8`;
    assertEquals(readLimits(file, RATES), { ok: false, error });
  } finally {
    Deno.removeSync(file);
  }
});
