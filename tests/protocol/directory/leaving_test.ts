// How a client leaves that knows several directories: protocol/README.md, "Leaving".
import { assert, assertEquals } from "@std/assert";
import { SEVERAL_SILENT_AFTER } from "../../../protocol/directory/directory_choice.ts";
import { LEAVE_TIMEOUT } from "../../../protocol/directory/registration.ts";
import { a, b, lost, registeredAtA } from "../../support/moving_stage.ts";

Deno.test("a client whose directory is silent when it leaves does so at another one, within 5 s", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.registration.leave(stage.now);
  stage.run(5_000);
  assert(stage.timesOf("leave", a).length >= 3);
  assertEquals(stage.timesOf("register", b), [SEVERAL_SILENT_AFTER]);
  assertEquals(stage.timesOf("leave", b), [SEVERAL_SILENT_AFTER]);
  assertEquals([stage.told, stage.registration.leaveBy], [["left"], undefined]);
});

Deno.test("a client that leaves while all were silent does so at the first that answers, within 5 s", () => {
  const stage = lost();
  stage.at[b] = "up";
  stage.registration.leave(stage.now);
  stage.run(5_000);
  assertEquals([stage.timesOf("leave", b).length, stage.told], [1, ["left"]]);
});

Deno.test("a client that leaves where all are silent ends after 30 s, and says nothing of them", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.registration.leave(stage.now);
  stage.run(LEAVE_TIMEOUT - 1);
  assertEquals(stage.told, []);
  const tries = stage.log.length;
  assert(tries <= 60, `${tries}`);
  stage.run(1);
  assertEquals(stage.told, ["left"]);
});

Deno.test("a directory that answers while the next one is tried for leaving is left", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.registration.leave(stage.now);
  stage.run(SEVERAL_SILENT_AFTER + 100);
  stage.at[a] = "up";
  stage.run(5_000);
  assertEquals([stage.told, stage.timesOf("register", b)], [["left"], []]);
});
