// Addresses of the peer that the directory or the peer told: protocol/README.md, "Moving".
import { assert, assertEquals } from "@std/assert";
import {
  CANDIDATE_LIFE,
  CHALLENGE_INTERVAL,
  Path,
  PATH_PATIENCE,
  type PathFrame,
  PRIVATE_TRIES,
  PUNCH_SCHEDULE,
  TOLD_MAX,
  TOLD_PATIENCE,
} from "../../../protocol/session/path.ts";
import { carriedTo } from "../../../protocol/wire/remote.ts";
import { type Address, formatAddress, sameAddress } from "../../../protocol/wire/address.ts";
import type { Frame } from "../../../protocol/wire/frame.ts";
import { Prng } from "../../support/random.ts";

const HOME: Address = { hostname: "192.0.2.1", port: 1 };
const AWAY: Address = { hostname: "192.0.2.2", port: 2 };
const THIRD: Address = { hostname: "192.0.2.3", port: 3 };
const IPV6: Address = { hostname: "2001:db8::4", port: 4 };
const LAN: Address = { hostname: "192.168.1.5", port: 5 };
const OTHER_LAN: Address = { hostname: "10.0.0.6", port: 6 };
const CARRIED: Address = carriedTo(7);
const KEEPALIVE: Frame = { kind: "connectionKeepalive" };
/** The last time at which an address that was told is challenged. */
const LAST_TRY = PUNCH_SCHEDULE.at(-1)!;

/** A path, and what it sends. */
class Way {
  now = 0;
  readonly path: Path;
  /** The nonces of the last challenges, by where they went. */
  readonly nonces = new Map<string, bigint>();
  #packet = 0;

  constructor(address: Address) {
    this.path = new Path(address, new Prng(1).bytes);
  }

  tell(addresses: readonly Address[], own: readonly Address[] = [], patience = 0): void {
    this.path.tell(this.now, addresses, own, patience);
  }

  /** The newest packet of the peer. */
  hear(from: Address, frames: readonly Frame[] = [KEEPALIVE]): void {
    const packet = ++this.#packet;
    this.path.handlePacket(this.now, { size: 100, packet, frames, isNewest: true, from }, 0);
  }

  /** What is to be sent. */
  due(): PathFrame[] {
    const all: PathFrame[] = [];
    for (let next = this.path.pollFrame(); next !== undefined; next = this.path.pollFrame()) {
      all.push(next);
      const { frame, to } = next;
      if (frame.kind === "pathChallenge") this.nonces.set(formatAddress(to), frame.nonce);
    }
    return all;
  }

  /** Lets the time go on to an instant; returns when something was sent, and where it went. */
  runTo(until: number): [number, Address][] {
    const sent = this.due().map(({ to }): [number, Address] => [this.now, to]);
    for (;;) {
      const next = this.path.nextTimeout();
      if (next === undefined || next > until) break;
      assert(next >= this.now, `a timeout at ${next} after ${this.now}`);
      this.now = next;
      this.path.handleTimeout(next);
      for (const { to } of this.due()) sent.push([next, to]);
    }
    this.now = until;
    return sent;
  }

  /** The peer answers the last challenge to an address. */
  answer(address: Address): void {
    this.due();
    const nonce = this.nonces.get(formatAddress(address));
    assert(nonce !== undefined, `${formatAddress(address)} was not challenged`);
    this.path.handleResponse(this.now, { kind: "pathResponse", nonce }, address);
  }

  /** When datagrams went to an address, until nothing is left to do. */
  timesOf(address: Address, until = 60_000): number[] {
    return this.runTo(until).filter(([, to]) => sameAddress(to, address)).map(([at]) => at);
  }
}

Deno.test("a told address is challenged by the schedule, each time with the same nonce", () => {
  const way = new Way(HOME);
  way.tell([AWAY]);
  way.due();
  const nonce = way.nonces.get(formatAddress(AWAY));
  assertEquals(way.timesOf(AWAY), PUNCH_SCHEDULE.slice(1));
  assertEquals(way.nonces.get(formatAddress(AWAY)), nonce);
  assertEquals(PUNCH_SCHEDULE, [0, 50, 150, 350, 750, 1_550]);
});

