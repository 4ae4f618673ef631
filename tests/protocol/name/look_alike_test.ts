import { assertEquals } from "@std/assert";
import { looksAlike } from "../../../protocol/name/look_alike.ts";

function check(pairs: readonly (readonly [one: string, other: string])[], expected: boolean): void {
  for (const [one, other] of pairs) {
    const found = [looksAlike(one, other), looksAlike(other, one)];
    assertEquals(found, [expected, expected], `${one} ${other}`);
  }
}

Deno.test("looksAlike() sees through another alphabet", () => {
  check([
    ["ana", "апа"],
    ["bob", "ЬоЬ"],
    ["Bob", "ВОВ"],
    ["oscar", "оѕсаг"],
    ["Paypal", "РауРаӀ"],
    ["eve", "еѵе"],
    ["Kiva", "Κινα"],
    ["os", "օՏ"],
    ["علی", "علي"],
    ["ಅನಾ", "అనా"],
    ["ロ", "口"],
    ["ジョン", "じょん"],
  ], true);
});

Deno.test("looksAlike() sees through digits, accents and letters that run together", () => {
  check([
    ["ana0", "anao"],
    ["x1", "xl"],
    ["Ian", "lan"],
    ["zoe", "zoë"],
    ["Lukasz", "Łukasz"],
    ["modern", "modem"],
    ["viv", "ѵiv"],
    ["O'Brien", "O’Brien"],
    ["علی", "علـی"],
  ], true);
});

Deno.test("looksAlike() leaves other names apart", () => {
  check([
    ["ana", "anna"],
    ["ana", "ena"],
    ["ana", "ana1"],
    ["か", "が"],
    ["Борис", "Барис"],
    ["राम", "रम"],
    ["", "a"],
  ], false);
});
