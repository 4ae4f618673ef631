/**
 * Messages as rows, each with a mark that no text can hold: so no row can pass for one of the program.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";
import { cutToWidth, widestWidth, wrapped } from "../../cli/wrap.ts";

/** Characters of a run without a space that is shown whole, though it is wider than the screen. */
export const RUN_MAX = 2048;
/** Columns of a row where nobody knows how wide it will be shown: with line numbers, 80. */
export const FOLD_COLUMNS = 72;
/** The mark of what a peer says. */
export const RECEIVED = "←";
/** The mark of the further rows of a message. */
const FURTHER = "│";

/** Between the names of a message of this client. */
const TO = " → ";

/** In front of further rows where the screen has no room for an indent. */
const SHORT_PREFIX = `${FURTHER} `;
/** Columns that a row has for text; with less, prefixes are shortened. */
const TEXT_COLUMNS_MIN = 10;
/** The least columns for a name. */
const NAME_COLUMNS_MIN = 4;

/** The name of who speaks, or is spoken to. */
export interface ShownName {
  /** Without color codes, which `brush` adds. */
  readonly name: string;
  readonly brush: (name: string) => string;
}

/** What stands in the first row of a message. */
export interface MessageHead extends ShownName {
  /** As `14:02`, perhaps with color codes. */
  readonly clock: string;
  /** One column, perhaps with color codes. */
  readonly mark: string;
  /** Whom a message of this client is for, where there are several. */
  readonly to?: ShownName | undefined;
}

/** The text of a peer as it may be shown in rows: clean, and without the marks of rows. */
export function textForRows(text: string): string {
  return cleanText(text, { keepLines: true }).replaceAll(FURTHER, "|").replaceAll(RECEIVED, "<-");
}

/** A row of a message. */
export interface MessageRow {
  readonly text: string;
  /** The rows of the screen that it takes: more than one only for a run that is shown whole. */
  readonly height: number;
}

/** Where the rows of a message are shown. */
export interface RowSpace {
  /** Columns in front of a text, but for the name in its first row: `14:02 ← `. */
  readonly indent: number;
  readonly columns: number;
  /** The rows that a run may take that is shown whole. */
  readonly runRows: number;
  /** Adds the codes that have a run broken by the terminal. */
  readonly whole: (run: string) => string;
}

/**
 * The rows of a message with a clean text. None is wider than the columns on any terminal, but for one
 * that ends with a run of visible ASCII characters: what the terminal breaks of it holds no space, as
 * every line of the program does.
 */
export function* messageRows(
  head: MessageHead,
  text: string,
  { indent, columns, runRows, whole }: RowSpace,
): Generator<MessageRow, void> {
  const names = namesOf(head, Math.max(columns - indent - 2, NAME_COLUMNS_MIN));
  const left = columns - indent - names.width - 2;
  const isNarrow = columns - indent < TEXT_COLUMNS_MIN;
  // The mark stands below that of the first row.
  const further = isNarrow ? SHORT_PREFIX : SHORT_PREFIX.padStart(indent);
  const wrapping = {
    first: left < TEXT_COLUMNS_MIN ? 0 : left,
    rest: Math.max(columns - further.length, 1),
    measure: widestWidth,
    // The first of these rows has the prefix.
    runMax: Math.min(RUN_MAX, columns * (runRows - 1)),
  };
  let width = indent + names.width + 2;
  let prefix = `${head.clock} ${head.mark} ${names.text}: `;
  for (const row of wrapped(text, wrapping)) {
    if (widestWidth(row) > wrapping.rest) {
      yield { text: prefix + whole(row), height: Math.ceil((width + row.length) / columns) };
    } else {
      // A space at the end of the row could be the one too many.
      yield { text: row === "" ? prefix.trimEnd() : prefix + row, height: 1 };
    }
    prefix = further;
    width = further.length;
  }
}

/** `bob`, or `ana → bob`: of these two it is the first that makes room for the other. */
function namesOf(
  { name, brush, to }: MessageHead,
  columns: number,
): { text: string; width: number } {
  if (to === undefined) return shownIn({ name, brush }, columns);
  const left = columns - widestWidth(TO);
  const peer = shownIn(to, Math.max(left - NAME_COLUMNS_MIN, NAME_COLUMNS_MIN));
  const own = shownIn({ name, brush }, Math.max(left - peer.width, NAME_COLUMNS_MIN));
  const width = own.width + widestWidth(TO) + peer.width;
  return { text: own.text + TO + peer.text, width };
}

function shownIn({ name, brush }: ShownName, columns: number): { text: string; width: number } {
  const shown = cutToWidth(name, columns, widestWidth);
  return { text: brush(shown), width: widestWidth(shown) };
}
