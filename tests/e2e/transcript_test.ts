// Transcripts on a real disk, and on a full one.
import { assertEquals, assertMatch } from "@std/assert";
import { commandLine, connectedPair, parseEvent, runProgram, Stage } from "./process.ts";

const CLIENT = commandLine("client");
// Deno opens no devices without all permissions, which an executable cannot be given.
const HAS_FULL_DISK = Deno.build.os === "linux" && !CLIENT.isExecutable;

Deno.test("--log and log: both sides are kept, appended, for the user alone", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const [text, json] = ["a.txt", "b.jsonl"].map((name) => `${stage.folders.get("logs")}/${name}`);
  const [ana, bob] = await connectedPair(stage, server, { ana: ["--log", text!] });
  const carol = await stage.jsonClient("carol", server, "--accept-all");
  await bob.type(JSON.stringify({ command: "log", file: json }), "list");
  await bob.waitForEvent("list");
  await ana.type("hello bob");
  await bob.waitForEvent("message");
  await bob.type("hello ana");
  await ana.waitForEvent("message");
  await bob.type("log off", "unlogged");
  await ana.waitForEvent("message", { text: "unlogged" });
  await ana.type("connect carol");
  await ana.waitForEvent("connected", { name: "carol" });
  await ana.type("hello carol", "@bob aside");
  await carol.waitForEvent("message", { text: "hello carol" });
  await bob.waitForEvent("message", { text: "aside" });
  await Promise.all([ana.endInput(), bob.endInput()]);
  assertEquals(await Promise.all([ana.exitCode(), bob.exitCode()]), [0, 0]);
  const lines = Deno.readTextFileSync(text!);
  assertMatch(lines, /^\d{4}-\d\d-\d\d \d\d:\d\d \* Registered at /);
  assertMatch(lines, /→ ana: hello bob\n[^]*← bob: hello ana\n[^]*← bob: unlogged\n/);
  assertMatch(lines, /→ ana → carol: hello carol\n[^]*→ ana → bob: aside\n/);
  const events = Deno.readTextFileSync(json!).trimEnd().split("\n").map(parseEvent);
  const texts = events.flatMap(({ event, text }) => text === undefined ? [] : [[event, text]]);
  assertEquals(texts, [["message", "hello bob"], ["own", "hello ana"]]);
  if (Deno.build.os !== "windows") {
    assertEquals(Deno.statSync(text!).mode! & 0o777, 0o600);
    assertEquals(Deno.statSync(json!).mode! & 0o777, 0o600);
  }
});

Deno.test("log: an ephemeral client, which gave up all files, reports how to start with one", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = await stage.jsonClient("ana", server, "--ephemeral");
  await ana.type("log ./a.txt");
  const { code, message } = await ana.waitForEvent("error");
  assertEquals(code, "log");
  assertMatch(
    String(message),
    /keeps no files and gave up access to them; start it with --log FILE$/,
  );
});

Deno.test({
  name: `--log: a full disk is one warning and exit status 1, not a lost chat${
    HAS_FULL_DISK ? "" : " (skipped: /dev/full cannot be opened)"
  }`,
  ignore: !HAS_FULL_DISK,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    const bob = await stage.jsonClient("bob", server, "--accept-all");
    const [run = "", ...args] = CLIENT.args.filter((arg) => !arg.startsWith("--allow-"));
    const client = { ...CLIENT, args: [run, "--allow-all", ...args] };
    const more = ["--connect", "bob", "--send", "hi", "--log", "/dev/full", "--json"];
    const { code, stdout } = await runProgram(client, ["--server", server.address, ...more]);
    assertEquals(code, 1, stdout);
    await bob.waitForEvent("message", { text: "hi" });
    const errors = stdout.trimEnd().split("\n").map(parseEvent).filter(({ event }) =>
      event === "error"
    );
    assertEquals(errors.map(({ code }) => code), ["log"]);
    assertMatch(String(errors[0]?.["message"]), /\/dev\/full: No space left on device/);
  },
});
