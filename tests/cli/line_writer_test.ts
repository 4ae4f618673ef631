import { assertEquals } from "@std/assert";
import { LineWriter } from "../../cli/line_writer.ts";

const PENDING_MAX = 10_000;

/** A line writer, and a reader that takes at most `step` bytes whenever read() is called. */
class Pipe {
  text = "";
  broken = 0;
  readonly recovered: number[] = [];
  readonly writer: LineWriter;
  /** Whether the reader is gone. */
  isClosed = false;
  #continue: (() => void) | undefined;

  constructor(step: number, handlers: { drops: boolean }) {
    const decoder = new TextDecoder();
    const onRecovered = (dropped: number): void => void this.recovered.push(dropped);
    this.writer = new LineWriter({
      pendingMax: PENDING_MAX,
      write: async (bytes) => {
        if (this.isClosed) throw new Deno.errors.BrokenPipe();
        await new Promise<void>((resolve) => this.#continue = resolve);
        this.text += decoder.decode(bytes.subarray(0, step), { stream: true });
        return Math.min(step, bytes.length);
      },
      onBroken: () => this.broken++,
      ...handlers.drops && { onRecovered },
    });
  }

  /** Reads until everything is written. */
  async read(): Promise<void> {
    let isDone = false;
    const flushed = this.writer.flush().then(() => isDone = true);
    while (!isDone) {
      this.#continue?.();
      await Promise.resolve();
    }
    await flushed;
  }
}

for (const drops of [true, false]) {
  const kind = drops ? "that drops lines" : "that gives up";

  Deno.test(`LineWriter ${kind} writes lines in order, whatever part of them a write takes`, async () => {
    const pipe = new Pipe(3, { drops });
    for (const line of ["héllo", "日本", "three"]) pipe.writer.print(line);
    await pipe.read();
    pipe.writer.print("four");
    await pipe.read();
    assertEquals(pipe.text, "héllo\n日本\nthree\nfour\n");
    assertEquals([pipe.broken, pipe.recovered], [0, []]);
  });

  Deno.test(`LineWriter ${kind} takes a line above its bound if no other waits`, async () => {
    const pipe = new Pipe(PENDING_MAX, { drops });
    pipe.writer.print("x".repeat(3 * PENDING_MAX));
    await pipe.read();
    assertEquals([pipe.text.length, pipe.broken, pipe.recovered], [3 * PENDING_MAX + 1, 0, []]);
  });

  Deno.test(`LineWriter ${kind} reports once that the reader is gone, and drops the rest`, async () => {
    const pipe = new Pipe(3, { drops });
    pipe.isClosed = true;
    for (const line of ["one", "two", "x".repeat(2 * PENDING_MAX)]) pipe.writer.print(line);
    await pipe.writer.flush();
    pipe.writer.print("three");
    await pipe.writer.flush();
    assertEquals([pipe.broken, pipe.recovered, pipe.text], [1, [], ""]);
  });
}

Deno.test("LineWriter drops what a stalled reader would let pile up, and reports how much", async () => {
  const pipe = new Pipe(PENDING_MAX, { drops: true });
  for (let count = 0; count < 50; count++) pipe.writer.print("x".repeat(999));
  await pipe.read();
  assertEquals([pipe.text.length, pipe.recovered], [PENDING_MAX, [40]]);
  pipe.writer.print("more");
  await pipe.read();
  assertEquals(pipe.recovered, [40]);
});

/** A disk with so much room. */
class Disk {
  text = "";
  room = 0;
  broken = 0;

  readonly write = (bytes: Uint8Array): Promise<number> => {
    const size = Math.min(this.room, bytes.length);
    if (size === 0) return Promise.reject(Object.assign(new Error(), { code: "ENOSPC" }));
    this.room -= size;
    this.text += new TextDecoder().decode(bytes.subarray(0, size));
    return Promise.resolve(size);
  };
}

Deno.test("LineWriter goes on when a full disk has room again, from the start of a line", async () => {
  const disk = new Disk();
  const writer: LineWriter = new LineWriter({
    pendingMax: PENDING_MAX,
    write: disk.write,
    onBroken: () => disk.broken++,
    onRecovered: (dropped) => writer.print(`dropped ${dropped}`),
  });
  disk.room = 6;
  const written: boolean[] = [];
  for (const line of ["one", "two", "three"]) {
    writer.print(line);
    written.push(await writer.written());
    await writer.flush();
  }
  disk.room = 1000;
  writer.print("four");
  written.push(await writer.written());
  await writer.flush();
  writer.print("five");
  await writer.flush();
  assertEquals(disk.text, "one\ntw\nfour\ndropped 2\nfive\n");
  assertEquals([written, disk.broken], [[true, false, false, true], 0]);
});

Deno.test("LineWriter that gives up takes a full disk for a reader that is gone", async () => {
  const disk = new Disk();
  const onBroken = (): void => void disk.broken++;
  const writer = new LineWriter({ pendingMax: PENDING_MAX, write: disk.write, onBroken });
  writer.print("one");
  assertEquals([await writer.written(), disk.broken], [false, 1]);
});

Deno.test("LineWriter counts the lines that are being written among those that wait", async () => {
  const pipe = new Pipe(PENDING_MAX, { drops: true });
  for (let count = 0; count < 50; count++) {
    pipe.writer.print("x".repeat(999));
    await Promise.resolve();
  }
  await pipe.read();
  assertEquals([pipe.text.length, pipe.recovered], [PENDING_MAX, [40]]);
});

Deno.test("LineWriter writes what is printed when it reports dropped lines", async () => {
  const lines: string[] = [];
  const decoder = new TextDecoder();
  const writer: LineWriter = new LineWriter({
    pendingMax: 5,
    write: (bytes) => {
      lines.push(decoder.decode(bytes));
      return Promise.resolve(bytes.length);
    },
    onBroken: () => {},
    onRecovered: (dropped) => writer.print(`dropped ${dropped}`),
  });
  for (const line of ["one", "two", "three"]) writer.print(line);
  await writer.flush();
  assertEquals(lines, ["one\n", "dropped 2\n"]);
});

Deno.test("LineWriter without a handler gives a reader up that lets lines pile up", () => {
  const pipe = new Pipe(PENDING_MAX, { drops: false });
  for (let count = 0; count < 50; count++) pipe.writer.print("x".repeat(999));
  assertEquals(pipe.broken, 1);
});

Deno.test("LineWriter.written() tells when what was printed up to now is written", async () => {
  const pipe = new Pipe(100, { drops: false });
  const settled: string[] = [];
  assertEquals(await pipe.writer.written(), true);
  for (const line of ["one", "two"]) {
    pipe.writer.print(line);
    pipe.writer.written().then((isWritten) => settled.push(`${line} ${isWritten}`));
  }
  assertEquals(settled, []);
  await pipe.read();
  assertEquals(settled, ["one true", "two true"]);
});

Deno.test("LineWriter.written() tells what was not written, because the reader is gone", async () => {
  const pipe = new Pipe(100, { drops: false });
  pipe.isClosed = true;
  pipe.writer.print("one");
  const first = pipe.writer.written();
  await Promise.resolve();
  pipe.writer.print("two");
  const second = pipe.writer.written();
  assertEquals([await first, await second, await pipe.writer.written()], [false, false, false]);
});
