import { assert, assertEquals } from "@std/assert";
import type { IdentityEvent } from "../../../client/event.ts";
import { renderJson } from "../../../client/output/json.ts";
import { Renderer } from "../../../client/output/render.ts";
import { styles } from "../../../cli/style.ts";

const TIME = new Date(2026, 0, 2, 9, 5, 7, 89);
const DIGITS = "12345 67890 00000 11111 22222 33333";

/** An identity event with these fields. */
function identity(fields: Partial<IdentityEvent> & Pick<IdentityEvent, "known">): IdentityEvent {
  const known = { isOwn: false, formerName: "", lastSeen: undefined };
  return { kind: "identity", peer: 2, name: "bob", fingerprint: DIGITS, ...known, ...fields };
}

/** The lines for the events. */
function render(events: readonly IdentityEvent[], isColored = false): (string | undefined)[] {
  const style = styles(isColored);
  const renderer = new Renderer({ isTyped: false, hasPrompt: false, columns: undefined, style });
  return events.map((event) => renderer.event(event, TIME));
}

Deno.test("Renderer shows the identity of a peer", () => {
  assertEquals(
    render([
      identity({ known: "same" }),
      identity({ known: "same", formerName: "robert" }),
      identity({ known: "same", name: "" }),
      identity({ known: "new" }),
      identity({ known: "new", name: "" }),
      identity({ known: "same", isOwn: true }),
    ]),
    [
      `09:05 * bob, as before · key ${DIGITS}`,
      `09:05 * bob, known to you as robert · key ${DIGITS}`,
      `09:05 * client 2, as before · key ${DIGITS}`,
      `09:05 * First contact with bob · key ${DIGITS}`,
      `09:05 * First contact with client 2 · key ${DIGITS}`,
      `09:05 * bob has your own key: it is another client of yours · ${DIGITS}`,
    ],
  );
});

Deno.test("Renderer warns of a new key under a known name, in bold red", () => {
  const lastSeen = new Date(2025, 11, 30, 8);
  const changed = identity({ known: "changed", lastSeen });
  assertEquals(render([changed]), [
    "09:05 * WARNING, bob: NEW key under a known name, last seen 3d 1h ago\n" +
    `09:05 * Somebody may be posing as bob · compare before you trust it: key ${DIGITS}`,
  ]);
  const [colored = ""] = render([changed], true);
  // With NO_COLOR there are no colors.
  if (Deno.noColor) return;
  for (const line of colored.split("\n")) assert(line.includes("\x1b[1m\x1b[31m"), line);
});

Deno.test("Renderer warns of a name that looks like a known one", () => {
  const changed = identity({ known: "changed", name: "ЬоЬ", similarName: "bob" });
  assertEquals(render([changed]), [
    "09:05 * WARNING, ЬоЬ: NEW key under a known name: it looks like bob\n" +
    `09:05 * Somebody may be posing as bob · compare before you trust it: key ${DIGITS}`,
  ]);
});

Deno.test("renderJson() gives an identity four fields", () => {
  const line = renderJson(identity({ known: "changed", lastSeen: TIME }), TIME) ?? "";
  const fields = { peer: 2, name: "bob", fingerprint: DIGITS, known: "changed" };
  assertEquals(JSON.parse(line), { event: "identity", time: TIME.toISOString(), ...fields });
});

Deno.test("renderJson() gives an identity the known name that its name looks like", () => {
  const line = renderJson(identity({ known: "changed", similarName: "Bob" }), TIME) ?? "";
  assertEquals(JSON.parse(line).similarName, "Bob");
});
