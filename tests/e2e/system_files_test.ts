// Files that Deno opens for nobody: the advice of Deno is of no use to users.
import { assert, assertMatch } from "@std/assert";
import { LINUX } from "./proc.ts";
import { commandLine, runProgram, type Side, Stage } from "./process.ts";

const { ignore, note } = LINUX;

/** How each side names a file. */
const CASES: readonly (readonly [side: Side, args: readonly string[]])[] = [
  ["client", ["--log", "/dev/full"]],
  ["client", ["--log", "/proc/self/status"]],
  ["client", ["--secret", "/dev/mem"]],
  ["client", ["--identity", "/dev/full"]],
  ["serve", ["--port", "0", "--secret", "/dev/mem"]],
  ["serve", ["--port", "0", "--identity", "/dev/full"]],
  ["doctor", ["--secret", "/dev/mem"]],
  ["doctor", ["--identity", "/dev/full"]],
];

for (const [side, args] of CASES) {
  const [option, file] = args.slice(-2);
  Deno.test({
    name: `${side} ${option} ${file} says what is wrong, without advice for Deno${note}`,
    ignore,
    async fn() {
      await using stage = new Stage();
      const server = side === "client" ? ["--server", (await stage.serve()).address] : [];
      const { stdout, stderr } = await runProgram(commandLine(side), [...args, ...server]);
      assertMatch(stdout + stderr, /It belongs to the system|[Nn]ot a regular file|No such file/);
      assert(!/--allow|deno compile|permission/.test(stdout + stderr), stdout + stderr);
    },
  });
}
