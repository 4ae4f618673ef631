// The option table, --help and the completions of each command agree.
import { assert, assertEquals } from "@std/assert";
import { type CommandEntry, completions, type Shell, SHELLS } from "../../cli/completions.ts";
import { type Option, optionRows, type OptionTable, parseOptions } from "../../cli/options.ts";
import { helpText } from "../../cli/help.ts";
import { DOCTOR_HELP, DOCTOR_OPTIONS } from "../../client/doctor/options.ts";
import { CLIENT_HELP } from "../../client/help.ts";
import { OPTIONS as CLIENT_OPTIONS } from "../../client/options.ts";
import { OPTIONS as SERVER_OPTIONS, SERVER_HELP } from "../../server/options.ts";

const COMMANDS: readonly CommandEntry[] = [
  { name: "serve", help: "run a directory", options: SERVER_OPTIONS },
  { name: "client", help: "register, and talk", options: CLIENT_OPTIONS },
  { name: "doctor", help: "ana's doctor: looks", options: DOCTOR_OPTIONS },
  { name: "completions", help: "print this", options: {}, words: SHELLS },
];
const HELPS: Record<string, string> = {
  serve: helpText(SERVER_HELP),
  client: helpText(CLIENT_HELP),
  doctor: helpText(DOCTOR_HELP),
};

/** What starts each shell, with a command that does nothing. */
const STARTS: Record<Shell, [program: string, ...args: string[]]> = {
  bash: ["bash", "-c", ":"],
  zsh: ["zsh", "-c", ":"],
  fish: ["fish", "-c", ":"],
  powershell: ["pwsh", "-NoProfile", "-Command", "exit 0"],
};

const HAS_BASH = hasShell("bash");