Deno.test("a told address of a private range is challenged twice: it may belong to another host", () => {
  assertEquals(PRIVATE_TRIES, 2);
  const way = new Way(HOME);
  way.tell([LAN, OTHER_LAN, { hostname: "fd00::1", port: 8 }, IPV6]);
  const sent = way.runTo(60_000).map(([at, { port }]) => `${port} at ${at}`);
  for (const port of [LAN.port, OTHER_LAN.port, 8]) {
    const times = sent.filter((each) => each.startsWith(`${port} `));
    assertEquals(times, [`${port} at 0`, `${port} at 50`]);
  }
  assertEquals(sent.filter((each) => each.startsWith("4 ")).length, PUNCH_SCHEDULE.length);
});

Deno.test("a told address that answered is challenged no more", () => {
  const way = new Way(HOME);
  way.tell([CARRIED]);
  way.runTo(50);
  way.answer(CARRIED);
  assertEquals(way.timesOf(CARRIED), []);
});

Deno.test("a told address of a better kind takes over as soon as it answers", () => {
  const better: readonly (readonly [from: Address, to: Address])[] = [
    [CARRIED, AWAY],
    [CARRIED, IPV6],
    [CARRIED, LAN],
    [AWAY, IPV6],
    [AWAY, LAN],
    [IPV6, LAN],
  ];
  for (const [from, to] of better) {
    const way = new Way(from);
    way.tell([from, to], [], 5_000);
    way.now = 20;
    way.answer(to);
    assertEquals(way.path.address, to);
    // The one in use before answers as well, later.
    way.answer(from);
    way.runTo(60_000);
    assertEquals([way.path.address, way.path.nextTimeout()], [to, undefined]);
  }
});

Deno.test("a told address of a worse kind, or of the same, does not take over from one that answers", () => {
  const worse: readonly (readonly [from: Address, to: Address])[] = [
    [HOME, AWAY],
    [HOME, CARRIED],
    [IPV6, HOME],
    [IPV6, { ...IPV6, port: 9 }],
    [LAN, OTHER_LAN],
    [LAN, IPV6],
  ];
  for (const [from, to] of worse) {
    const way = new Way(from);
    way.tell([from, to]);
    way.answer(to);
    way.now = 20;
    way.answer(from);
    way.runTo(60_000);
    assertEquals([way.path.address, way.path.nextTimeout()], [from, undefined]);
  }
});

Deno.test("a told address of the same kind takes over at once where the one in use was not told", () => {
  const way = new Way(THIRD);
  way.tell([AWAY], [], 5_000);
  way.answer(AWAY);
  assertEquals(way.path.address, AWAY);
  // Not one of a worse kind: somebody between the two is better than nothing.
  const worse = new Way(THIRD);
  worse.tell([CARRIED], [], 5_000);
  worse.answer(CARRIED);
  assertEquals(worse.path.address, THIRD);
});

Deno.test("where the address in use is silent the best told one that answered takes over", () => {
  for (const order of [[CARRIED, AWAY], [AWAY, CARRIED]]) {
    const way = new Way(HOME);
    way.tell([HOME, AWAY, CARRIED]);
    for (const each of order) way.answer(each);
    way.runTo(PATH_PATIENCE - 1);
    assertEquals(way.path.address, HOME);
    way.runTo(PATH_PATIENCE);
    assertEquals(way.path.address, AWAY);
  }
});

Deno.test("the directory carries where the address in use is silent, and the others are", () => {
  const way = new Way(HOME);
  way.tell([HOME, AWAY, CARRIED]);
  way.now = 40;
  way.answer(CARRIED);
  way.runTo(60_000);
  assertEquals([way.path.address, way.path.nextTimeout()], [CARRIED, undefined]);
});

