import { assertEquals } from "@std/assert";
import { commonBeginning, listing } from "../../../client/screen/completion.ts";

Deno.test("commonBeginning() is what all words share, in any case", () => {
  assertEquals(commonBeginning(["carol", "Carla"]), "car");
  assertEquals(commonBeginning(["bob"]), "bob");
  assertEquals(commonBeginning([]), "");
  assertEquals(commonBeginning(["e\u0301a", "eb"]), "", "no part of a grapheme");
});

Deno.test("listing() sorts words downwards in columns, names first", () => {
  const words = ["10", "9", "dan", "bob ", "Carol", "ana", "eve"];
  assertEquals(listing(words, 20, 9), "ana    dan    10\nbob    eve\nCarol  9");
});

Deno.test("listing() counts wide characters as two columns", () => {
  assertEquals(listing(["日本", "語", "x"], 12, 9), "x     語\n日本");
});

Deno.test("listing() says how many more there are", () => {
  const names = Array.from({ length: 300 }, (_, index) => `client${index}`);
  const rows = listing(names, 80, 3).split("\n");
  assertEquals(rows.length, 4);
  assertEquals(
    rows[0],
    "client0    client3    client6    client9    client12   client15   client18",
  );
  assertEquals(rows.at(-1), "…and 279 more");
});

Deno.test("listing() has one column on a narrow screen", () => {
  assertEquals(listing(["a-long-name", "another-name"], 5, 9), "a-long-name\nanother-name");
});
