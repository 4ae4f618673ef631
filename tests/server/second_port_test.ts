// The second port of a directory, on real sockets.
import { assert, assertEquals } from "@std/assert";
import { Doctor } from "../../client/doctor/doctor.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { clock, drive, openSocket, systemRandom } from "../../protocol/udp.ts";
import { openSecondPort } from "../../server/second_port.ts";
import { TRUSTING } from "../support/trust.ts";

const IDENTITY = makeKeyPair(systemRandom);

/** A socket on a free port. */
function anySocket(hostname: string): [Deno.DatagramConn, number] {
  const socket = openSocket(hostname, 0);
  return [socket, (socket.addr as Deno.NetAddr).port];
}

Deno.test("the second port of a directory registers a client that asks there, and removes it", async () => {
  const [probe, port] = anySocket("0.0.0.0");
  probe.close();
  const secondPort = openSecondPort({ hostname: "0.0.0.0", port: port - 1 }, IDENTITY, undefined);
  assert(secondPort !== undefined);
  const [socket, own] = anySocket("127.0.0.1");
  const machine = new Doctor(clock(), {
    directoryAddresses: [{ hostname: "127.0.0.1", port }],
    port: own,
    identity: makeKeyPair(systemRandom),
    trust: TRUSTING,
    secret: undefined,
    random: systemRandom,
    isOwnHost: () => true,
    hasIpv6: false,
    hasIpv4: true,
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  const driven = drive(machine, socket, (event) => {
    if (event.kind === "done") resolve(event.status);
  });
  assertEquals(await promise, 0);
  await driven.close();
  await secondPort.close();
  // It is free again.
  openSocket("0.0.0.0", port).close();
});

Deno.test("a directory goes without a second port where that is taken, or of no use", () => {
  const [taken, port] = anySocket("0.0.0.0");
  assertEquals(
    openSecondPort({ hostname: "0.0.0.0", port: port - 1 }, IDENTITY, undefined),
    undefined,
  );
  taken.close();
  for (
    const [hostname, last] of [["127.0.0.1", 7069], ["::1", 7069], ["0.0.0.0", 65_535]] as const
  ) {
    assertEquals(openSecondPort({ hostname, port: last }, IDENTITY, undefined), undefined);
  }
});
