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
    "The store is used with --max-clients 20000, here 10000; --lease 60, here 45: " +
      "start all directories with the same",
  );
  assertEquals(
    messageFor({ maxPerSource: undefined, nameHold: 0 }),
    "The store is used with --max-per-source any, here 200; --name-hold 0, here 7: " +
      "start all directories with the same",
  );
});
