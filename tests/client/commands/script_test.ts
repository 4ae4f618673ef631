import { assertEquals } from "@std/assert";
import type { ErrorCode } from "../../../client/event.ts";
import { ExitStatus } from "../../../client/exit.ts";
import { SEND_WINDOW } from "../../../client/commands/script.ts";
import { ANA, BOB, CAROL, Stage } from "../../support/script_stage.ts";

Deno.test("Script runs nothing before the client is registered", () => {
  const stage = new Stage({}, "connect 2");
  assertEquals(stage.steps(), []);
  stage.registers();
  assertEquals(stage.steps(), ["connect 2"]);
});

Deno.test("Script waits for the connection after connect, and then sends", () => {
  const stage = new Stage({}, "connect 2", "hello", "send you", "", "terminate", "list");
  stage.script.end();
  stage.registers();
  assertEquals(stage.steps(), ["connect 2"]);
  assertEquals(stage.steps(), []);
  stage.connects();
  assertEquals(stage.steps(), ["send hello", "send you"]);
  stage.delivers(1);
  assertEquals(stage.steps(), []);
  stage.delivers();
  assertEquals(stage.steps(), ["terminate"]);
  stage.become("terminating");
  assertEquals(stage.steps(), []);
  stage.terminates("local");
  assertEquals(stage.steps(), ["list"]);
  assertEquals(stage.steps(), []);
  stage.script.handle({ kind: "list", clients: [ANA] });
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(), ExitStatus.ok);
});

Deno.test("Script continues after each failure of connect, with the status of the first", () => {
  const failures: [Parameters<Stage["fails"]>[0], ExitStatus][] = [
    [{ kind: "inactive", peer: 2 }, ExitStatus.inactive],
    ["peerTimeout", ExitStatus.inactive],
    [{ kind: "rejected", peer: 2, name: "bob", reason: 1 }, ExitStatus.rejected],
    ["serverTimeout", ExitStatus.serverTimeout],
    ["serverUnavailable", ExitStatus.serverTimeout],
    ["self", ExitStatus.failure],
    ["version", ExitStatus.failure],
  ];
  for (const [failure, status] of failures) {
    const stage = new Stage({}, "connect 2", "connect 3");
    stage.script.end();
    stage.registers();
    stage.steps();
    stage.fails(failure);
    assertEquals(stage.steps(), ["connect 3"]);
    stage.fails("alreadyConnected");
    assertEquals(stage.steps(), ["leave"]);
    assertEquals(stage.leaves(), status);
  }
});

Deno.test("Script runs fingerprint, verify and block in order, and fails for an unknown peer", () => {
  const stage = new Stage({}, "fingerprint", "connect 2", "verify", "hi", "block bob", "unblock");
  stage.script.end();
  stage.registers();
  assertEquals(stage.steps(), ["fingerprint", "connect 2"]);
  stage.connects();
  assertEquals(stage.steps(), ["verify", "send hi"]);
  stage.delivers();
  assertEquals(stage.steps(), ["block bob", "unblock", "terminate"]);
  stage.fails("unknownPeer");
  stage.terminates("local");
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(), ExitStatus.failure);
});

Deno.test("Script keeps at most SEND_WINDOW messages undelivered", () => {
  const lines = Array.from({ length: SEND_WINDOW + 2 }, (_, index) => `${index}`);
  const stage = Stage.registered({}, ...lines);
  stage.connects();
  assertEquals(stage.steps().length, SEND_WINDOW);
  assertEquals(stage.steps(), []);
  stage.delivers(1);
  assertEquals(stage.steps(), [`send ${SEND_WINDOW}`]);
});

Deno.test("Script continues when the connection ends while it waits for deliveries", () => {
  const stage = new Stage({}, "one", "list");
  stage.script.end();
  stage.registers();
  stage.connects();
  assertEquals(stage.steps(), ["send one"]);
  stage.terminates("timeout", 1);
  assertEquals(stage.steps(), ["list"]);
  stage.script.handle({ kind: "list", clients: [] });
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(1), ExitStatus.undelivered);
});

Deno.test("Script waits for a request before accept and reject", () => {
  const stage = Stage.registered({}, "reject", "accept");
  assertEquals(stage.steps(), []);
  stage.rings(ANA);
  assertEquals(stage.steps().slice(0, 1), ["reject"]);
  const other = Stage.registered({}, "accept bob", "hi");
  other.rings(ANA);
  assertEquals(other.steps(), []);
  other.rings(ANA, { id: 7, name: "BOB" });
  assertEquals(other.steps().slice(0, 1), ["accept bob"]);
});

