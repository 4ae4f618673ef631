import { assertEquals } from "@std/assert";
import { encodeDatagram } from "../../../protocol/wire/datagram.ts";
import { writeFound } from "../../../protocol/wire/directory_answer.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import { DatagramType, type Found } from "../../../protocol/wire/frame.ts";
import { toHex } from "../../support/hex.ts";
import { seedFromEnv, withSeed } from "../../support/random.ts";
import { randomFrame } from "../../support/random_frame.ts";

/** The address as clients are told it: IPv4 where an IPv6 socket saw it as a mapped one. */
function asTold({ address: { hostname, port } }: Found): Found["address"] {
  return { hostname: hostname.replace(/^::ffff:(?=.*\.)/, ""), port };
}

Deno.test("writeFound() writes what encodeDatagram() makes of the same client", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < 1000; run++) {
      const found = randomFrame(prng, "found") as Found;
      // A frame whose size takes two bytes.
      if (prng.chance(0.2)) found.name = "𠮷".repeat(63);
      const name = new TextEncoder().encode(found.name);
      const endpoint = new Uint8Array(ENDPOINT_SIZE);
      writeEndpoint(endpoint, found.address);
      const to = new Uint8Array(1200);
      const end = writeFound(to, 16, {
        id: () => found.id,
        nameSize: () => name.length,
        copyName: (_, to, at) => to.set(name, at),
        endpoint: () => endpoint,
        copyKey: (_, to, at) => to.set(found.publicKey, at),
      }, 0);
      const told = { ...found, address: asTold(found) };
      const header = { type: DatagramType.Response, session: 0, packet: 0 };
      assertEquals(toHex(to.slice(16, end)), toHex(encodeDatagram(header, [told]).slice(16)));
    }
  });
});
