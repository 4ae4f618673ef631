// Clients whose output is read late, or not at all.
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { LINUX, memory } from "./proc.ts";
import { type CommandLine, commandLine, runProgram, Stage, UNIX_SIGNALS } from "./process.ts";

const { ignore, note } = UNIX_SIGNALS;

/** Puts the output of "ana" into a shell command. */
function withReader(reader: string): (name: string, command: CommandLine) => CommandLine {
  return (name, command) => {
    if (name !== "ana") return command;
    const args = ["-c", `exec "$@" ${reader}`, "bash", command.program, ...command.args];
    return { ...command, program: "bash", args };
  };
}

Deno.test({
  name: `a client that only listens leaves when its reader has gone${note}`,
  ignore,
  async fn() {
    await using stage = new Stage({ wrap: withReader("> >(head -n 1)") });
    const server = await stage.serve();
    const ana = await stage.jsonClient("ana", server, "--accept-all");
    const bob = stage.client("bob", server, "--connect", "ana", "--send", "anybody?");
    assertEquals(await bob.exitCode() === 0, false);
    await ana.exitCode();
  },
});

Deno.test({
  name: `a message that nobody reads is undelivered, and ends a script${note}`,
  ignore,
  async fn() {
    const reader = `> >(sed -u '/"connected"/q'; exec <&-; echo gone >&2)`;
    await using stage = new Stage({ wrap: withReader(reader) });
    const server = await stage.serve();
    const ana = await stage.jsonClient("ana", server);
    const bob = await stage.jsonClient("bob", server);
    await bob.type("connect ana");
    await ana.waitForEvent("request");
    await ana.type("accept");
    await ana.stderr.waitFor(/^gone$/);
    await ana.type("not read, either");
    await bob.waitForEvent("message");
    await bob.type("anybody?");
    assertEquals((await bob.waitForEvent("terminated")).undelivered, 1);
    assertEquals(bob.events().filter(({ event }) => event === "delivered"), []);
    assertEquals(await ana.exitCode(), 1);
  },
});

Deno.test({
  name: `a full disk ends a client with an error, and what it received is undelivered${LINUX.note}`,
  ignore: LINUX.ignore,
  async fn() {
    await using stage = new Stage({ wrap: withReader("> /dev/full") });
    const server = await stage.serve("--json");
    const ana = stage.client("ana", server, "--name", "ana", "--json");
    assertEquals(await ana.exitCode(), 1);
    assertMatch(ana.stderr.all.join("\n"), /^Cannot print any more: No space left on device$/);
    await server.program.waitForEvent("left");
  },
});

Deno.test({
  name: `a reader that is slow holds its sender up, and gets everything in the end${LINUX.note}`,
  ignore: LINUX.ignore,
  async fn() {
    const start = await Deno.makeTempFile();
    const reader = `> >(while [ -e ${start} ]; do sleep 0.1; done; exec cat)`;
    await using stage = new Stage({ wrap: withReader(reader) });
    const server = await stage.serve("--json");
    const ana = stage.client("ana", server, "--name", "ana", "--json", "--accept-all");
    await server.program.waitForEvent("joined");
    const bob = await stage.jsonClient("bob", server);
    await bob.type("connect ana");
    await bob.waitForEvent("connected");
    const before = await memory(ana.pid);
    const texts = Array.from({ length: 64 }, (_, index) => `${index} `.padEnd(64 * 1024, "x"));
    for (const text of texts) await bob.type(text);
    await bob.waitForEvent("unconfirmed");
    await Deno.remove(start);
    const delivered = bob.events().filter(({ event }) => event === "delivered").length;
    assertLess(delivered, 8, "only what the pipe holds");
    assertLess(await memory(ana.pid) - before, 32);
    for (const text of texts) assert((await ana.waitForEvent("message")).text === text);
    while (bob.events().filter(({ event }) => event === "delivered").length < texts.length) {
      await bob.waitForEvent("delivered");
    }
  },
});

Deno.test({
  name:
    `pages and scripts end quietly with their reader, and say where the disk is full${LINUX.note}`,
  ignore: LINUX.ignore,
  async fn() {
    const { program, args, isExecutable } = commandLine("client");
    const print = (redirection: string, command: string): ReturnType<typeof runProgram> => {
      const script = `${redirection}; exec "$@"`;
      const words = ["-c", script, "bash", program, ...args.slice(0, -1)];
      return runProgram({ program: "bash", args: words, isExecutable }, command.split(" "));
    };
    for (const command of ["man client", "completions fish", "man --help", "--help", "--version"]) {
      const unread = await print("exec > >(exec true); wait $!", command);
      assertEquals([unread.code, unread.stderr], [0, ""]);
      const full = await print("exec > /dev/full", command);
      assertEquals([full.code, full.stderr], [1, "Cannot print: No space left on device\n"]);
    }
  },
});
