// Clients with addresses of both families, and a directory that has them, too.
import { assert, assertEquals } from "@std/assert";
import { OTHER_FAMILY_RENEWAL } from "../../protocol/directory/other_family.ts";
import { type Address, isIpv6, sameAddress } from "../../protocol/wire/address.ts";
import { PUBLIC_DIRECTORY, PUBLIC_DIRECTORY_V6 } from "../sim/sites.ts";
import { LEASE } from "./stage.ts";
import { type PairKind, pairStory, type ReachStage } from "./reach.ts";

/** The directory's addresses, in either order. */
const ORDERS: readonly (readonly Address[])[] = [
  [PUBLIC_DIRECTORY_V6, PUBLIC_DIRECTORY],
  [PUBLIC_DIRECTORY, PUBLIC_DIRECTORY_V6],
];
/** Between these, IPv4 is only carried. */
const SYMMETRIC_PAIRS: readonly PairKind[] = [["dual-sym", "dual-sym"]];
/** The longest that a Call waits, and what is beyond that. */
const PROMPT = 600;

/** Loses everything between a client and an address of the directory. */
function cut(stage: ReachStage, name: "ana" | "ben", address: Address): void {
  stage.network.script(({ from, to, target }) => {
    if (target === undefined) return undefined;
    const isAnswer = from === "directory" && to === name && isIpv6(target) === isIpv6(address);
    const isTo = from === name && to === "directory" && sameAddress(target, address);
    return isAnswer || isTo ? "drop" : undefined;
  });
}

/** Whether the texts that both say now go over IPv6. */
function talksOverIpv6(stage: ReachStage): boolean {
  const since = stage.now;
  assertEquals(stage.paths(), ["direct", "direct"]);
  const messages = stage.datagrams(undefined, since).filter((each) => each.frame("message"));
  return messages.every(({ target }) => target !== undefined && isIpv6(target));
}

/** The kinds of what went to the directory's address of a family, in order. */
function kindsTo(stage: ReachStage, name: "ana" | "ben", address: Address): string[] {
  return stage.datagrams(stage[name])
    .filter(({ target }) => target !== undefined && sameAddress(target, address))
    .flatMap(({ frames }) => frames.map(({ kind }) => kind));
}

for (const directoryAddresses of ORDERS) {
  const order = directoryAddresses.map((each) => isIpv6(each) ? "IPv6" : "IPv4").join(" before ");
  const options = { options: { directoryAddresses } };

  pairStory(
    `where IPv4 is only carried, two meet over IPv6, asked ${order}`,
    SYMMETRIC_PAIRS,
    (stage) => {
      stage.call(PROMPT + stage.after(0));
      stage.wait(stage.after(2000));
      assert(talksOverIpv6(stage));
      stage.expectAllSaid(1000);
      assertEquals(stage.pathsSince(0).includes("carried"), false);
    },
    options,
  );

  pairStory(
    `a client that calls as soon as it is registered is met over IPv6, asked ${order}`,
    SYMMETRIC_PAIRS,
    (stage) => {
      const { ana } = stage;
      // A Call that does not wait would overtake it.
      stage.delay("alsoAt", 20, ana);
      ana.restart();
      stage.network.runUntil(() => ana.view.state === "idle", 1000, "registered");
      const since = stage.now;
      stage.call(PROMPT + stage.after(0));
      const told = stage.datagrams(undefined, since).find((each) => each.frame("meeting"));
      const addresses = told?.frame("meeting")?.addresses ?? [];
      assertEquals(addresses.map(isIpv6).toSorted(), [false, true]);
    },
    options,
  );
}

pairStory("a client of both families meets any client that has one of them", [
  ["dual-sym", "v6"],
  ["v6", "dual-sym"],
  ["dual", "port-cone"],
  ["port-cone", "dual"],
  ["dual-sym", "public"],
  ["public", "dual-sym"],
], (stage) => {
  stage.call(2000 + stage.after(0));
  stage.wait(stage.after(2000));
  assertEquals(stage.paths(), ["direct", "direct"]);
});

for (const dead of ORDERS[0]!) {
  const [family, other] = isIpv6(dead) ? ["IPv6", "IPv4"] : ["IPv4", "IPv6"];

  pairStory(`where ${family} does not work, all goes over ${other}, and nothing is slower`, [[
    "dual",
    "dual",
  ]], (stage) => {
    for (const name of ["ana", "ben"] as const) cut(stage, name, dead);
    const { ana, ben } = stage;
    for (const each of [ana, ben]) each.crash();
    stage.wait(LEASE);
    for (const each of [ana, ben]) each.restart();
    stage.wait(4 * stage.network.conditions.delay);
    assertEquals([ana.view.state, ben.view.state], ["idle", "idle"]);
    stage.call(PROMPT + stage.after(0));
    stage.wait(stage.after(2000));
    assertEquals(stage.paths(), ["direct", "direct"]);
    stage.wait(2 * OTHER_FAMILY_RENEWAL);
    assertEquals([...ana.events("serverLost"), ...ana.events("error")], []);
  });

  pairStory(`a client whose way to the directory over ${family} fails goes on over ${other}`, [[
    "dual",
    "public",
  ]], (stage) => {
    const { ana, ben } = stage;
    const { id } = ana;
    cut(stage, "ana", dead);
    stage.wait(120_000);
    assertEquals(ana.id, id);
    assertEquals(ana.events("serverLost").length, ana.events("serverBack").length);
    ben.connect("ana");
    stage.untilConnected(1000 + stage.after(0));
    const kinds = kindsTo(stage, "ana", isIpv6(dead) ? PUBLIC_DIRECTORY : PUBLIC_DIRECTORY_V6);
    assert(kinds.includes("leaseKeepalive"));
  }, { options: { directoryAddresses: [dead, ...ORDERS[0]!.filter((each) => each !== dead)] } });
}

pairStory("the other family's address is told again, and NATs may change it meanwhile", [[
  "dual",
  "port-cone",
]], (stage) => {
  const { ana, ben } = stage;
  // She is registered over IPv6, and her NAT changes her IPv4 address.
  assertEquals(isIpv6(PUBLIC_DIRECTORY_V6), ana.last("registered").address.hostname.includes(":"));
  stage.rebind("ana", "address");
  stage.wait(OTHER_FAMILY_RENEWAL + 1000);
  ben.connect("ana");
  stage.untilConnected(PROMPT + stage.after(0));
  stage.wait(stage.after(2000));
  assertEquals(stage.paths(), ["direct", "direct"]);
});

pairStory(
  "the mappings of both families are kept alive at the directory",
  [["dual", "dual"]],
  (stage) => {
    const since = stage.now;
    stage.wait(40_000);
    for (const address of ORDERS[0]!) {
      const punches = stage.datagrams(stage.ana, since).filter(({ target, frames: [frame] }) =>
        target !== undefined && sameAddress(target, address) && frame?.kind === "punch"
      );
      assertEquals(punches.length, 10);
    }
  },
);
