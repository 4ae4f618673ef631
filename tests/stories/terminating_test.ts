import { assert, assertEquals } from "@std/assert";
import { type Actor, story } from "./stage.ts";

/** Who ended the connection, and the undelivered messages, for each client. */
function endings(...actors: Actor[]): string[] {
  return actors.map((each) => {
    const all = each.events("terminated");
    assertEquals(all.length, 1, `${each.name} has ${all.length} endings`);
    return `${all[0]!.by} ${all[0]!.undelivered}`;
  });
}

story("a termination ends the connection at both ends, which report by which side", (stage) => {
  const [ana, ben] = stage.pair();
  ana.send("bye");
  ana.terminate();
  assertEquals(ana.view.state, "terminating");
  ana.send("too late");
  assertEquals(ana.errors, ["notConnected"]);
  stage.wait(200);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
  assertEquals(ben.texts, ["bye"]);
  assertEquals([ana, ben].map((each) => each.view.state), ["idle", "idle"]);
});

story("a lost Termination is sent again", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("connectionTermination");
  const since = stage.now;
  ana.terminate();
  stage.wait(11_000);
  assertEquals(stage.times("connectionTermination", ana, since), [0, stage.after(1000)]);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
});

story("a lost Termination Ack is sent again when the Termination is", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("connectionTerminationAck");
  const since = stage.now;
  ana.terminate();
  stage.wait(11_000);
  assertEquals(stage.times("connectionTerminationAck", ben, since), [20, stage.after(1000) + 20]);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
});

story("a Termination without an ack is sent three times", (stage) => {
  const [ana, ben] = stage.pair();
  ben.crash();
  const since = stage.now;
  ana.terminate();
  stage.wait(60_000);
  const times = stage.mode === "fixed" ? [0, 10_000, 20_000] : [0, 1000, 3000];
  assertEquals(stage.times("connectionTermination", ana, since), times);
  assertEquals(endings(ana), ["timeout 0"]);
  assertEquals(ana.eventTimes("terminated", since), [stage.mode === "fixed" ? 30_000 : 7000]);
  assertEquals(ana.view.state, "idle");
});

story("messages in flight at a termination are delivered both ways", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message", { times: 2 });
  ana.send("from ana", "and more");
  ben.send("from ben");
  ana.terminate();
  stage.wait(31_000);
  assertEquals(ben.texts, ["from ana", "and more"]);
  assertEquals(ana.texts, ["from ben"]);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
});

story("messages of the peer in flight when the Termination arrives are delivered", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message");
  ben.send("lost at first");
  stage.wait(10);
  ana.terminate();
  stage.wait(31_000);
  assertEquals(ana.texts, ["lost at first"]);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
  assertEquals(ben.events("delivered").length, 1);
});

story("messages that are not sent when the Termination arrives are undelivered", (stage) => {
  const [ana, ben] = stage.pair();
  // More than can be in flight at once.
  const text = "x".repeat(60_000);
  ben.send("short", text, text);
  ana.terminate();
  stage.wait(1000);
  const sent = stage.mode === "fixed" ? 2 : 1;
  assertEquals(ana.texts.length, sent);
  assertEquals(endings(ana, ben), ["local 0", `peer ${3 - sent}`]);
  assertEquals(ben.events("delivered").length, sent);
});

story("two terminations at once end the connection at both ends", (stage) => {
  const [ana, ben] = stage.pair();
  ana.send("from ana");
  ben.send("from ben");
  ana.terminate();
  ben.terminate();
  stage.wait(11_000);
  assertEquals([ben.texts, ana.texts], [["from ana"], ["from ben"]]);
  assertEquals(endings(ana, ben).map((each) => each.split(" ")[1]), ["0", "0"]);
  assertEquals(endings(ana, ben).filter((each) => each.startsWith("timeout")), []);
});

for (const kind of ["connectionTermination", "connectionTerminationAck"] as const) {
  story(`two terminations at once survive the loss of two ${kind} frames`, (stage) => {
    const [ana, ben] = stage.pair();
    stage.lose(kind, { times: 2 });
    ana.terminate();
    ben.terminate();
    stage.wait(31_000);
    assertEquals(endings(ana, ben).filter((each) => each.startsWith("timeout")), []);
  });
}

story("a termination with an undeliverable message ends by timeout", (stage) => {
  const [ana, ben] = stage.pair();
  stage.cut(ana, ben);
  ana.send("into the void", "and more");
  ana.terminate();
  stage.wait(stage.silenceLimit + 10_000);
  assertEquals(endings(ana, ben), ["timeout 2", "timeout 0"]);
  assertEquals(ben.texts, []);
});

story("a flush without acks ends after 30 s, and reports the undelivered messages", (stage) => {
  const [ana, ben] = stage.pair();
  // Ben's messages are lost from now on, but those of ana arrive.
  stage.network.script((datagram) => datagram.frame("message") && "drop");
  ben.send("one", "two");
  stage.wait(100);
  const since = stage.now;
  ana.terminate();
  stage.wait(60_000);
  assertEquals(endings(ana, ben), ["local 0", "peer 2"]);
  assertEquals(ben.eventTimes("terminated", since), [30_020]);
  assertEquals(ana.eventTimes("terminated", since), [30_000]);
  assertEquals(ben.events("unconfirmed").length, 2);
});

