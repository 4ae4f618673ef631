/**
 * `deno task test` and `deno task test:all`: runs the test files that are named, or else all of
 * them; `deno task test` then runs those of a folder in one worker, does not check types, and leaves
 * out most end-to-end tests, which wait in real time.
 *
 * @module
 */
import { FOLDERS } from "./short/load.ts";
import { IS_FULL } from "./support/scale.ts";

/**
 * The modules of the short run, its end-to-end tests, which are the whole specification on real
 * processes, and a file whose million datagrams take five times as long where others are watched.
 */
const SHORT = [
  "--no-check",
  "tests/e2e/conversation_test.ts",
  "tests/protocol/crypto/seal_test.ts",
  ...[...FOLDERS, "rest"].map((name) => `tests/short/${name}.ts`),
];
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

const isShort = !IS_FULL && !Deno.args.some(exists);
// Many tests wait for processes, so there is time for more than there are cores.
const jobs = Deno.env.get("DENO_JOBS") ?? `${navigator.hardwareConcurrency + 2}`;
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", ...OPTIONS, ...isShort ? SHORT : [], ...Deno.args],
  env: { DENO_JOBS: jobs },
}).spawn().status;
if (isShort) {
  console.log(
    "This was the short run: `deno task test:all` tries all seeds and mutations, and runs the " +
      "other end-to-end tests.",
  );
}
Deno.exit(code);
