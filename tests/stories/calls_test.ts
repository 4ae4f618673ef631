// Several calls at a time.
import { assertEquals } from "@std/assert";
import { UNANSWERED_AFTER } from "../../client/state/calls.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { type Actor, type Stage, story } from "./stage.ts";

/** Ana (1), who calls ben (2) and then cleo (3); both ring. */
function calling(stage: Stage): [Actor, Actor, Actor] {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  ana.connect("ben");
  stage.wait(200);
  ana.connect(3);
  stage.wait(200);
  return [ana, ben, cleo];
}

/** Whom a client calls. */
function callees({ view: { calls } }: Actor): unknown[] {
  return calls.map(({ peer }) => peer);
}

story("cleo is called while ben still rings, and both accept", (stage) => {
  const [ana, ben, cleo] = calling(stage);
  assertEquals([callees(ana), ana.view.outgoing?.peer], [[2, 3], 3]);
  assertEquals(ana.view.calls.map(({ isRinging }) => isRinging), [true, true]);
  ben.accept();
  stage.wait(200);
  assertEquals([ana.view.peer?.id, callees(ana)], [2, [3]]);
  cleo.accept();
  stage.wait(200);
  assertEquals([ana.view.peer?.id, ana.view.others.map(({ id }) => id)], [3, [2]]);
  assertEquals(ana.events("connected").map(({ calledAs }) => calledAs), ["ben", 3]);
  assertEquals([ana.errors, callees(ana)], [[], []]);
});

story("of two calls, one is rejected and the other one goes on", (stage) => {
  const [ana, ben, cleo] = calling(stage);
  ben.reject();
  stage.wait(200);
  assertEquals(ana.events("rejected").map(({ peer }) => peer), [2]);
  assertEquals([ana.view.state, callees(ana)], ["requesting", [3]]);
  cleo.accept();
  stage.wait(200);
  assertEquals(ana.view.peer?.id, 3);
});

story("the latest call is cancelled first, or the one that is named", (stage) => {
  const [ana, ben, cleo] = calling(stage);
  ana.cancel();
  stage.wait(200);
  assertEquals([callees(ana), cleo.view.requests, ben.view.requests.length], [[2], [], 1]);
  ana.connect("cleo");
  stage.wait(200);
  ana.terminate("Ben");
  stage.wait(200);
  assertEquals([callees(ana), ben.view.requests], [[3], []]);
  assertEquals(ana.events("cancelled").map(({ peer }) => peer), [3, 2]);
  ana.leave();
  stage.wait(1000);
  assertEquals([cleo.view.requests, ana.last("left").acknowledged], [[], true]);
});

story("a second call of the same client is an error, and has no effect", (stage) => {
  const [ana, ben] = calling(stage);
  ana.connect("Ben");
  ana.connect(2);
  assertEquals(ana.errors, ["alreadyRequesting", "alreadyRequesting"]);
  // That a name is the other one's, only the directory knows.
  ana.connect("cleo");
  stage.wait(200);
  assertEquals(ana.errors.length, 3);
  assertEquals([callees(ana), ana.view.calls.length], [[2, 3], 2]);
  assertEquals(ben.events("request").length, 1);
});

story("a call that crosses is one connection, and the other call goes on", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  ana.connect("cleo");
  stage.wait(200);
  ana.connect(2);
  ben.connect(1);
  stage.wait(1000);
  assertEquals([ana.view.peer?.id, ben.view.peer?.id, callees(ana)], [2, 1, [3]]);
  assertEquals([ana.view.requests, ben.view.requests], [[], []]);
  cleo.accept();
  stage.wait(200);
  assertEquals(ana.view.others.length, 1);
});

story("of several calls it is told for each that nothing came back", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  for (const each of [ben, cleo]) each.host.crash();
  ana.connect(2);
  ana.connect(3);
  stage.wait(10_000 + 2 * UNANSWERED_AFTER);
  const told = ana.events("unanswered").map(({ peer, by }) => [peer, by]);
  assertEquals(told, [[2, "peer"], [3, "peer"]]);
});

story("calls count as connections: there are no more than 16 in all", (stage) => {
  const names = Array.from({ length: CONNECTIONS_MAX + 1 }, (_, index) => `b${index}`);
  const [ana, ...others] = stage.clients("ana", ...names) as [Actor, ...Actor[]];
  for (const [index, { id }] of others.entries()) {
    if (index === 0) stage.connect(ana, others[0]!);
    else ana.connect(id);
    stage.wait(600);
  }
  assertEquals([ana.view.calls.length, ana.errors], [CONNECTIONS_MAX - 1, ["tooManyConnections"]]);
});
