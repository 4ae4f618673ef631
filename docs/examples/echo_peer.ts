/**
 * A peer that accepts every Connection Request, and sends back what it is sent:
 * `deno run --allow-net --unstable-net docs/examples/echo_peer.ts [DIRECTORY-HOST PORT]`
 *
 * @module
 */
import {
  type Address,
  clock,
  type Drive,
  drive,
  Endpoint,
  makeKeyPair,
  openSocket,
  resolveHost,
  systemRandom,
  TIMER_POLICIES,
} from "../../protocol/mod.ts";

/** Registers as "echo". */
export function runEchoPeer(directoryAddresses: readonly Address[]): Drive {
  const socket = openSocket("0.0.0.0", 0);
  const echo = new Endpoint(clock(), {
    directoryAddresses,
    id: 0,
    name: "echo",
    port: (socket.addr as Deno.NetAddr).port,
    identity: makeKeyPair(systemRandom),
    policy: TIMER_POLICIES.adaptive,
    random: systemRandom,
    admit: () => "accept",
  });
  const driven = drive(echo, socket, (event) => {
    if (event.kind === "message") driven.input(() => event.connection.send(event.text));
  });
  return driven;
}

if (import.meta.main) {
  const [host = "localhost", port = "7070"] = Deno.args;
  const hosts = await resolveHost(host);
  runEchoPeer(hosts.map((hostname) => ({ hostname, port: Number(port) })));
}
