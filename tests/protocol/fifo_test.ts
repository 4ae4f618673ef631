import { assertEquals } from "@std/assert";
import { Fifo } from "../../protocol/fifo.ts";
import { Prng } from "../support/random.ts";

/** Takes all that is there. */
function drain<T>(fifo: Fifo<T>): T[] {
  const items: T[] = [];
  for (let item = fifo.shift(); item !== undefined; item = fifo.shift()) items.push(item);
  return items;
}

Deno.test("Fifo gives nothing while it is empty, however often it is asked", () => {
  const fifo = new Fifo<number>();
  assertEquals([fifo.shift(), fifo.shift()], [undefined, undefined]);
  fifo.push(1);
  assertEquals([fifo.shift(), fifo.shift(), fifo.shift()], [1, undefined, undefined]);
  fifo.push(2);
  assertEquals(fifo.shift(), 2);
});

Deno.test("Fifo gives what came first, and what is equal as often as it came", () => {
  const fifo = new Fifo<string>();
  for (const item of ["b", "a", "a", "c"]) fifo.push(item);
  assertEquals(fifo.shift(), "b");
  fifo.push("b");
  assertEquals(drain(fifo), ["a", "a", "c", "b"]);
});

Deno.test("Fifo gives items that count as false", () => {
  const fifo = new Fifo<number | string | null | boolean>();
  for (const item of [0, "", null, false]) fifo.push(item);
  assertEquals(drain(fifo), [0, "", null, false]);
});

Deno.test("Fifo keeps the order when the rest moves up, at any length", () => {
  for (const length of [1024, 1025, 1026, 2047, 2048, 2049, 2050, 5000]) {
    const fifo = new Fifo<number>();
    for (let item = 0; item < length; item++) fifo.push(item);
    for (let item = 0; item < length; item++) {
      assertEquals(fifo.length, length);
      assertEquals(fifo.shift(), item);
      // Something comes whenever something goes, so that it is never empty.
      fifo.push(length + item);
    }
    assertEquals(drain(fifo), Array.from({ length }, (_, index) => length + index));
  }
});

Deno.test("Fifo agrees with an array over pushes and shifts at random", () => {
  const prng = new Prng(1);
  const fifo = new Fifo<number>();
  const items: number[] = [];
  let next = 0;
  for (let round = 0; round < 400; round++) {
    // More comes than goes, then more goes than comes.
    const [pushes, shifts] = round % 100 < 50 ? [400, 200] : [200, 400];
    for (let count = prng.int(pushes); count > 0; count--) {
      fifo.push(next);
      items.push(next++);
    }
    for (let count = prng.int(shifts); count > 0; count--) {
      assertEquals(fifo.shift(), items.shift());
    }
  }
  assertEquals(drain(fifo), items);
});
