// A doctor of a directory that has addresses of both families, and answers first by IPv6.
import { assertEquals } from "@std/assert";
import { LOOK_TIMEOUT } from "../../../client/doctor/second_look.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { DELAY, found, HERE, HERE_V6, type Setup, Stage } from "../../support/doctor_stage.ts";

const NAT: Address = { hostname: "198.51.100.4", port: 61_002 };
const ELSEWHERE: Address = { ...NAT, port: 61_003 };
/** What a doctor meets that has both families. */
const BOTH: Setup = { hasBoth: true, hasIpv6: true };

function addresses(setup: Setup): unknown[] {
  return found(setup, "address").map(({ fields }) => [fields?.host, fields?.nat]);
}

function messageOf(setup: Setup): string[] {
  return found(setup, "calls").map(({ verdict, message, fields }) =>
    `${verdict} ${fields?.direct}: ${message}`
  );
}

Deno.test("Doctor that is answered by IPv6 tells the kind of the NAT for IPv4, too", () => {
  for (const [secondSeenAt, mapping] of [[NAT, "same"], [ELSEWHERE, "different"]] as const) {
    const setup = { ...BOTH, seenAt: NAT, secondSeenAt, isHairpin: true };
    assertEquals(addresses(setup), [[HERE_V6.hostname, false], [NAT.hostname, true]]);
    assertEquals(found(setup, "mapping").map(({ fields }) => fields), [{ mapping, hairpin: true }]);
  }
  const unknown = { ...BOTH, seenAt: NAT };
  assertEquals(found(unknown, "mapping")[0]?.fields, { mapping: "unknown", hairpin: false });
  // Without a NAT there is nothing to tell.
  assertEquals(addresses(BOTH), [[HERE_V6.hostname, false], [HERE.hostname, false]]);
  assertEquals(found(BOTH, "mapping"), []);
});

Deno.test("Doctor with both families says who is reached by IPv6 alone", () => {
  const rest =
    "and in your own network; the directory carries the rest: slower, and no long texts. ";
  const different = { seenAt: NAT, secondSeenAt: ELSEWHERE };
  assertEquals(messageOf({ ...BOTH, ...different }), [
    "warning some: direct with people who have IPv6, and else only with those who have a public " +
    `address or a router that lets anybody in, ${rest}To change that, use another network, or let ` +
    "the router keep ports (often called full cone)",
  ]);
  const [same] = messageOf({ ...BOTH, seenAt: NAT, secondSeenAt: NAT });
  assertEquals(same?.startsWith("ok most: direct with most people, whoever calls"), true);
  assertEquals(messageOf(different)[0]?.includes("use another network or IPv6"), true);
});

Deno.test("Doctor does not count on IPv4 where the directory is not reached by it", () => {
  const setup: Setup = { ...BOTH, isLostByIpv4: true };
  assertEquals(addresses(setup), [[HERE_V6.hostname, false]]);
  assertEquals(
    messageOf(setup)[0]?.startsWith("warning some: direct with people who have IPv6"),
    true,
  );
  const stage = new Stage(setup).run();
  assertEquals(stage.now, 1000 + 4 * DELAY + LOOK_TIMEOUT + 2 * DELAY);
});

Deno.test("Doctor that is interrupted reports nothing that comes afterwards", () => {
  const stage = new Stage({ ...BOTH, seenAt: NAT }).run(1000 + 9 * DELAY);
  // It is registered by both, and about to leave by IPv4.
  assertEquals(stage.verdicts().filter((each) => each === "address ok").length, 1);
  const before = stage.findings.length;
  stage.doctor.stop(stage.now);
  stage.run();
  assertEquals(stage.findings.slice(before).map(({ check }) => check), ["leave"]);
  assertEquals(stage.status, 130);
});

Deno.test("Doctor does not look by IPv4 where this machine has none", () => {
  const setup: Setup = { ...BOTH, hasIpv4: false, seenAt: NAT };
  assertEquals(addresses(setup), [[HERE_V6.hostname, false]]);
  assertEquals(found(setup, "mapping"), []);
});
