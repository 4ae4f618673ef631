import { assert, assertEquals } from "@std/assert";
import {
  openRunFile,
  RUN_LIFE,
  type RunFile,
  type RunStart,
} from "../../../client/identity/run_file.ts";
import type { Run } from "../../../client/view.ts";

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

  async open(start: Partial<RunStart> = {}): Promise<RunFile> {
    const opened = await openRunFile(
      `${this.folder}/identity`,
      { ...START, ...start },
      () => new Promise((resolve) => this.#timers.push(setTimeout(resolve, 200))),
      (problem) => this.problems.push(problem),
    );
    assert(opened.ok && opened.value !== undefined);
    return opened.value;
  }

  /** The files of runs. */
  get files(): string[] {
    return [...Deno.readDirSync(`${this.folder}/running`)]
      .map(({ name }) => `${this.folder}/running/${name}`).toSorted();
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
  ignore: Deno.build.os === "windows",
  async fn() {
    using home = new Home();
    const file = await home.open();
    file.save(RUN);
    const modes = [home.files[0]!, `${home.folder}/running`].map((path) =>
      Deno.statSync(path).mode! & 0o777
    );
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

Deno.test("where no file can be made, openRunFile() says why", async () => {
  using home = new Home();
  Deno.writeTextFileSync(`${home.folder}/running`, "");
  const opened = await openRunFile(
    `${home.folder}/identity`,
    START,
    () => Promise.resolve(),
    () => {},
  );
  assert(!opened.ok && opened.error.startsWith("Cannot use "));
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
