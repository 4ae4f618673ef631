// The benchmark's requests are understood by a directory.
import { assert, assertEquals } from "@std/assert";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { Server } from "../../server/server.ts";
import { Prng } from "../support/random.ts";
import { LoadClients } from "./directory_requests.ts";

Deno.test("two clients register and one looks the other up", () => {
  const random = new Prng(1).bytes;
  const identity = makeKeyPair(random);
  const server = new Server({ maxClients: 10, lease: 45_000, identity, random });
  const clients = new LoadClients();
  function ask(request: Uint8Array, from: number): Uint8Array {
    server.handleDatagram(0, request, { hostname: `10.0.0.${from}`, port: 4242 });
    return server.pollTransmit()!.bytes.slice();
  }
  for (const number of [3, 4]) {
    const register = clients.register(ask(clients.firstRegister(number), number));
    assert(register !== undefined);
    assertEquals(register.number, number);
    const answer = ask(register.bytes, number);
    assertEquals([clients.register(answer), clients.registered(answer, true)], [undefined, number]);
  }
  assertEquals([...clients.ids.values()], [1, 2]);
  const found = clients.read(ask(clients.lookUp(3, 2), 3));
  assertEquals([found.kind, "id" in found && found.id], ["found", 2]);
});
