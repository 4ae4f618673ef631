import { assertEquals } from "@std/assert";
import {
  complete,
  type CompletionContext,
  SeenClients,
} from "../../../client/commands/complete.ts";

/** Where nothing is known. */
const NOTHING: CompletionContext = {
  isConnected: false,
  clients: [],
  connected: [],
  requests: [],
  met: [],
  blocked: [],
  isLogging: false,
  listFolder: () => [],
};

/** A fingerprint, as it is completed. */
const FINGERPRINT = "12345-67890-00000-11111-22222-33333";

Deno.test("complete() completes commands, and then clients", () => {
  const context = {
    ...NOTHING,
    clients: [{ id: 2, name: "bob" }, { id: 20, name: "" }],
    connected: [{ id: 4, name: "dan" }],
    requests: [{ id: 3, name: "carol" }],
    blocked: ["eve", FINGERPRINT],
  };
  assertEquals(complete("co", context), [["connect "], "co"]);
  assertEquals(complete("/t", context), [["/terminate", "/trust "], "/t"]);
  assertEquals(complete("connect B", context), [["bob"], "B"]);
  assertEquals(complete("connect ", context), [["bob", "20"], ""]);
  assertEquals(complete("connect 2", context), [["20", "2"], "2"]);
  assertEquals(complete("accept ", context), [["carol"], ""]);
  assertEquals(complete("sw", context), [["switch "], "sw"]);
  assertEquals(complete("switch ", context), [["dan"], ""]);
  assertEquals(complete("terminate D", context), [["dan"], "D"]);
  assertEquals(complete("@", context), [["@dan "], "@"]);
  assertEquals(complete("@4", context), [["@4 "], "@4"]);
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

Deno.test("SeenClients has the clients that were listed, called, or that called", () => {
  const seen = new SeenClients();
  const key = new Uint8Array(32);
  seen.handle({ kind: "list", clients: [{ id: 2, name: "bob" }] });
  seen.handle({ kind: "requesting", peer: 3, name: "carol", attempt: 1, nextInMs: 1000 });
  seen.handle({ kind: "request", peer: 4, name: "dan", key });
  assertEquals(seen.list().map(({ name }) => name), ["bob", "carol", "dan"]);
});

Deno.test("complete() offers no invalid name", () => {
  const clients = new SeenClients();
  clients.handle({
    kind: "list",
    clients: [{ id: 2, name: "b\x1b[2Job" }, { id: 3, name: "eve" }],
  });
  const key = new Uint8Array(32);
  clients.handle({
    kind: "connected",
    peer: 2,
    name: "b\x1b[2Job",
    key,
    hash: key,
    path: "direct",
  });
  const context = { ...NOTHING, clients: clients.list() };
  assertEquals(complete("connect ", context), [["eve", "2"], ""]);
});

Deno.test("SeenClients remembers a thousand clients, the latest ones", () => {
  const clients = new SeenClients();
  const named = (id: number): { id: number; name: string } => ({ id, name: `client${id}` });
  for (const first of [1, 501, 1001]) {
    const listed = Array.from({ length: 500 }, (_, index) => named(first + index));
    clients.handle({ kind: "list", clients: listed });
  }
  assertEquals(clients.list(), Array.from({ length: 1000 }, (_, index) => named(501 + index)));
});

Deno.test("complete() offers nothing for an empty line while connected", () => {
  assertEquals(complete("", { ...NOTHING, isConnected: true }), [[], ""]);
});

Deno.test("complete() completes names after @ within a message", () => {
  const bob = { id: 2, name: "bob" };
  const context = { ...NOTHING, isConnected: true, connected: [bob] };
  const all = { ...context, clients: [bob, { id: 3, name: "carol" }, { id: 4, name: "" }] };
  assertEquals(complete("ask @ca", all), [["@carol"], "@ca"]);
  assertEquals(complete("and now ask both, @", all), [["@bob", "@carol", "@4"], "@"]);
  assertEquals(complete("@bob is it @C", all), [["@carol"], "@C"]);
  assertEquals(complete("mail me: ana@ca", all), [[], "ana@ca"]);
});

Deno.test("complete() completes a path after log", () => {
  const folders: Record<string, string[]> = {
    ".": ["chat.txt", "chats/", ".hidden", "b\x1bad"],
    "chats/": ["a b.txt", "c.txt"],
  };
  const context = { ...NOTHING, listFolder: (path: string) => folders[path] ?? [] };
  assertEquals(complete("log ch", context), [["chat.txt", "chats/"], "ch"]);
  assertEquals(complete("/log ", context), [["chat.txt", "chats/"], ""]);
  assertEquals(complete("log .", context), [[".hidden"], "."]);
  assertEquals(complete("log chats/a b", context), [["a b.txt"], "a b"]);
  assertEquals(complete("log nowhere/", context), [[], ""]);
});
