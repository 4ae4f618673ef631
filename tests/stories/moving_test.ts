import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { AMPLIFICATION_MAX } from "../../protocol/session/candidate.ts";
import { RETURN_LIMIT } from "../../protocol/session/path.ts";
import { type Actor, type Stage, stories, story } from "./stage.ts";

const ELSEWHERE = { hostname: "192.0.2.1", port: 9 };

/** Two clients that are connected, and have compared what the directory said about each other. */
function pair(stage: Stage): [Actor, Actor] {
  const actors = stage.pair();
  stage.wait(3000);
  return actors;
}

/** Moves a client to a new address. */
function move(stage: Stage, actor: Actor): void {
  const { hostname, port } = actor.host.address;
  actor.host.move({ hostname, port: port + 1 });
  // Answers to datagrams from the old address are lost.
  stage.wait(100);
}

/** Asserts that messages still go both ways on the first connection. */
function assertConnected(stage: Stage, ana: Actor, ben: Actor): void {
  const [since, word] = [stage.now, `word ${stage.now}`];
  ana.send(`${word} from ana`);
  ben.send(`${word} from ben`);
  stage.wait(100);
  assertEquals([ben.texts.at(-1), ana.texts.at(-1)], [`${word} from ana`, `${word} from ben`]);
  for (const each of [ana, ben]) {
    assertEquals(each.events("connected").length, 1);
    assertEquals(each.events("terminated"), []);
    assertEquals(each.view.peer?.unconfirmed, 0);
    // Nothing is sent to an old address.
    for (const { to } of stage.datagrams(each, since)) {
      assert(["ana", "ben", "directory"].includes(to), `${each.name} sends to ${to}`);
    }
  }
}

for (const mover of ["ana", "ben"]) {
  story(`a connection survives when ${mover} moves and sends`, (stage) => {
    const [ana, ben] = pair(stage);
    const moved = mover === "ana" ? ana : ben;
    const peer = mover === "ana" ? ben : ana;
    move(stage, moved);
    const since = stage.now;
    moved.send("from elsewhere");
    stage.wait(30);
    assertEquals(peer.texts, ["from elsewhere"]);
    // Its answer still goes to the old address, a challenge to the new one.
    stage.wait(31_000);
    assertEquals(stage.times("pathChallenge", peer, since).slice(0, 2), [20, 20]);
    assertEquals(stage.times("pathResponse", moved, since)[0], 40);
    assertEquals(moved.events("delivered").length, 1);
    assertConnected(stage, ana, ben);
  });

  story(`a connection survives when ${mover} moves and sends nothing`, (stage) => {
    const [ana, ben] = pair(stage);
    const moved = mover === "ana" ? ana : ben;
    const peer = mover === "ana" ? ben : ana;
    move(stage, moved);
    peer.send("where are you?");
    // The end that receives nothing sends a keepalive, from its new address.
    stage.wait(31_000);
    assertEquals(moved.texts, ["where are you?"]);
    assertEquals(peer.events("delivered").length, 1);
    assertConnected(stage, ana, ben);
  });

  for (const kind of ["pathChallenge", "pathResponse"] as const) {
    story(`a connection survives when ${mover} moves and a ${kind} frame is lost`, (stage) => {
      const [ana, ben] = pair(stage);
      const moved = mover === "ana" ? ana : ben;
      stage.lose(kind, { times: kind === "pathChallenge" ? 2 : 1 });
      move(stage, moved);
      moved.send("from elsewhere");
      stage.wait(45_000);
      assertConnected(stage, ana, ben);
    });
  }
}

story("a connection survives many moves of both ends on a bad network", (stage) => {
  const [ana, ben] = pair(stage);
  stage.set({ loss: 0.2, jitter: 30, duplication: 0.1 });
  const words: string[] = [];
  for (let round = 0; round < 12; round++) {
    move(stage, round % 3 === 2 ? ben : ana);
    for (const each of [ana, ben]) each.send(`${each.name} ${round}`);
    words.push(`${round}`);
    stage.wait(40_000);
  }
  stage.set({ loss: 0, jitter: 0, duplication: 0 });
  stage.wait(30_000);
  assertEquals(ben.texts, words.map((word) => `ana ${word}`));
  assertEquals(ana.texts, words.map((word) => `ben ${word}`));
  assertConnected(stage, ana, ben);
});

