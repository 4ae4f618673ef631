/**
 * Decides where `@std/…` comes from and writes it to `import_map.json`, which every task passes on.
 *
 * Where Deno has the JSR packages or can fetch them, the names point there. Elsewhere they point at
 * the stand-ins in this folder, and one line on stderr says so.
 */
import config from "../deno.json" with { type: "json" };
import { fromJsr, STAND_INS } from "./names.ts";

const IMPORT_MAP = "import_map.json";

/** Milliseconds that a slow network may take before the stand-ins are used. */
const FETCH_TIMEOUT = 5_000;

/** Whether Deno has all of them or gets them now; importing is what fetches them. */
async function canImport(specifiers: string[]): Promise<boolean> {
  const imported = Promise.all(specifiers.map((specifier) => import(specifier)))
    .then(() => true, () => false);
  const tooLate = new Promise<boolean>((resolve) => setTimeout(resolve, FETCH_TIMEOUT, false));
  return await Promise.race([imported, tooLate]);
}

/** Replaces the file in one step, and only if it changes: two tasks may start at once. */
async function writeImportMap(imports: Record<string, string>): Promise<void> {
  const text = JSON.stringify({ imports }, null, 2) + "\n";
  const current = await Deno.readTextFile(IMPORT_MAP).catch(() => undefined);
  if (current === text) return;
  const draft = `${IMPORT_MAP}.${Deno.pid}`;
  await Deno.writeTextFile(draft, text);
  await Deno.rename(draft, IMPORT_MAP);
}

const jsr = fromJsr();
const online = await canImport(Object.values(jsr));
if (!online) console.error("JSR is out of reach: using the stand-ins in offline/ for @std");
const fromNpm = Object.entries(config.imports).filter(([, from]) => from.startsWith("npm:"));
await writeImportMap({ ...(online ? jsr : STAND_INS), ...Object.fromEntries(fromNpm) });
// The timer, or an import that still waits for the network, would keep the process alive.
Deno.exit(0);
