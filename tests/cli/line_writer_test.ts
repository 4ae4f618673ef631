import { assertEquals } from "@std/assert";
import { Output, PENDING_OUTPUT_MAX } from "../../cli/line_writer.ts";

/** A reader that takes what it is let to, and an output to it. */
class Reader {
  text = "";
  broken = 0;
  readonly output: Output;

  constructor(write?: (bytes: Uint8Array) => Promise<number>) {
    const decoder = new TextDecoder();
    const take = (bytes: Uint8Array): Promise<number> => {
      this.text += decoder.decode(bytes, { stream: true });
      return Promise.resolve(bytes.length);
    };
    this.output = new Output(write ?? take, () => this.broken++);
  }
}

Deno.test("Output writes lines in order, also where they are taken in pieces", async () => {
  const taken: number[] = [];
  const { output } = new Reader((bytes) => {
    taken.push(...bytes.subarray(0, 3));
    return Promise.resolve(Math.min(3, bytes.length));
  });
  output.print("héllo");
  output.print("日本");
  const finished = output.finish();
  await Promise.resolve();
  output.print("three");
  await finished;
  assertEquals(new TextDecoder().decode(Uint8Array.from(taken)), "héllo\n日本\nthree\n");
});

Deno.test("Output writes again after everything was written", async () => {
  const reader = new Reader();
  for (const line of ["one", "two"]) {
    reader.output.print(line);
    await reader.output.finish();
  }
  assertEquals(reader.text, "one\ntwo\n");
});

Deno.test("Output tells once that nobody reads, and drops the rest", async () => {
  const reader = new Reader(() => Promise.reject(new Deno.errors.BrokenPipe()));
  reader.output.print("one");
  reader.output.print("two");
  await reader.output.finish();
  reader.output.print("three");
  await reader.output.finish();
  assertEquals(reader.broken, 1);
});

Deno.test("Output gives a reader up that takes nothing while the lines pile up", () => {
  const reader = new Reader(() => new Promise(() => {}));
  const line = "x".repeat(PENDING_OUTPUT_MAX / 4);
  for (let count = 0; count < 8; count++) reader.output.print(line);
  assertEquals(reader.broken, 1);
});
