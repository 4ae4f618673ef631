// The doctor, as a process.
import { assertEquals, assertMatch } from "@std/assert";
import { testConcurrently } from "./concurrent.ts";
import { Folders } from "./folders.ts";
import { commandLine, parseEvent, runProgram, Stage, UNIX_SIGNALS } from "./process.ts";

const DOCTOR = commandLine("doctor");

testConcurrently("doctor, as a process", [
  {
    name: "all well, exit status 0, and no trace in the table",
    async fn() {
      await using stage = new Stage();
      const server = await stage.serve("--json");
      const { code, stdout, stderr } = await runProgram(DOCTOR, ["--server", server.address]);
      assertEquals([code, stderr], [0, ""], stdout);
      const checks = stdout.trimEnd().split("\n");
      for (
        const check of [
          ...["identity", "directory", "version", "key", "address", "round trip"],
          ...["ipv6", "calls", "leave"],
        ]
      ) {
        assertEquals(
          checks.filter((line) => line.startsWith(`ok       ${check} `)).length,
          1,
          stdout,
        );
      }
      assertEquals(checks.at(-1), "All well");
      const joined = await server.program.waitForEvent("joined");
      assertEquals((joined["client"] as { name: string }).name, "");
      await server.program.waitForEvent("left");
      const json = await runProgram(DOCTOR, ["--server", server.address, "--json"]);
      const events = json.stdout.trimEnd().split("\n").map(parseEvent);
      assertEquals(
        events.every(({ event, verdict }) => event === "check" && verdict === "ok"),
        true,
      );
    },
  },
  {
    name: "nothing listens on the port: a report, exit status 3",
    async fn() {
      await using stage = new Stage();
      const { program, address } = await stage.serve();
      program.signal("SIGINT");
      await program.exitCode();
      const { code, stdout } = await runProgram(DOCTOR, ["--server", address]);
      assertEquals(code, 3);
      assertMatch(stdout, /^failed +directory +nothing listens at /m);
    },
  },
  {
    name: "a silent port: nothing comes back, exit status 3",
    async fn() {
      const silent = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      const { port } = silent.addr as Deno.NetAddr;
      const { code, stdout } = await runProgram(DOCTOR, ["--server", `127.0.0.1:${port}`]);
      silent.close();
      assertEquals(code, 3);
      assertMatch(stdout, /^failed +directory +nothing comes back from .*no directory runs there/m);
    },
  },
  {
    name: `a signal ends it with exit status 130${UNIX_SIGNALS.note}`,
    ignore: UNIX_SIGNALS.ignore,
    async fn() {
      await using stage = new Stage();
      const silent = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
      const { port } = silent.addr as Deno.NetAddr;
      try {
        for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT"] as const) {
          const args = ["--server", `127.0.0.1:${port}`, "--json"];
          const program = stage.start(signal, "doctor", args);
          await program.waitForEvent("check");
          await silent.receive();
          program.signal(signal);
          assertEquals(await program.exitCode(), 130, signal);
        }
      } finally {
        silent.close();
      }
    },
  },
  {
    name: "an identity that is damaged or open to others: exit status 1",
    async fn() {
      await using stage = new Stage();
      using folders = new Folders();
      const server = await stage.serve();
      const file = `${folders.get("keys")}/identity`;
      Deno.writeTextFileSync(file, "udp-chat identity 1\nprivate\n", { mode: 0o600 });
      const args = ["--server", server.address, "--identity", file];
      const damaged = await runProgram(DOCTOR, args);
      assertEquals(damaged.code, 1);
      assertMatch(damaged.stdout, /^failed +identity .*damaged/m);
      // The rest is still looked at.
      assertMatch(damaged.stdout, /^ok +leave /m);
      if (Deno.build.os === "windows") return;
      Deno.chmodSync(file, 0o644);
      assertMatch(
        (await runProgram(DOCTOR, args)).stdout,
        /^failed +identity .*others may read it/m,
      );
    },
  },
  {
    name: "wrong usage: exit status 2",
    async fn() {
      const { code, stdout, stderr } = await runProgram(DOCTOR, ["--sever", "x"]);
      assertEquals([code, stdout], [2, ""]);
      assertMatch(stderr, /did you mean "--server"/);
    },
  },
]);
