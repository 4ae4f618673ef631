// When the user is called for, and what the title of the terminal says.
import { assertEquals } from "@std/assert";
import { ALERT_PAUSE, Attention, AWAY_AFTER, titleOf } from "../../../client/screen/attention.ts";
import type { ClientEvent } from "../../../client/event.ts";

const MESSAGE: ClientEvent = { kind: "message", textSeq: 0, text: "hi", peer: 1, name: "bob" };
const REQUEST: ClientEvent = { kind: "request", peer: 3, name: "", key: new Uint8Array(32) };

Deno.test("Attention rings for a message only while the terminal has no focus", () => {
  const attention = new Attention(0);
  attention.setFocus(1, true);
  assertEquals(attention.handle(AWAY_AFTER + 1, MESSAGE), undefined);
  attention.setFocus(AWAY_AFTER + 2, false);
  assertEquals(attention.handle(AWAY_AFTER + 3, MESSAGE), { notification: "Message from bob" });
  assertEquals(attention.unseen, 1);
  attention.setFocus(AWAY_AFTER + 4, true);
  assertEquals(attention.unseen, 0);
});

Deno.test("Attention rings once in a while for a burst of messages, and counts them all", () => {
  const attention = new Attention(0);
  attention.setFocus(0, false);
  const rings = [0, 1, ALERT_PAUSE - 1, ALERT_PAUSE, ALERT_PAUSE + 1]
    .filter((now) => attention.handle(now, MESSAGE) !== undefined);
  assertEquals(rings, [0, ALERT_PAUSE]);
  assertEquals(attention.unseen, 5);
  // Who came back and left again is called at once.
  attention.setFocus(ALERT_PAUSE + 2, true);
  attention.setFocus(ALERT_PAUSE + 3, false);
  assertEquals(attention.handle(ALERT_PAUSE + 4, MESSAGE) !== undefined, true);
});

Deno.test("Attention rings for each request, with a notification while the user is away", () => {
  const attention = new Attention(0);
  assertEquals(attention.handle(0, REQUEST), { notification: undefined });
  assertEquals(attention.unseen, 0);
  attention.setFocus(1, false);
  for (const now of [2, 3]) {
    assertEquals(attention.handle(now, REQUEST), {
      notification: "Connection Request from client 3",
    });
  }
  assertEquals(attention.unseen, 2);
  // A request keeps no message from being heard.
  assertEquals(attention.handle(4, MESSAGE) !== undefined, true);
});

Deno.test("Attention takes a user for away after a minute without a key, where no focus is reported", () => {
  const attention = new Attention(0);
  assertEquals(attention.handle(AWAY_AFTER - 1, MESSAGE), undefined);
  assertEquals(attention.handle(AWAY_AFTER, MESSAGE) !== undefined, true);
  attention.press(AWAY_AFTER + 1);
  assertEquals(attention.unseen, 0);
  assertEquals(attention.handle(AWAY_AFTER + 2, MESSAGE), undefined);
});

Deno.test("Attention believes a key more than a report that the focus is lost", () => {
  const attention = new Attention(0);
  attention.setFocus(0, false);
  attention.press(1);
  assertEquals(attention.handle(2, MESSAGE), undefined);
});

Deno.test("titleOf() names what came unseen, and the peer or who asks to connect", () => {
  const conversation = { unconfirmed: 0, unread: 0, isEnding: false, isHeld: false };
  const peer = { id: 1, name: "bob", isCarried: false, ...conversation };
  assertEquals(titleOf({ peer, requests: [] }, 2), "(2) bob — udp-chat");
  assertEquals(titleOf({ peer, requests: [{ id: 3, name: "carol" }] }, 0), "bob — udp-chat");
  const requests = [{ id: 3, name: "" }];
  assertEquals(titleOf({ peer: undefined, requests }, 1), "(1) client 3 — udp-chat");
  assertEquals(titleOf({ peer: undefined, requests: [] }, 0), "udp-chat");
});
