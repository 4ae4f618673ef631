import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { fromHex, toHex } from "../../cli/hex.ts";
import { formatIdentity, parseIdentity } from "../../cli/identity.ts";
import {
  CLIENT_IDENTITY,
  DIRECTORY_IDENTITY,
  inspectIdentity,
  type OpenedIdentity,
  openIdentity,
} from "../../cli/identity_file.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import type { Result } from "../../protocol/result.ts";
import { Prng } from "../support/random.ts";

const IS_WINDOWS = Deno.build.os === "windows";
const UNIX = IS_WINDOWS
  ? { ignore: true, note: " (skipped: Windows has no file modes)" }
  : { ignore: false, note: "" };

/** Alice's keys in RFC 7748, section 6.1. */
const PRIVATE_KEY = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const PUBLIC_KEY = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";

/** The documented example; the checksum was made with `sha256sum`. */
const TEXT = `udp-chat identity 1
# Secret: who has this file can pass for you.
private ${PRIVATE_KEY}
checksum 13f31d661d74720e
`;

/** A folder for one test, and the path of an identity in it. */
class Folder {
  readonly path = Deno.makeTempDirSync({ prefix: "udp-chat-" });
  readonly file = `${this.path}/identity`;

  write(text: string, mode = 0o600): void {
    Deno.writeTextFileSync(this.file, text, { mode });
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

function open(file: string, seed = 1): Result<OpenedIdentity> {
  return openIdentity(
    CLIENT_IDENTITY,
    { identity: file, isEphemeral: false },
    new Prng(seed).bytes,
  );
}

/** The public key of the identity, or the error. */
function outcome(opened: Result<OpenedIdentity>): string {
  return opened.ok ? toHex(opened.value.identity.publicKey) : opened.error;
}

Deno.test("formatIdentity() writes the documented file, parseIdentity() reads it", () => {
  assertEquals(formatIdentity(fromHex(PRIVATE_KEY, 32)!), TEXT);
  const parsed = parseIdentity(TEXT);
  assertEquals(parsed.ok && toHex(parsed.value), PRIVATE_KEY);
});

Deno.test("parseIdentity() rejects a file with any character changed", () => {
  for (let at = 0; at < TEXT.length; at++) {
    for (const character of ["", "0", "1", "f", "\n", "é", TEXT[at]!.toUpperCase()]) {
      const damaged = TEXT.slice(0, at) + character + TEXT.slice(at + 1);
      if (damaged !== TEXT) assert(!parseIdentity(damaged).ok, damaged);
    }
    assert(!parseIdentity(TEXT.slice(0, at)).ok, `cut after ${at} characters`);
  }
  assert(!parseIdentity(TEXT + "\n").ok);
  assert(!parseIdentity(TEXT.replaceAll("\n", "\r\n")).ok);
});

Deno.test("openIdentity() creates a file at the first start, and reads it later", () => {
  using folder = new Folder();
  const first = open(folder.file, 1);
  const again = open(folder.file, 2);
  assert(first.ok);
  assertEquals(outcome(again), outcome(first));
  assertEquals([first.value.file, first.value.notice], [folder.file, undefined]);
  assertEquals(folder.names(), ["identity"], "no other files");
});

Deno.test("openIdentity() uses the key in the file", () => {
  using folder = new Folder();
  folder.write(TEXT);
  assertEquals(outcome(open(folder.file)), PUBLIC_KEY);
});

Deno.test("inspectIdentity() says who can read the file only where the file says so", () => {
  using folder = new Folder();
  open(folder.file);
  const found = (hasModes: boolean): string => {
    const inspected = inspectIdentity(folder.file, hasModes);
    return inspected.ok ? inspected.value : inspected.error;
  };
  assertEquals(found(true), `${folder.file}: sound, and only you can read it`);
  assertEquals(found(false), `${folder.file}: sound`);
});

Deno.test({
  name: `openIdentity() creates a file that only the user can read${UNIX.note}`,
  ignore: UNIX.ignore,
  async fn() {
    using folder = new Folder();
    const { stdout, code } = await runOpener(folder, "1", { HOME: folder.path });
    assertEquals(code, 0, stdout);
    const made = `${folder.path}/${
      Deno.build.os === "darwin" ? "Library/Application Support" : ".config"
    }/udp-chat`;
    assertEquals(Deno.statSync(made).mode! & 0o777, 0o700);
    assertEquals(Deno.statSync(`${made}/identity`).mode! & 0o777, 0o600);
  },
});

Deno.test({
  name: `openIdentity() rejects a file that others can read${UNIX.note}`,
  ignore: UNIX.ignore,
  fn() {
    for (const mode of [0o644, 0o640, 0o604, 0o620, 0o660]) {
      using folder = new Folder();
      folder.write(TEXT);
      Deno.chmodSync(folder.file, mode);
      assertEquals(
        outcome(open(folder.file)),
        `Cannot use the identity ${folder.file}: others may read it; chmod 600 keeps them out`,
      );
      assertEquals(Deno.readTextFileSync(folder.file), TEXT);
    }
  },
});

Deno.test("openIdentity() reports a damaged file in one line, and does not change it", () => {
  const checksum = "it is damaged: the checksum is wrong";
  const damages: [string, string][] = [
    ["", "it is no identity of udp-chat"],
    ["hello\n", "it is no identity of udp-chat"],
    [
      TEXT.replace("identity 1", "identity 2"),
      "it is an identity of version 2; this program reads 1",
    ],
    [TEXT.replace("private 77", "private 78"), checksum],
    [TEXT.slice(0, 90), checksum],
    [TEXT.replace(/checksum.*\n/, ""), checksum],
    ["x".repeat(5000), "It has more than 4 KiB"],
    [TEXT.replace("Secret", "\xff\xfe"), checksum],
  ];
  for (const [text, why] of damages) {
    using folder = new Folder();
    folder.write(text);
    const message = outcome(open(folder.file));
    assert(message.startsWith(`Cannot use the identity ${folder.file}: ${why}`), message);
    assert(!message.includes("\n"));
    assertEquals(Deno.readTextFileSync(folder.file), text);
    assertEquals(folder.names(), ["identity"]);
  }
});

Deno.test("openIdentity() rejects a folder, and a dangling link", () => {
  using folder = new Folder();
  assertMatch(outcome(open(folder.path)), /^Cannot use the identity [^\n]+$/);
  if (IS_WINDOWS) return;
  Deno.symlinkSync(`${folder.path}/gone`, folder.file);
  assertMatch(
    outcome(open(folder.file)),
    /^Cannot use the identity [^\n]+: (No such file|Too many levels)/,
  );
  assertEquals(folder.names(), ["identity"]);
});

Deno.test("openIdentity() cannot create a named file in a missing folder", () => {
  using folder = new Folder();
  const message = outcome(open(`${folder.path}/none/identity`));
  assertMatch(message, /^Cannot make the identity [^\n]+none[^\n]+$/);
});

Deno.test("openIdentity() uses no file for an ephemeral identity", () => {
  const choice = { identity: undefined, isEphemeral: true };
  for (const kind of [CLIENT_IDENTITY, DIRECTORY_IDENTITY]) {
    const one = openIdentity(kind, choice, new Prng(1).bytes);
    assert(one.ok);
    assertEquals([one.value.file, one.value.notice], [undefined, undefined]);
    assertNotEquals(outcome(openIdentity(kind, choice, new Prng(2).bytes)), outcome(one));
  }
});

/** The folder with the packages that this process was started with. */
function denoDir(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** Opens the default identity in a process of its own. */
async function runOpener(
  folder: Folder,
  seed: string,
  env: Record<string, string>,
  permissions = ["--allow-read", "--allow-write", "--allow-env=HOME,XDG_CONFIG_HOME,APPDATA"],
): Promise<{ stdout: string; stderr: string; code: number }> {
  const script = new URL("../support/open_identity.ts", import.meta.url).href;
  const map = `--import-map=${new URL("../../import_map.json", import.meta.url)}`;
  const root = IS_WINDOWS ? Deno.env.get("SystemRoot") : undefined;
  const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--quiet", map, ...permissions, script, seed],
    cwd: folder.path,
    clearEnv: true,
    env: {
      DENO_NO_UPDATE_CHECK: "1",
      DENO_DIR: denoDir(),
      ...root && { SystemRoot: root },
      ...env,
    },
  }).output();
  const decoder = new TextDecoder();
  return { stdout: decoder.decode(stdout), stderr: decoder.decode(stderr), code };
}

Deno.test("openIdentity() of concurrent first starts gives one key", async () => {
  using folder = new Folder();
  const env = { XDG_CONFIG_HOME: folder.path, APPDATA: folder.path };
  const starts = Array.from({ length: 8 }, (_, seed) => runOpener(folder, `${seed}`, env));
  const ended = await Promise.all(starts);
  assertEquals(ended.map(({ code }) => code), ended.map(() => 0), ended[0]?.stderr);
  assertEquals(new Set(ended.map(({ stdout }) => stdout)).size, 1);
  const kept = [...Deno.readDirSync(`${folder.path}/udp-chat`)].map(({ name }) => name);
  assertEquals(kept, ["identity"]);
});

Deno.test("openIdentity() without a configuration folder uses a key for this run, and says so", async () => {
  using folder = new Folder();
  Deno.writeTextFileSync(`${folder.path}/file`, "");
  const notSet = /^(HOME|APPDATA) is not set: using a key for this run only, [^\n]+\n$/;
  const unusable = /^cannot use [^\n]+: using a key for this run only, [^\n]+\n$/;
  const home = { XDG_CONFIG_HOME: `${folder.path}/file`, APPDATA: `${folder.path}\\file` };
  const cases: [Record<string, string>, string[] | undefined, RegExp][] = [
    [{}, undefined, notSet],
    [{ HOME: "" }, undefined, notSet],
    [{ HOME: "relative", XDG_CONFIG_HOME: "relative" }, undefined, notSet],
    [{ HOME: folder.path }, [], notSet],
    [home, undefined, unusable],
  ];
  for (const [env, permissions, notice] of cases) {
    const { stdout, stderr, code } = await runOpener(folder, "1", env, permissions);
    assertEquals(code, 0);
    assertMatch(stderr, notice);
    assertMatch(stdout, /^\d{5}( \d{5}){5}\n$/);
  }
  assertEquals(folder.names(), ["file"]);
});

/** Whether this user cannot read a folder that `close` closes; opens it again. */
function isKeptOut(folder: string, close: () => void): boolean {
  close();
  try {
    Deno.readFileSync(`${folder}/identity`);
    return false;
  } catch {
    return true;
  } finally {
    Deno.chmodSync(folder, 0o700);
  }
}

Deno.test("openIdentity() is an error where a folder cannot be read, and makes no new key", async () => {
  using folder = new Folder();
  const env = { XDG_CONFIG_HOME: folder.path, APPDATA: folder.path };
  assertEquals((await runOpener(folder, "1", env)).code, 0);
  const error =
    /Cannot use the identity [^\n]+; give access to it, or use --identity or --ephemeral/;
  const configured = `${folder.path}/udp-chat`;
  const cases: [() => void, string[] | undefined][] = [[() => {}, ["--allow-env"]]];
  if (!IS_WINDOWS) {
    const loop = (): void => {
      Deno.removeSync(configured, { recursive: true });
      Deno.symlinkSync(configured, configured);
    };
    const close = (): void => Deno.chmodSync(configured, 0);
    // Nobody keeps root out of a folder.
    if (isKeptOut(configured, close)) cases.push([close, undefined]);
    cases.push([loop, undefined]);
  }
  for (const [hide, permissions] of cases) {
    hide();
    const { stdout, stderr, code } = await runOpener(folder, "2", env, permissions);
    assertEquals([stdout, code], ["", 1]);
    assertMatch(stderr, error);
  }
});

Deno.test("fingerprint() of the documented key is that of its public half", () => {
  using folder = new Folder();
  folder.write(TEXT);
  const opened = open(folder.file);
  assert(opened.ok);
  assertEquals(fingerprint(opened.value.identity.publicKey), "59369 74045 32933 52070 88083 49096");
});
