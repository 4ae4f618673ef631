// Text of a peer that tries to look like lines of the program, in real terminals.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, enter, type Scene, SIZES, testScene } from "./scene.ts";

const FORGED = "16:25 * ana, as before";
/** What tmux draws, and what puts the forged line at the left edge of 80 columns if it is not counted. */
const TEXTS = [
  "\u0600".repeat(65) + FORGED,
  "\u4dc0".repeat(34) + FORGED,
  `${" ".repeat(66)}${FORGED}`,
  `${"x".repeat(66)}${FORGED}`,
  `${"\u{110bd}".repeat(65)}${FORGED}`,
  `a\n${FORGED}\u2028${FORGED}\r${FORGED}`,
  `${"ᄀ"}${"ᅡ".repeat(64)}${FORGED}`,
  `${"👩\u200d".repeat(20)}${FORGED}`,
  // What the terminal breaks by itself.
  `${"x".repeat(67)}16:25*ana,as-before:key`,
  `https://example.org/${"16:25*_ana,_as_before/".repeat(9)} ${FORGED}`,
];

/**
 * Bob sends the texts and then a word; every row between has a mark, or the terminal broke it off a
 * run: then it has no space, and is underlined where the screen has codes.
 */
async function assertRowsMarked({ screen, bob }: Scene, hasCodes: boolean): Promise<void> {
  for (const [index, text] of TEXTS.entries()) {
    await bob.type(JSON.stringify({ command: "send", text }), `end${index}`);
    const rows = await screen.waitFor((rows) => rows.some((row) => row.endsWith(`end${index}`)));
    const last = rows.findIndex((row) => row.endsWith(`end${index}`));
    const first = rows.findLastIndex((row, at) => at < last && / ← bob:/.test(row));
    assert(first >= 0, rows.join("\n"));
    const underlined = await screen.underlined();
    for (const [at, row] of rows.entries()) {
      if (at <= first || at >= last || /^ {6}│/.test(row)) continue;
      assertMatch(row, /^[!-~]+$/, rows.join("\n"));
      assertEquals(underlined[at], hasCodes, rows.join("\n"));
    }
  }
}

testScene("no text of a peer stands at the left edge", async (scene) => {
  await connect(scene);
  await assertRowsMarked(scene, true);
}, { rows: 40 });

for (const columns of [80, 60]) {
  testScene(
    `no text of a peer stands at the left edge of ${columns} columns with --plain`,
    async (scene) => {
      const { screen, bob } = scene;
      await bob.type("connect ana");
      await screen.waitFor(/Connection Request from bob/);
      await enter(screen, "accept");
      await bob.waitForEvent("connected");
      await assertRowsMarked(scene, false);
    },
    { columns, rows: 40, options: ["--plain"] },
  );
}

for (const [columns, rows] of SIZES) {
  testScene(`at ${columns} × ${rows} a long address of a page stays whole`, async (scene) => {
    await connect(scene);
    const { screen, bob } = scene;
    const url = `https://example.org/${"path/".repeat(20)}page?a=1&b=2#end`;
    const log = `${screen.folder}/chat.txt`;
    await enter(screen, `log ${log}`);
    const read = await screen.record();
    await bob.type(`look at ${url} and tell me`);
    await screen.waitFor(/│ and tell me\nbob >$/);
    await enter(screen, url);
    await screen.waitFor(/ ✓ ana: https:[^]*#end\nbob >$/);
    const joined = await screen.joinedRows();
    assert(joined.includes(`      │ ${url}`), joined.join("\n"));
    assert(joined.some((row) => row.endsWith(` ✓ ana: ${url}`)), joined.join("\n"));
    assert((await read()).includes(`\x1b]8;;${url}\x1b\\${url}\x1b]8;;\x1b\\`));
    assert(Deno.readTextFileSync(log).includes(`│ ${url}\n`));
    await screen.resize(60, rows);
    await screen.waitFor(/\nbob >$/);
    assert((await screen.joinedRows()).includes(`      │ ${url}`));
  }, { columns, rows });
}

testScene("a name that looks like one of a known peer brings the warning", async (scene) => {
  await connect(scene);
  const { screen, stage, server } = scene;
  const other = await stage.jsonClient("ЬоЬ", server);
  await other.type("connect ana");
  const rows = await screen.waitFor(/NEW key under a known name: it looks like\s+bob/);
  assertEquals(rows.some((row) => row.includes("from ЬоЬ, NEW KEY")), true, rows.join("\n"));
});
