// Some of the active clients, on pipes.
import { assertEquals } from "@std/assert";
import { Stage } from "./process.ts";

Deno.test("list PATTERN shows the clients with that in their names", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const names = ["bob", "carol", "carl"];
  for (const name of names) await stage.jsonClient(name, server);
  const ana = stage.client("ana", server);
  await ana.type("list CAR", "list bob", "list zed");
  await ana.endInput();
  await ana.stdout.waitFor(/\* 2 of 4 active clients: CAR/);
  await ana.stdout.waitFor(/\* 2 {2}carol/);
  await ana.stdout.waitFor(/\* 3 {2}carl/);
  await ana.stdout.waitFor(/\* 1 of 4 active clients: bob/);
  await ana.stdout.waitFor(/\* None of 4 active clients matches zed/);
  assertEquals(await ana.exitCode(), 0);
  const dora = await stage.jsonClient("dora", server);
  await dora.type('{"command":"list","pattern":"r*l"}');
  const { clients, total } = await dora.waitForEvent("list", { pattern: "r*l" });
  assertEquals([clients, total], [[{ id: 2, name: "carol" }, { id: 3, name: "carl" }], 4]);
});
