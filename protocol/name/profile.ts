/**
 * Which characters a name is made of: Unicode's profile for identifiers (UTS #39, 3.1), restricted to
 * the scripts that people write today, and at most "highly restrictive" in their mixture (5.2).
 *
 * The runtime knows scripts, categories and normal forms, but not the lists of UTS #39 itself: see
 * {@linkcode profileProblem} for what is taken in their place.
 *
 * @module
 */

/** Alphabets with two cases. Their letters without another case are for phonetics, or obsolete. */
const CASED_SCRIPTS = ["Latn", "Grek", "Cyrl", "Armn"];

/** The other scripts in everyday use (UAX #31, table 5), each by itself. */
const UNCASED_SCRIPTS = ["Arab", "Beng", "Deva", "Ethi", "Geor", "Gujr", "Guru", "Hebr", "Khmr"]
  .concat("Knda", "Laoo", "Mlym", "Mymr", "Orya", "Sinh", "Taml", "Telu", "Thaa", "Thai", "Tibt");

/** Scripts that are written together, and with Latin (UTS #39, 5.2). */
const MIXTURES = [["Hani", "Hira", "Kana"], ["Hani", "Bopo"], ["Hani", "Hang"]];

/** What goes with every script: digits of ASCII, the low line, ʻ, ʼ, and what stands between letters. */
const SHARED = "0-9_\\u02bb\\u02bc\\-.'\\u2010\\u2019\\xb7";

/** Signs of a script that may stand between letters: ֊, ׳ and ״, ་, ・. */
const SIGNS: Readonly<Record<string, string>> = {
  Armn: "\\u058a",
  Hebr: "\\u05f3\\u05f4",
  Tibt: "\\u0f0b",
  Kana: "\\u30fb",
};

/** What may stand between two letters, but neither first nor last, nor twice: - ‐ . ' ’ and ·. */
const BETWEEN = "\\-.'\\u2010\\u2019\\xb7\\u058a\\u05f3\\u05f4\\u0f0b\\u30fb";

/** One alternative for each set of scripts that may be mixed. */
let mixtures: RegExp | undefined;

/** Neither a sign first or last, nor two in a row. */
const WELL_FORMED = new RegExp(
  `^[^\\p{M}${BETWEEN}][^${BETWEEN}]*(?:[${BETWEEN}][^${BETWEEN}]+)*$`,
  "u",
);

/** Characters of words, or of the list above; of the numbers that are letters, only 〇. */
const IN_WORDS = new RegExp(`^(?:(?=\\u3007|\\P{Nl})[\\p{XID_Continue}${BETWEEN}])*$`, "u");

/** More than four nonspacing marks in a row, or one of them twice (UTS #39, 5.4). */
const PILED_MARKS = /[\p{Mn}\p{Me}]{5}|([\p{Mn}\p{Me}])\1/u;

const DIGIT = /\p{Nd}/gu;

/**
 * Why a name is not in the profile, in words that go on after "a name", or undefined where it is.
 *
 * Of UTS #39, what the runtime cannot tell is replaced: `Identifier_Type` by scripts, letters with two
 * cases, whole Hangul syllables, and the accents of precomposed letters. So rare and obsolete letters
 * of the scripts above pass.
 */
export function profileProblem(name: string): string | undefined {
  if (!IN_WORDS.test(name) || name !== name.normalize("NFKC")) {
    return "can hold only letters, digits and _, with . - or ' between them";
  }
  if (!WELL_FORMED.test(name)) return "has to begin and end with a letter, a digit or _";
  mixtures ??= allowedMixtures();
  if (!mixtures.test(name)) return "cannot mix scripts, or hold letters that no language uses now";
  if (PILED_MARKS.test(name.normalize("NFD"))) return "cannot pile up marks on a letter";
  return hasOneSystem(name) ? undefined : "cannot mix digits of several scripts";
}

/** Whether all digits are of one decimal system: each begins at a multiple of 16, or 6 above. */
function hasOneSystem(name: string): boolean {
  const systems = (name.match(DIGIT) ?? []).map((digit) => digit.codePointAt(0)! >> 4);
  return systems.every((system) => system === systems[0]);
}

function allowedMixtures(): RegExp {
  const alone = [...CASED_SCRIPTS, ...UNCASED_SCRIPTS].map((script) => [script]);
  const mixed = MIXTURES.map((scripts) => ["Latn", ...scripts]);
  const accents = accentsInUse();
  const sets = [...alone, ...mixed].map((scripts) => {
    const letters = scripts.map((script) => lettersOf(script, accents)).join("|");
    return `(?:${letters}|[${SHARED}])*`;
  });
  return new RegExp(`^(?:${sets.join("|")})$`, "u");
}

/** A pattern for one character of a script. */
function lettersOf(script: string, accents: string): string {
  if (script === "Hang") return "[\\uac00-\\ud7a3]";
  const letter = `[\\p{Script_Extensions=${script}}${SIGNS[script] ?? ""}]`;
  if (!CASED_SCRIPTS.includes(script)) return letter;
  return `(?=\\p{Changes_When_Casemapped})${letter}|[${accents}]`;
}

/** The accents that people write: those of the letters with two cases that have a code of their own. */
function accentsInUse(): string {
  const accents = new Set<string>();
  for (let code = 0xc0; code < 0x2000; code++) {
    const letter = String.fromCharCode(code);
    if (!/\p{Changes_When_Casemapped}/u.test(letter)) continue;
    const [, ...marks] = letter.normalize("NFD");
    for (const mark of marks) accents.add(mark);
  }
  return [...accents].join("");
}
