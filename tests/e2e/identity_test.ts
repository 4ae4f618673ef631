// Identities: keys that are kept, warnings, blocks, and the digits that both screens show.
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import {
  commandLine,
  type Program,
  type RunningServer,
  runProgram,
  Stage,
  UNIX_SIGNALS,
} from "./process.ts";

const DIGITS = /\d{5}(?: \d{5}){5}/;

/** A client in a pipe, in text mode, that is registered. */
async function textClient(
  stage: Stage,
  server: RunningServer,
  name: string,
  ...args: string[]
): Promise<Program> {
  const client = stage.client(name, server, "--name", name, ...args);
  await client.stdout.waitFor(/Registered at/);
  return client;
}

async function leave(client: Program): Promise<void> {
  await client.endInput();
  assertEquals(await client.exitCode(), 0);
}

/** The digits in the next line that holds these words. */
async function digits(client: Program, words: string): Promise<string> {
  const line = await client.stdout.waitFor(new RegExp(`${words}.*${DIGITS.source}`));
  return DIGITS.exec(line)![0];
}

/** Has one client connect to another, which accepts. */
async function connect(from: Program, name: string, to: Program): Promise<void> {
  await from.type(`connect ${name}`);
  await to.stdout.waitFor(/Connection Request from/);
  await to.type("accept");
  await Promise.all([from, to].map((client) => client.stdout.waitFor(/Connected to/)));
}

Deno.test("identity: a key stays from run to run, and is known again", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await textClient(stage, server, "bob");
  let ana = await textClient(stage, server, "ana");
  await ana.type("fingerprint");
  const own = await digits(ana, "Your fingerprint: ");
  await connect(ana, "bob", bob);
  assertEquals(await digits(bob, "First contact with ana · key "), own);
  await leave(ana);

  ana = await textClient(stage, server, "ana");
  await connect(ana, "bob", bob);
  assertEquals(await digits(bob, "ana, as before · key "), own);
  await ana.stdout.waitFor(/bob, as before · key/);
  await leave(ana);
});

Deno.test("identity: verify shows the same digits on both screens, different ones each time", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const [ana, bob] = [
    await textClient(stage, server, "ana"),
    await textClient(stage, server, "bob"),
  ];
  const seen: string[] = [];
  for (const [from, name, to] of [[ana, "bob", bob], [bob, "ana", ana]] as const) {
    await connect(from, name, to);
    await Promise.all([ana.type("verify"), bob.type("verify")]);
    const [one, other] = [await digits(ana, "Verify: "), await digits(bob, "Verify: ")];
    assertEquals(one, other);
    seen.push(one);
    await ana.type("terminate");
    await Promise.all([ana, bob].map(({ stdout }) => stdout.waitFor(/ended the conversation/)));
  }
  assertNotEquals(seen[0], seen[1]);
});

Deno.test("identity: another key under a known name is warned of, twice", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--name-hold", "0");
  const bob = await stage.jsonClient("bob", server);
  const ana = await stage.jsonClient("ana", server);
  await ana.type("connect bob");
  await bob.waitForEvent("request");
  const first = await bob.waitForEvent("identity", { name: "ana", known: "new" });
  await bob.type("accept");
  await bob.waitForEvent("connected");
  await bob.waitForEvent("identity", { known: "new", fingerprint: first.fingerprint });
  await leave(ana);

  const mallory = await stage.jsonClient("mallory", server, "--name", "ANA");
  await mallory.type("connect bob");
  await bob.waitForEvent("request");
  const changed = await bob.waitForEvent("identity", { name: "ANA", known: "changed" });
  assertNotEquals(changed.fingerprint, first.fingerprint);
  await bob.type("accept");
  await bob.waitForEvent("connected");
  await bob.waitForEvent("identity", { known: "changed", fingerprint: changed.fingerprint });
  await mallory.waitForEvent("connected");
  const kinds = bob.events().map(({ event }) => event);
  for (const [index, kind] of kinds.entries()) {
    if (kind === "request" || kind === "connected") assertEquals(kinds[index + 1], "identity");
  }
  await leave(mallory);

  const text = await textClient(stage, server, "bob", "--name", "bobby");
  const posing = await textClient(stage, server, "oscar", "--name", "ana");
  await posing.type("connect bobby");
  await text.stdout.waitFor(
    /\* WARNING, ana: NEW key under a known name, last seen (\d+m )?\d+s ago$/,
  );
  await digits(text, "Somebody may be posing as ana · .* key ");
});

Deno.test("identity: a block survives restarts and changes of the name, until unblock", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  let bob = await textClient(stage, server, "bob");
  let eve = await textClient(stage, server, "eve");
  await eve.type("connect bob");
  await bob.stdout.waitFor(/Connection Request from eve/);
  await bob.type("block eve");
  await bob.stdout.waitFor(/Blocked eve/);
  await bob.stdout.waitFor(/Connection Request from eve rejected/);
  await eve.stdout.waitFor(/Connection Reject/);
  await Promise.all([leave(bob), eve.endInput()]);
  assertEquals(await eve.exitCode(), 5);

  bob = await textClient(stage, server, "bob");
  eve = await textClient(stage, server, "eve", "--name", "angel");
  await eve.type("connect bob");
  await eve.stdout.waitFor(/Connection Reject/);
  await bob.type("list", "unblock");
  await bob.stdout.waitFor(/Blocked: 1/);
  await digits(bob, "");
  assert(!bob.stdout.all.some((line) => line.includes("Connection Request")), "nothing rings");
  await bob.type("unblock eve");
  await bob.stdout.waitFor(/Unblocked eve/);
  await eve.type("connect bob");
  await bob.stdout.waitFor(/Connection Request from angel/);
});

