import { assertEquals, assertGreater } from "@std/assert";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { PUNCH_SCHEDULE } from "../../protocol/session/path.ts";
import { RejectReason } from "../../protocol/wire/frame.ts";
import { type Actor, story } from "./stage.ts";

story("a request rings and is accepted, and both ends are connected", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect("ben");
  const outgoing = ana!.view.outgoing!;
  assertEquals([outgoing.peer, outgoing.attempt, outgoing.isRinging], ["ben", 0, false]);
  stage.wait(150);
  assertEquals(ana!.view.outgoing?.isRinging, true);
  assertEquals(ben!.events("request"), [
    { kind: "request", peer: 1, name: "ana", key: ana!.key },
  ]);
  assertEquals(ben!.view.requests, [{ id: 1, name: "ana" }]);
  ben!.accept();
  stage.wait(100);
  const { hash } = ana!.last("connected");
  assertEquals(hash.length, 32);
  assertEquals(ana!.events("connected"), [
    { kind: "connected", peer: 2, name: "ben", key: ben!.key, hash, path: "lan", calledAs: "ben" },
  ]);
  assertEquals(ben!.events("connected"), [
    { kind: "connected", peer: 1, name: "ana", key: ana!.key, hash, path: "lan" },
  ]);
  assertEquals(ana!.view.outgoing, undefined);
  assertEquals(ben!.view.requests, []);
});

for (const kind of ["initiation", "response"] as const) {
  story(`a lost ${kind} frame is repaired by the same Initiation`, (stage) => {
    const [ana, ben] = stage.clients("ana", "ben");
    stage.lose(kind);
    const since = stage.now;
    ana!.connect(2);
    stage.wait(12_000);
    const times = stage.times("initiation", ana, since);
    // Again soon, and with fixed timers when the second Punch comes.
    const again = stage.mode === "fixed" ? 110 : 90;
    assertEquals(times, [40, again]);
    const initiations = stage.datagrams(ana).filter((each) => each.frame("initiation"));
    assertEquals(new Set(initiations.map(({ bytes }) => bytes.join())).size, 1);
    assertEquals(stage.times("connectionRequest", ana, since)[0], again + 40);
    assertEquals([ben!.events("request").length, ana!.events("ringing").length], [1, 1]);
    // It is answered as before, and not computed again.
    const responses = stage.datagrams(ben).filter((each) => each.frame("response"));
    assertEquals(new Set(responses.map(({ bytes }) => bytes.join())).size, 1);
  });
}

story(
  "an Initiation that is not answered is sent again soon, by its timer, and after another call",
  (
    stage,
  ) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    stage.block(ben, ana);
    const since = stage.now;
    ana.connect(2);
    stage.wait(10_030);
    const calls = stage.mode === "fixed" ? [0] : [0, 540, 1040, 2040, 4040, 8040];
    assertEquals(stage.times("call", ana, since), calls);
    const soon = calls.flatMap((call, index) =>
      PUNCH_SCHEDULE.map((after) => call + 40 + after)
        .filter((at) => at < (calls[index + 1] ?? Infinity) + 40)
    );
    const times = stage.mode === "fixed" ? [40] : [...soon, 1040, 3040, 7040];
    assertEquals(stage.times("initiation", ana, since), times.toSorted((a, b) => a - b));
  },
);

for (const kind of ["connectionRequest", "ringing"] as const) {
  story(`a lost ${kind} frame is repaired by another request; the user is asked once`, (stage) => {
    const [ana, ben] = stage.clients("ana", "ben");
    stage.lose(kind);
    const since = stage.now;
    ana!.connect(2);
    stage.wait(9000);
    const times = stage.times("connectionRequest", ana, since);
    // The Response gave a sample: SRTT 40, RTTVAR 20, RTO 120.
    assertEquals(times, stage.mode === "fixed" ? [80] : [80, 200]);
    stage.wait(2000);
    // The Punch comes while the Response is expected.
    assertEquals(stage.times("initiation", ana, since), [40]);
    assertEquals(ben!.events("request").length, 1);
    assertEquals(ana!.events("ringing").length, 1);
  });
}

story("a request is repeated every 10 s while it rings, and counted", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  const since = stage.now;
  ana!.connect(2);
  stage.wait(45_000);
  const times = stage.times("connectionRequest", ana, since);
  assertEquals(times, [80, 10_080, 20_080, 30_080, 40_080]);
  assertEquals(ana!.events("requesting").map(({ attempt }) => attempt), [1, 2, 3, 4, 5]);
  assertEquals(ana!.view.outgoing?.attempt, 5);
  assertEquals(stage.times("ringing", ben).length, 5);
  assertEquals([ben!.events("request").length, ana!.events("ringing").length], [1, 1]);
  ben!.accept();
  stage.wait(100);
  assertEquals(ana!.view.state, "connected");
});

story("a lost Accept is sent again, and the user is not asked again", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  stage.lose("connectionAccept");
  ana!.connect(2);
  stage.wait(150);
  const since = stage.now;
  ben!.accept();
  stage.wait(11_000);
  assertEquals(
    stage.times("connectionAccept", ben, since)[1],
    // The Request came 40 ms after the Response had left.
    stage.after(60) - (
      // With fixed timers the repeated request is earlier, by the time that the user took.
      stage.mode === "fixed" ? 50 : 0
    ),
  );
  assertEquals(ana!.events("connected").length, 1);
  assertEquals(ben!.events("request").length, 1);
  ben!.send("here");
  stage.wait(100);
  assertEquals(ana!.texts, ["here"]);
});

story("a lost Ack of the Accept is sent again when the Accept is", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  stage.lose("ack");
  ana!.connect(2);
  stage.wait(100);
  const since = stage.now;
  ben!.accept();
  stage.wait(30_000);
  assertEquals(stage.times("connectionAccept", ben, since), [0, stage.after(60)]);
  assertEquals([ana, ben].map((each) => each!.events("connected").length), [1, 1]);
});

