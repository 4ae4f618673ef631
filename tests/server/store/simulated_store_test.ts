// The contract of a store, on the one that tests play; `tests/e2e/store_test.ts` compares it with Redis.
import { assertEquals } from "@std/assert";
import {
  type CommitQuestion,
  DUE_MAX,
  LEASE_MARGIN,
  type StoreInput,
  type StoreQuestion,
  type StoreRecord,
} from "../../../server/store/store.ts";
import { SimulatedStore, STORE_EPOCH } from "../../support/simulated_store.ts";
import { commitQuestion as commit } from "../../support/store_questions.ts";

/** The number of a change at instant 0. */
const FIRST = 1000 * STORE_EPOCH + 1;
const LEASE = ["id:1", "name:ana"];
const PUTS = [{ key: "id:1", value: "one" }, { key: "name:ana", value: "ana" }];

/** A commit of a lease that lasts 1000 ms. */
function join(number: number): CommitQuestion {
  return commit(number, { puts: PUTS, lease: { keys: LEASE, ttl: 1000 }, change: "join" });
}

/** A store with directories 1 and 2. */
function openStore(pageLength?: number): SimulatedStore {
  const store = new SimulatedStore(pageLength);
  for (const directory of [1, 2]) {
    store.attach(directory);
    assertEquals(store.poll(directory), { kind: "up" });
  }
  return store;
}

/** Asks as directory 1, and takes all that comes for it. */
function ask(store: SimulatedStore, now: number, question: StoreQuestion): StoreInput[] {
  store.ask(now, 1, question);
  const inputs: StoreInput[] = [];
  for (let input = store.poll(1); input !== undefined; input = store.poll(1)) inputs.push(input);
  return inputs;
}

function load(store: SimulatedStore, now: number): StoreRecord[] {
  const records: StoreRecord[] = [];
  let cursor = "";
  do {
    const [page] = ask(store, now, { kind: "load", number: 1, cursor });
    if (page?.kind !== "page") throw new Error("not answered by a page");
    records.push(...page.records);
    cursor = page.cursor;
  } while (cursor !== "");
  return records;
}

function keysOf(records: readonly StoreRecord[]): string[] {
  return [...new Set(records.map(({ key }) => key))];
}

Deno.test("a commit goes to all directories with the next number", () => {
  const store = openStore();
  const number = 1000 * (STORE_EPOCH + 5) + 1;
  const change = { kind: "change", number, time: STORE_EPOCH + 5, change: "join" } as const;
  const answer = { kind: "commit", number: 7, isDone: true, last: number } as const;
  assertEquals(ask(store, 5, join(7)), [change, answer]);
  assertEquals(store.poll(2), change);
  const second = ask(store, 6, commit(8, {})).at(-1);
  assertEquals(second, { kind: "commit", number: 8, isDone: true, last: number + 1 });
});

Deno.test("a commit whose check fails changes nothing", () => {
  const store = openStore();
  const last = FIRST;
  assertEquals(
    ask(store, 0, commit(1, { checks: [["id:1", 9]], puts: [{ key: "x", value: "", ttl: 9 }] })),
    [{ kind: "commit", number: 1, isDone: false, last: 0 }],
  );
  ask(store, 0, join(2));
  const refused: StoreInput[] = [{ kind: "commit", number: 3, isDone: false, last }];
  assertEquals(ask(store, 0, commit(3, { checks: [["id:1", 0]] })), refused);
  assertEquals(ask(store, 999, commit(3, { over: [LEASE] })), refused);
  assertEquals(ask(store, 999, commit(3, { over: [["id:2"]] })), refused);
  assertEquals(keysOf(load(store, 0)), LEASE);
  assertEquals(ask(store, 0, commit(4, { checks: [["id:1", last]] })).length, 2);
});

