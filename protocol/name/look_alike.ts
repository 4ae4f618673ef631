/**
 * Names that people take for one another, though they are not the same.
 *
 * Unicode has a table of such characters (UTS #39, "confusables"), which no runtime holds. This is the
 * part of it that can be told in few words: letters of the alphabets of Europe, of Hebrew and Arabic
 * that look like Latin ones or each other; zeros; kana; and scripts whose letters lie side by side.
 * As a name mixes no scripts, that leaves names that look alike as a whole, and those by mistake.
 *
 * @module
 */

/** In each group the letter that stands for all, and what is taken for it, in the case in which it is. */
const LOOK_ALIKES = [
  "aΑαАа bΒβВвЬьЪъ cСсϹϲςҫ dԁԀđĐ eΕεЕеЄєə fƒ gցǥ hΗНнһҺհħĦ iіιı jЈјյ kΚκКк lІΙӀӏI1łŁ mΜМм",
  "nΝηпոռ oΟοσОоօՕסهہھةەøØ〇 pΡρРр qԚԛզգ rГгΓ sЅѕՏ tΤτТтŧŦ uυսՍџ vνѵѴ wԜԝшωѡ xΧχХхҲҳ yΥУуүγ zΖζ",
  // What Persian and Urdu write with letters of their own; the final nun of Hebrew.
  "يىیےې كکڪګ اأإآٱ وؤ ןו",
  // What stands between letters.
  "'’ʻʼ׳ -‐֊",
  // Ideographs like kana.
  "ろ口 か力 と卜 は八 に二 え工 た夕 ち千 ぬ又 お才 ー一",
].join(" ");

const standsFor = new Map(
  LOOK_ALIKES.split(" ").flatMap(([first = "", ...others]) =>
    others.map((other): [string, string] => [other, first])
  ),
);

/** Marks that are easily overlooked: accents, the points of Hebrew and Arabic, the tatweel. */
const OVERLOOKED = /[\p{Script=Inherited}\u05b0-\u05c7\u0640]/gu;
/** Those that are not: the voicing marks of kana. */
const VOICING = /[\u3099\u309a]/;
const DIGIT = /^\p{Nd}$/u;

/** Katakana above hiragana, Kannada above Telugu: the same letters in the same order. */
const SHIFTED: readonly (readonly [first: number, last: number, shift: number])[] = [
  [0x30a1, 0x30f6, 0x60],
  [0x0c80, 0x0cff, 0x80],
];

/** Whether people can take one name for the other, as it is written. */
export function looksAlike(one: string, other: string): boolean {
  return skeleton(one) === skeleton(other);
}

/** What names that look alike have in common; it is no name, and not to be shown. */
export function skeleton(name: string): string {
  const letters = name.normalize("NFKD")
    .replace(OVERLOOKED, (mark) => VOICING.test(mark) ? mark : "")
    .normalize("NFC");
  return Array.from(letters, standIn).join("").toLowerCase()
    .replaceAll("rn", "m").replaceAll("vv", "w");
}

function standIn(letter: string): string {
  const shifted = shift(letter);
  return isZero(shifted) ? "o" : standsFor.get(shifted) ?? shifted;
}

function shift(letter: string): string {
  const code = codeOf(letter);
  const [, , by] = SHIFTED.find(([first, last]) => code >= first && code <= last) ?? [0, 0, 0];
  return by === 0 ? letter : String.fromCodePoint(code - by);
}

/** Whether a letter is a zero: a digit with no digit of its system before it. */
function isZero(letter: string): boolean {
  return DIGIT.test(letter) && !DIGIT.test(String.fromCodePoint(codeOf(letter) - 1));
}

function codeOf(letter: string): number {
  return letter.codePointAt(0)!;
}