Deno.test("a told address that answers late still takes over from what carries meanwhile", () => {
  const way = new Way(HOME);
  way.tell([HOME, AWAY, CARRIED]);
  way.answer(CARRIED);
  way.runTo(PATH_PATIENCE);
  assertEquals(way.path.address, CARRIED);
  way.runTo(LAST_TRY + TOLD_PATIENCE - 1);
  way.answer(AWAY);
  assertEquals(way.path.address, AWAY);
});

Deno.test("what was told is given up 1 s after the last challenge, and the round ends", () => {
  for (const isHome of [true, false]) {
    const way = new Way(HOME);
    way.tell([AWAY]);
    if (isHome) way.answer(HOME);
    way.runTo(LAST_TRY + TOLD_PATIENCE - 1);
    assert(way.path.nextTimeout() !== undefined);
    way.runTo(LAST_TRY + TOLD_PATIENCE);
    assertEquals([way.path.address, way.path.nextTimeout()], [HOME, undefined]);
    way.answer(AWAY);
    way.runTo(60_000);
    assertEquals(way.path.address, HOME, "it is too late");
  }
});

Deno.test("told addresses are asked beside the one in use, each second until either answers", () => {
  const way = new Way(HOME);
  way.tell([AWAY]);
  assertEquals(way.timesOf(HOME, 2_500), [0, CHALLENGE_INTERVAL, 2 * CHALLENGE_INTERVAL]);
  const answered = new Way(HOME);
  answered.tell([AWAY]);
  answered.answer(HOME);
  assertEquals(answered.timesOf(HOME), []);
});

Deno.test("what is told again is challenged anew, and what is known already leads to nothing", () => {
  const way = new Way(HOME);
  way.tell([HOME]);
  assertEquals([way.due(), way.path.nextTimeout()], [[], undefined]);
  way.tell([AWAY]);
  way.runTo(1_000);
  way.tell([AWAY]);
  assertEquals(way.timesOf(AWAY), PUNCH_SCHEDULE.map((ms) => 1_000 + ms));
});

Deno.test("12 told addresses are considered together: of more, the first is given up", () => {
  assertEquals(TOLD_MAX, 12);
  const way = new Way(CARRIED);
  const list = (first: number, count: number): Address[] =>
    Array.from({ length: count }, (_, i) => ({ hostname: `198.51.100.${first + i}`, port: 9 }));
  way.tell(list(0, 1_000));
  const hosts = new Set(way.runTo(60_000).map(([, { hostname }]) => hostname));
  hosts.delete(CARRIED.hostname);
  assertEquals([...hosts], list(0, TOLD_MAX).map(({ hostname }) => hostname));
  const twice = new Way(CARRIED);
  twice.tell(list(0, 10));
  twice.due();
  twice.tell(list(100, 5));
  twice.due();
  const later = new Set(twice.runTo(50).map(([, { hostname }]) => hostname));
  const expected = [...list(3, 7), ...list(100, 5)].map(({ hostname }) => hostname);
  assertEquals([...later], expected);
});

Deno.test("an address that a packet comes from counts as told where its host was told", () => {
  // The NAT of the peer gives it another port for this end than for the directory.
  const mapped: Address = { ...AWAY, port: 4_711 };
  const way = new Way(CARRIED);
  way.tell([AWAY], [], 5_000);
  way.hear(mapped);
  way.answer(mapped);
  assertEquals(way.path.address, mapped);
  const stranger = new Way(CARRIED);
  stranger.tell([AWAY], [], 5_000);
  stranger.hear(THIRD);
  stranger.answer(THIRD);
  assertEquals(stranger.path.address, CARRIED, "it has to wait");
});

Deno.test("an address that packets only came from has to wait, though of a better kind than a silent one", () => {
  const way = new Way(HOME);
  way.hear(IPV6);
  way.answer(IPV6);
  way.runTo(PATH_PATIENCE - 1);
  assertEquals(way.path.address, HOME);
  way.runTo(PATH_PATIENCE);
  assertEquals(way.path.address, IPV6);
  // It never takes over from one that answers.
  const alive = new Way(CARRIED);
  alive.tell([AWAY]);
  alive.hear(LAN);
  alive.answer(CARRIED);
  alive.answer(LAN);
  alive.runTo(60_000);
  assertEquals(alive.path.address, CARRIED);
});

