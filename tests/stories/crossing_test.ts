import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { compareKeys, type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { assertOneConnection, assertStillOneConnection, KEYS } from "./crossing.ts";
import { type Actor, stories, story } from "./stage.ts";
import { requestAsStranger, sendAsStranger, STRANGER_NAME } from "./stranger.ts";

stories("two requests that cross make one connection without asking", KEYS, (stage, lower) => {
  const [ana, ben] = stage.keyed(lower);
  ana.connect(2);
  ben.connect("ana");
  stage.wait(200);
  assertOneConnection(stage, ana, ben);
  const [winner, loser] = lower === "ana" ? [ana, ben] : [ben, ana];
  assertEquals(stage.times("connectionAccept", winner), []);
  assertEquals(stage.times("connectionAccept", loser).length, 1);
  assertStillOneConnection(stage, ana, ben);
});

/** The frames of a crossing, any of which may be late. */
const LATE = ["initiation", "response", "connectionRequest"] as const;

/** Each choice of datagrams that are late, with each order of the keys. */
const ORDERS = KEYS.flatMap((lower) =>
  Array.from({ length: 2 ** (2 * LATE.length) }, (_, choice) => ({
    lower,
    late: KEYS.map((_, from) => LATE.filter((_, at) => (choice >> (2 * at + from)) & 1)),
  }))
);

stories(
  "two requests that cross make one connection, whichever datagrams are late",
  ORDERS,
  (stage, { lower, late }) => {
    const actors = stage.keyed(lower);
    for (const [index, kinds] of late.entries()) {
      for (const kind of kinds) stage.delay(kind, 50, actors[index]);
    }
    actors[0].connect(2);
    actors[1].connect(1);
    stage.wait(stage.after(1000) + 500);
    assertOneConnection(stage, ...actors);
  },
);

/** Each pair of datagrams between the two, with each order of the keys and of the users. */
const LOSSES = KEYS.flatMap((lower) =>
  [0, 30, 70].flatMap((lead) =>
    Array.from({ length: 8 }, (_, first) => first).flatMap((first) =>
      Array.from({ length: 8 - first }, (_, more) => ({
        lower,
        lead,
        lost: [first, first + more],
      }))
    )
  )
);

stories(
  "two requests that cross make one connection, whichever two datagrams are lost",
  LOSSES,
  (stage, { lower, lead, lost }) => {
    const [ana, ben] = stage.keyed(lower);
    let count = 0;
    stage.network.script(({ from, to }) => {
      const isBetween = from !== "directory" && to !== "directory";
      return isBetween && lost.includes(count++) ? "drop" : undefined;
    });
    ana.connect(2);
    stage.wait(lead);
    ben.connect(1);
    stage.wait(stage.after(1000) * 4);
    count = Infinity;
    assertOneConnection(stage, ana, ben);
  },
);

for (const unheard of ["ana", "ben"]) {
  stories(`two requests cross as soon where the directory does not hear ${unheard}`, KEYS, (
    stage,
    lower,
  ) => {
    const [ana, ben] = stage.keyed(lower);
    stage.lose("call", { from: unheard === "ana" ? ana : ben });
    ana.connect(2);
    ben.connect("ana");
    // The Meeting that the call of the other one leads to says as much as an answer.
    stage.wait(200);
    assertOneConnection(stage, ana, ben);
  });
}

for (const slow of ["ana", "ben"]) {
  stories(`a request that arrives during the call of ${slow} is accepted`, KEYS, (
    stage,
    lower,
  ) => {
    const actors = stage.keyed(lower);
    const one = actors.find(({ name }) => name === slow)!;
    stage.delay("call", 80, one);
    stage.lose("meeting", { to: one });
    actors[0].connect(2);
    actors[1].connect(1);
    stage.wait(300);
    const requesting = stage.datagrams().filter((each) => each.frame("initiation") !== undefined);
    assertEquals(new Set(requesting.map(({ from }) => from)).size, 1);
    assertOneConnection(stage, ...actors);
  });
}

story(
  "a request that arrives during the look-up of its sender waits for the directory",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    stage.network.cut("ana", "directory", stage.now + 3000);
    ana.connect("ben");
    ben.connect(1);
    // Any client can claim to be ben: ana is not asked, and nothing is accepted.
    stage.wait(2500);
    assertEquals([ana.events("request"), ana.events("connected")], [[], []]);
    stage.wait(11_000);
    assertOneConnection(stage, ana, ben);
  },
);

