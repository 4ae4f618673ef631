// Real processes under a flood of datagrams with forged source addresses.
import { assertLess } from "@std/assert";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { Relay } from "../support/relay.ts";
import { IS_FULL, scaled } from "../support/scale.ts";
import { FORGER, Forger } from "./forger.ts";
import { freePort } from "./ports.ts";
import { droppedDatagrams, processorTime } from "./proc.ts";
import { connectedPair, type Program, Stage } from "./process.ts";

/** Datagrams a second: fewer where the machine has other work. */
const RATE = scaled(20_000, 4_000);
/** More than any machine sends in this way. */
const UNLIMITED = 1_000_000;
/** Milliseconds that a newcomer has to register: several of its datagrams may be lost. */
const REGISTRATION_MAX = 10_000;
/** Milliseconds of a measurement. */
const MEASURED = 2_000;
const ROUND_TRIPS = 40;
/** The share of a processor for what is bounded by the second, however many datagrams come. */
const BOUNDED_SHARE = 0.12;
/** Milliseconds by which other load may delay a median. */
const DELAY_SLACK = 40;
const STRANGER = { hostname: "127.9.9.9", port: 9 };

/** What each would cost where a directory believed the source: an answer, a place, or a computation. */
const FORGED: readonly (readonly [string, DatagramType, readonly Frame[], number])[] = [
  ["first Registers", DatagramType.Register, [credentials(0)], 0],
  ["Registers with a bad cookie", DatagramType.Register, [credentials(7)], 288],
  ["Requests", DatagramType.Request, [], 100],
  ["datagrams of no kind", DatagramType.Packet, [], 154],
];

function credentials(fill: number): Frame {
  const [cookie, mac] = [new Uint8Array(16).fill(fill), new Uint8Array(16)];
  return { kind: "credentials", nonce: 1n, cookie, publicKey: new Uint8Array(32).fill(fill), mac };
}

for (const [what, type, frames, sizeMin] of FORGED) {
  Deno.test({
    name: `a newcomer registers under ${RATE} ${what} a second in its address${FORGER.note}`,
    ignore: FORGER.ignore,
    async fn() {
      await using stage = new Stage();
      const server = await stage.serve();
      const from = { hostname: "127.0.0.1", port: freePort() };
      const bytes = encodeDatagram({ type, session: 7, packet: 1 }, frames, sizeMin);
      await using _flood = new Forger({ rate: RATE, to: server.port, from, bytes });
      for (const name of ["ana", "bob"]) {
        const args = ["--json", "--name", name, "--port", `${from.port}`];
        const newcomer = stage.client(name, server, ...args);
        await newcomer.waitForEvent("registered", {}, REGISTRATION_MAX);
        await newcomer.type("leave");
        await newcomer.exitCode(40_000);
      }
    },
  });
}

/** What a flood costs its receiver. */
interface Cost {
  /** Datagrams a second that it was given. */
  readonly received: number;
  /** Its share of a processor. */
  readonly share: number;
}

async function costOf(pid: number, flood: { to: number; bytes: Uint8Array }, rate: number) {
  await using forger = new Forger({ rate, from: STRANGER, ...flood });
  const [time, dropped] = [await processorTime(pid), await droppedDatagrams(flood.to)];
  const start = performance.now();
  // This is no wait for something to happen, but the time over which it is measured.
  await new Promise((resolve) => setTimeout(resolve, MEASURED));
  const elapsed = performance.now() - start;
  const share = (await processorTime(pid) - time) / elapsed;
  const lost = (await droppedDatagrams(flood.to) - dropped) / elapsed * 1_000;
  const received = Math.max(1, await forger.stop() - lost);
  return { received, share } satisfies Cost;
}

/** The median of the milliseconds from a text to its arrival. */
async function delayOf(from: Program, to: Program): Promise<number> {
  const delays: number[] = [];
  for (let count = 0; count < ROUND_TRIPS; count++) {
    const text = crypto.randomUUID();
    const start = performance.now();
    await from.type(text);
    await to.waitForEvent("message", { text });
    delays.push(performance.now() - start);
  }
  return delays.sort((a, b) => a - b)[ROUND_TRIPS / 2]!;
}

/** A process that receives, and does nothing else. */
async function bareReceiver(port: number): Promise<Deno.ChildProcess> {
  const code = `const socket = Deno.listenDatagram({
      transport: "udp", hostname: "127.0.0.1", port: ${port},
    });
    console.log("ready");
    for (const buffer = new Uint8Array(65_489);;) await socket.receive(buffer);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--unstable-net", code],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  await reader.cancel();
  return child;
}

/** A flood that a stranger can send. */
type Recorder = (initiation: Uint8Array) => Uint8Array;

const STRANGERS: readonly (readonly [string, Recorder])[] = [
  ["recorded Initiations", (initiation) => initiation],
  [
    "Initiations of others",
    (initiation) => initiation.with(initiation.length - 1, 1).fill(7, 20, 30),
  ],
  ["Packets of no session", (initiation) => initiation.with(3, DatagramType.Packet).fill(7, 4, 8)],
];

for (const [what, bytesOf] of STRANGERS) {
  Deno.test({
    name: `${what} cost a client little more than Deno's socket, and delay no one${FORGER.note}`,
    ignore: FORGER.ignore,
    async fn() {
      await using stage = new Stage();
      const server = await stage.serve();
      let initiation = new Uint8Array();
      await using relay = new Relay({ hostname: "127.0.0.1", port: server.port }, (datagram) => {
        if (datagram.type === DatagramType.Initiation) initiation = datagram.bytes.slice();
        return "pass";
      });
      await using mirror = relay.mirror();
      const to = freePort();
      const pair = { ana: relay, bob: mirror };
      const [caller, victim] = await connectedPair(stage, pair, { bob: ["--port", `${to}`] });
      const bytes = bytesOf(initiation);
      const bare = { to: freePort(), bytes };
      const receiver = await bareReceiver(bare.to);
      await delayOf(caller, victim);
      const usual = await delayOf(caller, victim);
      try {
        for (const rate of IS_FULL ? [RATE, UNLIMITED] : [RATE]) {
          const least = await costOf(receiver.pid, bare, rate);
          const cost = await costOf(victim.pid, { to, bytes }, rate);
          await using _flood = new Forger({ rate, to, from: STRANGER, bytes });
          const delay = await delayOf(caller, victim);
          const text = `bare ${show(least)}, client ${show(cost)}, ` +
            `delay ${delay.toFixed(1)} ms, usually ${usual.toFixed(1)} ms`;
          console.log(text);
          const expected = least.share * cost.received / least.received;
          assertLess(cost.share, 1.5 * expected + BOUNDED_SHARE, text);
          assertLess(delay, 2 * usual + DELAY_SLACK, text);
        }
      } finally {
        receiver.kill("SIGKILL");
        await receiver.status;
      }
    },
  });
}

function show({ share, received }: Cost): string {
  return `${(100 * share).toFixed(1)} % for ${received.toFixed(0)} a second`;
}
