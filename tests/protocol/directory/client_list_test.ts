import { assertEquals } from "@std/assert";
import { ClientList, LIST_LENGTH_MAX } from "../../../protocol/directory/client_list.ts";
import type { Listing } from "../../../protocol/wire/frame.ts";

/** A Listing with so many clients, after which there are more. */
function listing(firstId: number, length: number): Listing {
  const clients = Array.from({ length }, (_, index) => ({ id: firstId + index, name: "" }));
  return { kind: "listing", more: 1, clients };
}

Deno.test("ClientList asks for no more than 100,000 clients, however many a directory says there are", () => {
  assertEquals(LIST_LENGTH_MAX, 100_000);
  const list = new ClientList();
  list.open();
  let listings = 0;
  do listings++; while (listings < 1_000 && list.add(listing(list.after + 1, 250)));
  assertEquals([listings, list.close().length], [400, LIST_LENGTH_MAX]);
});

Deno.test("ClientList ends where the ids of a directory do not rise", () => {
  const list = new ClientList();
  list.open();
  assertEquals([list.add(listing(1, 250)), list.add(listing(250, 250))], [true, false]);
  assertEquals(list.close().length, 250);
});
