// A terminal that takes no output for a while, as after Ctrl-S.
import { assert, assertLessOrEqual, assertMatch } from "@std/assert";
import { RECEIVE_WINDOW } from "../../protocol/connection/send_queue.ts";
import { assertSane, connect, enter, testScene } from "./scene.ts";

testScene(
  "while it takes no output the conversation lives, and all is shown later",
  async (scene) => {
    await connect(scene);
    const { screen, bob } = scene;
    await screen.stall();
    await bob.type("one", "two");
    await enter(screen, "typed meanwhile");
    await bob.waitForEvent("message", { text: "typed meanwhile" });
    // It is not shown, and so it is not acknowledged: its sender is told.
    await bob.waitForEvent("unconfirmed");
    assert(!/one/.test((await screen.rows()).join("\n")), "stalled");
    await screen.flow();
    for (let each = 0; each < 2; each++) await bob.waitForEvent("delivered");
    const rows = await screen.waitFor(/✓ ana: typed meanwhile\n[^]*bob >$/);
    assertMatch(rows.join("\n"), /← bob: one\n[^]*← bob: two\n/);
  },
);

testScene("messages beyond the window wait at their sender meanwhile", async (scene) => {
  await connect(scene);
  const { screen, bob } = scene;
  await screen.stall();
  const texts = Array.from({ length: 60 }, (_, index) => `${index} `.padEnd(40_000, "x"));
  const typed = bob.type(...texts);
  await bob.waitForEvent("unconfirmed");
  const sent = bob.events().filter(({ event }) => event === "sent").length;
  assertLessOrEqual(sent, 1 + RECEIVE_WINDOW / 40_000);
  await screen.flow();
  for (let each = 0; each < texts.length; each++) await bob.waitForEvent("delivered");
  await typed;
  await bob.type("the last");
  await screen.waitFor(/← bob: the last\nbob >$/);
});

testScene("other lines beyond what may wait are left out, and counted", async ({ screen }) => {
  await screen.stall();
  for (let round = 0; round < 32; round++) await screen.type("help\r".repeat(40));
  const written = await screen.record();
  await screen.flow();
  // What was typed last may be answered after that.
  const leftOut = /Left out \d+ lines: the terminal took no output/;
  await screen.waitFor(async () => leftOut.test(await written()));
  await screen.waitFor(/\nana · idle >$/);
});

testScene("a client leaves all the same", async (scene) => {
  await connect(scene);
  const { server, screen, bob } = scene;
  await screen.stall();
  await enter(screen, "leave");
  await bob.waitForEvent("terminated", { by: "peer" });
  await server.program.stdout.waitFor(/client 2 \(ana\) left/);
  await screen.flow();
  await screen.waitFor(/Client Leave acknowledged/);
  await assertSane(screen, 0);
});
