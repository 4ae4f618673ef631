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

/** Messages of which nobody can see any more where they stand, or some can. */
class Told {
  readonly deliveries: Deliveries<string>;
  readonly shown = new Set<string>();
  readonly notices: Omit<DeliveryNotice, "peer">[] = [];
  readonly changes: string[] = [];

  constructor(tellsAll: boolean) {
    this.deliveries = new Deliveries(tellsAll);
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

Deno.test("Deliveries changes the line of the message, by its number", () => {
  const told = new Told(true);
  for (const line of ["one", "two", "three"]) {
    told.shown.add(line);
    told.deliveries.add(2, line);
  }
  told.handle(event("sent", 0), event("sent", 1), event("delivered", 0));
  told.handle(event("unconfirmed", 1), event("sent", 2));
  assertEquals(told.deliveries.overdue, 1);
  told.handle(event("delivered", 1), ENDED);
  assertEquals(told.changes, ["one delivered", "two unconfirmed", "two delivered", "three lost"]);
  assertEquals(told.notices, []);
  assertEquals(told.deliveries.overdue, 0);
});

Deno.test("Deliveries keeps the messages to several peers apart", () => {
  const told = new Told(true);
  for (const [peer, line] of [[2, "to 2"], [3, "to 3"]] as const) {
    told.shown.add(line);
    told.deliveries.add(peer, line);
    told.handle(event("sent", 0, peer));
  }
  told.handle(event("delivered", 0, 3), ENDED, event("delivered", 0, 2));
  assertEquals(told.changes, ["to 3 delivered", "to 2 lost"]);
});

Deno.test("Deliveries tells in a pipe only of late messages, once when all are delivered", () => {
  const told = new Told(false);
  told.handle(...[3, 4, 5].map((seq) => event("sent", seq)));
  told.handle(event("unconfirmed", 3), event("unconfirmed", 4), event("delivered", 5));
  assertEquals(told.notices, [{ kind: "unconfirmed", count: 1, wasLate: true }]);
  told.handle(event("delivered", 3));
  assertEquals(told.notices.length, 1);
  told.handle(event("delivered", 4));
  assertEquals(told.notices.slice(1), [{ kind: "delivered", count: 2, wasLate: true }]);
  told.handle(event("sent", 6), event("unconfirmed", 6), event("delivered", 6));
  assertEquals(told.notices.slice(2), [
    { kind: "unconfirmed", count: 1, wasLate: true },
    { kind: "delivered", count: 1, wasLate: true },
  ]);
});

Deno.test("Deliveries tells in one line of messages that scrolled away", () => {
  const told = new Told(true);
  for (const line of ["gone", "gone too", "here"]) told.deliveries.add(2, line);
  told.shown.add("here");
  told.handle(...[0, 1, 2].map((seq) => event("sent", seq)));
  told.handle(event("delivered", 0), event("delivered", 1));
  assertEquals(told.notices, []);
  told.handle(event("delivered", 2));
  assertEquals(told.changes, ["here delivered"]);
  assertEquals(told.notices, [{ kind: "delivered", count: 2, wasLate: false }]);
});

Deno.test("Deliveries forgets a message that was late where it stood, and scrolled away then", () => {
  const told = new Told(true);
  told.deliveries.add(2, "one");
  told.shown.add("one");
  told.handle(event("sent", 0), event("unconfirmed", 0));
  told.shown.delete("one");
  told.handle(event("delivered", 0));
  assertEquals(told.notices, [{ kind: "delivered", count: 1, wasLate: true }]);
});
