// Two directories with one key, of which one is killed: protocol/README.md, "Several directories".
import { assert, assertEquals, assertLess } from "@std/assert";
import { testConcurrently } from "./concurrent.ts";
import { assertContract } from "./contract.ts";
import { ExitStatus } from "../../client/exit.ts";
import { connectedPair, type Program, type RunningServer, Stage } from "./process.ts";

/** Milliseconds within which each client of a killed directory is at another one. */
const MOVED_WITHIN = 10_000;

/** A directory, and the address of another one with its key, which is started later. */
async function serveFirst(
  stage: Stage,
): Promise<
  { first: RunningServer; both: { address: string }; serveSecond(): Promise<RunningServer> }
> {
  const args = ["--identity", stage.folders.get("shared") + "/identity", "--json"];
  const reserved = await stage.serveAs("second", ...args);
  reserved.program.signal("SIGKILL");
  await reserved.program.exit;
  const first = await stage.serveAs("first", ...args);
  const both = { address: `${first.address},${reserved.address}` };
  const serveSecond = () => stage.serveAs("second", ...args, "--port", `${reserved.port}`);
  return { first, both, serveSecond };
}

async function kill({ program }: RunningServer): Promise<void> {
  program.signal("SIGKILL");
  await program.exit;
}

/** Checks that a text arrives. */
async function assertTalk(from: Program, to: Program, text: string): Promise<void> {
  await from.type(text);
  await to.waitForEvent("message", { text });
  await from.waitForEvent("delivered");
}

async function killOne(): Promise<void> {
  await using stage = new Stage();
  const { first, both, serveSecond } = await serveFirst(stage);
  const [ana, bob] = await connectedPair(stage, both, { ana: ["--id", "5"], bob: ["--id", "3"] });
  const zoe = stage.client("zoe", both, "--name", "zoe", "--accept-all");
  await zoe.stdout.waitFor(/Registered at .* \(zoe\)/);
  const second = await serveSecond();
  await assertTalk(ana, bob, "before");
  const killedAt = Date.now();
  await kill(first);
  await assertTalk(bob, ana, "while nobody is there");
  for (const client of [ana, bob]) {
    const moved = await client.waitForEvent("serverMoved", { port: second.port }, MOVED_WITHIN);
    assertLess(Date.parse(moved.time) - killedAt, MOVED_WITHIN);
    assertEquals(moved.why, "silent");
  }
  await zoe.stdout.waitFor(/does not answer · registered at/);
  await assertTalk(ana, bob, "after");
  await ana.type("list");
  const { clients } = await ana.waitForEvent("list");
  assertEquals((clients as { id: number; name: string }[]).filter(({ name }) => name !== "zoe"), [
    { id: 3, name: "bob" },
    { id: 5, name: "ana" },
  ]);
  for (const client of [ana, bob]) {
    const about = client.events().map(({ event }) => event)
      .filter((event) => event.startsWith("server") || event === "terminated" || event === "error");
    assertEquals(about, ["serverMoved"]);
    assertContract("client", client.events());
  }
  assertEquals(zoe.transcript().split("\n").filter((line) => /director/.test(line)).length, 1);
}

async function firstIsDead(): Promise<void> {
  await using stage = new Stage();
  const { first, both, serveSecond } = await serveFirst(stage);
  await kill(first);
  const second = await serveSecond();
  const ana = await stage.jsonClient("ana", both);
  assertEquals(ana.registered()?.id, 1);
  await second.program.waitForEvent("joined");
  const doctor = stage.start("doctor", "doctor", ["--server", both.address, "--json"]);
  assertEquals((await doctor.exit).code, ExitStatus.serverTimeout);
  const checked = doctor.events().filter(({ check }) => check === "directory");
  assertEquals(checked.map(({ server, verdict }) => [server, verdict]), [
    [first.address, "failed"],
    [second.address, "ok"],
  ]);
  assert(
    doctor.events().every(({ check, server }) => check === "identity" || server !== undefined),
  );
}

testConcurrently("several directories", [
  {
    name: "kill -9 of one of two directories: its clients are at the other within 10 s",
    fn: killOne,
  },
  {
    name: "a client registers at the directory that is there, and the doctor names the other",
    fn: firstIsDead,
  },
]);
