import { assertEquals } from "@std/assert";
import {
  type Change,
  type ClientRecord,
  decodeChange,
  decodeClient,
  decodeHeldName,
  decodeKeys,
  decodeMessage,
  encodeChange,
  encodeClient,
  encodeHeldName,
  encodeKeys,
  encodeMessage,
  idOfLease,
  leaseOf,
} from "../../../server/table/client_record.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { scaled } from "../../support/scale.ts";

const BYTES = new Prng(1).bytes(32);
const CLIENT: ClientRecord = {
  id: 7,
  tokenSecret: BYTES.subarray(0, 12),
  publicKey: BYTES,
  name: "Ana",
  endpoint: BYTES.subarray(0, 18),
  otherEndpoint: undefined,
  joinedAt: 1_700_000_000_000,
  directory: 0xffff_ffff,
  session: BYTES.subarray(0, 8),
};
const SETTINGS = { publicKey: BYTES, maxClients: 9, maxPerSource: 8, lease: 7000, nameHold: 0 };
const KEYS = { current: BYTES, previous: BYTES.toReversed(), slot: 5, settings: SETTINGS };
const HELD = { name: "Ana", publicKey: BYTES, source: "192.0.2.1", until: 9 };
const CHANGE: Change = { gone: [[3, "left"]], client: CLIENT, keys: KEYS };

Deno.test("records and changes are read as they were written", () => {
  for (const client of [CLIENT, { ...CLIENT, name: "", otherEndpoint: BYTES.subarray(0, 18) }]) {
    assertEquals(decodeClient(encodeClient(client)), client);
  }
  const { maxPerSource: _, ...anySource } = SETTINGS;
  const { settings: __, ...noSettings } = KEYS;
  for (const keys of [KEYS, { ...KEYS, settings: anySource }, noSettings]) {
    assertEquals(decodeKeys(encodeKeys(keys)), keys);
  }
  assertEquals(decodeHeldName(encodeHeldName(HELD)), HELD);
  assertEquals(decodeChange(encodeChange(CHANGE)), CHANGE);
  assertEquals(decodeChange(encodeChange({})), { gone: [] });
  assertEquals(decodeMessage(encodeMessage(7, BYTES)), [7, BYTES]);
});

Deno.test("the records of a client name it, its address, and its name in the form that is unique", () => {
  const lease = leaseOf(7, CLIENT.endpoint, "Ana");
  assertEquals(lease.length, 3);
  assertEquals(lease, leaseOf(7, CLIENT.endpoint, "aNA"));
  assertEquals(idOfLease(lease), 7);
  assertEquals(leaseOf(7, CLIENT.endpoint, "").length, 2);
  assertEquals(idOfLease(["held:ANA"]), undefined);
});

Deno.test("what is no record is none: a name that is not valid, a wrong size, another type", () => {
  const json = JSON.parse(encodeClient(CLIENT));
  const wrong = [
    ...[{ id: 0 }, { id: 2 ** 32 }, { id: 1.5 }, { id: "7" }, { name: "a b\u0007" }, {
      name: null,
    }],
    ...[{ key: "00" }, { token: json.key }, { at: 5 }, { session: "" }, { directory: 0 }],
  ];
  for (const each of wrong) {
    assertEquals(decodeClient(JSON.stringify({ ...json, ...each })), undefined);
  }
  for (const text of ["", "null", "[]", "7", '"text"', "{", "{}"]) {
    assertEquals(decodeClient(text), undefined);
    assertEquals(decodeKeys(text), undefined);
    assertEquals(decodeHeldName(text), undefined);
    assertEquals(decodeChange(text), { gone: [] });
    assertEquals(decodeMessage(text), undefined);
  }
  const keys = JSON.parse(encodeKeys(KEYS));
  const wrongParts = [{ lease: "7" }, { maxPerSource: null }, { key: "00" }];
  const wrongSettings = wrongParts.map((part) => ({ ...keys.settings, ...part }));
  for (const settings of [null, 7, {}, ...wrongSettings]) {
    const text = JSON.stringify({ ...keys, settings });
    assertEquals([decodeKeys(text)?.slot, decodeKeys(text)?.settings], [KEYS.slot, undefined]);
  }
  const gone = [[1, "left"], [2, "joined"], [0, "left"], "x", [3]];
  assertEquals(decodeChange(JSON.stringify({ gone })), {
    ...{ gone: [[1, "left"]] },
  });
});

Deno.test("no text makes the readers of records throw", () => {
  withSeed(seedFromEnv(), (prng) => {
    const texts = [encodeClient(CLIENT), encodeChange(CHANGE), encodeMessage(7, BYTES)];
    for (let i = 0; i < scaled(100_000, 2_000); i++) {
      const text = prng.pick(texts).split("");
      for (let n = prng.int(4); n >= 0; n--) {
        text[prng.int(text.length)] = prng.pick(['"', "{", "0", "-", ",", "[", "", "\ud800", "e"]);
      }
      const read = [decodeClient, decodeChange, decodeMessage, decodeKeys, decodeHeldName];
      for (const decode of read) decode(text.join(""));
    }
  });
});