for (const mover of ["ana", "ben"]) {
  for (const away of [100, 5000, 50_000, 70_000]) {
    story(`a connection survives when ${mover} moves, and returns after ${away} ms`, (stage) => {
      const [ana, ben] = pair(stage);
      const [moved, peer] = mover === "ana" ? [ana, ben] : [ben, ana];
      const home = moved.host.address;
      move(stage, moved);
      moved.send("from elsewhere");
      stage.wait(away - 100);
      moved.host.move(home);
      const since = stage.now;
      moved.send("home again");
      stage.wait(45_000);
      assertEquals(peer.texts, ["from elsewhere", "home again"]);
      assertConnected(stage, ana, ben);
      // Both were found where the directory said, so that no challenge is needed on a return.
      if (away === 100) return;
      assertEquals(stage.times("pathChallenge", peer, since).length > 0, away > RETURN_LIMIT);
    });
  }
}

story(
  "the directory is asked when a text is not answered for 5 s, and not for one after a silence",
  (
    stage,
  ) => {
    const [ana, ben] = pair(stage);
    for (const silence of [9500, 9500, 9500, 100]) {
      ana.send("after a silence");
      stage.wait(silence);
    }
    assertEquals([stage.times("call", ben).length, stage.times("call", ana).length], [0, 1]);
    stage.cut(ana, ben);
    const since = stage.now;
    ana.send("into the void");
    stage.wait(30_000);
    const expected = stage.mode === "fixed" ? [15_000, 25_000] : [5000, 10_000, 15_000];
    assertEquals(stage.times("call", ana, since).slice(0, expected.length), expected);
  },
);

story("a directory that is silent, too, is asked by one Call for each silent peer at a time", (
  stage,
) => {
  const [ana, ben] = pair(stage);
  stage.directory.crash();
  stage.cut(ana, ben);
  ana.send("into the void");
  const since = stage.now;
  stage.wait(stage.mode === "fixed" ? 44_000 : 34_000);
  const times = stage.times("call", ana, since);
  const first = stage.mode === "fixed" ? 15_000 : 5000;
  // Each is sent again by its timer, and none is added.
  const again = stage.mode === "fixed"
    ? [0, 10_000, 20_000]
    : [0, 200, 400, 800, 1600, 3200, 6400, 12_800];
  assertEquals(times.slice(0, again.length), again.map((after) => first + after));
});

stories(
  "a connection survives when one end flaps between two addresses, under loss",
  ["ana", "ben"],
  (stage, mover) => {
    const [ana, ben] = pair(stage);
    const moved = mover === "ana" ? ana : ben;
    const home = moved.host.address;
    stage.set({ loss: 0.2, jitter: 30 });
    for (let round = 0; round < 20; round++) {
      moved.host.move(round % 2 === 0 ? { ...home, port: home.port + 1 } : home);
      for (const each of [ana, ben]) each.send(`${each.name} ${round}`);
      stage.wait(stage.network.prng.int(20_000));
    }
    stage.set({ loss: 0, jitter: 0 });
    stage.wait(30_000);
    const rounds = Array.from({ length: 20 }, (_, round) => round);
    assertEquals(ben.texts, rounds.map((round) => `ana ${round}`));
    assertEquals(ana.texts, rounds.map((round) => `ben ${round}`));
    assertConnected(stage, ana, ben);
  },
);

story("a move during a burst loses no message", (stage) => {
  const [ana, ben] = pair(stage);
  const texts = Array.from({ length: 300 }, (_, index) => `${index} ${"x".repeat(300)}`);
  ana.send(...texts);
  stage.wait(25);
  move(stage, ana);
  ben.send("there?");
  stage.wait(60_000);
  assertEquals(ben.texts, texts);
  assertConnected(stage, ana, ben);
});

for (const mover of ["ana", "ben"]) {
  story(`${mover} terminates after a move, and both ends report by which side`, (stage) => {
    const [ana, ben] = pair(stage);
    const moved = mover === "ana" ? ana : ben;
    const peer = mover === "ana" ? ben : ana;
    moved.send("bye");
    move(stage, moved);
    moved.terminate();
    stage.wait(31_000);
    assertEquals(peer.texts, ["bye"]);
    assertEquals([moved, peer].map((each) => each.last("terminated").by), ["local", "peer"]);
  });
}