Deno.test("a lease is due when it is over, and is removed once", () => {
  const store = openStore();
  const last = FIRST;
  const due = { kind: "due", number: 1 } as const;
  ask(store, 0, join(1));
  assertEquals(ask(store, 999, due), [{ ...due, leases: [], last }]);
  assertEquals(ask(store, 1000, due), [{ ...due, leases: [LEASE], last }]);
  const end = { over: [LEASE], removes: [LEASE], puts: [{ key: "name:ana", value: "", ttl: 50 }] };
  assertEquals(ask(store, 1000, commit(2, end)).length, 2);
  assertEquals(ask(store, 1000, commit(3, end)).length, 1);
  assertEquals(load(store, 1049), [{ key: "name:ana", version: last + 1, value: "" }]);
  assertEquals(load(store, 1050), []);
});

Deno.test("a lease that is renewed lasts, also where it is over", () => {
  const store = openStore();
  ask(store, 0, join(1));
  const renew = { kind: "renew", leases: [LEASE, ["id:2"]], ttl: 1000 } as const;
  assertEquals(ask(store, 900, renew), [{ kind: "renew", missing: [["id:2"]] }]);
  assertEquals(ask(store, 1500, commit(2, { over: [LEASE] })).length, 1);
  assertEquals(ask(store, 2500, renew), [{ kind: "renew", missing: [["id:2"]] }]);
  assertEquals(ask(store, 2500, commit(2, { over: [LEASE] })).length, 1);
});

Deno.test("the records of a lease that nobody ends expire, and it stays due until it is removed", () => {
  const store = openStore();
  ask(store, 0, join(1));
  const end = 1000 + LEASE_MARGIN;
  assertEquals(keysOf(load(store, end - 1)), LEASE);
  assertEquals(load(store, end), []);
  const renew = { kind: "renew", leases: [LEASE], ttl: 1000 } as const;
  assertEquals(ask(store, end, renew), [{ kind: "renew", missing: [LEASE] }]);
  // Another lease has one of its keys by then, and keeps it.
  const other = { keys: ["id:1"], ttl: 1000 };
  ask(store, end, commit(2, { puts: [{ key: "id:1", value: "new" }], lease: other }));
  assertEquals(ask(store, end, commit(3, { over: [LEASE], removes: [LEASE] })).length, 2);
  assertEquals(keysOf(load(store, end)), ["id:1"]);
});

Deno.test("a load gives all records that are there from its start to its end", () => {
  const store = openStore(2);
  const puts = Array.from({ length: 9 }, (_, i) => ({ key: `key:${i}`, value: `${i}`, ttl: 100 }));
  ask(store, 0, commit(1, { puts }));
  assertEquals(keysOf(load(store, 0)), puts.map(({ key }) => key));
});

Deno.test("as many leases are due at once as the contract says", () => {
  const store = openStore();
  for (let i = 0; i <= DUE_MAX; i++) {
    const key = `id:${i}`;
    ask(store, 0, commit(i, { puts: [{ key, value: "" }], lease: { keys: [key], ttl: 1 } }));
  }
  const [answer] = ask(store, 1, { kind: "due", number: 1 });
  assertEquals(answer?.kind === "due" && answer.leases.length, DUE_MAX);
});

Deno.test("a message goes to the directory that it names", () => {
  const store = openStore();
  assertEquals(ask(store, 0, { kind: "send", directory: 2, message: "hi" }), []);
  assertEquals(store.poll(2), { kind: "message", message: "hi" });
  assertEquals(ask(store, 0, { kind: "send", directory: 3, message: "lost" }), []);
});

Deno.test("a store that was emptied counts on from a higher number", () => {
  const store = openStore();
  ask(store, 0, join(1));
  store.forget();
  const due = { kind: "due", number: 1 } as const;
  assertEquals(ask(store, 2000, due), [{ ...due, leases: [], last: 0 }]);
  const [change] = ask(store, 2000, join(2));
  assertEquals(change?.kind === "change" && change.number, FIRST + 2_000_000);
});