function hasShell(shell: Shell): boolean {
  const [program, ...args] = STARTS[shell];
  try {
    return new Deno.Command(program, { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs a script in a file, where its length does not matter; returns what it prints. */
function runPowershell(script: string): string {
  const file = Deno.makeTempFileSync({ suffix: ".ps1" });
  try {
    Deno.writeTextFileSync(file, script);
    const args = ["-NoProfile", "-NonInteractive", "-File", file];
    const { success, stdout, stderr } = new Deno.Command("pwsh", { args }).outputSync();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    return new TextDecoder().decode(stdout);
  } finally {
    Deno.removeSync(file);
  }
}

/** The options in a help text, as `--name VALUE`. */
function optionsIn(help: string): string[] {
  const block = /^Options:\n((?: .*\n)+)/m.exec(help)?.[1] ?? "";
  return [...block.matchAll(/--[a-z-]+(?: \S+)?(?= {2}|\n)/g)].map(([option]) => option);
}

for (const { name, options } of COMMANDS.filter(({ name }) => name in HELPS)) {
  Deno.test(`${name} --help has exactly the options of the table, within 80 columns`, () => {
    const help = HELPS[name]!;
    const rows = optionRows(options);
    const inTable = rows.map(({ name, value }) => `--${name} ${value}`.trimEnd());
    assertEquals(optionsIn(help), inTable);
    for (const { help: text } of rows) assert(help.includes(`  ${text}\n`), text);
    assertEquals(help.split("\n").filter((line) => line.length > 80), []);
  });
}

Deno.test("parseOptions() accepts every option of the tables", () => {
  const values: Record<string, string> = {
    "FILE": "file",
    "FINGERPRINT": "01234 56789 01234 56789 01234 56789",
    "HOST": "localhost",
    "HOST[:PORT],…": "localhost,localhost:7071",
    "HOST:PORT": "localhost:1",
    "ID|NAME": "1",
    "LIST": "loss=0",
    "NAME": "ana",
    "TEXT": "hi",
    "URL": "redis://localhost",
  };
  const args = ({ name, value, choices }: Option): string[] =>
    value === "" ? [`--${name}`] : [`--${name}`, choices?.[0] ?? values[value] ?? "1"];
  for (const { options } of COMMANDS) {
    for (const option of optionRows(options)) {
      const parsed = parseOptions<OptionTable>(options, args(option));
      assert(parsed.ok, JSON.stringify(parsed));
    }
  }
});

for (const shell of SHELLS) {
  Deno.test(`completions ${shell} has every command and option`, () => {
    const script = completions(shell, COMMANDS);
    for (const { name, options } of COMMANDS) {
      assert(script.includes(name));
      for (const { name: option } of optionRows(options)) {
        assert(script.includes(shell === "fish" ? `-l ${option} ` : `--${option}`), option);
      }
    }
  });

  Deno.test({
    name: `completions ${shell}: the shell parses the script${
      hasShell(shell) ? "" : ` (skipped: no ${STARTS[shell][0]})`
    }`,
    ignore: !hasShell(shell),
    fn() {
      const script = completions(shell, COMMANDS);
      if (shell === "powershell") return void runPowershell(script);
      const { success, stderr } = new Deno.Command(shell, { args: ["-n", "-c", script] })
        .outputSync();
      assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
    },
  });
}

Deno.test("completions() escapes quotes and colons in help texts", () => {
  assert(completions("fish", COMMANDS).includes("-d 'ana\\'s doctor: looks'"));
  assert(completions("powershell", COMMANDS).includes("'doctor' = 'ana''s doctor: looks'"));
  assert(completions("zsh", COMMANDS).includes("'doctor:ana'\\''s doctor\\: looks'"));
});

/** What bash offers for a line that ends at the cursor. */
function completed(words: string[], cwd?: string): string[] {
  const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
  const script = [
    completions("bash", COMMANDS),
    `COMP_WORDS=(${words.map(quote).join(" ")})`,
    `COMP_CWORD=${words.length - 1}`,
    "_udp_chat",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  const options = { args: ["--norc", "-c", script], ...cwd !== undefined && { cwd } };
  const { stdout, stderr } = new Deno.Command("bash", options).outputSync();
  assertEquals(new TextDecoder().decode(stderr), "");
  return new TextDecoder().decode(stdout).trimEnd().split("\n");
}

Deno.test({
  name: `completions bash: the words that are offered${HAS_BASH ? "" : " (skipped: no bash)"}`,
  ignore: !HAS_BASH,
  fn() {
    const names = COMMANDS.map(({ name }) => name);
    assertEquals(completed(["udp-chat", ""]), [...names, "-h", "--help", "--version"]);
    assertEquals(completed(["udp-chat", "cl"]), ["client"]);
    assertEquals(completed(["udp-chat", "client", "--time"]), ["--timers", "--timeout", "--time"]);
    assertEquals(completed(["udp-chat", "client", "--timers", ""]), ["adaptive", "fixed"]);
    // Bash splits at "=".
    assertEquals(completed(["udp-chat", "client", "--timers", "="]), ["adaptive", "fixed"]);
    assertEquals(completed(["udp-chat", "client", "--timers", "=", "f"]), ["fixed"]);
    assertEquals(completed(["udp-chat", "client", "--name", ""]), [""]);
    assertEquals(completed(["udp-chat", "completions", ""]), [...SHELLS, "-h", "--help"]);
    for (const { name, options } of COMMANDS) {
      const offered = completed(["udp-chat", name, "--"]);
      assertEquals(offered, optionRows(options).map(({ name }) => `--${name}`));
    }
  },
});

Deno.test({
  name: `completions bash: files, with spaces too${HAS_BASH ? "" : " (skipped: no bash)"}`,
  ignore: !HAS_BASH,
  fn() {
    const folder = Deno.makeTempDirSync();
    try {
      Deno.writeTextFileSync(`${folder}/my secret`, "");
      assertEquals(completed(["udp-chat", "serve", "--secret", "my"], folder), ["my secret"]);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: `completions fish: the words that are offered${
    hasShell("fish") ? "" : " (skipped: no fish)"
  }`,
  ignore: !hasShell("fish"),
  fn() {
    const offered = (line: string): string[] => {
      const script = `${completions("fish", COMMANDS)}\ncomplete -C '${line}'`;
      const folder = Deno.makeTempDirSync();
      try {
        const env = { HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder };
        const { stdout } = new Deno.Command("fish", { args: ["-c", script], env }).outputSync();
        return new TextDecoder().decode(stdout).trimEnd().split("\n").map((row) =>
          row.split("\t")[0]!
        );
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    };
    assertEquals(offered("udp-chat ").toSorted(), COMMANDS.map(({ name }) => name).toSorted());
    assertEquals(offered("udp-chat client --tim"), ["--time", "--timeout", "--timers"]);
    assertEquals(offered("udp-chat client --timers "), ["adaptive", "fixed"]);
    assertEquals(offered("udp-chat completions ").toSorted(), [...SHELLS].toSorted());
    for (const { name, options } of COMMANDS) {
      const names = optionRows(options).map(({ name }) => `--${name}`);
      const words = offered(`udp-chat ${name} --`).filter((word) => word !== "");
      assertEquals(words.toSorted(), names.toSorted());
    }
  },
});

Deno.test({
  name: `completions powershell: the words that are offered${
    hasShell("powershell") ? "" : " (skipped: no pwsh)"
  }`,
  ignore: !hasShell("powershell"),
  fn() {
    const cases: [line: string, words: string[]][] = [
      ["udp-chat cl", ["client"]],
      ["udp-chat client --time", ["--timers", "--timeout", "--time"]],
      ["udp-chat client --timers ", ["adaptive", "fixed"]],
      ["udp-chat client --timers f", ["fixed"]],
      ["udp-chat completions ", [...SHELLS, "--help"]],
      ...COMMANDS.map(({ name, options }): [string, string[]] => [
        `udp-chat ${name} --s`,
        optionRows(options).map(({ name }) => `--${name}`).filter((word) => word.startsWith("--s")),
      ]),
    ];
    const asked = cases.map(([line]) =>
      `((TabExpansion2 '${line}' ${line.length}).CompletionMatches.CompletionText) -join ' '`
    );
    const offered = runPowershell([completions("powershell", COMMANDS), ...asked].join("\n"));
    assertEquals(offered.trimEnd().split(/\r?\n/), cases.map(([, words]) => words.join(" ")));
  },
});
