/** Stand-in for `@std/cli/unicode-width`, by Unicode properties rather than by its table. */

/** Combining marks, invisible format characters and the middle and end parts of Hangul syllables. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cf}\u1160-\u11ff]$/u;

/** East Asian wide and fullwidth characters, and emoji shown as pictures; flag letters are narrow. */
const WIDE =
  /^(?![\u{1f1e6}-\u{1f1ff}])[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]$/u;

/** How many columns of a terminal the text takes. Control characters take none. */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const char of str) {
    if (/^[\x20-\x7e]$/.test(char)) width += 1;
    else if (/^\p{Cc}$/u.test(char) || ZERO.test(char)) continue;
    else width += WIDE.test(char) ? 2 : 1;
  }
  return width;
}
