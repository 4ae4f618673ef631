// A store on a real server: what it keeps, and in which order it reports it.
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import { LEASE_MARGIN, PAGE_LENGTH_MAX } from "../../server/store/store.ts";
import { commitQuestion } from "../support/store_questions.ts";
import { REDIS, RedisServer } from "./redis_server.ts";
import { StoreClient } from "./store_client.ts";

const ANA = ["id:1", "name:ana"];

function test(name: string, body: (server: RedisServer) => Promise<void>): void {
  Deno.test({
    name: name + REDIS.note,
    ignore: REDIS.ignore,
    async fn() {
      await using server = await RedisServer.start();
      await body(server);
    },
  });
}

/** The changes of a commit that registers a client. */
function joinOf(keys: readonly string[], ttl = 60_000): Parameters<StoreClient["commit"]>[0] {
  const checks = keys.map((key) => [key, 0] as const);
  return { checks, puts: keys.map((key) => ({ key, value: `of ${key}` })), lease: { keys, ttl } };
}

test("of many directories that take the same name at once, one gets it", async (server) => {
  const names = Array.from({ length: 200 }, (_, i) => `name:${i}`);
  const clients = await Promise.all([1, 2, 3].map((i) => StoreClient.open(server.url, i)));
  for (const client of clients) {
    client.ask(...names.map((name, i) => commitQuestion(i, joinOf([name]))));
  }
  for (const client of clients) await client.next("commit", ({ number }) => number === 199);
  for (let i = 0; i < names.length; i++) {
    const answers = clients.map((client) => client.of("commit")[i]!);
    assertEquals(answers.filter(({ number, isDone }) => number === i && isDone).length, 1);
  }
  for (const client of clients) client[Symbol.dispose]();
});

test("all directories get each change once, in the order of the numbers", async (server) => {
  using one = await StoreClient.open(server.url, 1);
  using two = await StoreClient.open(server.url, 2);
  for (let i = 0; i < 500; i++) {
    one.ask(commitQuestion(i, { change: `one\n${i}` }));
    two.ask(commitQuestion(i, { change: `two ☂ ${i}` }));
  }
  await one.next("commit", ({ number }) => number === 499);
  await two.next("commit", ({ number }) => number === 499);
  for (const client of [one, two]) {
    const { last } = await client.due();
    const changes = client.of("change");
    assertEquals(changes.map(({ number }) => last - number), changes.map((_, i) => 999 - i));
    assertEquals(
      new Set(changes.map(({ change }) => change)),
      new Set(Array.from({ length: 500 }, (_, i) => [`one\n${i}`, `two ☂ ${i}`]).flat()),
    );
  }
  assertEquals(one.of("change"), two.of("change"));
});

test("no change up to the last one comes after an answer that names it", async (server) => {
  using one = await StoreClient.open(server.url, 1);
  using two = await StoreClient.open(server.url, 2);
  for (let i = 0; i < 100; i++) {
    one.ask(commitQuestion(i, {}));
    const { last } = await two.due();
    assertEquals(two.of("change").some(({ number }) => number >= last) || last === 0, true);
  }
});

test("a lease that is over is due until a directory removes it, which one can", async (server) => {
  using one = await StoreClient.open(server.url, 1);
  using two = await StoreClient.open(server.url, 2);
  assert((await one.commit(joinOf(ANA, 1))).isDone);
  await one.untilDue();
  assertEquals((await two.due()).leases, [ANA]);
  const held = [{ key: "name:ana", value: "held", ttl: 60_000 }];
  const end = { over: [ANA], removes: [ANA], puts: held };
  const answers = await Promise.all([one.commit(end), two.commit(end)]);
  assertEquals(answers.map(({ isDone }) => isDone).toSorted(), [false, true]);
  assertEquals((await one.due()).leases, []);
  assertEquals((await one.load()).map(({ value }) => value), ["held"]);
});

test("a lease that is renewed is not over, and one that lacks a record is missing", async (server) => {
  using client = await StoreClient.open(server.url);
  await client.commit(joinOf(ANA, 1));
  assertEquals(await client.renew([["id:2"], ANA], 60_000), [["id:2"]]);
  assertEquals((await client.due()).leases, []);
  assertEquals((await client.commit({ over: [ANA] })).isDone, false);
  await server.command("DEL", "{udp-chat}:record:id:1");
  assertEquals(await client.renew([ANA], 60_000), [ANA]);
});

