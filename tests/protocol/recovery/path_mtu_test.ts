import { assertEquals } from "@std/assert";
import {
  BASE_RETRY_TIMER,
  BLACK_HOLE_LOSSES,
  MAX_PROBES,
  PATH_MTU_BASE,
  PATH_MTU_ETHERNET,
  PATH_MTU_JUMBO,
  PATH_MTU_LOOPBACK,
  PATH_MTU_MIN,
  PathMtu,
  pathMtuLimit,
  PMTU_RAISE_TIMER,
  PROBE_TIMER,
} from "../../../protocol/recovery/path_mtu.ts";
import { carriedTo } from "../../../protocol/wire/remote.ts";
import { CARRIED_SIZE_MAX } from "../../../protocol/wire/frame.ts";

/** A path that carries datagrams of up to `limit` bytes, and answers probes in 20 ms. */
class Stage {
  now = 0;
  limit: number;
  readonly mtu: PathMtu;
  readonly probes: number[] = [];
  #nonce = 0n;

  constructor(limit: number, sizeMax: number) {
    this.limit = limit;
    this.mtu = new PathMtu(0, sizeMax);
  }

  /** Plays until `done`, at most to an hour from here. */
  until(done: () => boolean): this {
    const end = this.now + 3_600_000;
    while (!done() && this.now < end) {
      this.now = Math.max(this.now, this.mtu.nextTimeout());
      this.mtu.handleTimeout(this.now);
      const size = this.mtu.pollProbe(this.now);
      if (size === undefined) continue;
      this.probes.push(size);
      this.mtu.onProbeSent(this.now, ++this.#nonce, 100);
      if (size > this.limit) continue;
      this.now += 20;
      this.mtu.handleResponse(this.now, this.#nonce);
    }
    return this;
  }

  complete(): this {
    return this.until(() => this.mtu.state === "complete");
  }
}

/** Loses large datagrams, one every `interval` ms. */
function lose(stage: Stage, losses: number, interval: number): void {
  for (let lost = 0; lost < losses; lost++) {
    stage.now += interval;
    stage.mtu.onLost(stage.now, stage.mtu.size, stage.now - 50, 300);
  }
}

Deno.test("PathMtu finds the common sizes with a probe each", () => {
  const ethernet = new Stage(PATH_MTU_ETHERNET, PATH_MTU_ETHERNET).complete();
  assertEquals(ethernet.mtu.size, 1452);
  assertEquals(ethernet.probes, [1200, 1452]);
  const loopback = new Stage(PATH_MTU_LOOPBACK, PATH_MTU_LOOPBACK).complete();
  assertEquals(loopback.mtu.size, 65_488);
  assertEquals(loopback.probes, [1200, 1452, 8952, 65_488]);
  assertEquals(loopback.now, 80);
});

Deno.test("PathMtu halves what is left where a common size is too large", () => {
  const tunnel = new Stage(1372, PATH_MTU_ETHERNET).complete();
  assertEquals([...new Set(tunnel.probes)], [1200, 1452, 1325, 1388, 1356]);
  assertEquals(tunnel.mtu.size, 1356);
  assertEquals(tunnel.probes.filter((size) => size === 1452).length, MAX_PROBES);
});

Deno.test("PathMtu ends within a 32nd of any limit, and never above it", () => {
  for (let limit = 1200; limit <= 70_000; limit += 97) {
    const stage = new Stage(limit, PATH_MTU_LOOPBACK).complete();
    const best = Math.min(limit, PATH_MTU_LOOPBACK);
    const { size } = stage.mtu;
    assertEquals(size <= best && size > best * 31 / 32, true, `${size} of ${best}`);
    assertEquals(stage.probes.length <= 36, true, `${stage.probes}`);
  }
});

Deno.test("PathMtu tries the limit that it is given", () => {
  const stage = new Stage(2000, 1400).complete();
  assertEquals(stage.probes, [1200, 1400]);
  assertEquals(stage.mtu.size, 1400);
});

Deno.test("PathMtu tries what a directory carries, and then what is smaller, but nothing larger", () => {
  const stage = new Stage(CARRIED_SIZE_MAX, CARRIED_SIZE_MAX);
  assertEquals(stage.mtu.size, CARRIED_SIZE_MAX, "from the first datagram on");
  assertEquals(stage.complete().probes, [CARRIED_SIZE_MAX]);
  const narrow = new Stage(800, CARRIED_SIZE_MAX).complete();
  assertEquals(narrow.mtu.size, 781);
  assertEquals(Math.max(...narrow.probes), CARRIED_SIZE_MAX);
});

Deno.test("PathMtu.restart() goes below the base size where the directory carries, and back", () => {
  const stage = new Stage(1452, PATH_MTU_ETHERNET).complete();
  stage.mtu.restart(stage.now, CARRIED_SIZE_MAX);
  assertEquals(stage.mtu.size, CARRIED_SIZE_MAX);
  stage.complete();
  stage.mtu.restart(stage.now, PATH_MTU_ETHERNET);
  assertEquals([stage.mtu.size, stage.complete().mtu.size], [PATH_MTU_BASE, 1452]);
});

Deno.test("pathMtuLimit() is that of Ethernet, of loopback, or of what a directory carries", () => {
  const limit = (hostname: string) => pathMtuLimit({ hostname, port: 1 });
  for (const hostname of ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"]) {
    assertEquals(limit(hostname), PATH_MTU_LOOPBACK);
  }
  for (const hostname of ["192.0.2.127", "128.0.0.1", "::2", "2001:db8::1", "1.127.0.0"]) {
    assertEquals(limit(hostname), PATH_MTU_ETHERNET);
  }
  assertEquals([pathMtuLimit(carriedTo(7)), CARRIED_SIZE_MAX], [1140, 1140]);
});

Deno.test("PathMtu waits a second for an answer, or longer where the path is slow", () => {
  const mtu = new PathMtu(0);
  assertEquals(mtu.pollProbe(0), 1200);
  mtu.onProbeSent(0, 1n, 100);
  assertEquals(mtu.nextTimeout(), PROBE_TIMER);
  assertEquals(mtu.pollProbe(999), undefined);
  assertEquals(mtu.pollProbe(1000), 1200);
  mtu.onProbeSent(1000, 2n, 1500);
  assertEquals(mtu.nextTimeout(), 2500);
});

Deno.test("PathMtu takes no answer but that to its last probe", () => {
  const mtu = new PathMtu(0);
  mtu.pollProbe(0);
  mtu.onProbeSent(0, 1n, 100);
  mtu.handleResponse(10, 2n);
  assertEquals(mtu.state, "base");
  mtu.handleResponse(20, 1n);
  assertEquals(mtu.state, "searching");
  mtu.handleResponse(30, 1n);
  assertEquals([mtu.size, mtu.state], [1200, "searching"]);
});

Deno.test("PathMtu searches below the base size where that does not get through (RFC 8899, 5.2)", () => {
  for (let limit = PATH_MTU_MIN; limit < PATH_MTU_BASE; limit += 7) {
    const stage = new Stage(limit, PATH_MTU_ETHERNET);
    stage.until(() => stage.probes.length > MAX_PROBES);
    assertEquals(stage.probes, [1200, 1200, 1200, PATH_MTU_MIN]);
    assertEquals([stage.now, stage.mtu.size], [MAX_PROBES * PROBE_TIMER + 20, PATH_MTU_MIN]);
    const { size } = stage.complete().mtu;
    assertEquals(size <= limit && size > limit * 30 / 32, true, `${size} of ${limit}`);
  }
});

Deno.test("PathMtu goes on trying where nothing gets through, from the base size on", () => {
  const stage = new Stage(0, PATH_MTU_ETHERNET);
  stage.until(() => stage.probes.length === 2 * MAX_PROBES);
  assertEquals(stage.probes, [1200, 1200, 1200, PATH_MTU_MIN, PATH_MTU_MIN, PATH_MTU_MIN]);
  stage.until(() => stage.probes.length === 2 * MAX_PROBES + 1);
  assertEquals(stage.now, 2 * MAX_PROBES * PROBE_TIMER + BASE_RETRY_TIMER);
  stage.limit = 1452;
  assertEquals(stage.complete().mtu.size, 1452);
});

Deno.test("PathMtu takes the first loss or timeout for a narrow path, until something as large arrived", () => {
  const start = () => new PathMtu(0);
  const lost = start();
  lost.onLost(50, 1000, 0, 300);
  assertEquals([lost.size, lost.isReduced], [PATH_MTU_MIN, true]);
  const late = start();
  late.onTimeout(50);
  assertEquals([late.size, late.pollProbe(50)], [PATH_MTU_MIN, PATH_MTU_BASE], "and asks at once");
  late.onProbeSent(50, 1n, 100);
  late.handleResponse(90, 1n);
  assertEquals([late.size, late.isReduced], [PATH_MTU_BASE, false]);
  const proven = start();
  proven.onArrived(1000);
  proven.onLost(50, 1000, 0, 300);
  assertEquals(proven.size, PATH_MTU_BASE, "one loss is no black hole");
  const small = start();
  small.onLost(50, PATH_MTU_MIN, 0, 300);
  assertEquals(small.size, PATH_MTU_BASE, "nor is that of a small datagram");
});

Deno.test("PathMtu heeds no loss of what was larger than it sends now", () => {
  const stage = new Stage(700, PATH_MTU_ETHERNET).complete();
  const { size } = stage.mtu;
  for (let count = 0; count < 2 * BLACK_HOLE_LOSSES; count++) {
    stage.mtu.onLost(stage.now + 1_000 * count, 1200, stage.now + 1_000 * count, 300);
  }
  assertEquals([stage.mtu.size, stage.mtu.state], [size, "complete"]);
});

Deno.test("PathMtu searches again after ten minutes", () => {
  const stage = new Stage(1300, PATH_MTU_ETHERNET).complete();
  const { now } = stage;
  stage.limit = 1452;
  stage.until(() => stage.mtu.size === 1452);
  assertEquals(stage.now, now + PMTU_RAISE_TIMER + 20);
});

Deno.test("PathMtu settles below what the system refuses to send, as the loopback of macOS does", () => {
  // net.inet.udp.maxdgram: the send fails, so that the probe gets no answer.
  const stage = new Stage(9216, PATH_MTU_LOOPBACK).complete();
  assertEquals(stage.mtu.size >= PATH_MTU_JUMBO && stage.mtu.size <= 9216, true);
  const refused = stage.probes.filter((size) => size > 9216);
  assertEquals(refused.length, MAX_PROBES * new Set(refused).size, `${refused}`);
  assertEquals(stage.now < 30_000, true, `${stage.now} ms`);
});

Deno.test("PathMtu leaves a black hole: only large datagrams are lost, for long", () => {
  const stage = new Stage(1452, PATH_MTU_ETHERNET).complete();
  stage.limit = 1300;
  lose(stage, BLACK_HOLE_LOSSES - 1, 100);
  stage.mtu.onArrived(200);
  assertEquals(stage.mtu.size, 1452);
  lose(stage, 1, 100);
  assertEquals([stage.mtu.size, stage.mtu.state], [PATH_MTU_MIN, "base"]);
  stage.complete();
  assertEquals(stage.mtu.size, 1293);
});

Deno.test("PathMtu sees a black hole among losses of all sizes", () => {
  const stage = new Stage(1452, PATH_MTU_ETHERNET).complete();
  stage.limit = 1300;
  for (let round = 0; round < BLACK_HOLE_LOSSES; round++) {
    assertEquals(stage.mtu.size, 1452);
    stage.mtu.onLost(stage.now, 600, stage.now, 300);
    stage.mtu.onArrived(1200);
    lose(stage, 1, 100);
  }
  assertEquals(stage.mtu.size, PATH_MTU_MIN);
});

Deno.test("PathMtu does not take congestion for a black hole", () => {
  const stage = new Stage(1452, PATH_MTU_ETHERNET).complete();
  lose(stage, 100, 1);
  assertEquals(stage.mtu.size, 1452);
  for (let round = 0; round < 20; round++) {
    stage.mtu.onArrived(1452);
    lose(stage, BLACK_HOLE_LOSSES - 1, 100);
  }
  assertEquals(stage.mtu.size, 1452);
});

Deno.test("PathMtu goes back to the smallest size after three timeouts in a row", () => {
  const stage = new Stage(1452, PATH_MTU_ETHERNET).complete();
  stage.mtu.onTimeout(stage.now);
  stage.mtu.onTimeout(stage.now);
  stage.mtu.onArrived(50);
  stage.mtu.onTimeout(stage.now);
  stage.mtu.onTimeout(stage.now);
  assertEquals(stage.mtu.size, 1452);
  stage.mtu.onTimeout(stage.now);
  assertEquals([stage.mtu.size, stage.mtu.state], [PATH_MTU_MIN, "base"]);
  assertEquals(stage.complete().mtu.size, 1452);
});

Deno.test("PathMtu.restart() begins with the base size for another address", () => {
  const stage = new Stage(65_488, PATH_MTU_LOOPBACK).complete();
  stage.mtu.restart(stage.now, PATH_MTU_ETHERNET);
  assertEquals([stage.mtu.size, stage.mtu.state], [1200, "base"]);
  assertEquals(stage.complete().mtu.size, 1452);
});
