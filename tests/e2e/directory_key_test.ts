// The directory's key: kept from start to start, shown, and remembered by the clients.
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { testConcurrently } from "./concurrent.ts";
import { commandLine, type Program, runProgram, Stage, UNIX_SIGNALS } from "./process.ts";

const DIGITS = /\d{5}(?: \d{5}){5}/;
const KNOWN = "known_directories";

/** An address of this machine that is not of its loopback interface: only such a one is pinned. */
const HOST = outwardAddress();
const OUTWARD = HOST === undefined
  ? { ignore: true, note: " (skipped: this machine has no other address than 127.0.0.1)" }
  : { ignore: false, note: "" };

function outwardAddress(): string | undefined {
  try {
    const { stdout } = new Deno.Command("hostname", { args: ["-I"], stderr: "null" }).outputSync();
    return /(?:^| )(?!127\.)(\d+(?:\.\d+){3})(?= |\n|$)/.exec(new TextDecoder().decode(stdout))
      ?.[1];
  } catch {
    return undefined;
  }
}

/** The fingerprint that a directory prints when it starts. */
async function fingerprintOf(server: Program): Promise<string> {
  const line = await server.stdout.waitFor(/^Fingerprint of this directory: /);
  return DIGITS.exec(line)![0];
}

async function stop(server: Program): Promise<void> {
  server.signal(Deno.build.os === "windows" ? "SIGKILL" : "SIGTERM");
  await server.exit;
}

async function leave(client: Program): Promise<void> {
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
}

async function keyIsKept(): Promise<void> {
  await using stage = new Stage();
  const first = await stage.serve();
  const digits = await fingerprintOf(first.program);
  const [line] = first.program.stdout.all;
  assertMatch(line!, /^Listening on /);
  await stop(first.program);
  const folder = stage.folders.config("server");
  assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["directory_identity"]);
  if (Deno.build.os !== "windows") {
    assertEquals(Deno.statSync(folder).mode! & 0o777, 0o700);
    assertEquals(Deno.statSync(`${folder}/directory_identity`).mode! & 0o777, 0o600);
  }
  const again = await stage.serve("--json");
  const { fingerprint } = JSON.parse(again.program.stdout.all[0]!);
  assertEquals(fingerprint, digits);
  const ana = await stage.jsonClient("ana", again);
  assertEquals(ana.registered()?.serverKey, digits);
}

async function otherFiles(): Promise<void> {
  await using stage = new Stage();
  const file = `${stage.folders.get("keys")}/key`;
  const named = await stage.serve("--identity", file);
  const digits = await fingerprintOf(named.program);
  await stop(named.program);
  const again = await stage.serveAs("other", "--identity", file);
  assertEquals(await fingerprintOf(again.program), digits);
  const ephemeral: string[] = [];
  for (const name of ["one", "two"]) {
    const { program } = await stage.serveAs(name, "--ephemeral");
    ephemeral.push(await fingerprintOf(program));
    assertEquals([...Deno.readDirSync(stage.folders.config(name))], [], "keeps no file");
  }
  assertEquals(new Set([digits, ...ephemeral]).size, 3);
  // A client's identity is another one, also in the same folder.
  const env = stage.folders.env("one");
  const { stdout } = await runProgram(commandLine("client"), ["--fingerprint"], env);
  assertNotEquals(DIGITS.exec(stdout)?.[0], digits);
}

async function unusableFile(): Promise<void> {
  await using stage = new Stage();
  const file = `${stage.folders.get("keys")}/key`;
  Deno.writeTextFileSync(file, "udp-chat identity 1\n", { mode: 0o600 });
  const args = ["--port", "0", "--identity", file, "--json"];
  const damaged = await runProgram(commandLine("serve"), args);
  assertEquals(damaged.code, 1);
  assertMatch(damaged.stderr, /^Cannot use the identity .*: it is damaged[^\n]*\n$/);
  assertEquals(JSON.parse(damaged.stdout).code, "identity");
  assertEquals(Deno.readTextFileSync(file), "udp-chat identity 1\n");
  Deno.removeSync(file);
  await stop((await stage.serve("--identity", file)).program);
  Deno.chmodSync(file, 0o644);
  const open = await runProgram(commandLine("serve"), args);
  assertEquals(open.code, 1);
  assertMatch(open.stderr, /others may read it; chmod 600 keeps them out\n$/);
}

