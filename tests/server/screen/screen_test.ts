import { assert, assertEquals, assertMatch } from "@std/assert";
import { styles } from "../../../cli/style.ts";
import { screenWidth } from "../../../cli/wrap.ts";
import { alignRows, type Row } from "../../../server/screen/columns.ts";
import type { TableClient } from "../../../server/table/table.ts";
import {
  type DirectoryState,
  LiveScreen,
  LOG_LINES_MAX,
  REDRAW_INTERVAL_MIN,
  RESTORE,
  TICK,
} from "../../../server/screen/live_screen.ts";
import { renderHint } from "../../../server/screen/render.ts";
import { type PageTurn, pageTurns } from "../../../server/screen/page_keys.ts";
import { countPages, renderScreen, type ScreenState } from "../../../server/screen/screen.ts";
import { NOTHING } from "./nothing.ts";

function client(id: number, name = `client${id}`, joinedAt = 0): TableClient {
  return { id, name, address: { hostname: "127.0.0.1", port: 40_000 + id }, joinedAt };
}

function state(clients: TableClient[], more: Partial<ScreenState> = {}): ScreenState {
  return {
    title: ["Listening on 127.0.0.1:7070 (UDP) · Ctrl-C stops", "Fingerprint"],
    hint: "Nobody is here yet",
    clientsFrom: (index) => clients.slice(index),
    page: 0,
    hasKeys: true,
    log: [],
    totals: { ...NOTHING, clients: clients.length },
    now: 65_000,
    ...more,
  };
}

const CHANGE = {
  text: "12:00:00 client 1 (ana) joined from 127.0.0.1:40001",
  brush: styles(true).green,
  isWrapped: false,
};

Deno.test("renderScreen() shows title, table, log, and the totals in the last row", () => {
  const shown = state([client(1, "ana"), client(12, "世界", 60_000)], {
    log: [CHANGE],
    totals: {
      ...NOTHING,
      clients: 2,
      lookUps: 1234,
      introductions: 1,
      carriedBytes: 1536,
      dropped: { strangers: 2, forged: 5 },
    },
  });
  assertEquals(renderScreen(shown, { columns: 99, rows: 9 }, false), [
    "Listening on 127.0.0.1:7070 (UDP) · Ctrl-C stops",
    "Fingerprint",
    "  id  name  address            age",
    "   1  ana   127.0.0.1:40001  1m 5s",
    "  12  世界  127.0.0.1:40012     5s",
    "",
    CHANGE.text,
    "",
    "2 clients · 1 introduction · carried 1.5 KiB · 1,234 look-ups · dropped 7: forged 5, strangers 2",
  ]);
});

Deno.test("renderScreen() shows the fingerprint where there are rows for it, and without its label in a narrow one", () => {
  const second = (rows: number): string | undefined =>
    renderScreen(state([client(1)]), { columns: 80, rows }, false)[1];
  assertEquals(second(8), "Fingerprint");
  assertEquals(second(7), "  id  name     address            age");
  const title = ["Listening", "Fingerprint: 01234 56789 01234 56789 01234 56789"];
  const rows = (columns: number): string[] =>
    renderScreen(state([], { title }), { columns, rows: 8 }, false);
  assertEquals(rows(48)[1], title[1]);
  assertEquals(rows(47)[1], "01234 56789 01234 56789 01234 56789");
});

Deno.test("renderScreen() shows the hint until the first client comes", () => {
  const rows = (more: Partial<ScreenState>): string[] =>
    renderScreen(state([], more), { columns: 80, rows: 4 }, false).slice(1, 3);
  assertEquals(rows({}), ["Nobody is here yet", ""]);
  assertEquals(rows({ log: [CHANGE] }), [CHANGE.text, ""]);
});

