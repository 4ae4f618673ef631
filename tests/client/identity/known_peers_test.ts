import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  KNOWN_PEERS_MAX,
  KnownPeers,
  type ParsedKnownPeers,
} from "../../../client/identity/known_peers.ts";
import { PeersFile } from "../../../client/identity/peers_file.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const MONDAY = new Date("2026-01-05T10:00:00.123Z");
const TUESDAY = new Date("2026-01-06T11:30:00.456Z");

const BOB = keyOf(1);
const EVE = keyOf(2);
const TEXT = `# udp-chat known_peers 1
${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known bob
${EVE} - - blocked eve
`;

/** A key in hexadecimal. */
function keyOf(number: number): string {
  return number.toString(16).padStart(64, "0");
}

function parse(text: string): ParsedKnownPeers {
  const parsed = KnownPeers.parse(text);
  assert(parsed.ok);
  return parsed.value;
}

Deno.test("KnownPeers writes and parses the documented lines", () => {
  const peers = new KnownPeers();
  peers.recordConnection(BOB, "bob", MONDAY);
  peers.recordConnection(BOB, "bob", TUESDAY);
  peers.block(EVE, "eve");
  assertEquals(peers.format(), TEXT);
  const read = parse(TEXT);
  assertEquals([read.peers.format(), read.badLines], [TEXT, []]);
});

Deno.test("KnownPeers recognizes a known key under the same or another name", () => {
  const { peers } = parse(TEXT);
  assertEquals(peers.recognize(BOB, "bob"), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(BOB, "BOB"), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(BOB, "robert"), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(BOB, ""), { known: "same", formerName: "bob" });
  assertEquals(peers.recognize(keyOf(3), "carol"), { known: "new" });
  assertEquals(peers.recognize(keyOf(3), ""), { known: "new" });
});

Deno.test("KnownPeers reports a new key under a known name", () => {
  const { peers } = parse(TEXT);
  const changed = { known: "changed" as const, lastSeen: "2026-01-06T11:30:00Z" };
  assertEquals(peers.recognize(keyOf(3), "bob"), changed);
  assertEquals(peers.recognize(keyOf(3), "ＢＯＢ"), changed, "the same name");
  peers.recordConnection(keyOf(4), "dave", MONDAY);
  assertEquals(peers.recognize(keyOf(4), "bob"), changed, "a known key with the name of another");
  peers.recordConnection(keyOf(4), "bob", MONDAY);
  assertEquals(peers.recognize(keyOf(4), "bob").known, "same", "the connection was accepted");
  assertEquals(peers.recognize(BOB, "bob").known, "same", "the first key stays known");
});

Deno.test("KnownPeers does not reserve the name of a key that was only blocked", () => {
  const { peers } = parse(TEXT);
  assertEquals(peers.recognize(keyOf(3), "eve"), { known: "new" });
  assertEquals(peers.recognize(EVE, "eve"), { known: "new" });
});

Deno.test("KnownPeers keeps keys blocked until they are unblocked, known or not", () => {
  const { peers } = parse(TEXT);
  assertEquals([peers.isBlocked(BOB), peers.isBlocked(EVE)], [false, true]);
  peers.block(BOB, "");
  peers.recordConnection(BOB, "bob", TUESDAY);
  assertEquals(peers.isBlocked(BOB), true);
  const { peers: again } = parse(peers.format());
  assertEquals([again.isBlocked(BOB), again.isBlocked(EVE)], [true, true]);
  for (const key of [BOB, EVE, keyOf(9)]) again.unblock(key);
  assertEquals(again.list().map(({ key, isBlocked }) => [key, isBlocked]), [[BOB, false]]);
});

Deno.test("KnownPeers keeps comments and lines that it cannot parse", () => {
  const bad = [
    "# my friends",
    `${BOB} 2026-01-05 2026-01-06 known bob`,
    `${BOB.slice(1)} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known bob`,
    `${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z trusted bob`,
    `${BOB} 2026-13-05T10:00:00Z 2026-01-06T11:30:00Z known bob`,
    `${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known bob smith`,
    `${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known 12`,
    `${BOB} - - known bob`,
    "<<<<<<< theirs",
  ];
  const text = ["# udp-chat known_peers 1", ...bad, `${EVE} - - blocked`, ""].join("\n");
  const { peers, badLines } = parse(text);
  assertEquals(badLines, [3, 4, 5, 6, 7, 8, 9, 10]);
  assertEquals(peers.list().map(({ key }) => key), [EVE]);
  assertEquals(peers.format(), text);
});

Deno.test("KnownPeers parses files without title, with CRLF, and without the last line end", () => {
  const lines = TEXT.split("\n").slice(1, 3);
  for (const text of [lines.join("\n"), lines.join("\r\n"), `\n\n${lines.join("\n\n")}`]) {
    const { peers, badLines } = parse(text);
    assertEquals([peers.format(), badLines], [TEXT, []]);
  }
});

Deno.test("KnownPeers merges two lines for one key, and blocks it if either does", () => {
  const first = `${BOB} 2026-01-05T10:00:00Z 2026-01-05T10:00:00Z blocked bobby\n`;
  const { peers } = parse(first + TEXT);
  const [, bob] = peers.list().map(({ name, isBlocked }) => ({ name, isBlocked })).reverse();
  assertEquals(bob, { name: "bob", isBlocked: true });
});

