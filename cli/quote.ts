/**
 * The user's input as error messages show it.
 *
 * @module
 */

/** Characters of an input that an error message shows. */
const LENGTH_MAX = 40;

/** The text, or its beginning where it is long. */
export function shorten(text: string): string {
  const characters = [...text];
  return characters.length <= LENGTH_MAX ? text : `${characters.slice(0, LENGTH_MAX).join("")}…`;
}

/** The same in quotation marks, with line breaks and controls escaped. */
export function quote(text: string): string {
  return JSON.stringify(shorten(text));
}
