// A directory under attack, on virtual time and on real sockets, with ten honest clients.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { clock, type Drive, drive, openSocket, systemRandom } from "../../protocol/udp.ts";
import { REGISTRATIONS_PER_SOURCE } from "../../server/limits.ts";
import { SOURCES_MAX } from "../../server/rate_limit.ts";
import { newServer } from "../support/new_server.ts";
import { ScriptedClient } from "../support/scripted_client.ts";
import { Prng, seedFromEnv, withSeed } from "../support/random.ts";
import { formatCount, IS_FULL, scaled } from "../support/scale.ts";
import { client, FakeClient, identityOf, LEASE, Stage, ZERO } from "../support/server_stage.ts";

const HONEST = 10;
/** Forged registrations on virtual time, for four seconds; in a full run more than get answers. */
const FORGED_PER_MS = IS_FULL ? 110 : 1;
const FORGED = 4000 * FORGED_PER_MS;
/** Forged registrations on real sockets; at least as many as arrive while the clients talk. */
const FORGED_ON_SOCKETS = scaled(200_000, 2_000);
/** When the honest clients start, in the middle of the attack. */
const START = 1500;
const SERVER: Address = { hostname: "127.0.0.1", port: 7070 };
/** Sources at which the attacker receives, so that it gets cookies. */
const BOTS = IS_FULL ? 10 : 1;
/** Milliseconds between two registrations that the bots try: more than the limits allow. */
const BOT_INTERVAL = IS_FULL ? 1 : 10;

/** Bytes of a Register with sealed frames. */
const REGISTER_SIZE = 288;
const ZERO_KEY = new Uint8Array(32);

/** Sockets that send one each in a burst, and milliseconds between two bursts. */
const SOCKETS = IS_FULL ? 100 : 10;
const PAUSE = 5;

/** Collects garbage, so that only reachable memory is measured; Deno 2.4 cannot. */
const collect: (() => void) | undefined = (() => {
  setFlagsFromString("--expose-gc");
  return runInNewContext("typeof gc === 'function' ? gc : undefined");
})();

/** Memory in use before, during and after an attack. */
class Memory {
  readonly #lines: string[] = [];
  readonly #heaps: number[] = [];

  measure(when: string): void {
    collect?.();
    const { rss, heapUsed } = Deno.memoryUsage();
    const [all, heap] = [rss, heapUsed].map((bytes) => (bytes / 2 ** 20).toFixed(1).padStart(6));
    this.#lines.push(`${when.padEnd(6)}  process ${all} MiB, heap ${heap} MiB`);
    this.#heaps.push(heapUsed);
  }

