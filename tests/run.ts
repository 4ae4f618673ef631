/**
 * `deno task test` and `deno task test:all`: runs the test files that are named, or else all of
 * them; `deno task test` then leaves out most end-to-end tests, which wait in real time.
 *
 * @module
 */
import { IS_FULL } from "./support/scale.ts";

/** The end-to-end tests of the short run: the whole specification on real processes. */
const SHORT_E2E = "conversation_test.ts";
const OPTIONS = [
  "--parallel",
  "--no-prompt",
  ...["net", "run", "read", "write", "env", "sys=networkInterfaces"]
    .map((name) => `--allow-${name}`),
  "--import-map=import_map.json",
  "--preload=tests/support/preload.ts",
];

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The option that leaves out all other end-to-end tests. */
function ignoreOption(): string {
  const names = [...Deno.readDirSync("tests/e2e")].map(({ name }) => name);
  const ignored = names.filter((name) => name.endsWith("_test.ts") && name !== SHORT_E2E);
  return `--ignore=${ignored.map((name) => `tests/e2e/${name}`).join()}`;
}

const isShort = !IS_FULL && !Deno.args.some(exists);
// Many tests wait for processes, so there is time for more than there are cores.
const jobs = Deno.env.get("DENO_JOBS") ?? `${navigator.hardwareConcurrency + 2}`;
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", ...OPTIONS, ...isShort ? [ignoreOption()] : [], ...Deno.args],
  env: { DENO_JOBS: jobs },
}).spawn().status;
if (isShort) {
  console.log(
    "This was the short run: `deno task test:all` tries all seeds and mutations, and runs the " +
      "other end-to-end tests.",
  );
}
Deno.exit(code);