story("a lost Reject is repeated, and the user is not asked again", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  stage.lose("connectionReject");
  ana!.connect(2);
  stage.wait(100);
  ben!.reject();
  stage.wait(11_000);
  assertEquals(ana!.events("rejected"), [
    { kind: "rejected", peer: 2, name: "ben", reason: RejectReason.declined },
  ]);
  assertEquals(ben!.events("request").length, 1);
  assertEquals(ana!.view.state, "idle");
});

story("a Reject is repeated for its request, while a new request rings again", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  stage.lose("connectionReject", { times: 3 });
  ana!.connect(2);
  stage.wait(100);
  ben!.reject(1);
  stage.wait(35_000);
  assertEquals(ben!.events("request").length, 1);
  assertEquals(stage.times("connectionReject", ben).length, 4);
  assertEquals(ana!.events("rejected").length, 1);
  ana!.connect(2);
  stage.wait(100);
  assertEquals(ben!.events("request").length, 2);
  ben!.accept();
  stage.wait(100);
  assertEquals(ana!.view.state, "connected");
});

story("a request to a connected client rings", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo");
  stage.connect(ana!, ben!);
  cleo!.connect("ben");
  stage.wait(11_000);
  assertEquals([cleo!.events("ringing").length, cleo!.events("rejected")], [1, []]);
  assertEquals(ben!.events("request").map(({ peer }) => peer), [1, 3]);
  assertEquals([ben!.view.peer?.id, ben!.view.requests], [1, [{ id: 3, name: "cleo" }]]);
});

story("a client cannot connect to itself, by id or by name", (stage) => {
  const [ana] = stage.clients("ana");
  ana!.connect(1);
  ana!.connect("ANA");
  stage.wait(100);
  assertEquals(ana!.errors, ["self", "self"]);
  assertEquals(stage.times("call"), []);
  assertEquals(ana!.view.state, "idle");
});

story("a client that is not registered yet cannot connect", (stage) => {
  const ana = stage.client("ana");
  ana.connect(2);
  assertEquals(ana.errors, ["notRegistered"]);
});

story("a second connection with the same client is an error, and has no effect", (stage) => {
  const [ana, ben] = stage.pair();
  ana.connect(2);
  ana.connect("Ben");
  assertEquals(ana.errors, ["alreadyConnected", "alreadyConnected"]);
  ana.send("still here");
  stage.wait(100);
  assertEquals(ben.texts, ["still here"]);
  assertEquals(stage.times("call", ana).length, 1);
});

story("a request that reaches another client of the user is reported as inactive", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  // Between the look-up and the request, another client got the address: it says nothing, but the
  // directory knows nobody with that id any more.
  stage.wait(30);
  ben!.restart({ id: 77, name: "carl" });
  stage.wait(40_000);
  assertEquals(stage.times("connectionReject", ben), []);
  assertEquals(ben!.events("request"), []);
  assertEquals(ana!.events("inactive"), [{ kind: "inactive", peer: 2 }]);
  assertEquals(ana!.view.state, "idle");
});

story("a request that reaches a client with another key is not answered", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben");
  ana!.connect(2);
  stage.wait(30);
  ben!.restart({ identity: makeKeyPair(stage.network.prng.bytes) });
  stage.wait(130_000);
  assertGreater(stage.times("initiation", ana).length, 10);
  assertEquals(stage.datagrams(ben).filter(({ to }) => to === "ana"), []);
  assertEquals([ben!.events("request"), ana!.errors], [[], ["peerTimeout"]]);
});

story(
  "accept takes the oldest request; without a request it is an error",
  (stage) => {
    const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo");
    ben!.connect(1);
    stage.wait(50);
    cleo!.connect(1);
    stage.wait(100);
    ana!.accept(7);
    ana!.accept();
    stage.wait(100);
    assertEquals(ana!.last("connected").peer, 2);
    ana!.accept();
    ana!.accept();
    ana!.reject("nobody");
    assertEquals(ana!.errors, ["noRequest", "noRequest", "noRequest"]);
  },
);

story(
  "a client with accept-all accepts at once, also while its own request rings",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben");
    const auto = stage.client("auto", { acceptAll: true });
    stage.wait(100);
    ana!.connect("auto");
    stage.wait(200);
    assertEquals(auto.last("connected").peer, 1);
    ana!.terminate();
    stage.wait(100);
    auto.connect("ben");
    stage.wait(150);
    ana!.connect("auto");
    stage.wait(200);
    assertEquals(ana!.events("connected").length, 2);
    assertEquals([auto.view.peer?.id, auto.view.outgoing?.peer], [1, 2]);
    ben!.accept();
    stage.wait(100);
    assertEquals([auto.view.peer?.id, auto.view.others.map(({ id }) => id)], [2, [1]]);
    assertEquals(auto.events("request"), []);
  },
);

story(
  "a client with accept-all accepts the peer that it wanted itself, as soon as its own look-up failed",
  (stage) => {
    const [ana] = stage.clients("ana");
    const auto = stage.client("auto", { acceptAll: true });
    stage.wait(100);
    stage.network.cut("auto", "directory", stage.now + 10_000);
    auto.connect("ana");
    ana!.connect("auto");
    stage.wait(200);
    // Anybody can call themselves ana: the directory has to say who that is.
    assertEquals(auto.events("connected"), []);
    stage.network.cut("ana", "directory");
    stage.restartDirectory();
    stage.wait(30_000);
    assertEquals(auto.events("inactive").length, 1);
    assertEquals([ana!.view.state, auto.view.state], ["connected", "connected"]);
  },
);
