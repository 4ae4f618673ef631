// Names belong to keys: that of a client that is gone is kept for its key.
import { assertEquals } from "@std/assert";
import { RefusalReason, type Register } from "../../protocol/wire/frame.ts";
import { FakeClient, identityOf, LEASE, Stage } from "../support/server_stage.ts";

const DAY = 24 * 60 * 60 * 1000;

/** Registers; returns the reason of a refusal, or the kind of any other answer. */
function outcome(registering: FakeClient, fields: Partial<Register>): number | string {
  const answer = registering.register(fields);
  return answer.kind === "refused" ? answer.reason : answer.kind;
}

/** How bob goes, and comes back with his key at another address. */
const ENDS: Readonly<Record<string, (stage: Stage, bob: FakeClient) => void>> = {
  "left": (_stage, bob) => void bob.ask({ kind: "leave" }),
  "fell silent": (stage) => void (stage.now += LEASE),
  "was replaced at its address": (stage) =>
    void new FakeClient(stage, 1, { identity: identityOf(70) }).register({}),
};

for (const [what, end] of Object.entries(ENDS)) {
  Deno.test(`name hold: the name of a client that ${what} is refused to others, and given to its key`, () => {
    const stage = new Stage();
    end(stage, stage.join(1, { name: "bob" }));
    const eve = new FakeClient(stage, 2);
    for (const name of ["bob", "BOB"]) assertEquals(outcome(eve, { name }), RefusalReason.nameHeld);
    assertEquals(outcome(eve, { name: "eve" }), "registered");
    const { token } = eve;
    assertEquals(outcome(eve, { token, name: "bob" }), RefusalReason.nameHeld, "nor by a change");
    const bob = new FakeClient(stage, 3, { identity: identityOf(1) });
    assertEquals(outcome(bob, { name: "bob" }), "registered");
    assertEquals(outcome(new FakeClient(stage, 4), { name: "bob" }), RefusalReason.nameTaken);
  });
}

Deno.test("name hold: a name is free after 7 days, or after what the directory was told", () => {
  for (const [nameHold, days] of [[undefined, 7], [2 * DAY, 2], [0, 0]] as const) {
    const stage = new Stage({ ...nameHold !== undefined && { nameHold } });
    stage.join(1, { name: "bob" }).ask({ kind: "leave" });
    stage.now += days * DAY - 1;
    if (days > 0) {
      assertEquals(outcome(new FakeClient(stage, 2), { name: "bob" }), RefusalReason.nameHeld);
    }
    stage.now += 1;
    assertEquals(outcome(new FakeClient(stage, 3), { name: "bob" }), "registered");
  }
});

Deno.test("name hold: a name that its owner changed is free at once", () => {
  const stage = new Stage();
  const bob = stage.join(1, { name: "bob" });
  assertEquals(outcome(bob, { token: bob.token, name: "rob" }), "registered");
  assertEquals(outcome(new FakeClient(stage, 2), { name: "bob" }), "registered");
});
