import { assert, assertEquals } from "@std/assert";
import { SESSION_RENEWAL } from "../../protocol/connection/outgoing_request.ts";
import { DatagramType, RejectReason } from "../../protocol/wire/frame.ts";
import { type Actor, type Stage, story } from "./stage.ts";

/**
 * Ana's request rings at ben. Nothing of his arrives any more, until she begins another session with the
 * fifth transmission, 40 s after the first.
 */
function ringUnheard(stage: Stage, until = 39_950): [Actor, Actor] {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect(2);
  stage.wait(150);
  assertEquals(ana.events("ringing").length, 1);
  stage.block(ben, ana, stage.now + until);
  return [ana, ben];
}

/** When each of the client's handshakes began. */
function handshakes(stage: Stage, { name }: Actor): number[] {
  const starts = new Map<string, number>();
  for (const datagram of stage.datagrams()) {
    const initiation = datagram.from === name ? datagram.frame("initiation") : undefined;
    const handshake = initiation?.messageOne.join();
    if (handshake !== undefined && !starts.has(handshake)) starts.set(handshake, datagram.time);
  }
  return [...starts.values()];
}

story("a pending request rings again at a responder that has started again", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  ana.connect("ben");
  stage.wait(1000);
  // What repeats the request is sealed in a session that the new run does not know.
  for (let run = 1; run <= 3; run++) {
    ben.restart();
    const since = stage.now;
    stage.wait(50_000);
    const [ringsAt, ...more] = ben.eventTimes("request", since);
    assert(ringsAt! > SESSION_RENEWAL - 10_000 && ringsAt! < SESSION_RENEWAL + 10_100);
    assertEquals([more, ben.events("request").length], [[], 1 + run]);
  }
  assertEquals([ana.errors, ana.events("ringing").length], [[], 1]);
  ben.accept();
  stage.wait(500);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
});

story("a pending request that comes again in another session rings once", (stage) => {
  const [ana, ben] = ringUnheard(stage);
  stage.wait(50_000);
  assertEquals(handshakes(stage, ana).length, 2);
  assertEquals(ben.events("request").length, 1);
  ben.accept();
  stage.wait(100);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
});

story("a rejection sticks to its request in another session", (stage) => {
  const [ana, ben] = ringUnheard(stage);
  ben.reject();
  stage.wait(50_000);
  assertEquals(handshakes(stage, ana).length, 2);
  assertEquals(ana.events("rejected"), [
    { kind: "rejected", peer: 2, name: "ben", reason: RejectReason.declined },
  ]);
  assertEquals([ben.events("request").length, ben.view.requests], [1, []]);
});

/** Delays the first Accept, and loses all else in its session until then, and the other Accepts. */
function acceptLate(stage: Stage, ben: Actor, delay: number): void {
  let first: number | undefined;
  const until = stage.now + delay;
  stage.network.script((datagram) => {
    const { from, decoded, frames } = datagram.carried ?? datagram;
    const isPacket = decoded.ok && decoded.header.type === DatagramType.Packet;
    if (from !== "ben" || !isPacket) return undefined;
    const { session } = decoded.header;
    const isAccept = frames.some(({ kind }) => kind === "connectionAccept");
    if (session === first) return isAccept || stage.now < until ? "drop" : undefined;
    if (first !== undefined || !isAccept) return undefined;
    first = session;
    return delay;
  });
  // Ringing was the last sign of life.
  ben.accept();
}

for (
  const [when, delay] of [
    ["before the Initiation of the other arrives", 39_920],
    ["before the Response of the other", 39_940],
    ["after the Request in the other", 39_960],
    ["after the connection has moved to the other", 45_000],
  ] as const
) {
  story(`an Accept in a session that is being renewed may come ${when}`, (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    const since = stage.now;
    ana.connect(2);
    stage.wait(150);
    acceptLate(stage, ben, delay);
    ben.send("as soon as you hear me");
    stage.wait(55_000);
    assertEquals(handshakes(stage, ana), [since + 40, since + 40_080]);
    for (const each of [ana, ben]) {
      assertEquals(each.view.state, "connected");
      assertEquals(each.events("connected").length, 1);
      assertEquals([...each.events("terminated"), ...each.events("returned")], []);
    }
    assertEquals([ben.events("request").length, ana.texts], [1, ["as soon as you hear me"]]);
    ana.send("now");
    ben.send("at last");
    stage.wait(100);
    assertEquals([ben.texts, ana.texts.slice(1)], [["now"], ["at last"]]);
  });
}

story("a request that is cancelled while it begins another session ends at the peer", (stage) => {
  const [ana, ben] = ringUnheard(stage, Infinity);
  stage.wait(45_000);
  assert(stage.times("initiation", ana).length > 1);
  ana.cancel();
  const since = stage.now;
  stage.wait(100);
  assertEquals(ben.eventTimes("requestEnded", since), [20]);
  assertEquals(ben.last("requestEnded").why, "cancelled");
  stage.wait(60_000);
  assertEquals([ana.view.state, ben.view.requests], ["idle", []]);
});
