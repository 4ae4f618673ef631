import { assertEquals } from "@std/assert";
import {
  channelsOf,
  readChange,
  readReply,
  scriptCall,
  type ScriptQuestion,
} from "../../../server/store/commands.ts";
import { commitQuestion } from "../../support/store_questions.ts";

const COMMIT = commitQuestion(7, {});
const RENEW = { kind: "renew", leases: [["a"], ["b"]], ttl: 9 } as const;
const DUE = { kind: "due", number: 7 } as const;
const LOAD = { kind: "load", number: 7, cursor: "" } as const;

Deno.test("scriptCall() gives the arguments in the order in which the script takes them", () => {
  const question = commitQuestion(7, {
    checks: [["a", 3], ["b", 0]],
    over: [["c"]],
    removes: [["c"], ['"d"', "e"]],
    puts: [{ key: "a", value: "A" }, { key: "f", value: "F", ttl: 5 }],
    lease: { keys: ["a"], ttl: 9 },
    change: "changed",
  });
  assertEquals(scriptCall(question, channelsOf(2)), {
    name: "commit",
    args: [
      ...["{udp-chat}:2:changes", "changed", '["a"]', "9"],
      ...["2", "a", "3", "b", "0"],
      ...["1", '["c"]'],
      ...["2", '["c"]', '["\\"d\\"","e"]'],
      ...["2", "a", "A", "", "f", "F", "5"],
    ],
  });
  assertEquals(scriptCall(RENEW, channelsOf(0)), { name: "renew", args: ["9", '["a"]', '["b"]'] });
  assertEquals(scriptCall(LOAD, channelsOf(0)), { name: "load", args: ["0"] });
});

Deno.test("readReply() reads the replies of the scripts", () => {
  const done = { kind: "commit", number: 7, isDone: true, last: 1_795_967_180_111_000 } as const;
  assertEquals(readReply(COMMIT, [1, "1795967180111000"]), done);
  assertEquals(readReply(COMMIT, [0, "0"]), { ...done, isDone: false, last: 0 });
  assertEquals(readReply(RENEW, []), { kind: "renew", missing: [] });
  assertEquals(readReply(RENEW, [1]), { kind: "renew", missing: [["b"]] });
  const due = { ...DUE, leases: [["a", "b"]], last: 4 };
  assertEquals(readReply(DUE, ["4", '["a","b"]']), due);
  const page = { kind: "page", number: 7, records: [], cursor: "", time: 5 } as const;
  assertEquals(readReply(LOAD, ["0", "5"]), page);
  assertEquals(readReply(LOAD, ["17179869184000000001", "5", "key", "3 a b\n"]), {
    ...page,
    records: [{ key: "key", version: 3, value: "a b\n" }],
    cursor: "17179869184000000001",
  });
});

Deno.test("readReply() and readChange() give nothing for what no script of these replies", () => {
  const replies = [
    ...[undefined, null, 1, "text", {}, [], [1], ["text", "text"], [1, "-1"], [1, "1e3"]],
    ...[[1, 1], [{}, "99999999999999999999"], [null, null]],
  ];
  const questions: ScriptQuestion[] = [COMMIT, DUE, LOAD];
  for (const question of questions) {
    for (const reply of replies) assertEquals(readReply(question, reply), undefined);
  }
  assertEquals(readReply(RENEW, "text"), undefined);
  assertEquals(readReply(RENEW, [7, "x", null]), { kind: "renew", missing: [] });
  const noLeases = { ...DUE, leases: [], last: 4 };
  assertEquals(readReply(DUE, ["4", "{", '["a",1]', "null", 3, null]), noLeases);
  const records = ["0", "5", "key", "x 1", "key", 3, null, "1 x", "key", "1", "alone"];
  assertEquals(readReply(LOAD, records)?.kind === "page" && readReply(LOAD, records), {
    ...{ kind: "page", number: 7, records: [], cursor: "", time: 5 },
  });
  for (const message of ["", "1", "1 2", "x 2 y", "1 x y", "1 99999999999999999999 x", "-1 2 x"]) {
    assertEquals(readChange(message), undefined);
  }
});

Deno.test("readChange() reads a change with anything in it", () => {
  const change = { kind: "change", number: 5, time: 6, change: "7 8\n{}" } as const;
  assertEquals(readChange("5 6 7 8\n{}"), change);
  assertEquals(readChange("5 6 "), { ...change, change: "" });
});
