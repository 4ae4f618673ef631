// Clients that accept whoever asks, and call each other.
import { assertEquals } from "@std/assert";
import type { Actor } from "./actor.ts";
import { stories } from "./stage.ts";

const NAMES = ["ana", "ben", "cleo", "dan"];

/** How many call in a circle, and the milliseconds between two calls. */
const CIRCLES = [2, 3, 4].flatMap((count) => [0, 30, 500].map((pause) => ({ count, pause })));

stories("automatic clients that call in a circle all end connected", CIRCLES, (stage, circle) => {
  const { count, pause } = circle;
  const actors = NAMES.slice(0, count).map((name): Actor => {
    const actor = stage.client(name, { acceptAll: true });
    stage.wait(100);
    return actor;
  });
  for (const [at, actor] of actors.entries()) {
    // The last one of two may be connected by then.
    if (actor.view.peer === undefined || count > 2) actor.connect(NAMES[(at + 1) % count]!);
    stage.wait(pause);
  }
  stage.wait(2000);
  for (const [at, actor] of actors.entries()) {
    const { peer, others, outgoing } = actor.view;
    const ids = [peer, ...others].map((each) => each?.id).toSorted();
    const neighbours = new Set([1 + (at + 1) % count, 1 + (at + count - 1) % count]);
    assertEquals(ids, [...neighbours].toSorted());
    assertEquals([outgoing, actor.events("request"), actor.errors], [undefined, [], []]);
  }
});
