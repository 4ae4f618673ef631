import { assertEquals } from "@std/assert";
import {
  HELD_NAMES_MAX,
  HELD_NAMES_PER_SOURCE,
  HeldNames,
} from "../../../server/table/held_names.ts";

const HOLD = 1000;
const ANA = new Uint8Array(32).fill(1);
const EVE = new Uint8Array(32).fill(2);

Deno.test("HeldNames keeps a name for its key, and for no other, until its time is over", () => {
  const held = new HeldNames(HOLD);
  held.add(5, "ana", ANA, "10.0.0.1");
  for (const name of ["ana", "ANA", "ａｎａ"]) {
    assertEquals([held.isForOther(6, name, EVE), held.isForOther(6, name, ANA)], [true, false]);
  }
  assertEquals([held.isForOther(6, "anna", EVE), held.isForOther(6, "", EVE)], [false, false]);
  assertEquals([4 + HOLD, 5 + HOLD].map((now) => held.isForOther(now, "ana", EVE)), [true, false]);
});

Deno.test("HeldNames releases a name whose owner is back, and counts its time from the last leave", () => {
  const held = new HeldNames(HOLD);
  held.add(0, "ana", ANA, "10.0.0.1");
  held.release("Ana");
  assertEquals([held.size, held.isForOther(1, "ana", EVE)], [0, false]);
  held.add(0, "ana", ANA, "10.0.0.1");
  held.add(900, "ana", ANA, "10.0.0.2");
  assertEquals([held.size, held.isForOther(1500, "ana", EVE)], [1, true]);
});

Deno.test("HeldNames keeps nothing where names are not held", () => {
  const held = new HeldNames(0);
  held.add(0, "ana", ANA, "10.0.0.1");
  assertEquals([held.size, held.isForOther(0, "ana", EVE)], [0, false]);
});

Deno.test("HeldNames forgets what is over", () => {
  const held = new HeldNames(HOLD);
  for (let n = 0; n < 10; n++) held.add(n, `name${n}`, ANA, "10.0.0.1");
  held.add(4 + HOLD, "last", ANA, "10.0.0.1");
  assertEquals(held.size, 6);
});

Deno.test("HeldNames keeps 200 names of one source, and forgets its oldest ones", () => {
  const held = new HeldNames(HOLD);
  held.add(0, "honest", ANA, "10.0.0.1");
  for (let n = 0; n < 3 * HELD_NAMES_PER_SOURCE; n++) held.add(1, `flood${n}`, EVE, "192.0.2.66");
  assertEquals(held.size, 1 + HELD_NAMES_PER_SOURCE);
  const names = ["honest", "flood0", `flood${2 * HELD_NAMES_PER_SOURCE}`];
  const others = [EVE, ANA, ANA];
  assertEquals(names.map((name, index) => held.isForOther(1, name, others[index]!)), [
    true,
    false,
    true,
  ]);
});

Deno.test("HeldNames is bounded: the source that has the most loses its oldest, and no other one does", () => {
  const held = new HeldNames(HOLD);
  held.add(0, "honest", ANA, "10.0.0.1");
  const last = HELD_NAMES_MAX + 10_000;
  for (let n = 0; n <= last; n++) held.add(2, `many${n}`, EVE, `source ${n >> 6}`);
  assertEquals([held.size, held.isForOther(2, "honest", EVE)], [HELD_NAMES_MAX, true]);
  assertEquals([held.isForOther(2, "many0", ANA), held.isForOther(2, `many${last}`, ANA)], [
    false,
    true,
  ]);
  held.release("honest");
  assertEquals(held.size, HELD_NAMES_MAX - 1);
});
