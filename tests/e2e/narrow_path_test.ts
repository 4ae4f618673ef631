// Real processes on a path that carries less than 1200 bytes, and reports nothing of what it drops.
import { assert, assertEquals, assertLess } from "@std/assert";
import { Relay } from "../support/relay.ts";
import { assertContract } from "./contract.ts";
import { connectedPair, Stage } from "./process.ts";

/** UDP payloads in bytes of paths of 576 and 1000 bytes. */
const LIMITS = [548, 972];

for (const limit of LIMITS) {
  Deno.test(`long texts arrive over a path that carries ${limit} bytes`, async () => {
    await using stage = new Stage();
    const server = await stage.serve();
    let tooLong = 0;
    await using relay = new Relay({ hostname: "127.0.0.1", port: server.port }, ({ bytes }) => {
      if (bytes.length <= limit) return "pass";
      tooLong++;
      return "drop";
    });
    await using mirror = relay.mirror();
    const [ana, bob] = await connectedPair(stage, { ana: mirror, bob: relay });
    const texts = ["x".repeat(1_100), "é".repeat(10_000), "long ".repeat(13_000)];
    const started = performance.now();
    for (const text of texts) {
      await ana.type(text);
      await bob.waitForEvent("message", { text });
      await bob.type(text);
      await ana.waitForEvent("message", { text });
    }
    assertLess(performance.now() - started, 20_000);
    assert(tooLong > 0, "the path was never too narrow");
    await ana.type("leave");
    await bob.type("leave");
    assertEquals(await Promise.all([ana.exitCode(), bob.exitCode()]), [0, 0]);
    for (const each of [ana, bob]) assertContract("client", each.events());
  });
}
