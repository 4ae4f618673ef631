import { assertEquals } from "@std/assert";
import { findSecret, SECRET_SIZE_MAX, type SecretSources } from "../../cli/secret.ts";

const utf8 = new TextEncoder();

/** Sources with one file, "s", and one variable. */
function sources(file?: string, variable?: string): SecretSources {
  return {
    readFile(path) {
      if (path !== "s" || file === undefined) throw new Error("no such file");
      return utf8.encode(file);
    },
    readVariable: (name) => name === "UDP_CHAT_SECRET" ? variable : undefined,
    fileProblem: (error) => (error as Error).message,
  };
}

function textOf(found: ReturnType<typeof findSecret>): string | undefined {
  if (!found.ok) return found.error;
  return found.value && new TextDecoder().decode(found.value);
}

Deno.test("findSecret() returns undefined if none was given", () => {
  assertEquals(findSecret(undefined, sources()), { ok: true, value: undefined });
});

Deno.test("findSecret() reads the file, or else the variable, and trims white space", () => {
  const text = "sixteen is enough";
  for (const given of [text, `${text}\n`, `\ufeff${text}`.slice(1), ` \t${text}\r\n\n`]) {
    assertEquals(textOf(findSecret("s", sources(given))), text);
    assertEquals(textOf(findSecret(undefined, sources(undefined, given))), text);
  }
  assertEquals(textOf(findSecret("s", sources(text, "the variable is not read"))), text);
});

Deno.test("findSecret() accepts 16 to 4096 bytes", () => {
  const expected = "expected 16 to 4096 bytes";
  for (const size of [16, SECRET_SIZE_MAX]) {
    assertEquals(textOf(findSecret("s", sources("x".repeat(size)))), "x".repeat(size));
  }
  for (const size of [0, 15, SECRET_SIZE_MAX + 1]) {
    const text = ` ${"x".repeat(size)}\n`;
    assertEquals(
      textOf(findSecret("s", sources(text))),
      `Cannot use the secret in the file "s": ${expected}, got ${size}`,
    );
    assertEquals(
      textOf(findSecret(undefined, sources(undefined, text))),
      `Cannot use the secret in UDP_CHAT_SECRET: ${expected}, got ${size}`,
    );
  }
});

Deno.test("findSecret() rejects an empty variable", () => {
  assertEquals(findSecret(undefined, sources(undefined, "")).ok, false);
});

Deno.test("findSecret() reports why it cannot read the file", () => {
  assertEquals(
    textOf(findSecret("t", sources("x", "x".repeat(32)))),
    'Cannot read the secret in the file "t": no such file',
  );
});
