// A peer under a known name with another key, between real processes: nothing is sent to it by use.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { commandLine, type Program, type RunningServer, runProgram, Stage } from "./process.ts";
import { enter, testScene } from "./scene.ts";

/** Has bob call ana, who then leaves; eve takes the name, and accepts all. */
async function replaceAna(stage: Stage, server: RunningServer): Promise<Program> {
  const ana = await stage.jsonClient("ana", server, "--accept-all");
  assertEquals((await send(stage, server, "hello")).code, 0);
  await ana.endInput();
  assertEquals(await ana.exitCode(), 0);
  return await stage.jsonClient("eve", server, "--name", "ana", "--accept-all");
}

/** Runs bob's script `--connect ana --send …`. */
function send(
  stage: Stage,
  server: RunningServer,
  text: string,
  ...args: string[]
): ReturnType<typeof runProgram> {
  const all = ["--server", server.address, "--connect", "ana", "--send", text, ...args];
  return runProgram(commandLine("client"), all, stage.folders.env("bob"));
}

function knownPeers(stage: Stage): string[] {
  const text = Deno.readTextFileSync(`${stage.folders.config("bob")}/known_peers`);
  return text.trim().split("\n").slice(1).map((line) => line.split(" ").slice(3).join(" ")).sort();
}

Deno.test("changed key: a script sends nothing to the client that took the name, and exit status 7", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--name-hold", "0");
  const eve = await replaceAna(stage, server);
  for (let times = 0; times < 2; times++) {
    const { code, stdout, stderr } = await send(stage, server, "secret");
    assertEquals(code, 7);
    assertMatch(stdout, /WARNING, ana: NEW key under a known name/);
    assertMatch(stderr, /Nothing is sent to ana: the key [\d ]+ is not the trusted one/);
    await eve.waitForEvent("terminated", { by: "peer" });
  }
  assertEquals(eve.events().filter(({ event }) => event === "message"), []);
  assertEquals(knownPeers(stage), ["known ana", "untrusted ana"]);
});

Deno.test("changed key: --key names the new one, and no other is good then", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--name-hold", "0");
  const eve = await replaceAna(stage, server);
  const { stderr } = await send(stage, server, "secret");
  const [, key] = /--key (\S+)/.exec(stderr)!;
  assert(key !== undefined);
  assertEquals((await send(stage, server, "secret", "--key", "0".repeat(30))).code, 7);
  assertEquals((await send(stage, server, "for you", "--key", key)).code, 0);
  await eve.waitForEvent("message", { text: "for you" });
  assertEquals(knownPeers(stage), ["known ana"]);
  assertEquals((await send(stage, server, "and again")).code, 0);
  await eve.waitForEvent("message", { text: "and again" });
});

Deno.test("changed key: the directory refuses the name to another key", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = stage.client("ana", server, "--name", "ana");
  await ana.stdout.waitFor(/Registered/);
  await ana.endInput();
  assertEquals(await ana.exitCode(), 0);
  const args = ["--server", server.address, "--name", "ana"];
  const eve = await runProgram(commandLine("client"), args, stage.folders.env("eve"));
  assertEquals(eve.code, 1);
  assertMatch(
    eve.stderr,
    / \* That name is ana's: the directory at \S+ keeps it for another key, /,
  );
  const again = await runProgram(commandLine("client"), args, stage.folders.env("ana"));
  assertEquals([again.code, again.stderr], [0, ""]);
});

testScene("what is typed to a new key under a known name waits for trust", async (scene) => {
  const { screen, stage, server, bob } = scene;
  await enter(screen, "connect bob");
  await bob.waitForEvent("request");
  await bob.type("accept");
  await screen.waitFor(/bob >/);
  await enter(screen, "terminate");
  await bob.endInput();
  await bob.exitCode();
  const eve = await stage.jsonClient("eve", server, "--name", "bob", "--accept-all");
  await enter(screen, "connect bob");
  await screen.waitFor(/WARNING, bob: NEW key[^]*bob · key not trusted >/);
  await enter(screen, "secret");
  await screen.waitFor(/Not sent yet: it waits until you type trust bob/);
  await eve.type("hello?");
  await screen.waitFor(/bob: hello\?/);
  assertEquals(eve.events().filter(({ event }) => event === "message"), []);
  await enter(screen, "trust bob");
  await eve.waitForEvent("message", { text: "secret" });
  await screen.waitFor(/Trusted bob: key[^]*✓ ana: secret|✓ ana: secret[^]*Trusted bob: key/);
  await screen.waitFor(/^bob >$/m);
});
