// What forged packets of a connection cost: memory must not grow with them.
import { assertLess } from "@std/assert";
import {
  type Address,
  clock,
  type Connection,
  DatagramType,
  drive,
  encodeDatagram,
  Endpoint,
  HEADER_SIZE,
  makeKeyPair,
  openSocket,
  type Socket,
  systemRandom,
  TIMER_POLICIES,
} from "../../protocol/mod.ts";
import { LINUX, memory } from "./proc.ts";
import { type Program, Stage } from "./process.ts";

const COUNT = 300_000;
/** Times that so many are sent; a leak of 100 bytes each would show in every one. */
const ROUNDS = 3;
/** MiB that a round may grow by. */
const GROWTH_MAX = 24;
/** Datagrams that are sent before the next message shows that the victim has read them. */
const BURST = 250;

/** A client in this process that is connected with the victim. */
interface Peer extends AsyncDisposable {
  /** The session id that the victim receives packets under. */
  readonly session: number;
  /** Sends a text; resolves when it is acknowledged. */
  say(text: string): Promise<void>;
}

/** Connects with the victim. */
async function connectTo(id: number, directory: Address): Promise<Peer> {
  const socket = openSocket("127.0.0.1", 0);
  let session = 0;
  const observed: Socket = {
    send(bytes, to) {
      if (bytes[3] === DatagramType.Packet) session = new DataView(bytes.buffer).getUint32(4);
      return socket.send(bytes, to as Deno.NetAddr);
    },
    receive: (buffer) => socket.receive(buffer),
    close: () => socket.close(),
  };
  const { port } = socket.addr as Deno.NetAddr;
  const random = systemRandom;
  const identity = makeKeyPair(random);
  const policy = TIMER_POLICIES.adaptive;
  const endpoint = new Endpoint(clock(), {
    ...{ directoryAddresses: [directory], id: 0, name: "", port, identity, policy, random },
  });
  const { promise, resolve } = Promise.withResolvers<Connection>();
  let delivered = Promise.withResolvers<void>();
  const driven = drive(endpoint, observed, (event) => {
    if (event.kind === "registered") endpoint.connect(clock(), { id, name: "" });
    if (event.kind === "connected") resolve(event.connection);
    if (event.kind === "delivered") delivered.resolve();
  });
  const connection = await promise;
  return {
    get session() {
      return session;
    },
    async say(text) {
      delivered = Promise.withResolvers();
      driven.input(() => connection.send(text));
      await delivered.promise;
    },
    [Symbol.asyncDispose]: () => driven.close(),
  };
}

/** Sends forged packets of these sizes with rising counters; returns by how many MiB the victim grew. */
async function flood(victim: Program, address: Address, peer: Peer, sizes: readonly number[]) {
  const socket = openSocket("127.0.0.1", 0);
  const to = { transport: "udp", ...address } as const;
  const send = async (first: number, count: number): Promise<void> => {
    for (let packet = first; packet < first + count; packet++) {
      const header = { type: DatagramType.Packet, session: peer.session, packet };
      const bytes = new Uint8Array(sizes[packet % sizes.length]!);
      bytes.set(encodeDatagram(header, []));
      await socket.send(bytes, to);
      if (packet % BURST === 0) await peer.say("still there?");
    }
  };
  // Until the heap has the size that the work takes; it may take that late, but only once.
  let grown = Infinity;
  for (let round = 0; round < ROUNDS && grown >= GROWTH_MAX; round++) {
    const before = await memory(victim.pid);
    await send(1_000 + round * COUNT, COUNT);
    await peer.say("all came");
    grown = await memory(victim.pid) - before;
  }
  socket.close();
  return grown;
}

for (
  const [name, sizes] of [
    ["shorter than a tag", Array.from({ length: 15 }, (_, more) => HEADER_SIZE + 1 + more)],
    ["that do not open", [HEADER_SIZE + 16, HEADER_SIZE + 48, 1_200]],
  ] as const
) {
  Deno.test({
    name: `memory does not grow with ${COUNT} packets ${name}${LINUX.note}`,
    ignore: LINUX.ignore,
    async fn() {
      await using stage = new Stage();
      const server = await stage.serve();
      const victim = await stage.jsonClient("ana", server, "--accept-all");
      const [registered] = victim.events().filter(({ event }) => event === "registered");
      const id = registered!.id as number;
      const address = { hostname: "127.0.0.1", port: registered!.port as number };
      await using peer = await connectTo(id, { hostname: "127.0.0.1", port: server.port });
      const grown = await flood(victim, address, peer, sizes);
      assertLess(grown, GROWTH_MAX, `the client grew by ${grown} MiB`);
    },
  });
}
