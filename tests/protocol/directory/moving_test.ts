// A client whose directory is silent: protocol/README.md, "Several directories".
import { assert, assertEquals } from "@std/assert";
import {
  ADDRESS_AVOIDED,
  SEVERAL_KEEPALIVE_MAX,
  SEVERAL_SILENT_AFTER,
  UNAVAILABLE_RETRY,
} from "../../../protocol/directory/directory_choice.ts";
import { REGISTRATION_TIMEOUT } from "../../../protocol/directory/registering.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { LOOK_UP } from "../../support/dealings.ts";
import { A, a, B, b, C, c, lost, registeredAtA } from "../../support/moving_stage.ts";

const A6: Address = { hostname: "2001:db8::1", port: 7070 };

Deno.test("a client that knows several directories renews its lease every 4 s, and others as before", () => {
  assertEquals(SEVERAL_KEEPALIVE_MAX, 4000);
  const several = registeredAtA();
  several.run(12_000);
  assertEquals(several.timesOf("leaseKeepalive", a), [4000, 8000, 12_000]);
  for (const addresses of [[A], [A, A6]]) {
    const one = registeredAtA({ addresses });
    one.run(15_000);
    assertEquals(one.timesOf("leaseKeepalive", a), [15_000]);
  }
});

Deno.test("a directory that is silent for 3 s, at three tries or more, is left for the next one", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.run(20_000);
  const tries = stage.timesOf("leaseKeepalive", a);
  assertEquals(tries, [4000, 4200, 4600, 5400, 6400, 7000].slice(0, tries.length));
  assert(tries.length >= 3);
  assertEquals(stage.timesOf("credentials", b), [4000 + SEVERAL_SILENT_AFTER]);
  assertEquals(stage.told, [`moved ${b} silent`]);
  assertEquals(stage.registration.addresses, [B]);
  assertEquals(stage.timesOf("leaseKeepalive", b), [11_000, 15_000, 19_000]);
});

Deno.test("the next directory is shown the token, and asked for the same id and name", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(4000 + SEVERAL_SILENT_AFTER);
  stage.wait(200);
  const [, first] = stage.askedAt().find(([at]) => at === b)!;
  stage.challenge(first, B);
  const [, { frame }] = stage.askedAt().find(([at]) => at === b)!;
  assert(frame.kind === "register");
  assertEquals([frame.wantedId, frame.name, frame.token[0]], [1, "ana", 0xaa]);
});

Deno.test("a question that the silent directory did not answer is asked at the next one", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(4000);
  assert(stage.timesOf("lookUp", a).length >= 3);
  assertEquals(stage.timesOf("lookUp", b), [SEVERAL_SILENT_AFTER]);
  assertEquals(stage.told, [`moved ${b} silent`, "found"]);
});

Deno.test("a question that is taken back expects no answer", () => {
  const stage = registeredAtA();
  stage.at[a] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(1000);
  stage.registration.dropQuery(LOOK_UP);
  stage.at[a] = "up";
  stage.run(4500);
  assertEquals(stage.timesOf("credentials", b), []);
});

Deno.test("a directory that answers while the next one is tried stays in use", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(4000 + SEVERAL_SILENT_AFTER + 100);
  stage.at[a] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.addresses], [[], [A]]);
  assertEquals(stage.timesOf("register", b), []);
});

Deno.test("a client that slept while it waited for an answer does not take the directory for silent", () => {
  const stage = registeredAtA();
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.askedAt();
  stage.now += 10_000;
  stage.registration.handleWake(stage.now);
  stage.wait(0);
  stage.run(100);
  assertEquals([stage.told, stage.registration.addresses], [["found"], [A]]);
  assertEquals(stage.timesOf("credentials", b), []);
});

Deno.test("where all directories are silent, they are lost, and the first that answers is used", () => {
  const stage = registeredAtA();
  stage.at[a] = stage.at[b] = "silent";
  stage.run(30_000);
  assertEquals(stage.told, ["lost"]);
  stage.at[b] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.addresses], [[`moved ${b} silent`], [B]]);
});

Deno.test("a directory that was lost and answers again is not another one", () => {
  const stage = lost();
  stage.at[a] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.addresses], [["back"], [A]]);
});

Deno.test("a client that is lost is back where it is registered, and not where it is refused for now", () => {
  const stage = lost();
  stage.at[b] = "refusing";
  stage.run(30_000);
  assertEquals([stage.told, stage.registration.isLost], [[], true]);
  const tries = stage.timesOf("register", b);
  assert(tries.length >= 2 && tries.length <= 30_000 / UNAVAILABLE_RETRY, `${tries}`);
  stage.at[b] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.isLost], [[`moved ${b} silent`], false]);
});

Deno.test("a client that is lost goes on registering after it got no other name", () => {
  const stage = lost();
  stage.registration.rename(stage.now, "zoe");
  stage.run(REGISTRATION_TIMEOUT);
  assertEquals(stage.told, ["nameRefused"]);
  stage.at[b] = "up";
  stage.run(12_000);
  assertEquals([stage.told, stage.registration.name], [[`moved ${b} silent`], "ana"]);
});

Deno.test("with fixed timers nothing is sent again within 10 s, so the next one is tried after 13 s", () => {
  const stage = registeredAtA({}, "fixed");
  stage.at[a] = "silent";
  stage.registration.lookUp(stage.now, LOOK_UP);
  stage.run(20_000);
  assertEquals(stage.timesOf("lookUp", a), [0, 10_000]);
  assertEquals(stage.timesOf("credentials", b), [13_000]);
  assertEquals(stage.told, [`moved ${b} silent`, "found"]);
});

Deno.test("an address that was left is tried again only where there is no other, or after a while", () => {
  const stage = registeredAtA({ addresses: [A, B, C] });
  stage.at[a] = stage.at[c] = "silent";
  stage.run(10_000);
  assertEquals(stage.told, [`moved ${b} silent`]);
  stage.at[a] = stage.at[c] = "up";
  stage.at[b] = "silent";
  stage.run(20_000);
  assertEquals(stage.told, [`moved ${c} silent`]);
  assertEquals(stage.timesOf("credentials", a), []);
  stage.run(ADDRESS_AVOIDED);
  stage.at[c] = "silent";
  stage.run(20_000);
  assertEquals(stage.told.length, 1);
  assertEquals([stage.timesOf("credentials", a).length, stage.timesOf("credentials", b).length], [
    1,
    1,
  ]);
});