Deno.test("KnownPeers rejects a file of another version", () => {
  const text = TEXT.replace("known_peers 1", "known_peers 2");
  assertEquals(KnownPeers.parse(text), { ok: false, error: "it is of version 2" });
});

Deno.test("KnownPeers writes no invalid name", () => {
  for (const name of ["a b", "x\ny", "\u2028", "\x1b[2J", "12", "x".repeat(33), "\u202e"]) {
    const peers = new KnownPeers();
    peers.recordConnection(BOB, name, MONDAY);
    assertMatch(peers.format(), /^# [^\n]+\n0{63}1 \S{20} \S{20} known\n$/);
  }
});

Deno.test("KnownPeers forgets the least recently connected key, and blocked keys last", () => {
  const peers = new KnownPeers();
  peers.block(EVE, "eve");
  const minute = (count: number): Date => new Date(MONDAY.getTime() + count * 60_000);
  for (let number = 10; number < 10 + KNOWN_PEERS_MAX; number++) {
    peers.recordConnection(keyOf(number), "", minute(number));
  }
  assertEquals(peers.list().length, KNOWN_PEERS_MAX);
  assertEquals([peers.isKnown(keyOf(10)), peers.isKnown(keyOf(11))], [false, true]);
  peers.recordConnection(keyOf(11), "", minute(KNOWN_PEERS_MAX + 20));
  peers.recordConnection(keyOf(5), "", minute(KNOWN_PEERS_MAX + 21));
  assertEquals([peers.isKnown(keyOf(11)), peers.isKnown(keyOf(12))], [true, false]);
  assertEquals(peers.isBlocked(EVE), true);
  assertEquals(peers.list().length, KNOWN_PEERS_MAX);
});

/** The file of several clients, in its own folder. */
class Stage {
  readonly folder = Deno.makeTempDirSync({ prefix: "udp-chat-" });
  readonly file = `${this.folder}/known_peers`;
  readonly problems: string[] = [];

  open(): PeersFile {
    const file = new PeersFile(`${this.folder}/identity`, (message) => this.problems.push(message));
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

Deno.test("PeersFile keeps changes in a file that only the user can read", async () => {
  using stage = new Stage();
  const first = stage.open();
  first.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  assertEquals(first.peers.isKnown(BOB), true, "at once");
  first.change((peers) => peers.recordConnection(BOB, "bob", TUESDAY));
  first.change((peers) => peers.block(EVE, "eve"));
  await first.settle();
  assertEquals(stage.read(), TEXT);
  if (!IS_WINDOWS) assertEquals(Deno.statSync(stage.file).mode! & 0o777, 0o600);
  assertEquals(stage.open().peers.format(), TEXT);
  const names = [...Deno.readDirSync(stage.folder)].map(({ name }) => name).sort();
  assertEquals(names, ["known_peers", "known_peers.lock"]);
  assertEquals(stage.problems, []);
});

Deno.test("PeersFile loses no line of concurrent clients", async () => {
  using stage = new Stage();
  const clients = Array.from({ length: 4 }, () => stage.open());
  for (let round = 0; round < 20; round++) {
    for (const [index, client] of clients.entries()) {
      client.change((peers) => peers.recordConnection(keyOf(100 * index + round + 1), "", MONDAY));
    }
    if (round % 3 === 0) await Promise.race(clients.map((client) => client.settle()));
  }
  await Promise.all(clients.map((client) => client.settle()));
  assertEquals(stage.open().peers.list().length, 80);
  assertEquals(stage.problems, []);
});

Deno.test("PeersFile reads the lines of another client when it writes", async () => {
  using stage = new Stage();
  const [one, other] = [stage.open(), stage.open()];
  one.change((peers) => peers.block(EVE, "eve"));
  await one.settle();
  other.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  await other.settle();
  assertEquals(other.peers.isBlocked(EVE), true);
});

Deno.test("PeersFile reports invalid lines once, and keeps them", async () => {
  using stage = new Stage();
  const text = TEXT + "what is this\nand this\n";
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

Deno.test("PeersFile does not change a file that it cannot use, and works without", async () => {
  const contents: [string | Uint8Array, RegExp][] = [
    [TEXT.replace("known_peers 1", "known_peers 2"), /it is of version 2; nobody is remembered/],
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
    assertEquals(file.peers.isBlocked(EVE), true);
    assertEquals(stage.problems.length, 1);
    assertMatch(stage.problems[0]!, problem);
    assertEquals(Deno.readFileSync(stage.file), bytes);
  }
});

Deno.test({
  name: `PeersFile keeps a linked file in its place${IS_WINDOWS ? " (skipped: links)" : ""}`,
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

Deno.test("PeersFile keeps changes in memory without a file", async () => {
  const file = new PeersFile(undefined, (message) => {
    throw new Error(message);
  });
  file.load();
  file.change((peers) => peers.recordConnection(BOB, "bob", MONDAY));
  await file.settle();
  assertEquals(file.peers.isKnown(BOB), true);
});