for (const mover of ["ana", "ben"]) {
  story(`a pending request is accepted after ${mover} moved`, (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    ana.connect(2);
    stage.wait(100);
    move(stage, mover === "ana" ? ana : ben);
    ben.accept();
    stage.wait(31_000);
    assertEquals(ben.events("request").length, 1);
    assertConnected(stage, ana, ben);
  });
}

story("a client that moved is found when its directory knows the new address", (stage) => {
  const [ana, ben, cleo] = stage.clients("ana", "ben", "cleo") as [Actor, Actor, Actor];
  move(stage, ana);
  stage.wait(20_000);
  assertEquals(stage.table, [1, 2, 3]);
  stage.connect(cleo, ana);
  ben.connect("ana");
  stage.wait(150);
  assertEquals(ben.events("ringing").length, 1);
});

/** Sends copies of all datagrams between two clients from elsewhere, which arrive first. */
function copyFaster(stage: Stage, sender: Actor, receiver: Actor): void {
  stage.network.script((datagram) => {
    if (datagram.from !== sender.name || datagram.to !== receiver.name) return undefined;
    stage.network.transmit(ELSEWHERE, receiver.host.address, datagram.bytes, true);
    return 5;
  });
}

story(
  "faster copies of all datagrams from elsewhere neither steal nor stall a connection",
  (stage) => {
    const [ana, ben] = pair(stage);
    copyFaster(stage, ana, ben);
    const since = stage.now;
    for (let round = 0; round < 100; round++) {
      ana.send(`a${round}`);
      ben.send(`b${round}`);
      stage.wait(500);
    }
    assertEquals([ana.texts.length, ben.texts.length], [100, 100]);
    // No message is later than without the copies.
    for (const [index, time] of ana.eventTimes("message", since).entries()) {
      assertEquals(time, index * 500 + 20);
    }
    const toCopier = stage.datagrams(ben, since).filter(({ to }) => to === "192.0.2.1:9");
    const fromCopier = stage.datagrams(undefined, since).filter(({ from }) =>
      from === "192.0.2.1:9"
    );
    assertEquals([...new Set(toCopier.flatMap(({ frames }) => frames.map(({ kind }) => kind)))], [
      "pathChallenge",
    ]);
    const sizeOf = (all: typeof toCopier) => all.reduce((sum, { bytes }) => sum + bytes.length, 0);
    assertLessOrEqual(sizeOf(toCopier), AMPLIFICATION_MAX * sizeOf(fromCopier));
    assertEquals([ana, ben].map((each) => each.events("terminated")), [[], []]);
  },
);

story(
  "faster copies from the first datagram on ring once, and get neither the Accept nor a text",
  (stage) => {
    const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
    copyFaster(stage, ana, ben);
    ana.connect("ben");
    stage.wait(3000);
    assertEquals(ben.events("request").length, 1);
    ben.accept();
    stage.wait(100);
    assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
    const since = stage.now;
    for (let round = 0; round < 100; round++) {
      ana.send(`a${round}`);
      ben.send(`b${round}`);
      stage.wait(1000);
    }
    assertEquals([ana.texts.length, ben.texts.length], [100, 100]);
    for (const [index, time] of ana.eventTimes("message", since).entries()) {
      assertEquals(time, index * 1000 + 20);
    }
    for (const [index, time] of ana.eventTimes("delivered", since).entries()) {
      assertEquals(time, index * 1000 + 40);
    }
    const toCopier = stage.datagrams(ben).filter(({ to }) => to === "192.0.2.1:9")
      .flatMap(({ frames }) => frames.map(({ kind }) => kind));
    // The first Packet of a session says where its initiator is, until that one answers elsewhere.
    assertEquals([...new Set(toCopier)].sort(), [
      ...["pathChallenge", "pathResponse", "response", "ringing"],
    ]);
  },
);