Deno.test("renderScreen() wraps notes in the log, and shows the newest lines that fit as a whole", () => {
  const note = {
    text: "12:00:01 a line that is longer than all columns of the screen",
    brush: CHANGE.brush,
    isWrapped: true,
  };
  const rows = (log: ScreenState["log"], rows: number): string[] =>
    renderScreen(state([], { log }), { columns: 60, rows }, false).slice(1, -1);
  const wrapped = ["12:00:01 a line that is longer than all columns of the", "         screen"];
  assertEquals(rows([CHANGE, note], 5), [CHANGE.text, ...wrapped]);
  assertEquals(rows([CHANGE, note], 4), wrapped);
  assertEquals(rows([note, CHANGE], 4), [CHANGE.text, ""]);
  assertEquals(rows([note], 3), wrapped.slice(0, 1));
  assertEquals(rows([{ ...note, isWrapped: false }], 4), [`${note.text.slice(0, 59)}…`, ""]);
  // A long table leaves a note the rows that it takes.
  const clients = Array.from({ length: 40 }, (_, index) => client(index + 1));
  const screen = renderScreen(state(clients, { log: [note] }), { columns: 60, rows: 24 }, false);
  assertEquals(screen.slice(-3, -1), wrapped);
});

Deno.test("renderHint() names the directory if it is not at the default address", () => {
  const hint = (hostname: string, port = 7070): string | undefined =>
    /udp-chat .*/.exec(renderHint({ hostname, port }))?.[0];
  assertEquals(hint("127.0.0.1"), "udp-chat client --name ana");
  assertEquals(hint("127.0.0.1", 7071), "udp-chat client --name ana --server 127.0.0.1:7071");
  assertEquals(hint("::1"), "udp-chat client --name ana --server [::1]:7070");
  assertEquals(hint("0.0.0.0"), "udp-chat client --name ana --server HOST:7070");
  const wide = { hostname: "192.168.100.100", port: 65535 };
  for (const address of [{ hostname: "127.0.0.1", port: 7070 }, wide]) {
    assert(screenWidth(renderHint(address)) <= 80);
  }
});

Deno.test("renderScreen() fits every terminal, and reads no more clients than it shows", () => {
  const clients = Array.from({ length: 1000 }, (_, index) => client(index + 1, "世".repeat(30)));
  for (
    const [columns, rows] of [[80, 24], [40, 10], [20, 5], [200, 60], [10, 2], [1, 1]] as const
  ) {
    let asked = 0;
    const clientsFrom = (index: number): Iterable<TableClient> =>
      clients.slice(index).values().map((each) => {
        asked++;
        return each;
      });
    const log = Array.from({ length: 200 }, () => CHANGE);
    const lines = renderScreen(state(clients, { clientsFrom, log }), { columns, rows }, false);
    assertEquals(lines.length, rows);
    for (const line of lines) assert(screenWidth(line) <= columns, `${columns}: ${line}`);
    assert(asked <= rows, `${asked} asked for ${rows} rows`);
    if (rows >= 10) {
      assert(lines.some((line) => /… and \d+ more/.test(line)), lines.join("\n"));
      const inTable = lines.filter((line) => /127\.0\.0\.1:4/.test(line) && !/joined/.test(line));
      const more = Number(/… and (\d+) more/.exec(lines.join("\n"))?.[1]);
      assertEquals(inTable.length + more, 1000);
      assertMatch(lines.at(-1)!, /^1,000 clients · 0 intr/);
    }
  }
});

Deno.test("renderScreen() cuts a table only if it does not fit, and counts the other clients", () => {
  const clients = Array.from({ length: 7 }, (_, index) => client(index + 1));
  const rows = (count: number): string[] =>
    renderScreen(state(clients.slice(0, count)), { columns: 80, rows: 10 }, false);
  assertEquals(rows(6).filter((row) => row.includes("127.0.0.1:4")).length, 6);
  assertEquals(rows(7).filter((row) => row.includes("127.0.0.1:4")).length, 5);
  assert(rows(7).includes("  … and 2 more"));
});

