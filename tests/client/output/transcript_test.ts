import { failure, success } from "../../../protocol/result.ts";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { widestWidth } from "../../../cli/wrap.ts";
import type { ClientEvent } from "../../../client/event.ts";
import { Renderer } from "../../../client/output/render.ts";
import { Transcript, TRANSCRIPT_SURFACE } from "../../../client/output/transcript.ts";

const NOON = new Date(2026, 0, 2, 12, 30, 7);

/** A disk in memory, which may be full. */
class Disk {
  readonly files = new Map<string, string>();
  readonly open = new Set<string>();
  opened = 0;
  isFull = false;
  readonly problems: string[] = [];
  readonly transcript: Transcript;

  constructor() {
    const renderer = new Renderer(TRANSCRIPT_SURFACE);
    this.transcript = new Transcript(
      {
        date: () => NOON,
        openLog: (path) => {
          if (path === "/none/x") throw new Error("No such file or directory");
          this.opened++;
          this.open.add(path);
          return {
            path,
            append: (text) => {
              if (this.isFull) throw new Error("No space left on device");
              this.files.set(path, (this.files.get(path) ?? "") + text);
            },
            close: () => this.open.delete(path),
          };
        },
        fileProblem: (error) => (error as Error).message,
      },
      renderer,
      (message) => {
        this.problems.push(message);
        // As in the client: a printed event is added to the transcript.
        this.transcript.event({ kind: "error", code: "log", message });
      },
    );
  }

  lines(path: string): string[] {
    return (this.files.get(path) ?? "").split("\n").slice(0, -1);
  }
}

function message(text: string, name = "bob"): ClientEvent {
  return { kind: "message", peer: 2, name, textSeq: 0, text };
}

Deno.test("Transcript writes plain text with the date, without controls and colors", () => {
  const disk = new Disk();
  disk.transcript.start("/chat.txt");
  disk.transcript.event({ kind: "ringing", peer: 2, name: "bob" });
  disk.transcript.event(message("two\n12:00 * lines\x1b[2J\u202e"));
  disk.transcript.event({ kind: "sent", peer: 2, textSeq: 1 });
  disk.transcript.own({ peer: 2, name: "ana", text: "hi" });
  disk.transcript.own({ peer: 2, name: "ana", to: "bob", text: "one of several" });
  assertEquals(disk.lines("/chat.txt"), [
    "2026-01-02 12:30 * bob is ringing",
    "2026-01-02 12:30 ← bob: two",
    "                 │ 12:00 * lines[2J",
    "2026-01-02 12:30 → ana: hi",
    "2026-01-02 12:30 → ana → bob: one of several",
  ]);
});

Deno.test("Transcript writes JSON lines to a .jsonl or .json file, without controls", () => {
  for (const path of ["/chat.jsonl", "/chat.JSON"]) {
    const disk = new Disk();
    disk.transcript.start(path);
    disk.transcript.event(message("a\x1b[2J\nb"));
    disk.transcript.own({ peer: 2, name: "ana", text: "hi" });
    disk.transcript.event({ kind: "renewed", peer: 2, hash: new Uint8Array() });
    const time = NOON.toISOString();
    assertEquals(disk.lines(path).map((line) => JSON.parse(line)), [
      { event: "message", time, peer: 2, name: "bob", seq: 0, text: "a[2J\nb" },
      { event: "own", time, peer: 2, name: "ana", text: "hi" },
    ]);
  }
});

Deno.test("Transcript opens a file once, ends at off, and restarts in another file", () => {
  const disk = new Disk();
  assertEquals(
    disk.transcript.handleCommand(undefined),
    success({ line: "No transcript is kept; log FILE starts one", event: { kind: "log" } }),
  );
  disk.transcript.event(message("before"));
  const status = disk.transcript.handleCommand("/chat.txt");
  const line = "Transcript in /chat.txt, as plain text; log off ends it";
  assertEquals(status, success({ line, event: { kind: "log", file: "/chat.txt" } }));
  for (let i = 0; i < 3; i++) disk.transcript.event(message(`${i}`));
  assertEquals([disk.opened, disk.lines("/chat.txt").length], [1, 3]);
  disk.transcript.handleCommand("/chat.jsonl");
  assertEquals([...disk.open], ["/chat.jsonl"]);
  disk.transcript.handleCommand("off");
  disk.transcript.event(message("after"));
  assertEquals([[...disk.open], disk.lines("/chat.jsonl").length], [[], 0]);
});

Deno.test("Transcript warns once of a full disk", () => {
  const disk = new Disk();
  disk.transcript.start("/chat.txt");
  disk.isFull = true;
  for (let i = 0; i < 3; i++) disk.transcript.event(message(`${i}`));
  assertEquals(disk.problems, [
    "Cannot write the transcript /chat.txt: No space left on device; it ends here",
  ]);
  assertEquals(disk.open.size, 0);
});

Deno.test("Transcript continues in its file if another one cannot be opened", () => {
  const disk = new Disk();
  disk.transcript.start("/chat.txt");
  assertEquals(
    disk.transcript.handleCommand("/none/x"),
    failure("Cannot open the transcript /none/x: No such file or directory"),
  );
  disk.transcript.event(message("on"));
  assertEquals(disk.lines("/chat.txt").at(-1), "2026-01-02 12:30 ← bob: on");
});

Deno.test("Transcript marks every row of a long message, and none is wider than 72 columns", () => {
  const disk = new Disk();
  disk.transcript.start("/t.txt");
  const before = disk.lines("/t.txt").length;
  disk.transcript.event(
    message(`${"\u0600".repeat(65)} 16:25 * ana, as before ${"é".repeat(300)}`),
  );
  const [first = "", ...rows] = disk.lines("/t.txt").slice(before);
  assertMatch(first, /^2026-01-02 12:30 ← bob:/);
  assert(rows.length > 3);
  for (const row of rows) {
    assertMatch(row, /^ {17}│ /);
    assert(widestWidth(row.replace("│", "|")) <= 72, row);
  }
});