  /** Prints the measurements; fails if the heap grew by more than the limit. */
  report(growthMax: number, ...more: string[]): void {
    console.log([...this.#lines, ...more].join("\n"));
    const growth = (this.#heaps.at(-1)! - this.#heaps[0]!) / 2 ** 20;
    if (collect !== undefined) assertLessOrEqual(growth, growthMax, "MiB");
  }
}

/** MiB by which the heap may grow: full tables of buckets take less. */
const GROWTH_MAX = 32;

/** A forged source address. */
function forgedAddress(prng: Prng): Address {
  const hostname = [127, 1 + prng.int(255), prng.int(256), prng.int(256)].join(".");
  return { hostname, port: 1 + prng.int(65_535) };
}

/** A Register without a cookie, or with one and sealed frames that are made up. */
function forgedRegister(prng: Prng): Uint8Array {
  const header = { type: DatagramType.Register, session: 0, packet: prng.int(3) };
  const isFirst = prng.chance(0.6);
  const [cookie, publicKey] = [ZERO, ZERO_KEY].map((zero) =>
    isFirst ? zero : prng.bytes(zero.length)
  );
  const nonce = prng.u64();
  return encodeDatagram(
    header,
    [{ kind: "credentials", nonce, cookie: cookie!, publicKey: publicKey!, mac: ZERO }],
    isFirst ? 0 : REGISTER_SIZE,
  );
}

/** A Request for a real client id, sealed under no key that the directory has. */
function forgedRequest(prng: Prng): Uint8Array {
  const header = {
    type: DatagramType.Request,
    session: 1 + prng.int(HONEST),
    packet: prng.int(99),
  };
  const sealed = prng.bytes(prng.pick([19, 27, 40]));
  return Uint8Array.of(...encodeDatagram(header, []), ...sealed);
}

/** The honest clients and their directory, on virtual time. */
class Siege extends Stage {
  readonly start = this.now;
  clients: ScriptedClient[] = [];

  /** Starts the honest clients. */
  startHonest(prng: Prng): void {
    this.clients = Array.from({ length: HONEST }, (_, n) => {
      return new ScriptedClient(this.now, n, SERVER, client(n).port, prng.bytes);
    });
  }

  /** Runs their timers, and delivers their datagrams to the directory and to each other. */
  step(): void {
    const isComplete = this.clients.every(({ isRegistered }) => isRegistered);
    for (const honest of this.clients) {
      if (isComplete) honest.act(this.now);
      if ((honest.nextTimeout() ?? Infinity) <= this.now) honest.handleTimeout(this.now);
      for (let next = honest.pollTransmit(this.now); next; next = honest.pollTransmit(this.now)) {
        const from = client(honest.number);
        const other = this.clients.find(({ number }) => sameAddress(client(number), next!.to));
        other?.handleDatagram(this.now, next.bytes.slice(), from);
        if (other !== undefined) continue;
        // A Call has two answers: one goes to the client that is called.
        for (const { bytes, to } of this.give(next.bytes, from)) {
          const receiver = this.clients.find(({ number }) => sameAddress(client(number), to));
          assert(receiver !== undefined);
          receiver.handleDatagram(this.now, bytes, SERVER);
        }
      }
      while (honest.pollEvent() !== undefined);
    }
    // Events are polled, as the process does.
    while (this.server.pollEvent() !== undefined);
  }

  /** A bot registers one more client, if the limits allow it. */
  registerBot(n: number): boolean {
    const address = { hostname: `127.0.1.${n % BOTS}`, port: 1024 + Math.floor(n / BOTS) };
    const bot = new FakeClient(this, n, { address, identity: identityOf(0) });
    const [answer] = this.deliver(bot.firstBytes(), address);
    const challenge = answer && bot.open(answer, bot.firstBytes());
    if (challenge?.kind !== "challenge") return false;
    bot.agree(challenge);
    return bot.send(bot.registerBytes()) !== undefined;
  }
}

/** Each talked twice with the owner of the right key, received everything, and left properly. */
function assertServed(clients: readonly ScriptedClient[]): void {
  for (const { number, results, hasLeft } of clients) {
    const other = clients[number ^ 1]!;
    assertEquals(
      results,
      ScriptedClient.expectedResults(number, other.publicKey),
      `honest${number}`,
    );
    assertEquals(hasLeft, true, `honest${number}`);
  }
}

Deno.test(`Server under ${formatCount(FORGED)} forged registrations serves ten clients that talk, and does not grow`, () => {
  withSeed(seedFromEnv(), (prng) => {
    const memory = new Memory();
    memory.measure("before");
    const siege = new Siege();
    const { server } = siege;
    let [forged, tried, botted, bucketsMax, sizeMax] = [0, 0, 0, 0, 0];
    while (forged < FORGED) {
      siege.now++;
      // The honest clients start in the middle, whatever is allowed at that instant.
      const turn = prng.int(FORGED_PER_MS);
      for (let i = 0; i < FORGED_PER_MS; i++, forged++) {
        if (i === turn) {
          siege.step();
          if (siege.now % BOT_INTERVAL === 0 && siege.registerBot(tried++)) botted++;
        }
        const bytes = forgedRegister(prng);
        const answers = siege.deliver(bytes, forgedAddress(prng));
        for (const answer of answers) assertLessOrEqual(answer.length, bytes.length);
      }
      for (let i = 0; i < 3; i++) {
        const from = prng.chance(0.1) ? client(prng.int(HONEST)) : forgedAddress(prng);
        siege.deliver(forgedRequest(prng), from);
      }
      if (siege.now === siege.start + START) siege.startHonest(prng);
      bucketsMax = Math.max(bucketsMax, server.buckets);
      sizeMax = Math.max(sizeMax, server.table().size);
      if (forged === FORGED / 2) memory.measure("during");
    }
    memory.measure("after");
    const tables = `at most ${bucketsMax} buckets, ${sizeMax} entries (${botted} of bots)`;
    memory.report(GROWTH_MAX, tables, JSON.stringify(server.dropped));

    const { clients } = siege;
    assertEquals(clients.length, HONEST);
    assertServed(clients);
    // Only the bots, which receive at their addresses, registered, no faster than the limit.
    const seconds = FORGED / FORGED_PER_MS / 1000;
    const most = BOTS *
      (REGISTRATIONS_PER_SOURCE.burst + seconds * REGISTRATIONS_PER_SOURCE.perSecond);
    assertLessOrEqual(botted, most);
    assertLessOrEqual(sizeMax, botted + HONEST);
    assertLessOrEqual(bucketsMax, 3 * SOURCES_MAX);
    assert(server.dropped.registrations! > 0);
    if (IS_FULL) assert(server.dropped.strangers! > 0);
    siege.now += LEASE;
    while ((server.nextTimeout() ?? Infinity) <= siege.now) server.handleTimeout(siege.now);
    assertEquals(server.table().size, 0);
  });
});

const FORGERY = Deno.build.os === "linux"
  ? { ignore: false, note: "" }
  : { ignore: true, note: " (skipped: only Linux has all of 127.0.0.0/8 on loopback)" };

Deno.test({
  name: `Server on a socket serves ten clients that talk under ${
    formatCount(FORGED_ON_SOCKETS)
  } registrations${FORGERY.note}`,
  ignore: FORGERY.ignore,
  async fn() {
    const prng = new Prng(seedFromEnv());
    const start = clock();
    const memory = new Memory();
    memory.measure("before");
    const identity = makeKeyPair(systemRandom);
    const server = newServer({ maxClients: 10_000, lease: LEASE, identity, random: systemRandom });
    const socket = openSocket("127.0.0.1", 0);
    const to = socket.addr as Deno.NetAddr;
    const directory = drive(server, socket, () => {});
    const sockets = Array.from({ length: SOCKETS }, (_, n) => openSocket(`127.${1 + n}.7.${n}`, 0));
    let sent = 0;
    let isOver = false;
    const attack = (async () => {
      for (; sent < FORGED_ON_SOCKETS || !isOver; sent += sockets.length) {
        await Promise.all(sockets.map((each) => each.send(forgedRegister(prng), to)));
        // All of this is one process: datagrams that arrive faster than it reads are lost.
        await pause(PAUSE);
      }
    })();
    const honest: { machine: ScriptedClient; driven: Drive }[] = [];
    const clients = (): ScriptedClient[] => honest.map(({ machine }) => machine);
    try {
      await until(() => sent >= FORGED_ON_SOCKETS / 10);
      for (let n = 0; n < HONEST; n++) {
        const own = openSocket("127.0.0.1", 0);
        const { port } = own.addr as Deno.NetAddr;
        const machine = new ScriptedClient(clock(), n, to, port, systemRandom);
        honest.push({ machine, driven: drive(machine, own, () => {}) });
      }
      await until(() => clients().every(({ isRegistered }) => isRegistered));
      memory.measure("during");
      await until(() => {
        for (const { machine, driven } of honest) driven.input((now) => machine.act(now));
        return clients().every(({ hasLeft }) => hasLeft !== undefined);
      });
    } finally {
      isOver = true;
      await attack;
      for (const each of sockets) each.close();
      for (const { driven } of honest) await driven.close();
      await directory.close();
    }
    memory.measure("after");
    const rate = Math.round(sent / (clock() - start) * 1000);
    const flood = `sent ${sent}, ${rate} a second, dropped ${JSON.stringify(server.dropped)}`;
    memory.report(GROWTH_MAX, flood);
    assertServed(clients());
    assertEquals(server.table().size, 0);
    assertLessOrEqual(server.buckets, 3 * SOURCES_MAX);
  },
});

/** Waits until the condition holds. */
async function until(isSo: () => boolean): Promise<void> {
  for (const end = clock() + 40_000; !isSo();) {
    assert(clock() < end, "the honest clients wait too long");
    await pause(20);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
