// The benchmark's requests, filled in by hand, are understood by a directory.
import { assertEquals } from "@std/assert";
import { Server } from "../../server/server.ts";
import { Prng } from "../support/random.ts";
import {
  answeredClient,
  answerFrame,
  challengeCookie,
  grantOf,
  lookUpOf,
  registerOf,
} from "./directory_requests.ts";

Deno.test("two clients register and one looks the other up", () => {
  const random = new Prng(1).bytes;
  const server = new Server({ maxClients: 10, lease: 45_000, random });
  function ask(request: Uint8Array, from: number): Uint8Array {
    server.handleDatagram(0, request, { hostname: `10.0.0.${from}`, port: 4242 });
    return server.pollTransmit()!.bytes.slice();
  }
  const grants = [3, 4].map((client) => {
    const challenge = ask(registerOf(client), client);
    assertEquals(answeredClient(challenge), client);
    const cookie = challengeCookie(challenge);
    const answer = ask(registerOf(client, cookie), client);
    assertEquals([answeredClient(answer), challengeCookie(answer)], [client, undefined]);
    return grantOf(answer);
  });
  assertEquals(grants.map(({ id }) => id), [1, 2]);
  const found = answerFrame(ask(lookUpOf(2, grants[0]!.token), 3));
  assertEquals([found.kind, "id" in found && found.id], ["found", 2]);
});
