// A peer whose key is not the trusted one: no word goes out before the user trusts it.
import { assertEquals } from "@std/assert";
import type { ClientOptions } from "../../client/view.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import { type Actor, type Stage, stories, story } from "./stage.ts";

/** A user who trusts nobody before `isTrusted` is set. */
class Doubt {
  isTrusted = false;
  readonly options: Partial<ClientOptions>;

  constructor(options: Partial<ClientOptions> = {}) {
    this.options = { isAttended: true, isTrustedPeer: () => this.isTrusted, ...options };
  }
}

/** Adds eve (1), and bob (2), who doubts her key and is connected with her. */
function meet(stage: Stage, doubt: Doubt, requester: "bob" | "eve"): [eve: Actor, bob: Actor] {
  const eve = stage.client("eve");
  stage.wait(100);
  const bob = stage.client("bob", doubt.options);
  stage.wait(100);
  const [from, to] = requester === "bob" ? [bob, eve] : [eve, bob];
  stage.connect(from, to);
  return [eve, bob];
}

/** The kinds of the frames that one client sent. */
function sentKinds(stage: Stage, from: Actor): Set<Frame["kind"]> {
  return new Set(stage.datagrams(from).flatMap(({ frames }) => frames.map(({ kind }) => kind)));
}

stories(
  "what is typed to a key that is not trusted waits, and goes out in order once it is",
  ["bob", "eve"] as const,
  (stage, requester) => {
    const doubt = new Doubt();
    const [eve, bob] = meet(stage, doubt, requester);
    assertEquals(bob.errors, ["peerKey"]);
    bob.send("one", "two");
    stage.wait(15_000);
    assertEquals([eve.texts, sentKinds(stage, bob).has("message")], [[], false]);
    assertEquals([bob.view.peer?.isHeld, bob.view.peer?.unconfirmed], [true, 2]);
    eve.send("hello?");
    stage.wait(1000);
    assertEquals(bob.texts, ["hello?"], "what the peer says is shown");
    doubt.isTrusted = true;
    bob.releaseTrusted();
    bob.send("three");
    stage.wait(stage.after(1000));
    assertEquals(eve.texts, ["one", "two", "three"]);
    assertEquals([bob.view.peer?.isHeld, bob.view.peer?.unconfirmed], [false, 0]);
  },
);

story("what is typed after another process trusted the key goes out with what waited", (stage) => {
  const doubt = new Doubt();
  const [eve, bob] = meet(stage, doubt, "bob");
  bob.send("one");
  doubt.isTrusted = true;
  bob.send("two");
  stage.wait(stage.after(1000));
  assertEquals(eve.texts, ["one", "two"]);
});

stories(
  "what waits is dropped at the end",
  ["terminate", "leave", "peer"] as const,
  (stage, end) => {
    const [eve, bob] = meet(stage, new Doubt(), "bob");
    bob.send("one", "two");
    if (end === "terminate") bob.terminate();
    else if (end === "leave") bob.leave();
    else eve.terminate();
    stage.wait(stage.after(2000) + 1000);
    const { by, undelivered } = bob.last("terminated");
    assertEquals([by, undelivered], [end === "peer" ? "peer" : "local", 2]);
    assertEquals([eve.texts, sentKinds(stage, bob).has("message")], [[], false]);
  },
);

story("what waits still waits after the peer came back", (stage) => {
  const doubt = new Doubt();
  const [eve, bob] = meet(stage, doubt, "eve");
  bob.send("one");
  eve.restart();
  stage.wait(100);
  eve.connect(bob.id);
  stage.wait(stage.after(2000));
  assertEquals([eve.view.state, eve.texts], ["connected", []]);
  doubt.isTrusted = true;
  bob.releaseTrusted();
  stage.wait(stage.after(2000));
  assertEquals(eve.texts, ["one"]);
});

stories(
  "where nobody can be asked, a connection with a key that is not trusted ends at once",
  ["bob", "eve"] as const,
  (stage, requester) => {
    const [eve, bob] = [
      stage.client("eve"),
      stage.client("bob", new Doubt({ isAttended: false }).options),
    ];
    stage.wait(100);
    const [from, to] = requester === "bob" ? [bob, eve] : [eve, bob];
    from.connect(to.id);
    stage.wait(150);
    to.accept(from.id);
    stage.wait(25);
    bob.send("secret");
    stage.wait(stage.after(2000));
    assertEquals(bob.errors, ["peerKey", "notConnected"]);
    assertEquals(bob.last("terminated").by, "local");
    assertEquals([eve.texts, sentKinds(stage, bob).has("message")], [[], false]);
  },
);

story("a client that accepts all lets a key that is not trusted ring", (stage) => {
  const doubt = new Doubt({ acceptAll: true });
  const [eve, bob] = [stage.client("eve"), stage.client("bob", doubt.options)];
  stage.wait(100);
  eve.connect(bob.id);
  stage.wait(1000);
  assertEquals([bob.view.state, bob.view.requests.length], ["idle", 1]);
  // A sibling's user trusted it: the next repeat is accepted.
  doubt.isTrusted = true;
  stage.wait(11_000);
  assertEquals([bob.view.state, eve.view.state], ["connected", "connected"]);
});

story("a client reports which key it called, and only for that connection", (stage) => {
  const calls: unknown[] = [];
  const isTrustedPeer: ClientOptions["isTrustedPeer"] = (_key, name, calledAs) => {
    calls.push([name, calledAs]);
    return true;
  };
  const [eve, dan] = [stage.client("eve"), stage.client("dan")];
  stage.wait(100);
  const bob = stage.client("bob", { isTrustedPeer, acceptAll: true });
  stage.wait(100);
  bob.connect("eve");
  stage.wait(150);
  dan.connect(bob.id);
  stage.wait(150);
  eve.accept(bob.id);
  stage.wait(100);
  const seen = bob.events("connected").map(({ name, calledAs }) => [name, calledAs]);
  assertEquals(seen, [["dan", undefined], ["eve", "eve"]]);
  assertEquals(calls.at(-1), ["eve", "eve"]);
});
