import { assertEquals } from "@std/assert";
import { ExitStatus } from "../../../client/exit.ts";
import { SEND_WINDOW } from "../../../client/commands/script.ts";
import { BOB, CAROL, Stage } from "../../support/script_stage.ts";

/** A script that is connected with bob, and then also with carol. */
function withTwo(...lines: string[]): Stage {
  const stage = Stage.registered({}, ...lines);
  stage.connects(BOB);
  stage.connects(CAROL);
  return stage;
}

Deno.test("Script sends to several peers by id or name, with a window for each", () => {
  const toBob = Array.from({ length: SEND_WINDOW }, () => "@bob hi");
  const stage = withTwo(...toBob, "@carol hi", "@2 more");
  assertEquals(stage.steps().slice(SEND_WINDOW - 1), ["send hi bob", "send hi carol"]);
  assertEquals(stage.steps(), []);
});

Deno.test("Script switches when all messages are delivered, and terminates by id", () => {
  const stage = withTwo("hi", "switch bob", "requests", "terminate 3", "hello");
  assertEquals(stage.steps(), ["send hi"]);
  stage.view = { ...stage.view, peer: { ...stage.view.peer!, unconfirmed: 0 } };
  assertEquals(stage.steps(), ["switch bob", "requests", "terminate 3"]);
  const [bob] = stage.view.others;
  stage.view = { ...stage.view, peer: bob, others: [] };
  stage.script.handle({
    kind: "terminated",
    ...{ peer: 3, name: "carol" },
    by: "local",
    undelivered: 0,
  });
  assertEquals(stage.steps(), ["send hello"]);
});

Deno.test("Script continues on another connection after it has terminated the current one", () => {
  const stage = withTwo("terminate", "hello");
  assertEquals(stage.steps(), ["terminate"]);
  stage.ends("local");
  assertEquals(stage.steps(), ["send hello"]);
  assertEquals(stage.script.status, ExitStatus.ok);
});

Deno.test("Script sends no message for a peer that has left to another peer", () => {
  const stage = withTwo();
  stage.ends("peer");
  for (const line of ["for carol", "@2 for bob", "terminate", "for bob"]) {
    stage.script.feed({ text: line });
  }
  const [report, ...steps] = stage.steps();
  assertEquals(report, "Nothing was sent: not connected any more to the peer that it was for");
  assertEquals(steps, ["send for bob 2"]);
  stage.delivers();
  assertEquals(stage.steps(), ["send for bob"]);
  assertEquals(stage.script.status, ExitStatus.undelivered);
});

Deno.test("Script sends no message to a peer that was accepted without a command", () => {
  const stage = withTwo();
  stage.ends("peer");
  const key = new Uint8Array(32);
  const dan = { peer: 4, name: "dan", key, hash: key, path: "direct" as const };
  stage.script.handle({ kind: "connected", ...dan, isAside: true });
  stage.script.feed({ text: "for carol" });
  assertEquals(stage.steps().length, 1);
  assertEquals(stage.script.status, ExitStatus.undelivered);
  stage.script.handle({ kind: "connected", ...dan });
  stage.script.feed({ text: "for dan" });
  assertEquals(stage.steps(), ["send for dan"]);
});

Deno.test("Script sends no message for a peer that it could not reach to another peer", () => {
  const stage = Stage.registered({}, "connect 3", "for carol", "switch bob", "for bob");
  stage.connects(BOB);
  assertEquals(stage.steps(), ["connect 3"]);
  stage.fails({ kind: "inactive", peer: 3 });
  assertEquals(stage.steps().slice(1), ["switch bob", "send for bob"]);
  assertEquals(stage.script.status, ExitStatus.inactive);
});

Deno.test("Script skips terminate for a named peer that already terminated", () => {
  const stage = withTwo("terminate carol", "terminate dan");
  stage.ends("peer");
  assertEquals(stage.steps(), ["terminate dan"]);
});

Deno.test("Script ends all connections at the end of the input", () => {
  const stage = withTwo();
  stage.script.end();
  assertEquals(stage.steps(), ["terminate"]);
  stage.ends("local");
  assertEquals(stage.steps(), ["terminate"]);
  stage.terminates("local");
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(), ExitStatus.ok);
});
