import { assert, assertEquals } from "@std/assert";
import { DIRECTORY_RTO_MIN } from "../../protocol/directory/outstanding.ts";
import { DIRECTORY, LEASE, story } from "./stage.ts";

story("a client registers within two round trips, and reports its address", (stage) => {
  const ana = stage.client("ana");
  stage.wait(1000);
  assertEquals(ana.eventTimes("registered"), [80]);
  const { id, name, address, server, serverKey } = ana.last("registered");
  assertEquals([id, name, server], [1, "ana", "localhost:7070"]);
  assertEquals([address, serverKey], [ana.host.address, stage.directoryIdentity.publicKey]);
  assertEquals(stage.table, [1]);
});

for (const kind of ["credentials", "challenge"] as const) {
  story(`a lost ${kind} frame is repaired by another Register`, (stage) => {
    stage.lose(kind);
    const ana = stage.client("ana");
    stage.wait(11_000);
    assertEquals(stage.times("credentials"), [0, stage.after(500), stage.after(500) + 40]);
    assertEquals(stage.times("register"), [stage.after(500) + 40]);
    assertEquals(ana.eventTimes("registered"), [stage.after(500) + 80]);
  });
}

story("a lost sealed Register is sent again, with its cookie, in another packet", (stage) => {
  stage.lose("register");
  const ana = stage.client("ana");
  stage.wait(12_000);
  // The Challenge showed that the directory is there: the intervals begin anew.
  assertEquals(stage.times("register"), [40, 40 + stage.after(500)]);
  assertEquals(stage.times("challenge").length, 1);
  assertEquals(ana.eventTimes("registered"), [80 + stage.after(500)]);
  const sealed = stage.datagrams(ana).filter((each) => each.frame("register") !== undefined);
  assertEquals(sealed.map((each) => each.decoded.ok && each.decoded.header.packet), [0, 1]);
});

story("a lost Registered is repeated, and the client is in the table once", (stage) => {
  stage.lose("registered");
  const ana = stage.client("ana");
  stage.wait(12_000);
  assertEquals(stage.times("registered"), [60, 60 + stage.after(500)]);
  assertEquals(ana.eventTimes("registered"), [80 + stage.after(500)]);
  assertEquals(ana.id, 1);
  assertEquals(stage.directory.events.filter(({ event }) => event.kind === "joined").length, 1);
});

story("an expired cookie gets a new Challenge, and the client registers", (stage) => {
  const ana = stage.client("ana");
  stage.wait(30);
  // A restarted directory has another cookie key.
  stage.restartDirectory();
  stage.wait(12_000);
  assertEquals(stage.times("challenge"), [20, 60]);
  assertEquals(ana.eventTimes("registered"), [80 + stage.after(500)]);
});

story("a client without an answer gives up after 30 s", (stage) => {
  stage.directory.crash();
  const ana = stage.client("ana");
  stage.wait(60_000);
  assertEquals(ana.eventTimes("serverLost"), [stage.after(0) + 5000]);
  assertEquals(ana.errors, ["serverTimeout"]);
  assertEquals(ana.eventTimes("left"), [30_000]);
  assertEquals(ana.view.state, "left");
  assertEquals(ana.nextTimeout, undefined);
  const fixed = [0, 10_000, 20_000];
  const adaptive = [0, 500, 1500, 3500, 7500, 15_500, 25_500];
  assertEquals(stage.times("credentials"), stage.mode === "fixed" ? fixed : adaptive);
});

story("the id of another client is refused", (stage) => {
  stage.client("ana", { id: 7 });
  stage.wait(100);
  const ben = stage.client("ben", { id: 7 });
  stage.wait(100);
  assertEquals(ben.errors, ["refused"]);
  assertEquals(
    ben.last("error").message,
    "Client id 7 is taken; if that was you, it is free again in less than a minute",
  );
  assertEquals(ben.last("left"), { kind: "left", undelivered: 0, acknowledged: false });
  assertEquals(stage.table, [7]);
});

story("the name of another client is refused, also in another case", (stage) => {
  stage.client("Ana");
  stage.wait(100);
  const ben = stage.client("ana");
  stage.wait(100);
  assertEquals(ben.errors, ["refused"]);
  assertEquals(ben.view.state, "left");
});

story("a client renews its lease after each third of it, and sends nothing else", (stage) => {
  stage.clients("ana");
  const since = stage.now;
  stage.wait(5 * LEASE);
  const times = stage.times("leaseKeepalive", undefined, since);
  assertEquals(times.length, 14);
  // The next third starts at the acknowledgement.
  assertEquals(times.slice(0, 3), [14_980, 30_020, 45_060]);
  assertEquals(stage.datagrams(undefined, since).length, 2 * times.length);
  assertEquals(stage.table, [1]);
});

