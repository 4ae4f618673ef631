import { assertEquals } from "@std/assert";
import { BoundedMap } from "../../protocol/bounded_map.ts";

Deno.test("BoundedMap keeps the entries that were set last, and no more than its bound", () => {
  const map = new BoundedMap<string, number>(3);
  map.set("a", 1).set("b", 2).set("c", 3).set("a", 4);
  assertEquals([...map], [["b", 2], ["c", 3], ["a", 4]], "one that was there is the last again");
  map.set("d", 5);
  assertEquals([...map], [["c", 3], ["a", 4], ["d", 5]]);
});
