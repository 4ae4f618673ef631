import { assertEquals } from "@std/assert";
import {
  WAITING_CHARACTERS_MAX,
  WAITING_COMMANDS_MAX,
} from "../../../client/commands/json_script.ts";
import { SEND_WINDOW } from "../../../client/commands/script.ts";
import { CONNECTIONS_MAX } from "../../../protocol/connection/connections.ts";
import { ExitStatus } from "../../../client/exit.ts";
import { BOB, CAROL, Stage } from "../../support/script_stage.ts";

/** A registered client of a program that has given these lines. */
function program(...lines: string[]): Stage {
  return Stage.registered({ isProgram: true }, ...lines);
}

/** The same, connected with bob and then also with carol. */
function withTwo(...lines: string[]): Stage {
  const stage = program(...lines);
  stage.connects(BOB);
  stage.connects(CAROL);
  return stage;
}

Deno.test("JsonScript runs nothing before the client is registered", () => {
  const stage = new Stage({ isProgram: true }, "list", "connect 2");
  assertEquals(stage.steps(), []);
  stage.registers();
  assertEquals(stage.steps(), ["list", "connect 2"]);
});

Deno.test("JsonScript sends to others, lists and answers while a call rings", () => {
  const stage = withTwo("connect dan", "@dan later", "@carol now", "list", "fingerprint", "@2 too");
  assertEquals(stage.steps(), [
    "connect dan",
    "send now carol",
    "list",
    "fingerprint",
    "send too 2",
  ]);
  stage.connects({ id: 4, name: "dan" }, "dan");
  assertEquals(stage.steps(), ["send later dan"]);
});

Deno.test("JsonScript holds up only what is for a peer that does not acknowledge", () => {
  const toBob = Array.from({ length: SEND_WINDOW + 1 }, () => "@bob hi");
  const stage = withTwo(...toBob, "terminate 2", "@carol hi", "list", "terminate carol");
  const steps = stage.steps();
  assertEquals(steps.slice(SEND_WINDOW), ["send hi carol", "list"]);
  assertEquals(steps.slice(0, SEND_WINDOW), Array(SEND_WINDOW).fill("send hi bob"));
  // Carol's client has acknowledged hers.
  stage.view = { ...stage.view, peer: { ...stage.view.peer!, unconfirmed: 0 } };
  assertEquals(stage.steps(), ["terminate 3"]);
});

Deno.test("JsonScript keeps the order for one peer, by its id and by its name", () => {
  const stage = withTwo("terminate bob", "@2 hi", "connect 2", "@carol hi");
  assertEquals(stage.steps(), ["terminate 2", "send hi carol"]);
  const [bob] = stage.view.others;
  stage.view = { ...stage.view, others: [] };
  stage.script.handle({
    kind: "terminated",
    ...{ peer: bob!.id, name: "bob" },
    by: "local",
    undelivered: 0,
  });
  assertEquals(stage.steps(), ["send hi 2", "connect 2"]);
});

Deno.test("JsonScript refers to the peer of the command before where none is named", () => {
  const stage = program("connect bob", "one", '{"command":"verify"}', "@dan x", "terminate");
  assertEquals(stage.steps(), ["connect bob", "send x dan"]);
  stage.connects(BOB, "bob");
  assertEquals(stage.steps(), ["send one bob", "verify bob"]);
  stage.delivers();
  assertEquals(stage.steps(), ["terminate 2"]);
});

Deno.test("JsonScript sends no message for a peer that has left, or was not reached, to another", () => {
  const stage = withTwo();
  stage.steps();
  stage.ends("peer");
  stage.script.feed({ text: '{"command":"send","text":"for carol"}' });
  assertEquals(stage.steps(), ["send for carol 3"]);
  const other = program("connect 3", "for carol", "switch bob", "for bob");
  other.connects(BOB);
  assertEquals(other.steps(), ["connect 3", "switch bob", "send for bob bob"]);
  other.fails({ kind: "inactive", peer: 3 });
  assertEquals(other.steps(), ["send for carol 3"]);
});

Deno.test("JsonScript sends to the peer that is current after it has terminated the connection before", () => {
  const stage = withTwo("switch carol", "terminate", "hello");
  assertEquals(stage.steps(), ["switch carol", "terminate 3"]);
  stage.ends("local");
  assertEquals(stage.steps(), ["send hello 2"]);
});

