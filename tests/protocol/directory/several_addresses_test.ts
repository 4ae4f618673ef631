// A directory with several addresses: protocol/README.md, "Several addresses".
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { SEVERAL_SILENT_AFTER } from "../../../protocol/directory/directory_choice.ts";
import { EXCHANGE_TRIES } from "../../../protocol/directory/register_exchange.ts";
import type { RegistrationRequest } from "../../../protocol/directory/registration_event.ts";
import { FORGERY_PATIENCE } from "../../../protocol/directory/unproven.ts";
import type { TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { type Asked, FakeDirectory } from "../../support/fake_directory.ts";
import { Dealings } from "../../support/dealings.ts";
import { Prng } from "../../support/random.ts";

const [A, B, C] = ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map((hostname) => ({
  hostname,
  port: 7070,
})) as [
  Address,
  Address,
  Address,
];
const [a, b] = [A.hostname, B.hostname];

/** A client of a directory at A and B, which has sent its first Register. */
function begin(
  options: Partial<RegistrationRequest> = {},
  timers: TimerMode = "adaptive",
): { dealings: Dealings; first: Asked } {
  const dealings = new Dealings({ directoryAddresses: [A, B], ...options }, timers);
  const sent = dealings.askedAt();
  assertEquals(sent.map(([at, { frame }]) => [at, frame.kind]), [[a, "credentials"], [
    b,
    "credentials",
  ]]);
  return { dealings, first: sent[0]![1] };
}

/** The one thing that the client asks now, at this address. */
function askedAt(dealings: Dealings, { hostname }: Address): Asked {
  const [sent, ...more] = dealings.askedAt();
  assertEquals([sent?.[0], more], [hostname, []]);
  return sent![1];
}

/** The same client, registered at B. */
function registeredAtB(options?: Partial<RegistrationRequest>, timers?: TimerMode): Dealings {
  const { dealings, first } = begin(options, timers);
  assert(dealings.challenge(first, B));
  assert(dealings.give(dealings.directory.grant(askedAt(dealings, B)), B));
  assertEquals(dealings.eventKinds(), ["registered"]);
  return dealings;
}

for (const [timers, times] of [["adaptive", [500, 1500, 3500]], ["fixed", [10_000]]] as const) {
  Deno.test(`until one answers, each Register goes once to each address, with ${timers} timers`, () => {
    const { dealings } = begin({}, timers);
    assertEquals(
      dealings.timesAt(times.at(-1)!),
      times.flatMap((at): [number, string, string][] => [
        [at, a, "credentials"],
        [at, b, "credentials"],
      ]),
    );
  });
}

Deno.test("where the first address is dead, everything goes to the second, which answers", () => {
  const dealings = registeredAtB();
  assertEquals(dealings.registration.addresses, [B]);
  assertEquals(dealings.timesAt(4000), [[4000, b, "leaseKeepalive"]]);
});

Deno.test("where both answer, the first one counts, and the other is left alone", () => {
  const { dealings, first } = begin();
  assert(dealings.challenge(first, B));
  assert(dealings.challenge(first, A));
  const register = askedAt(dealings, B);
  assert(dealings.challenge(first, A));
  // Not even where the Register has to be sent again.
  assertEquals(dealings.timesAt(1500), [[500, b, "register"], [1500, b, "register"]]);
  assert(dealings.give(dealings.directory.grant(register), B));
  assertEquals(dealings.registration.addresses, [B]);
});

Deno.test("an address is not asked any more once another has answered meanwhile", () => {
  const dealings = new Dealings({ directoryAddresses: [A, B] });
  const sent = dealings.registration.pollTransmit(dealings.now);
  assertEquals(sent?.to, A);
  dealings.challenge(dealings.directory.read(dealings.now, sent!.bytes.slice()), A);
  assertEquals(askedAt(dealings, A).frame.kind, "register");
});

Deno.test("a Challenge from an address that the directory does not have is ignored", () => {
  const { dealings, first } = begin();
  for (const from of [C, { ...A, port: 7071 }]) {
    assertEquals(dealings.challenge(first, from), false);
    assertEquals(dealings.askedAt(), []);
  }
  assert(dealings.challenge(first, A));
  assertEquals(askedAt(dealings, A).frame.kind, "register");
  assertEquals(dealings.challenge(first, C), false);
});

Deno.test("a Challenge with a key that is not trusted does not count: the other address wins", () => {
  const identity = makeKeyPair(new Prng(1).bytes);
  const impostor = new FakeDirectory(new Prng(2).bytes, undefined, identity);
  const { dealings, first } = begin({
    isTrusted: (key) => key.join() !== identity.publicKey.join(),
  });
  assert(dealings.give(impostor.challenge(dealings.now, first.bytes), A));
  assertEquals(dealings.askedAt(), []);
  assert(dealings.challenge(first, B));
  assert(dealings.give(dealings.directory.grant(askedAt(dealings, B)), B));
  dealings.wait(FORGERY_PATIENCE);
  assertEquals(dealings.eventKinds(), ["registered"]);
});

Deno.test("where the Register is not answered, the sixth transmission goes to all again", () => {
  const { dealings, first } = begin();
  dealings.challenge(first, B);
  let sent: [string, Asked][] = [];
  for (let count = 2; count <= EXCHANGE_TRIES; count++) {
    sent = dealings.askedAt();
    if (count < EXCHANGE_TRIES) assertEquals(sent.map(([at]) => at), [b]);
    dealings.wait(500 * 2 ** (count - 1));
  }
  assertEquals(sent.map(([at, { frame }]) => [at, frame.kind]), [[a, "credentials"], [
    b,
    "credentials",
  ]]);
  const [, { frame }] = sent[0]!;
  assert(frame.kind === "credentials" && first.frame.kind === "credentials");
  assertNotEquals(frame.nonce, first.frame.nonce);
  // Now the other one is quicker.
  assert(dealings.challenge(sent[0]![1], A));
  assertEquals(askedAt(dealings, A).frame.kind, "register");
});

/** Lets it lose all directories: the one in use is silent for 3 s, then the other one, too. */
function lose(dealings: Dealings): void {
  assertEquals(dealings.eventKinds(), []);
  dealings.timesAt(4000 + 2 * SEVERAL_SILENT_AFTER);
  assertEquals(dealings.eventKinds(), ["lost"]);
}

Deno.test("a client that loses the directory tries all its addresses, and goes on at the one that answers", () => {
  const dealings = registeredAtB();
  lose(dealings);
  dealings.wait(1);
  const first = dealings.askedAt().filter(([, { frame }]) => frame.kind === "credentials");
  assertEquals(first.map(([at]) => at), [a, b]);
  assert(dealings.challenge(first[0]![1], A));
  const register = askedAt(dealings, A);
  assert(register.frame.kind === "register");
  // It is known by its token.
  assertEquals([register.frame.wantedId, register.frame.token[0]], [1, 0xaa]);
  assert(dealings.give(dealings.directory.grant(register), A));
  assertEquals(dealings.eventKinds(), ["moved"]);
  assertEquals(dealings.registration.addresses, [A]);
  assertEquals(dealings.timesAt(4000), [[4000, a, "leaseKeepalive"]]);
});

Deno.test("only an Unknown from the address in use makes a client register again, and only there", () => {
  const dealings = registeredAtB();
  dealings.wait(4000);
  const keepalive = askedAt(dealings, B);
  for (const from of [A, C]) assertEquals(dealings.give(dealings.unknown(keepalive), from), false);
  assertEquals(dealings.timesAt(100), []);
  assert(dealings.give(dealings.unknown(keepalive), B));
  dealings.wait(0);
  assertEquals(askedAt(dealings, B).frame.kind, "credentials");
});

Deno.test("a Version datagram counts from any address of the directory, and from no other", () => {
  for (const [from, isBelieved] of [[A, true], [B, true], [C, false]] as const) {
    const { dealings } = begin();
    dealings.registration.handleVersion(dealings.now, 9, from);
    dealings.wait(FORGERY_PATIENCE);
    assertEquals(dealings.eventKinds().includes("otherVersion"), isBelieved);
  }
});

Deno.test("a client that lost the directory goes on at the addresses that its name has by then", () => {
  const dealings = registeredAtB();
  lose(dealings);
  dealings.wait(1);
  dealings.askedAt();
  dealings.wait(100);
  dealings.registration.moveDirectory(dealings.now, [C]);
  const first = askedAt(dealings, C);
  assertEquals(first.frame.kind, "credentials");
  assert(dealings.challenge(first, C));
  const register = askedAt(dealings, C);
  assert(register.frame.kind === "register");
  assertEquals([register.frame.wantedId, register.frame.token[0]], [1, 0xaa]);
  assert(dealings.give(dealings.directory.grant(register), C));
  assertEquals([dealings.eventKinds(), dealings.registration.addresses], [["moved"], [C]]);
});

Deno.test("a client that has never registered does so at the addresses that the name has by then", () => {
  const { dealings } = begin();
  dealings.wait(100);
  dealings.registration.moveDirectory(dealings.now, [C]);
  const first = askedAt(dealings, C);
  assert(dealings.challenge(first, C));
  assert(dealings.give(dealings.directory.grant(askedAt(dealings, C)), C));
  assertEquals(dealings.eventKinds(), ["registered"]);
});
