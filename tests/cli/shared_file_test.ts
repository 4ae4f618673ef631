import { assertEquals, assertMatch } from "@std/assert";
import { hasFile, readFile, replaceFile } from "../../cli/files.ts";
import { SharedFile } from "../../cli/shared_file.ts";

/** A folder that is removed at the end. */
class Folder {
  readonly path = Deno.makeTempDirSync({ prefix: "udp-chat-" });
  readonly file = `${this.path}/numbers`;

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** A file of numbers that are only ever added, and the problems with it. */
function openNumbers(path: string): { file: SharedFile<number>; problems: string[] } {
  const problems: string[] = [];
  const file = new SharedFile<number>(path, {
    apply(path, numbers) {
      const text = hasFile(path) ? readFile(path, 10_000).text : "";
      replaceFile(path, text + numbers.map((number) => `${number}\n`).join(""));
    },
    onGivenUp: (problem) => problems.push(problem),
  });
  return { file, problems };
}

Deno.test("SharedFile.change() loses no change of several writers", async () => {
  using folder = new Folder();
  const writers = [1, 2, 3].map(() => openNumbers(folder.file));
  for (let number = 0; number < 300; number++) {
    writers[number % 3]!.file.change(number);
    if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  await Promise.all(writers.map(({ file }) => file.settle()));
  const numbers = Deno.readTextFileSync(folder.file).trimEnd().split("\n").map(Number);
  assertEquals(numbers.toSorted((a, b) => a - b), Array.from({ length: 300 }, (_, index) => index));
  for (const { problems } of writers) assertEquals(problems, []);
});

Deno.test("SharedFile.change() applies what is queued together", async () => {
  using folder = new Folder();
  const applied: (readonly number[])[] = [];
  const file = new SharedFile<number>(folder.file, {
    apply: (_, numbers) => applied.push(numbers),
    onGivenUp: () => {},
  });
  for (const number of [1, 2, 3]) file.change(number);
  await file.settle();
  file.change(4);
  await file.settle();
  assertEquals(applied, [[1, 2, 3], [4]]);
});

Deno.test("SharedFile is given up, once, when it cannot be written", async () => {
  using folder = new Folder();
  const { file, problems } = openNumbers(`${folder.path}/none/numbers`);
  for (const number of [1, 2]) {
    file.change(number);
    await file.settle();
  }
  assertEquals(problems.length, 1);
  assertMatch(problems[0]!, /^Cannot write .+none.numbers: [^\n]+$/);
});

Deno.test("SharedFile.read() returns what was read, or gives the file up", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(folder.file, "7\n");
  const { file, problems } = openNumbers(folder.file);
  assertEquals(file.read((path) => readFile(path, 10).text), "7\n");
  assertEquals(file.read((path) => readFile(path, 1).text), undefined);
  assertEquals(problems, [`Cannot read ${folder.file}: It has more than 1 B`]);
  file.change(8);
  await file.settle();
  assertEquals(Deno.readTextFileSync(folder.file), "7\n");
});

Deno.test("SharedFile.giveUp() drops the queued changes", async () => {
  using folder = new Folder();
  const { file, problems } = openNumbers(folder.file);
  file.change(1);
  file.giveUp("No more");
  file.giveUp("No more, again");
  await file.settle();
  assertEquals([problems, hasFile(folder.file)], [["No more"], false]);
});

Deno.test("SharedFile.saveNow() saves what waits for a lock that somebody holds, and saves it once", async () => {
  using folder = new Folder();
  const held = Deno.openSync(`${folder.file}.lock`, { write: true, create: true });
  held.lockSync(true);
  const { file, problems } = openNumbers(folder.file);
  for (const number of [1, 2]) file.change(number);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(hasFile(folder.file), false);
  file.saveNow();
  assertEquals(Deno.readTextFileSync(folder.file), "1\n2\n");
  file.saveNow();
  file.change(3);
  held.close();
  await file.settle();
  assertEquals(Deno.readTextFileSync(folder.file), "1\n2\n3\n");
  assertEquals(problems, []);
});

Deno.test("SharedFile.saveNow() reports what it cannot save", async () => {
  using folder = new Folder();
  const { file, problems } = openNumbers(`${folder.path}/none/numbers`);
  file.change(1);
  file.saveNow();
  await file.settle();
  assertEquals(problems.length, 1);
  assertMatch(problems[0]!, /^Cannot write .+none.numbers: [^\n]+$/);
});