story("a request that arrives during a look-up rings when the look-up fails", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.network.cut("ana", "directory", stage.now + 10_000);
  ana.connect("ben");
  ben.connect(1);
  stage.wait(200);
  // The directory has lost ben before it gets the look-up.
  stage.network.cut("ben", "directory");
  stage.restartDirectory();
  stage.wait(20_000);
  assertEquals(stage.times("inactive").length, 1);
  assertEquals(ana.events("inactive"), [{ kind: "inactive", peer: "ben" }]);
  assertEquals(ana.events("request").length, 1);
  ana.accept();
  stage.wait(100);
  assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
});

stories(
  "late copies of all that the forgotten request was made of change nothing",
  KEYS,
  (stage, lower) => {
    const [ana, ben] = stage.keyed(lower);
    const [winner, loser] = lower === "ana" ? [ana, ben] : [ben, ana];
    stage.network.script(({ from, bytes, frames }) => {
      const isRequest = frames.some(({ kind }) =>
        kind === "initiation" || kind === "connectionRequest"
      );
      if (from !== loser.name || !isRequest) return undefined;
      for (const delay of [500, 5000, 25_000, 70_000]) {
        stage.network.at(stage.now + delay, () => {
          stage.network.transmit(loser.host.address, winner.host.address, bytes, true);
        });
      }
      return undefined;
    });
    ana.connect(2);
    ben.connect(1);
    stage.wait(2000);
    assert(stage.times("connectionRequest", loser).length > 0);
    assertOneConnection(stage, ana, ben);
    assertStillOneConnection(stage, ana, ben);
  },
);

stories(
  "the first copy of a request that crossed may be so late that it overtakes the connection",
  KEYS,
  (stage, lower) => {
    const [ana, ben] = stage.keyed(lower);
    const loser = lower === "ana" ? ben : ana;
    stage.delay("connectionRequest", 20_000, loser);
    ana.connect(2);
    ben.connect(1);
    stage.wait(500);
    assertOneConnection(stage, ana, ben);
    assertStillOneConnection(stage, ana, ben);
  },
);

stories("a copied Initiation that crosses a request leads nowhere", KEYS, (stage, lower) => {
  const [ana, ben] = stage.keyed(lower);
  stage.cut(ana, ben, stage.now + 5000);
  ana.connect(2);
  ben.connect(1);
  stage.wait(200);
  const copied = stage.datagrams(ana).find((datagram) => datagram.frame("initiation"))!;
  sendAsStranger(stage, ben, copied.bytes);
  stage.wait(100);
  // The Response went to the copier, who has no use for it.
  const answers = stage.datagrams(ben).filter(({ to }) => to === STRANGER_NAME);
  assertEquals(answers.map(({ frames }) => frames.map(({ kind }) => kind)), [["response"]]);
  assertEquals([ana, ben].map((each) => each.view.state), ["requesting", "requesting"]);
  stage.wait(15_000);
  assertOneConnection(stage, ana, ben);
  assertEquals(stage.datagrams(ben).at(-1)!.to, "ana");
});

story(
  "a request with the id of the requested client, but another key, rings",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    stage.cut(ana, ben);
    ana.connect(2);
    ben.connect(1);
    stage.wait(200);
    requestAsStranger(stage, ben, { id: ana.id, name: "ana" });
    assertEquals(ben.events("connected"), []);
    assertEquals(ben.events("request").map(({ peer }) => peer), [1]);
    assertNotEquals(ben.last("request").key, ana.key);
    assertEquals(ben.view.state, "requesting");
  },
);

story(
  "a request that was forgotten in a crossing rings for 35 s where it is a late one",
  (stage) => {
    const [ana, ben] = stage.keyed("ana");
    // Ana has taken her request back before ben's comes, and so is asked; he has forgotten it.
    stage.delay("connectionRequest", 40, ben);
    ana.connect(2);
    ben.connect(1);
    stage.wait(90);
    ana.cancel();
    stage.wait(100);
    assertEquals([ben.events("connected").length, ben.events("terminated").length], [1, 1]);
    assertEquals([ana.view.requests.length, ben.view.outgoing], [1, undefined]);
    stage.wait(35_000);
    assertEquals(ana.events("requestEnded").map(({ why }) => why), ["expired"]);
    assertEquals([ana, ben].map((each) => each.view.state), ["idle", "idle"]);
  },
);

