// The log of a directory, on standard error.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { commandLine, type Program, runProgram, Stage } from "./process.ts";

/** The entries of a log in JSON. */
function entriesOf({ stderr }: Program): Record<string, unknown>[] {
  return stderr.all.map((line) => JSON.parse(line));
}

Deno.test("serve --log-format json --log-level info logs start and stop, and no client", async () => {
  await using stage = new Stage();
  const log = ["--log-format", "json", "--log-level", "info"];
  const { program, address, port } = await stage.serve("--quiet", ...log);
  await stage.jsonClient("ana", { address });
  program.signal("SIGINT");
  assertEquals(await program.exitCode(), 0);
  const entries = entriesOf(program);
  assertEquals(entries.map(({ level, event }) => [level, event]), [
    ["info", "started"],
    ["info", "stopping"],
    ["info", "stopped"],
  ]);
  assertEquals([entries[0]!.host, entries[0]!.port], ["127.0.0.1", port]);
  assertMatch(`${entries[0]!.fingerprint}`, /^\d{5}( \d{5}){5}$/);
  assertEquals(entries.at(-1)!.clients, 1);
  assert(program.stdout.text().startsWith("Listening on "));
});

Deno.test("serve --log-level debug logs each client, in text as well", async () => {
  await using stage = new Stage();
  const { program, address } = await stage.serve("--log-level", "debug");
  await stage.jsonClient("ana", { address });
  await program.stderr.waitFor(/^\S+Z debug client 1 \(ana\) joined from 127\.0\.0\.1:\d+$/);
});

Deno.test("serve logs nothing by default, and one line where refusals begin", async () => {
  await using stage = new Stage();
  const { program, address } = await stage.serve("--max-clients", "1");
  const ana = await stage.jsonClient("ana", { address });
  assertEquals(program.stderr.all, []);
  const bob = stage.client("bob", { address }, "--name", "bob", "--json");
  await bob.waitForEvent("error", { code: "refused" });
  await program.stderr.waitFor(/^\S+Z warn The directory is full: 1 refused$/);
  await ana.endInput();
  program.signal("SIGINT");
  assertEquals(await program.exitCode(), 0);
  assertEquals(program.stderr.all.length, 1);
});

Deno.test("serve --log-format json logs why it cannot run", async () => {
  await using stage = new Stage();
  const { port } = await stage.serve();
  const args = ["--port", `${port}`, "--log-format", "json"];
  const { code, stderr } = await runProgram(commandLine("serve"), args);
  assertEquals(code, 1);
  const { time: _, message, ...entry } = JSON.parse(stderr);
  assertEquals(entry, { level: "error", event: "failed", code: "portInUse" });
  assertMatch(message, /^Cannot listen on /);
});
