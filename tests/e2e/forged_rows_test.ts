// Text of a peer that tries to look like lines of the program, in real terminals.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { connect, enter, type Scene, testScene } from "./scene.ts";

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
];

/** Bob sends the texts and then a word; every row between has a mark. */
async function assertRowsMarked({ screen, bob }: Scene): Promise<void> {
  for (const [index, text] of TEXTS.entries()) {
    await bob.type(JSON.stringify({ command: "send", text }), `end${index}`);
    const rows = await screen.waitFor((rows) => rows.some((row) => row.endsWith(`end${index}`)));
    const last = rows.findIndex((row) => row.endsWith(`end${index}`));
    const first = rows.findLastIndex((row, at) => at < last && / ← bob:/.test(row));
    assert(first >= 0, rows.join("\n"));
    for (const row of rows.slice(first + 1, last)) assertMatch(row, /^ {6}│/, rows.join("\n"));
  }
}

testScene("no text of a peer stands at the left edge", async (scene) => {
  await connect(scene);
  await assertRowsMarked(scene);
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
      await assertRowsMarked(scene);
    },
    { columns, rows: 40, options: ["--plain"] },
  );
}

testScene("a name that looks like one of a known peer brings the warning", async (scene) => {
  await connect(scene);
  const { screen, stage, server } = scene;
  const other = await stage.jsonClient("ЬоЬ", server);
  await other.type("connect ana");
  const rows = await screen.waitFor(/NEW key under a known name: it looks like\s+bob/);
  assertEquals(rows.some((row) => row.includes("from ЬоЬ, NEW KEY")), true, rows.join("\n"));
});
