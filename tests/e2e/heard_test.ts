// What a user hears and sees of a client in a terminal that has no focus: the bell, notifications,
// and the title.
import { assert, assertEquals } from "@std/assert";
import { assertSane, connect, enter, testScene } from "./scene.ts";
import type { Screen } from "./tmux.ts";

/** What a terminal that has lost the focus, or got it, reports. */
const FOCUS_OUT = "\x1b[O";
const FOCUS_IN = "\x1b[I";

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Sets a title in the shell before the client starts again; returns what reads what it writes. */
async function restart(screen: Screen, start: () => Promise<void>): Promise<() => Promise<string>> {
  await enter(screen, "leave");
  await screen.waitFor((rows) => rows.at(-1) === "$");
  await enter(screen, "clear; printf '\\033]2;my shell\\033\\\\'");
  await screen.waitForTitle("my shell");
  await screen.waitFor((rows) => rows.join() === "$");
  const read = await screen.record();
  await start();
  return read;
}

/** Types and erases, with which it has the focus, and takes it away; the client has seen that. */
async function loseFocus(screen: Screen): Promise<void> {
  await screen.type("x");
  await screen.waitFor((rows) => rows.at(-1)!.endsWith("> x"));
  await screen.type(`\x7f${FOCUS_OUT}`);
  await screen.waitFor((rows) => rows.at(-1)!.endsWith(">"));
}

testScene(
  "out of focus, a message rings the bell, notifies and counts in the title",
  async (scene) => {
    const { screen, bob } = scene;
    const read = await restart(screen, scene.start);
    await screen.waitForTitle("udp-chat");
    assert((await read()).includes("\x1b[?1004h"));
    await connect(scene);
    await screen.waitForTitle("bob — udp-chat");
    await screen.type(FOCUS_IN);
    await bob.type("are you there?");
    await screen.waitFor(/← bob: are you there\?\nbob >$/);
    assertEquals(count(await read(), "\x07"), 1, "for the request only");

    await screen.type(FOCUS_OUT);
    await loseFocus(screen);
    await bob.type("hello?", "hello??");
    await screen.waitForTitle("(2) bob — udp-chat");
    assertEquals(count(await read(), "\x07"), 2, "once for both");
    assertEquals(count(await read(), "\x1b]9;Message from bob\x1b\\"), 1);
    assertEquals(count(await read(), "\x1b]777;notify;udp-chat;Message from bob\x1b\\"), 1);
    await screen.type(FOCUS_IN);
    await screen.waitForTitle("bob — udp-chat");
    await screen.waitFor(/\nbob >$/);

    await enter(screen, "leave");
    await screen.waitForTitle("my shell");
    assert((await read()).includes("\x1b[?1004l"));
    await assertSane(screen, 0);
  },
);

testScene("--no-notify: the bell and the title, and no notification", async (scene) => {
  const { screen, bob } = scene;
  const read = await screen.record();
  await loseFocus(screen);
  await bob.type("connect ana");
  await screen.waitForTitle("(1) bob — udp-chat");
  assertEquals(count(await read(), "\x07"), 1);
  for (const code of ["\x1b]9;", "\x1b]777;"]) assertEquals(count(await read(), code), 0);
}, { options: ["--no-notify"] });

testScene("a signal gives the title back, too", async ({ screen, start }) => {
  await restart(screen, start);
  await screen.waitForTitle("udp-chat");
  screen.signal("SIGTERM");
  await screen.waitForTitle("my shell");
  await assertSane(screen, 0);
});

testScene("Ctrl-Z gives the title back until fg", async ({ screen, start }) => {
  await restart(screen, start);
  await screen.press("C-z");
  const rows = await screen.waitFor(/^\$$|Ctrl-Z does not work here/m);
  if (!rows.join("\n").includes("does not work")) {
    await screen.waitForTitle("my shell");
    await enter(screen, "fg");
  }
  await screen.waitForTitle("udp-chat");
  await enter(screen, "leave");
  await screen.waitForTitle("my shell");
});
