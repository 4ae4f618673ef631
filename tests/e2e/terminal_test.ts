// A client in a real terminal.
import { assert, assertEquals } from "@std/assert";
import { assertSane, connect, count, enter, testScene } from "./scene.ts";

testScene(
  "a peer that was called by a number has a name, and so has the idle prompt",
  async (scene) => {
    const { screen, bob } = scene;
    await screen.waitFor(/^ana · idle >$/m);
    await enter(screen, "connect 1");
    await screen.waitFor(/^ringing bob · /m);
    await bob.type("accept");
    const rows = await screen.waitFor(/\nbob >$/);
    const said = rows.map((row) => row.slice("14:02 * ".length));
    for (const line of ["Connection Request sent to bob", "bob is ringing"]) {
      assert(said.includes(line), rows.join("\n"));
    }
    await enter(screen, "connect 1");
    await screen.waitFor(/Connected to bob already: type switch bob, or terminate bob first/);
    await enter(screen, "terminate");
    await screen.waitFor(/You ended the conversation with bob\nana · idle >$/);
    await enter(screen, "connect zed");
    await screen.waitFor(/Client zed Inactive · nobody called zed is here\nana · idle >$/);
    await enter(screen, "leave now");
    await screen.waitFor(/leave takes no words after it\nana · idle >$/);
  },
);

testScene("messages that arrive do not break the line being typed", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type("half a sent");
  await screen.waitFor(/^bob > half a sent$/m);
  await bob.type("one", "two", "three");
  const rows = await screen.waitFor((rows) => rows.at(-2)?.endsWith("bob: three") === true);
  assertEquals(rows.at(-1), "bob > half a sent");
  for (const text of ["one", "two", "three"]) {
    assertEquals(count(rows, new RegExp(`← bob: ${text}$`)), 1);
  }
  assertEquals(count(rows, /half a sent/), 1);
  await enter(screen, "ence");
  assertEquals((await bob.waitForEvent("message")).text, "half a sentence");
  const sent = await screen.waitFor(/✓ ana: half a sentence$/m);
  assertEquals(count(sent, /half a sentence/), 1, "shown once: as a message");

  // A line of several rows, with the cursor in its middle.
  const long = "word ".repeat(30).trim();
  await screen.type(long);
  await screen.press("Home");
  await screen.waitFor((rows) => count(rows, /word word/) === 2);
  await bob.type("four");
  await screen.waitFor(/← bob: four\nbob > word/);
  await enter(screen, "first ");
  assertEquals((await bob.waitForEvent("message")).text, `first ${long}`);
});

testScene("Up recalls, Tab completes commands, ids and names", async ({ screen, bob }) => {
  await screen.type("li");
  await screen.press("Tab");
  await screen.waitFor(/> list$/m);
  await screen.press("Enter");
  await screen.waitFor(/2 active clients/);
  await screen.type("con");
  await screen.press("Tab");
  await screen.waitFor(/> connect$/m);
  await screen.type("b");
  await screen.press("Tab");
  await screen.waitFor(/> connect bob$/m);
  await screen.press("Enter");
  await bob.waitForEvent("request");
  await bob.type("reject");
  await screen.waitFor(/Connection Reject from bob/);
  await screen.press("Up");
  await screen.waitFor((rows) => rows.at(-1)?.endsWith("> connect bob") === true);
  await screen.press("Up");
  await screen.waitFor((rows) => rows.at(-1)?.endsWith("> list") === true);
  await screen.press("C-u");
  await enter(screen, "lsit");
  await screen.waitFor(/did you mean "list"\?/);
});

testScene("the prompt counts the ringing down; Ctrl-C cancels it", async ({ screen, bob }) => {
  await enter(screen, "connect 1");
  await bob.waitForEvent("request");
  const pattern = /^ringing bob · attempt 1 · next in (\d+)s · Ctrl-C cancels >$/;
  const secondsIn = (rows: string[]): number => Number(pattern.exec(rows.at(-1) ?? "")?.[1]);
  const first = secondsIn(await screen.waitFor((rows) => pattern.test(rows.at(-1) ?? "")));
  assert(first <= 10 && first > 5, `counts down from 10 s: ${first}`);
  await screen.waitFor((rows) => secondsIn(rows) < first);
  await screen.press("C-c");
  await screen.waitFor(/Connection Request to bob cancelled\nana · idle >$/);
  await bob.type("accept", "list");
  await enter(screen, "list");
  await screen.waitFor(/2 active clients/);
});

testScene("Ctrl-D leaves, and leaves the terminal as it was", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.press("C-d");
  await screen.waitFor(/You talk with bob · Ctrl-D again within 2 s leaves\nbob >$/);
  await screen.press("C-d");
  await bob.waitForEvent("terminated", { by: "peer" });
  await screen.waitFor(/You ended the conversation[^]*Client Leave acknowledged/);
  await assertSane(screen, 0);
});