for (const kind of ["leaseKeepalive", "leaseKeepaliveAck"] as const) {
  story(`a lost ${kind} frame is repaired before the lease ends`, (stage) => {
    const [ana] = stage.clients("ana");
    stage.lose(kind);
    stage.wait(LEASE);
    const [first, second] = stage.times("leaseKeepalive");
    assertEquals(second! - first!, stage.after(DIRECTORY_RTO_MIN));
    assertEquals(ana!.events("serverLost"), []);
    assertEquals(stage.table, [1]);
  });
}

story("a client that crashed leaves the table when its lease ends", (stage) => {
  const [ana] = stage.clients("ana");
  ana!.crash();
  stage.wait(LEASE - 100);
  assertEquals(stage.table, [1]);
  stage.wait(100);
  assertEquals(stage.table, []);
  assertEquals(stage.directory.events.filter(({ event }) => event.kind === "expired").length, 1);
});

story("a client that restarts at its address gets its id back at once", (stage) => {
  const [, ben] = stage.clients("ana", "ben");
  ben!.restart();
  stage.wait(100);
  assertEquals(ben!.events("registered").map(({ id }) => id), [2, 2]);
  assertEquals(stage.table, [1, 2]);
});

story("a directory that stops answering is reported as lost, and as back", (stage) => {
  const [ana] = stage.clients("ana");
  stage.network.cut("ana", "directory", stage.now + 40_000);
  const since = stage.now;
  stage.wait(60_000);
  assertEquals(ana!.eventTimes("serverLost", since), [14_980 + stage.after(0) + 5000]);
  assertEquals(ana!.events("serverBack").length, 1);
  assertEquals(ana!.events("registered").length, 1);
  assertEquals(stage.table, [1]);
});

story("a client whose lease expired registers again with the same id", (stage) => {
  const [ana] = stage.clients("ana", "ben");
  stage.network.cut("ana", "directory", stage.now + 70_000);
  stage.wait(69_000);
  assertEquals(stage.table, [2]);
  stage.wait(13_000);
  assertEquals(stage.table, [1, 2]);
  assertEquals(ana!.id, 1);
  assertEquals(ana!.view.serverLostSince, undefined);
});

story("the clients of a restarted directory register again with their ids", (stage) => {
  const [ana, ben] = stage.pair();
  stage.directory.crash();
  stage.wait(40_000);
  ana.send("still there?");
  stage.wait(100);
  assertEquals(ben.texts, ["still there?"]);
  assertEquals([ana, ben].map((each) => each.events("serverLost").length), [1, 1]);
  stage.restartDirectory();
  stage.wait(30_000);
  assertEquals([ana, ben].map((each) => each.events("serverBack").length), [1, 1]);
  assertEquals(stage.table, [1, 2]);
  ben.send("always");
  stage.wait(100);
  assertEquals(ana.texts, ["always"]);
  assertEquals(ana.events("registered").length, 1);
  assertEquals(ana.events("terminated"), []);
});

story("an id that was taken meanwhile is replaced, and the connection continues", (stage) => {
  const [ana, ben] = stage.pair();
  stage.directory.crash();
  stage.restartDirectory();
  const cleo = stage.client("cleo", { id: 1 });
  stage.wait(40_000);
  assertEquals(cleo.id, 1);
  assertEquals(ben.id, 2);
  assertEquals(ana.events("registered").map(({ id }) => id), [1, 3]);
  assertEquals(stage.table, [1, 2, 3]);
  ana.send("me again");
  ben.send("who else");
  stage.wait(100);
  assertEquals([...ben.texts, ...ana.texts], ["me again", "who else"]);
});

story("a name that was taken meanwhile is given up, and the connection continues", (stage) => {
  const [ana, ben] = stage.pair();
  stage.directory.crash();
  stage.restartDirectory();
  stage.client("another", { id: 9, name: "ana" });
  stage.wait(40_000);
  assertEquals(ana.events("registered").map(({ id, name }) => [id, name]), [[1, "ana"], [1, ""]]);
  assertEquals(stage.table, [1, 2, 9]);
  ana.send("me again");
  stage.wait(100);
  assertEquals(ben.texts, ["me again"]);
});

story("a directory that crashes after its Challenge is reported as lost", (stage) => {
  const [ana] = stage.clients("ana");
  stage.directory.crash();
  stage.restartDirectory();
  const since = stage.now;
  stage.network.script((datagram) => datagram.frame("registered") && "drop");
  stage.wait(15_100);
  assertEquals(stage.times("challenge", undefined, since).length, 1);
  stage.directory.crash();
  stage.wait(20_000);
  assertEquals(ana!.events("serverLost").length, 1);
  assert(ana!.view.serverLostSince !== undefined);
});

story("a replayed answer of the directory has no effect", (stage) => {
  const [ana] = stage.clients("ana");
  const answer = stage.datagrams().find((datagram) => datagram.frame("registered"))!;
  const before = ana!.view;
  stage.network.transmit(DIRECTORY, ana!.host.address, answer.bytes);
  stage.wait(100);
  assertEquals(ana!.view, before);
  assertEquals(ana!.events("registered").length, 1);
});