Deno.test("Script runs accept for a request that arrived before it", () => {
  const stage = Stage.registered({}, "accept 2");
  stage.rings(ANA, BOB);
  assertEquals(stage.script.poll(0, stage.view), {
    kind: "run",
    command: { command: "accept", peer: 2 },
  });
});

Deno.test("Script skips accept where --accept-all already accepted", () => {
  const stage = Stage.registered({ acceptAll: true }, "accept", "hi");
  assertEquals(stage.steps(), []);
  stage.connects();
  assertEquals(stage.steps(), ["send hi"]);
});

Deno.test("Script connects to a peer that --accept-all accepted already by switching to it", () => {
  const stage = Stage.registered({ acceptAll: true }, "connect bob", "hi");
  stage.connects(BOB);
  stage.connects(CAROL);
  assertEquals(stage.steps().slice(0, 1), ["switch bob"]);
  assertEquals(stage.script.status, ExitStatus.ok);
});

Deno.test("Script skips an accept for a peer that came back, once for each time", () => {
  const stage = Stage.registered({}, "accept", "hi", "accept bob", "again", "accept");
  stage.connects(BOB);
  assertEquals(stage.steps(), []);
  stage.returns(BOB);
  assertEquals(stage.steps(), ["send hi"]);
  stage.delivers();
  assertEquals(stage.steps(), []);
  stage.returns(BOB);
  assertEquals(stage.steps(), ["send again"]);
  stage.delivers();
  assertEquals(stage.steps(), []);
  assertEquals(stage.script.status, ExitStatus.ok);
});

Deno.test("Script accepts a request that waits before it counts a peer that came back", () => {
  const stage = Stage.registered({}, "accept ana", "accept bob", "accept");
  stage.connects(BOB);
  stage.returns(BOB);
  assertEquals(stage.steps(), []);
  stage.rings(ANA);
  assertEquals(stage.script.poll(0, stage.view), {
    kind: "run",
    command: { command: "accept", peer: "ana" },
  });
  stage.rings();
  assertEquals(stage.steps(), []);
  stage.returns(BOB);
  stage.terminates("peer");
  assertEquals(stage.steps(), []);
});

Deno.test("Script skips terminate where the peer already terminated", () => {
  const stage = new Stage({}, "terminate");
  stage.script.end();
  stage.registers();
  stage.connects();
  stage.terminates("peer");
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(), ExitStatus.ok);
});

Deno.test("Script fails to terminate without a connection", () => {
  const stage = Stage.registered({}, "terminate");
  assertEquals(stage.steps(), ["terminate"]);
  stage.fails("notConnected");
  assertEquals(stage.script.status, ExitStatus.failure);
});

Deno.test("Script reports invalid lines, and continues", () => {
  const stage = new Stage({}, "conect 2", "hello");
  stage.script.feed({ problem: "tooLong" });
  stage.script.feed({ problem: "notUtf8" });
  stage.script.end();
  stage.registers();
  assertEquals(stage.steps(), [
    'Unknown command "conect": did you mean "connect"?',
    'Unknown command "hello": type help, or connect NAME to talk',
    "Cannot read a line of more than 524288 bytes",
    "Cannot read a line that is not UTF-8; convert the input, as with iconv -t UTF-8",
    "leave",
  ]);
  assertEquals(stage.leaves(), ExitStatus.usage);
});

Deno.test("Script counts messages after the end of the connection as undelivered", () => {
  for (const line of ["hello", "send hello"]) {
    const stage = Stage.registered({});
    stage.connects();
    stage.terminates("peer");
    stage.script.feed({ text: line });
    assertEquals(stage.steps().length, 1);
    assertEquals(stage.script.status, ExitStatus.undelivered);
  }
});

Deno.test("Script counts a message that is too long as undelivered", () => {
  const stage = Stage.registered({}, "hello");
  stage.connects();
  stage.steps();
  stage.fails("tooLong");
  assertEquals(stage.script.status, ExitStatus.undelivered);
});

Deno.test("Script waits for deliveries at the end of the input, terminates, and leaves", () => {
  const stage = new Stage({}, "hello");
  stage.script.end();
  stage.registers();
  stage.connects();
  assertEquals(stage.steps(), ["send hello"]);
  stage.assertEnds();
});

Deno.test("Script runs nothing after leave", () => {
  const stage = Stage.registered({}, "leave", "list");
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(), ExitStatus.ok);
});

