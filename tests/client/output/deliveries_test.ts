import { assertEquals } from "@std/assert";
import { Deliveries, type DeliveryNotice } from "../../../client/output/deliveries.ts";
import type { ClientEvent } from "../../../client/event.ts";

type Kind = "sent" | "unconfirmed" | "delivered";

function event(kind: Kind, seq: number, peer = 2): ClientEvent {
  return kind === "delivered"
    ? { kind, peer, textSeq: seq, rttMs: 1 }
    : { kind, peer, textSeq: seq };
}

const ENDED: ClientEvent = { kind: "terminated", peer: 2, name: "", by: "peer", undelivered: 1 };

/** Deliveries whose lines can be changed only where they are in `shown`. */
class Stage {
  readonly deliveries: Deliveries<string>;
  readonly shown = new Set<string>();
  readonly notices: Omit<DeliveryNotice, "peer">[] = [];
  readonly changes: string[] = [];

  constructor(reportsAll: boolean) {
    this.deliveries = new Deliveries(reportsAll);
  }

  handle(...events: ClientEvent[]): void {
    for (const each of events) {
      for (const change of this.deliveries.handle(each)) {
        const isShown = change.line !== undefined && this.shown.has(change.line);
        if (isShown) this.changes.push(`${change.line} ${change.state}`);
        const notice = this.deliveries.report(change, isShown);
        if (notice === undefined) continue;
        const { kind, count, wasLate } = notice;
        this.notices.push({ kind, count, wasLate });
      }
    }
  }
}

Deno.test("Deliveries changes the line of a message by its number", () => {
  const stage = new Stage(true);
  for (const line of ["one", "two", "three"]) {
    stage.shown.add(line);
    stage.deliveries.add(2, line);
  }
  stage.handle(event("sent", 0), event("sent", 1), event("delivered", 0));
  stage.handle(event("unconfirmed", 1), event("sent", 2));
  assertEquals(stage.deliveries.overdue, 1);
  stage.handle(event("delivered", 1), ENDED);
  assertEquals(stage.changes, ["one delivered", "two unconfirmed", "two delivered", "three lost"]);
  assertEquals(stage.notices, []);
  assertEquals(stage.deliveries.overdue, 0);
});

Deno.test("Deliveries keeps the messages to several peers apart", () => {
  const stage = new Stage(true);
  for (const [peer, line] of [[2, "to 2"], [3, "to 3"]] as const) {
    stage.shown.add(line);
    stage.deliveries.add(peer, line);
    stage.handle(event("sent", 0, peer));
  }
  stage.handle(event("delivered", 0, 3), ENDED, event("delivered", 0, 2));
  assertEquals(stage.changes, ["to 3 delivered", "to 2 lost"]);
});

Deno.test("Deliveries reports late messages in a pipe, and once when all are delivered", () => {
  const stage = new Stage(false);
  stage.handle(...[3, 4, 5].map((seq) => event("sent", seq)));
  stage.handle(event("unconfirmed", 3), event("unconfirmed", 4), event("delivered", 5));
  assertEquals(stage.notices, [{ kind: "unconfirmed", count: 1, wasLate: true }]);
  stage.handle(event("delivered", 3));
  assertEquals(stage.notices.length, 1);
  stage.handle(event("delivered", 4));
  assertEquals(stage.notices.slice(1), [{ kind: "delivered", count: 2, wasLate: true }]);
  stage.handle(event("sent", 6), event("unconfirmed", 6), event("delivered", 6));
  assertEquals(stage.notices.slice(2), [
    { kind: "unconfirmed", count: 1, wasLate: true },
    { kind: "delivered", count: 1, wasLate: true },
  ]);
});

Deno.test("Deliveries reports messages that scrolled away in one notice", () => {
  const stage = new Stage(true);
  for (const line of ["gone", "gone too", "here"]) stage.deliveries.add(2, line);
  stage.shown.add("here");
  stage.handle(...[0, 1, 2].map((seq) => event("sent", seq)));
  stage.handle(event("delivered", 0), event("delivered", 1));
  assertEquals(stage.notices, []);
  stage.handle(event("delivered", 2));
  assertEquals(stage.changes, ["here delivered"]);
  assertEquals(stage.notices, [{ kind: "delivered", count: 2, wasLate: false }]);
});

Deno.test("Deliveries reports a message that was shown as late, and scrolled away", () => {
  const stage = new Stage(true);
  stage.deliveries.add(2, "one");
  stage.shown.add("one");
  stage.handle(event("sent", 0), event("unconfirmed", 0));
  stage.shown.delete("one");
  stage.handle(event("delivered", 0));
  assertEquals(stage.notices, [{ kind: "delivered", count: 1, wasLate: true }]);
});