Deno.test("renderScreen() shows any page of the table, and the keys in the last row", () => {
  const clients = Array.from({ length: 300 }, (_, index) => client(index + 1));
  const size = { columns: 80, rows: 24 };
  const shown = (page: number): string[] =>
    renderScreen(state(clients, { page, log: Array(20).fill(CHANGE) }), size, false);
  const ids = (page: number): (string | undefined)[] =>
    shown(page).map((row) => /^ +(\d+) +client\d+ /.exec(row)?.[1]).filter((id) =>
      id !== undefined
    );
  assertEquals([ids(0)[0], ids(0).at(-1), ids(1)[0]], ["1", "12", "13"]);
  assertMatch(shown(1).join("\n"), /\n {2}… and 288 more\n/);
  assertEquals(
    shown(1).at(-1),
    "300 clients · 0 introductions · dropped 0      page 2 of 25 · Space next, b back",
  );
  // Clients that left may have been a page.
  for (const page of [24, 25, 1000]) assertEquals(ids(page).at(-1), "300");
  const all = Array.from({ length: 25 }, (_, page) => ids(page)).flat();
  assertEquals(all, clients.map(({ id }) => `${id}`));
  assertEquals(countPages(state(clients, { log: Array(20).fill(CHANGE) }), size), 25);
});

Deno.test("renderScreen() shows no keys where there are none, or one page is all", () => {
  const clients = Array.from({ length: 300 }, (_, index) => client(index + 1));
  const last = (more: Partial<ScreenState>, some = clients, columns = 80): string =>
    renderScreen(state(some, more), { columns, rows: 24 }, false).at(-1)!;
  assertEquals(last({ hasKeys: false }), "300 clients · 0 introductions · dropped 0");
  assertEquals(last({}, clients.slice(0, 5)), "5 clients · 0 introductions · dropped 0");
  assertEquals(last({}, clients, 40), "300 clients · 0 introdu…  1/16: Space, b");
  assertEquals(last({}, clients, 20), "300 clients · 0 int…");
});

Deno.test("pageTurns() knows the keys of several terminals, and passes over all others", () => {
  const turns = ["next", "next", "previous", "first", "last", "last", "first"];
  assertEquals(pageTurns(" \x1b[6~\x1b[5~\x1b[HG\x1bOFg"), turns);
  assertEquals(pageTurns("x\x1b[A\x1b[15~\x1b[1;5Hq\x1bOPé\x1b"), []);
});

Deno.test("renderScreen() cleans names, and uses colors only if asked to", () => {
  const shown = state([client(1, "a\x1b[2Jb")], { log: [CHANGE] });
  const plain = renderScreen(shown, { columns: 80, rows: 8 }, false).join("\n");
  assertEquals([plain.includes("\x1b"), plain.includes("a[2Jb")], [false, true]);
  assert(renderScreen(shown, { columns: 80, rows: 8 }, true).join("\n").includes("\x1b[32m12:00"));
});

Deno.test("alignRows() cuts names between graphemes, whatever they are made of", () => {
  const names = ["👨‍👩‍👧‍👦👨‍👩‍👧‍👦", "🇨🇿🇩🇪🇫🇷🇪🇸", "e\u0301".repeat(9), "❤️".repeat(5), "世界".repeat(3), "ana"];
  const graphemes = new Intl.Segmenter();
  for (let columns = 26; columns < 44; columns++) {
    const lines = alignRows(names.map((name): Row => ["1", name, "127.0.0.1:7", "7s"]), columns);
    const widths = new Set(lines.map(screenWidth));
    assertEquals(widths.size, 1, "all are equally wide");
    assert([...widths][0]! <= columns);
    lines.forEach((line, index) => {
      const shown = line.slice(5).replace(/ *127.*$/, "").replace("…", "");
      const whole = Array.from(graphemes.segment(names[index]!), ({ segment }) => segment);
      const parts = Array.from(graphemes.segment(shown), ({ segment }) => segment);
      assertEquals(parts, whole.slice(0, parts.length));
    });
  }
});

/** A live screen on virtual time. */
class Stage {
  now = 0;
  readonly written: string[] = [];
  /** Frames that were rendered, written or not. */
  rendered = 0;
  readonly live: LiveScreen;
  #timers: { at: number; action: () => void }[] = [];
  /** Whether the terminal accepts no more output. */
  isStalled = false;

