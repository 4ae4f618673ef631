// The table of constants in protocol/README.md and the constants of the code are the same.
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../../protocol/", import.meta.url);

/** Constants of the code that are no rule of the protocol, or that its text has in another place. */
const NOT_LISTED: readonly string[] = [
  // The header and the bits of flags: in the tables of datagrams and frames.
  ...["MAGIC", "VERSION", "FLAG_MORE", "FLAG_RESUMED", "FLAG_CALLER", "FLAG_NEAR"],
  // Sizes that follow from those tables.
  ...["CODE_SIZE", "KEY_SIZE", "MESSAGE_HEADER_SIZE"],
  ...["MESSAGE_ONE_OVERHEAD", "MESSAGE_TWO_OVERHEAD"],
  // The steps of the search, which "Path MTU" tells.
  ...["PATH_MTU_BASE", "PATH_MTU_ETHERNET", "PATH_MTU_JUMBO", "PATH_MTU_LOOPBACK"],
  // How this program keeps things.
  ...["ENDPOINT_SIZE", "IPV4_SIZE", "LAST", "TIMER_SLACK"],
];

/** The numbers that the modules in a folder export. */
async function exported(folder: URL): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) {
      for (const entry of await exported(new URL(`${name}/`, folder))) found.set(...entry);
    } else if (name.endsWith(".ts") && name !== "mod.ts") {
      const module: Record<string, unknown> = await import(new URL(name, folder).href);
      for (const [key, value] of Object.entries(module)) {
        if (typeof value !== "number") continue;
        assert(!found.has(key) || found.get(key) === value, `two constants are called ${key}`);
        found.set(key, value);
      }
    }
  }
  return found;
}

/** A number as the table writes it: `1200`, `2^20`, `9/8`. */
function valueOf(text: string): number {
  const [, base, operator, operand] = /^(\d+)(?:([\^/])(\d+))?$/.exec(text) ?? [];
  assert(base !== undefined, `"${text}" is no number`);
  if (operator === undefined) return Number(base);
  return operator === "^" ? Number(base) ** Number(operand) : Number(base) / Number(operand);
}

const README = await Deno.readTextFile(new URL("README.md", ROOT));
const SECTION = README.split(/^## Constants$/m)[1]?.split(/^## /m)[0] ?? "";
const ROWS = Array.from(SECTION.matchAll(/^\| `(\w+)` +\| +(\S+) \| (.+?) +\|$/gm));

Deno.test("protocol/README.md lists the constants of the code, with their values, and no others", async () => {
  const listed = ROWS.map(([, name = "", value = ""]) => [name, valueOf(value)] as const);
  const numbers = [...await exported(ROOT)].filter(([name]) => !NOT_LISTED.includes(name));
  assertEquals(Object.fromEntries(listed), Object.fromEntries(numbers));
  assertEquals(new Set(listed.map(([name]) => name)).size, listed.length, "one is listed twice");
});

Deno.test("every constant that protocol/README.md names is in its table", () => {
  const [before = "", after = ""] = README.split(SECTION);
  const named = `${before}${after}`.matchAll(/`([A-Z][A-Z\d]*_[A-Z\d_]+)`/g);
  // The last one is of the directory's program, in `server/`.
  const listed = [...ROWS.map(([, name]) => name), "SOURCES_MAX"];
  for (const [, name = ""] of named) assert(listed.includes(name), name);
});
