// Datagrams from strangers, over real sockets: they change nothing and gain nothing.
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { decodeDatagram, encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { Prng, seedFromEnv } from "../support/random.ts";
import { KINDS, randomFrame, randomHeader } from "../support/random_frame.ts";
import { FakeRequester } from "../support/fake_peer.ts";
import * as directory from "../support/server_stage.ts";
import { assertContract, summary } from "./contract.ts";
import { PATIENCE } from "./lines.ts";
import { connectedPair, type Program, Stage } from "./process.ts";

/** Datagrams sent at a time, so that the receiver's buffer holds them. */
const BATCH = 100;
const ZEROS = new Uint8Array(16);

/** Datagrams that would be good elsewhere, of every kind that a client sends. */
function foreignDatagrams(prng: Prng): Uint8Array[] {
  const ana = new directory.Stage().join(1, { name: "ana" });
  const first = ana.firstBytes();
  ana.begin();
  const { initiation } = new FakeRequester(prng.bytes, ana.identity.publicKey);
  const sealed = initiation.slice();
  sealed[3] = DatagramType.Packet;
  return [
    first,
    ana.registerBytes({ name: "ana" }),
    ana.requestBytes({ kind: "leaseKeepalive" }),
    ana.requestBytes({ kind: "lookUp", id: 1, name: "" }),
    ana.requestBytes({ kind: "leave" }),
    initiation,
    sealed,
  ];
}

/** Garbage, then what looks better and better. */
function* hostileDatagrams(prng: Prng): Generator<Uint8Array> {
  for (const size of [0, 1, 15, 16, 17, 1200, 1201, 9000, 65_507]) yield prng.bytes(size);
  for (const bytes of foreignDatagrams(prng)) {
    yield bytes;
    for (let size = 0; size < bytes.length; size += 7) yield bytes.slice(0, size);
    for (let changes = 0; changes < 50; changes++) {
      const changed = bytes.slice();
      changed[prng.int(changed.length)] = prng.int(256);
      yield changed;
    }
  }
  for (let index = 0; index < 2000; index++) {
    const frames = Array.from(
      { length: prng.int(4) },
      () => randomFrame(prng, prng.pick(KINDS)),
    );
    try {
      yield encodeDatagram(randomHeader(prng), frames).slice();
    } catch (error) {
      // More frames than a datagram holds.
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

function openSocket(hostname: string): Deno.DatagramConn {
  return Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
}

function to(port: number): Deno.NetAddr {
  return { transport: "udp", hostname: "127.0.0.1", port };
}

async function talk(from: Program, to: Program, text: string): Promise<void> {
  await from.type(text);
  await to.waitForEvent("message", { text });
  await from.waitForEvent("delivered");
}

Deno.test("garbage and hostile datagrams change nothing, at the directory or at a client", async () => {
  const seed = seedFromEnv();
  await using stage = new Stage();
  const server = await stage.serve("--json");
  const [ana, bob] = await connectedPair(stage, server);
  const before = summary(server.program.events());
  const ports = [server.port, ...[ana, bob].map((each) => Number(each.registered()?.port))];
  const stranger = openSocket("127.0.0.1");
  let count = 0;
  try {
    for (const bytes of hostileDatagrams(new Prng(seed))) {
      for (const port of ports) await stranger.send(bytes, to(port)).catch(() => {});
      count++;
      // An answer to both shows that they are still at work, and paces the attack.
      if (count % BATCH === 0) await talk(ana, bob, `after ${count}`);
    }
  } finally {
    stranger.close();
  }
  const hint = `with UDP_CHAT_SEED=${seed}`;
  await talk(bob, ana, "is that all?");
  await ana.type("list");
  await ana.waitForEvent("list", { clients: [{ id: 1, name: "ana" }, { id: 2, name: "bob" }] });
  await ana.type("leave");
  assertEquals(await ana.exitCode(), 0);
  await bob.waitForEvent("terminated");
  await server.program.waitForEvent("left");
  assertEquals(summary(server.program.events()).slice(0, before.length + 1), [
    ...before,
    "left client=1:ana",
  ], hint);
  for (const client of [ana, bob]) {
    assertContract("client", client.events());
    const kinds = new Set(client.events().map(({ event }) => event));
    for (const expected of ["serverLost", "serverBack", "error", "unconfirmed", "request"]) {
      const isBobsRequest = client === bob && expected === "request";
      assert(isBobsRequest || !kinds.has(expected), `${expected} ${hint}\n${client.transcript()}`);
    }
    assertEquals(client.stderr.all, [], hint);
  }
});

Deno.test("the answer to another version is no larger than the question", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const stranger = openSocket("127.0.0.1");
  try {
    const question = encodeDatagram({ type: DatagramType.Request, session: 3, packet: 4 }, []);
    question[2] = 2;
    await stranger.send(question, to(server.port));
    const [answer] = await stranger.receive();
    assertEquals([answer.length, answer[3]], [question.length, DatagramType.Version]);
  } finally {
    stranger.close();
  }
});

const FORGERY = Deno.build.os === "linux"
  ? { ignore: false, note: "" }
  : { ignore: true, note: " (skipped: only Linux has all of 127.0.0.0/8 on loopback)" };

Deno.test({
  name: `registrations from 500 forged addresses take no place in the table${FORGERY.note}`,
  ignore: FORGERY.ignore,
  async fn() {
    const seed = seedFromEnv();
    const prng = new Prng(seed);
    await using stage = new Stage();
    const server = await stage.serve("--json", "--max-clients", "10");
    // 250 and 251 have no common factor, so that no two are the same.
    const hosts = Array.from({ length: 500 }, (_, i) => `127.${1 + i % 250}.7.${1 + i % 251}`);
    const sockets = hosts.map(openSocket);
    try {
      for (let round = 0; round < 20; round++) {
        for (let index = 0; index < sockets.length; index += BATCH) {
          await Promise.all(
            sockets.slice(index, index + BATCH).map(async (socket) => {
              // Without a cookie, and with a made-up one.
              const request = register(prng, round % 2 === 0 ? ZEROS : prng.bytes(16));
              const answer = await ask(socket, request, server.port);
              assertLessOrEqual(answer.length, request.length);
              assertEquals(kindsIn(answer), ["challenge"], `with UDP_CHAT_SEED=${seed}`);
            }),
          );
        }
      }
    } finally {
      for (const socket of sockets) socket.close();
    }
    await stage.jsonClient("ana", server, "--id", "1");
    await server.program.waitForEvent("table");
    assertEquals(summary(server.program.events()), [
      "listening",
      "joined client=1:ana",
      "table clients=[1:ana]",
    ]);
  },
});

/** Sends a Register and returns the answer, which must come. */
async function ask(
  socket: Deno.DatagramConn,
  request: Uint8Array,
  port: number,
): Promise<Uint8Array> {
  await socket.send(request, to(port));
  // A socket that is closed gives up waiting.
  const timer = setTimeout(() => socket.close(), PATIENCE);
  try {
    const [answer] = await socket.receive();
    return answer;
  } finally {
    clearTimeout(timer);
  }
}

/** A Register: the first one of an exchange where the cookie is zero, else with noise sealed in it. */
function register(prng: Prng, cookie: Uint8Array): Uint8Array {
  const header = { type: DatagramType.Register, session: 0, packet: 0 };
  const [nonce, publicKey] = [prng.u64(), prng.bytes(32)];
  const frame: Frame = { kind: "credentials", nonce, cookie, publicKey, mac: ZEROS };
  const clear = encodeDatagram(header, [frame]);
  return cookie === ZEROS ? clear : Uint8Array.of(...clear, ...prng.bytes(197));
}

function kindsIn(datagram: Uint8Array): string[] {
  const decoded = decodeDatagram(datagram);
  return decoded.ok ? decoded.value.frames.map(({ kind }) => kind) : [decoded.error.reason];
}