for (const mover of ["ana", "ben"]) {
  story(
    `copies that seem to come from where ${mover} was before a move stall one text`,
    (stage) => {
      const [ana, ben] = pair(stage);
      const [moved, peer] = mover === "ana" ? [ana, ben] : [ben, ana];
      // Both learn how long an answer takes.
      for (const each of [ana, ben]) each.send("hello");
      stage.wait(100);
      const before = moved.host.address;
      move(stage, moved);
      moved.send("from elsewhere");
      stage.wait(2000);
      stage.network.script((datagram) => {
        if (datagram.from !== moved.name || datagram.to !== peer.name) return undefined;
        stage.network.transmit(before, peer.host.address, datagram.bytes, true);
        return 5;
      });
      const since = stage.now;
      for (let round = 0; round < 30; round++) {
        moved.send(`text ${round}`);
        stage.wait(1000);
      }
      stage.wait(10_000);
      assertEquals([peer.texts.length, moved.view.peer?.unconfirmed], [32, 0]);
      const delays = moved.eventTimes("delivered", since).map((time, index) => time - 1000 * index);
      assertLessOrEqual(delays.filter((delay) => delay > 100).length, 1);
    },
  );
}

for (const mover of ["ana", "ben"]) {
  story(`faster copies of all datagrams do not keep ${mover} from moving`, (stage) => {
    const [ana, ben] = pair(stage);
    const moved = mover === "ana" ? ana : ben;
    copyFaster(stage, ana, ben);
    copyFaster(stage, ben, ana);
    move(stage, moved);
    for (let round = 0; round < 40; round++) {
      ana.send(`a${round}`);
      ben.send(`b${round}`);
      stage.wait(1000);
    }
    assertEquals([ana.texts.length, ben.texts.length], [40, 40]);
    assertEquals([ana, ben].map((each) => each.events("terminated")), [[], []]);
  });
}

story("a copier that also relays the challenges cannot steal a connection", (stage) => {
  const [ana, ben] = pair(stage);
  copyFaster(stage, ana, ben);
  // Datagrams from ben to the copier are relayed to ana, as if they came from ben.
  stage.network.script((datagram) => {
    if (datagram.from !== "ben" || datagram.to !== "192.0.2.1:9") return undefined;
    stage.network.transmit(ben.host.address, ana.host.address, datagram.bytes, true);
    return undefined;
  });
  for (let round = 0; round < 20; round++) {
    ana.send(`a${round}`);
    ben.send(`b${round}`);
    stage.wait(2000);
  }
  assertEquals([ana.texts.length, ben.texts.length], [20, 20]);
  const stolen = stage.datagrams(ben).filter(({ to, frames }) =>
    to === "192.0.2.1:9" && frames.some(({ kind }) => kind !== "pathChallenge")
  );
  assertEquals(stolen, []);
});

story("a copy of a lost datagram from elsewhere moves no client", (stage) => {
  const [ana, ben] = pair(stage);
  let newest: Uint8Array | undefined;
  stage.network.script((datagram) => {
    if (newest !== undefined || datagram.frame("message") === undefined) return undefined;
    newest = datagram.bytes;
    return "drop";
  });
  ana.send("caught");
  const since = stage.now;
  stage.network.transmit(ELSEWHERE, ben.host.address, newest!, true);
  stage.wait(30);
  // It is authentic, and newer than all before, so that it is accepted.
  assertEquals(ben.texts, ["caught"]);
  stage.wait(500);
  ben.send("still there?");
  stage.wait(100);
  assertEquals(ana.texts, ["still there?"]);
  const toElsewhere = stage.datagrams(ben, since).filter(({ to }) => to === "192.0.2.1:9");
  assertEquals(toElsewhere.map(({ frames }) => frames.map(({ kind }) => kind)), [
    ["pathChallenge"],
  ]);
  assertLess(toElsewhere[0]!.bytes.length, AMPLIFICATION_MAX * newest!.length);
});

story("copies of received datagrams from elsewhere are dropped without an answer", (stage) => {
  const [ana, ben] = pair(stage);
  ana.send("one", "two");
  ben.send("three");
  stage.wait(2000);
  const [dropped, since] = [ben.dropped.notAuthentic, stage.now];
  const copies = stage.datagrams(ana).filter(({ to, frames }) =>
    to === "ben" && frames.every(({ kind }) => kind !== "initiation")
  );
  assert(copies.length > 1);
  for (const { bytes } of copies) {
    stage.network.transmit(ELSEWHERE, ben.host.address, bytes, true);
    stage.network.transmit(ana.host.address, ben.host.address, bytes, true);
  }
  stage.wait(1000);
  assertEquals(ben.dropped.notAuthentic, dropped + 2 * copies.length);
  assertEquals(stage.datagrams(ben, since), []);
  assertConnected(stage, ana, ben);
});
