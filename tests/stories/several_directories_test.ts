// Directories that share a key, seen by their clients: here each has a table of its own.
import { assert, assertEquals } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import type { ServerEvent } from "../../server/event.ts";
import { Server } from "../../server/server.ts";
import type { Host } from "../sim/network.ts";
import { type Actor, DIRECTORY, LEASE, type Stage, story } from "./stage.ts";

const SECOND: Address = { hostname: "10.0.0.2", port: 7070 };

/** Starts another directory with the key of the first one. */
function addSecond(stage: Stage): { host: Host<ServerEvent>; table(): number[] } {
  const { network, directoryIdentity: identity } = stage;
  const random = network.prng.bytes;
  const server = new Server({ maxClients: 100, lease: LEASE, identity, random });
  const host = network.add("second", SECOND, () => server);
  return { host, table: () => [...server.table().clients].map(({ id }) => id) };
}

/** Ana and ben, who know two directories, are registered at the first one, and connected. */
function pairOfTwo(stage: Stage): [Actor, Actor] {
  const options = { directoryAddresses: [DIRECTORY, SECOND] };
  const [ana, ben] = stage.clientsWith(options, "ana", "ben") as [Actor, Actor];
  stage.connect(ana, ben);
  return [ana, ben];
}

story(
  "the clients of a directory that is killed go on at the other one, and so does what they say",
  (stage) => {
    const [ana, ben] = pairOfTwo(stage);
    const second = addSecond(stage);
    stage.directory.crash();
    const since = stage.now;
    ana.send("is it gone?");
    stage.wait(stage.after(0) + 10_000);
    assertEquals(second.table(), [1, 2]);
    for (const each of [ana, ben]) {
      const [moved, ...more] = each.events("serverMoved");
      assertEquals([moved?.address, moved?.before, moved?.why], [SECOND, DIRECTORY, "silent"]);
      assertEquals([more, each.errors, each.events("serverLost")], [[], [], []]);
      assertEquals(each.events("registered").length, 1);
      assert(each.eventTimes("serverMoved", since)[0]! < stage.after(0) + 10_000);
    }
    ben.send("who needs it?");
    stage.wait(1000);
    assertEquals([ben.texts, ana.texts], [["is it gone?"], ["who needs it?"]]);
    assertEquals([ana.view.state, ben.view.state], ["connected", "connected"]);
  },
);

story("a list that the killed directory did not answer is told by the other one", (stage) => {
  const [ana] = pairOfTwo(stage);
  addSecond(stage);
  stage.directory.crash();
  ana.list();
  stage.wait(stage.after(0) + 5000);
  assertEquals([ana.events("list").length, ana.errors], [1, []]);
});

story("a client that was cut off from its directory alone goes to the other one", (stage) => {
  const [ana, ben] = pairOfTwo(stage);
  const second = addSecond(stage);
  stage.network.cut("ana", "directory");
  stage.wait(stage.after(0) + 10_000);
  assertEquals(second.table(), [1]);
  assertEquals([ana.events("serverMoved").length, ben.events("serverMoved").length], [1, 0]);
});

story(
  "a client that loses its network comes back to whichever directory answers first",
  (stage) => {
    const [ana] = pairOfTwo(stage);
    addSecond(stage);
    for (const name of ["directory", "second"]) stage.network.cut("ana", name, stage.now + 60_000);
    stage.wait(120_000);
    assertEquals(ana.events("serverLost").length, 1);
    assertEquals([ana.events("serverBack").length, ana.events("serverMoved")], [1, []]);
    assertEquals(ana.view.serverLostSince, undefined);
    stage.network.cut("ana", "second", stage.now + 60_000);
    stage.network.cut("ana", "directory");
    stage.wait(120_000);
    assertEquals([ana.events("serverLost").length, ana.events("serverBack").length], [2, 1]);
    assertEquals(ana.events("serverMoved").map(({ address }) => address), [SECOND]);
    assertEquals(ana.view.serverLostSince, undefined);
  },
);

story("a client whose directory was killed leaves at the other one", (stage) => {
  const [ana, ben] = pairOfTwo(stage);
  const second = addSecond(stage);
  stage.directory.crash();
  ana.leave();
  stage.wait(stage.after(0) + 5_000);
  assertEquals(ana.events("left").length, 1);
  assertEquals([ana.events("serverLost"), ana.errors], [[], []]);
  stage.wait(stage.after(0) + 5_000);
  assertEquals([ben.events("serverMoved").length, second.table()], [1, [2]]);
});
