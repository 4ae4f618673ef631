// What a directory does beside registering: introducing and carrying, on the addresses of both families.
import { assert, assertEquals } from "@std/assert";
import { assertContract } from "./contract.ts";
import {
  commandLine,
  connectedPair,
  type Program,
  runProgram,
  Stage,
  UNIX_SIGNALS,
} from "./process.ts";

/** Stops a directory; returns its last event. */
async function totalsOf(program: Program): Promise<Record<string, unknown>> {
  program.signal("SIGINT");
  assertEquals(await program.exitCode(), 0);
  assertContract("server", program.events());
  const last = program.events().at(-1)!;
  assertEquals(last.event, "totals");
  return last;
}

Deno.test({
  name:
    `serve --json ends with the totals: clients, introductions, bytes carried, what was dropped${UNIX_SIGNALS.note}`,
  ignore: UNIX_SIGNALS.ignore,
  async fn() {
    await using stage = new Stage();
    const { program, address } = await stage.serve("--json");
    await connectedPair(stage, { address });
    const { clients, introductions, lookUps, dropped } = await totalsOf(program);
    assertEquals([clients, introductions, lookUps, dropped], [2, 1, 0, []]);
    assertEquals(program.stderr.all, []);
  },
});

Deno.test({
  name: `serve --no-relay introduces clients, and carries nothing${UNIX_SIGNALS.note}`,
  ignore: UNIX_SIGNALS.ignore,
  async fn() {
    await using stage = new Stage();
    const { program, address } = await stage.serve("--json", "--no-relay");
    await connectedPair(stage, { address });
    const { introductions, carriedBytes } = await totalsOf(program);
    assertEquals([introductions, carriedBytes], [1, 0]);
  },
});

Deno.test("serve --relay-limit takes a number of bytes", async () => {
  const { code, stderr } = await runProgram(commandLine("serve"), ["--relay-limit", "1MB"]);
  assertEquals(code, 2);
  assert(stderr.startsWith("Cannot parse --relay-limit: expected 1 to 1000000000"), stderr);
});
