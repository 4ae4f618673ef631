// Several calls at a time, in one terminal.
import { assertEquals } from "@std/assert";
import { count, enter, testScene } from "./scene.ts";

testScene("carol is called while bob rings; Ctrl-C cancels the latest call", async (scene) => {
  const { stage, server, screen, bob } = scene;
  const carol = await stage.jsonClient("carol", server);
  await enter(screen, "connect bob");
  await bob.waitForEvent("request");
  await screen.waitFor(/\nringing (client 1|bob) .*>$/);
  await enter(screen, "connect carol");
  await carol.waitForEvent("request");
  const both = /\ncalling (client 1|bob), (client 3|carol) · Ctrl-C cancels (client 3|carol) >$/;
  await screen.waitFor(both);

  await screen.press("C-c");
  await screen.waitFor(/\nringing (client 1|bob) · attempt \d · .*>$/);
  await enter(screen, "connect bob");
  await screen.waitFor(/You call (client 1|bob) already/);
  await enter(screen, "connect carol");
  await screen.waitFor((rows) => count(rows, / is ringing$/) === 3 && both.test(rows.join("\n")));
  await carol.type("accept");
  await screen.waitFor(/\ncarol · ringing (client 1|bob) .*>$/);
  await bob.type("accept");
  await screen.waitFor(/\nbob >$/);
  await enter(screen, "@carol both are here");
  await carol.waitForEvent("message", { text: "both are here" });
  await enter(screen, "leave");
  assertEquals((await screen.afterwards()).status, 0);
});