  constructor(clients: readonly TableClient[] = []) {
    const directory: DirectoryState = {
      clientsFrom: (index) => clients.slice(index).values() as Generator<TableClient, void>,
      totals: { ...NOTHING, clients: clients.length },
    };
    this.live = new LiveScreen({ title: ["title"], hint: "hint" }, directory, false, {
      readClock: () => ({ now: this.now, toDate: (instant) => new Date(instant) }),
      size: () => {
        this.rendered++;
        return { columns: 80, rows: 24 };
      },
      hasKeys: true,
      after: (ms, action) => {
        const timer = { at: this.now + ms, action };
        this.#timers.push(timer);
        return () => this.#timers = this.#timers.filter((other) => other !== timer);
      },
      write: (text) => {
        this.written.push(text);
        return this.isStalled ? new Promise(() => {}) : Promise.resolve();
      },
    });
  }

  get timers(): number {
    return this.#timers.length;
  }

  get frames(): number {
    return this.written.filter((text) => text.includes("\x1b[H")).length;
  }

  async run(until: number): Promise<void> {
    for (;;) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > until) break;
      this.#timers = this.#timers.filter((other) => other !== next);
      this.now = next.at;
      next.action();
    }
    this.now = until;
  }
}

Deno.test("LiveScreen redraws once a second and soon after a change, and gives the terminal back", async () => {
  const stage = new Stage();
  await stage.run(10 * TICK);
  assertEquals(stage.frames, 11);
  stage.live.showChange("joined", client(1));
  await stage.run(stage.now + REDRAW_INTERVAL_MIN);
  assertEquals(stage.frames, 12);
  assert(stage.written.at(-1)!.includes("client 1 (client1) joined from 127.0.0.1:40001"));
  await stage.live.close();
  assertEquals([stage.written.at(-1), stage.timers], [RESTORE, 0]);
  stage.live.showChange("left", client(1));
  stage.live.redraw();
  assertEquals([stage.written.at(-1), stage.timers], [RESTORE, 0]);
});

Deno.test("LiveScreen turns pages at once, as far as there are any", async () => {
  const stage = new Stage(Array.from({ length: 50 }, (_, index) => client(index + 1)));
  const shown = async (...turns: PageTurn[]): Promise<string | undefined> => {
    for (const turn of turns) stage.live.turnPage(turn);
    await stage.run(stage.now + 1);
    return /page \d of \d/.exec(stage.written.at(-1)!)?.[0];
  };
  assertEquals(await shown(), "page 1 of 3");
  assertEquals(await shown("next"), "page 2 of 3");
  assertEquals(await shown("next", "next", "next"), "page 3 of 3");
  assertEquals(await shown("previous"), "page 2 of 3");
  assertEquals(await shown("first", "previous"), "page 1 of 3");
  assertEquals(await shown("last"), "page 3 of 3");
});

Deno.test("LiveScreen.suspend() draws nothing until redraw()", async () => {
  const stage = new Stage();
  await stage.run(TICK);
  await stage.live.suspend();
  stage.live.showChange("joined", client(1));
  await stage.run(stage.now + 10 * TICK);
  assertEquals([stage.written.at(-1), stage.timers], [RESTORE, 0]);
  stage.live.redraw();
  await stage.run(stage.now + REDRAW_INTERVAL_MIN);
  assert(stage.written.at(-1)!.startsWith("\x1b[?1049h"));
  assert(stage.written.at(-1)!.includes("client 1 (client1) joined"));
});

Deno.test("LiveScreen draws at most four frames a second, with the latest changes", async () => {
  const stage = new Stage();
  await stage.run(TICK / 2);
  const before = stage.frames;
  for (let id = 1; id <= 1000; id++) {
    stage.live.showChange("joined", client(id));
    await stage.run(stage.now + 1);
  }
  assert(stage.timers === 1 && stage.frames - before <= 1000 / REDRAW_INTERVAL_MIN + 1);
  await stage.run(stage.now + REDRAW_INTERVAL_MIN);
  assert(stage.written.at(-1)!.includes("client 1000 (client1000) joined"));
  assert(LOG_LINES_MAX >= 100);
});

Deno.test("LiveScreen queues no frames for a stalled terminal", async () => {
  const stage = new Stage();
  await stage.run(TICK / 2);
  stage.isStalled = true;
  const before = stage.rendered;
  await stage.run(100 * TICK);
  assertEquals(stage.rendered - before, 1);
});
