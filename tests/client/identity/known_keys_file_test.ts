import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  type KnownKeysFile,
  openKnownDirectories,
  openKnownPeers,
} from "../../../client/identity/known_keys_file.ts";
import type { KnownDirectories } from "../../../client/identity/known_directories.ts";
import type { KnownPeers } from "../../../client/identity/known_peers.ts";
import { BOB, EVE, keyOf, KNOWN_PEERS, MONDAY, TUESDAY } from "./known_keys.ts";

const IS_WINDOWS = Deno.build.os === "windows";
/** The file of several clients, in its own folder. */
class Stage {
  readonly folder = Deno.makeTempDirSync({ prefix: "udp-chat-" });
  readonly file = `${this.folder}/known_peers`;
  readonly problems: string[] = [];

  open(): KnownKeysFile<KnownPeers> {
    const file = openKnownPeers(
      `${this.folder}/identity`,
      (message) => this.problems.push(message),
    );
    file.load();
    return file;
  }

  openDirectories(): KnownKeysFile<KnownDirectories> {
    const file = openKnownDirectories(
      `${this.folder}/identity`,
      (message) => this.problems.push(message),
    );
    file.load();
    return file;
  }

  read(): string {
    return Deno.readTextFileSync(this.file);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("KnownKeysFile keeps changes in a file that only the user can read", async () => {
  using stage = new Stage();
  const first = stage.open();
  first.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  assertEquals(first.content.isKnown(BOB), true, "at once");
  first.change((peers) => peers.recordConnection(BOB, "bob", TUESDAY));
  first.change((peers) => peers.block(EVE, "eve"));
  await first.settle();
  assertEquals(stage.read(), KNOWN_PEERS);
  if (!IS_WINDOWS) assertEquals(Deno.statSync(stage.file).mode! & 0o777, 0o600);
  assertEquals(stage.open().content.format(), KNOWN_PEERS);
  const names = [...Deno.readDirSync(stage.folder)].map(({ name }) => name).sort();
  assertEquals(names, ["known_peers", "known_peers.lock"]);
  assertEquals(stage.problems, []);
});

Deno.test("KnownKeysFile loses no line of concurrent clients", async () => {
  using stage = new Stage();
  const clients = Array.from({ length: 4 }, () => stage.open());
  for (let round = 0; round < 20; round++) {
    for (const [index, client] of clients.entries()) {
      client.change((peers) => peers.recordConnection(keyOf(100 * index + round + 1), "", MONDAY));
    }
    if (round % 3 === 0) await Promise.race(clients.map((client) => client.settle()));
  }
  await Promise.all(clients.map((client) => client.settle()));
  assertEquals(stage.open().content.list().length, 80);
  assertEquals(stage.problems, []);
});

Deno.test("KnownKeysFile knows at once what another client accepts, blocks and trusts", async () => {
  using stage = new Stage();
  const [one, other] = [stage.open(), stage.open()];
  one.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  await one.settle();
  assertEquals(other.content.recognize(BOB, "bob").known, "same");
  assertEquals(other.content.recognize(keyOf(3), "bob").known, "changed", "another key");
  one.change((peers) => peers.block(EVE, "eve"));
  await one.settle();
  assertEquals(other.content.isBlocked(EVE), true);
  other.change((peers) => peers.unblock(EVE));
  await other.settle();
  assertEquals(one.content.isBlocked(EVE), false);
  one.change((peers) => peers.trust(keyOf(3), ["bob"], TUESDAY));
  await one.settle();
  assertEquals(other.content.recognize(BOB, "bob").known, "changed");
  assertEquals(stage.problems, []);
});

Deno.test("KnownKeysFile reads what was edited by hand, or removed", () => {
  using stage = new Stage();
  const file = stage.open();
  Deno.writeTextFileSync(stage.file, KNOWN_PEERS);
  assertEquals(file.content.format(), KNOWN_PEERS);
  Deno.removeSync(stage.file);
  assertEquals([file.content.list(), stage.problems], [[], []]);
});

Deno.test("KnownKeysFile keeps what is not in the file yet when another client changes it", async () => {
  using stage = new Stage();
  const [one, other] = [stage.open(), stage.open()];
  one.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  other.change((peers) => peers.block(EVE, "eve"));
  await other.settle();
  assertEquals([one.content.isKnown(BOB), one.content.isBlocked(EVE)], [true, true]);
  await one.settle();
  assertEquals([other.content.isKnown(BOB), other.content.isBlocked(EVE)], [true, true]);
});

Deno.test("KnownKeysFile reports invalid lines once, and keeps them", async () => {
  using stage = new Stage();
  const text = KNOWN_PEERS + "what is this\nand this\n";
  Deno.writeTextFileSync(stage.file, text);
  const file = stage.open();
  file.change((peers) => peers.unblock(EVE));
  await file.settle();
  file.change((peers) => peers.recordConnection(keyOf(3), "carol", MONDAY));
  await file.settle();
  assertMatch(stage.read(), /what is this\nand this\n/);
  assertEquals(stage.problems, [
    `Cannot understand 2 lines, the first is 4, of ${stage.file}: kept as it is`,
  ]);
});

Deno.test("KnownKeysFile does not change a file that it cannot use, and works without", async () => {
  const contents: [string | Uint8Array, RegExp][] = [
    [
      KNOWN_PEERS.replace("known_peers 1", "known_peers 2"),
      /it is of version 2; nobody is remembered/,
    ],
    [Uint8Array.of(0x23, 0x0a, 0xff, 0xfe, 0x0a), /nobody is remembered/],
    [new Uint8Array(4 * 1024 * 1024 + 1).fill(0x23), /It has more than 4 MiB; nobody/],
  ];
  for (const [content, problem] of contents) {
    using stage = new Stage();
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    Deno.writeFileSync(stage.file, bytes);
    const file = stage.open();
    file.change((peers) => peers.block(EVE, "eve"));
    await file.settle();
    assertEquals(file.content.isBlocked(EVE), true);
    assertEquals(stage.problems.length, 1);
    assertMatch(stage.problems[0]!, problem);
    assertEquals(Deno.readFileSync(stage.file), bytes);
  }
});

Deno.test({
  name: `KnownKeysFile keeps a linked file in its place${IS_WINDOWS ? " (skipped: links)" : ""}`,
  ignore: IS_WINDOWS,
  async fn() {
    using stage = new Stage();
    Deno.mkdirSync(`${stage.folder}/elsewhere`);
    Deno.writeTextFileSync(`${stage.folder}/elsewhere/peers`, "");
    Deno.symlinkSync(`${stage.folder}/elsewhere/peers`, stage.file);
    const file = stage.open();
    file.change((peers) => peers.block(EVE, "eve"));
    await file.settle();
    assertMatch(Deno.readTextFileSync(`${stage.folder}/elsewhere/peers`), /blocked eve/);
    assertEquals(Deno.lstatSync(stage.file).isSymlink, true);
  },
});

Deno.test("KnownKeysFile keeps changes in memory without a file", async () => {
  const file = openKnownPeers(undefined, (message) => {
    throw new Error(message);
  });
  file.load();
  file.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  await file.settle();
  assertEquals(file.content.isKnown(BOB), true);
});

Deno.test("KnownKeysFile keeps the directories beside the peers, in a file of their own", async () => {
  using stage = new Stage();
  const [peers, directories] = [stage.open(), stage.openDirectories()];
  peers.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  directories.change((directories) => directories.record("chat.example:7070", EVE, MONDAY));
  await Promise.all([peers.settle(), directories.settle()]);
  const file = `${stage.folder}/known_directories`;
  assertEquals(directories.path, file);
  assertEquals(
    Deno.readTextFileSync(file),
    "# udp-chat known_directories 1\n" +
      `${EVE} 2026-01-05T10:00:00Z 2026-01-05T10:00:00Z known chat.example:7070\n`,
  );
  if (!IS_WINDOWS) assertEquals(Deno.statSync(file).mode! & 0o777, 0o600);
  assertEquals(stage.openDirectories().content.get("chat.example:7070")?.key, EVE);
  assert(stage.open().content.isKnown(BOB));
  assertEquals(stage.problems, []);
});

Deno.test("KnownKeysFile loses no directory of concurrent clients", async () => {
  using stage = new Stage();
  const clients = Array.from({ length: 4 }, () => stage.openDirectories());
  for (let round = 0; round < 10; round++) {
    for (const [index, client] of clients.entries()) {
      client.change((directories) => directories.record(`host${index}:${round + 1}`, BOB, MONDAY));
    }
    if (round % 3 === 0) await Promise.race(clients.map((client) => client.settle()));
  }
  await Promise.all(clients.map((client) => client.settle()));
  const { content } = stage.openDirectories();
  assertEquals(content.format().split("\n").length, 1 + 40 + 1);
  assertEquals(stage.problems, []);
});

Deno.test("KnownKeysFile leaves directories of another version alone, and says what that means", async () => {
  using stage = new Stage();
  const file = `${stage.folder}/known_directories`;
  const text = `# udp-chat known_directories 2\nwhatever that is\n`;
  Deno.writeTextFileSync(file, text);
  const directories = stage.openDirectories();
  directories.change((directories) => directories.record("host:1", BOB, MONDAY));
  await directories.settle();
  assertEquals(directories.content.get("host:1")?.key, BOB, "for this run");
  assertEquals(Deno.readTextFileSync(file), text);
  assertEquals(stage.problems, [
    `Cannot read ${file}: it is of version 2; no directory is remembered beyond this run`,
  ]);
});
