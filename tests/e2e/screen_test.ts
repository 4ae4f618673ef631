// What is on the screen of a client: cell by cell where it matters, and after what can go wrong.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertSane, connect, count, enter, type Scene, testScene } from "./scene.ts";
import { Screen, TMUX } from "./tmux.ts";

/** The column of a message's mark, from 0. */
const MARK = 6;
/** Milliseconds until a message is called unconfirmed, and one may well be sent again. */
const LATE = 20_000;

/** The marks of the rows that end with the text. */
function marksOf(rows: readonly string[], text: string): string[] {
  return rows.filter((row) => row.endsWith(`: ${text}`)).map((row) => row[MARK] ?? "");
}

async function waitForMark(screen: Screen, mark: string, text: string): Promise<string[]> {
  return await screen.waitFor((rows) => marksOf(rows, text).join() === mark, LATE);
}

/** Stops Bob, after his client confirmed the connection: before that Ana's sends no text. */
async function stopBob({ screen, bob }: Scene): Promise<void> {
  await bob.type("ready");
  await screen.waitFor(/ ← bob: ready\nbob >$/);
  bob.signal("SIGSTOP");
}

testScene("the mark of a message changes in place: sent, unconfirmed, delivered", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await stopBob(scene);
  await enter(screen, "are you there?");
  await waitForMark(screen, "→", "are you there?");
  await screen.type("and typed on");
  await waitForMark(screen, "!", "are you there?");
  await screen.waitFor(/^bob · 1 unconfirmed > and typed on$/m);
  bob.signal("SIGCONT");
  await waitForMark(screen, "✓", "are you there?");
  const rows = await screen.waitFor(/^bob > and typed on$/m);
  assertEquals(await screen.cursor(), ["bob > and typed on".length, rows.length - 1]);
  assertEquals(count(rows, /Unconfirmed|message delivered/), 0, "the mark says it");
});

/** Sends a message while Bob is stopped, hides it, and continues Bob. */
async function playLost(scene: Scene, hide: () => Promise<void>): Promise<string[]> {
  const { screen, bob } = scene;
  await stopBob(scene);
  await enter(screen, "out of sight");
  await waitForMark(screen, "→", "out of sight");
  await hide();
  bob.signal("SIGCONT");
  const rows = await screen.waitFor(/1 message delivered to bob[^]*\nbob >$/, LATE);
  assertEquals(count(rows, /message delivered/), 1);
  assertEquals(count(rows, /^\S+ ✓/), 0, "nothing is written over");
  return rows;
}

testScene("the delivery of a message that scrolled away is one line", async (scene) => {
  await connect(scene);
  await playLost(scene, async () => {
    await enter(scene.screen, "help");
    await scene.screen.waitFor((rows) => count(rows, /out of sight/) === 0);
  });
}, { rows: 10 });

testScene("after a resize nothing is written over that may have moved", async (scene) => {
  await connect(scene);
  const rows = await playLost(scene, () => scene.screen.resize(40, 10));
  assertEquals(marksOf(rows, "out of sight"), ["→"]);
});

testScene("Ctrl-Z stops it, fg brings it back with the line being typed", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  const half = "half a line of two rows, ".padEnd(100, "and so on, ");
  await screen.type(half);
  await screen.waitFor((rows) => rows.at(-2)?.startsWith("bob > half a line") === true);
  await screen.press("C-z");
  const stopped = await screen.waitFor(/^\$$|Ctrl-Z does not work here/m);
  if (stopped.join("\n").includes("does not work")) {
    // As in Deno 2.4.
    await screen.waitFor((rows) => rows.at(-2)?.startsWith("bob > half a line") === true);
    return;
  }
  await enter(screen, "clear; stty -a | tr -d '\\n'");
  await screen.waitFor(/ icanon [^]* echo /);
  await enter(screen, "clear; fg");
  await screen.waitFor((rows) => rows.at(-2)?.startsWith("bob > half a line") === true);
  await enter(screen, "the end");
  assertEquals((await bob.waitForEvent("message")).text, `${half}the end`);
  const rows = await screen.waitFor(/ ✓ ana: half a line[^]*the end\nbob >$/);
  assertEquals(count(rows, /half a line/), 1);
});

