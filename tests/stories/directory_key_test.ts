import { assert, assertEquals } from "@std/assert";
import { isSameKey, type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { FORGERY_PATIENCE } from "../../protocol/directory/unproven.ts";
import { encodeDatagram, encodeUnknownAnswer } from "../../protocol/wire/datagram.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import type { DirectoryTrust } from "../../client/view.ts";
import { type Actor, DIRECTORY, LEASE, type Stage, story } from "./stage.ts";
import { STRANGER } from "./stranger.ts";

/** Trust in one key, as a client has that remembers its directory. */
function trustIn(key: Uint8Array): DirectoryTrust {
  return {
    isTrusted: (directoryKey) => isSameKey(directoryKey, key),
    refusal: () => "has another key",
  };
}

/** A key that is not the directory's. */
function otherKey(stage: Stage): KeyPair {
  return makeKeyPair(stage.network.prng.bytes);
}

/** Answers each Register without a cookie, at once, with a Challenge of another key. */
function forgeChallenges(stage: Stage, key: Uint8Array, from = DIRECTORY): void {
  stage.network.script((datagram) => {
    const credentials = datagram.frame("credentials");
    if (credentials === undefined || datagram.to !== "directory") return undefined;
    const { nonce } = credentials;
    const cookie = stage.network.prng.bytes(16);
    const mac = new Uint8Array(16);
    const header = { type: DatagramType.Challenge, session: 0, packet: 0 };
    const frame = { kind: "challenge", nonce, cookie, publicKey: key, mac } as const;
    const address = stage.network.addressOf(datagram.from);
    stage.network.transmit(from, address, encodeDatagram(header, [frame]), true);
    return 5;
  });
}

for (const from of [DIRECTORY, STRANGER]) {
  const where = from === DIRECTORY ? "as if from the directory" : "from elsewhere";
  story(`forged Challenges with another key, ${where}, change nothing`, (stage) => {
    const trust = trustIn(stage.directoryIdentity.publicKey);
    forgeChallenges(stage, otherKey(stage).publicKey, from);
    const [ana, ben] = ["ana", "ben"].map((name) => stage.client(name, { trust })) as [
      Actor,
      Actor,
    ];
    stage.wait(100);
    assertEquals([ana, ben].map((each) => each.eventTimes("registered")), [[90], [90]]);
    assertEquals(ana.last("registered").serverKey, stage.directoryIdentity.publicKey);
    // Not even a Register is sealed for that key.
    assertEquals(stage.times("register").length, 2);
    stage.connect(ana, ben);
    stage.restartDirectory();
    stage.wait(100_000);
    assertEquals([stage.table, ana.errors, ben.errors], [[1, 2], [], []]);
    assertEquals([ana, ben].map((each) => each.events("registered").length), [1, 1]);
    assertEquals([ana, ben].map((each) => each.view.state), ["connected", "connected"]);
  });
}

story(
  "a client that trusts at first sight registers although forged Challenges are quicker",
  (stage) => {
    forgeChallenges(stage, otherKey(stage).publicKey);
    const ana = stage.client("ana");
    stage.wait(30_000);
    assertEquals(ana.last("registered").serverKey, stage.directoryIdentity.publicKey);
    assertEquals([ana.errors, stage.table], [[], [1]]);
  },
);

story("another key at the first registration ends the client, after 12 s", (stage) => {
  const ana = stage.client("ana", { trust: trustIn(otherKey(stage).publicKey) });
  stage.wait(FORGERY_PATIENCE + 39);
  assertEquals(ana.errors, []);
  stage.wait(1);
  assertEquals(ana.errors, ["serverKey"]);
  assertEquals(ana.last("error").message, "The directory at localhost:7070 has another key");
  assertEquals(ana.last("left"), { kind: "left", undelivered: 0, acknowledged: false });
  // Nothing was sealed for it: no name and no token is told.
  assertEquals([stage.times("register"), stage.table], [[], []]);
  assertEquals(ana.nextTimeout, undefined);
});

story("a directory that restarts with its key takes its clients back", (stage) => {
  const trust = trustIn(stage.directoryIdentity.publicKey);
  const [ana, ben] = stage.clientsWith({ trust }, "ana", "ben") as [Actor, Actor];
  stage.connect(ana, ben);
  stage.restartDirectory();
  stage.wait(LEASE);
  assertEquals([stage.table, ana.errors], [[1, 2], []]);
  assertEquals(ana.events("registered").length, 1);
  assertEquals(ana.events("serverLost"), []);
});

story("a directory that restarts with another key is reported once; connections go on", (stage) => {
  const trust = trustIn(stage.directoryIdentity.publicKey);
  const [ana, ben] = stage.clientsWith({ trust }, "ana", "ben") as [Actor, Actor];
  stage.connect(ana, ben);
  const own = stage.directoryIdentity;
  stage.restartDirectory(otherKey(stage));
  stage.wait(10 * LEASE);
  for (const each of [ana, ben]) {
    assertEquals([each.errors, each.events("left")], [["serverKey"], []]);
    assertEquals([each.id, each.view.state], [each.name === "ana" ? 1 : 2, "connected"]);
    assert(each.view.serverLostSince !== undefined);
  }
  assertEquals(stage.table, []);
  ana.send("still here?");
  stage.wait(100);
  assertEquals(ben.texts, ["still here?"]);
  // The operator finds the key again.
  stage.restartDirectory(own);
  stage.wait(30_000);
  assertEquals(stage.table, [1, 2]);
  assertEquals([ana, ben].map((each) => each.events("serverBack").length), [1, 1]);
  assertEquals(ana.errors, ["serverKey"]);
});

story("a forged Unknown costs the first datagram of a registration, and no more", (stage) => {
  const [ana, ben] = stage.pair();
  const tables = stage.table;
  let isForging = true;
  stage.network.script((datagram) => {
    if (datagram.from !== "ana" || datagram.to !== "directory" || !isForging) return undefined;
    if (!datagram.decoded.ok) return undefined;
    // The header can be read: the answer is quicker than the directory's.
    const forged = encodeUnknownAnswer(datagram.decoded.header);
    stage.network.transmit(DIRECTORY, ana.host.address, forged, true);
    return 5;
  });
  const since = stage.now;
  stage.wait(60_000);
  assertEquals([stage.table, ana.id, ana.errors], [tables, 1, []]);
  assertEquals([ana.events("registered").length, ana.events("serverLost")], [1, []]);
  // Each Lease Keepalive begins a registration, which its ack ends.
  const [begun, registers] = [
    stage.times("credentials", ana, since),
    stage.times("register", ana, since),
  ];
  assertEquals([begun.length, registers.length], [4, 0]);
  ana.send("still here");
  stage.wait(100);
  assertEquals(ben.texts, ["still here"]);
  ana.list();
  stage.wait(1000 + stage.after(500));
  assertEquals(ana.events("list").length, 1);
  isForging = false;
  // One that answers nothing of this client's is dropped.
  const dropped = ana.dropped.notAuthentic;
  const header = { type: DatagramType.Request, session: 1, packet: 9999 };
  stage.network.transmit(DIRECTORY, ana.host.address, encodeUnknownAnswer(header), true);
  stage.wait(100);
  assertEquals(ana.dropped.notAuthentic, dropped + 1);
});

story("a forged Unknown that answers a Client Leave shortens its patience to 3 s", (stage) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.network.script((datagram) => {
    if (datagram.frame("leave") === undefined || !datagram.decoded.ok) return undefined;
    const address = stage.network.addressOf(datagram.from);
    const forged = encodeUnknownAnswer(datagram.decoded.header);
    stage.network.transmit(DIRECTORY, address, forged, true);
    return datagram.from === "ana" ? undefined : "drop";
  });
  for (const each of [ana, ben]) each.leave();
  const since = stage.now;
  stage.wait(5000);
  assertEquals(ana.last("left").acknowledged, true);
  assertEquals([ana.eventTimes("left", since), ben.eventTimes("left", since)], [[40], [3020]]);
  assertEquals(ben.last("left").acknowledged, false);
});

