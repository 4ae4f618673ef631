import { assertEquals } from "@std/assert";
import { DirectoryNames } from "../../client/directory_addresses.ts";
import { HOST_ADDRESSES_MAX } from "../../protocol/udp.ts";
import type { Address } from "../../protocol/wire/address.ts";

function at(...hosts: string[]): Address[] {
  return hosts.map((hostname) => ({ hostname, port: 7070 }));
}

/** The names of two directories, which have the addresses that the test wants. */
function twoNames(hosts: Record<string, string[] | undefined>): DirectoryNames<{
  host: string;
  port: number;
}> {
  const names = ["a", "b"].map((host) => ({ host, port: 7070 }));
  return new DirectoryNames(names, ({ host }) => {
    const found = hosts[host];
    return found === undefined ? Promise.reject(new Error(host)) : Promise.resolve(at(...found));
  });
}

Deno.test("DirectoryNames finds each address once, of each name in turn, and a few in all", async () => {
  const some = { a: ["192.0.2.1", "192.0.2.2"], b: ["192.0.2.3", "192.0.2.1"] };
  assertEquals(await twoNames(some).resolve(), at("192.0.2.1", "192.0.2.3", "192.0.2.2"));
  const many = (start: number): string[] =>
    Array.from({ length: HOST_ADDRESSES_MAX }, (_, index) => `192.0.2.${start + index}`);
  const all = await twoNames({ a: many(1), b: many(101) }).resolve();
  assertEquals(all.slice(0, 3), at("192.0.2.1", "192.0.2.101", "192.0.2.2"));
  assertEquals(all.length, HOST_ADDRESSES_MAX);
});

Deno.test("DirectoryNames goes on with what a name had where it is not found any more", async () => {
  const hosts: Record<string, string[] | undefined> = { b: ["192.0.2.3"] };
  const names = twoNames(hosts);
  assertEquals(await names.resolve(), at("192.0.2.3"));
  assertEquals(names.missing.map(({ host }) => host), ["a"]);
  hosts.a = ["192.0.2.1"];
  hosts.b = undefined;
  assertEquals(await names.resolve(), at("192.0.2.1", "192.0.2.3"));
  assertEquals(names.missing, []);
  hosts.a = undefined;
  assertEquals(await names.resolve().catch(({ message }) => message), "a");
});
