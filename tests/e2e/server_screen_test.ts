// A directory on a real terminal.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { Registration } from "../../protocol/directory/registration.ts";
import type { RegistrationEvent } from "../../protocol/directory/registration_event.ts";
import type { DatagramMachine } from "../../protocol/machine.ts";
import { clock, type Drive, drive, openSocket, systemRandom } from "../../protocol/udp.ts";
import { commandLine, Stage } from "./process.ts";
import { SIZES } from "./scene.ts";
import { Screen, TMUX } from "./tmux.ts";

const SERVE = commandLine("serve");

/** Clients without a program of their own. */
class Crowd implements AsyncDisposable {
  readonly #drives: Drive[] = [];

  /** Registers so many at once. */
  async join(count: number, port: number): Promise<void> {
    const directoryAddresses = [{ hostname: "127.0.0.1", port }];
    const before = this.#drives.length;
    await Promise.all(Array.from({ length: count }, (_, index) => {
      const socket = openSocket("127.0.0.1", 0);
      const { promise, resolve } = Promise.withResolvers<void>();
      const machine = new Registration(clock(), {
        directoryAddresses,
        id: 0,
        name: `guest${before + index}`,
        port: (socket.addr as Deno.NetAddr).port,
        identity: makeKeyPair(systemRandom),
        policy: TIMER_POLICIES.adaptive,
        random: systemRandom,
      });
      const driven: DatagramMachine<RegistrationEvent> = {
        handleDatagram(now, bytes, from): void {
          const decoded = decodeDatagram(bytes);
          if (decoded.ok) machine.handleDatagram(now, decoded.value, from);
        },
        handleTimeout: (now) => machine.handleTimeout(now),
        nextTimeout: () => machine.nextTimeout(),
        pollTransmit: (now) => machine.pollTransmit(now),
        pollEvent: () => machine.pollEvent(),
      };
      this.#drives.push(drive(driven, socket, ({ kind }) => {
        if (kind === "registered") resolve();
      }));
      return promise;
    }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#drives.map((each) => each.close()));
  }
}

/** The port that a directory on a screen listens on. */
async function portOf(screen: Screen): Promise<string> {
  const rows = await screen.waitFor(/Listening on 127\.0\.0\.1:\d+/);
  return /127\.0\.0\.1:(\d+)/.exec(rows.join("\n"))![1]!;
}

for (const [columns, rows] of SIZES) {
  Deno.test({
    name: `server at ${columns} × ${rows}: the table in place, changes below, totals${TMUX.note}`,
    ignore: TMUX.ignore,
    async fn() {
      await using stage = new Stage();
      await using screen = await Screen.open(columns, rows);
      await screen.run(SERVE, ["--port", "0"]);
      const server = { address: `127.0.0.1:${await portOf(screen)}` };
      await screen.waitFor((shown) =>
        shown.length === rows && /^0 clients · 0 introductions · dropped 0$/.test(shown.at(-1)!)
      );
      const ana = await stage.jsonClient("ana", server);
      const bob = await stage.jsonClient("bob", server);
      await bob.type("connect ana");
      await ana.waitForEvent("request");
      const shown = await screen.waitFor(/^2 clients · 1 introduction /m);
      assertEquals(shown.length, rows);
      assertMatch(shown[0]!, /^Listening on 127\.0\.0\.1:\d+/);
      assertMatch(shown[1]!, /^(Fingerprint of this directory: )?\d{5}( \d{5}){5}$/);
      assertMatch(shown[2]!, /^ +id +name +address +age$/);
      assertMatch(shown[3]!, /^ +1 +ana +127\.0\.0\.1:\d+ +\d+s$/);
      assertMatch(shown[4]!, /^ +2 +bob +127\.0\.0\.1:\d+ +\d+s$/);
      assertMatch(shown[6]!, /^\d\d:\d\d:\d\d client 1 \(ana\) joined/);
      assertMatch(shown[7]!, /^\d\d:\d\d:\d\d client 2 \(bob\) joined/);
      // The ages tick, and nothing scrolls.
      const age = / \d+s$/.exec(shown[3]!)![0];
      const later = await screen.waitFor((now) => !now[3]!.endsWith(age));
      assertEquals(later[0], shown[0]);
      await ana.endInput();
      await screen.waitFor((now) =>
        / 2 +bob /.test(now[3]!) && /client 1 \(ana\) left$/.test(now[7]!)
      );
      await screen.press("C-c");
      await assertSane(screen, 0);
    },
  });
}

