// One of two directories that share a table dies or stops, with many clients.
import { assert, assertEquals, assertLess } from "@std/assert";
import type { ClientReport } from "./many_clients.ts";
import { UNIX_SIGNALS } from "./process.ts";
import { REDIS } from "./redis_server.ts";
import { type Crowd, SharedDirectories } from "./shared_directories.ts";

const CLIENTS = 500;
const CONVERSATIONS = 10;
/**
 * Milliseconds in which all clients are at the other directory: 10 s, and more on a busy machine, where
 * a search for another directory can end without an answer, and the client registers anew after that.
 */
const MOVED_WITHIN = 30_000;
/** Milliseconds without a message that a busy machine may cause: a search takes longer. */
const SILENCE_MAX = 5_000;

const ignore = REDIS.ignore || UNIX_SIGNALS.ignore;

function identities(clients: readonly ClientReport[]): unknown[] {
  return clients.map(({ id, name }) => [id, name]);
}

/** All are at this directory under the ids and names that they had, and no talker noticed. */
async function assertMoved(crowd: Crowd, before: readonly ClientReport[], port: number) {
  const after = await crowd.report();
  assertEquals(identities(after), identities(before));
  assertEquals(new Set(after.map(({ id }) => id)).size, CLIENTS);
  for (const [index, { at, events, isBroken, received, longestSilence }] of after.entries()) {
    assertEquals(at, port);
    // On a busy machine, a search can last until the client says that the directory is lost.
    assertEquals([events.registered, events.error], [1, undefined]);
    if (index >= 2 * CONVERSATIONS) continue;
    assertEquals([events.connected, events.terminated, isBroken], [1, undefined, false]);
    assert(received > before[index]!.received);
    assertLess(longestSilence, SILENCE_MAX);
  }
}

Deno.test({
  name: `${CLIENTS} clients of a directory that is killed are soon at the other${REDIS.note}`,
  ignore,
  async fn() {
    await using shared = await SharedDirectories.start();
    const crowd = await shared.crowd(CLIENTS, CONVERSATIONS);
    const before = await crowd.report();
    const [killed, other] = shared.byClients(before);
    killed.program.signal("SIGKILL");
    await crowd.waitForSpread((at) => at[other.port] === CLIENTS, MOVED_WITHIN);
    await assertMoved(crowd, before, other.port);
  },
});

Deno.test({
  name: `${CLIENTS} clients of a directory that stops are at the other at once${REDIS.note}`,
  ignore,
  async fn() {
    await using shared = await SharedDirectories.start();
    const crowd = await shared.crowd(CLIENTS, CONVERSATIONS);
    const before = await crowd.report();
    const [stopped, other] = shared.byClients(before);
    stopped.program.signal("SIGTERM");
    await crowd.waitForSpread((at) => at[other.port] === CLIENTS, MOVED_WITHIN);
    assertEquals(await stopped.program.exitCode(), 0);
    await assertMoved(crowd, before, other.port);
    // They were told, and did not have to find out.
    for (const { events } of await crowd.report()) assertEquals(events["moved silent"], undefined);
  },
});
