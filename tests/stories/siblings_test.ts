// Several clients with one key: siblings of one user, or a folder that was copied with its machine.
import { assertEquals, assertGreater } from "@std/assert";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { Session } from "../../protocol/session/session.ts";
import { keystreams } from "../support/keystream_log.ts";
import { DIRECTORY } from "./actor.ts";
import { type Actor, type Stage, stories, story } from "./stage.ts";

/** Adds ana (1), and two clients with one key: ben (2), and his sibling (3). */
function siblings(stage: Stage): [ana: Actor, ben: Actor, sibling: Actor] {
  const identity = makeKeyPair(stage.network.prng.bytes);
  const ana = stage.client("ana");
  stage.wait(100);
  const [ben, sibling] = ["ben", "sibling"].map((name) => {
    const actor = stage.client(name, { identity });
    stage.wait(100);
    return actor;
  }) as [Actor, Actor];
  return [ana, ben, sibling];
}

/** Sends a copy of what is for one client to another, as if it came from where it came from. */
function copy(stage: Stage, from: Actor, to: Actor, copyTo: Actor): void {
  stage.network.onSend = (datagram) => {
    if (datagram.from !== from.name || datagram.to !== to.name) return;
    const { bytes } = datagram;
    // A little later: the first Response is taken.
    stage.network.at(stage.now + 1, () => {
      stage.network.transmit(from.host.address, copyTo.host.address, bytes, true);
    });
  };
}

/** The kinds of the frames that a client sent to others than the directory. */
function said(stage: Stage, actor: Actor): string[] {
  const frames = stage.datagrams(actor).filter(({ to }) => to !== "directory")
    .flatMap(({ frames }) => frames.map(({ kind }) => kind));
  return [...new Set(frames)].filter((kind) => kind !== "punch" && !kind.startsWith("path"));
}

/** The same story, in which no nonce may be used twice. */
function noNonceTwice<Args extends unknown[]>(body: (...args: Args) => void) {
  return (...args: Args): void => {
    const { sealed, reused } = keystreams(() => body(...args));
    assertGreater(sealed, 5);
    assertEquals(reused, 0, "datagrams that were sealed under a nonce of another");
  };
}

story(
  "the recording of a call says nothing to a sibling, and costs no nonce",
  noNonceTwice((stage) => {
    const [ana, ben, sibling] = siblings(stage);
    stage.connect(ana, ben);
    ana.send("one");
    ben.send("two");
    stage.wait(1000);
    const recording = stage.datagrams(ana).filter(({ to }) => to === ben.name);
    for (const { bytes } of [...recording, ...recording]) {
      for (const to of [ben, sibling]) {
        stage.network.transmit(ana.host.address, to.host.address, bytes, true);
      }
      stage.wait(30);
    }
    assertEquals(said(stage, sibling), ["response"]);
    assertEquals([sibling.events("request"), sibling.view.state], [[], "idle"]);
    assertEquals([ana.view.state, ben.view.state], ["connected", "connected"]);
    ana.send("three");
    stage.wait(stage.after(1000));
    assertEquals([ana.texts, ben.texts], [["two"], ["one", "three"]]);
  }),
);

story(
  "a sibling that gets a call for another id answers nothing, and does not end it",
  noNonceTwice((stage) => {
    const [ana, ben, sibling] = siblings(stage);
    copy(stage, ana, ben, sibling);
    ana.connect(ben.id);
    stage.wait(300);
    assertEquals(ben.events("request").length, 1);
    ben.accept();
    stage.wait(300);
    ana.send("hello");
    stage.wait(stage.after(1000));
    assertEquals([ana.view.state, ben.texts], ["connected", ["hello"]]);
    assertEquals(said(stage, sibling), ["response"]);
    assertEquals([sibling.events("request"), ana.errors, ana.events("rejected")], [[], [], []]);
  }),
);

stories(
  "a call that was led to a sibling goes on, and rings where it was meant to",
  ["rings", "cancelled"] as const,
  noNonceTwice((stage, end) => {
    const [ana, ben, sibling] = siblings(stage);
    copy(stage, ana, ben, sibling);
    stage.cut(ana, ben, stage.now + 20_000);
    ana.connect(ben.id);
    stage.wait(19_000);
    assertEquals(
      said(stage, ana).includes("connectionRequest"),
      true,
      "in a session with the sibling",
    );
    assertEquals([said(stage, sibling), ana.view.state], [["response"], "requesting"]);
    stage.network.onSend = undefined;
    if (end === "cancelled") {
      ana.cancel();
      stage.wait(60_000);
      assertEquals(said(stage, sibling), ["response"]);
    } else {
      stage.wait(60_000);
      assertEquals([ben.events("request").length, sibling.events("request")], [1, []]);
      ben.accept();
      stage.wait(stage.after(1000));
      assertEquals([ana.view.state, ana.view.peer?.id], ["connected", ben.id]);
    }
  }),
);

story(
  "a copied folder: what is for one copy reaches both, and each talks for itself",
  noNonceTwice((stage) => {
    const identity = makeKeyPair(stage.network.prng.bytes);
    const ana = stage.client("ana", { acceptAll: true });
    stage.wait(100);
    const [one, two] = ["one", "two"].map((name) => stage.client(name, { identity, name: "" })) as [
      Actor,
      Actor,
    ];
    stage.network.onSend = (datagram) => {
      const other = datagram.to === one.name ? two : datagram.to === two.name ? one : undefined;
      if (other === undefined) return;
      const from = datagram.from === ana.name ? ana.host.address : DIRECTORY;
      stage.network.transmit(from, other.host.address, datagram.bytes, true);
    };
    stage.wait(11_000);
    for (const copy of [one, two]) {
      copy.connect(ana.id);
      stage.wait(stage.after(500));
      copy.send(`from ${copy.name}`, "and more");
      stage.wait(stage.after(2000));
      assertEquals([copy.view.state, copy.view.peer?.unconfirmed], ["connected", 0]);
    }
    assertEquals(ana.texts, ["from one", "and more", "from two", "and more"]);
  }),
);

Deno.test("keystreams() notices a nonce that is used twice", () => {
  const key = new Uint8Array(32).fill(7);
  const { reused } = keystreams(() => {
    for (const sender of [1, 2]) {
      const session = new Session(0, {
        isInitiator: true,
        localId: 1,
        remoteId: 2,
        remoteKey: key,
        handshake: { keys: { forward: key, backward: key }, hash: key },
        address: DIRECTORY,
        rtt: new RttEstimator(TIMER_POLICIES.adaptive),
        random: (size) => new Uint8Array(size),
      });
      session.encode({ kind: "connectionTermination", sender, finalSeq: 0 });
    }
  });
  assertEquals(reused, 1);
});
