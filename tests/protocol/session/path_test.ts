// Where the peer is, and how it moves: protocol/README.md, "Moving".
import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import type { Frame } from "../../../protocol/wire/frame.ts";
import { AMPLIFICATION_MAX } from "../../../protocol/session/candidate.ts";
import {
  CANDIDATE_LIFE,
  CANDIDATES_MAX,
  CHALLENGE_INTERVAL,
  Path,
  PATH_FRAMES_MAX,
  PATH_PATIENCE,
  type PathFrame,
  PUNCH_SCHEDULE,
  RETURN_LIMIT,
} from "../../../protocol/session/path.ts";
import { carriedTo } from "../../../protocol/wire/remote.ts";
import { Prng } from "../../support/random.ts";

const HOME: Address = { hostname: "192.0.2.1", port: 1 };
const AWAY: Address = { hostname: "192.0.2.2", port: 2 };
const THIRD: Address = { hostname: "192.0.2.3", port: 3 };
const KEEPALIVE: Frame = { kind: "connectionKeepalive" };

/** Bytes of a packet with a Path Challenge or a Path Response. */
const FRAME_PACKET_SIZE = 16 + 3 + 8 + 16;

/** A path and its packets. */
class Way {
  path: Path;
  readonly #prng = new Prng(1);
  #packet = 0;
  #size = 0;

