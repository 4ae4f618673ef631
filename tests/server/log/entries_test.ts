import { assertEquals } from "@std/assert";
import { describeOtherLimits } from "../../../server/log/entries.ts";
import type { TableLimits } from "../../../server/table/table.ts";

const OWN: TableLimits = {
  maxClients: 10_000,
  maxPerSource: 200,
  lease: 45_000,
  nameHold: 7 * 24 * 60 * 60 * 1000,
};

Deno.test("describeOtherLimits() names the options that differ, with both values", () => {
  const messageFor = (other: Partial<TableLimits>): string | undefined =>
    describeOtherLimits(OWN, { ...OWN, ...other })?.message;
  assertEquals(messageFor({}), undefined);
  assertEquals(
    messageFor({ lease: 60_000, maxClients: 20_000 }),
    "Another directory on the store has --max-clients 20000, this one 10000; " +
      "--lease 60, this one 45; start all with the same",
  );
  assertEquals(
    messageFor({ maxPerSource: undefined, nameHold: 0 }),
    "Another directory on the store has --max-per-source any, this one 200; " +
      "--name-hold 0, this one 7; start all with the same",
  );
});
