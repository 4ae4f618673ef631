// Clients written from protocol/README.md alone register at a real directory.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import type { Transmit } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { newServer } from "../support/new_server.ts";
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
  return { server: new Driven(newServer(options)), key: identity.publicKey };
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

/** Two naive clients at a real directory: 1 at OWN and 7 at PEER. */
function twoClients(prng: Prng) {
  const { server: directory } = server(prng);
  const [first, second] = [prng.bytes(32), prng.bytes(32)];
  const clients = {
    1: { client: new NaiveRegistration(first, prng.u64()), at: OWN },
    7: { client: new NaiveRegistration(second, prng.u64()), at: PEER },
  };
  register(directory, clients[1].client, OWN, { name: "zoë" });
  register(directory, clients[7].client, PEER, { wantedId: 7, name: "Борис" });
  const ask = (id: 1 | 7, frame: NaiveFrame, size?: number): Transmit[] => {
    const { client, at } = clients[id];
    return directory.receive(client.request(id, frame, size), at);
  };
  /** Who calls gets an Answer, who is called a Notice. */
  const call = (from: 1 | 7, target: NaiveFrame): [caller: NaiveFrame, called: NaiveFrame] => {
    const to = from === 1 ? 7 : 1;
    const sent = ask(from, { ...target, kind: "call" });
    assertEquals(sent.length, 2);
    assert(sent.reduce((sum, { bytes }) => sum + bytes.length, 0) <= 512);
    const [answer, notice] = [4, 9].map((type) => sent.filter(({ bytes }) => bytes[3] === type));
    const { client, at } = clients[to];
    return [
      clients[from].client.answer(only(answer!, clients[from].at)),
      client.notice(only(notice!, at)),
    ];
  };
  const keys = { 1: publicKeyOf(first), 7: publicKeyOf(second) };
  return { directory, clients, keys, ask, call };
}

const CALL: NaiveFrame = { kind: "call", id: 0, name: "борис" };

Deno.test("naive clients call one another at a real directory, which tells both the same number", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { clients, keys, ask, call } = twoClients(prng);
    const [caller, called] = call(1, CALL);
    const { number } = caller as unknown as { number: bigint };
    assertEquals(caller, {
      ...{ kind: "meeting", number, flags: 1, id: 7, name: "Борис" },
      ...{ publicKey: keys[7], addresses: [PEER] },
    });
    assertEquals(called, {
      ...{ kind: "meeting", number, flags: 0, id: 1, name: "zoë" },
      ...{ publicKey: keys[1], addresses: [OWN] },
    });
    assertEquals(call(7, { kind: "call", id: 1, name: "" })[0]["number"], number);
    assertEquals(ask(1, CALL, 511), [], "a Call that is too short");
    const nobody = only(ask(1, { kind: "call", id: 9, name: "zoë" }), OWN);
    assertEquals(clients[1].client.answer(nobody), { kind: "inactive", id: 9, name: "zoë" });
    const oneself = only(ask(1, { kind: "call", id: 1, name: "" }), OWN);
    const { id, flags, addresses } = clients[1].client.answer(oneself);
    assertEquals([id, flags, addresses], [1, 3, [OWN]]);
  });
});

Deno.test("a real directory carries datagrams between naive clients that have met", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { directory, clients, ask, call } = twoClients(prng);
    const keepLeases = (): void => {
      for (const id of [1, 7] as const) ask(id, { kind: "leaseKeepalive" });
    };
    const carry = (from: 1 | 7, number: bigint, datagram: Uint8Array, to = 8 - from): Transmit[] =>
      ask(from, { kind: "carry", number, to, datagram });
    assertEquals(carry(1, 1n, prng.bytes(100)), [], "no meeting");
    const number = call(1, CALL)[0]["number"] as bigint;
    for (const size of [16, 500, 1140]) {
      const datagram = prng.bytes(size);
      const there = clients[7].client.notice(only(carry(1, number, datagram), PEER));
      assertEquals(there, { kind: "carried", from: 1, datagram });
      const back = clients[1].client.notice(only(carry(7, number, datagram), OWN));
      assertEquals(back, { kind: "carried", from: 7, datagram });
    }
    for (const size of [0, 15, 1141]) assertEquals(carry(1, number, prng.bytes(size)), []);
    assertEquals(carry(1, number ^ 1n, prng.bytes(100)), [], "another number");
    assertEquals(carry(1, number, prng.bytes(100), 1), [], "to oneself");
    // The meeting was in the slot from 0 on.
    directory.now = 30_000;
    keepLeases();
    directory.now = 59_999;
    assertEquals(carry(1, number, prng.bytes(100)).length, 1);
    directory.now = 60_000;
    assertEquals(carry(1, number, prng.bytes(100)), [], "the number is too old");
  });
});

Deno.test("a real directory tells both addresses of a naive client, and which clients are near", () => {
  withSeed(seedFromEnv(), (prng) => {
    const { directory, clients, ask, call } = twoClients(prng);
    const other: Address = { hostname: "2001:db8::7", port: 40_000 };
    // In the network of client 7.
    const atOther = (frame: NaiveFrame): Transmit[] =>
      directory.receive(clients[1].client.request(1, frame), other);
    const prober = new NaiveRegistration(prng.bytes(32), prng.u64());
    const challenge = only(directory.receive(prober.first(), other), other);
    const { nonce, cookie } = prober.credentialsFor(challenge);
    const alsoAt: NaiveFrame = { kind: "alsoAt", nonce, cookie };
    assertEquals(atOther({ ...alsoAt, cookie: prng.bytes(16) }), [], "another cookie");
    assertEquals(ask(1, alsoAt), [], "where it is already");
    assertEquals(call(7, { kind: "call", id: 1, name: "" })[0]["addresses"], [OWN]);
    assertEquals(clients[1].client.answer(only(atOther(alsoAt), other)), {
      ...{ kind: "alsoAtAck", seenAt: other },
    });
    const [caller, called] = call(7, { kind: "call", id: 1, name: "" });
    assertEquals(caller["addresses"], [OWN, other]);
    assertEquals([caller["flags"], called["flags"]], [3, 2]);
  });
});

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