  constructor() {
    this.path = new Path(HOME, this.#prng.bytes);
  }

  /** The newest packet. */
  newest(from: Address, { now = 0, size = 100, patience = 0, frames = [KEEPALIVE] } = {}): void {
    const packet = ++this.#packet;
    this.#size = size;
    this.path.handlePacket(now, { size, packet, frames, isNewest: true, from }, patience);
  }

  /** The same packet once more. */
  copy(from: Address, now = 0, packet = this.#packet): void {
    if (this.path.mayBeCopy(now, packet, from)) this.path.handleCopy(now, this.#size, from, 0);
  }

  due(): PathFrame[] {
    const all: PathFrame[] = [];
    for (let next = this.path.pollFrame(); next !== undefined; next = this.path.pollFrame()) {
      all.push(next);
    }
    return all;
  }

  /** The nonces of the challenges that are due, by the ports that they go to. */
  challenges(): Record<number, bigint> {
    return Object.fromEntries(
      this.due().map(({ frame, to }) => {
        assert(frame.kind === "pathChallenge");
        return [to.port, frame.nonce];
      }),
    );
  }

  /** Lets the time go on, from timeout to timeout. */
  runTo(now: number): void {
    for (;;) {
      const next = this.path.nextTimeout();
      if (next === undefined || next > now) return;
      this.path.handleTimeout(next);
    }
  }

  /** A challenge of the peer. */
  challenge(now: number, nonce: bigint, from: Address): void {
    this.path.handleChallenge(now, { kind: "pathChallenge", nonce }, from, 2000);
  }

  answer(now: number, nonce: bigint | undefined, from = HOME): void {
    assert(nonce !== undefined);
    this.path.handleResponse(now, { kind: "pathResponse", nonce }, from);
  }
}

Deno.test("Path challenges both addresses when the newest packet comes from another one", () => {
  const way = new Way();
  way.newest(HOME);
  assertEquals(way.due(), []);
  way.newest(AWAY);
  const { 1: ofHome, 2: ofAway } = way.challenges();
  assertNotEquals(ofHome, ofAway);
  assertEquals([way.path.address, way.path.nextTimeout()], [HOME, CHALLENGE_INTERVAL]);
});

Deno.test("Path makes other nonces in each round", () => {
  const way = new Way();
  const nonces = new Set<bigint | undefined>();
  for (let round = 0; round < 3; round++) {
    const now = round * 1000;
    way.newest(AWAY, { now });
    const { 1: ofHome, 2: ofAway } = way.challenges();
    nonces.add(ofHome).add(ofAway);
    way.answer(now + 10, ofHome);
    way.path.handleTimeout(now + PATH_PATIENCE);
  }
  assertEquals(nonces.size, 6);
});

Deno.test("Path challenges both addresses again each second, by its timer", () => {
  const way = new Way();
  way.newest(AWAY, { size: 1200 });
  const first = way.challenges();
  for (let second = 1; second < CANDIDATE_LIFE / CHALLENGE_INTERVAL; second++) {
    const now = second * CHALLENGE_INTERVAL;
    way.path.handleTimeout(now - 1);
    assertEquals(way.due(), []);
    way.path.handleTimeout(now);
    assertEquals(way.challenges(), first, "the same nonces");
    assertEquals(way.path.nextTimeout(), now + CHALLENGE_INTERVAL);
  }
});

Deno.test("Path challenges an address that answered no more, nor any where the old one did", () => {
  for (const port of [1, 2]) {
    const way = new Way();
    way.newest(AWAY, { size: 1200, patience: 5000 });
    way.answer(10, way.challenges()[port]);
    way.runTo(4999);
    way.newest(AWAY, { now: 4999, size: 1200 });
    assertEquals(way.due(), []);
  }
});

Deno.test("Path gives up an address without a packet for 10 s, and then the round", () => {
  const way = new Way();
  way.newest(AWAY, { size: 1200 });
  const { 2: nonce } = way.challenges();
  way.newest(THIRD, { now: 3000 });
  way.runTo(CANDIDATE_LIFE - 1);
  way.newest(THIRD, { now: CANDIDATE_LIFE - 1 });
  way.due();
  way.runTo(CANDIDATE_LIFE);
  assert(way.path.nextTimeout() !== undefined, "one is left");
  way.due();
  way.path.handleTimeout(CANDIDATE_LIFE + CHALLENGE_INTERVAL);
  assertEquals(Object.keys(way.challenges()), ["1", "3"]);
  way.runTo(2 * CANDIDATE_LIFE - 1);
  assertEquals(way.path.nextTimeout(), undefined);
  way.due();
  way.answer(2 * CANDIDATE_LIFE, nonce, AWAY);
  way.runTo(1e6);
  assertEquals([way.path.address, way.due()], [HOME, []]);
});

Deno.test("Path returns at once to where the peer was before, for 60 s from the move", () => {
  for (const [now, isAtOnce] of [[RETURN_LIMIT, true], [RETURN_LIMIT + 1, false]] as const) {
    const way = new Way();
    way.newest(AWAY);
    way.answer(10, way.challenges()[2]);
    way.path.handleTimeout(PATH_PATIENCE);
    assertEquals(way.path.address, AWAY);
    way.newest(HOME, { now: PATH_PATIENCE + now });
    assertEquals(way.path.address, isAtOnce ? HOME : AWAY);
    assertEquals(way.due().length, isAtOnce ? 0 : 2);
  }
});

Deno.test("Path returns for a newest packet only: not for an older one, a copy, or a probe", () => {
  const way = new Way();
  way.newest(AWAY);
  way.answer(10, way.challenges()[2]);
  way.path.handleTimeout(PATH_PATIENCE);
  const now = PATH_PATIENCE + 1;
  way.newest(AWAY, { now });
  const arrival = { size: 100, packet: 1, frames: [KEEPALIVE], isNewest: false, from: HOME };
  way.path.handlePacket(now, arrival, 0);
  way.newest(HOME, { now, frames: [{ kind: "pathResponse", nonce: 1n }] });
  assertEquals(way.path.address, AWAY);
});

Deno.test("Path looks at no older packet from another address, and at no probe", () => {
  const way = new Way();
  const arrival = { size: 100, packet: 7, frames: [KEEPALIVE], isNewest: false, from: AWAY };
  way.path.handlePacket(0, arrival, 0);
  const probes: Frame[] = [
    { kind: "pathChallenge", nonce: 1n },
    { kind: "pathResponse", nonce: 1n },
  ];
  way.newest(AWAY, { frames: probes });
  way.copy(AWAY, 0, 7);
  way.copy(AWAY);
  assertEquals([way.due(), way.path.nextTimeout()], [[], undefined]);
});

Deno.test("Path moves when the challenge was answered and the old address had its time", () => {
  const way = new Way();
  way.newest(AWAY);
  way.answer(50, way.challenges()[2]);
  assertEquals([way.path.address, way.path.nextTimeout()], [HOME, PATH_PATIENCE]);
  way.path.handleTimeout(PATH_PATIENCE - 1);
  assertEquals(way.path.address, HOME);
  way.path.handleTimeout(PATH_PATIENCE);
  assertEquals([way.path.address, way.path.nextTimeout()], [AWAY, undefined]);
});

Deno.test("Path gives the old address the time that was set, and some after a late answer", () => {
  const way = new Way();
  way.newest(AWAY, { patience: 5000 });
  const { 2: nonce } = way.challenges();
  way.answer(4999, nonce);
  assertEquals(way.path.nextTimeout(), 5000);
  const late = new Way();
  late.newest(AWAY);
  late.answer(7000, late.challenges()[2]);
  assertEquals([late.path.address, late.path.nextTimeout()], [HOME, 7000 + PATH_PATIENCE]);
  late.path.handleTimeout(7000 + PATH_PATIENCE);
  assertEquals(late.path.address, AWAY);
});

Deno.test("Path stays at an address that answers, even if others answer as well", () => {
  const way = new Way();
  way.newest(AWAY);
  const { 1: ofHome, 2: ofAway } = way.challenges();
  way.answer(10, ofAway);
  way.answer(20, ofHome);
  way.path.handleTimeout(PATH_PATIENCE);
  assertEquals([way.path.address, way.path.nextTimeout()], [HOME, undefined]);
  // That was the answer to another challenge.
  way.newest(AWAY, { now: 1000 });
  way.answer(1010, ofAway);
  way.path.handleTimeout(5000);
  assertEquals(way.path.address, HOME);
});

Deno.test("Path believes no nonce but its own", () => {
  const way = new Way();
  way.newest(AWAY);
  const { 2: nonce } = way.challenges();
  way.answer(10, nonce! ^ 1n);
  way.answer(10, 0n);
  way.path.handleTimeout(1000);
  assertEquals(way.path.address, HOME);
});

Deno.test("Path looks at each address that the newest packet comes from: one may be a copier", () => {
  const way = new Way();
  way.newest(THIRD);
  way.copy(AWAY);
  const { 2: nonce } = way.challenges();
  way.answer(50, nonce);
  way.path.handleTimeout(PATH_PATIENCE);
  assertEquals(way.path.address, AWAY);
});

Deno.test("Path does not look at a copy that comes much later, or of an older packet", () => {
  const way = new Way();
  way.newest(HOME);
  way.copy(AWAY, PATH_PATIENCE + 1);
  way.copy(AWAY, 0, 0);
  assertEquals(way.due(), []);
  way.copy(AWAY, PATH_PATIENCE);
  assertEquals(way.due().length, 2);
});

Deno.test("Path challenges again with each packet, within three times what came", () => {
  const way = new Way();
  let [received, sent] = [0, 0];
  for (const bytes of [35, 35, 17, 17, 17, 17, 17, 17, 35, 1200, 35]) {
    received += bytes;
    way.newest(AWAY, { size: bytes });
    sent += FRAME_PACKET_SIZE * way.due().filter(({ to }) => to.port === AWAY.port).length;
    assertLessOrEqual(sent, AMPLIFICATION_MAX * received);
  }
  assert(sent >= 6 * FRAME_PACKET_SIZE);
});

Deno.test("Path sends an address that has not answered three times its bytes at most, answers included", () => {
  const way = new Way();
  let sent = 0;
  const collect = () => {
    sent += FRAME_PACKET_SIZE * way.due().filter(({ to }) => to.port === AWAY.port).length;
  };
  const frames: Frame[] = [KEEPALIVE];
  for (let nonce = 0n; nonce < 3n; nonce++) frames.push({ kind: "pathChallenge", nonce });
  const size = 16 + 3 + 3 * 11 + 16;
  way.newest(AWAY, { size, frames });
  for (const frame of frames) {
    if (frame.kind === "pathChallenge") way.challenge(0, frame.nonce, AWAY);
  }
  collect();
  for (let now = 0; now < CANDIDATE_LIFE; now += CHALLENGE_INTERVAL) {
    way.path.handleTimeout(now);
    collect();
  }
  assert(sent > size);
  assertLessOrEqual(sent, AMPLIFICATION_MAX * size);
});

Deno.test("Path sends the peer's own address a challenge for each one to a candidate, without a limit", () => {
  const way = new Way();
  way.newest(AWAY, { size: 1200 });
  let count = way.due().filter(({ to }) => to.port === HOME.port).length;
  for (let now = CHALLENGE_INTERVAL; now < CANDIDATE_LIFE; now += CHALLENGE_INTERVAL) {
    way.path.handleTimeout(now);
    count += way.due().filter(({ to }) => to.port === HOME.port).length;
  }
  assertEquals(count, CANDIDATE_LIFE / CHALLENGE_INTERVAL);
});

Deno.test("Path takes of several that answered the one that it looked at last", () => {
  for (const order of [[2, 3], [3, 2]]) {
    const way = new Way();
    way.newest(AWAY);
    way.newest(THIRD);
    const nonces = way.challenges();
    for (const port of order) way.answer(10, nonces[port]);
    way.path.handleTimeout(PATH_PATIENCE);
    assertEquals(way.path.address, THIRD);
  }
});

Deno.test("Path looks at a few addresses at a time, and gives the oldest up when it is silent", () => {
  const way = new Way();
  const addresses = Array.from({ length: 20 }, (_, port) => ({ hostname: "x", port: 10 + port }));
  for (const address of addresses) way.newest(address);
  assertLessOrEqual(way.due().length, PATH_FRAMES_MAX);
  way.runTo(1000);
  assertEquals(Object.keys(way.challenges()), ["1", "10", "11", "12", "13"]);
  for (const address of addresses) {
    way.newest(address, { now: 1000 });
    const challenged = Object.keys(way.challenges()).map(Number).filter((port) => port >= 10);
    assertEquals(challenged, [address.port]);
  }
  const [oldest] = addresses.slice(-CANDIDATES_MAX);
  way.newest(oldest!, { now: 1000 });
  way.answer(1000, way.challenges()[oldest!.port]);
  way.path.handleTimeout(1000 + PATH_PATIENCE);
  assertEquals(way.path.address, oldest);
});

Deno.test("Path follows a peer that moved, however many addresses a faster copier has", () => {
  const way = new Way();
  const copiers = Array.from({ length: 50 }, (_, port) => ({ hostname: "x", port: 1000 + port }));
  for (let now = 0; now < 3000; now += 100) {
    way.newest(copiers[now / 100]!, { now });
    for (const copier of copiers) way.copy(copier, now);
    way.due();
    way.copy(AWAY, now);
    const { 2: nonce } = way.challenges();
    for (const copier of copiers) way.copy(copier, now + 1);
    way.due();
    way.path.handleTimeout(now + 50);
    if (nonce !== undefined) way.answer(now + 50, nonce, AWAY);
    for (const copier of copiers) way.copy(copier, now + 51);
    way.due();
  }
  way.path.handleTimeout(3000);
  assertEquals(way.path.address, AWAY);
});

Deno.test("Path takes no answer of one address for that of another", () => {
  const way = new Way();
  way.newest(THIRD);
  const { 3: nonce } = way.challenges();
  const addresses = Array.from({ length: 20 }, (_, port) => ({ hostname: "x", port: 10 + port }));
  for (const address of addresses) way.newest(address, { now: 1000 });
  way.answer(1001, nonce, AWAY);
  way.path.handleTimeout(5000);
  assertEquals(way.path.address, HOME);
  way.answer(5001, nonce, THIRD);
  way.path.handleTimeout(10_000);
  assertEquals(way.path.address, THIRD);
});

Deno.test("Path answers a challenge to where it came from and to the old address, a few at a time", () => {
  const way = new Way();
  way.challenge(0, 7n, HOME);
  way.challenge(0, 8n, THIRD);
  assertEquals(way.due().map(({ frame, to }) => ["nonce" in frame && frame.nonce, to]), [
    [7n, HOME],
    [8n, THIRD],
    [8n, HOME],
  ]);
  for (let nonce = 0n; nonce < 100n; nonce++) {
    way.challenge(0, nonce, THIRD);
  }
  assertLessOrEqual(way.due().length, PATH_FRAMES_MAX);
});

Deno.test("Path tries the way that a peer tries, from another port of a host that was told", () => {
  const way = new Way();
  const carried = carriedTo(7);
  way.path = new Path(carried, new Prng(1).bytes);
  way.path.tell(0, [HOME], [], 2000);
  way.runTo(2000);
  way.due();
  const other = { ...HOME, port: 99 };
  way.challenge(2000, 1n, { ...AWAY, port: 98 });
  assertEquals(way.due().map(({ to }) => to.port), [98, carried.port], "a host that was not told");
  way.challenge(2000, 2n, other);
  const tried = way.due().find(({ frame, to }) => frame.kind === "pathChallenge" && to.port === 99);
  assert(tried?.frame.kind === "pathChallenge");
  way.answer(2050, tried.frame.nonce, other);
  assertEquals(way.path.address, other);
});

Deno.test("Path tells where this end may be until the peer answers, though a better way takes over", () => {
  const way = new Way();
  const lan = { hostname: "192.168.1.20", port: 20 };
  way.path.tell(0, [lan], [{ hostname: "192.168.1.10", port: 10 }], 2000);
  const toldTo = (): number[] =>
    way.due().flatMap(({ frame, to }) => frame.kind === "candidates" ? [to.port] : []);
  const [first] = way.due().filter(({ to }) => to.port === lan.port);
  assert(first?.frame.kind === "pathChallenge");
  way.answer(10, first.frame.nonce, lan);
  assertEquals(way.path.address, lan);
  way.runTo(CHALLENGE_INTERVAL);
  const again = way.due();
  assertEquals(again.map(({ frame: { kind }, to }) => [kind, to.port]), [
    ["pathChallenge", lan.port],
    ["candidates", lan.port],
  ]);
  const [{ frame } = again[0]!] = again;
  assert(frame.kind === "pathChallenge");
  way.answer(CHALLENGE_INTERVAL + 1, frame.nonce, lan);
  way.runTo(2 * CANDIDATE_LIFE);
  assertEquals(toldTo(), []);
});

Deno.test("Path challenges an address that was told by a schedule, until it has answered", () => {
  const way = new Way();
  // Worse than the one in use, so that it stays a candidate.
  const carried = carriedTo(7);
  way.path.tell(0, [carried], [], 2000);
  const nonce = way.challenges()[carried.port]!;
  way.path.handleTimeout(PUNCH_SCHEDULE[1]!);
  assertEquals(way.challenges(), { [carried.port]: nonce });
  way.path.handleResponse(PUNCH_SCHEDULE[1]! + 10, { kind: "pathResponse", nonce }, carried);
  for (const at of PUNCH_SCHEDULE.slice(2)) {
    way.path.handleTimeout(at);
    assertEquals(way.challenges(), {});
  }
});

Deno.test("Path begins another round for a new address, although told ones may still answer", () => {
  const way = new Way();
  way.path.tell(0, [carriedTo(7)], [], 0);
  const nonce = way.challenges()[HOME.port]!;
  way.path.handleResponse(10, { kind: "pathResponse", nonce }, HOME);
  // The peer moves when it has been found where it was, and before the other address is given up.
  const now = PATH_PATIENCE + 1;
  way.path.handleTimeout(now);
  way.newest(AWAY, { now });
  const challenges = way.challenges();
  assertNotEquals(challenges[HOME.port], undefined);
  const answer: Frame = { kind: "pathResponse", nonce: challenges[AWAY.port]! };
  way.path.handleResponse(now + 10, answer, AWAY);
  way.path.handleTimeout(now + PATH_PATIENCE);
  assertEquals(way.path.address, AWAY);
});

Deno.test("Path is done with a round when all that was told has answered or is given up", () => {
  const way = new Way();
  way.path.tell(0, [carriedTo(7)], [], 0);
  const challenges = way.challenges();
  for (const [port, at] of [[HOME.port, 10], [carriedTo(7).port, 1000]] as const) {
    way.path.handleResponse(at, { kind: "pathResponse", nonce: challenges[port]! }, HOME);
    way.path.handleTimeout(at + PATH_PATIENCE);
  }
  assertEquals([way.path.address, way.path.nextTimeout()], [HOME, undefined]);
});
