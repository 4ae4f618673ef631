// The manual pages: what they say, and that the two programs that show them take them.
import { assert, assertEquals } from "@std/assert";
import { type Help, section } from "../../cli/help.ts";
import { manPage } from "../../cli/man.ts";
import { optionRows, type OptionTable } from "../../cli/options.ts";
import { DOCTOR_HELP, DOCTOR_OPTIONS } from "../../client/doctor/options.ts";
import { CLIENT_HELP } from "../../client/help.ts";
import { OPTIONS as CLIENT_OPTIONS } from "../../client/options.ts";
import { OPTIONS as SERVER_OPTIONS, SERVER_HELP } from "../../server/options.ts";

const COMMANDS: readonly [name: string, help: Help, options: OptionTable][] = [
  ["serve", SERVER_HELP, SERVER_OPTIONS],
  ["client", CLIENT_HELP, CLIENT_OPTIONS],
  ["doctor", DOCTOR_HELP, DOCTOR_OPTIONS],
];

function page(name: string, help: Help): string {
  const summary = "somebody's summary";
  return manPage({ name: `udp-chat-${name}`, summary, help, version: "1.2.3", seeAlso: ["ls"] });
}

/** What a program says of a page: with its exit status, and the file taken out. */
function complaints(program: string, args: readonly string[], text: string): string[] {
  const file = Deno.makeTempFileSync({ suffix: ".1" });
  try {
    Deno.writeTextFileSync(file, text);
    const { stdout, stderr } = new Deno.Command(program, { args: [...args, file] }).outputSync();
    const decoder = new TextDecoder();
    return (decoder.decode(stdout) + decoder.decode(stderr)).replaceAll(file, "FILE").split("\n")
      .filter((line) => line !== "");
  } finally {
    Deno.removeSync(file);
  }
}

function has(program: string): boolean {
  try {
    // Without a page, both take the end of the input for the end of one.
    return new Deno.Command(program, { args: ["-man"], stdin: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

for (const [name, help, options] of COMMANDS) {
  Deno.test(`the page of ${name} has what its help has`, () => {
    const text = page(name, help);
    for (const { name, help } of optionRows(options)) {
      const dashed = `--${name}`.replaceAll("-", "\\-");
      assert(new RegExp(`^\\\\fB.*${RegExp.escape(dashed)}[ \\\\]`, "m").test(text), name);
      const ascii = help.split("…")[0]!.replaceAll("-", "\\-").replaceAll("'", "\\(aq");
      assert(text.includes(ascii), help);
    }
    for (const block of help.blocks) {
      if (typeof block !== "string") assert(text.includes(`.SH "${block.title.toUpperCase()}"`));
    }
    assert(text.startsWith(`.TH UDP\\-CHAT\\-${name.toUpperCase()} 1 "" "udp\\-chat 1.2.3" `));
  });
}

const HARD: Help = {
  usage: "udp-chat hard [OPTIONS]",
  blocks: [
    "C:\\temp\n.SH Not a section\n'br not one\nyou`re ✓ ~ ^",
    section("It's", [[".a", ".b"]]),
  ],
};

Deno.test("manPage() writes what roff would take for its own", () => {
  const lines = page("hard", HARD).split("\n");
  const from = lines.indexOf(".SH DESCRIPTION");
  assertEquals(lines.slice(from + 1, from + 9), [
    "C:\\etemp",
    "\\&.SH Not a section",
    "\\(aqbr not one",
    "you\\(gare \\[u2713] \\(ti \\(ha",
    '.SH "IT\\(aqS"',
    ".TP",
    "\\fB.a\\fR",
    "\\&.b",
  ]);
  assert(lines.includes("\\fBudp\\-chat\\fR \\fBhard\\fR [\\fIOPTIONS\\fR]"));
});

const PAGES = [...COMMANDS.map(([name, help]) => page(name, help)), page("hard", HARD)];

Deno.test({
  name: `mandoc takes the pages${has("mandoc") ? "" : " (skipped: no mandoc)"}`,
  ignore: !has("mandoc"),
  fn() {
    for (const text of PAGES) {
      const lines = complaints("mandoc", ["-T", "lint", "-W", "warning"], text);
      // The pages depend on nothing but the program, so they have no date.
      assertEquals(lines.filter((line) => !line.includes('missing date, using "": TH')), []);
    }
  },
});

Deno.test({
  name: `groff takes the pages${has("groff") ? "" : " (skipped: no groff)"}`,
  ignore: !has("groff"),
  fn() {
    for (const text of PAGES) {
      assertEquals(complaints("groff", ["-man", "-Tutf8", "-ww", "-z"], text), []);
    }
  },
});
