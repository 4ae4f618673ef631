import { assertEquals } from "@std/assert";
import type { Message } from "../../../protocol/wire/frame.ts";
import { TextBatch } from "../../../protocol/wire/message.ts";

const encoder = new TextEncoder();

/** A Message whose text is not known yet. */
function message(seq: number): Message {
  return { kind: "message", seq, sender: 1, flags: 0, text: "unknown" };
}

/** Adds these texts, each as it would lie in a datagram; returns their Messages. */
function add(batch: TextBatch, ...texts: string[]): Message[] {
  const bytes = encoder.encode(`before${texts.join("")}after`);
  let start = "before".length;
  return texts.map((text, seq) => {
    const each = message(seq);
    assertEquals(batch.add(each, bytes, start, start + text.length), true);
    start += text.length;
    return each;
  });
}

Deno.test("TextBatch fills in nothing before finish(), and then each text", () => {
  const batch = new TextBatch();
  const messages = add(batch, "one", "two", "three");
  assertEquals(messages.map(({ text }) => text), ["unknown", "unknown", "unknown"]);
  batch.finish();
  assertEquals(messages.map(({ text }) => text), ["one", "two", "three"]);
});

Deno.test("TextBatch takes empty texts in all positions", () => {
  const batch = new TextBatch();
  const messages = add(batch, "", "a", "", "", "b", "");
  batch.finish();
  assertEquals(messages.map(({ text }) => text), ["", "a", "", "", "b", ""]);
});

Deno.test("TextBatch takes all of ASCII, byte for byte", () => {
  const all = String.fromCharCode(...Array.from({ length: 128 }, (_, code) => code));
  const batch = new TextBatch();
  const [whole] = add(batch, all);
  batch.finish();
  assertEquals(whole!.text, all);
});

Deno.test("TextBatch takes no byte above 0x7f, first, in the middle or last", () => {
  const batch = new TextBatch();
  for (const byte of [0x80, 0xa4, 0xc3, 0xff]) {
    for (let at = 0; at < 5; at++) {
      const bytes = encoder.encode("abcde");
      bytes[at] = byte;
      assertEquals(batch.add(message(0), bytes, 0, 5), false);
      // The bytes around the text belong to others.
      assertEquals(batch.add(message(0), bytes, 0, at), true);
      assertEquals(batch.add(message(0), bytes, at + 1, 5), true);
    }
  }
});

Deno.test("TextBatch leaves out what it did not take", () => {
  const batch = new TextBatch();
  const [first] = add(batch, "first");
  const refused = message(1);
  const long = encoder.encode("x".repeat(3000) + "é");
  assertEquals(batch.add(refused, long, 0, long.length), false);
  const [last] = add(batch, "last");
  batch.finish();
  assertEquals([first!.text, refused.text, last!.text], ["first", "unknown", "last"]);
});

Deno.test("TextBatch grows with what it is given, and keeps what it has", () => {
  // It has room for 2048 bytes at first.
  for (const sizes of [[2048], [2049], [2047, 1], [2047, 2], [2048, 0, 1], [5, 70_000, 5]]) {
    const batch = new TextBatch();
    const texts = sizes.map((size, index) => String.fromCharCode(65 + index).repeat(size));
    const messages = add(batch, ...texts);
    batch.finish();
    assertEquals(messages.map(({ text }) => text.length), sizes);
    assertEquals(messages.map(({ text }) => text), texts);
  }
});

Deno.test("TextBatch starts again after finish() and after clear()", () => {
  const batch = new TextBatch();
  const [first] = add(batch, "first");
  batch.finish();
  first!.text = "changed";
  batch.finish();
  const [second] = add(batch, "2nd");
  batch.clear();
  batch.finish();
  const [third, fourth] = add(batch, "third", "4");
  batch.finish();
  const texts = [first, second, third, fourth].map((each) => each!.text);
  assertEquals(texts, ["changed", "unknown", "third", "4"]);
});

Deno.test("TextBatch keeps a byte order mark out, and characters that are no text", () => {
  const batch = new TextBatch();
  assertEquals(batch.add(message(0), Uint8Array.of(0xef, 0xbb, 0xbf), 0, 3), false);
  const [text] = add(batch, "\0\u0007\u001b[2J\r\n\u007f");
  batch.finish();
  assertEquals(text!.text, "\0\u0007\u001b[2J\r\n\u007f", "cleaning is for who shows it");
});