test("a lease's records outlive it by the margin, and nothing else is kept for ever", async (server) => {
  using client = await StoreClient.open(server.url);
  await client.commit({
    ...joinOf(ANA, 5000),
    puts: [...joinOf(ANA).puts!, { key: "spent", value: "", ttl: 1000 }],
  });
  const lives = async (key: string): Promise<number> =>
    Number(await server.command("PTTL", `{udp-chat}:record:${key}`));
  for (const key of ANA) {
    assertLessOrEqual(await lives(key), 5000 + LEASE_MARGIN);
    assertGreater(await lives(key), LEASE_MARGIN);
  }
  assertLessOrEqual(await lives("spent"), 1000);
  assertEquals(await server.command("PTTL", "{udp-chat}:last"), -1);
  await client.commit({ removes: [ANA] });
  const keys = await server.command("KEYS", "*") as string[];
  assertEquals(keys.toSorted(), ["{udp-chat}:last", "{udp-chat}:record:spent"]);
});

test("where a lease's records have expired, another one's under its keys stay", async (server) => {
  using client = await StoreClient.open(server.url);
  await client.commit(joinOf(ANA));
  // As if its end and the margin had passed.
  const end = Date.now() - LEASE_MARGIN - 1;
  await server.command("ZADD", "{udp-chat}:leases", `${end}`, JSON.stringify(ANA));
  await server.command("DEL", ...ANA.map((key) => `{udp-chat}:record:${key}`));
  assertEquals(await client.renew([ANA], 60_000), [ANA]);
  assert((await client.commit(joinOf(["id:1"]))).isDone);
  assertEquals((await client.due()).leases, [ANA]);
  assert((await client.commit({ over: [ANA], removes: [ANA] })).isDone);
  assertEquals((await client.load()).map(({ key }) => key), ["id:1"]);
});

test("a load gives all records that are there all the time, whatever comes and goes", async (server) => {
  using client = await StoreClient.open(server.url);
  const count = 5 * PAGE_LENGTH_MAX;
  const record = (name: string, i: number) => ({ key: `${name}:${i}`, value: "", ttl: 60_000 });
  const all = Array.from({ length: count }, (_, i) => record("stays", i));
  await client.commit({ puts: all });
  const loaded = new Set<string>();
  let [cursor, pages, round] = ["", 0, 0];
  do {
    const others = Array.from({ length: 2000 }, (_, i) => `goes:${round}:${i}`);
    await client.commit(joinOf(others));
    const page = await client.page(cursor);
    for (const { key } of page.records) loaded.add(key);
    assertLess(page.records.length, 1.2 * PAGE_LENGTH_MAX);
    if (round++ % 2 === 1) await client.commit({ removes: [others] });
    [cursor, pages] = [page.cursor, pages + 1];
  } while (cursor !== "");
  assertGreater(pages, 4);
  assertEquals(all.filter(({ key }) => !loaded.has(key)), []);
});

test("a message goes to the directory that it names, in the same database", async (server) => {
  using one = await StoreClient.open(server.url, 1);
  using two = await StoreClient.open(server.url, 2);
  using elsewhere = await StoreClient.open(`${server.url}/1`, 2);
  one.ask({ kind: "send", directory: 2, message: "hi\n☂" }, commitQuestion(1, { change: "new" }));
  assertEquals(await two.next("message"), { kind: "message", message: "hi\n☂" });
  await two.next("change");
  assertEquals(one.of("message"), []);
  assertEquals((await elsewhere.due()).last, 0);
  assertEquals([...elsewhere.of("change"), ...elsewhere.of("message")], []);
});

test("what else is in the store is no record, no lease, no change and no error", async (server) => {
  using client = await StoreClient.open(server.url);
  await client.commit(joinOf(ANA, 1));
  await server.command("SET", "{udp-chat}:record:text", "text");
  await server.command("SET", "{udp-chat}:record:number", "99999999999999999999 value");
  await server.command("SET", "{udp-chat}:record:bytes", "\ud800");
  await server.command("SET", "other", "1 value");
  for (const name of ["text", "[1]", "{}", "null"]) {
    await server.command("ZADD", "{udp-chat}:leases", "1", name);
  }
  for (const change of ["text", "1", "1 2", "99999999999999999999 1 x", ""]) {
    await server.command("PUBLISH", "{udp-chat}:0:changes", change);
  }
  assertEquals((await client.load()).map(({ key }) => key), ANA);
  await client.untilDue();
  assertEquals((await client.due()).leases, [ANA]);
  assertEquals(client.of("change").length, 1);
  assertEquals(client.of("down"), []);
});

test("scripts that the server has lost are sent again", async (server) => {
  using client = await StoreClient.open(server.url);
  await server.command("SCRIPT", "FLUSH");
  assert((await client.commit(joinOf(ANA))).isDone);
  assertEquals((await client.load()).length, 2);
  assertEquals(client.of("down"), []);
});

test("a store that was emptied says so, and counts on from a higher number", async (server) => {
  using client = await StoreClient.open(server.url);
  for (let i = 0; i < 100; i++) await client.commit({});
  const { last } = await client.due();
  await server.command("FLUSHALL");
  assertEquals((await client.due()).last, 0);
  assertGreater((await client.commit({})).last, last);
});
