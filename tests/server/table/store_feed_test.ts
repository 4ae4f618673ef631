import { assertEquals } from "@std/assert";
import { DUE_MAX, type StoreQuestion } from "../../../server/store/store.ts";
import {
  DUE_INTERVAL,
  STORE_TIMEOUT,
  StoreFeed,
  WAITING_CHANGES_MAX,
} from "../../../server/table/store_feed.ts";

const TIME = 1_700_000_000_000;

/** A feed, what it asks, and what it hands over. */
class Stage {
  now = 1000;
  readonly asked: StoreQuestion[] = [];
  readonly log: string[] = [];
  readonly feed = new StoreFeed({
    ask: (question) => this.asked.push(question),
    begin: () => this.log.push("begin"),
    record: (_now, { key, version }) => this.log.push(`record ${key} ${version}`),
    loaded: () => this.log.push("loaded"),
    change: (_now, { number }) => this.log.push(`change ${number}`),
    due: (_now, leases) => this.log.push(`due ${leases.length}`),
    down: () => this.log.push("down"),
  });

  takeLog(): string[] {
    return this.log.splice(0);
  }

  change(number: number): void {
    this.feed.handle(this.now, { kind: "change", number, time: TIME + this.now, change: "" });
  }

  /** Answers the last question about what is due. */
  answerDue(last: number, leaseCount = 0): void {
    const question = this.asked.findLast(({ kind }) => kind === "due");
    const number = question?.kind === "due" ? question.number : 0;
    const leases = Array.from({ length: leaseCount }, (_, n) => [`${n}`]);
    this.feed.handle(this.now, { kind: "due", number, leases, last });
  }

  /** Answers the last question for a page. */
  answerPage(records: readonly [string, number][] = [], cursor = ""): void {
    const question = this.asked.findLast(({ kind }) => kind === "load");
    const number = question?.kind === "load" ? question.number : 0;
    const page = records.map(([key, version]) => ({ key, version, value: "" }));
    this.feed.handle(this.now, {
      ...{ kind: "page", number, records: page, cursor, time: TIME + this.now },
    });
  }

  /** Loads an empty store. */
  goLive(last: number): void {
    this.feed.handle(this.now, { kind: "up" });
    this.answerDue(last);
    this.answerPage();
    this.takeLog();
  }

  wait(ms: number): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now = Math.min(end, this.feed.nextTimeout() ?? end);
      this.feed.handleTimeout(this.now);
    }
  }
}

Deno.test("StoreFeed hands over all records, then the changes since, each once and in order", () => {
  const stage = new Stage();
  stage.feed.handle(stage.now, { kind: "up" });
  stage.change(4);
  stage.answerDue(4);
  stage.answerPage([["a", 3]], "1");
  stage.change(5);
  stage.answerPage([["b", 5]]);
  assertEquals(stage.takeLog(), ["begin", "record a 3", "record b 5", "change 5", "loaded"]);
  stage.change(5);
  stage.change(6);
  assertEquals(stage.takeLog(), ["change 6"]);
  assertEquals(stage.feed.last, 6);
});

Deno.test("StoreFeed loads all again after a gap", () => {
  const stage = new Stage();
  stage.goLive(4);
  stage.change(6);
  assertEquals([stage.feed.isLive, stage.takeLog()], [false, ["begin"]]);
});

Deno.test("StoreFeed loads all again where the store says that there were changes which do not come", () => {
  const stage = new Stage();
  stage.goLive(4);
  stage.wait(DUE_INTERVAL);
  stage.answerDue(5);
  // It may be under way.
  assertEquals(stage.takeLog(), ["due 0"]);
  stage.wait(DUE_INTERVAL);
  stage.answerDue(5);
  assertEquals(stage.takeLog(), ["begin"]);
});

Deno.test("StoreFeed loads all again where the store has forgotten what it said", () => {
  const stage = new Stage();
  stage.goLive(4);
  stage.change(5);
  stage.wait(DUE_INTERVAL);
  stage.answerDue(0);
  assertEquals(stage.takeLog(), ["change 5", "begin"]);
});

