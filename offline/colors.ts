/** Stand-in for `@std/fmt/colors`: the colors and styles in use. */

/** Whether the functions below add codes; never where NO_COLOR is set. */
let enabled = !Deno.noColor;

/** Turns the codes on or off; NO_COLOR has the last word. */
export function setColorEnabled(value: boolean): void {
  if (!Deno.noColor) enabled = value;
}

/** Whether codes are added. */
export function getColorEnabled(): boolean {
  return enabled;
}

/** Wraps the text in codes, and takes the style up again after a nested one has ended it. */
function style(text: string, open: number, close: number): string {
  if (!enabled) return text;
  const start = `\x1b[${open}m`;
  const end = `\x1b[${close}m`;
  return start + text.replaceAll(end, start) + end;
}

/** Bold text. */
export function bold(str: string): string {
  return style(str, 1, 22);
}

/** Dim text. */
export function dim(str: string): string {
  return style(str, 2, 22);
}

/** Red text. */
export function red(str: string): string {
  return style(str, 31, 39);
}

/** Green text. */
export function green(str: string): string {
  return style(str, 32, 39);
}

/** Yellow text. */
export function yellow(str: string): string {
  return style(str, 33, 39);
}

/** Cyan text. */
export function cyan(str: string): string {
  return style(str, 36, 39);
}
