// Directories of either family, and names with addresses of both.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { HOSTS_FILE, HostsFile } from "./hosts_file.ts";
import { type CommandLine, connectedPair, parseEvent, type Program, Stage } from "./process.ts";

/** Both say something to each other. */
async function talk(ana: Program, bob: Program): Promise<void> {
  await ana.type("send hi");
  await bob.waitForEvent("message", { text: "hi" });
  await bob.type("send ho");
  await ana.waitForEvent("message", { text: "ho" });
}

/** The host at which a client with `--json` is seen. */
function seenAt(client: Program): unknown {
  return client.events().find(({ event }) => event === "registered")?.["host"];
}

Deno.test("a directory is named by its IPv6 address, and two talk", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--host", "::1");
  assert(server.address.startsWith("[::1]:"), server.address);
  const [ana, bob] = await connectedPair(stage, server);
  await talk(ana, bob);
  assertEquals([seenAt(ana), seenAt(bob)], ["::1", "::1"]);
});

for (const host of ["::1", "127.0.0.1"]) {
  Deno.test({
    name:
      `where localhost is ::1 and 127.0.0.1, a directory on ${host} alone is found${HOSTS_FILE.note}`,
    ignore: HOSTS_FILE.ignore,
    async fn() {
      using hosts = new HostsFile("localhost", ["::1", "127.0.0.1"]);
      const wrap = (_name: string, command: CommandLine): CommandLine => hosts.wrap(command);
      await using stage = new Stage({ wrap, env: { PATH: Deno.env.get("PATH") ?? "" } });
      const { port } = await stage.serve("--host", host);
      const address = `localhost:${port}`;
      const [ana, bob] = await connectedPair(stage, { address });
      await talk(ana, bob);
      assertEquals([seenAt(ana), seenAt(bob)], [host, host]);

      const doctor = stage.start("doctor", "doctor", ["--server", address, "--json"]);
      assertEquals(await doctor.exitCode(), 0);
      const checks = doctor.stdout.all.map(parseEvent);
      const named = checks.find(({ check }) => check === "host");
      assertMatch(
        `${named?.["message"]}`,
        /^localhost is (::1 and 127\.0\.0\.1|127\.0\.0\.1 and ::1)$/,
      );
    },
  });
}

Deno.test({
  name: `a directory whose name gets another address is found there${HOSTS_FILE.note}`,
  ignore: HOSTS_FILE.ignore,
  async fn() {
    using hosts = new HostsFile("chat.example", ["127.0.0.1"]);
    const wrap = (_name: string, command: CommandLine): CommandLine => hosts.wrap(command);
    await using stage = new Stage({ wrap, env: { PATH: Deno.env.get("PATH") ?? "" } });
    const before = await stage.serve("--host", "127.0.0.1", "--lease", "3");
    const address = `chat.example:${before.port}`;
    const [ana, bob] = await connectedPair(stage, { address });
    before.program.signal("SIGKILL");
    await before.program.exit;
    hosts.write("chat.example", ["127.0.0.9"]);
    await stage.serve("--host", "127.0.0.9", "--lease", "3", "--port", `${before.port}`);
    for (const client of [ana, bob]) {
      await client.waitForEvent("serverMoved", { host: "127.0.0.9" }, 40_000);
    }
    await talk(ana, bob);
  },
});