story("two clients of one key that request one another share one connection", (stage) => {
  const identity = makeKeyPair(stage.network.prng.bytes);
  const actors = ["desk", "phone"].map((name) => {
    const actor = stage.client(name, { identity });
    stage.wait(100);
    return actor;
  }) as [Actor, Actor];
  actors[0].connect(2);
  actors[1].connect(1);
  stage.wait(200);
  assertOneConnection(stage, ...actors);
  // That of the lower client id counts.
  assertEquals(actors.map((each) => stage.times("connectionAccept", each).length), [0, 1]);
  assertStillOneConnection(stage, ...actors);
});

stories("two clients of one key have a connection each with a third", KEYS, (stage, lower) => {
  const [low, high] = [1, 2].map(() => makeKeyPair(stage.network.prng.bytes))
    .sort((a, b) => compareKeys(a.publicKey, b.publicKey));
  const [own, other] = lower === "ana" ? [low!, high!] : [high!, low!];
  const [desk, phone, cleo] = [["desk", own], ["phone", own], ["cleo", other]].map(
    ([name, identity]) => {
      const actor = stage.client(name as string, { identity: identity as KeyPair });
      stage.wait(100);
      return actor;
    },
  ) as [Actor, Actor, Actor];
  for (const each of [desk, phone]) {
    each.connect(3);
    cleo.connect(each.id);
    stage.wait(200);
  }
  assertEquals([cleo.view.peer?.id, cleo.view.others.map(({ id }) => id)], [2, [1]]);
  for (const each of [desk, phone]) {
    cleo.sendTo(each.id, `to ${each.name}`);
    each.send(`from ${each.name}`);
    stage.wait(100);
    assertEquals([each.texts, cleo.last("message").peer], [[`to ${each.name}`], each.id]);
  }
  for (const each of [desk, phone, cleo]) {
    assertEquals([...each.events("request"), ...each.events("terminated")], []);
    assertEquals([...each.events("returned"), ...each.errors], []);
  }
  phone.terminate();
  stage.wait(100);
  cleo.sendTo(1, "still here?");
  stage.wait(100);
  assertEquals(desk.texts.at(-1), "still here?");
  assertEquals(cleo.events("terminated").map(({ peer }) => peer), [2]);
});

story("a late copy of a request does not ring after the connection ended", (stage) => {
  const [ana, ben] = stage.pair();
  ana.terminate();
  stage.wait(100);
  const request = stage.datagrams(ana).find((datagram) => datagram.frame("connectionRequest"))!;
  stage.network.transmit(ana.host.address, ben.host.address, request.bytes);
  stage.wait(100);
  assertEquals(ben.events("request").length, 1);
  assertEquals([ana, ben].map((each) => each.view.state), ["idle", "idle"]);
});

/** Milliseconds from both commands to the cancellation of ana's. */
const CANCELLATIONS = KEYS.flatMap((lower) =>
  [10, 50, 70, 90, 110, 130, 150].map((after) => ({ lower, after }))
);

stories("a crossing of which ana cancels her half ends at both", CANCELLATIONS, (
  stage,
  { lower, after },
) => {
  const [ana, ben] = stage.keyed(lower);
  ana.connect(2);
  ben.connect(1);
  stage.wait(after);
  // It is too late to cancel where they are connected.
  ana.terminate();
  stage.wait(1000);
  // Ben may still want to connect.
  if (ana.view.requests.length > 0) ana.reject();
  stage.wait(60_000);
  for (const each of [ana, ben]) {
    assertEquals([each.view.state, each.view.requests], ["idle", []]);
    assertEquals(each.events("connected").length, each.events("terminated").length);
    assertEquals(each.events("terminated").filter(({ by }) => by === "timeout"), []);
    assertEquals(each.errors, []);
  }
});

story("both can connect and terminate at the same time repeatedly", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  for (let round = 1; round <= 30; round++) {
    ana.connect(2);
    ben.connect(1);
    stage.wait(200);
    ana.send(`a${round}`);
    ben.send(`b${round}`);
    ana.terminate();
    ben.terminate();
    stage.wait(300);
  }
  assertEquals(ana.texts.length, 30);
  assertEquals(ben.texts.length, 30);
  for (const each of [ana, ben]) {
    assertEquals(each.events("terminated").length, 30);
    assertEquals(each.events("terminated").filter(({ undelivered }) => undelivered > 0), []);
  }
});
