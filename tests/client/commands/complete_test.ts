import { assertEquals } from "@std/assert";
import { complete, SeenClients } from "../../../client/commands/complete.ts";

/** A fingerprint, as it is completed. */
const FINGERPRINT = "12345-67890-00000-11111-22222-33333";

Deno.test("complete() completes commands, and then clients", () => {
  const context = {
    isConnected: false,
    clients: [{ id: 2, name: "bob" }, { id: 20, name: "" }],
    connected: [{ id: 4, name: "dan" }],
    requests: [{ id: 3, name: "carol" }],
    blocked: ["eve", FINGERPRINT],
  };
  assertEquals(complete("co", context), [["connect "], "co"]);
  assertEquals(complete("/t", context), [["/terminate"], "/t"]);
  assertEquals(complete("connect B", context), [["bob"], "B"]);
  assertEquals(complete("connect 2", context), [["2", "20"], "2"]);
  assertEquals(complete("accept ", context), [["carol", "3"], ""]);
  assertEquals(complete("sw", context), [["switch "], "sw"]);
  assertEquals(complete("switch ", context), [["dan", "4"], ""]);
  assertEquals(complete("terminate D", context), [["dan"], "D"]);
  assertEquals(complete("@", context), [["@dan ", "@4 "], "@"]);
  assertEquals(complete("/@D", { ...context, isConnected: true }), [["/@dan "], "/@D"]);
  assertEquals(complete("@dan ", context), [[], ""]);
  assertEquals(complete("bl", context), [["block "], "bl"]);
  assertEquals(complete("block b", context), [["bob"], "b"]);
  assertEquals(complete("unblock ", context)[0], context.blocked);
  assertEquals(complete("unblock E", context), [["eve"], "E"]);
  assertEquals(complete("help te", context), [["terminate"], "te"]);
  assertEquals(complete("list x", context), [[], "x"]);
  assertEquals(complete("send hello wor", context)[0], []);
});

Deno.test("complete() offers no invalid name", () => {
  const clients = new SeenClients();
  clients.handle({
    kind: "list",
    clients: [{ id: 2, name: "b\x1b[2Job" }, { id: 3, name: "eve" }],
  });
  const key = new Uint8Array(32);
  clients.handle({ kind: "connected", peer: 2, name: "b\x1b[2Job", key, hash: key });
  const context = {
    isConnected: false,
    clients: clients.list(),
    connected: [],
    requests: [],
    blocked: [],
  };
  assertEquals(complete("connect ", context), [["eve", "3", "2"], ""]);
});

Deno.test("complete() offers nothing for an empty line while connected", () => {
  const context = { isConnected: true, clients: [], connected: [], requests: [], blocked: [] };
  assertEquals(complete("", context), [[], ""]);
});
