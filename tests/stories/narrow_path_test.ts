// Paths that carry less than 1200 bytes, and say nothing of what they drop.
import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { RESEND_INTERVAL } from "../../protocol/recovery/timer_policy.ts";
import { DATAGRAM_SIZE_MAX, NARROW_SIZE_MAX } from "../../protocol/wire/frame.ts";
import { type Actor, type Stage, stories, story } from "./stage.ts";

/** The largest UDP payload in bytes: of 576 bytes with IPv6 and with IPv4 headers, and up to the base. */
const LIMITS = [NARROW_SIZE_MAX, 548, 900, DATAGRAM_SIZE_MAX - 1];
/** Texts of one datagram, of a few, and the longest. */
const LENGTHS = [300, 1_100, 5_000, 65_536];
/** Milliseconds in which a text shows as unconfirmed. */
const SOON = 5_000;

/** Narrows the path from one client to another. */
function narrow(stage: Stage, from: Actor, to: Actor, limit: number): void {
  stage.network.script((datagram) => {
    const { bytes } = datagram;
    return datagram.from === from.name && datagram.to === to.name && bytes.length > limit
      ? "drop"
      : undefined;
  });
}

/** Each says something of each length to the other. */
function talk(stage: Stage, ana: Actor, ben: Actor): void {
  for (const length of LENGTHS) {
    const [before, sent] = [stage.now, "é".repeat(length / 2)];
    const [atAna, atBen] = [ana.texts.length, ben.texts.length];
    ana.send(sent);
    ben.send(sent);
    const isDone = () => ana.texts.length > atAna && ben.texts.length > atBen;
    while (!isDone() && stage.now < before + 300_000) stage.wait(100);
    assertEquals(ben.texts.at(-1) === sent && ana.texts.at(-1) === sent, true, `${length} bytes`);
    if (stage.mode === "adaptive" && length < 65_536) assertLess(stage.now - before, SOON);
  }
}

stories("long texts arrive over a path of less than 1200 bytes", LIMITS, (stage, mtu) => {
  stage.set({ mtu });
  const [ana, ben] = stage.pair();
  talk(stage, ana, ben);
  const since = stage.now;
  talk(stage, ana, ben);
  // What is too long was found out by probes, and no text pays for it again.
  const lost = stage.datagrams(undefined, since).filter(({ fate }) => fate === "too long");
  assertEquals(lost.filter((each) => each.frame("message") !== undefined), []);
});

stories("long texts arrive where only one direction is narrow", LIMITS, (stage, limit) => {
  const [ana, ben] = stage.pair();
  narrow(stage, ana, ben, limit);
  talk(stage, ana, ben);
  const large = stage.datagrams(ben).filter(({ bytes }) => bytes.length > NARROW_SIZE_MAX + 500);
  assertEquals(large.length > 0, true, "the other direction is not made small");
});

stories(
  "long texts arrive over a path that becomes narrow while they talk",
  LIMITS,
  (stage, mtu) => {
    const [ana, ben] = stage.pair();
    talk(stage, ana, ben);
    stage.set({ mtu });
    const before = stage.now;
    ana.send("x".repeat(1_100));
    ben.send("x".repeat(1_100));
    ana.send("short");
    const end = before + 60_000;
    while (ben.texts.at(-1) !== "short" && stage.now < end) stage.wait(100);
    assertLess(stage.now - before, stage.mode === "adaptive" ? SOON : 3 * RESEND_INTERVAL + 100);
    stage.wait(60_000);
    talk(stage, ana, ben);
  },
);

stories("long texts arrive where small ones keep passing meanwhile", LIMITS, (stage, mtu) => {
  const [ana, ben] = stage.pair();
  talk(stage, ana, ben);
  stage.set({ mtu });
  ana.send("x".repeat(1_100));
  for (let count = 0; count < 20; count++) {
    ana.send(`${count}`);
    stage.wait(700);
  }
  stage.wait(stage.after(0) * 3);
  assertEquals(ben.texts.at(-1), "19");
});

stories("long texts arrive by way of the directory over a narrow path", LIMITS, (stage, mtu) => {
  const [ana, ben] = stage.clients("ana", "ben") as [Actor, Actor];
  stage.network.script(({ from, to }) =>
    from !== "directory" && to !== "directory" ? "drop" : undefined
  );
  stage.set({ mtu });
  ana.connect(ben.id);
  stage.wait(stage.after(2_000) * 2);
  ben.accept(ana.id);
  stage.wait(stage.after(2_000) * 2);
  assertEquals(ana.view.peer?.isCarried, true);
  for (const text of ["x".repeat(1_100), "y".repeat(5_000)]) {
    ana.send(text);
    ben.send(text);
    stage.wait(stage.after(15_000) * 12);
    assertEquals([ana.texts.at(-1) === text, ben.texts.at(-1) === text], [true, true]);
  }
});

story(
  "a loss on a path that carries all costs no more than a round trip of small datagrams",
  (stage) => {
    const [ana, ben] = stage.pair();
    stage.lose("message");
    ana.send("x".repeat(1_100));
    stage.wait(stage.after(2_000) + 1_000);
    assertEquals(ben.texts.length, 1);
    const since = stage.now;
    ana.send("y".repeat(60_000));
    stage.wait(stage.after(5_000) * 20);
    const sizes = stage.datagrams(ana, since).map(({ bytes }) => bytes.length);
    assertEquals(Math.max(...sizes) > 2 * NARROW_SIZE_MAX, true, `${sizes}`);
  },
);

story("a directory lists its clients over the narrowest path", (stage) => {
  const names = Array.from(
    { length: 60 },
    (_, index) => `client number ${index}`.replaceAll(" ", "-"),
  );
  for (const name of names) {
    stage.client(name);
    stage.wait(200);
  }
  const late = stage.client("late");
  stage.wait(200);
  stage.set({ mtu: NARROW_SIZE_MAX });
  late.list();
  stage.wait(5_000);
  const listings = stage.datagrams().filter((each) => each.frame("listing") !== undefined);
  assertLessOrEqual(Math.max(...listings.map(({ bytes }) => bytes.length)), NARROW_SIZE_MAX);
  assertEquals(late.last("list").clients.length, names.length + 1);
});
