import { assertEquals } from "@std/assert";
import { fingerprint } from "../../../protocol/crypto/fingerprint.ts";
import { describeOtherSettings } from "../../../server/log/entries.ts";
import type { SharedSettings } from "../../../server/table/table.ts";

const OWN: SharedSettings = {
  publicKey: new Uint8Array(32),
  maxClients: 10_000,
  maxPerSource: 200,
  lease: 45_000,
  nameHold: 7 * 24 * 60 * 60 * 1000,
};

Deno.test("describeOtherSettings() names the settings that differ, with both values", () => {
  const messageFor = (other: Partial<SharedSettings>): string | undefined =>
    describeOtherSettings(OWN, { ...OWN, ...other })?.message;
  assertEquals(messageFor({}), undefined);
  assertEquals(
    messageFor({ lease: 60_000, maxClients: 20_000 }),
    "The store is used with --max-clients 20000, here 10000; --lease 60, here 45: " +
      "start all directories with the same",
  );
  const publicKey = new Uint8Array(32).fill(7);
  const [own, other] = [OWN.publicKey, publicKey].map(fingerprint);
  assertEquals(
    messageFor({ publicKey }),
    `The store is used with the key ${other}, here ${own}: start all directories with the same`,
  );
  assertEquals(
    messageFor({ maxPerSource: undefined, nameHold: 0 }),
    "The store is used with --max-per-source any, here 200; --name-hold 0, here 7: " +
      "start all directories with the same",
  );
});