story("a connection that has ended has no further events", (stage) => {
  const [ana, ben] = stage.pair();
  stage.network.script((datagram) => datagram.frame("message") && "drop");
  ben.send("one");
  ben.terminate();
  stage.wait(100);
  // The request of the restarted ana ends what ben has been terminating.
  ana.restart();
  stage.wait(100);
  ana.connect(2);
  stage.wait(150);
  ben.accept();
  stage.wait(20_000);
  assertEquals(endings(ben), ["peer 1"]);
  assertEquals(ben.events("unconfirmed"), []);
});

story(
  "a crashed peer is given up after 60 or 80 s of silence, with the undelivered messages",
  (stage) => {
    const [ana, ben] = stage.pair();
    ana.send("delivered");
    stage.wait(100);
    const since = stage.now;
    ben.crash();
    ana.send("one", "two");
    const limit = stage.mode === "fixed" ? 80_000 : 60_000;
    stage.wait(limit - 1000);
    assertEquals(ana.events("terminated"), []);
    stage.wait(1100);
    assertEquals(endings(ana), ["timeout 2"]);
    const times = ana.eventTimes("terminated", since).map((time) => Math.round(time / 100));
    assertEquals(times, [limit / 100 - 1]);
    assertEquals(ana.view.state, "idle");
  },
);

story("a peer that crashed during silence is given up, too", (stage) => {
  const [ana, ben] = stage.pair();
  ben.crash();
  stage.wait(stage.silenceLimit + 1_000);
  assertEquals(endings(ana), ["timeout 0"]);
});

story(
  "a restarted peer can be requested after the old connection is terminated",
  (stage) => {
    const [ana, ben] = stage.pair();
    ben.restart();
    stage.wait(100);
    ana.connect(2);
    assertEquals(ana.errors, ["alreadyConnected"]);
    ana.terminate();
    // The restarted peer has no keys for the connection, so that it does not answer.
    stage.wait(30_000);
    assertEquals(endings(ana), ["timeout 0"]);
    ana.connect(2);
    stage.wait(100);
    ben.accept();
    stage.wait(100);
    ana.send("again");
    stage.wait(100);
    assertEquals(ben.texts, ["again"]);
  },
);

story("a client that leaves terminates its connection first", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("message");
  ana.send("bye");
  ana.leave();
  stage.wait(12_000);
  assertEquals(ben.texts, ["bye"]);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
  assertEquals(ana.last("left"), { kind: "left", undelivered: 0, acknowledged: true });
  assertEquals(stage.table, [2]);
});

story("a client that leaves after its peer crashed reports the undelivered messages", (stage) => {
  const [ana, ben] = stage.pair();
  ben.crash();
  ana.send("into the void");
  const since = stage.now;
  ana.leave();
  assert(ana.view.leaveBy !== undefined);
  stage.wait(61_000);
  assertEquals(endings(ana), ["timeout 1"]);
  assertEquals(ana.eventTimes("terminated", since), [30_000]);
  assertEquals(ana.last("left"), { kind: "left", undelivered: 1, acknowledged: true });
});

story("an ended connection acknowledges a retransmitted Termination", (stage) => {
  const [ana, ben] = stage.pair();
  stage.lose("connectionTerminationAck", { times: 2 });
  ana.terminate();
  stage.wait(31_000);
  // For ben it ended with the first one.
  assertEquals(ben.eventTimes("terminated").length, 1);
  assertEquals(stage.times("connectionTerminationAck", ben).length, 3);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
});

story("an ended connection is removed after 30 s, and does not answer", (stage) => {
  const [ana, ben] = stage.pair();
  // The Punches are over.
  stage.wait(2000);
  ana.terminate();
  stage.wait(100);
  const since = stage.now;
  // A replay is dropped; a new datagram would be opened during the 30 s.
  const copy = stage.datagrams(ana).find((datagram) => datagram.frame("connectionTermination"))!;
  for (const wait of [1000, 28_000, 5000]) {
    stage.wait(wait);
    const dropped = ben.dropped.notAuthentic;
    stage.network.transmit(ana.host.address, ben.host.address, copy.bytes);
    stage.wait(50);
    assertEquals(ben.dropped.notAuthentic, dropped + 1);
  }
  const toAna = stage.datagrams(ben, since).filter(({ to }) => to === "ana");
  assertEquals(toAna, []);
  assertEquals(endings(ana, ben), ["local 0", "peer 0"]);
});

story(
  "the next client with the id of a peer that is gone rings once the connection has ended",
  (stage) => {
    const [ana, ben] = stage.pair();
    ben.crash();
    stage.wait(50_000);
    ana.terminate();
    const cat = stage.client("cat");
    stage.wait(200);
    assertEquals(cat.events("registered").map(({ id }) => id), [2]);
    const since = stage.now;
    cat.connect(1);
    stage.wait(42_000);
    assertEquals(ana.eventTimes("request", since).length, 1);
    assertEquals(cat.events("rejected"), []);
    ana.accept(2);
    stage.wait(1000);
    assertEquals(cat.view.state, "connected");
  },
);
