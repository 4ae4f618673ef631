import { assert, assertEquals } from "@std/assert";
import {
  openRunFile,
  RUN_LIFE,
  type RunFile,
  type RunStart,
} from "../../../client/identity/run_file.ts";
import type { Run } from "../../../client/view.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const RUN: Run = {
  entry: { token: new Uint8Array(16).fill(1), directoryKey: new Uint8Array(32).fill(2) },
  name: "ana",
  conversations: [{ id: 2, name: "bob", key: new Uint8Array(32).fill(3) }],
};
const START: RunStart = { publicKey: new Uint8Array(32), server: "localhost", id: 0, name: "ana" };

/** A folder with an identity, in which clients start. */
class Home implements Disposable {
  readonly folder = Deno.makeTempDirSync({ prefix: "udp-chat-" });
  readonly problems: string[] = [];
  readonly #timers: ReturnType<typeof setTimeout>[] = [];

  async open(start: Partial<RunStart> = {}, identity = "identity"): Promise<RunFile> {
    const opened = await openRunFile(
      `${this.folder}/${identity}`,
      { ...START, ...start },
      () => new Promise((resolve) => this.#timers.push(setTimeout(resolve, 200))),
      (problem) => this.problems.push(problem),
    );
    assert(opened.ok && opened.value !== undefined);
    return opened.value;
  }

  /** The folder of the files of runs. */
  get runs(): string {
    return `${this.folder}/identity.runs`;
  }

  /** The files of runs. */
  get files(): string[] {
    return [...Deno.readDirSync(this.runs)].map(({ name }) => `${this.runs}/${name}`).toSorted();
  }

  /** Waits until so many files are left, and for a little longer. */
  async waitForFiles(count: number): Promise<void> {
    for (let tries = 0; tries < 100 && this.files.length !== count; tries++) await this.#wait(5);
    await this.#wait(20);
    assertEquals(this.files.length, count);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  [Symbol.dispose](): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
    Deno.removeSync(this.folder, { recursive: true });
  }
}

Deno.test("a run that is started like one that was killed continues it", async () => {
  using home = new Home();
  const first = await home.open();
  assertEquals(first.former, undefined);
  first.save(RUN);
  first.abandon();
  const second = await home.open();
  assertEquals(second.former, RUN);
  second.end(RUN, true);
  assertEquals([home.files, home.problems], [[], []]);
});

Deno.test({
  name: "the file is for the user alone, as is its folder",
  ignore: IS_WINDOWS,
  async fn() {
    using home = new Home();
    const file = await home.open();
    file.save(RUN);
    const modes = [home.files[0]!, home.runs].map((path) => Deno.statSync(path).mode! & 0o777);
    assertEquals(modes, [0o600, 0o700]);
    file.end(RUN, true);
  },
});

Deno.test({
  name: "of runs that are started alike, each has a file of its own",
  // A lock that is waited for may come when all is over.
  sanitizeOps: false,
  async fn() {
    using home = new Home();
    const [first, second] = [await home.open(), await home.open()];
    first.save(RUN);
    second.save({ ...RUN, name: "ana2" });
    assertEquals(home.files.length, 2);
    second.abandon();
    const third = await home.open();
    assertEquals(third.former?.name, "ana2");
    first.abandon();
    const fourth = await home.open();
    assertEquals(fourth.former?.name, "ana");
    for (const each of [third, fourth]) each.end(RUN, true);
    assertEquals(home.files, []);
  },
});

Deno.test("a run that is started in another way continues nothing", async () => {
  using home = new Home();
  const first = await home.open();
  first.save(RUN);
  first.abandon();
  const others: Partial<RunStart>[] = [
    { name: "ben" },
    { id: 5 },
    { server: "chat.example" },
    { publicKey: new Uint8Array(32).fill(9) },
  ];
  for (const start of others) {
    const file = await home.open(start);
    assertEquals(file.former, undefined);
    file.end(undefined, false);
  }
  assertEquals(home.files.length, 1);
});

Deno.test("a shorter record replaces a longer one", async () => {
  using home = new Home();
  const file = await home.open();
  const { conversations: [bob] } = RUN;
  file.save({
    ...RUN,
    conversations: Array.from({ length: 9 }, (_, id) => ({ ...bob!, id: id + 1 })),
  });
  file.save(RUN);
  file.abandon();
  const next = await home.open();
  assertEquals(next.former, RUN);
  next.end(RUN, true);
});

Deno.test("a run whose leave nobody acknowledged leaves its token, and no conversation", async () => {
  using home = new Home();
  const file = await home.open();
  file.save(RUN);
  file.end(RUN, false);
  const next = await home.open();
  assertEquals(next.former, { ...RUN, conversations: [] });
  // It never registered: what is there may still be good.
  next.end(undefined, false);
  const last = await home.open();
  assertEquals(last.former?.entry, RUN.entry);
  last.end(RUN, true);
});

Deno.test("a file that holds something else is used, and continues nothing", async () => {
  using home = new Home();
  const first = await home.open();
  first.save(RUN);
  first.abandon();
  for (const text of ["", "what?", "x".repeat(20_000)]) {
    Deno.writeTextFileSync(home.files[0]!, text);
    const file = await home.open();
    assertEquals([file.former, home.files.length], [undefined, 1]);
    file.save(RUN);
    file.abandon();
  }
  const last = await home.open();
  assertEquals(last.former, RUN);
  last.end(RUN, true);
});

/** Why there is no file of a run. */
async function problem(home: Home): Promise<string> {
  const file = `${home.folder}/identity`;
  const opened = await openRunFile(file, START, () => Promise.resolve(), () => {});
  assert(!opened.ok);
  return opened.error;
}

Deno.test("where no file can be made, openRunFile() says why", async () => {
  using home = new Home();
  Deno.writeTextFileSync(home.runs, "");
  assertEquals((await problem(home)).startsWith(`Cannot use ${home.runs}: `), true);
});

Deno.test({
  name: "a folder that others may write in has no file of a run",
  ignore: IS_WINDOWS,
  async fn() {
    using home = new Home();
    Deno.mkdirSync(home.runs);
    for (const mode of [0o777, 0o770, 0o702]) {
      Deno.chmodSync(home.runs, mode);
      assertEquals(
        await problem(home),
        `Cannot use ${home.runs}: Other users may write in this folder; change its mode to 700`,
      );
    }
    assertEquals(home.files, []);
  },
});

Deno.test({
  name: "a link in the place of the folder is not followed",
  ignore: IS_WINDOWS,
  async fn() {
    using home = new Home();
    Deno.mkdirSync(`${home.folder}/other`);
    Deno.symlinkSync(`${home.folder}/other`, home.runs);
    assertEquals(await problem(home), `Cannot use ${home.runs}: It is a link, not a folder`);
  },
});

Deno.test({
  name: "a link in the place of a file is not followed, and another file is made",
  ignore: IS_WINDOWS,
  async fn() {
    using home = new Home();
    (await home.open()).abandon();
    const [path] = home.files;
    Deno.removeSync(path!);
    const target = `${home.folder}/target`;
    Deno.writeTextFileSync(target, "of the user");
    Deno.symlinkSync(target, path!);
    const file = await home.open();
    file.save(RUN);
    assertEquals([Deno.readTextFileSync(target), home.files.length], ["of the user", 2]);
    file.end(RUN, true);
    assertEquals(home.files, [path]);
  },
});

Deno.test({
  name: "a file that others may read or write is replaced by one for the user alone",
  ignore: IS_WINDOWS,
  async fn() {
    using home = new Home();
    const first = await home.open();
    first.save(RUN);
    first.abandon();
    const [path] = home.files;
    for (const mode of [0o666, 0o640]) {
      Deno.chmodSync(path!, mode);
      using open = Deno.openSync(path!);
      const file = await home.open();
      assertEquals(file.former, undefined);
      file.save(RUN);
      const [before, now] = [open.statSync(), Deno.statSync(path!)];
      assertEquals([now.mode! & 0o777, now.ino === before.ino], [0o600, false]);
      file.abandon();
    }
  },
});

Deno.test("files whose names no run has are neither removed nor taken, however old they are", async () => {
  using home = new Home();
  (await home.open()).abandon();
  const [path] = home.files;
  const [folder, run] = [home.runs, path!.slice(home.runs.length + 1)];
  const names = ["marathon.gpx", "notes-1", `${run}.txt`, `${run.slice(0, -2)}-a-1`, `${run}00`];
  const then = new Date(Date.now() - 2 * RUN_LIFE);
  for (const file of [...names, run].map((name) => `${folder}/${name}`)) {
    Deno.writeTextFileSync(file, "of the user");
    Deno.utimeSync(file, then, then);
  }
  const young = await home.open({ name: "young" });
  await home.waitForFiles(names.length + 1);
  young.end(RUN, true);
  const again = await home.open();
  again.end(RUN, true);
  assertEquals(home.files, names.map((name) => `${folder}/${name}`).toSorted());
  const texts = new Set(home.files.map((file) => Deno.readTextFileSync(file)));
  assertEquals([...texts], ["of the user"]);
});

Deno.test("identities in one folder have folders of their own for their runs", async () => {
  using home = new Home();
  const files = [await home.open({}, "bob.key"), await home.open({}, "eve.key")];
  const names = [...Deno.readDirSync(home.folder)].map(({ name }) => name).toSorted();
  assertEquals(names, ["bob.key.runs", "eve.key.runs"]);
  for (const file of files) file.end(undefined, true);
});

Deno.test({
  name:
    "files of runs that were killed more than a week ago are removed, but not one that is locked",
  // A lock that is waited for may come when all is over.
  sanitizeOps: false,
  async fn() {
    using home = new Home();
    const [killed, running] = [
      await home.open({ name: "killed" }),
      await home.open({ name: "runs" }),
    ];
    for (const each of [killed, running]) each.save(RUN);
    killed.abandon();
    const then = new Date(Date.now() - 2 * RUN_LIFE);
    for (const path of home.files) Deno.utimeSync(path, then, then);
    const young = await home.open({ name: "young" });
    await home.waitForFiles(2);
    for (const each of [young, running]) each.end(RUN, true);
    assertEquals([home.files, home.problems], [[], []]);
  },
});