testScene("Ctrl-C drops the draft, then leaves, exit status 130", async ({ screen }) => {
  await screen.type("a line that is not entered");
  await screen.press("C-c");
  await screen.waitFor(/Dropped · Ctrl-Y brings it back\nana · idle >$/);
  await screen.press("C-y");
  await screen.waitFor(/\nana · idle > a line that is not entered$/);
  await screen.press("C-c");
  await screen.waitFor(/\nana · idle >$/);
  await screen.press("C-c");
  await screen.waitFor(/Client Leave acknowledged/);
  await assertSane(screen, 130);
});

testScene("a killed directory: the leave counts down, another Ctrl-C ends it", async (scene) => {
  await connect(scene);
  const { server, screen, bob } = scene;
  server.program.signal("SIGKILL");
  await server.program.exit;
  await screen.press("C-c");
  await screen.waitFor(/You talk with bob · Ctrl-C again within 2 s leaves\nbob >$/);
  await screen.press("C-c");
  await bob.waitForEvent("terminated");
  await screen.waitFor(/^leaving · gives up in \d+s · Ctrl-C leaves at once >$/m);
  await screen.press("C-c");
  await screen.waitFor(/not acknowledged/);
  await assertSane(screen, 130);
});

testScene("a narrow window: lines wrap, and the prompt leaves room to type", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type("typed before");
  await screen.resize(40, 24);
  await bob.type("a message that is longer than forty columns, so that it wraps twice");
  const rows = await screen.waitFor(/wraps twice\n+bob > typed before$/);
  assert(rows.every((row) => row.length <= 40), rows.join("\n"));
  await enter(screen, " and after");
  assertEquals((await bob.waitForEvent("message")).text, "typed before and after");
  await enter(screen, "terminate");
  await screen.waitFor(/^ana · idle >$/m);
  await enter(screen, "connect bob");
  await screen.waitFor(/^ringing bob( ·.*)? >$/m);
});

testScene(
  "a wider window: the prompt says again what there was no room for",
  async ({ screen }) => {
    await screen.resize(12, 12);
    await screen.waitFor(/^… >$/m);
    await screen.resize(80, 24);
    await screen.waitFor(/^ana · idle >$/m);
  },
);

testScene("another width while typing over several rows: nothing above is lost", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.resize(40, 12);
  await bob.type(...Array.from({ length: 20 }, (_, index) => `filler ${index}`), "the last");
  await screen.waitFor(/← bob: the last\nbob >$/);
  await screen.type("word ".repeat(24) + "end");
  await screen.waitFor(/ end$/);
  for (const columns of [60, 30, 80]) {
    await screen.resize(columns, 12);
    await bob.type(`at ${columns}`);
    await screen.waitFor(new RegExp(`← bob: at ${columns}\nbob > word[^]* end$`));
  }
  const rows = await screen.rows();
  const messages = rows.flatMap((row) => /← bob: (.*)$/.exec(row)?.[1] ?? []);
  assertEquals(messages.slice(-5), ["filler 19", "the last", "at 60", "at 30", "at 80"]);
});

testScene("60 KB of many lines are one message, and on no screen whole unasked", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  const line = (index: number): string => `${index} `.padEnd(58, "paste ") + "é";
  const text = Array.from({ length: 1000 }, (_, index) => line(index)).join("\n");
  assertEquals(new TextEncoder().encode(text).length, 60_999);
  await screen.paste(text);
  await screen.waitFor(/^bob > .*1000 lines/m);
  await screen.press("Enter");
  assertEquals((await bob.waitForEvent("message")).text, text);
  const cut = "… 1000 lines, 59999 characters";
  const own = await screen.waitFor((rows) => rows.at(-2)?.endsWith(cut) === true);
  assertEquals(own.slice(-7, -1).map((row) => row.slice(8)), [
    `ana: ${line(0)}`,
    ...[1, 2, 3, 4].map(line),
    cut,
  ]);
  await bob.type(JSON.stringify({ command: "send", text }));
  const theirs = await screen.waitFor(new RegExp(`${cut} · type show to see it all\\nbob >$`));
  assertEquals(theirs.at(-3), `      │ ${line(19)}`);
  await enter(screen, "show");
  await screen.waitFor((rows) => rows.at(-2) === `      │ ${line(999)}` && rows.at(-1) === "bob >");
});

testScene("wide characters and emoji are in the right columns", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.type("世界, привет 👋");
  await screen.waitFor(/^bob > 世界, привет 👋$/m);
  await bob.type("日本語テキスト 🎉");
  await screen.waitFor(/← bob: 日本語テキスト 🎉\nbob > 世界, привет 👋$/);
  await screen.press("BSpace");
  await enter(screen, "🎈");
  assertEquals((await bob.waitForEvent("message")).text, "世界, привет 🎈");
  await screen.waitFor(/✓ ana: 世界, привет 🎈\nbob >$/);
});
