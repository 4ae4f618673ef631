// Pastes and keys of a terminal that lost a part of them.
import { assertMatch } from "@std/assert";
import { enter, testScene } from "./scene.ts";

testScene("a paste without its end leaves Ctrl-C alive", async ({ screen }) => {
  let shown = "";
  for (let tries = 0; tries < 5 && !shown.includes("Dropped"); tries++) {
    // Where the key arrives with the paste, it is a part of it.
    if (shown !== "") await screen.press("C-u");
    await screen.type("\x1b[200~half a paste");
    await screen.press("C-c");
    shown = (await screen.waitFor(/Dropped[^]*ana · idle >$|\nana · idle > half a paste$/)).join(
      "\n",
    );
  }
  assertMatch(shown, /Dropped · Ctrl-Y brings it back\nana · idle >$/);
  await enter(screen, "list");
  await screen.waitFor(/2 active clients/);
});

testScene("a paste without its end ends by itself", async ({ screen }) => {
  await screen.type("\x1b[200~li");
  await screen.waitFor(/\nana · idle > li$/);
  await enter(screen, "st");
  await screen.waitFor(/2 active clients/);
});

for (
  const [what, bytes] of [
    ["a key that was cut", "\x1b[1;"],
    ["an end mark without a paste", "\x1b[201~"],
    ["an end mark that was cut", "\x1b[20"],
    ["a lone escape", "\x1b"],
    ["one bracket of a key", "\x1b["],
    ["a function key that was cut", "\x1bO"],
  ] as const
) {
  testScene(`${what} leaves Ctrl-C alive`, async ({ screen }) => {
    await screen.type("draft");
    await screen.waitFor(/\nana · idle > draft$/);
    await screen.type(bytes);
    // What follows at once could belong to it.
    await new Promise((resolve) => setTimeout(resolve, 100));
    await screen.press("C-c");
    await screen.waitFor(/Dropped · Ctrl-Y brings it back\nana · idle >$/);
    await enter(screen, "list");
    await screen.waitFor(/2 active clients/);
  });
}

testScene("a paste that a stop cuts in two leaves the keyboard alive", async ({ screen }) => {
  await screen.type("\x1b[200~li");
  screen.signal("SIGSTOP");
  await screen.waitFor(/Stopped[^]*\n\$$/);
  // The terminal is as the client left it: Enter ends no line there.
  await screen.type("fg\n");
  await screen.waitFor(/\nana · idle > li$/);
  await enter(screen, "st");
  await screen.waitFor(/2 active clients/);
});
