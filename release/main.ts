/**
 * `deno task release`: makes the archives of a release, `SHA256SUMS`, and what installs it, from the
 * executables in `dist/executables/`.
 *
 * @module
 */
import { completions, type Shell, SHELLS } from "../cli/completions.ts";
import { helpText, optionSection } from "../cli/help.ts";
import { flag, parseOptions, text } from "../cli/options.ts";
import config from "../deno.json" with { type: "json" };
import { COMMANDS, manPages } from "../main.ts";
import type { Entry } from "./archive.ts";
import { makeRelease } from "./release.ts";

const ROOT = new URL("../", import.meta.url);

const OPTIONS = {
  repository: text({
    name: "repository",
    value: "URL",
    expected: "an address as https://github.com/OWNER/NAME",
    default: "",
    help: "the repository whose releases have the files",
  }),
  executables: text({
    name: "executables",
    value: "FOLDER",
    expected: "a folder",
    default: "dist/executables",
    help: "where udp-chat-TARGET of each target is; default dist/executables",
  }),
  output: text({
    name: "output",
    value: "FOLDER",
    expected: "a folder",
    default: "dist/release",
    help: "where the release goes; default dist/release",
  }),
  isTrial: flag("trial", "take what executables there are, with stand-ins, too"),
};

const HELP = {
  usage: "deno task release --repository URL [OPTIONS]",
  blocks: ["Makes the files of a release.", optionSection(OPTIONS)],
};

/** The names of the completions, as the shells look for them. */
const COMPLETION_FILES: Readonly<Record<Shell, string>> = {
  bash: "udp-chat.bash",
  // That of its function, which zsh loads by it.
  zsh: "_udp_chat",
  fish: "udp-chat.fish",
  powershell: "udp-chat.ps1",
};

function document(path: string, content: string): Entry {
  return { path, bytes: new TextEncoder().encode(content), isExecutable: false };
}

/** What goes into each archive beside the executable. */
function documents(): Entry[] {
  const read = (path: string): string => Deno.readTextFileSync(new URL(path, ROOT));
  return [
    ...["LICENSE", "CHANGELOG.md"].map((path) => document(path, read(path))),
    ...[...manPages()].map(([name, page]) => document(`man/${name}.1`, page)),
    ...SHELLS.map((shell) =>
      document(`completions/${COMPLETION_FILES[shell]}`, `${completions(shell, COMMANDS)}\n`)
    ),
  ];
}

/** When the release is made: for the same files at every try, as SOURCE_DATE_EPOCH asks. */
function changed(): Date {
  const seconds = Deno.env.get("SOURCE_DATE_EPOCH");
  return seconds === undefined ? new Date() : new Date(1000 * Number(seconds));
}

function readIfAny(path: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const parsed = parseOptions(OPTIONS, args);
  if (!parsed.ok || parsed.value !== "help" && parsed.value.repository === "") {
    console.error(parsed.ok ? "Cannot go without --repository" : parsed.error);
    return 2;
  }
  if (parsed.value === "help") {
    console.log(helpText(HELP));
    return 0;
  }
  const { repository, executables, output, isTrial } = parsed.value;
  Deno.mkdirSync(output, { recursive: true });
  try {
    await makeRelease({
      version: config.version,
      repository: repository.replace(/\/$/, ""),
      changed: changed(),
      documents: documents(),
      isTrial,
      readExecutable: (name) => readIfAny(`${executables}/${name}`),
      writeFile(name, bytes): void {
        Deno.writeFileSync(`${output}/${name}`, bytes);
        console.log(`${output}/${name}`);
      },
      note: (message) => console.error(message),
    });
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return 1;
  }
}

Deno.exit(await main(Deno.args));
