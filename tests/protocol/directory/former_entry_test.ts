import { assert, assertEquals } from "@std/assert";
import type { EntryToken } from "../../../protocol/directory/entry_token.ts";
import { RefusalReason, type Register } from "../../../protocol/wire/frame.ts";
import { Dealings } from "../../support/dealings.ts";
import { FakeDirectory } from "../../support/fake_directory.ts";
import { Prng } from "../../support/random.ts";

const TOKEN = new Uint8Array(16).fill(0xcc);
const NO_TOKEN = new Uint8Array(16);

/** The entry of an earlier run, in the directory that dealings are with. */
function formerEntry(): EntryToken {
  const { identity } = new FakeDirectory(new Prng(7).bytes);
  return { token: TOKEN, directoryKey: identity.publicKey };
}

/** The `isFormer` of what was reported. */
function isFormer(dealings: Dealings): boolean[] {
  return dealings.events().flatMap((event) => event.kind === "registered" ? [event.isFormer] : []);
}

/** What a Register has that is sent now. */
function register(dealings: Dealings): Register {
  const { frame } = dealings.reachRegister();
  assert(frame.kind === "register");
  return frame;
}

Deno.test("a client shows the token of an earlier run, and knows whether its entry goes on", () => {
  for (const [granted, goesOn] of [[0xcc, true], [0xaa, false]] as const) {
    const dealings = new Dealings({ formerEntry: formerEntry() });
    const asked = dealings.reachRegister();
    assertEquals((asked.frame as Register).token, TOKEN);
    dealings.grant(asked, { id: 1, token: granted });
    assertEquals(isFormer(dealings), [goesOn]);
    assertEquals(dealings.registration.entry?.token, new Uint8Array(16).fill(granted));
  }
});

Deno.test("the token of an earlier run is told to no other directory", () => {
  const directoryKey = new Uint8Array(32).fill(1);
  const dealings = new Dealings({ formerEntry: { token: TOKEN, directoryKey } });
  assertEquals(register(dealings).token, NO_TOKEN);
});

Deno.test("a client without an earlier run shows no token, and continues none", () => {
  const dealings = new Dealings();
  const asked = dealings.reachRegister();
  assertEquals((asked.frame as Register).token, NO_TOKEN);
  dealings.grant(asked);
  assertEquals(isFormer(dealings), [false]);
});

Deno.test("a first Register that another client of the same key is in the way of is refused at once", () => {
  const dealings = new Dealings();
  dealings.give(dealings.reachRegister().refuse(RefusalReason.ownEntry));
  assertEquals(dealings.events(), [{ kind: "refused", reason: RefusalReason.ownEntry }]);
});

/** Asks until there is a Register for each of these refusals; returns the names, and what follows. */
function refuseAll(dealings: Dealings, reasons: readonly number[]): string[] {
  return reasons.map((reason) => {
    const asked = dealings.reachRegister();
    dealings.give(asked.refuse(reason));
    return (asked.frame as Register).name;
  });
}

Deno.test("where a name is not free, the next one that does as well is asked for", () => {
  const { nameTaken, nameHeld, ownEntry } = RefusalReason;
  const dealings = new Dealings({ name: "ana", otherNames: ["ana2", "ana3", ""] });
  assertEquals(refuseAll(dealings, [nameTaken, nameHeld, ownEntry]), ["ana", "ana2", "ana3"]);
  dealings.register();
  const [event, ...more] = dealings.events();
  assert(event?.kind === "registered" && more.length === 0);
  assertEquals([event.name, event.lostName, dealings.registration.name], ["", "", ""]);
});

Deno.test("no other name is asked for where the refusal is not about it, or none is left", () => {
  for (const [otherNames, reason] of [[["ana2"], RefusalReason.full], [[], 2]] as const) {
    const dealings = new Dealings({ otherNames });
    refuseAll(dealings, [reason]);
    assertEquals(dealings.events(), [{ kind: "refused", reason }]);
  }
});
