// What a client tells its user while nothing comes back.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { BLOCKED_AFTER, SILENT_AFTER } from "../../client/client.ts";
import { UNANSWERED_AFTER } from "../../client/state/calls.ts";
import { RESEND_INTERVAL } from "../../protocol/recovery/timer_policy.ts";
import type { ClientEvent } from "../../client/event.ts";
import { DIRECTORY } from "../support/fake_directory.ts";
import { ClientHarness, registered } from "../support/client_harness.ts";

/** The errors and the last event. */
function ending(events: readonly ClientEvent[]): unknown[] {
  return events.filter(({ kind }) => kind === "error" || kind === "left")
    .map((event) => event.kind === "error" ? event.code : event.kind);
}

function unanswered(events: readonly ClientEvent[]): ClientEvent[] {
  return events.filter(({ kind }) => kind === "unanswered");
}

Deno.test("Client tells within 2 s that the directory does not answer yet, and how to start one here", () => {
  const start = (hostname: string, port: number): unknown => {
    const harness = new ClientHarness({ directoryAddresses: [{ hostname, port }] });
    harness.advance(SILENT_AFTER - 1);
    assertEquals(harness.events(), []);
    harness.advance(1);
    const [event, ...more] = harness.events();
    assert(event?.kind === "serverQuiet" && more.length === 0);
    return event.start;
  };
  assertLessOrEqual(SILENT_AFTER, 2000);
  assertEquals(start("127.0.0.1", 7070), "udp-chat serve");
  assertEquals(start("::1", 7071), "udp-chat serve --port 7071");
  assertEquals(start("192.0.2.1", 7070), undefined);
});

Deno.test("Client does not call a directory silent that it has heard", () => {
  const harness = new ClientHarness();
  harness.advance(SILENT_AFTER - 1);
  harness.give(new Uint8Array(3), DIRECTORY);
  harness.advance(1);
  assertEquals(harness.events(), []);
});

Deno.test("Client ends within 5 s where nothing comes back to its user, and says what that means", () => {
  const harness = new ClientHarness({ isAttended: true });
  harness.advance(BLOCKED_AFTER - 1);
  assertEquals(harness.events().map(({ kind }) => kind), ["serverQuiet"]);
  harness.advance(1);
  const events = harness.events();
  assertEquals(ending(events), ["serverTimeout", "left"]);
  assertEquals(events.length, 2);
  assert(events[0]?.kind === "error");
  assertEquals(
    events[0].message,
    "Nothing comes back from the directory at localhost:7070: UDP does not get out of this " +
      "network, or no directory runs there, or it is private and needs --secret · " +
      "udp-chat serve starts one, --server names another",
  );
});

Deno.test("Client does not speak of the network where the directory is on this machine", () => {
  const directoryAddresses = ["::1", "127.0.0.1"].map((hostname) => ({ hostname, port: 7070 }));
  const secret = new Uint8Array(32);
  const harness = new ClientHarness({ isAttended: true, directoryAddresses, secret });
  harness.advance(BLOCKED_AFTER);
  const error = harness.events().find(({ kind }) => kind === "error");
  assert(error?.kind === "error");
  assertEquals(
    error.message,
    "Nothing comes back from the directory at localhost:7070: no directory runs there, or its " +
      "secret is another · udp-chat serve starts one, --server names another",
  );
});

Deno.test("Client goes on for 30 s where anything came back from the directory", () => {
  const harness = new ClientHarness({ isAttended: true });
  harness.advance(1000);
  harness.give(new Uint8Array(3), DIRECTORY);
  harness.advance(28_999);
  assertEquals(ending(harness.events()), []);
  harness.advance(1);
  assertEquals(ending(harness.events()), ["serverTimeout", "left"]);
});

Deno.test("Client goes on for 30 s where anything came back from any address of the directory", () => {
  const other = { hostname: "2001:db8::1", port: 7070 };
  for (const [from, isEnded] of [[other, false], [{ ...other, port: 1 }, true]] as const) {
    const directoryAddresses = [DIRECTORY, other];
    const harness = new ClientHarness({ isAttended: true, directoryAddresses });
    harness.advance(1000);
    harness.give(new Uint8Array(3), from);
    harness.advance(BLOCKED_AFTER);
    assertEquals(ending(harness.events()).length > 0, isEnded);
  }
});

Deno.test("Client goes on for 30 s for a script, and with fixed timers", () => {
  for (const options of [{}, { isAttended: true, timers: "fixed" }] as const) {
    const harness = new ClientHarness(options);
    harness.give(new Uint8Array(3));
    harness.advance(29_999);
    assertEquals(ending(harness.events()), []);
    harness.advance(1);
    assertEquals(ending(harness.events()), ["serverTimeout", "left"]);
  }
});

Deno.test("Client tells after 4 s why nothing may have come back from a peer, once", () => {
  const harness = registered();
  harness.client.connect(harness.now, "bob");
  harness.meet(2);
  harness.advance(UNANSWERED_AFTER - 1);
  assertEquals(unanswered(harness.events()), []);
  harness.advance(1);
  assertEquals(unanswered(harness.events()), [{
    kind: "unanswered",
    peer: 2,
    name: "",
    by: "peer",
  }]);
  harness.advance(100_000);
  assertEquals(unanswered(harness.events()), []);
  // The next one is reported again.
  harness.client.cancel(harness.now);
  harness.client.connect(harness.now, 3);
  harness.meet(3);
  harness.advance(UNANSWERED_AFTER);
  assertEquals(unanswered(harness.events()), [{
    kind: "unanswered",
    peer: 3,
    name: "",
    by: "peer",
  }]);
});

Deno.test("Client tells that the directory does not answer, and then that the peer does not", () => {
  const harness = registered();
  harness.client.connect(harness.now, "bob");
  harness.advance(UNANSWERED_AFTER);
  assertEquals(unanswered(harness.events()), [
    { kind: "unanswered", peer: "bob", name: "bob", by: "directory" },
  ]);
  harness.advance(10_000);
  assertEquals(unanswered(harness.events()), []);
  // When the Call is sent again.
  harness.now += RESEND_INTERVAL;
  harness.client.handleTimeout(harness.now);
  harness.meet(2);
  harness.advance(UNANSWERED_AFTER);
  assertEquals(unanswered(harness.events()), [{
    kind: "unanswered",
    peer: 2,
    name: "",
    by: "peer",
  }]);
});

Deno.test("Client says nothing of the kind where the peer rings", () => {
  const harness = registered();
  harness.client.connect(harness.now, 2);
  const { peer } = harness.respond(2);
  harness.receive(peer.seal({ kind: "ringing", responder: 2 }));
  harness.advance(60_000);
  assertEquals(unanswered(harness.events()), []);
});

Deno.test("Client with fixed timers waits until the request was sent again", () => {
  const harness = registered({ timers: "fixed" });
  harness.client.connect(harness.now, 2);
  harness.meet(2);
  harness.advance(10_000 + UNANSWERED_AFTER - 1);
  assertEquals(unanswered(harness.events()), []);
  harness.advance(1);
  assertEquals(unanswered(harness.events()).length, 1);
});
