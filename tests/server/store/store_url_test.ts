import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findStore, parseStoreUrl, type StoreUrl } from "../../../server/store/store_url.ts";

const LOCAL: StoreUrl = {
  host: "127.0.0.1",
  port: 6379,
  username: "",
  password: "",
  database: 0,
  isSecure: false,
};

function parsed(text: string): StoreUrl | string {
  const result = parseStoreUrl(text);
  return result.ok ? result.value : result.error;
}

Deno.test("parseStoreUrl() reads each part of a URL", () => {
  for (const text of ["redis://127.0.0.1:6379/0", "redis://127.0.0.1", " redis://127.0.0.1/\n"]) {
    assertEquals(parsed(text), LOCAL);
  }
  assertEquals(parsed("rediss://ana:p%40ss%2F%C3%A9%25@store.example:6380/3"), {
    host: "store.example",
    port: 6380,
    username: "ana",
    password: "p@ss/é%",
    database: 3,
    isSecure: true,
  });
  assertEquals(parsed("redis://:word@[::1]:1/15"), {
    ...LOCAL,
    host: "::1",
    port: 1,
    password: "word",
    database: 15,
  });
});

Deno.test("parseStoreUrl() rejects what is no such URL, and shows nothing of it", () => {
  const wrong = [
    "",
    "store:6379",
    "http://:hunter2@store",
    "redis:",
    "redis://",
    "redis://:hunter2@:6379",
    "redis://ana:hunter2@store:0",
    "redis://ana:hunter2@store:65536",
    "redis://ana:hunter2@store/name",
    "redis://ana:hunter2@store/-1",
    "redis://ana:hunter2@store/65536",
    "redis://ana:hunter2@store/0/1",
    "redis://ana:hunter2@store?db=1",
    "redis://ana:hunter2@store#1",
    // A password with a character of URLs in it.
    "redis://ana:hunter2/x@store",
    "redis://ana:hunter2#x@store",
    "redis://ana:hunter2%@store",
    "redis://ana:hunter2%ff@store",
  ];
  for (const text of wrong) {
    const error = parsed(text);
    assert(typeof error === "string", text);
    assertStringIncludes(error, "expected redis://");
    assert(!error.includes("hunter2"), error);
  }
});

Deno.test("findStore() takes the option, or else the variable", () => {
  const variable = (value?: string) => (name: string): string | undefined =>
    name === "UDP_CHAT_STORE" ? value : undefined;
  assertEquals(findStore(undefined, variable()), { ok: true, value: undefined });
  assertEquals(findStore(LOCAL, variable("redis://other")), { ok: true, value: LOCAL });
  assertEquals(findStore(undefined, variable("redis://127.0.0.1")), { ok: true, value: LOCAL });
  for (const value of ["", "redis://ana:hunter2/x@store"]) {
    const found = findStore(undefined, variable(value));
    assert(!found.ok);
    assertStringIncludes(found.error, "Cannot use UDP_CHAT_STORE: expected redis://");
    assert(!found.error.includes("hunter2"));
  }
});