/** Waits for the end of the program, which leaves its status and the terminal as it was. */
async function assertSane(screen: Screen, status: number): Promise<void> {
  const after = await screen.afterwards();
  assertEquals(after.status, status);
  for (const setting of ["echo", "icanon", "isig", "icrnl", "opost"]) {
    assertMatch(after.settings, new RegExp(` ${setting}\\b`), `${setting} is on`);
  }
  assertEquals(await screen.isPlain(), true);
}

for (const signal of ["SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
  Deno.test({
    name: `server: ${signal} stops it, and the terminal is as before${TMUX.note}`,
    ignore: TMUX.ignore,
    async fn() {
      await using screen = await Screen.open();
      await screen.run(SERVE, ["--port", "0"]);
      await screen.waitFor(/^0 clients/m);
      screen.signal(signal);
      await screen.waitFor(/stops\nFingerprint [^]*\d\nStopped · 0 clients were active/);
      await assertSane(screen, 0);
    },
  });
}

Deno.test({
  name: `server: Ctrl-Z gives the terminal back, fg brings the table back${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using stage = new Stage();
    await using screen = await Screen.open();
    await screen.run(SERVE, ["--port", "0"]);
    const server = { address: `127.0.0.1:${await portOf(screen)}` };
    await stage.jsonClient("ana", server);
    await screen.waitFor(/^1 client · /m);
    await screen.press("C-z");
    const stopped = await screen.waitFor(/\n\$$|Ctrl-Z does not work here/);
    // As in Deno 2.4.
    const isStopped = !stopped.join("\n").includes("does not work");
    if (isStopped) {
      assertMatch(stopped[0]!, /^Listening .* stops$/);
      await screen.type("clear; stty -a; fg");
      await screen.press("Enter");
    }
    await screen.waitFor(/^ +1 +ana [^]*\n1 client · /m);
    await screen.press("C-c");
    const rows = await screen.waitFor(/^Stopped · 1 client was active/m);
    // The output of stty while it was stopped.
    if (isStopped) assertMatch(rows.join(" "), / icanon\b[^]* echo\b/);
    await assertSane(screen, 0);
  },
});

Deno.test({
  name: `server: Ctrl-Z under a task runner, which would not stop, prints a notice${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using screen = await Screen.open();
    await screen.run(SERVE, ["--port", "0"], { INIT_CWD: "/" });
    await screen.waitFor(/^0 clients/m);
    await screen.press("C-z");
    await screen.waitFor(/Ctrl-Z does not work here: deno task[^]*\n0 clients/);
    await screen.press("C-c");
    await screen.waitFor(/^Stopped · /m);
    await assertSane(screen, 0);
  },
});

const CRASHES: readonly [trigger: Deno.Signal | "datagram", message: string][] = [
  ["SIGUSR1", "Nobody catches this"],
  ["SIGUSR2", "Nobody handles this"],
  ["datagram", "Cannot go on: Nobody expects this"],
];

for (const [trigger, message] of CRASHES) {
  Deno.test({
    name: `server: an error from a ${trigger} is seen, and the terminal is as before${TMUX.note}`,
    ignore: TMUX.ignore,
    async fn() {
      await using screen = await Screen.open();
      const file = new URL("crashing_server.ts", import.meta.url).pathname;
      const map = new URL("../../import_map.json", import.meta.url).pathname;
      const args = ["run", "--allow-env", "--allow-net", "--no-check", `--import-map=${map}`, file];
      await screen.run({ program: Deno.execPath(), args, isExecutable: false }, []);
      await screen.waitFor(/^0 clients/m);
      if (trigger === "datagram") {
        const socket = openSocket("127.0.0.1", 0);
        const to = { hostname: "127.0.0.1", port: Number(await portOf(screen)) };
        await socket.send(new Uint8Array(1), { transport: "udp", ...to });
        socket.close();
      } else {
        screen.signal(trigger);
      }
      await screen.waitFor(new RegExp(`${message}[^]*\\n\\$$`));
      await assertSane(screen, 1);
    },
  });
}

Deno.test({
  name: `server: a hundred clients at once, another size, and the screen from before${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using screen = await Screen.open(80, 24);
    await screen.run(SERVE, ["--port", "0", "--color", "never"]);
    const port = Number(await portOf(screen));
    await using crowd = new Crowd();
    await crowd.join(100, port);
    const shown = await screen.waitFor(/^100 clients/m);
    assert(shown.some((row) => /^ {2}… and \d+ more$/.test(row)), shown.join("\n"));
    assertEquals(shown.length, 24);
    await screen.resize(40, 10);
    const small = await screen.waitFor((rows) =>
      rows.length === 10 && /^100 clients/.test(rows.at(-1)!) && /^Listening/.test(rows[0]!)
    );
    assert(small.every((row) => row.length <= 40));
    await screen.type("typed");
    await screen.press("C-c");
    const after = await screen.waitFor(/^Stopped · 100 clients were active/m);
    // What was printed before, and nothing of the picture.
    assertMatch(after.join("\n"), /^[^]*Fingerprint of this directory: [\d \n]+\nStopped/);
  },
});

Deno.test({
  name: `server at 80 × 24: 300 clients in pages, which keys turn${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using screen = await Screen.open(80, 24);
    await screen.run(SERVE, ["--port", "0", "--color", "never", "--no-source-limits"]);
    const port = Number(await portOf(screen));
    await using crowd = new Crowd();
    for (let joined = 0; joined < 300; joined += 50) await crowd.join(50, port);
    const last = (page: number): RegExp =>
      new RegExp(`^300 clients · .* page ${page} of 25 · Space next, b back$`, "m");
    const ids = (rows: string[]): number[] =>
      rows.map((row) => Number(/^ +(\d+) +guest/.exec(row)?.[1])).filter((id) => id > 0);
    const first = await screen.waitFor(last(1));
    assertEquals(ids(first), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await screen.press("Space");
    assertEquals(ids(await screen.waitFor(last(2)))[0], 13);
    await screen.press("PageDown", "PageDown");
    await screen.waitFor(last(4));
    await screen.press("b");
    await screen.waitFor(last(3));
    await screen.press("End");
    assertEquals(ids(await screen.waitFor(last(25))).at(-1), 300);
    await screen.press("Home");
    await screen.waitFor(last(1));
    await screen.press("C-c");
    await screen.waitFor(/^Stopped · 300 clients were active/m);
    await assertSane(screen, 0);
  },
});

Deno.test({
  name: `server --plain on a terminal: lines are added, the table on every join${TMUX.note}`,
  ignore: TMUX.ignore,
  async fn() {
    await using stage = new Stage();
    await using screen = await Screen.open();
    await screen.run(SERVE, ["--port", "0", "--plain"]);
    const server = { address: `127.0.0.1:${await portOf(screen)}` };
    const ana = await stage.jsonClient("ana", server);
    await screen.waitFor(
      /client 1 \(ana\) joined from .*\n +id +name +address +since\n.*\n1 client$/,
    );
    await ana.endInput();
    await screen.waitFor(/\n1 client\nclient 1 \(ana\) left\n0 clients$/);
    await screen.press("C-c");
    assertEquals((await screen.afterwards()).status, 0);
  },
});
