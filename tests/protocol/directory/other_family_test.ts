// The address of the other family: protocol/README.md, "The other family".
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import {
  OTHER_FAMILY_PATIENCE,
  OTHER_FAMILY_RENEWAL,
  OTHER_FAMILY_TRIES,
} from "../../../protocol/directory/other_family.ts";
import type { RegistrationRequest } from "../../../protocol/directory/registration_event.ts";
import type { TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { type Asked, DIRECTORY, FakeDirectory } from "../../support/fake_directory.ts";
import { Dealings } from "../../support/dealings.ts";
import { Prng } from "../../support/random.ts";

const OTHERS: readonly Address[] = ["2001:db8::1", "2001:db8::2"].map((hostname) => ({
  hostname,
  port: 7070,
}));
const OTHER = OTHERS[0]!;
const MAPPED: Address = { hostname: "2001:db8::99", port: 4444 };
const CALL = { kind: "call", id: 2, name: "" } as const;

/** A client that sent its first Register to addresses of both families, and what it sent to one. */
function begin(
  options: Partial<RegistrationRequest> = {},
  timers: TimerMode = "adaptive",
): { dealings: Dealings; first: Asked } {
  const directoryAddresses = [DIRECTORY, ...OTHERS];
  const dealings = new Dealings({ directoryAddresses, ...options }, timers);
  return { dealings, first: dealings.askedAt()[0]![1] };
}

/** Registers it at the IPv4 address. */
function register({ dealings, first }: ReturnType<typeof begin>): Dealings {
  assert(dealings.challenge(first));
  const [sent] = dealings.askedAt();
  dealings.grant(sent![1]);
  assertEquals(dealings.eventKinds(), ["registered"]);
  return dealings;
}

/** The Also At that the client sends now. */
function alsoAt(dealings: Dealings): Asked {
  const sent = dealings.askedAt().find(([, { frame }]) => frame.kind === "alsoAt");
  assertEquals(sent?.[0], OTHER.hostname);
  return sent![1];
}

/** Credentials that the client sends now to the other family. */
function credentials(dealings: Dealings): Asked {
  const sent = dealings.askedAt().filter(([, { frame }]) => frame.kind === "credentials");
  assertEquals(sent.map(([at]) => at), OTHERS.map(({ hostname }) => hostname));
  return sent[0]![1];
}

function acknowledge(dealings: Dealings, asked: Asked): void {
  assert(dealings.give(asked.answer({ kind: "alsoAtAck", seenAt: MAPPED }), OTHER));
}

/** Registered, and at the other family, too. */
function atBoth(options?: Partial<RegistrationRequest>, timers?: TimerMode): Dealings {
  const begun = begin(options, timers);
  const dealings = register(begun);
  assert(dealings.challenge(begun.first, OTHER));
  acknowledge(dealings, alsoAt(dealings));
  assertEquals(dealings.registration.addresses, [DIRECTORY, OTHER]);
  return dealings;
}

/** Answers what the client asks from time to time, but not the other family. */
function times(dealings: Dealings, ms: number): [number, string, string][] {
  const start = dealings.now;
  const all: [number, string, string][] = [];
  while (dealings.now < start + ms) {
    dealings.wait(1);
    for (const [at, asked] of dealings.askedAt()) {
      const { kind } = asked.frame;
      if (kind === "leaseKeepalive") {
        dealings.answer(asked, { kind: "leaseKeepaliveAck", lease: 45_000 });
      } else all.push([dealings.now - start, at, kind]);
    }
  }
  return all;
}

Deno.test("a Challenge that came from the other family is shown there at once after the registration", () => {
  const begun = begin();
  const { dealings, first } = begun;
  assert(dealings.challenge(first));
  assert(dealings.challenge(first, OTHER));
  assert(dealings.challenge(first, OTHERS[1]!));
  const [sent] = dealings.askedAt();
  dealings.grant(sent![1]);
  const [[at, { frame }], ...more] = dealings.askedAt() as [[string, Asked]];
  assertEquals([at, frame.kind, more], [OTHERS[1]!.hostname, "alsoAt", []]);
  assert(frame.kind === "alsoAt" && first.frame.kind === "credentials");
  assertEquals(frame.nonce, first.frame.nonce);
});

Deno.test("a Challenge from another address of the same family shows nothing", () => {
  const second = { hostname: "10.0.0.2", port: 7070 };
  const begun = begin({ directoryAddresses: [DIRECTORY, second, ...OTHERS] });
  const { dealings, first } = begun;
  assert(dealings.challenge(first));
  assert(dealings.challenge(first, second));
  dealings.grant(dealings.askedAt()[0]![1]);
  credentials(dealings);
});

Deno.test("a Challenge that comes from the other family after the registration is shown there, too", () => {
  const dealings = atBoth();
  assertEquals(dealings.eventKinds(), []);
  assertEquals(times(dealings, 59_000), []);
});

for (
  const [timers, expected] of [["adaptive", [500, 1500, 3500]], ["fixed", [
    10_000,
    20_000,
    30_000,
  ]]] as const
) {
  Deno.test(`where the other family is silent it is asked four times, and after 60 s again, with ${timers} timers`, () => {
    const dealings = register(begin({}, timers));
    const first = credentials(dealings);
    assertEquals<unknown>(
      times(dealings, OTHER_FAMILY_RENEWAL - 1),
      expected.flatMap((at) => OTHERS.map((to) => [at, to.hostname, "credentials"])),
    );
    dealings.wait(1);
    const again = credentials(dealings);
    assert(first.frame.kind === "credentials" && again.frame.kind === "credentials");
    assertNotEquals(again.frame.nonce, first.frame.nonce);
    assertEquals(dealings.registration.addresses, [DIRECTORY]);
    assertEquals(dealings.eventKinds(), []);
  });

  Deno.test(`an Also At without an Ack is sent four times, with ${timers} timers`, () => {
    const begun = begin({ directoryAddresses: [DIRECTORY, OTHER] }, timers);
    const dealings = register(begun);
    dealings.askedAt();
    dealings.challenge(begun.first, OTHER);
    alsoAt(dealings);
    assertEquals(
      times(dealings, OTHER_FAMILY_RENEWAL - 1),
      expected.map((at): [number, string, string] => [at, OTHER.hostname, "alsoAt"]),
    );
    assertEquals(dealings.registration.addresses, [DIRECTORY]);
  });
}

Deno.test("a directory of one family is not asked for another", () => {
  const dealings = new Dealings().register();
  dealings.events();
  assertEquals(times(dealings, 2 * OTHER_FAMILY_RENEWAL), []);
});

Deno.test("the address is shown again every 60 s, and counts no more where that fails", () => {
  const dealings = atBoth();
  for (let round = 0; round < 2; round++) {
    dealings.wait(OTHER_FAMILY_RENEWAL);
    for (const [, asked] of dealings.askedAt()) {
      if (asked.frame.kind === "leaseKeepalive") {
        dealings.answer(asked, { kind: "leaseKeepaliveAck", lease: 45_000 });
      } else if (round === 0) dealings.challenge(asked, OTHER);
    }
    if (round > 0) break;
    acknowledge(dealings, alsoAt(dealings));
    assertEquals(dealings.registration.addresses, [DIRECTORY, OTHER]);
  }
  times(dealings, 7000);
  assertEquals(dealings.registration.addresses, [DIRECTORY, OTHER]);
  times(dealings, 1000);
  assertEquals(dealings.registration.addresses, [DIRECTORY]);
});

Deno.test("no Challenge counts but one of the same directory, for this exchange, from the other family", () => {
  const secret = new TextEncoder().encode("correct horse battery staple");
  const begun = begin({ secret });
  const dealings = register(begun);
  const asked = credentials(dealings);
  const { directory, now } = dealings;
  const { identity } = directory;
  const impostor = new FakeDirectory(new Prng(1).bytes, secret, makeKeyPair(new Prng(2).bytes));
  const stranger = new FakeDirectory(new Prng(1).bytes, undefined, identity);
  const elsewhere = begin({ secret, random: new Prng(3).bytes }).first;
  assertEquals(dealings.give(impostor.challenge(now, asked.bytes), OTHER), false);
  assertEquals(dealings.give(stranger.challenge(now, asked.bytes), OTHER), false);
  assertEquals(dealings.challenge(elsewhere, OTHER), false);
  assertEquals(dealings.challenge(asked, { ...OTHER, port: 1 }), false);
  assertEquals(dealings.challenge(asked, DIRECTORY), false);
  assertEquals(dealings.askedAt(), []);
  assert(dealings.challenge(asked, OTHER));
  alsoAt(dealings);
});

Deno.test("an Ack that is forged, or for another packet, does not count", () => {
  const begun = begin();
  const dealings = register(begun);
  assert(dealings.challenge(begun.first, OTHER));
  const asked = alsoAt(dealings);
  const ack = { kind: "alsoAtAck", seenAt: MAPPED } as const;
  const forged = asked.answer(ack);
  forged[20]! ^= 1;
  assertEquals(dealings.give(forged, OTHER), false);
  assertEquals(dealings.give(asked.answer(ack, asked.header.packet + 1), OTHER), false);
  assertEquals(dealings.registration.addresses, [DIRECTORY]);
  acknowledge(dealings, asked);
  assertEquals(dealings.registration.addresses, [DIRECTORY, OTHER]);
});

Deno.test("a Call right after the registration waits for the Ack, for 250 ms at most", () => {
  for (const isAcknowledged of [true, false]) {
    const begun = begin();
    const { dealings, first } = begun;
    dealings.challenge(first, OTHER);
    // The IPv6 address was quicker, so the IPv4 one is the other.
    dealings.challenge(first, DIRECTORY);
    dealings.grant(dealings.askedAt()[0]![1]);
    dealings.registration.lookUp(dealings.now, CALL);
    const [[at, asked], ...more] = dealings.askedAt() as [[string, Asked]];
    assertEquals([at, asked.frame.kind, more], [DIRECTORY.hostname, "alsoAt", []]);
    if (isAcknowledged) {
      assert(dealings.give(asked.answer({ kind: "alsoAtAck", seenAt: MAPPED }), DIRECTORY));
      assertEquals(dealings.askedAt().map(([, { frame }]) => frame.kind), ["call"]);
    } else {
      const [sent] = dealings.timesAt(OTHER_FAMILY_PATIENCE);
      assertEquals(sent, [OTHER_FAMILY_PATIENCE, OTHER.hostname, "call"]);
    }
    // Later ones do not wait.
    dealings.registration.lookUp(dealings.now, { ...CALL, id: 3 });
    assertEquals(dealings.askedAt().map(([, { frame }]) => frame.kind), ["call"]);
  }
});

Deno.test("with a Call the address is shown again, if the last time is 10 s ago and had an Ack", () => {
  for (
    const [ms, isShown, isThere] of [[9_999, true, false], [10_000, true, true], [
      10_000,
      false,
      false,
    ]] as const
  ) {
    const dealings = isShown ? atBoth() : register(begin());
    times(dealings, ms);
    dealings.registration.lookUp(dealings.now, CALL);
    const kinds = dealings.askedAt().map(([, { frame }]) => frame.kind);
    assertEquals(kinds.toSorted(), isThere ? ["call", "credentials", "credentials"] : ["call"]);
  }
});

Deno.test("a Call does not wait for an address that has not answered", () => {
  const dealings = register(begin());
  dealings.registration.lookUp(dealings.now, CALL);
  const kinds = dealings.askedAt().map(([at, { frame }]) => [at, frame.kind]);
  assertEquals(kinds.at(-1), [DIRECTORY.hostname, "call"]);
});

Deno.test("a client that leaves, or registers again, begins anew with the other family", () => {
  const leaving = atBoth({ directoryAddresses: [DIRECTORY, OTHER] });
  leaving.registration.leave(leaving.now);
  const kinds = leaving.timesAt(2 * OTHER_FAMILY_RENEWAL).map(([, , kind]) => kind);
  assertEquals(new Set(kinds), new Set(["leave"]));

  const dealings = atBoth();
  dealings.wait(15_000);
  const [[, keepalive]] = dealings.askedAt() as [[string, Asked]];
  dealings.give(dealings.unknown(keepalive));
  dealings.wait(0);
  dealings.challenge(dealings.askedAt()[0]![1]);
  const [sent] = dealings.askedAt();
  dealings.grant(sent![1]);
  assertEquals(dealings.registration.addresses, [DIRECTORY]);
  assert(dealings.challenge(credentials(dealings), OTHER));
  acknowledge(dealings, alsoAt(dealings));
  assertEquals(dealings.registration.addresses, [DIRECTORY, OTHER]);
});

Deno.test("where the address that answered is another directory's, the others are asked", () => {
  const dealings = register(begin());
  const first = credentials(dealings);
  const [own, strange] = OTHERS as [Address, Address];
  assert(dealings.challenge(first, strange));
  const sent = times(dealings, 7600);
  assertEquals(sent.filter(([, at]) => at === strange.hostname).map(([, , kind]) => kind), [
    ...Array.from({ length: OTHER_FAMILY_TRIES }, () => "alsoAt"),
  ]);
  // After the last try, and then only the other one.
  const asked = sent.filter(([, , kind]) => kind === "credentials");
  assert(asked.length > 0 && asked.every(([, at]) => at === own.hostname));
});
