import { assertEquals } from "@std/assert";
import { choice, flag, integer, offFlag, type OptionTable } from "../../cli/options.ts";
import { parseSettings, type SettingTable } from "../../cli/settings.ts";

const OPTIONS = {
  port: integer({ name: "port", value: "P", min: 1, max: 9, default: 1, help: "" }),
  color: choice({
    name: "color",
    value: "WHEN",
    choices: ["auto", "always"],
    default: "auto",
    help: "",
  }),
  isLoud: flag("loud", ""),
  rings: offFlag("no-bell", ""),
} satisfies OptionTable;

const SETTINGS: SettingTable<typeof OPTIONS> = {
  port: { option: "port" },
  color: { option: "color", variable: "NO_COLOR" },
  loud: { option: "isLoud" },
  bell: { option: "rings" },
};

/** What a file sets, or the error. */
function parsed(text: string, ...variables: string[]): unknown {
  const result = parseSettings(OPTIONS, SETTINGS, text, (name) => variables.includes(name));
  return result.ok ? result.value : result.error;
}

Deno.test("parseSettings() reads a key and a value from each line", () => {
  assertEquals(parsed(""), {});
  assertEquals(parsed("port 7\ncolor   always\n"), { port: 7, color: "always" });
  assertEquals(parsed("  port\t7  \r\n\r\ncolor auto"), { port: 7, color: "auto" });
});

Deno.test("parseSettings() skips comments and empty lines", () => {
  assertEquals(parsed("# port 8\n\n   # what?\nport 7\n#"), { port: 7 });
});

Deno.test("parseSettings() takes on and off for flags, whichever way the option goes", () => {
  assertEquals(parsed("loud on\nbell on"), { isLoud: true, rings: true });
  assertEquals(parsed("loud off\nbell off"), { isLoud: false, rings: false });
  assertEquals(parsed("bell no"), 'line 1: cannot parse bell: expected on or off, got "no"');
  assertEquals(parsed("bell"), 'line 1: cannot parse bell: expected on or off, got ""');
});

Deno.test("parseSettings() reports the line of what is wrong", () => {
  const cases: [string, string][] = [
    ["port 7\n\ncolr auto", 'line 3: unknown key "colr": did you mean "color"?'],
    ["notify on", 'line 1: unknown key "notify"'],
    ["toString 1", 'line 1: unknown key "toString"'],
    ["--port 7", 'line 1: unknown key "--port"'],
    ["# first\nport 10", 'line 2: cannot parse port: expected 1 to 9, got "10"'],
    ["port", "line 1: cannot parse port: expected 1 to 9"],
    ["port 7 8", 'line 1: cannot parse port: expected 1 to 9, got "7 8"'],
    ["port 7\nport 8", "line 2: port is set in line 1, too"],
  ];
  for (const [text, error] of cases) assertEquals(parsed(text), error);
});

Deno.test("parseSettings() leaves to the environment what that decides, and still checks it", () => {
  assertEquals(parsed("color always\nport 2", "NO_COLOR"), { port: 2 });
  assertEquals(
    parsed("color blue", "NO_COLOR"),
    'line 1: cannot parse color: expected auto or always, got "blue"',
  );
});
