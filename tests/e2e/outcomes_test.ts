// The outcomes of a client's commands, and its exit status.
import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import { assertContract, summary } from "./contract.ts";
import {
  commandLine,
  connectedPair,
  type Program,
  runProgram,
  Stage,
  UNIX_SIGNALS,
} from "./process.ts";

/** The events of a client that matter here, without its registration. */
function outcome(client: Program): string[] {
  assertContract("client", client.events());
  return summary(client.events()).filter((line) => !line.startsWith("registered"));
}

Deno.test("a rejected request is reported to the requester, and exit status 5", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server);
  const ana = stage.client("ana", server, "--json", "--connect", "bob");
  await bob.waitForEvent("request", { peer: 2 });
  await bob.type("reject 2");
  assertEquals(await ana.exitCode(), 5);
  assertEquals(outcome(ana), [
    "requesting peer=1 attempt=1",
    "ringing peer=1",
    "rejected peer=1",
    "left undelivered=0 acknowledged=true",
  ]);
  // No request is pending any more.
  await bob.endInput();
  assertEquals(await bob.exitCode(), 0);
  assertEquals(outcome(bob), [
    "request peer=2 name=",
    "identity peer=2 name= known=new",
    "reject peer=2 name=",
    "left undelivered=0 acknowledged=true",
  ]);
});

Deno.test("a client has two conversations at a time, by name and by switching", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const [ana, bob] = await connectedPair(stage, server);
  const eve = stage.client("eve", server, "--json", "--name", "eve", "--connect", "2");
  await bob.waitForEvent("request", { peer: 3 });
  await bob.type("accept 3", "for eve", "@1 for ana", "switch 1", "for ana, too");
  await bob.type('{"command":"send","peer":"eve","text":"by name"}');
  for (const text of ["for eve", "by name"]) await eve.waitForEvent("message", { text });
  for (const text of ["for ana", "for ana, too"]) await ana.waitForEvent("message", { text });
  await bob.type("terminate 3", "requests", "still there?");
  await eve.waitForEvent("terminated", { by: "peer" });
  await ana.waitForEvent("message", { text: "still there?" });
  await bob.waitForEvent("requests");
  await bob.endInput();
  assertEquals(await bob.exitCode(), 0);
  assertEquals(outcome(bob).filter((line) => /^(terminated|requests)/.test(line)), [
    "requests pending=[] missed=[]",
    "terminated peer=3 by=local undelivered=0",
    "terminated peer=1 by=local undelivered=0",
  ]);
});

Deno.test("a request to oneself is refused at once, by id and by name", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = stage.client("ana", server, "--json", "--name", "Ana");
  await ana.type("connect 1", "connect ana");
  await ana.endInput();
  assertEquals(await ana.exitCode(), 1);
  assertEquals(ana.events().filter(({ code }) => code === "self").length, 2);
});

Deno.test("several requests wait; accept and reject name one of them", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = await stage.jsonClient("ana", server);
  const bob = await stage.jsonClient("bob", server);
  const eve = await stage.jsonClient("eve", server);
  const dan = await stage.jsonClient("dan", server);
  for (const [index, each] of [bob, eve, dan].entries()) {
    await each.type("connect ana");
    await ana.waitForEvent("request", { peer: index + 2 });
  }
  await ana.type("reject eve", "accept 4");
  await eve.waitForEvent("rejected");
  await dan.waitForEvent("connected");
  await ana.type("reject");
  await bob.waitForEvent("rejected");
  assertEquals((await ana.waitForEvent("connected")).peer, 4);
});

