// Clients written from protocol/README.md alone register at a real directory.
import { assertEquals, assertThrows } from "@std/assert";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { Server } from "../../server/server.ts";
import { toHex } from "../support/hex.ts";
import { type Prng, seedFromEnv, withSeed } from "../support/random.ts";
import { BAD } from "../support/vectors.ts";
import { Driven, only } from "./driven.ts";
import type { NaiveFrame } from "./naive_codec.ts";
import { publicKeyOf } from "./naive_crypto.ts";
import { header } from "./naive_handshake.ts";
import { NaiveRegistration } from "./naive_peer.ts";

const OWN: Address = { hostname: "192.0.2.7", port: 40_000 };
const PEER: Address = { hostname: "2001:db8::8", port: 40_001 };

/** A real directory. */
function server(prng: Prng, secret?: Uint8Array): { server: Driven<unknown>; key: Uint8Array } {
  const identity = new KeyPair(prng.bytes(32));
  const options = { maxClients: 3, lease: 45_000, identity, secret, random: prng.bytes };
  return { server: new Driven(new Server(options)), key: identity.publicKey };
}

/** Registers a naive client; returns the Answer. */
function register(
  directory: Driven<unknown>,
  client: NaiveRegistration,
  from: Address,
  wanted: Partial<{ wantedId: number; name: string; token: Uint8Array }> = {},
): NaiveFrame {
  client.handleChallenge(only(directory.receive(client.first(), from), from));
  const bytes = client.register({
    ...{ kind: "register", session: 9, token: new Uint8Array(16), wantedId: 0, port: from.port },
    ...{ name: "" },
    ...wanted,
  });
  // It has the cookie, and does not open: nobody gets an answer to that.
  assertEquals(directory.receive(bytes.with(-1, bytes.at(-1)! ^ 1), from), []);
  return client.answer(only(directory.receive(bytes, from), from));
}

for (const isPrivate of [false, true]) {
  const where = isPrivate ? "private" : "public";
  Deno.test(`naive clients register, look one another up and leave at a real ${where} directory`, () => {
    withSeed(seedFromEnv(), (prng) => {
      const secret = isPrivate ? prng.bytes(20) : undefined;
      const { server: directory, key } = server(prng, secret);
      const [first, second] = [prng.bytes(32), prng.bytes(32)];
      const client = new NaiveRegistration(first, prng.u64(), secret);
      const registered = register(directory, client, OWN, { name: "zoë" });
      assertEquals([registered["id"], registered["lease"], registered["seenAt"]], [1, 45_000, OWN]);
      const other = new NaiveRegistration(second, prng.u64(), secret);
      assertEquals(register(directory, other, PEER, { wantedId: 7, name: "Борис" })["id"], 7);
      const ask = (frame: NaiveFrame): NaiveFrame =>
        client.answer(only(directory.receive(client.request(1, frame), OWN), OWN));
      const found = ask({ kind: "lookUp", id: 0, name: "борис" });
      assertEquals(found, {
        ...{ kind: "found", id: 7, name: "Борис", address: PEER, publicKey: publicKeyOf(second) },
      });
      assertEquals(ask({ kind: "lookUp", id: 9, name: "zoë" }), {
        ...{ kind: "inactive", id: 9, name: "zoë" },
      });
      assertEquals(ask({ kind: "leaseKeepalive" }), { kind: "leaseKeepaliveAck", lease: 45_000 });
      assertEquals(ask({ kind: "list", after: 1 }), {
        ...{ kind: "listing", more: 0, clients: [{ id: 7, name: "Борис" }] },
      });
      // Its key is the one that it was registered with, and each request has one answer.
      const repeated = client.request(1, { kind: "leave" });
      assertEquals(client.answer(only(directory.receive(repeated, OWN))), { kind: "leaveAck" });
      assertEquals(directory.receive(repeated, OWN), []);
      assertEquals(ask({ kind: "leave" }), { kind: "leaveAck" }, "again");
      assertEquals(
        toHex(client.handleChallenge(only(directory.receive(client.first(), OWN)))),
        toHex(key),
      );
      const elsewhere = directory.receive(client.request(7, { kind: "leave" }), OWN);
      assertEquals(elsewhere.map(({ bytes }) => bytes[3]), isPrivate ? [] : [254]);
    });
  });
}

Deno.test("naive clients are refused by a real directory, each for its reason", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { server: directory } = server(prng);
    const at = (port: number): Address => ({ hostname: "192.0.2.9", port });
    const attempt = (port: number, wanted: Parameters<typeof register>[3]): unknown => {
      const client = new NaiveRegistration(prng.bytes(32), prng.u64());
      const { kind, reason } = register(directory, client, at(port), wanted) as unknown as {
        kind: string;
        reason: number;
      };
      return kind === "refused" ? reason : kind;
    };
    assertEquals(attempt(1, { wantedId: 5, name: "zoë" }), "registered");
    assertEquals(attempt(2, { wantedId: 5 }), 1);
    assertEquals(attempt(3, { name: "ZOË" }), 2);
    assertEquals(attempt(4, { name: "12" }), 4);
    assertEquals(attempt(5, { name: "ana" }), "registered");
    assertEquals(attempt(6, {}), "registered");
    assertEquals(attempt(7, {}), 3);
  });
});

Deno.test("a private directory of another secret has no answer, and a client none for its Challenge", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { server: directory } = server(prng, prng.bytes(16));
    for (const secret of [undefined, prng.bytes(16)]) {
      const client = new NaiveRegistration(prng.bytes(32), 1n, secret);
      assertEquals(directory.receive(client.first(), OWN), []);
    }
    const naive = new NaiveRegistration(prng.bytes(32), 1n, prng.bytes(16));
    const { server: open } = server(prng);
    const challenge = only(open.receive(naive.first(), OWN), OWN);
    assertThrows(() => naive.handleChallenge(challenge), Error, "Another Challenge");
  });
});

Deno.test("a real directory does no more about bad datagrams than the vectors have", () => {
  withSeed(1, (prng) => {
    const { server: directory } = server(prng);
    for (const { name, bytes, answer } of BAD) {
      // This one is public.
      if (/private directory/.test(name)) continue;
      const sent = directory.receive(bytes, OWN).map((each) => toHex(each.bytes));
      assertEquals(sent, answer === undefined ? [] : [toHex(answer)], name);
    }
  });
});

Deno.test("a real directory answers nothing without the clear frames of its type", () => {
  withSeed(1, (prng) => {
    const { server: directory } = server(prng);
    for (const type of [1, 2, 4, 5, 6, 7, 8, 254]) {
      assertEquals(directory.receive(header(type, 0, 0), OWN), [], `type ${type}`);
    }
  });
});