Deno.test("Script fails if the leave is not acknowledged, or leaves messages undelivered", () => {
  const silent = Stage.registered({}, "leave");
  silent.steps();
  assertEquals(silent.leaves(0, false), ExitStatus.serverTimeout);
  const lossy = Stage.registered({}, "leave");
  lossy.steps();
  assertEquals(lossy.leaves(2, false), ExitStatus.undelivered);
});

Deno.test("Script fails if the client cannot register", () => {
  const failures: [ErrorCode, ExitStatus][] = [
    ["serverTimeout", ExitStatus.serverTimeout],
    ["serverUnavailable", ExitStatus.serverTimeout],
    ["refused", ExitStatus.failure],
  ];
  for (const isTyped of [false, true]) {
    for (const [code, status] of failures) {
      const stage = new Stage({ isTyped }, "connect 2");
      stage.fails(code);
      assertEquals(stage.leaves(0, false), status);
    }
  }
});

Deno.test("Script with --connect and --send delivers, terminates and leaves", () => {
  const stage = Stage.registered({ connect: "bob", send: "hi" });
  assertEquals(stage.steps(), ["connect bob"]);
  stage.connects();
  assertEquals(stage.steps(), ["send hi"]);
  stage.assertEnds();
});

Deno.test("Script with --connect ends at the first failure", () => {
  const stage = Stage.registered({ connect: 2, send: "hi" });
  stage.steps();
  stage.fails({ kind: "inactive", peer: 2 });
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.leaves(), ExitStatus.inactive);
  const later = Stage.registered({ connect: 2 }, "hello");
  later.steps();
  later.connects();
  assertEquals(later.steps(), ["send hello"]);
  later.terminates("timeout", 1);
  later.script.feed({ text: "list" });
  assertEquals(later.steps(), ["leave"]);
  assertEquals(later.leaves(1), ExitStatus.undelivered);
});

Deno.test("Script on a terminal fails for --connect, and after that only for the leave", () => {
  const stage = Stage.registered({ connect: 2, isTyped: true });
  assertEquals(stage.steps(), ["connect 2"]);
  stage.connects();
  assertEquals(stage.steps(), []);
  stage.fails("tooLong");
  stage.terminates("timeout", 1);
  assertEquals(stage.steps(), []);
  assertEquals(stage.leaves(), ExitStatus.ok);
  const failing = Stage.registered({ connect: 2, isTyped: true });
  failing.steps();
  failing.fails({ kind: "rejected", peer: 2, name: "bob", reason: 1 });
  assertEquals(failing.steps(), ["leave"]);
  assertEquals(failing.leaves(), ExitStatus.rejected);
});

Deno.test("Script on a terminal ignores failures of commands that are typed early", () => {
  const stage = new Stage({ connect: 2, isTyped: true });
  stage.script.handle({ kind: "error", code: "notRegistered", message: "" });
  stage.registers();
  assertEquals(stage.steps(), ["connect 2"]);
  stage.script.handle({ kind: "error", code: "noRequest", message: "" });
  assertEquals(stage.steps(), []);
  stage.connects();
  assertEquals(stage.steps(), []);
  assertEquals(stage.leaves(), ExitStatus.ok);
});

Deno.test("Script wants input only when no command waits", () => {
  const stage = new Stage();
  assertEquals(stage.script.wantsInput, true);
  stage.script.feed({ text: "accept" });
  stage.registers();
  stage.steps();
  assertEquals(stage.script.wantsInput, false);
  const full = Stage.registered({}, "help");
  assertEquals(full.steps(), ["help"]);
  assertEquals(full.script.wantsInput, true);
});

Deno.test("Script waits for the answer to nick", () => {
  const answers: ((stage: Stage) => void)[] = [
    (stage) => stage.registers({ ...ANA, name: "bea" }),
    (stage) => stage.fails("refused"),
  ];
  for (const answer of answers) {
    const stage = Stage.registered({}, "nick bea", "list");
    assertEquals(stage.steps(), ["nick bea"]);
    assertEquals(stage.steps(), []);
    answer(stage);
    assertEquals(stage.steps(), ["list"]);
  }
});

Deno.test("Script takes a conversation that goes on for the connection that it wants or accepts", () => {
  for (const [line, steps] of [["connect bob", ["switch bob"]], ["accept", []]] as const) {
    const stage = Stage.registered({}, line, "hello");
    stage.connects(BOB);
    stage.returns(BOB, "self");
    assertEquals(stage.steps(), [...steps, "send hello"]);
  }
});

