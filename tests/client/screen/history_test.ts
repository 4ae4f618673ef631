import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  formatHistory,
  HISTORY_LINES_MAX,
  isKept,
  parseHistory,
} from "../../../client/screen/history.ts";
import { HistoryFile } from "../../../client/screen/history_file.ts";

/** A folder that is removed at the end of the test. */
class Folder implements Disposable {
  readonly path = Deno.makeTempDirSync({ prefix: "udp-chat-" });
  readonly identity = `${this.path}/identity`;
  readonly history = `${this.path}/history`;

  text(): string {
    return Deno.readTextFileSync(this.history);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function noProblem(message: string): void {
  throw new Error(message);
}

Deno.test("parseHistory() keeps the latest of equal lines, and the last of many", () => {
  assertEquals(parseHistory("a\nb\na\n\n"), ["b", "a"]);
  const many = Array.from({ length: HISTORY_LINES_MAX + 5 }, (_, index) => `${index}`);
  assertEquals(parseHistory(formatHistory(many)), many.slice(5));
});

Deno.test("parseHistory() cleans the lines of controls", () => {
  assertEquals(parseHistory("a\x1b[2Jb\r\n\x9b"), ["a[2Jb "]);
});

Deno.test("isKept() rejects empty, multiline and long lines", () => {
  assertEquals(["", "  ", "a\nb", "x".repeat(1001)].map(isKept), [false, false, false, false]);
  assertEquals(["a", "x".repeat(1000)].map(isKept), [true, true]);
});

Deno.test("HistoryFile keeps lines in a file that only the user can read", async () => {
  using folder = new Folder();
  const first = new HistoryFile(folder.identity, noProblem);
  assertEquals(first.load(), []);
  for (const line of ["connect bob", "日本語", " "]) first.add(line);
  await first.settle();
  if (Deno.build.os !== "windows") {
    assertEquals((Deno.statSync(folder.history).mode ?? 0) & 0o777, 0o600);
  }
  assertEquals(new HistoryFile(folder.identity, noProblem).load(), ["connect bob", "日本語"]);
});

Deno.test("HistoryFile loses no line of two clients while one shortens the file", async () => {
  using folder = new Folder();
  const full = Array.from({ length: 3 * HISTORY_LINES_MAX }, (_, index) => `old ${index}`);
  Deno.writeTextFileSync(folder.history, formatHistory(full), { mode: 0o600 });
  const clients = [0, 1].map(() => new HistoryFile(folder.identity, noProblem));
  for (const client of clients) client.load();
  const lines: string[] = [];
  for (let index = 0; index < 40; index++) {
    for (const [name, client] of clients.entries()) {
      client.add(`client ${name} line ${index}`);
      lines.push(`client ${name} line ${index}`);
    }
    if (index % 10 === 0) await clients[index % 20 === 0 ? 0 : 1]?.settle();
  }
  await Promise.all(clients.map((client) => client.settle()));
  const kept = folder.text().trimEnd().split("\n");
  assertEquals(lines.filter((line) => !kept.includes(line)), []);
  assert(kept.length <= HISTORY_LINES_MAX + lines.length, `${kept.length} lines`);
});

Deno.test({
  name: "HistoryFile makes a readable file private",
  ignore: Deno.build.os === "windows",
  async fn() {
    using folder = new Folder();
    Deno.writeTextFileSync(folder.history, "a\n");
    Deno.chmodSync(folder.history, 0o644);
    const history = new HistoryFile(folder.identity, noProblem);
    assertEquals(history.load(), ["a"]);
    history.add("b");
    await history.settle();
    assertEquals((Deno.statSync(folder.history).mode ?? 0) & 0o777, 0o600);
    assertEquals(folder.text(), "a\nb\n");
  },
});

Deno.test("HistoryFile reports once that it cannot keep lines, and continues", async () => {
  using folder = new Folder();
  Deno.mkdirSync(folder.history);
  const problems: string[] = [];
  const history = new HistoryFile(folder.identity, (message) => problems.push(message));
  assertEquals(history.load(), []);
  history.add("a");
  await history.settle();
  assertEquals(problems.length, 1);
  assertMatch(problems[0] ?? "", /^Cannot read .*history: .*; what you type is not kept$/);
});

Deno.test("HistoryFile without an identity file uses no file", async () => {
  const history = new HistoryFile(undefined, noProblem);
  assertEquals(history.load(), []);
  history.add("a");
  await history.settle();
});
