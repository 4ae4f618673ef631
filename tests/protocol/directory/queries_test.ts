// What a client asks its directory: protocol/README.md, "Looking up" and "Listing".
import { assert, assertEquals } from "@std/assert";
import { DIRECTORY_TIMEOUT } from "../../../protocol/directory/outstanding.ts";
import { QUERIES_MAX } from "../../../protocol/directory/outstanding.ts";
import type { Query } from "../../../protocol/directory/registration_event.ts";
import type { Frame } from "../../../protocol/wire/frame.ts";
import { Dealings, FOUND, LOOK_UP, registered } from "../../support/dealings.ts";
import type { Asked } from "../../support/fake_directory.ts";

Deno.test("a Look-up by id or by name is answered by Found or by Inactive", () => {
  const asked: Extract<Query, { id: number }>[] = [
    LOOK_UP,
    { kind: "lookUp", id: 0, name: "ben" },
  ];
  for (const query of asked) {
    const dealings = registered();
    dealings.registration.lookUp(dealings.now, query);
    const lookUp = dealings.ask();
    assertEquals<Frame>(lookUp.frame, query);
    dealings.answer(lookUp, FOUND);
    const [found] = dealings.events();
    assert(found?.kind === "found");
    assertEquals<unknown>([found.query, found.client], [query, FOUND]);
    dealings.registration.lookUp(dealings.now, query);
    dealings.answer(dealings.ask(), { kind: "inactive", id: query.id, name: query.name });
    assertEquals(dealings.events(), [{ kind: "inactive", query, rttMs: 0, lost: 0 }]);
  }
});

Deno.test("questions wait until the client is registered, and are given up after 30 s", () => {
  const dealings = new Dealings();
  dealings.registration.lookUp(dealings.now, LOOK_UP);
  const register = dealings.reachRegister();
  dealings.wait(400);
  dealings.grant(register);
  assertEquals(dealings.kinds(), ["lookUp"]);
  dealings.events();
  dealings.wait(DIRECTORY_TIMEOUT - 401);
  assertEquals(dealings.events().filter(({ kind }) => kind === "timeout"), []);
  dealings.wait(1);
  assertEquals(dealings.events(), [{ kind: "timeout", query: LOOK_UP }]);
});

Deno.test("32 questions may be under way", () => {
  assertEquals(QUERIES_MAX, 32);
  const dealings = registered();
  const { registration, now } = dealings;
  for (let id = 2; id < 2 + QUERIES_MAX; id++) {
    assert(registration.lookUp(now, { kind: "lookUp", id, name: "" }));
  }
  assertEquals(registration.lookUp(now, LOOK_UP), false);
  assertEquals(dealings.kinds().length, QUERIES_MAX);
});

Deno.test("a question that is dropped is not asked again, and its answer not reported", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, LOOK_UP);
  const lookUp = dealings.ask();
  dealings.registration.dropQuery(LOOK_UP);
  assertEquals(dealings.answer(lookUp, FOUND), false);
  dealings.wait(5000);
  assertEquals([dealings.kinds(), dealings.events()], [[], []]);
});

Deno.test("a Found tells how long it took, and how many datagrams were lost", () => {
  const dealings = registered();
  dealings.registration.lookUp(dealings.now, LOOK_UP);
  dealings.kinds();
  dealings.wait(500);
  const again = dealings.ask();
  dealings.now += 30;
  dealings.answer(again, FOUND);
  const [event] = dealings.events();
  assert(event?.kind === "found");
  assertEquals([event.rttMs, event.lost], [30, 1]);
});

Deno.test("a list is asked for page by page, and ends where the ids do not rise", () => {
  const dealings = registered();
  const page = (more: number, ...ids: number[]): Frame => ({
    kind: "listing",
    more,
    clients: ids.map((id) => ({ id, name: "" })),
  });
  const ask = (): Asked => {
    const asked = dealings.ask();
    assert(asked.frame.kind === "list");
    return asked;
  };
  const list = (): number[] => {
    const [event] = dealings.events();
    assert(event?.kind === "list");
    return event.clients.map(({ id }) => id);
  };
  dealings.registration.list(dealings.now);
  dealings.registration.list(dealings.now);
  dealings.answer(ask(), page(1, 1, 5));
  dealings.answer(ask(), page(1, 6, 9));
  const last = ask();
  assertEquals(last.frame, { kind: "list", after: 9 });
  dealings.answer(last, page(0, 12));
  assertEquals(list(), [1, 5, 6, 9, 12]);
  dealings.registration.list(dealings.now);
  dealings.answer(ask(), page(1, 3));
  dealings.answer(ask(), page(1, 3));
  assertEquals(list(), [3], "a directory that tells the same for ever");
});
