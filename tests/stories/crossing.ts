/**
 * What the stories of crossing requests share.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { Actor, Stage } from "./stage.ts";

/** Who has the lower static key: that one's request counts. */
export const KEYS = ["ana", "ben"] as const;

/** Asserts that the two share one connection, and that no user was asked. */
export function assertOneConnection(stage: Stage, ana: Actor, ben: Actor): void {
  for (const each of [ana, ben]) {
    assertEquals(each.view.state, "connected");
    assertEquals(each.events("connected").length, 1);
    assertEquals(each.events("request"), []);
    assertEquals([...each.events("terminated"), ...each.events("returned")], []);
    assertEquals([each.errors, each.view.requests, each.view.outgoing], [[], [], undefined]);
  }
  assertEquals(ana.last("connected").hash, ben.last("connected").hash);
  ana.send("from ana");
  ben.send("from ben");
  stage.wait(200);
  assertEquals([...ben.texts, ...ana.texts], ["from ana", "from ben"]);
}

/** Asserts the same some time later, when all that was late has come. */
export function assertStillOneConnection(stage: Stage, ana: Actor, ben: Actor): void {
  const [fromAna, fromBen] = [ben.texts.length, ana.texts.length];
  stage.wait(100_000);
  ana.send("still");
  ben.send("here");
  stage.wait(200);
  assertEquals([ben.texts.slice(fromAna), ana.texts.slice(fromBen)], [["still"], ["here"]]);
  for (const each of [ana, ben]) {
    assertEquals([each.events("connected").length, each.events("request")], [1, []]);
    assertEquals([...each.events("terminated"), ...each.events("returned")], []);
  }
}
