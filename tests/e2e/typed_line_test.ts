// The line being typed, in a real terminal: nothing of it is lost, and it is taken for what it is.
import { assert, assertEquals } from "@std/assert";
import {
  assertSane,
  connect,
  count,
  enter,
  type Scene,
  SIZES,
  testScene,
  testScenes,
} from "./scene.ts";

/** Those of {@linkcode SIZES} on which what is looked for has one row. */
const LARGE = SIZES.filter(([columns]) => columns >= 80);

const REPORT = "see you at ten, bring the report";

/** The graphemes that a careless editor takes apart, and what a terminal shows in their place. */
const GRAPHEMES = ["👍🏽", "🇩🇪", "👨‍👩‍👧‍👦", "e\u0301"];

testScenes("Up in the middle of a draft loses nothing of it", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type(REPORT);
  await screen.press("M-b", "M-b", "Up");
  await screen.waitFor(/^bob > accept$/m);
  await screen.press("Up", "Up");
  await screen.press("Down", "Down", "Down");
  await screen.waitFor(new RegExp(`^bob > ${REPORT}$`, "m"));
  assertEquals((await screen.cursor())[0], "bob > see you at ten, bring ".length);
  await enter(screen, "me ");
  assertEquals((await bob.waitForEvent("message")).text, "see you at ten, bring me the report");
});

testScenes("undo, kill, yank and Ctrl-R", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type("one two three");
  await screen.press("C-w", "C-w");
  await screen.waitFor(/^bob > one$/m);
  await screen.press("C-y");
  await screen.waitFor(/^bob > one two three$/m);
  await screen.press("C-_", "C-_");
  await screen.waitFor(/^bob > one two$/m);
  await screen.press("C-a", "C-k");
  await screen.waitFor(/^bob >$/m);
  await screen.press("C-y");
  await enter(screen, "!");
  assertEquals((await bob.waitForEvent("message")).text, "one two !");
  await screen.waitFor(/✓ ana: one two !\nbob >$/);
  await screen.type("half a line");
  await screen.press("C-r");
  await screen.type("ACC");
  await screen.waitFor(/^search "ACC" > accept$/m);
  await screen.press("C-g");
  await screen.waitFor(/^bob > half a line$/m);
  await screen.press("C-r");
  await screen.type("two");
  await screen.press("Enter");
  assertEquals((await bob.waitForEvent("message")).text, "one two !");
  await screen.press("Up");
  await screen.waitFor(/^bob > half a line$/m);
});

testScenes("Alt-Enter breaks the line, and Up moves in it first", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type("one");
  await screen.press("M-Enter");
  await screen.type("and two");
  await screen.waitFor(/^bob > one\nand two$/m);
  await bob.type("hi");
  await screen.waitFor(/← bob: hi\nbob > one\nand two$/);
  await screen.press("Up", "Home");
  await screen.type("line ");
  await screen.waitFor(/\nbob > line one\nand two$/);
  await screen.press("Up");
  await screen.waitFor(/\nbob > accept$/);
  await screen.press("Down", "Enter");
  assertEquals((await bob.waitForEvent("message", { text: "line one\nand two" })).peer, 2);
  await screen.waitFor(/✓ ana: line one\n {6}│ and two\nbob >$/);
});

testScenes("Ctrl-C cancels a call, and then drops the draft", async ({ screen, bob }) => {
  await enter(screen, "connect bob");
  await bob.waitForEvent("request");
  await screen.type("a draft");
  await screen.press("C-c");
  await screen.waitFor(/Connection Request to bob\s+cancelled\nana · idle > a draft$/);
  await screen.press("C-c");
  await screen.waitFor(/Dropped · Ctrl-Y brings it back\nana · idle >$/);
  await screen.press("C-y");
  await screen.waitFor(/\nana · idle > a draft$/);
});

testScenes("Ctrl-C twice on an empty line leaves a conversation", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type("a draft");
  await screen.press("C-c");
  await screen.waitFor(/Dropped[^]*\nbob >$/);
  await screen.press("C-c");
  await screen.waitFor(/You talk with bob · Ctrl-C again\s+within 2 s leaves\nbob >$/);
  await screen.press("C-c");
  await bob.waitForEvent("terminated", { by: "peer" });
  await assertSane(screen, 130);
});

testScene("--plain: Ctrl-C twice leaves a conversation", async ({ screen, bob }) => {
  await bob.type("connect ana");
  await screen.waitFor(/Connection Request from bob/);
  await enter(screen, "accept");
  await bob.waitForEvent("connected");
  await screen.type("a draft");
  await screen.press("C-c");
  await screen.waitFor(
    /^a draft\^C\n\d\d:\d\d \* You talk with bob · Ctrl-C again within 2 s leaves$/m,
  );
  await screen.press("C-c");
  await bob.waitForEvent("terminated", { by: "peer" });
  await assertSane(screen, 130);
}, { options: ["--plain"] });

testScene("--plain: Ctrl-C cancels a call, and leaves where there is none", async (scene) => {
  const { screen, bob } = scene;
  await enter(screen, "connect bob");
  await bob.waitForEvent("request");
  await screen.press("C-c");
  await bob.waitForEvent("requestEnded", { why: "cancelled" });
  await screen.waitFor(/Connection Request to bob cancelled$/m);
  await enter(screen, "list");
  await screen.waitFor(/2 active clients$/m);
  await screen.press("C-c");
  await assertSane(screen, 130);
}, { options: ["--plain"] });