Deno.test("identity: what one client accepts or blocks is known in another that runs", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--name-hold", "0");
  const folder = stage.folders.get("shared");
  const args = ["--identity", `${folder}/key`];
  const [one, other] = [
    await textClient(stage, server, "one", ...args),
    await textClient(stage, server, "other", ...args),
  ];
  const ana = await textClient(stage, server, "ana");
  await connect(ana, "one", one);
  await one.stdout.waitFor(/First contact with ana/);
  await leave(ana);
  // Another key under that name: the client that has not met ana warns as well.
  const eve = await textClient(stage, server, "eve", "--name", "ana");
  await eve.type("connect other");
  await other.stdout.waitFor(/Connection Request from ana, NEW KEY/);
  await other.type("block ana");
  await other.stdout.waitFor(/Blocked ana/);
  await eve.stdout.waitFor(/Connection Reject/);
  await eve.type("connect one");
  await eve.stdout.waitFor(/Connection Reject/);
  await one.type("list");
  await one.stdout.waitFor(/active clients/);
  const rung = one.stdout.all.filter((line) => line.includes("Connection Request"));
  assertEquals(rung.length, 1, "only the one that ana made");
});

Deno.test("identity: two clients of one user have one key, and report it", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const folder = stage.folders.get("shared");
  const args = ["--identity", `${folder}/key`];
  const [ana, bob] = [
    await textClient(stage, server, "ana", ...args),
    await textClient(stage, server, "bob", ...args),
  ];
  await connect(ana, "bob", bob);
  await ana.stdout.waitFor(/bob has your own key: it is another client of yours/);
  await ana.type("hello");
  await bob.stdout.waitFor(/ana: hello/);
  await Promise.all([leave(ana), leave(bob)]);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).toSorted();
  assertEquals([names, [...Deno.readDirSync(`${folder}/key.runs`)]], [["key", "key.runs"], []]);
});

Deno.test("identity: --ephemeral has another key each time, and keeps nothing", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await textClient(stage, server, "bob", "--ephemeral");
  const keys: string[] = [];
  for (let run = 0; run < 2; run++) {
    // Another name: another key under the same one would not be talked to.
    const ana = await textClient(stage, server, "ana", "--ephemeral", "--name", `ana${run}`);
    await ana.type("fingerprint");
    keys.push(await digits(ana, "Your fingerprint: "));
    await connect(ana, "bob", bob);
    await leave(ana);
  }
  assertNotEquals(keys[0], keys[1]);
  await leave(bob);
  for (const name of ["ana", "bob"]) {
    assertEquals([...Deno.readDirSync(stage.folders.config(name))], [], name);
  }
});

Deno.test({
  name: `identity: a file that cannot be used is an error, exit status 1${UNIX_SIGNALS.note}`,
  ignore: UNIX_SIGNALS.ignore,
  async fn() {
    await using stage = new Stage();
    const file = `${stage.folders.get("files")}/identity`;
    const args = ["--identity", file, "--json"];
    Deno.writeTextFileSync(file, "udp-chat identity 1\n", { mode: 0o600 });
    const damaged = await runProgram(commandLine("client"), args);
    assertEquals(damaged.code, 1);
    assertMatch(damaged.stderr, /^Cannot use the identity [^\n]+ is damaged[^\n]+\n$/);
    assertMatch(damaged.stdout, /^\{"event":"error",[^\n]+"code":"identity",[^\n]+\}\n$/);
    Deno.chmodSync(file, 0o644);
    const open = await runProgram(commandLine("client"), args);
    assertEquals(open.code, 1);
    assertMatch(open.stderr, /^Cannot use the identity [^\n]+others may read it[^\n]+\n$/);
    assertEquals(Deno.readTextFileSync(file), "udp-chat identity 1\n");
  },
});

Deno.test("identity: --fingerprint shows one's own, and exits", async () => {
  await using stage = new Stage();
  const env = stage.folders.env("ana");
  const shown = await runProgram(commandLine("client"), ["--fingerprint"], env);
  assertEquals([shown.code, shown.stderr], [0, ""]);
  assertMatch(shown.stdout, new RegExp(`^${DIGITS.source}\n$`));
  const again = await runProgram(commandLine("client"), ["--fingerprint"], env);
  assertEquals(again.stdout, shown.stdout);
});

Deno.test("identity: without a home folder it uses a key for the run, and reports it", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  await using bob = await stage.jsonClient("bob", server, "--accept-all");
  const nowhere = { HOME: "", XDG_CONFIG_HOME: "", APPDATA: "", USERPROFILE: "" };
  const args = ["--server", server.address, "--connect", "bob", "--send", "hi"];
  const { code, stderr } = await runProgram(commandLine("client"), args, nowhere);
  assertMatch(stderr, /^(HOME|APPDATA) is not set: using a key for this run only, [^\n]+\n$/);
  assertEquals(code, 0);
  await bob.waitForEvent("message", { text: "hi" });
});
