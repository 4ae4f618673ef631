// `serve --metrics` on a real process, read by a parser that is written from the format's specification.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { parsePrometheusText } from "../support/prometheus_text.ts";
import { commandLine, connectedPair, type Program, runProgram, Stage } from "./process.ts";

/** A directory that serves metrics; the address of its page, without the path. */
async function serve(stage: Stage): Promise<{ program: Program; address: string; base: string }> {
  const server = await stage.serve(
    ...["--json", "--log-level", "info", "--metrics", "127.0.0.1:0"],
  );
  const line = await server.program.stderr.waitFor(
    /Metrics at http:\/\/127\.0\.0\.1:\d+\/metrics$/,
  );
  return { ...server, base: /http:\/\/[\d.:]+/.exec(line)![0] };
}

/** The values of the metrics that have one, by name, and of those by reason. */
async function scrape(base: string): Promise<Map<string, number>> {
  const response = await fetch(`${base}/metrics`);
  assertEquals(response.status, 200);
  assertMatch(response.headers.get("content-type")!, /^text\/plain; version=0\.0\.4/);
  const metrics = parsePrometheusText(await response.text());
  return new Map(
    [...metrics.values()].flatMap(({ samples }) =>
      samples.map(({ name, labels, value }): [string, number] => [
        [name, labels.reason ?? labels.le ?? ""].join(" ").trimEnd(),
        value,
      ])
    ),
  );
}

Deno.test("serve --metrics counts clients, registrations, meetings and refusals", async () => {
  await using stage = new Stage();
  const { program, address, base } = await serve(stage);
  const before = await scrape(base);
  assertEquals([before.get("udpchat_clients"), before.get("udpchat_meetings_total")], [0, 0]);
  await connectedPair(stage, { address });
  const third = stage.client("third", { address }, "--name", "ana", "--json");
  await third.waitForEvent("error");
  const after = await scrape(base);
  assertEquals(after.get("udpchat_clients"), 2);
  assertEquals(after.get("udpchat_clients_max"), 10_000);
  assertEquals(after.get("udpchat_meetings_total"), 1);
  assert(after.get("udpchat_registrations_total")! >= 2);
  assert(after.get("udpchat_refusals_total nameTaken")! >= 1);
  assert(after.get("udpchat_event_loop_delay_seconds_count")! > 0);
  assert(after.get("process_resident_memory_bytes")! > 10_000_000);
  assert(Math.abs(after.get("process_start_time_seconds")! - Date.now() / 1000) < 600);
  program.signal("SIGINT");
  assertEquals(await program.exitCode(), 0);
});

Deno.test("serve --metrics says that it lives and is ready", async () => {
  await using stage = new Stage();
  const { base } = await serve(stage);
  const answer = async (path: string): Promise<string> => await (await fetch(base + path)).text();
  assertEquals(await answer("/healthz"), "ok\n");
  // It may still be loading its cipher.
  let ready = await answer("/readyz");
  while (ready === "not ready\n") ready = await answer("/readyz");
  assertEquals(ready, "ready\n");
});

Deno.test("serve --metrics answers, and goes on, while others hold their requests back", async () => {
  await using stage = new Stage();
  const { program, address, base } = await serve(stage);
  const port = Number(new URL(base).port);
  const head = new TextEncoder().encode("GET /metrics HTTP/1.1\r\n");
  const slow = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(head);
      return connection;
    }),
  );
  assertEquals((await scrape(base)).get("udpchat_clients"), 0);
  await stage.jsonClient("ana", { address });
  assertEquals((await scrape(base)).get("udpchat_clients"), 1);
  // All but the last few were closed, by the directory.
  const ended = slow.slice(0, -8).map((connection) => connection.read(new Uint8Array(1)));
  for (const read of ended) assertEquals(await read.catch(() => null), null);
  slow.forEach((connection) => connection.close());
  program.signal("SIGINT");
  assertEquals(await program.exitCode(), 0);
});

Deno.test("serve --metrics at a port in use ends with exit status 1, and says what to change", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const args = ["--port", "0", "--metrics", `127.0.0.1:${port}`];
  const { code, stdout, stderr } = await runProgram(commandLine("serve"), args);
  listener.close();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(
    stderr,
    /Cannot serve metrics on 127\.0\.0\.1:\d+: the port is in use; .* --metrics\n$/,
  );
});
