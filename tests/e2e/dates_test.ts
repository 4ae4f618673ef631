// The clock in front of each line: seconds, and the date where it changes.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { commandLine, Stage } from "./process.ts";
import { connect, enter, SIZES, testScene } from "./scene.ts";
import { Screen, TMUX } from "./tmux.ts";

for (const [columns, rows] of SIZES) {
  testScene(`at ${columns} × ${rows} the clock has seconds with --time seconds`, async (scene) => {
    const { screen, bob } = scene;
    const log = `${screen.folder}/chat.txt`;
    await enter(screen, `log ${log}`);
    await connect(scene);
    await bob.type(JSON.stringify({ command: "send", text: "two\nrows" }));
    const shown = await screen.waitFor(/^\d\d:\d\d:\d\d ← bob: two\n {9}│ rows\nbob >$/m);
    assert(shown.filter((row) => /^\d/.test(row)).every((row) => /^\d\d:\d\d:\d\d /.test(row)));
    await enter(screen, "hello");
    await screen.waitFor(/^\d\d:\d\d:\d\d ✓ ana: hello\nbob >$/m);
    const lines = Deno.readTextFileSync(log);
    assertMatch(lines, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ← bob: two\n {20}│ rows$/m);
    assertMatch(lines, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d → ana: hello$/m);
  }, { columns, rows, options: ["--time", "seconds"] });
}

const { program, args: [run = "", ...args], isExecutable } = commandLine("client");

Deno.test({
  name: `terminal: a line has the date at midnight${TMUX.note}${
    isExecutable ? " (skipped: an executable takes no other clock)" : ""
  }`,
  ignore: TMUX.ignore || isExecutable,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    await using screen = await Screen.open();
    const preload = `--preload=${new URL("late_clock.ts", import.meta.url).pathname}`;
    const client = { program, args: [run, preload, ...args], isExecutable };
    await screen.run(client, ["--server", server.address, "--name", "ana"]);
    await screen.waitFor(/^23:59 \* Registered at/m);
    const rows = await screen.waitFor(/^00:00 \* .*\nana · idle >$/m);
    const { date } = /^00:00 \* (?<date>.*)$/.exec(rows.at(-2) ?? "")?.groups ?? {};
    assertMatch(date ?? "", /^[A-Z][a-z]+day, \d{1,2} [A-Z][a-z]+ \d{4}$/);
    await enter(screen, "list");
    const listed = await screen.waitFor(/1 active client/);
    assertEquals(listed.filter((row) => row.endsWith(date!)).length, 1);
  },
});
