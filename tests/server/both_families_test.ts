// A directory on `::`, on real sockets, with a client of each family.
import { assert, assertEquals } from "@std/assert";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { clock, drive, openSocket, systemRandom } from "../../protocol/udp.ts";
import { newServer } from "../support/new_server.ts";
import { ScriptedClient } from "../support/scripted_client.ts";

/** Why a socket does not serve both families here, empty where it does. */
function obstacle(): string {
  if (Deno.build.os === "windows") return " (skipped: a socket of Windows serves one family)";
  try {
    for (const hostname of ["::1", "::"]) openSocket(hostname, 0).close();
    return "";
  } catch {
    return " (skipped: this machine has no IPv6)";
  }
}

const OBSTACLE = obstacle();

Deno.test({
  name: `a directory on :: serves 127.0.0.1 and ::1, and carries between them${OBSTACLE}`,
  ignore: OBSTACLE !== "",
  async fn() {
    const identity = makeKeyPair(systemRandom);
    const server = newServer({ maxClients: 10, lease: 45_000, identity, random: systemRandom });
    const socket = openSocket("::", 0);
    const { port } = socket.addr as Deno.NetAddr;
    const joined: string[] = [];
    const directory = drive(server, socket, (event) => {
      if (event.kind === "joined") joined.push(event.client.address.hostname);
    });
    const clients = ["127.0.0.1", "::1"].map((hostname, n) => {
      const own = openSocket(hostname, 0);
      const at = (own.addr as Deno.NetAddr).port;
      const machine = new ScriptedClient(clock(), n, { hostname, port }, at, systemRandom);
      return { machine, driven: drive(machine, own, () => {}) };
    });
    await until(() => clients.every(({ machine }) => machine.isRegistered));
    await until(() => {
      for (const { machine, driven } of clients) driven.input((now) => machine.act(now));
      return clients.every(({ machine }) => machine.hasLeft !== undefined);
    });
    for (const { driven } of clients) await driven.close();
    await directory.close();
    assertEquals(joined.toSorted(), ["127.0.0.1", "::1"]);
    for (const [n, { machine }] of clients.entries()) {
      const peer = clients[1 - n]!.machine;
      assertEquals(machine.results, ScriptedClient.expectedResults(n, peer.publicKey));
    }
    const { introductions, carriedBytes } = server.totals;
    assert(introductions >= 2 && carriedBytes > 0);
  },
});

/** Waits until the condition holds. */
async function until(isSo: () => boolean): Promise<void> {
  for (const end = clock() + 30_000; !isSo();) {
    assert(clock() < end, "the clients wait too long");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
