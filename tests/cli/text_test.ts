import { assertEquals } from "@std/assert";
import { cleanText, countPiledMarks, MARKS_MAX } from "../../cli/text.ts";
import { seedFromEnv, withSeed } from "../support/random.ts";

Deno.test("cleanText() leaves visible text as it is", () => {
  const texts = [
    "",
    "hello, world",
    "Grüße · žluťoučký · Ελλάδα · русский",
    "王小明 こんにちは 안녕하세요",
    "שלום עליכם",
    "e\u0301 a\u0308",
    "नमस्ते สวัสดี",
    "🙂👍🏽🇨🇿1️⃣",
  ];
  for (const text of texts) assertEquals(cleanText(text), text);
});

Deno.test("cleanText() removes C0 controls, DEL and C1 controls", () => {
  for (let code = 0; code <= 0x9f; code++) {
    if (code >= 0x20 && code < 0x7f) continue;
    const isSpace = "\t\n\v\f\r\x85".includes(String.fromCharCode(code));
    assertEquals(cleanText(`a${String.fromCharCode(code)}b`), isSpace ? "a b" : "ab", `${code}`);
  }
});

Deno.test("cleanText() makes escape sequences harmless", () => {
  assertEquals(cleanText("\x1b[2J\x1b[31mred"), "[2J[31mred");
  assertEquals(cleanText("\x1b]0;title\x07"), "]0;title");
  assertEquals(cleanText("\x9b31m\x90q\x9c"), "31mq");
});

Deno.test("cleanText() removes bidi controls and marks", () => {
  const codes = [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e];
  codes.push(0x2066, 0x2067, 0x2068, 0x2069);
  for (const code of codes) {
    assertEquals(cleanText(`a${String.fromCodePoint(code)}b`), "ab", code.toString(16));
  }
});

Deno.test("cleanText() removes invisible characters", () => {
  const codes = [0xad, 0x34f, 0x115f, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0x2064, 0x206f];
  codes.push(0x3164, 0xfeff, 0xffa0, 0xfff9, 0xfffa, 0xfffb, 0x1d173, 0xe0001, 0xe0061, 0xe007f);
  for (const code of codes) {
    assertEquals(cleanText(`a${String.fromCodePoint(code)}b`), "ab", code.toString(16));
  }
});

Deno.test("cleanText() turns line breaks and tabs into spaces", () => {
  assertEquals(cleanText("a\nb\r\nc\rd\u2028e\u2029f\tg"), "a b c d e f g");
});

Deno.test("cleanText() keeps line breaks as \\n with keepLines", () => {
  assertEquals(
    cleanText("a\nb\r\nc\rd\u2028e\x85f\tg\x07", { keepLines: true }),
    "a\nb\nc\nd\ne\nf g",
  );
});

Deno.test("cleanText() replaces half a surrogate pair", () => {
  assertEquals(cleanText("a\ud83db\ude00c"), "a\ufffdb\ufffdc");
  assertEquals(cleanText("\ud83d\u200b\ude00"), "\ufffd\ufffd");
});

Deno.test("cleanText() keeps the joiners of emoji", () => {
  for (const text of ["👩‍🚀", "👨‍👩‍👧‍👦", "🏳️‍🌈", "❤️‍🔥", "🧑🏽‍🤝‍🧑🏻", "🤷🏼‍♀️"]) {
    assertEquals(cleanText(text), text);
  }
  assertEquals(cleanText("👩\u200d"), "👩");
  assertEquals(cleanText("👩\u200d\u200d🚀"), "👩🚀");
  assertEquals(cleanText("\u200d🚀a\u200db"), "🚀ab");
});

Deno.test("cleanText() keeps the joiners and non-joiners inside words that need them", () => {
  for (const text of ["می\u200cخواهم", "क्\u200dष", "ശ്രീ\u200cമാൻ"]) {
    assertEquals(cleanText(text), text);
  }
  assertEquals(cleanText("می\u200c"), "می");
});

Deno.test("cleanText() keeps one variation selector, after what it varies", () => {
  for (const text of ["❤️", "☎︎", "葛\u{e0100}"]) assertEquals(cleanText(text), text);
  assertEquals(cleanText("a\ufe0f\ufe01\u{e0101}b"), "a\ufe0fb");
  assertEquals(cleanText("\ufe0fa \ufe0f"), "a ");
  assertEquals(cleanText("a\u3164\ufe0f"), "a");
});

Deno.test("cleanText() keeps the marks that people write, and cuts piles of them", () => {
  for (const text of ["လျှို့ဝှက်", "בָּרָא", "བསྒྲུབས", "ệ̀"]) {
    assertEquals([cleanText(text), countPiledMarks(text)], [text, 0]);
  }
  const pile = "\u0301".repeat(32_000);
  assertEquals(cleanText(`a${pile}b`), `a${"\u0301".repeat(MARKS_MAX)}b`);
  assertEquals(countPiledMarks(`a${pile}b`), 32_000 - MARKS_MAX);
  // Hidden characters do not part a pile.
  assertEquals(countPiledMarks("a" + "\u0301\u200b".repeat(20)), 20 - MARKS_MAX);
});

