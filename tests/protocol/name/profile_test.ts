import { assertEquals, assertNotEquals } from "@std/assert";
import { nameProblem } from "../../../protocol/name/name.ts";
import { profileProblem } from "../../../protocol/name/profile.ts";
import { seedFromEnv, withSeed } from "../../support/random.ts";

const NO_LETTER = "can hold only letters, digits and _, with . - or ' between them";
const MIXED = "cannot mix scripts, or hold letters that no language uses now";
const AT_EDGE = "has to begin and end with a letter, a digit or _";

Deno.test("profileProblem() lets people write their names", () => {
  const names = [
    ...[
      "Łukasz",
      "Nguyễn",
      "Straße",
      "O'Brien",
      "O’Brien",
      "Gal·la",
      "ʻIolani",
      "Ðorđe",
      "M\u0331x",
    ],
    ...["Ελένη", "Борис", "Їжак", "Արմեն", "გიორგი", "Μέσ’", "Ѣ"].filter((name) =>
      !name.endsWith("’")
    ),
    ...["محمد", "علی", "محمد٢", "שלום", "צ׳רצ׳יל", "شَدَّة", "ދިވެހި"],
    ...["राम", "प्रिया", "বাংলা", "ਪੰਜਾਬੀ", "ગુજરાતી", "தமிழ்", "తెలుగు", "ಕನ್ನಡ", "മലയാളം", "ଓଡ଼ିଆ", "සිංහල"],
    ...["สมชาย", "ไทย1", "ລາວ", "ភារុណ", "မြို့", "လျှို့ဝှက်", "བསྟན་འཛིན", "አማርኛ"],
    ...[
      "小明",
      "山田太郎",
      "ジョン・スミス",
      "佐々木",
      "ㄅㄆㄇ",
      "김철수",
      "Bob한글",
      "a漢字かな",
      "x_1",
      "3com",
    ],
  ];
  // Some of these letters have no code of their own.
  for (const name of names) assertEquals(nameProblem(name.normalize("NFKC")), undefined, name);
});

Deno.test("profileProblem() rejects characters that are not seen, or look like nothing", () => {
  // A blank of Braille, a note without a head, a blank of Egypt, a filler of Khitan, fillers of Hangul.
  for (const code of [0x2800, 0x1d159, 0x13441, 0x16fe4, 0x3164, 0x115f, 0xffa0, 0x17b4, 0x34f]) {
    const name = `ana${String.fromCodePoint(code)}`;
    assertNotEquals(profileProblem(name), undefined, code.toString(16));
  }
});

Deno.test("profileProblem() rejects signs, pictures, and letters in another form", () => {
  const names = [
    "a!",
    "a/b",
    "a@b",
    "a:b",
    "a│b",
    "a←",
    "a*b",
    "👋",
    "a❤",
    "x²",
    "Ａｎａ",
    "𝐚na",
    "ﬁ",
  ];
  for (const name of [...names, "zoe\u0308", "\ue000"]) {
    assertEquals(profileProblem(name), NO_LETTER, name);
  }
});

Deno.test("profileProblem() rejects the name that spoke for the program", () => {
  assertNotEquals(profileProblem("ana), known key · accept 2 or reject 2"), undefined);
  assertNotEquals(profileProblem("ana),known·key·accept"), undefined);
});

Deno.test("profileProblem() rejects mixed scripts, and those that nobody writes", () => {
  // Cyrillic а and к, Greek α, beside Latin; Cherokee, runes; a click, a glottal stop, a small capital.
  for (const name of ["аna", "кana", "αna", "漢字а", "ᏓᏓ", "ᚠᚢ", "ǃa", "ʔa", "ᴀna", "ᄀ"]) {
    assertEquals(profileProblem(name), MIXED, name);
  }
  assertEquals(profileProblem("a١"), MIXED);
  assertEquals(profileProblem("م١۱"), "cannot mix digits of several scripts");
});

Deno.test("profileProblem() rejects a leading mark, and piles of marks", () => {
  assertEquals(profileProblem("\u0301x"), AT_EDGE);
  assertEquals(
    profileProblem(`x${"\u0331\u0306\u0331\u030a\u0331".normalize("NFC")}`),
    "cannot pile up marks on a letter",
  );
  assertEquals(profileProblem("x\u0331\u0331"), "cannot pile up marks on a letter");
  assertEquals(profileProblem("x\u20dd"), NO_LETTER);
  assertEquals(profileProblem("x\u0363"), MIXED);
});

Deno.test("profileProblem() rejects signs at the ends, and two in a row", () => {
  for (const name of ["-a", "a-", ".a", "a.", "'a", "a..b", "a-'b"]) {
    assertEquals(profileProblem(name), AT_EDGE, name);
  }
});

Deno.test("a good name holds nothing but letters, their marks, digits, and signs between them", () => {
  withSeed(seedFromEnv(), (prng) => {
    let good = 0;
    for (let run = 0; run < 20_000; run++) {
      const base = prng.pick([
        0,
        0x300,
        0x400,
        0x600,
        0x900,
        0x2000,
        0x3000,
        0x4e00,
        0xfe00,
        0x1d100,
      ]);
      const codes = Array.from({ length: 1 + prng.int(4) }, () => base + prng.int(0x180));
      const name = String.fromCodePoint(...codes.filter((code) => code < 0xd800 || code > 0xdfff));
      if (nameProblem(name) !== undefined) continue;
      good++;
      assertEquals(
        /^[\p{L}\p{M}\p{Nd}〇_.'’‐··\-֊׳״་・]+$/u.test(name),
        true,
        JSON.stringify(name),
      );
      assertEquals(
        /^\p{M}|\p{Default_Ignorable_Code_Point}/u.test(name),
        false,
        JSON.stringify(name),
      );
      assertEquals(name.normalize("NFKC"), name);
    }
    assertEquals(good > 100, true, `${good}`);
  });
});
