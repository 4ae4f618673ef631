import { assert, assertEquals } from "@std/assert";
import { DIRECTORY_RTO_MIN } from "../../protocol/directory/outstanding.ts";
import { LEASE, story } from "./stage.ts";

for (const kind of ["call", "meeting"] as const) {
  story(`a lost ${kind} frame is repaired by another Call`, (stage) => {
    const [ana, ben] = stage.clients("ana", "ben");
    stage.lose(kind, kind === "meeting" ? { to: ana! } : {});
    const since = stage.now;
    ana!.connect("ben");
    stage.wait(11_000);
    assertEquals(stage.times("call", ana, since), [0, stage.after(DIRECTORY_RTO_MIN)]);
    assertEquals(ben!.eventTimes("request", since), [stage.after(DIRECTORY_RTO_MIN) + 100]);
  });
}

story("a lost Inactive is repeated, and reported once", (stage) => {
  const [ana] = stage.clients("ana");
  stage.lose("inactive");
  ana!.connect(5);
  stage.wait(11_000);
  assertEquals(stage.times("inactive").length, 2);
  assertEquals(ana!.events("inactive"), [{ kind: "inactive", peer: 5 }]);
  assertEquals(ana!.view.state, "idle");
});

story("an unknown name is inactive", (stage) => {
  const [ana] = stage.clients("ana");
  ana!.connect("Борис");
  stage.wait(100);
  assertEquals(ana!.events("inactive"), [{ kind: "inactive", peer: "Борис" }]);
});

for (const kind of ["list", "listing"] as const) {
  story(`a lost ${kind} frame is repaired, and the list is reported once`, (stage) => {
    const [ana] = stage.clients("ana", "ben");
    stage.lose(kind);
    ana!.list();
    stage.wait(11_000);
    const clients = [{ id: 1, name: "ana" }, { id: 2, name: "ben" }];
    assertEquals(ana!.events("list"), [{ kind: "list", clients }]);
    assertEquals(stage.times("list").length, 2);
  });
}

story("a list of more clients than fit into a datagram is complete", (stage) => {
  const names = Array.from({ length: 60 }, (_, index) => `client-${"x".repeat(23)}${index}`);
  const [first] = stage.clients(...names);
  stage.lose("listing");
  first!.list();
  first!.list();
  stage.wait(12_000);
  assert(stage.times("list").length > 2);
  assertEquals(first!.events("list").length, 1);
  assertEquals(first!.last("list").clients, names.map((name, index) => ({ id: index + 1, name })));
});

story("queries without an answer fail after 30 s", (stage) => {
  const [ana] = stage.clients("ana", "ben");
  stage.directory.crash();
  const since = stage.now;
  ana!.connect(2);
  stage.wait(10);
  ana!.list();
  stage.wait(40_000);
  assertEquals(ana!.eventTimes("error", since), [30_000, 30_010]);
  assertEquals(ana!.errors, ["serverTimeout", "serverTimeout"]);
  assertEquals(ana!.events("list"), []);
  assertEquals(ana!.view.state, "idle");
  stage.restartDirectory();
  stage.wait(30_000);
  ana!.list();
  stage.wait(100);
  assertEquals(ana!.events("list").length, 1);
});

story("a query to a restarted directory is answered after the registration", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  stage.restartDirectory();
  stage.wait(20_000);
  assertEquals(stage.table, [1, 2]);
  stage.restartDirectory();
  ana!.connect("ben");
  stage.wait(LEASE);
  assertEquals(stage.table, [1, 2]);
  // Ben may have registered again before the query or not.
  assertEquals(ana!.events("inactive").length + ben!.events("request").length, 1);
});

story(
  "a peer that has another id since a restart is found connected, by that id as well",
  (stage) => {
    const [ana, ben] = stage.pair();
    stage.restartDirectory();
    const [cleo] = stage.clients("cleo");
    stage.wait(LEASE);
    assertEquals([cleo!.id, ana.id], [1, 3]);
    ben.connect(3);
    stage.wait(stage.after(1000));
    assertEquals([ben.errors, ana.events("request")], [["alreadyConnected"], []]);
    ben.send("the same as before");
    stage.wait(100);
    assertEquals(ana.texts, ["the same as before"]);
  },
);

for (const kind of ["leave", "leaveAck"] as const) {
  story(`a lost ${kind} frame is repaired by another Client Leave`, (stage) => {
    const [ana] = stage.clients("ana");
    stage.lose(kind);
    const since = stage.now;
    ana!.leave();
    stage.wait(30_000);
    assertEquals(stage.times("leave", ana, since), [0, stage.after(DIRECTORY_RTO_MIN)]);
    assertEquals(ana!.eventTimes("left", since), [stage.after(DIRECTORY_RTO_MIN) + 40]);
    assertEquals(ana!.last("left"), { kind: "left", undelivered: 0, acknowledged: true });
    assertEquals(stage.table, []);
    assertEquals(ana!.nextTimeout, undefined);
  });
}

story("a leave without an answer of the directory ends after 30 s", (stage) => {
  const [ana] = stage.clients("ana");
  stage.directory.crash();
  const since = stage.now;
  ana!.leave();
  assertEquals(ana!.view.state, "leaving");
  assertEquals(ana!.view.leaveBy, stage.network.instant() + 30_000);
  stage.wait(29_999);
  assertEquals(ana!.events("left"), []);
  stage.wait(1);
  assertEquals(ana!.eventTimes("left", since), [30_000]);
  assertEquals(ana!.last("left").acknowledged, false);
  assertEquals(ana!.nextTimeout, undefined);
});

story("a client that leaves before it is registered leaves at once", (stage) => {
  stage.directory.crash();
  const ana = stage.client("ana");
  ana.leave();
  assertEquals(ana.last("left"), { kind: "left", undelivered: 0, acknowledged: false });
  assertEquals(ana.nextTimeout, undefined);
});

story("a client that has left ignores commands and datagrams", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.leave();
  stage.wait(100);
  const since = stage.now;
  ana!.connect(2);
  ana!.list();
  ana!.leave();
  ana!.abandon();
  ben!.connect(1);
  stage.wait(1000);
  assertEquals(stage.times("connectionRequest").length, 0);
  assertEquals(stage.datagrams(ana, since), []);
  assertEquals(ana!.events("left").length, 1);
});

story("an abandoned client sends one Client Leave, and does not wait", (stage) => {
  const [ana, ben] = stage.pair();
  stage.cut(ana, ben);
  ana.send("lost for ever");
  stage.wait(100);
  const since = stage.now;
  ana.abandon();
  assertEquals(ana.last("terminated").undelivered, 1);
  assertEquals(ana.last("left"), { kind: "left", undelivered: 1, acknowledged: false });
  assertEquals(ana.nextTimeout, undefined);
  stage.wait(100);
  assertEquals(stage.times("leave", ana, since), [0]);
  assertEquals(stage.table, [2]);
  stage.wait(stage.silenceLimit);
  assertEquals(ben.last("terminated").by, "timeout");
});

story("a leave that takes too long can be abandoned", (stage) => {
  const [ana] = stage.clients("ana");
  stage.directory.crash();
  ana!.leave();
  stage.wait(2000);
  ana!.abandon();
  assertEquals(ana!.events("left"), [{ kind: "left", undelivered: 0, acknowledged: false }]);
  assertEquals(ana!.nextTimeout, undefined);
});