testScene(
  "Ctrl-Z under a task runner, which would not stop, prints a notice",
  async ({ screen }) => {
    await screen.type("li");
    await screen.press("C-z");
    await screen.waitFor(/Ctrl-Z does not work here[^]*\nana · idle > li$/);
  },
  { variables: { INIT_CWD: "/" } },
);

testScene(
  "a paste of several lines is shown, can be dropped, and is one message",
  async (scene) => {
    await connect(scene);
    const { screen, bob } = scene;
    const text = "one\n  日本語 two\n\nfour";
    await screen.paste(text);
    const shown = /Pasted 4 lines, 19 characters: Enter sends, Ctrl-C drops · one$/m;
    await screen.waitFor(shown);
    await screen.waitFor(/^bob > \[paste 1: 4 lines, 19 characters\]$/m);
    await screen.press("C-c");
    await screen.waitFor(/Dropped · Ctrl-Y brings it back\nbob >$/);
    await screen.paste(text);
    await screen.waitFor(/\nbob > \[paste 2: .*\]$/);
    await screen.press("Enter");
    assertEquals((await bob.waitForEvent("message")).text, text);
    const rows = await waitForMark(screen, "✓", "one");
    const at = rows.findIndex((row) => row.endsWith("ana: one"));
    assertEquals(rows.slice(at + 1, at + 4), ["      │   日本語 two", "      │", "      │ four"]);
  },
);

testScene("at 40 × 10: wide characters at the edge, the cursor and the prompt", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type("日".repeat(17));
  const first = `bob > ${"日".repeat(17)}`;
  await screen.waitFor((rows) => rows.at(-1) === first);
  await screen.type("本e\u0301🎉x");
  const rows = await screen.waitFor((rows) =>
    rows.at(-2) === first && /x$/.test(rows.at(-1) ?? "")
  );
  assertEquals(rows.at(-1), "本e\u0301🎉x");
  assertEquals(await screen.cursor(), [2 + 1 + 2 + 1, 9]);
  await bob.type("z".repeat(50));
  await screen.waitFor((rows) =>
    rows.at(-4)?.endsWith("zzz") === true && rows.at(-2) === first && rows.at(-1) === "本e\u0301🎉x"
  );
  await screen.press("Enter");
  assertEquals((await bob.waitForEvent("message")).text, `${"日".repeat(17)}本e\u0301🎉x`);
  const sent = await screen.waitFor(/^\d\d:\d\d ✓ ana: 日[^]*\nbob >$/m);
  assertMatch(sent.join("\n"), /\n {6}│ 日+本e\u0301🎉x\nbob >$/u);
  await enter(screen, "terminate");
  await screen.waitFor(/^ana · idle >$/m);
  await enter(screen, "connect bob");
  await screen.waitFor(/^ringing bob · next in \d+s >$/m);
}, { columns: 40, rows: 10 });

testScene("lines typed in an earlier run come back", async ({ screen, start }) => {
  await enter(screen, "list");
  await screen.waitFor(/2 active clients/);
  await enter(screen, "leave");
  assertEquals((await screen.afterwards()).status, 0);
  await start();
  await screen.press("Up", "Up");
  await screen.waitFor(/\nana · idle > list$/);
  const file = `${screen.folder}/udp-chat/history`;
  assertEquals(Deno.readTextFileSync(file), "list\nleave\n");
  assertEquals((Deno.statSync(file).mode ?? 0) & 0o777, 0o600);
});

testScene("--no-history keeps nothing", async ({ screen }) => {
  await enter(screen, "list");
  await screen.waitFor(/2 active clients/);
  await enter(screen, "leave");
  await screen.afterwards();
  const files = [...Deno.readDirSync(`${screen.folder}/udp-chat`)].map(({ name }) => name);
  assertEquals(files.filter((name) => name.startsWith("history")), []);
}, { options: ["--no-history"] });