Deno.test("Script gives up a call after the timeout, cancels it, and goes on", () => {
  const stage = Stage.registered({ timeout: 5000 }, "connect bob", "list");
  assertEquals(stage.steps(), ["connect bob"]);
  assertEquals(stage.script.nextTimeout(), 5000);
  assertEquals(stage.stepsAfter(4.9), []);
  stage.finds(BOB);
  assertEquals(stage.stepsAfter(0.1), ["No answer from bob within 5 s", "terminate 2", "list"]);
  assertEquals(stage.script.status, ExitStatus.timeout);
});

Deno.test("Script gives each step the timeout anew, from where it begins to wait", () => {
  const stage = Stage.registered({ timeout: 5000 }, "accept", "reject bob", "list");
  assertEquals(stage.steps(), []);
  assertEquals(stage.stepsAfter(5), ["No Connection Request came within 5 s"]);
  assertEquals(stage.stepsAfter(4.9), []);
  assertEquals(stage.stepsAfter(0.1), ["No Connection Request came within 5 s", "list"]);
  assertEquals(stage.stepsAfter(5), ["The list did not come within 5 s"]);
  assertEquals(stage.script.nextTimeout(), undefined);
  assertEquals(stage.script.status, ExitStatus.timeout);
});

Deno.test("Script goes on without the delivery of a message after the timeout", () => {
  const stage = Stage.registered({ timeout: 5000 }, "hi", "more", "list");
  stage.connects();
  assertEquals(stage.steps(), ["send hi", "send more"]);
  stage.stepsAfter(4);
  stage.delivers(1);
  assertEquals(stage.steps(), []);
  assertEquals(stage.stepsAfter(4.9), []);
  assertEquals(stage.stepsAfter(0.1), ["Not delivered within 5 s", "list"]);
  assertEquals(stage.script.status, ExitStatus.undelivered);
});

Deno.test("Script ends at once when the leave takes longer than the timeout", () => {
  const stage = Stage.registered({ timeout: 5000 }, "leave");
  assertEquals(stage.steps(), ["leave"]);
  assertEquals(stage.stepsAfter(5), ["abandon"]);
});

Deno.test("Script on a terminal times out only for --connect", () => {
  const stage = Stage.registered({ connect: "bob", isTyped: true, timeout: 5000 });
  assertEquals(stage.steps(), ["connect bob"]);
  stage.connects();
  assertEquals(stage.steps(), []);
  assertEquals(stage.script.nextTimeout(), undefined);
});

/** A script with `--connect`, `--send` and `--wait-reply 3`, whose message is sent. */
function waitingForReply(): Stage {
  const stage = Stage.registered({ connect: "bob", send: "ping", waitReply: 3000 });
  stage.steps();
  stage.connects();
  stage.script.handle({ kind: "message", peer: 2, name: "bob", textSeq: 0, text: "welcome" });
  assertEquals(stage.steps(), ["send ping"]);
  stage.script.handle({ kind: "sent", peer: 2, textSeq: 0 });
  return stage;
}

Deno.test("Script with --wait-reply ends at the next message of the peer after its own", () => {
  const stage = waitingForReply();
  stage.script.handle({ kind: "message", peer: 3, name: "eve", textSeq: 0, text: "me, too" });
  assertEquals(stage.steps(), []);
  stage.script.handle({ kind: "message", peer: 2, name: "bob", textSeq: 1, text: "pong" });
  assertEquals(stage.steps(), []);
  stage.assertEnds();
});

Deno.test("Script with --wait-reply fails when no message comes in time, from the delivery on", () => {
  const stage = waitingForReply();
  assertEquals(stage.stepsAfter(10), []);
  stage.delivers();
  assertEquals(stage.stepsAfter(2.9), []);
  assertEquals(stage.stepsAfter(3), ["No reply came within 3 s", "leave"]);
  assertEquals(stage.leaves(), ExitStatus.timeout);
});

Deno.test("Script with --wait-reply fails when the connection ends", () => {
  const stage = waitingForReply();
  stage.delivers();
  stage.terminates("peer");
  assertEquals(stage.steps(), ["No reply came: the connection has ended", "leave"]);
  assertEquals(stage.leaves(), ExitStatus.timeout);
});

Deno.test("Script fails if a transcript cannot be kept, and goes on", () => {
  const error = { kind: "error", code: "log", message: "" } as const;
  const stage = new Stage({ connect: "bob", send: "hi" });
  stage.script.handle(error);
  stage.registers();
  assertEquals(stage.steps(), ["connect bob"]);
  stage.connects();
  assertEquals(stage.steps(), ["send hi"]);
  assertEquals(stage.script.status, ExitStatus.failure);
  const typed = new Stage({ isTyped: true });
  typed.script.handle(error);
  assertEquals(typed.script.status, ExitStatus.ok);
});
