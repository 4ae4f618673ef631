import { assertEquals } from "@std/assert";
import {
  RENEWAL_TIMEOUT,
  Renewals,
  RENEWALS_IN_FLIGHT_MAX,
  RENEWALS_MAX,
} from "../../../server/table/renewals.ts";

const LEASE = 45_000;

/** How many leases are to be renewed now, in each question. */
function take(renewals: Renewals, now: number): number[] {
  const sizes: number[] = [];
  for (;;) {
    const { length } = renewals.take(now, (slot) => [`client:${slot}`]);
    if (length === 0) return sizes;
    sizes.push(length);
  }
}

Deno.test("Renewals asks for a lease once in a quarter of it, however often its client is heard", () => {
  const renewals = new Renewals(10, LEASE);
  renewals.note(100_000, 1);
  for (
    const [after, questions] of [[11_249, []], [11_250, [1]], [22_499, []], [22_500, [1]]] as const
  ) {
    renewals.hear(100_000 + after, 1);
    renewals.hear(100_000 + after, 1);
    assertEquals(take(renewals, 100_000 + after), [...questions]);
    renewals.handleAnswer();
  }
});

Deno.test("Renewals has a bounded number of questions in flight, and asks the rest later", () => {
  const count = (RENEWALS_IN_FLIGHT_MAX + 2) * RENEWALS_MAX - 1;
  const renewals = new Renewals(count, LEASE);
  for (let slot = 0; slot < count; slot++) renewals.add(slot);
  assertEquals(take(renewals, 0), new Array(RENEWALS_IN_FLIGHT_MAX).fill(RENEWALS_MAX));
  renewals.handleAnswer();
  assertEquals(take(renewals, 1), [RENEWALS_MAX]);
  // All answers are lost.
  assertEquals(take(renewals, RENEWAL_TIMEOUT), []);
  assertEquals(take(renewals, 1 + RENEWAL_TIMEOUT), [RENEWALS_MAX - 1]);
  for (let slot = 0; slot < count; slot++) renewals.add(slot);
  take(renewals, 2 + RENEWAL_TIMEOUT);
  renewals.reset();
  assertEquals(take(renewals, 2 + RENEWAL_TIMEOUT).length, 3);
});

Deno.test("Renewals leaves out clients that are not here any more", () => {
  const renewals = new Renewals(10, LEASE);
  for (const slot of [1, 2, 3]) renewals.add(slot);
  const leaseOf = (slot: number): string[] | undefined => slot === 2 ? undefined : [`${slot}`];
  assertEquals(renewals.take(0, leaseOf), [["1"], ["3"]]);
});
