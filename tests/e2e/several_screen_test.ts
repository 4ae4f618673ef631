// Several conversations in one terminal: requests, the current peer, and the recipient of a line.
import { assertEquals } from "@std/assert";
import { connect, enter, type Scene, SIZES, testScene } from "./scene.ts";
import type { Program } from "./process.ts";
import type { Screen } from "./tmux.ts";

/** The rows from the one that ends with a text on, without the clock in front. */
function rowsFrom(rows: readonly string[], end: string): string[] {
  const first = rows.findLastIndex((row) => row.endsWith(end));
  return rows.slice(first).map((row) => row.replace(/^\d\d:\d\d/, "00:00"));
}

/** Waits until the last rows are those. */
async function waitForEnd(screen: Screen, end: readonly string[]): Promise<string[]> {
  return await screen.waitFor((rows) => rows.slice(-end.length).join("\n") === end.join("\n"));
}

async function play({ stage, server, screen, bob }: Scene, columns: number): Promise<void> {
  const read = await screen.record();
  const carol = await stage.jsonClient("carol", server);
  await bob.type("connect ana");
  await screen.waitFor(/accept bob\s+or\s+reject\s+bob\n(?:ana · )?idle · request from bob >$/);
  await carol.type("connect ana");
  await screen.waitFor(/accept\s+carol\s+or\s+reject\s+carol\n(?:ana · )?idle · 2 requests >$/);
  assertEquals((await read()).split("\x07").length - 1, 2, "the bell rings once for each");

  await enter(screen, "accept 3");
  await screen.waitFor(/^carol · request from bob >$/m);
  await enter(screen, "accept");
  await screen.waitFor(/^bob >$/m);
  await carol.type("psst");
  await screen.waitFor(/← carol: psst\nbob · new from carol >$/);
  await enter(screen, "hello bob");
  await enter(screen, "@carol wait");
  await carol.waitForEvent("message", { text: "wait" });
  await bob.waitForEvent("message", { text: "hello bob" });
  const marked = await screen.waitFor(/ ✓ ana → bob: hello bob\n.* ✓ ana → carol: wait\nbob >$/);
  assertEquals(rowsFrom(marked, "psst"), [
    "00:00 ← carol: psst",
    "00:00 ✓ ana → bob: hello bob",
    "00:00 ✓ ana → carol: wait",
    "bob >",
  ]);

  await enter(screen, "switch 3");
  await screen.waitFor(/You talk with carol\ncarol >$/);
  // The terminal wraps the line being typed, between words or not.
  const text = "for you alone, ".repeat(7) + "please";
  const typed = (prompt: string): string[] =>
    (prompt + text).match(new RegExp(`.{1,${columns}}`, "g"))?.map((row) => row.trimEnd()) ?? [];
  await screen.type(text);
  await waitForEnd(screen, typed("carol > "));
  await carol.type("terminate");
  await waitForEnd(screen, typed("bob > "));
  await screen.press("Enter");
  await screen.waitFor(/Not sent/);
  const held = await waitForEnd(screen, typed("bob > "));
  const ended = columns === 40
    ? [
      "00:00 * carol ended the conversation",
      "00:00 * You talk with bob now",
      "00:00 * Not sent: you talk with bob now",
      "        · Enter sends it to bob",
    ]
    : [
      "00:00 * carol ended the conversation",
      "00:00 * You talk with bob now",
      "00:00 * Not sent: you talk with bob now · Enter sends it to bob",
    ];
  assertEquals(rowsFrom(held, ended[0]!.slice(5)), [...ended, ...typed("bob > ")]);
  assertEquals(await screen.cursor(), [held.at(-1)!.length, held.length - 1]);

  await screen.press("Enter");
  await enter(screen, "all of you");
  for (const line of [text, "all of you"]) {
    assertEquals((await bob.waitForEvent("message")).text, line, "sent once");
  }
  await carol.type("connect ana");
  await screen.waitFor(/^bob · request from carol >$/m);
  await enter(screen, "accept");
  await screen.waitFor(/\ncarol >$/);
  await screen.type("terminate");
  await screen.waitFor(/\ncarol > terminate$/);
  await carol.type("terminate");
  await screen.waitFor(/\nbob > terminate$/);
  await screen.press("Enter");
  await screen.waitFor(
    /Not terminated: you talk with\s+bob now · Enter ends that\nbob > terminate$/,
  );
  await enter(screen, " 1");
  await screen.waitFor(/You ended the conversation\s+with\s+bob\nana · idle >$/);
  await enter(screen, "leave");
  assertEquals((await screen.afterwards()).status, 0);
}

