// A store that is slow, halted, killed, cut off, or does not let a directory in.
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { commitQuestion } from "../support/store_questions.ts";
import { Stage } from "./process.ts";
import { PERSISTENT, REDIS, RedisServer } from "./redis_server.ts";
import { StoreClient } from "./store_client.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** Milliseconds after which a store that is there again is up. */
const BACK_WITHIN = 5000;

const PUTS = [{ key: "id:1", value: "ana", ttl: 600_000 }];

function test(
  name: string,
  body: (server: RedisServer) => Promise<void>,
  settings: readonly string[] = [],
): void {
  Deno.test({
    name: name + REDIS.note,
    ignore: REDIS.ignore,
    async fn() {
      await using server = await RedisServer.start(settings);
      await body(server);
    },
  });
}

test(
  "a store that is killed keeps what it answered, and is up 5 s after it is back",
  async (server) => {
    using client = await StoreClient.open(server.url);
    const { last } = await client.commit({ puts: PUTS });
    await server.kill();
    const { reason } = await client.next("down");
    assertStringIncludes(reason, `Cannot use the store at 127.0.0.1:${server.port}: `);
    await server.start();
    await client.next("up", undefined, BACK_WITHIN);
    assertEquals((await client.load()).map(({ key, version }) => [key, version]), [["id:1", last]]);
    assertEquals((await client.commit({ checks: [["id:1", last]] })).last, last + 1);
  },
  PERSISTENT,
);

test("the log says without --log-level that a store which was lost is back", async (server) => {
  await using stage = new Stage();
  const { program: { stderr } } = await stage.serve("--store", server.url);
  await server.kill();
  assertMatch(await stderr.waitFor(/./), / error Cannot use the store at /);
  await server.start();
  await stderr.waitFor(/ warn The store answers$/);
});

test("a store that answers nothing for 2 s is only late", async (server) => {
  using client = await StoreClient.open(server.url);
  server.pause();
  const start = Date.now();
  setTimeout(() => server.resume(), 2000);
  assert((await client.commit({ puts: PUTS })).isDone);
  assertGreater(Date.now() - start, 1900);
  assertEquals(client.of("down"), []);
});

test("a store that answers nothing for longer is down, and up when it goes on", async (server) => {
  using client = await StoreClient.open(server.url);
  server.pause();
  const { reason } = await client.next("down");
  assertStringIncludes(reason, "no answer for 4 s");
  server.resume();
  await client.next("up", undefined, BACK_WITHIN);
  assert((await client.commit({ puts: PUTS })).isDone);
});

test("a store that is 200 ms away answers all that is asked together in that time", async (server) => {
  using proxy = new TcpProxy(server.port);
  proxy.delay = 100;
  using client = await StoreClient.open(`redis://127.0.0.1:${proxy.port}`);
  const start = Date.now();
  for (let number = 0; number < 500; number++) client.ask(commitQuestion(number, { puts: PUTS }));
  await client.next("commit", ({ number }) => number === 499);
  assertGreater(Date.now() - start, 190);
  assertLess(Date.now() - start, 500 * 190 / 10, "not one after the other");
});

test("a store that is cut off without a word is down, and up when it can be reached", async (server) => {
  using proxy = new TcpProxy(server.port);
  using client = await StoreClient.open(`redis://127.0.0.1:${proxy.port}`);
  proxy.isCut = true;
  await client.next("down");
  proxy.isCut = false;
  await client.next("up", undefined, BACK_WITHIN);
  proxy.reset();
  await client.next("down");
  await client.next("up", undefined, BACK_WITHIN);
});

test("what a halted store is asked is bounded in questions and in size", async (server) => {
  using client = await StoreClient.open(server.url);
  const answered = async (count: number, value: string): Promise<number> => {
    const before = client.of("commit").length;
    server.pause();
    const puts = [{ key: "id:1", value, ttl: 1000 }];
    for (let number = 1; number <= count; number++) client.ask(commitQuestion(number, { puts }));
    server.resume();
    await client.next("commit");
    while ((await client.due()).last === 0);
    return client.of("commit").length - before;
  };
  assertEquals(await answered(10_050, ""), 10_000);
  const large = "x".repeat(1024 * 1024);
  assertEquals(await answered(20, large), 15);
  assertEquals(client.of("down"), []);
});

