// The bots of the manual, as it shows them.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { type CommandLine, commandLine, Stage } from "./process.ts";

/** The bots, with what they need. */
const BOTS = [
  { file: "echo_bot.sh", programs: ["bash", "jq"], language: "sh" },
  { file: "echo_bot.py", programs: ["python3"], language: "python" },
] as const;
const IS_WINDOWS = Deno.build.os === "windows";
/** What the manual promises. */
const LINES_MAX = 10;

function isMissing(program: string): boolean {
  try {
    return !new Deno.Command(program, { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch {
    return true;
  }
}

function pathOf(file: string): string {
  return new URL(`../../docs/${file}`, import.meta.url).pathname;
}

/** Why a bot cannot run here, undefined where it can. */
function obstacle(programs: readonly string[]): string | undefined {
  if (IS_WINDOWS) return "a script cannot stand for udp-chat";
  const missing = programs.find(isMissing);
  return missing && `no ${missing}`;
}

/** Writes a program `udp-chat` into a folder. */
async function install(folder: string): Promise<void> {
  const { program, args } = commandLine("client");
  const quoted = [program, ...args.slice(0, -1)].map((word) => `'${word}'`).join(" ");
  await Deno.writeTextFile(`${folder}/udp-chat`, `#!/bin/sh\nexec ${quoted} "$@"\n`, {
    mode: 0o755,
  });
}

for (const { file, programs, language } of BOTS) {
  const why = obstacle(programs);
  Deno.test({
    name: `the manual's ${file} sends back what it is sent${why ? ` (skipped: ${why})` : ""}`,
    ignore: why !== undefined,
    async fn() {
      const wrap = (name: string, command: CommandLine): CommandLine =>
        name === "echo"
          ? {
            ...command,
            program: programs[0],
            args: [
              pathOf(`examples/${file}`),
              ...command.args.slice(command.args.indexOf("client") + 1),
            ],
            isExecutable: false,
          }
          : command;
      const folder = await Deno.makeTempDir();
      const env = { PATH: `${folder}:${Deno.env.get("PATH") ?? ""}` };
      await install(folder);
      try {
        await using stage = new Stage({ wrap, env });
        const server = await stage.serve("--json");
        const bot = stage.client("echo", server);
        await server.program.waitForEvent("joined");
        const ana = await stage.jsonClient("ana", server);
        await ana.type("connect echo");
        await ana.waitForEvent("connected");
        for (const text of ["hi", '"zoë" 👋\n\\n', "x".repeat(60_000)]) {
          await ana.type(JSON.stringify({ command: "send", text }));
          assertEquals((await ana.waitForEvent("message")).text, text);
        }
        bot.signal("SIGTERM");
        await server.program.waitForEvent("left");
        await bot.exit;
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });

  Deno.test(`the manual shows ${file} as it is, in at most ${LINES_MAX} lines`, async () => {
    const text = await Deno.readTextFile(pathOf(`examples/${file}`));
    const page = await Deno.readTextFile(pathOf("scripts.md"));
    assertStringIncludes(page, `\`\`\`${language}\n${text}\`\`\``);
    assertEquals(text.trimEnd().split("\n").length <= LINES_MAX, true);
  });
}
