// Several calls at a time, in one terminal.
import { assertEquals } from "@std/assert";
import { connect, count, enter, testScene } from "./scene.ts";

testScene("carol is called while bob rings; Ctrl-C cancels the latest call", async (scene) => {
  const { stage, server, screen, bob } = scene;
  const carol = await stage.jsonClient("carol", server);
  await enter(screen, "connect bob");
  await bob.waitForEvent("request");
  await screen.waitFor(/\nringing bob .*>$/);
  await enter(screen, "connect carol");
  await carol.waitForEvent("request");
  const both = /\ncalling bob, carol · Ctrl-C cancels carol >$/;
  await screen.waitFor(both);

  await screen.press("C-c");
  await screen.waitFor(/\nringing bob · attempt \d · .*>$/);
  await enter(screen, "connect bob");
  await screen.waitFor(/You call bob already/);
  await enter(screen, "connect carol");
  await screen.waitFor((rows) => count(rows, / is ringing$/) === 3 && both.test(rows.join("\n")));
  await carol.type("accept");
  await screen.waitFor(/\ncarol · ringing bob .*>$/);
  await bob.type("accept");
  await screen.waitFor(/\nbob >$/);
  await enter(screen, "@carol both are here");
  await carol.waitForEvent("message", { text: "both are here" });
  await enter(screen, "leave");
  assertEquals((await screen.afterwards()).status, 0);
});

testScene(
  "while connected, connect calls again who was called before, unseen in a list",
  async (scene) => {
    const { stage, server, screen, bob } = scene;
    await connect(scene);
    const carol = await stage.jsonClient("carol", server);
    await enter(screen, "connect carol");
    assertEquals((await bob.waitForEvent("message")).text, "connect carol", "nobody known");
    await enter(screen, "/connect carol");
    await carol.waitForEvent("request");
    await screen.press("C-c");
    await screen.waitFor(/Connection Request to carol cancelled\nbob >$/);
    await enter(screen, "connect carol");
    await screen.waitFor(/carol is ringing\nbob · ringing carol .*>$/);
  },
);