Deno.test("after a change to a better address a packet from the one before moves nothing at once", () => {
  const way = new Way(CARRIED);
  way.tell([AWAY]);
  way.answer(AWAY);
  assertEquals(way.path.address, AWAY);
  way.hear(CARRIED);
  assertEquals(way.path.address, AWAY);
});

Deno.test("after a return the address in use is challenged, and a told one can take over again", () => {
  const way = new Way(HOME);
  way.hear(AWAY);
  way.answer(AWAY);
  way.runTo(PATH_PATIENCE);
  assertEquals(way.path.address, AWAY);
  way.hear(HOME);
  assertEquals(way.path.address, HOME);
  way.tell([AWAY, HOME]);
  const due = way.due().map(({ to }) => to);
  assertEquals(due.filter((to) => sameAddress(to, HOME)).length, 1);
  way.answer(AWAY);
  way.runTo(way.now + PATH_PATIENCE);
  assertEquals(way.path.address, AWAY, "the old one is silent");
  // Nobody ever answered there: there is no way back without a challenge.
  way.hear(HOME);
  assertEquals(way.path.address, AWAY);
});

Deno.test("this end's own addresses go to the one in use each second, until it answers or 10 s passed", () => {
  const telling = (way: Way, until: number): number[] => {
    const times: number[] = [];
    while (way.now <= until) {
      for (const { frame, to } of way.due()) {
        if (frame.kind !== "candidates") continue;
        assertEquals([to, frame.addresses], [HOME, [LAN, OTHER_LAN]]);
        times.push(way.now);
      }
      const next = way.path.nextTimeout();
      if (next === undefined) break;
      way.now = next;
      way.path.handleTimeout(next);
    }
    return times;
  };
  const silent = new Way(HOME);
  silent.tell([], [LAN, OTHER_LAN]);
  const seconds = Array.from({ length: CANDIDATE_LIFE / CHALLENGE_INTERVAL }, (_, i) => 1_000 * i);
  assertEquals(telling(silent, 60_000), seconds);
  assertEquals(silent.path.nextTimeout(), undefined);
  const heard = new Way(HOME);
  heard.tell([], [LAN, OTHER_LAN]);
  heard.due();
  heard.answer(HOME);
  assertEquals(telling(heard, 60_000), []);
});

Deno.test("a peer that named its addresses is no reason to look for another one: that is a probe", () => {
  const way = new Way(HOME);
  way.hear(AWAY, [{ kind: "candidates", addresses: [LAN] }]);
  assertEquals([way.due(), way.path.nextTimeout()], [[], undefined]);
});

Deno.test("after a change to a better address nothing leads back at once to where the peer moved from", () => {
  const way = new Way(HOME);
  way.hear(AWAY);
  way.answer(AWAY);
  way.runTo(PATH_PATIENCE);
  assertEquals(way.path.address, AWAY);
  way.tell([AWAY, LAN]);
  way.answer(LAN);
  assertEquals(way.path.address, LAN);
  way.hear(HOME);
  assertEquals(way.path.address, LAN);
});

Deno.test("the address in use is asked at once when something is told, though it was asked just now", () => {
  const way = new Way(HOME);
  way.tell([AWAY]);
  way.runTo(400);
  way.tell([THIRD]);
  assertEquals(way.timesOf(HOME, 1_399), [400]);
});

Deno.test("of two of one kind the told one takes over from a silent one, whichever answered last", () => {
  for (const order of [[AWAY, THIRD], [THIRD, AWAY]]) {
    const way = new Way(HOME);
    way.tell([HOME, AWAY]);
    way.hear(THIRD);
    for (const each of order) way.answer(each);
    way.runTo(PATH_PATIENCE);
    assertEquals(way.path.address, AWAY);
  }
});