/** On the loopback interface only a key that is named is looked at. */
async function namedKey(): Promise<void> {
  await using stage = new Stage();
  const server = await stage.serve();
  const digits = await fingerprintOf(server.program);
  const other = digits.replace(/^./, (digit) => `${(Number(digit) + 1) % 10}`);
  const right = await stage.jsonClient("ana", server, "--server-key", digits);
  await leave(right);
  const hyphens = await stage.jsonClient(
    "ana",
    server,
    "--server-key",
    digits.replaceAll(" ", "-"),
  );
  await leave(hyphens);
  const wrong = stage.client("bob", server, "--json", "--server-key", other);
  const text = stage.client("eve", server, "--server-key", other);
  const doctor = stage.start("doctor", "doctor", [
    "--server",
    server.address,
    "--server-key",
    other,
  ]);
  assertEquals(await Promise.all([wrong.exitCode(), text.exitCode(), doctor.exitCode()]), [
    7,
    7,
    7,
  ]);
  const message = `The directory at ${server.address} has the key ${digits}, ` +
    "not the one of --server-key: somebody may be between you and it";
  const errors = wrong.events().filter(({ event }) => event === "error");
  assertEquals(errors.map(({ code, message }) => [code, message]), [["serverKey", message]]);
  assert(text.stderr.all.some((line) => line.endsWith(message)), text.transcript());
  assertMatch(doctor.stdout.text(), /^ok +directory .*\nfailed +key +the directory has the key /m);
  assert(!server.program.stdout.text().includes("bob"), "it was told nothing");
}

async function loopbackIsNotPinned(): Promise<void> {
  await using stage = new Stage();
  const first = await stage.serve();
  const port = `${first.port}`;
  const ana = await stage.jsonClient("ana", first);
  await leave(ana);
  await stop(first.program);
  const second = await stage.serveAs("other", "--port", port);
  await leave(await stage.jsonClient("ana", second));
  const files = [...Deno.readDirSync(stage.folders.config("ana"))];
  assert(files.every(({ name }) => !name.startsWith("known_directories")));
}

async function firstKeyIsPinned(): Promise<void> {
  await using stage = new Stage();
  const host = ["--host", HOST!];
  const first = await stage.serve(...host);
  const port = ["--port", `${first.port}`];
  const digits = await fingerprintOf(first.program);
  const ana = stage.client("ana", first, "--name", "ana");
  await ana.stdout.waitFor(/Registered at/);
  await ana.stdout.waitFor(new RegExp(`directory's key is new here: ${digits}`));
  await leave(ana);
  const file = `${stage.folders.config("ana")}/${KNOWN}`;
  const line = new RegExp(
    `^# udp-chat known_directories 1\n[0-9a-f]{64} \\S{20} \\S{20} known ${first.address}\n$`,
  );
  assertMatch(Deno.readTextFileSync(file), line);
  if (Deno.build.os !== "windows") assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  const again = stage.client("ana", first);
  await again.stdout.waitFor(/Registered at/);
  await leave(again);
  assert(!again.stdout.text().includes("new here"), "only the first time");
  await stop(first.program);

  // Somebody else in its place, with a key of its own.
  const second = await stage.serveAs("impostor", ...host, ...port);
  const others = await fingerprintOf(second.program);
  const refused = stage.client("ana", second, "--name", "ana", "--json");
  const doctor = stage.start("ana", "doctor", ["--server", second.address]);
  const ephemeral = await stage.jsonClient("eve", second, "--ephemeral");
  assertEquals(ephemeral.registered()?.serverKey, others);
  await leave(ephemeral);
  assertEquals([...Deno.readDirSync(stage.folders.config("eve"))], [], "remembers nothing");
  assertEquals(await Promise.all([refused.exitCode(), doctor.exitCode()]), [7, 7]);
  const { code, message } = refused.events().find(({ event }) => event === "error")!;
  assertEquals(code, "serverKey");
  assertMatch(String(message), new RegExp(`has the key ${others}, but until .* it had ${digits} `));
  assertMatch(String(message), /name it with --server-key$/);
  assert(!second.program.stdout.text().includes("ana"), "it was told no name");

  // The operator says that the key is new.
  const named = await stage.jsonClient("ana", second, "--server-key", others);
  await leave(named);
  await leave(await stage.jsonClient("ana", second));
}

testConcurrently("the directory's key", [
  { name: "it is made at the first start, kept for the user alone, and shown", fn: keyIsKept },
  { name: "--identity and --ephemeral of a directory", fn: otherFiles },
  {
    name: `a directory does not start with a file that is damaged or open${UNIX_SIGNALS.note}`,
    ignore: UNIX_SIGNALS.ignore,
    fn: unusableFile,
  },
  { name: "--server-key right and wrong: exit status 7", fn: namedKey },
  { name: "a directory on the loopback interface is not remembered", fn: loopbackIsNotPinned },
  {
    name: `the first key is remembered, another one refused: exit status 7${OUTWARD.note}`,
    ignore: OUTWARD.ignore,
    fn: firstKeyIsPinned,
  },
]);