Deno.test("cleanText() lets no mark join what stands before the text, or a space", () => {
  assertEquals(cleanText("\u20dda"), "\u25cc\u20dda");
  assertEquals(cleanText("a \u0301\u0302b"), "a \u25cc\u0301\u0302b");
  assertEquals(cleanText("a\n\u0301", { keepLines: true }), "a\n\u25cc\u0301");
});

Deno.test("cleanText() of a cleaned text changes nothing", () => {
  withSeed(seedFromEnv(), (prng) => {
    const codes = [0x1b, 0x0a, 0x0d, 0x61, 0x645, 0x915, 0x94d, 0x200c, 0x200d, 0x202e, 0x3164];
    codes.push(0x301, 0x20dd, 0x20);
    codes.push(0xfe0f, 0xd83d, 0xde00, 0x1f469, 0x1f3fd, 0x1f680, 0xe0061, 0xe0100);
    for (let i = 0; i < 20_000; i++) {
      const length = prng.int(8);
      const text = Array.from({ length }, () => String.fromCodePoint(prng.pick(codes))).join("");
      const cleaned = cleanText(text);
      assertEquals(cleanText(cleaned), cleaned, JSON.stringify(text));
      assertEquals(/[\p{Cc}\p{Cs}\u202e\u3164]/u.test(cleaned), false, JSON.stringify(text));
    }
  });
});

Deno.test("cleanText() makes published attacks harmless", () => {
  const tags = Array.from("hi", (letter) => String.fromCodePoint(0xe0000 + letter.charCodeAt(0)));
  const attacks: readonly (readonly [what: string, text: string, shown: string])[] = [
    // Escape sequences (ECMA-48) that drove terminals.
    ["a screen that is wiped, CSI 2J", "\x1b[2J\x1b[Hlogin:", "[2J[Hlogin:"],
    ["text that is hidden, SGR 8", "\x1b[8mrm -rf\x1b[28m", "[8mrm -rf[28m"],
    ["a title that is typed back, CVE-2003-0063", "\x1b]2;ls\x07\x1b[21t", "]2;ls[21t"],
    ["a setting that is typed back, CVE-2008-2383", "\x1bP$q\nls\n\x1b\\", "P$q ls \\"],
    ["a command by tmux integration, CVE-2019-9535", "\x1bP1000p%exit\x1b\\", "P1000p%exit\\"],
    ["a clipboard that is filled, OSC 52", "\x1b]52;c;bHM=\x07", "]52;c;bHM="],
    ["a link that goes elsewhere, OSC 8", "\x1b]8;;http://e\x07a\x1b]8;;\x07", "]8;;http://ea]8;;"],
    ["a key that is remapped, DCS", "\x1bP1;1|17/6c730d\x1b\\", "P1;1|17/6c730d\\"],
    ["the same in 8 bits, C1", "\x9b2J\x9d0;t\x9c\x90q\x9c\x9e\x9f", "2J0;tq"],
    ["character sets that are switched, SO and SI", "a\x0eqqq\x0fb", "aqqqb"],
    ["a line that is written over, CR and BS", "no\x08\x08yes\rvoid", "noyes void"],
    // Trojan Source, CVE-2021-42574: overrides, embeddings and isolates.
    [
      "an early return",
      "/*\u202e } \u2066if (isAdmin)\u2069 \u2066 begin */",
      "/* } if (isAdmin)  begin */",
    ],
    ["a stretched string", '"user\u202e \u2066// admin\u2069 \u2066"', '"user // admin "'],
    ["a file name, CVE-2009-3376", "photo\u202egpj.exe", "photogpj.exe"],
    ["embeddings and marks", "\u202aa\u202bb\u202cc\u202dd\u200ee\u200ff\u061cg", "abcdefg"],
    // Text that cannot be seen.
    ["another name, by a zero-width space", "ad\u200bmin", "admin"],
    ["another name, by joiners", "a\u200cd\u200dm\u2060i\ufeffn", "admin"],
    ["another name, by a filler of Hangul", "admin\u3164\uffa0\u115f", "admin"],
    ["a message in tags, ASCII smuggling", `hello${tags.join("")}`, "hello"],
    ["a message in variation selectors", "😀\u{e0158}\u{e0159}\u{e015a}", "😀\u{e0158}"],
    ["a mark in zero-width digits", "to\u200b\u200c\u200b\u200dp", "top"],
    ["orders of annotation marks", "a\ufff9b\ufffac\ufffb", "abc"],
  ];
  for (const [what, text, shown] of attacks) assertEquals(cleanText(text), shown, what);
});
