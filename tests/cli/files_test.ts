// Files that are none: pipes, devices and folders in the place of a file.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  appendFile,
  ClaimedFile,
  fileProblem,
  readFile,
  SECRET_SOURCES,
  withLock,
} from "../../cli/files.ts";
import { CLIENT_IDENTITY, openIdentity } from "../../cli/identity_file.ts";
import { findSecret, SECRET_FILE_SIZE_MAX } from "../../cli/secret.ts";
import { openKnownDirectories, openKnownPeers } from "../../client/identity/known_keys_file.ts";
import { HistoryFile } from "../../client/screen/history_file.ts";
import { Prng } from "../support/random.ts";

const UNIX = Deno.build.os === "windows"
  ? { ignore: true, note: " (skipped: Windows has no pipes and devices in folders)" }
  : { ignore: false, note: "" };

/** A folder that is removed at the end. */
class Folder {
  readonly path = Deno.makeTempDirSync({ prefix: "udp-chat-" });

  /** Makes a pipe. */
  pipe(name: string): string {
    const path = `${this.path}/${name}`;
    const { success } = new Deno.Command("mkfifo", { args: [path] }).outputSync();
    assertEquals(success, true);
    return path;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

/** What is no regular file, and what is said of it. */
function irregular(folder: Folder): [path: string, problem: RegExp][] {
  const link = `${folder.path}/link`;
  Deno.symlinkSync("/dev/zero", link);
  return [
    [folder.pipe("pipe"), /^It is a pipe, not a regular file$/],
    [folder.path, /^It is a folder, not a regular file$/],
    ["/dev/zero", /^It is a device, not a regular file$/],
    [link, /^It is a device, not a regular file$/],
  ];
}

Deno.test({
  name:
    `readFile(), appendFile() and withLock() refuse what is no regular file, at once${UNIX.note}`,
  ignore: UNIX.ignore,
  async fn() {
    using folder = new Folder();
    for (const [path, problem] of irregular(folder)) {
      assertMatch(assertThrows(() => readFile(path, 100), Error).message, problem);
      assertMatch(assertThrows(() => appendFile(path, "line\n"), Error).message, problem);
      const refused = await withLock(path, () => {}).catch((error: Error) => error.message);
      assertMatch(refused ?? "", problem);
    }
  },
});

Deno.test({
  name:
    `a secret, an identity and what is kept beside it are regular files, or a clear error${UNIX.note}`,
  ignore: UNIX.ignore,
  async fn() {
    using folder = new Folder();
    for (const [path, problem] of irregular(folder)) {
      const why = problem.source.slice(1, -1);
      const secret = findSecret(path, SECRET_SOURCES);
      assertMatch(secret.ok ? "" : secret.error, new RegExp(`^Cannot read the secret .+${why}$`));
      const choice = { identity: path, isEphemeral: false };
      const opened = openIdentity(CLIENT_IDENTITY, choice, new Prng(1).bytes);
      assertMatch(opened.ok ? "" : opened.error, new RegExp(`^Cannot use the identity .+${why}$`));
    }
    for (const name of ["known_peers", "known_directories", "history"]) folder.pipe(name);
    const problems: string[] = [];
    const note = (problem: string): void => void problems.push(problem);
    const identity = `${folder.path}/identity`;
    openKnownPeers(identity, note).load();
    openKnownDirectories(identity, note).load();
    const history = new HistoryFile(identity, note);
    assertEquals(history.load(), []);
    history.add("a line that is not kept");
    await history.settle();
    assertEquals(problems.length, 3);
    for (const problem of problems) assertMatch(problem, /^Cannot read .+ is a pipe, not a .+; /);
  },
});

Deno.test("a file with a secret may have white space, but not without end", () => {
  using folder = new Folder();
  const path = `${folder.path}/secret`;
  const secret = "sixteen is enough";
  Deno.writeTextFileSync(path, secret.padEnd(SECRET_FILE_SIZE_MAX, "\n"));
  const found = findSecret(path, SECRET_SOURCES);
  assertEquals(found.ok && found.value, new TextEncoder().encode(secret));
  Deno.writeTextFileSync(path, secret.padEnd(SECRET_FILE_SIZE_MAX + 1, "\n"));
  const refused = findSecret(path, SECRET_SOURCES);
  assertMatch(refused.ok ? "" : refused.error, /It has more than 16 kiB$/i);
});

Deno.test({
  name: `ClaimedFile.claim() refuses a link, and what is no regular file${UNIX.note}`,
  ignore: UNIX.ignore,
  async fn() {
    using folder = new Folder();
    const [link, target] = [`${folder.path}/link`, `${folder.path}/target`];
    const problem = (path: string) =>
      ClaimedFile.claim(path, new Promise(() => {})).then(() => "none", fileProblem);
    Deno.symlinkSync(target, link);
    assertEquals(await problem(link), "It is a link, not a regular file");
    assertThrows(() => Deno.lstatSync(target), Deno.errors.NotFound);
    Deno.writeTextFileSync(target, "text");
    assertEquals(await problem(link), "It is a link, not a regular file");
    assertEquals(await problem(folder.pipe("pipe")), "It is a pipe, not a regular file");
    assertEquals(await problem(folder.path), "It is a folder, not a regular file");
  },
});

Deno.test({
  name:
    `ClaimedFile.claim() takes no file that a link leads to by the time it is locked${UNIX.note}`,
  ignore: UNIX.ignore,
  async fn() {
    using folder = new Folder();
    const [path, target] = [`${folder.path}/path`, `${folder.path}/target`];
    const claim = ClaimedFile.claim(path, new Promise(() => {}));
    Deno.renameSync(path, target);
    Deno.symlinkSync(target, path);
    assertEquals(await claim, undefined);
  },
});