Deno.test("JsonScript waits for a request before accept, without holding up anything else", () => {
  const stage = program("accept", "to the caller", "accept bob", "list");
  assertEquals(stage.steps(), ["list"]);
  stage.view = { ...stage.view, requests: [CAROL] };
  assertEquals(stage.script.poll(0, stage.view), { kind: "run", command: { command: "accept" } });
  stage.connects(CAROL);
  assertEquals(stage.steps(), ["send to the caller 3"]);
  stage.view = { ...stage.view, requests: [BOB] };
  assertEquals(stage.steps().slice(0, 1), ["accept bob"]);
});

Deno.test("JsonScript calls several peers at a time, and cancels the call that is terminated", () => {
  const stage = program("connect bob", "connect carol", "terminate bob", "connect bob");
  assertEquals(stage.steps(), ["connect bob", "connect carol", "terminate bob", "connect bob"]);
});

Deno.test("JsonScript calls as many at a time as there can be connections", () => {
  const lines = Array.from({ length: 20 }, (_, n) => `connect ${n + 10}`);
  const stage = program(...lines);
  assertEquals(stage.steps(), lines.slice(0, CONNECTIONS_MAX));
  stage.script.feed({ text: "terminate 12" });
  assertEquals(stage.steps(), ["terminate 12", lines[CONNECTIONS_MAX]]);
});

Deno.test("JsonScript takes the end of another call for none of that from --connect", () => {
  const stage = Stage.registered({ isProgram: true, connect: "bob" }, "connect carol");
  assertEquals(stage.steps(), ["connect bob", "connect carol"]);
  stage.fails({ kind: "inactive", peer: "carol" });
  assertEquals([stage.steps(), stage.script.status], [[], ExitStatus.ok]);
  stage.fails({ kind: "inactive", peer: "bob" });
  assertEquals([stage.steps(), stage.script.status], [["leave"], ExitStatus.inactive]);
});

Deno.test("JsonScript asks for one name at a time, so that each has its answer", () => {
  const stage = program("/nick bea", "/nick ana", "list");
  assertEquals(stage.steps(), ["nick bea", "list"]);
  stage.script.handle({ kind: "error", code: "refused", message: "", of: "nick" });
  assertEquals(stage.steps(), ["nick ana"]);
  stage.registers();
  assertEquals([stage.steps(), stage.script.status], [[], ExitStatus.ok]);
});

Deno.test("JsonScript asks for one list at a time, so that each has its answer", () => {
  const list = (ref: string): string => `{"command":"list","ref":"${ref}"}`;
  const stage = program(list("a"), list("b"), list("c"));
  assertEquals(stage.steps(), ["list #a"]);
  stage.script.handle({ kind: "list", clients: [] });
  assertEquals(stage.steps(), ["list #b"]);
  stage.script.handle({ kind: "error", code: "serverTimeout", message: "", of: "list" });
  assertEquals(stage.steps(), ["list #c"]);
});

Deno.test("JsonScript gives up a call and the wait for a request after the timeout", () => {
  const lines = [
    '{"command":"connect","peer":"bob","ref":"c"}',
    '{"command":"accept","peer":"carol","ref":"a"}',
    "@bob after it",
  ];
  const stage = Stage.registered({ isProgram: true, timeout: 5000 }, ...lines);
  assertEquals(stage.steps(), ["connect bob #c"]);
  assertEquals(stage.script.nextTimeout(), 5000);
  assertEquals(stage.stepsAfter(4.9), []);
  assertEquals(stage.stepsAfter(0.1), [
    "No answer from bob within 5 s #c",
    "terminate bob",
    "No Connection Request came within 5 s #a",
    "send after it bob",
  ]);
  assertEquals(stage.script.nextTimeout(), undefined);
});

Deno.test("JsonScript leaves at once, and reports what is not done", () => {
  const stage = program(
    '{"command":"connect","peer":"bob"}',
    '{"command":"send","text":"hi","ref":"7"}',
    "accept carol",
    "leave",
  );
  assertEquals(stage.steps(), [
    "Cannot connect: the client is leaving",
    "Cannot send: the client is leaving #7",
    "Cannot accept: the client is leaving",
    "leave",
  ]);
  assertEquals(stage.leaves(), ExitStatus.undelivered);
});

Deno.test("JsonScript does all that was asked for before it leaves at the end of the input", () => {
  const stage = program("connect bob", "hi");
  stage.script.end();
  assertEquals(stage.steps(), ["connect bob"]);
  stage.connects(BOB, "bob");
  assertEquals(stage.steps(), ["send hi bob"]);
  stage.assertEnds("terminate 2");
});

Deno.test("JsonScript ends each connection when its messages are delivered, after the input", () => {
  const stage = withTwo("@bob stuck");
  stage.script.end();
  assertEquals(stage.steps(), ["send stuck bob", "terminate 3"]);
});

