import { assert, assertEquals } from "@std/assert";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { DATAGRAM_SIZE_MAX, DatagramType } from "../../protocol/wire/frame.ts";
import { PROOF_SIZE, Prover } from "../../protocol/crypto/proof.ts";
import { Server } from "../../server/server.ts";
import { fuzz, Tally } from "./runner.ts";
import { drain, ResourceMonitor, runTimeouts } from "./bounds.ts";
import { fuzzDatagram, mutate, ValuePool, weighted } from "./mutate.ts";
import type { Prng } from "../support/random.ts";

const REQUESTS = weighted({
  ...{ register: 6, leaseKeepalive: 4, lookUp: 4, list: 4, leave: 2, proof: 1 },
});
const CLIENTS_MAX = 5;
/** Three limits, with a bucket for each source. */
const BUCKETS_MAX = 3 * 8;

interface Source {
  readonly address: Address;
  readonly pool: ValuePool;
}

/** Sources with a few names and keys, so that they conflict. */
function makeSources(prng: Prng): Source[] {
  const keys = [prng.bytes(32), prng.bytes(32), prng.bytes(32)];
  return Array.from({ length: 8 }, (_, i) => {
    const name = [i % 2 === 0 ? "" : `name${i % 5}`];
    const pool = new ValuePool({ name, publicKey: [keys[i % 3]] });
    pool.add("id", 0);
    const hostname = i < 6 ? `192.0.2.${i}` : `2001:db8:${i}::1`;
    return { address: { hostname, port: 40_000 + i }, pool };
  });
}

function fuzzServer(
  prng: Prng,
  count: number,
  secret: Uint8Array | undefined,
  wrap: (bytes: Uint8Array) => Uint8Array,
): Tally {
  const options = { maxClients: CLIENTS_MAX, lease: 45_000, random: prng.bytes, secret };
  const server = new Server(options);
  const sources = makeSources(prng);
  const tally = new Tally();
  const monitor = new ResourceMonitor();
  const ignore = (): void => drain(server, now, () => {}, (event) => tally.add(event.kind));
  let now = 0;
  for (let i = 0; i < count; i++) {
    now += prng.chance(0.002) ? prng.int(60_000) : prng.int(100);
    runTimeouts(server, now, ignore);
    const { address, pool } = prng.pick(sources);
    const bytes = wrap(fuzzDatagram(prng, pool, [DatagramType.Request], REQUESTS));
    const clients = [...server.table().clients];
    const isStranger = !clients.some((c) => formatAddress(c.address) === formatAddress(address));
    ignore();
    const answers: string[] = [];
    let sent = 0;
    monitor.time(() => {
      server.handleDatagram(now, bytes, address);
      drain(server, now, (answer, to) => {
        assertEquals(to, address);
        answers.push(...pool.learn(answer));
        sent += answer.length;
      }, (event) => tally.add(event.kind));
    });
    for (const kind of answers) tally.add(kind);
    // A registered client has shown that it receives at its address.
    const isProven = !isStranger || answers.includes("registered");
    assert(
      isProven || sent <= bytes.length,
      `${bytes.length} bytes were answered by ${sent}: ${bytes}`,
    );
    assert(server.table().size <= CLIENTS_MAX);
    assert(server.buckets <= BUCKETS_MAX);
  }
  for (const [reason, times] of Object.entries(server.dropped)) {
    assert(times <= 255 * count);
    tally.add(`dropped: ${reason}`);
  }
  monitor.check();
  return tally;
}

Deno.test("Server.handleDatagram() survives any datagrams, within its bounds", () => {
  fuzz("directory", (prng, count) => {
    const tally = fuzzServer(prng, count, undefined, (bytes) => bytes);
    tally.assertReached("joined", "moved", "left", "expired", "table");
    tally.assertReached("challenge", "registered", "refused", "leaseKeepaliveAck", "leaveAck");
    tally.assertReached("found", "inactive", "listing");
  });
});

Deno.test("a private directory survives any datagrams, with valid proofs and without", () => {
  fuzz("privateDirectory", (prng, count) => {
    const secret = prng.bytes(32);
    const prover = new Prover(secret);
    const wrap = (bytes: Uint8Array): Uint8Array => {
      if (bytes.length > DATAGRAM_SIZE_MAX - PROOF_SIZE || prng.chance(0.05)) return bytes;
      const proven = prover.prove(bytes);
      return prng.chance(0.05) ? mutate(prng, proven, 16).slice() : proven;
    };
    const tally = fuzzServer(prng, count, secret, wrap);
    tally.assertReached("joined", "left", "table", "registered", "found", "listing", "proof");
    tally.assertReached("dropped: proof");
  });
});