/** Types 110 words at 40 × 10 while messages come. */
async function playTall(scene: Scene): Promise<void> {
  await connect(scene);
  const { screen, bob } = scene;
  const words = Array.from({ length: 110 }, (_, index) => `word${index}`);
  for (let at = 0; at < words.length; at += 11) {
    await screen.type(`${words.slice(at, at + 11).join(" ")} `);
    await bob.type(`message ${at}`);
    await screen.waitFor(new RegExp(`← bob: message ${at}$`, "m"));
  }
  const rows = await screen.waitFor(/\nbob > ↑ \d+ more\n[^]* word109$/);
  assert(count(rows, /← bob: message/) >= 4, rows.join("\n"));
  assertEquals(await screen.cursor(), [rows.at(-1)!.length + 1, rows.length - 1]);
  const all = await screen.allRows();
  assertEquals(count(all, /← bob: message/), 10);
  assertEquals(count(all, /^bob > /), 1, "no copy above");
  assertEquals(count(all, /\bword0\b/), 0, "hidden");

  // The cursor is where it shows: what is typed comes there.
  await screen.press("Up", "Up", "Up", "Up", "Up");
  await screen.waitFor(/\nbob > ↑ \d+ more · ↓ \d+ more\n/);
  const [column, row] = await screen.cursor();
  await screen.type("#");
  const marked = await screen.waitFor(/#/);
  assertEquals(marked[row]?.[column], "#");
  await screen.press("BSpace", "Enter");
  assertEquals((await bob.waitForEvent("message")).text, `${words.join(" ")} `);
  await screen.waitFor(/… \d+ characters[^]*\nbob >$/);
  const after = await screen.allRows();
  assertEquals(count(after, / ana: word0\b/), 1, "the beginning, as a message");
  assertEquals(count(after, /\bword109\b/), 0, "nothing of the draft is left");
}

testScene("a draft taller than the screen", playTall, { columns: 40, rows: 10 });

testScene(
  "eight resizes within 100 ms between messages lose no row",
  async (scene) => {
    await connect(scene);
    const { screen, bob } = scene;
    await screen.type("a draft of several rows, ".repeat(7) + "end");
    await screen.waitFor(/ end$/);
    const sent: string[] = [];
    const say = async (): Promise<void> => {
      sent.push(`message ${sent.length}`);
      await bob.type(sent.at(-1)!);
    };
    for (let round = 0; round < 3; round++) {
      // The terminal tells the first size at once, and only the last one 250 ms later.
      const sizes = [[30, 12], [99, 35], [40, 10], [80, 24], [35, 9], [99, 30], [50, 8], [90, 24]];
      for (const [columns, rows] of sizes) {
        await screen.resizeAtOnce(columns!, rows!);
        await say();
      }
      await screen.waitFor(new RegExp(`← bob: ${sent.at(-1)}\\n[^]*bob > a draft[^]* end$`));
    }
    const text = (await screen.allRows()).join("\n");
    // A message may come just before the client can know that the screen is narrower.
    const drawn = text.match(/^bob > /gm)?.length ?? 0;
    assert(drawn <= 1 + 3, `not one copy of the draft for each resize: ${drawn}`);
    assertEquals(text.match(/(?<=← bob: )message \d+$/gm), sent);
  },
  { columns: 60, rows: 24 },
);

testScenes("backspace and the arrows take a grapheme, never a part", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  for (const grapheme of GRAPHEMES) {
    await screen.type(`a${grapheme}b${grapheme}`);
    await screen.press("Left", "Left", "BSpace");
    await enter(screen, "|");
    assertEquals((await bob.waitForEvent("message")).text, `a|b${grapheme}`);
  }
});

testScenes("no command is guessed from words", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  const lines = ["accept that", "switch off", "block it", "connect me", "terminate him", "log off"];
  for (const line of lines) {
    await enter(screen, line);
    assertEquals((await bob.waitForEvent("message")).text, line);
  }
  await enter(screen, "@bbo are you there?");
  await screen.waitFor(
    /\* Not sent: nobody called bbo is\s+connected with you[^]*\nbob > @bbo are you there\?$/,
  );
  await screen.press("Home", "Right", "Right", "DC");
  await screen.press("Right");
  await enter(screen, "b");
  assertEquals((await bob.waitForEvent("message")).text, "are you there?");
  await screen.waitFor(/✓ ana: are you there\?\nbob >$/);
});

testScenes("completion: names, columns, mentions and paths", async (scene) => {
  await connect(scene);
  const { screen, stage, server } = scene;
  for (const name of ["carol", "carla", "cecil"]) await stage.jsonClient(name, server);
  await enter(screen, "list");
  await screen.waitFor(/5 active clients[^]*\nbob >$/);
  await screen.type("connect C");
  await screen.press("Tab", "Tab");
  await screen.waitFor(/\ncarla {2}carol {2}cecil\nbob > connect C$/);
  await screen.type("a");
  await screen.press("Tab");
  await screen.waitFor(/\nbob > connect car$/);
  await screen.press("C-u");
  await screen.type("do you know @ce");
  await screen.press("Tab");
  await screen.waitFor(/\nbob > do you know @cecil$/);
  await screen.press("C-u");
  Deno.writeTextFileSync(`${screen.folder}/transcript.txt`, "");
  await screen.type(`log ${screen.folder}/trans`);
  await screen.press("Tab");
  // Where the row breaks depends on the name of the folder.
  await screen.waitFor((rows) => rows.join("").endsWith("/transcript.txt"));
});

testScenes("help shows the keys, on one screen", async ({ screen }) => {
  await enter(screen, "help");
  const rows = await screen.waitFor(/More: help keys\nana · idle >$/);
  assertEquals(count(rows, /^ {2}connect ID\|NAME /), 1, "the first command is on the screen");
  await enter(screen, "help keys");
  await screen.waitFor(/^ {2}Alt-Enter +break the line without sending it$/m);
}, LARGE);