testScene("several conversations", (scene) => play(scene, 80));
testScene("several conversations at 40 × 10", (scene) => play(scene, 40), {
  columns: 40,
  rows: 10,
});

for (const [columns, rows] of SIZES) {
  testScene(
    `at ${columns} × ${rows} every own line names its receiver while two conversations are open`,
    async (scene) => {
      const { screen, stage, server, bob } = scene;
      const log = `${screen.folder}/chat.txt`;
      await enter(screen, `log ${log}`);
      await connect(scene);
      await enter(screen, "only for you");
      await bob.waitForEvent("message");
      const carol = await stage.jsonClient("carol", server);
      await carol.type("connect ana");
      await screen.waitFor(/request from carol >$/);
      await enter(screen, "accept");
      await screen.waitFor(/\ncarol >$/);
      await enter(screen, "hello carol");
      await enter(screen, "@bob hello bob");
      await bob.waitForEvent("message", { text: "hello bob" });
      await screen.waitFor(/ ✓ ana → carol: hello carol\n.* ✓ ana → bob: hello bob\ncarol >$/);
      await carol.type("terminate");
      await screen.waitFor(/\nbob >$/);
      await enter(screen, "alone again");
      await screen.waitFor(/ ✓ ana: alone again\nbob >$/);
      const own = Deno.readTextFileSync(log).split("\n").filter((line) => / → /.test(line));
      assertEquals(own.map((line) => line.slice("2026-01-02 14:02 ".length)), [
        "→ ana: only for you",
        "→ ana → carol: hello carol",
        "→ ana → bob: hello bob",
        "→ ana: alone again",
      ]);
    },
    { columns, rows },
  );
}

testScene(
  "with --plain a line names its receiver while two conversations are open",
  async (scene) => {
    const { screen, stage, server, bob } = scene;
    const carol = await stage.jsonClient("carol", server);
    for (const peer of [bob, carol]) {
      await peer.type("connect ana");
      await screen.waitFor(/ · accept \S+ or reject \S+$/);
      await enter(screen, "accept");
      await peer.waitForEvent("connected");
    }
    await enter(screen, "whose is this?");
    await carol.waitForEvent("message");
    await screen.waitFor(/^whose is this\?\n\d\d:\d\d → ana → carol: whose is this\?$/m);
  },
  { options: ["--plain"] },
);

/** Ana talks with bob, and with carol beside. */
async function playBeside({ screen, stage, server, bob }: Scene): Promise<Program> {
  const carol = await stage.jsonClient("carol", server);
  for (const peer of [carol, bob]) {
    await peer.type("connect ana");
    await screen.waitFor(/ · (?:request from bob|request from carol) >$/);
    await enter(screen, "accept");
    await peer.waitForEvent("connected");
  }
  await screen.waitFor(/\nbob >$/);
  return carol;
}

for (const [columns, rows] of SIZES) {
  testScene(
    `at ${columns} × ${rows} only what scrolled away unseen is unread, and what came is new`,
    async (scene) => {
      const { screen, bob } = scene;
      const carol = await playBeside(scene);
      await carol.type("psst");
      await screen.waitFor(/← carol: psst\nbob · new from carol >$/);
      await enter(screen, "hello bob");
      await screen.waitFor(/ ✓ ana → bob: hello bob\nbob >$/);
      // What was on the screen when a key was pressed may scroll away.
      await bob.type(...Array.from({ length: rows }, (_, index) => `bob's line ${index}`));
      await screen.waitFor(new RegExp(`bob's line ${rows - 1}\nbob >$`));
      const lines = Array.from({ length: rows + 4 }, (_, index) => `line ${index}`);
      await carol.type(...lines);
      // The last row of the screen is the prompt.
      await screen.waitFor(new RegExp(`line ${rows + 3}\nbob · 5 unread from carol >$`));
      await screen.type("x");
      await screen.waitFor(/unread from carol > x$/);
      await screen.press("BSpace");
      await bob.type(...Array.from({ length: rows }, (_, index) => `more ${index}`));
      await screen.waitFor(new RegExp(`more ${rows - 1}\nbob · 5 unread from carol >$`));
      await enter(screen, "switch carol");
      await screen.waitFor(/You talk with carol\ncarol >$/);
    },
    { columns, rows },
  );
}