story("recorded requests and answers of a directory have no effect, at once and later", (stage) => {
  const [ana, ben] = stage.pair();
  ana.list();
  stage.wait(100);
  const recording = stage.datagrams().filter(({ from, to }) =>
    (from === "ana" && to === "directory") || (from === "directory" && to === "ana")
  );
  for (const pause of [0, 20_000, 40_000]) {
    stage.wait(pause);
    const [table, events] = [stage.table, ana.host.events.length];
    for (const { from, bytes } of recording) {
      const hosts = [ana.host.address, DIRECTORY] as const;
      const [source, target] = from === "ana" ? hosts : [hosts[1], hosts[0]];
      for (const each of [source, STRANGER]) stage.network.transmit(each, target, bytes, true);
      stage.wait(50);
    }
    assertEquals([stage.table, ana.host.events.length], [table, events]);
    assertEquals([ana.id, ana.view.state], [1, "connected"]);
  }
  ana.leave();
  stage.wait(1000);
  assertEquals(stage.table, [2]);
  for (const { from, bytes } of recording) {
    if (from !== "ana") continue;
    for (const each of [ana.host.address, STRANGER]) {
      stage.network.transmit(each, DIRECTORY, bytes, true);
    }
    stage.wait(50);
  }
  assertEquals([stage.table, ben.errors], [[2], []]);
});