/** What was written to the terminal in a short conversation. */
async function recorded(scene: Scene): Promise<string> {
  const { screen, bob } = scene;
  const read = await screen.record();
  await bob.type("connect ana");
  await screen.waitFor(/Connection Request from bob/);
  await enter(screen, "accept");
  await bob.waitForEvent("connected");
  await bob.type("hi");
  await screen.waitFor(/← bob: hi$/m);
  await enter(screen, "hello");
  await bob.waitForEvent("message");
  await enter(screen, "leave");
  await screen.waitFor(/Client Leave acknowledged/);
  const all = await read();
  assertMatch(all, /← .*bob.*: hi/);
  return all;
}

for (
  const [what, setting] of [
    ["--plain", { options: ["--plain"] }],
    ["TERM=dumb", { variables: { TERM: "dumb" } }],
  ] as const
) {
  testScene(`${what}: no redraw, no color, no control code`, async (scene) => {
    // deno-lint-ignore no-control-regex
    assertEquals((await recorded(scene)).match(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/g), null);
    assertEquals(count(await scene.screen.rows(), /hello/), 1, "shown once: as typed");
  }, setting);
}

for (
  const [what, setting, hasColor] of [
    ["NO_COLOR", { variables: { NO_COLOR: "1" } }, false],
    ["--color always", { variables: { NO_COLOR: "1" }, options: ["--color", "always"] }, true],
    ["no option", {}, true],
  ] as const
) {
  testScene(`${what}: ${hasColor ? "a" : "no"} color`, async (scene) => {
    // deno-lint-ignore no-control-regex
    assertEquals(/\x1b\[[1-9][\d;]*m/.test(await recorded(scene)), hasColor);
  }, setting);
}

/** Checks that nothing is marked or reported any more, and that the title is given back. */
function assertReleased(written: string): void {
  for (const [on, off] of [["[?2004h", "[?2004l"], ["[?1004h", "[?1004l"], ["[22;2t", "[23;2t"]]) {
    assert(written.lastIndexOf(`\x1b${off}`) > written.lastIndexOf(`\x1b${on}`), off);
  }
}

for (const signal of ["SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  testScene(`${signal} leaves the terminal as it was`, async ({ screen }) => {
    const read = await screen.record();
    await enter(screen, "fingerprint");
    await screen.waitFor(/Your fingerprint/);
    screen.signal(signal);
    await screen.waitFor(/Client Leave acknowledged/);
    await assertSane(screen, 0);
    assertReleased(await read());
  });
}

testScene(
  "a window that is closed while two talk is a leave: peer and directory are told",
  async (scene) => {
    await connect(scene);
    const { screen, bob, server } = scene;
    await enter(screen, "begun");
    await bob.waitForEvent("message", { text: "begun" });
    await screen.closeWindow();
    await bob.waitForEvent("terminated", { by: "peer" });
    await server.program.stdout.waitFor(/client 2 \(ana\) left/);
  },
);

for (const line of ["throw", "reject"]) {
  Deno.test({
    name: `terminal: a crash (${line}) leaves it as it was${TMUX.note}`,
    ignore: TMUX.ignore,
    async fn() {
      await using screen = await Screen.open();
      const read = await screen.record();
      const file = new URL("crashing_client.ts", import.meta.url).pathname;
      const map = new URL("../../import_map.json", import.meta.url).pathname;
      const args = ["run", "--allow-env", "--no-check", `--import-map=${map}`, file];
      await screen.run({ program: Deno.execPath(), args, isExecutable: false }, []);
      await screen.waitFor(/^about to crash >$/m);
      await enter(screen, line);
      await screen.waitFor(/Nobody (catches|handles) this/);
      await assertSane(screen, 1);
      assertReleased(await read());
    },
  });
}