Deno.test({
  name: `Ctrl-C takes the request back, and exit status 130${UNIX_SIGNALS.note}`,
  ignore: UNIX_SIGNALS.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    const bob = stage.client("bob", server, "--name", "bob");
    await bob.stdout.waitFor(/Registered/);
    const ana = stage.client("ana", server, "--json", "--connect", "bob");
    await ana.waitForEvent("ringing");
    await bob.stdout.waitFor(/Connection Request from client 2/);
    // Twice at once is one Ctrl-C: `deno task` passes on what the terminal sends to both.
    ana.signal("SIGINT");
    ana.signal("SIGINT");
    assertEquals(await ana.exitCode(), 130);
    assertEquals(outcome(ana).at(-1), "left undelivered=0 acknowledged=true");
    await bob.stdout.waitFor(/Connection Request from client 2 withdrawn/);
  },
});

Deno.test("--connect --send: 0 if and only if it was delivered", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const ana = stage.client("ana", server, "--json", "--connect", "bob", "--send", "hi");
  assertEquals(await ana.exitCode(), 0);
  assertEquals(outcome(ana).slice(-4), [
    "sent peer=1 seq=0",
    "delivered peer=1 seq=0",
    "terminated peer=1 by=local undelivered=0",
    "left undelivered=0 acknowledged=true",
  ]);
  await bob.waitForEvent("terminated");
  assertEquals(outcome(bob), [
    "connected peer=2 name= path=direct",
    "identity peer=2 name= known=new",
    "message peer=2 name= seq=0 text=hi",
    "terminated peer=2 by=peer undelivered=0",
  ]);
  const absent = stage.client("absent", server, "--json", "--connect", "9", "--send", "hi");
  assertEquals(await absent.exitCode(), 4);
  assertEquals(outcome(absent), ["inactive peer=9", "left undelivered=0 acknowledged=true"]);
});

Deno.test("a text above the limit is an error and is not sent; exit status 6", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const ana = stage.client("ana", server, "--json");
  await ana.type("connect bob");
  await ana.type("é".repeat(TEXT_SIZE_MAX / 2) + "!", "é".repeat(TEXT_SIZE_MAX / 2));
  await ana.endInput();
  assertEquals(await ana.exitCode(), 6);
  assertEquals(ana.events().filter(({ code }) => code === "tooLong").length, 1);
  const { text } = await bob.waitForEvent("message");
  assertEquals(text, "é".repeat(TEXT_SIZE_MAX / 2));
});

Deno.test("input that is not UTF-8 is an error that says what to do; exit status 6", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const ana = stage.client("ana", server);
  await ana.type("connect bob");
  await ana.write(Uint8Array.from([0x4d, 0xfc, 0x0a]));
  await ana.type("after it");
  await ana.endInput();
  assertEquals(await ana.exitCode(), 6);
  await ana.stderr.waitFor(
    /Cannot read a line that is not UTF-8; convert the input, as with iconv/,
  );
  assertEquals((await bob.waitForEvent("message")).text, "after it");
});

Deno.test("wrong usage: a line on stderr, nothing on stdout, exit status 2", async () => {
  const wrong: [side: "serve" | "client", ...args: string[]][] = [
    ["client", "--prot", "1"],
    ["client", "--id", "0"],
    ["client", "--timers", "soon"],
    ["client", "--send", "hi"],
    ["client", "stray"],
    ["client", "--server", "localhost:99999"],
    ["serve", "--port", "65536"],
    ["serve", "--lease", "0"],
    ["serve", "--name", "x"],
  ];
  await Promise.all(wrong.map(async ([side, ...args]) => {
    const { code, stdout, stderr } = await runProgram(commandLine(side), args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertMatch(stderr, /^[A-Z][^\n]+\n(Try udp-chat (client|serve) --help\n)?$/, args.join(" "));
  }));
});

Deno.test("an id that is taken: exit status 1, and the reason", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  await stage.jsonClient("ana", server, "--id", "5");
  const bob = stage.client("bob", server, "--id", "5");
  assertEquals(await bob.exitCode(), 1);
  assertMatch(bob.stderr.text(), /Client id 5 is taken/);
});

