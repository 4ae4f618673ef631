import { assertEquals } from "@std/assert";
import { REGISTRATION_TIMEOUT } from "../../../protocol/directory/registering.ts";
import { RefusalReason, type Register } from "../../../protocol/wire/frame.ts";
import { type Dealings, registered } from "../../support/dealings.ts";

/** Asks for a name; returns the Register. */
function rename(dealings: Dealings, name: string): ReturnType<Dealings["reachRegister"]> {
  dealings.registration.rename(dealings.now, name);
  return dealings.reachRegister();
}

Deno.test("rename() asks for another name under the token of the entry", () => {
  const dealings = registered();
  const asked = rename(dealings, "zoë");
  const { token, name } = asked.frame as Register;
  assertEquals([token, name], [new Uint8Array(16).fill(0xaa), "zoë"]);
  assertEquals(dealings.registration.name, "ana");
  dealings.grant(asked, { id: 1 });
  const events = dealings.events().map((event) => event.kind === "registered" && event.name);
  assertEquals([events, dealings.registration.name], [["zoë"], "zoë"]);
});

Deno.test("a name that is refused leaves the client its own one", () => {
  const dealings = registered();
  const reason = RefusalReason.nameTaken;
  dealings.give(rename(dealings, "ben").refuse(reason));
  assertEquals(dealings.events(), [{ kind: "nameRefused", name: "ben", reason }]);
  assertEquals([dealings.registration.name, dealings.registration.id], ["ana", 1]);
  // The next one may be granted.
  dealings.grant(rename(dealings, "cleo"), { id: 1 });
  assertEquals(dealings.registration.name, "cleo");
});

Deno.test("a name that nothing comes back for is given up, and the client keeps its own one", () => {
  const dealings = registered();
  dealings.registration.rename(dealings.now, "ben");
  dealings.times(REGISTRATION_TIMEOUT - 1);
  assertEquals(dealings.eventKinds().includes("nameRefused"), false);
  dealings.times(1);
  const last = dealings.events().filter(({ kind }) => kind === "nameRefused");
  assertEquals(last, [{ kind: "nameRefused", name: "ben", reason: undefined }]);
  assertEquals(dealings.registration.name, "ana");
});

Deno.test("of two names that are asked for in turn, the later one counts", () => {
  const dealings = registered();
  dealings.registration.rename(dealings.now, "ben");
  dealings.grant(rename(dealings, "cleo"), { id: 1 });
  assertEquals(dealings.registration.name, "cleo");
  assertEquals(dealings.eventKinds(), ["registered"]);
});