Deno.test("StoreFeed takes the first change of an empty store, whatever its number", () => {
  const stage = new Stage();
  stage.goLive(0);
  stage.change(12_345);
  assertEquals(stage.takeLog(), ["change 12345"]);
});

Deno.test("StoreFeed counts a store as down that does not answer, and asks it all the time", () => {
  const stage = new Stage();
  stage.goLive(4);
  stage.wait(DUE_INTERVAL + STORE_TIMEOUT);
  assertEquals([stage.feed.isLive, stage.takeLog()], [false, ["down"]]);
  const { length } = stage.asked;
  stage.wait(3 * DUE_INTERVAL);
  assertEquals(stage.asked.length, length + 3);
  // It was only slow.
  stage.answerDue(4);
  assertEquals(stage.takeLog(), ["begin"]);
  stage.answerDue(4);
  stage.answerPage();
  assertEquals(stage.takeLog(), ["loaded"]);
});

Deno.test("StoreFeed finds a store again that takes longer to answer than from question to question", () => {
  const stage = new Stage();
  stage.goLive(4);
  stage.wait(DUE_INTERVAL + STORE_TIMEOUT);
  const question = stage.asked.findLast(({ kind }) => kind === "due")!;
  stage.wait(DUE_INTERVAL);
  stage.takeLog();
  const number = question.kind === "due" ? question.number : 0;
  stage.feed.handle(stage.now, { kind: "due", number, leases: [], last: 4 });
  assertEquals(stage.takeLog(), ["begin"]);
});

Deno.test("StoreFeed asks again soon where more leases are over than an answer has", () => {
  const stage = new Stage();
  stage.goLive(4);
  stage.wait(DUE_INTERVAL);
  const { length } = stage.asked;
  stage.answerDue(4, DUE_MAX);
  stage.wait(DUE_INTERVAL / 10);
  assertEquals(stage.asked.length, length + 1);
  stage.answerDue(4, DUE_MAX - 1);
  stage.wait(DUE_INTERVAL - 1);
  assertEquals(stage.asked.length, length + 1);
});

Deno.test("StoreFeed waits for a slow store, whose answers to earlier questions count for nothing", () => {
  const stage = new Stage();
  stage.goLive(4);
  stage.wait(DUE_INTERVAL + STORE_TIMEOUT - 1);
  assertEquals(stage.asked.filter(({ kind }) => kind === "due").length, 2);
  stage.answerDue(4);
  assertEquals(stage.takeLog(), ["due 0"]);
  stage.answerDue(0);
  assertEquals([stage.feed.isLive, stage.takeLog()], [true, []]);
});

Deno.test("StoreFeed takes no page of a load that was begun before", () => {
  const stage = new Stage();
  stage.feed.handle(stage.now, { kind: "up" });
  stage.answerDue(4);
  const early = stage.asked.findLast(({ kind }) => kind === "load")!;
  stage.feed.handle(stage.now, { kind: "up" });
  stage.answerDue(4);
  stage.takeLog();
  const number = early.kind === "load" ? early.number : 0;
  const records = [{ key: "a", version: 1, value: "" }];
  stage.feed.handle(stage.now, { kind: "page", number, records, cursor: "", time: TIME });
  assertEquals(stage.takeLog(), []);
});

Deno.test("StoreFeed keeps a bounded number of changes while it loads, and loads again beyond", () => {
  const stage = new Stage();
  stage.feed.handle(stage.now, { kind: "up" });
  stage.answerDue(4);
  stage.takeLog();
  for (let number = 5; number < 5 + WAITING_CHANGES_MAX; number++) stage.change(number);
  assertEquals(stage.takeLog(), []);
  stage.change(5 + WAITING_CHANGES_MAX);
  assertEquals(stage.takeLog(), ["begin"]);
});

Deno.test("StoreFeed knows the store's clock", () => {
  const stage = new Stage();
  stage.goLive(4);
  assertEquals(stage.feed.storeTime(2000), TIME + 2000);
  assertEquals(stage.feed.instantOf(TIME + 2500), 2500);
});