Deno.test("a port in use: exit status 1, and one clear line", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const sides = [["serve", "--port"], ["client", "--server", server.address, "--port"]] as const;
  for (const [side, ...args] of sides) {
    const { code, stderr } = await runProgram(commandLine(side), [...args, `${server.port}`]);
    assertEquals(code, 1);
    assertMatch(stderr, new RegExp(`^Cannot [^\\n]*${server.port}[^\\n]*in use[^\\n]*\\n$`));
  }
});

Deno.test({
  name: `a reader that goes away (| head -1) stops neither side's work${UNIX_SIGNALS.note}`,
  ignore: UNIX_SIGNALS.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    const bob = await stage.jsonClient("bob", server, "--accept-all");
    const { program, args } = commandLine("client");
    const env = stage.folders.env("ana");
    const command = [program, ...args, "--server", server.address, "--json"];
    const shell = new Deno.Command("sh", {
      args: [
        "-c",
        'printf "connect bob\\none\\ntwo\\nthree\\n" | "$@" | head -n 1',
        "sh",
        ...command,
      ],
      stderr: "piped",
      env,
    });
    const { stdout, stderr } = await shell.output();
    assertMatch(new TextDecoder().decode(stdout), /^\{"event":"registered",[^\n]+\}\n$/);
    assertEquals(new TextDecoder().decode(stderr), "");
    await bob.waitForEvent("message", { text: "three" });
    await bob.waitForEvent("terminated", { by: "peer" });

    const help = new Deno.Command("sh", {
      args: ["-c", '"$@" --help | head -n 1', "sh", program, ...args],
      stderr: "piped",
      env,
    });
    const shown = await help.output();
    assertMatch(new TextDecoder().decode(shown.stdout), /^[^\n]+\n$/);
    assertEquals(new TextDecoder().decode(shown.stderr), "");
  },
});

Deno.test("the command line: help, version, and what it does not know", async () => {
  const { program, args, isExecutable } = commandLine("client");
  const bare = { program, args: args.slice(0, -1), isExecutable };
  const help = await runProgram(bare, ["--help"]);
  assertEquals([help.code, help.stderr], [0, ""]);
  assertMatch(help.stdout, /udp-chat serve[^]*udp-chat client/);
  const version = await runProgram(bare, ["--version"]);
  assertEquals([version.code, version.stderr], [0, ""]);
  assertMatch(version.stdout, /^udp-chat \S+ \(protocol 1, Deno \d+\.\d+\.\d+\)\n$/);
  assertEquals(version.stdout.split(" ")[1], config.version);
  const nothing = await runProgram(bare, []);
  assertEquals([nothing.code, nothing.stdout, nothing.stderr], [2, "", help.stdout]);
  const unknown = await runProgram(bare, ["server"]);
  assertEquals([unknown.code, unknown.stdout], [2, ""]);
  assertMatch(
    unknown.stderr,
    /^Unknown command "server": did you mean "serve"\?\nTry udp-chat --help\n$/,
  );
  for (const task of ["completions", "man"]) {
    const { code, stdout, stderr } = await runProgram(bare, [task, "cooking"]);
    assertEquals([code, stdout], [2, ""]);
    assertMatch(
      stderr,
      /^Cannot print [^\n]+: expected [a-z, ]+ or [a-z]+, got "cooking"\nTry udp-chat (?:completions|man) --help\n$/,
    );
    const shown = await runProgram(bare, [task, "--help"]);
    assertEquals([shown.code, shown.stderr], [0, ""]);
  }
  for (const [page, title] of [[[], "UDP\\-CHAT"], [["client"], "UDP\\-CHAT\\-CLIENT"]] as const) {
    const { code, stdout } = await runProgram(bare, ["man", ...page]);
    assertEquals([code, stdout.split(" ")[1]], [0, title]);
  }
  for (const side of ["serve", "client"] as const) {
    const { code, stdout, stderr } = await runProgram(commandLine(side), ["--help"]);
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, new RegExp(`Usage: udp-chat ${side}`));
    for (const line of stdout.split("\n")) assert(line.length <= 100, line);
  }
});
