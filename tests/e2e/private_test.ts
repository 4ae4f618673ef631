// Private, on real processes: an onlooker learns nothing, a meddler changes nothing, a peer may move.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { Relay } from "../support/relay.ts";
import { connectedPair, Stage } from "./process.ts";

const TEXTS = ["meet me at the old mill", "bring the map ünd die Lampe", "burn this 🔥"];
/** A name that is looked up, and that nobody has. */
const SOUGHT = "cornelius-carl";

/** Whether `bytes` contains `part`, or a piece of it of eight bytes. */
function leaks(bytes: Uint8Array, part: Uint8Array): boolean {
  const text = bytes.join();
  const pieces = Math.max(1, part.length - 7);
  return Array.from({ length: pieces }, (_, at) => part.slice(at, at + 8))
    .some((piece) => text.includes(piece.join()));
}

function altered(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at % copy.length]! ^= 1 << (at % 8);
  return copy;
}

Deno.test("a recorded conversation contains no text and no name, and meddling with it changes nothing", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const recorded: Uint8Array[] = [];
  let injected = 0;
  // Everything that the clients send and get, to and from the directory, too.
  await using relay = new Relay({ hostname: "127.0.0.1", port: server.port }, ({ bytes }) => {
    recorded.push(bytes);
    const old = recorded[injected % recorded.length]!;
    // A copy with a bit changed anywhere; an old one; the type and the connection id of another.
    const crossWired = bytes.slice();
    crossWired.set(old.subarray(3, 8), 3);
    const inject = [altered(bytes, injected), altered(bytes, 16 + injected), old];
    if (crossWired.join() !== bytes.join()) inject.push(crossWired);
    injected += inject.length;
    return { inject };
  });
  const names = { ana: "marguerite-ana", bob: "bartholomew-bob" };
  await using mirror = relay.mirror();
  const ana = await stage.jsonClient(names.ana, mirror);
  const bob = await stage.jsonClient(names.bob, relay);
  await ana.type(`connect ${names.bob}`);
  await bob.waitForEvent("request", { name: names.ana });
  await bob.type("accept");
  await Promise.all([ana.waitForEvent("connected"), bob.waitForEvent("connected")]);
  for (const text of TEXTS) {
    await ana.type(text);
    await bob.waitForEvent("message", { text });
    await bob.type(`re: ${text}`);
    await ana.waitForEvent("message", { text: `re: ${text}` });
  }
  await ana.type("terminate");
  await ana.waitForEvent("terminated", { by: "local", undelivered: 0 });
  await bob.waitForEvent("terminated", { by: "peer", undelivered: 0 });
  await bob.type(`connect ${SOUGHT}`, "list");
  await bob.waitForEvent("inactive", { name: SOUGHT });
  await bob.waitForEvent("list");
  await Promise.all([ana.endInput(), bob.endInput()]);
  assertEquals(await Promise.all([ana.exitCode(), bob.exitCode()]), [0, 0]);

  const utf8 = new TextEncoder();
  const secrets = [...TEXTS, ...Object.values(names), SOUGHT].map((text) => utf8.encode(text));
  assertGreater(recorded.length, 2 * TEXTS.length);
  assertGreater(injected, recorded.length);
  for (const bytes of recorded) {
    for (const secret of secrets) assert(!leaks(bytes, secret), "something can be read");
  }
  const received = bob.events().filter(({ event }) => event === "message").map(({ text }) => text);
  assertEquals(received, TEXTS);
});

Deno.test("a peer whose address changes goes on talking, and the directory learns the new one", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--lease", "3");
  await using relay = new Relay({ hostname: "127.0.0.1", port: server.port });
  const [ana, bob] = await connectedPair(stage, { ana: server, bob: relay });
  await ana.type("before");
  await bob.waitForEvent("message", { text: "before" });
  for (const round of [1, 2]) {
    relay.rebind();
    await bob.type(`moved ${round}`);
    await ana.waitForEvent("message", { text: `moved ${round}` });
    await ana.type(`found you ${round}`);
    await bob.waitForEvent("message", { text: `found you ${round}` });
    await ana.waitForEvent("delivered", { seq: round });
  }
  await ana.type("terminate");
  await bob.waitForEvent("terminated", { by: "peer", undelivered: 0 });
  // The next Look-up finds the address that it registered from again.
  await bob.type("list");
  await bob.waitForEvent("list");
  await ana.type("connect bob");
  await bob.waitForEvent("request");
});
