import { assertEquals } from "@std/assert";
import { findSecret, SECRET_SIZE_MAX, type SecretSources } from "../../cli/secret.ts";

const utf8 = new TextEncoder();

/** A machine with one file, "s", and one variable. */
function machine(file?: string, variable?: string): SecretSources {
  return {
    readFile(path) {
      if (path !== "s" || file === undefined) throw new Error("no such file");
      return utf8.encode(file);
    },
    readVariable: (name) => name === "UDP_CHAT_SECRET" ? variable : undefined,
  };
}

function textOf(found: ReturnType<typeof findSecret>): string | undefined {
  if (!found.ok) return found.message;
  return found.secret && new TextDecoder().decode(found.secret);
}

Deno.test("findSecret() finds none where none was given", () => {
  assertEquals(findSecret(undefined, machine()), { ok: true, secret: undefined });
});

Deno.test("findSecret() reads the file, or else the variable, without the white space around it", () => {
  const text = "sixteen is enough";
  for (const given of [text, `${text}\n`, `\ufeff${text}`.slice(1), ` \t${text}\r\n\n`]) {
    assertEquals(textOf(findSecret("s", machine(given))), text);
    assertEquals(textOf(findSecret(undefined, machine(undefined, given))), text);
  }
  assertEquals(textOf(findSecret("s", machine(text, "the variable is not looked at"))), text);
});

Deno.test("findSecret() takes 16 to 4096 bytes", () => {
  const expected = "expected 16 to 4096 bytes";
  for (const size of [16, SECRET_SIZE_MAX]) {
    assertEquals(textOf(findSecret("s", machine("x".repeat(size)))), "x".repeat(size));
  }
  for (const size of [0, 15, SECRET_SIZE_MAX + 1]) {
    const text = ` ${"x".repeat(size)}\n`;
    assertEquals(
      textOf(findSecret("s", machine(text))),
      `Cannot use the secret in the file "s": ${expected}, got ${size}`,
    );
    assertEquals(
      textOf(findSecret(undefined, machine(undefined, text))),
      `Cannot use the secret in UDP_CHAT_SECRET: ${expected}, got ${size}`,
    );
  }
});

Deno.test("findSecret() takes an empty variable for a mistake, not for no secret", () => {
  assertEquals(findSecret(undefined, machine(undefined, "")).ok, false);
});

Deno.test("findSecret() says why it cannot read the file", () => {
  assertEquals(
    textOf(findSecret("t", machine("x", "x".repeat(32)))),
    'Cannot read the secret in the file "t": no such file',
  );
});