Deno.test("JsonScript has the exit status of how it ends, not of a command that failed before", () => {
  const stage = program("connect 9", "{", "@nobody hi");
  stage.steps();
  stage.fails({ kind: "inactive", peer: 9 });
  stage.terminates("timeout", 3);
  stage.script.feed({ problem: "notUtf8" });
  stage.steps();
  stage.script.end();
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(), ExitStatus.ok);
});

Deno.test("JsonScript has the exit status of what still failed when the input had ended", () => {
  const failures: [Parameters<Stage["fails"]>[0], ExitStatus][] = [
    [{ kind: "inactive", peer: 9 }, ExitStatus.inactive],
    [{ kind: "rejected", peer: 9, name: "", reason: 1 }, ExitStatus.rejected],
    ["peerTimeout", ExitStatus.inactive],
    ["peerKey", ExitStatus.untrustedKey],
  ];
  for (const [failure, status] of failures) {
    const stage = program("connect 9");
    stage.steps();
    stage.script.end();
    stage.fails(failure);
    assertEquals(stage.steps(), ["leave"]);
    assertEquals(stage.leaves(), status);
  }
});

Deno.test("JsonScript fails if the leave is not acknowledged, or leaves messages undelivered", () => {
  assertEquals(program("leave").leaves(0, false), ExitStatus.serverTimeout);
  assertEquals(program("leave").leaves(2), ExitStatus.undelivered);
});

Deno.test("JsonScript fails if the client cannot register, or has to leave", () => {
  const stage = new Stage({ isProgram: true }, "connect 2");
  stage.fails("refused");
  assertEquals(stage.leaves(0, false), ExitStatus.failure);
  const later = program();
  later.fails("serverKey");
  assertEquals(later.leaves(0, false), ExitStatus.untrustedKey);
});

Deno.test("JsonScript fails if a transcript cannot be kept, but not for a command that named a bad one", () => {
  const error = { kind: "error", code: "log", message: "" } as const;
  const stage = program();
  stage.script.handle(error);
  assertEquals(stage.leaves(), ExitStatus.failure);
  const other = program("log /none/x");
  assertEquals(other.script.poll(0, other.view)?.kind, "run");
  other.script.handle(error);
  assertEquals(other.leaves(), ExitStatus.ok);
});

Deno.test("JsonScript with --connect ends if that fails, and goes on after that", () => {
  const failing = Stage.registered({ isProgram: true, connect: "bob" }, "list");
  assertEquals(failing.steps(), ["connect bob", "list"]);
  failing.fails({ kind: "rejected", peer: 2, name: "bob", reason: 1 });
  assertEquals(failing.steps(), ["leave"]);
  assertEquals(failing.leaves(), ExitStatus.rejected);
  const stage = Stage.registered({ isProgram: true, connect: "bob" }, "hi", "connect 9");
  assertEquals(stage.steps(), ["connect bob", "connect 9"]);
  stage.connects(BOB, "bob");
  assertEquals(stage.steps(), ["send hi bob"]);
  stage.fails({ kind: "inactive", peer: 9 });
  assertEquals(stage.steps(), []);
  assertEquals(stage.leaves(), ExitStatus.ok);
});

Deno.test("JsonScript takes the connection of a peer that --accept-all accepted already", () => {
  const stage = Stage.registered({ isProgram: true, acceptAll: true }, "connect bob", "hi");
  stage.connects(BOB);
  assertEquals(stage.steps(), ["switch bob", "send hi bob"]);
  const accepting = Stage.registered({ isProgram: true, acceptAll: true }, "accept bob", "hi");
  accepting.connects(BOB);
  assertEquals(accepting.steps(), ["send hi bob"]);
});

Deno.test("JsonScript reads no further while very many commands wait, or very long ones", () => {
  const stage = program(...Array(WAITING_COMMANDS_MAX - 1).fill("accept dan"));
  assertEquals(stage.script.wantsInput, true);
  stage.script.feed({ text: "list" });
  assertEquals(stage.script.wantsInput, false);
  assertEquals(stage.steps(), ["list"]);
  assertEquals(stage.script.wantsInput, false);
  stage.script.handle({ kind: "list", clients: [] });
  assertEquals(stage.script.wantsInput, true);
  const long = program(`@dan ${"x".repeat(WAITING_CHARACTERS_MAX)}`);
  assertEquals(long.script.wantsInput, false);
  long.steps();
  assertEquals(long.script.wantsInput, true);
});