test("a wrong password is reported, and not printed", async (server) => {
  await server.command("CONFIG", "SET", "requirepass", "the-word");
  const url = (user: string): string => `redis://${user}127.0.0.1:${server.port}`;
  for (const [user, problem] of [[":not-the-word@", "WRONGPASS"], ["", "NOAUTH"]] as const) {
    using client = new StoreClient(url(user));
    const { reason } = await client.next("down");
    assertStringIncludes(reason, problem);
    assert(!reason.includes("the-word"));
    assertEquals(client.of("up"), []);
  }
  using client = await StoreClient.open(url(":the-word@"));
  assert((await client.commit({ puts: PUTS })).isDone);
});

const SETTINGS = new URL("../../docs/operators/redis.conf", import.meta.url);

/** Makes the user of the operators' page, who may do this and no more. */
async function makeUser(server: RedisServer, change: (rule: string) => string): Promise<void> {
  const settings = Deno.readTextFileSync(SETTINGS);
  const [, user = ""] = /^user (udp-chat .*)$/m.exec(settings) ?? [];
  await server.command("ACL", "SETUSER", ...change(user).split(" "));
}

/** The URL for that user. */
function urlOfUser({ url }: RedisServer): string {
  return url.replace("//", "//udp-chat:CHANGE-THIS-PASSWORD@");
}

test("the user of the operators' page may do all that a directory does, and no more", async (server) => {
  await makeUser(server, (rules) => rules);
  using client = await StoreClient.open(`${urlOfUser(server)}/1`);
  const lease = { keys: ["id:1"], ttl: 1 };
  await client.commit({ puts: [...PUTS, { key: "id:1", value: "" }], lease });
  await client.untilDue();
  assertEquals(await client.renew([["id:1"]], 1), []);
  await client.untilDue();
  await client.commit({ checks: [["id:2", 0]], over: [["id:1"]], removes: [["id:1"]] });
  assertEquals(await client.load(), []);
  client.ask({ kind: "send", directory: 1, message: "" });
  await client.next("message");
  await server.command("SCRIPT", "FLUSH");
  await client.due();
  assertEquals(client.of("down"), []);
  const denied = (...command: string[]): Promise<unknown> =>
    server.command("ACL", "DRYRUN", "udp-chat", ...command);
  for (const command of [["GET", "other"], ["KEYS", "*"], ["FLUSHALL"], ["CONFIG", "GET", "*"]]) {
    assertStringIncludes(String(await denied(...command)), "no permissions");
  }
});

const LACKS: readonly (readonly [rule: string, problem: RegExp])[] = [
  [" +subscribe", /NOPERM .*'subscribe'/],
  [" +script|load", /NOPERM .*'script\|load'/],
  [" +ping", /NOPERM .*'ping'/],
  [" +evalsha", /NOPERM .*'evalsha'/],
  [" +publish", /(?:can't run this|no permissions to run).*\(PUBLISH\)/],
  [" +incr", /(?:can't run this|no permissions to run).*\(INCR\)/],
  [" +zrangebyscore", /(?:can't run this|no permissions to run).*\(ZRANGEBYSCORE\)/],
  [" ~{udp-chat}:*", /NOPERM .* keys?\b/],
  [" &{udp-chat}:*", /NOPERM .* channels?\b/],
];

test("a user who may not do all that a directory does is told what, and is never up", async (server) => {
  for (const [rule, problem] of LACKS) {
    await makeUser(server, (rules) => `${rules.replace(" on ", " reset on ").replace(rule, "")}`);
    using client = new StoreClient(urlOfUser(server));
    assertMatch((await client.next("down")).reason, problem);
    assertEquals(client.of("up"), []);
  }
});

test("a host that is unknown, and one that refuses, are reported once", async (server) => {
  using unknown = new StoreClient("redis://store.invalid:6379");
  using refused = new StoreClient(server.url);
  await refused.next("up");
  await server.kill();
  assertStringIncludes((await unknown.next("down")).reason, "store.invalid:6379: ");
  await refused.next("down");
  await refused.next("down", ({ reason }) => reason.includes("ECONNREFUSED"));
  // Both have been tried again several times by then.
  await server.start();
  await refused.next("up", undefined, BACK_WITHIN);
  assertEquals(unknown.inputs.length, 1);
  assertEquals(refused.of("down").length, 2);
});

test("a store that may not be written is down", async (server) => {
  await server.command("CONFIG", "SET", "maxmemory", "1");
  using client = new StoreClient(server.url);
  assertStringIncludes((await client.next("down")).reason, "OOM");
  await server.command("CONFIG", "SET", "maxmemory", "0");
  await client.next("up", undefined, BACK_WITHIN);
});
