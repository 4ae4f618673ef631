/**
 * Standard input and output, the terminal, and the process as the terminal controls it.
 *
 * @module
 */
import process from "node:process";
import { environment, PLATFORM } from "./environment.ts";
import { fileProblem } from "./files.ts";
import { type Line, LineSplitter } from "./line_splitter.ts";
import { LineWriter } from "./line_writer.ts";

// Deno's node:dns warns, in the middle of the screen, of its own use of a deprecated module.
Object.assign(process, { noDeprecation: true });

/** Bytes read at once. */
const READ_SIZE = 64 * 1024;
/** Characters that may wait for a slow reader of standard output. */
const PENDING_OUTPUT_MAX = 4 * 1024 * 1024;
/** Columns and rows if the terminal does not report its size. */
const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/** Whether the system has a signal for a resize, and can suspend a process. */
export const HAS_JOB_CONTROL = !PLATFORM.isWindows;

/** What standard input and output are. */
export interface StdioInfo {
  /** Whether the input is a terminal. */
  readonly isTyped: boolean;
  /** Whether the output is a terminal. */
  readonly isScreen: boolean;
  /** Whether the output is a terminal that can redraw. */
  readonly canRedraw: boolean;
  /** Whether it can show colors, too, and the user has not set NO_COLOR. */
  readonly wantsColor: boolean;
  /** Whether both are a terminal that can redraw. */
  readonly isInteractive: boolean;
}

/** Inspects standard input and output. */
export function inspectStdio(): StdioInfo {
  const isTyped = Deno.stdin.isTerminal();
  const isScreen = Deno.stdout.isTerminal();
  const canRedraw = isScreen && environment("TERM") !== "dumb";
  return {
    isTyped,
    isScreen,
    canRedraw,
    wantsColor: canRedraw && !Deno.noColor,
    isInteractive: isTyped && canRedraw,
  };
}

/**
 * What a hangup does: `action` where a standard stream is a terminal, else `otherwise`. Deno may not
 * tell whether a signal is ignored, and some of its versions end that; `nohup`, which has hangups ignored,
 * replaces every stream that is a terminal. Windows ignores no hangup.
 */
export function onHangup(action: () => void, otherwise = (): void => {}): () => void {
  if (PLATFORM.isWindows) return action;
  const streams = [Deno.stdin, Deno.stdout, Deno.stderr];
  return streams.some((stream) => stream.isTerminal()) ? action : otherwise;
}

/** Columns of the terminal. */
export function screenColumns(): number {
  return process.stdout.columns || COLUMNS_DEFAULT;
}

/** Rows of the terminal. */
export function screenRows(): number {
  return process.stdout.rows || ROWS_DEFAULT;
}

/** The lines of standard input; reads no further than its caller does. */
export async function* readLines(): AsyncGenerator<Line> {
  const splitter = new LineSplitter();
  const buffer = new Uint8Array(READ_SIZE);
  for (;;) {
    const size = await Deno.stdin.read(buffer);
    if (size === null) break;
    yield* splitter.push(buffer.subarray(0, size));
  }
  yield* splitter.end();
}

/** The bytes of standard input up to its end, or the first of them where there are more than `max`. */
export async function readInput(max: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(max + 1);
  let size = 0;
  while (size < bytes.length) {
    const read = await Deno.stdin.read(bytes.subarray(size));
    if (read === null) break;
    size += read;
  }
  return bytes.subarray(0, size);
}

/**
 * Opens standard output.
 *
 * @param onBroken called once, when it takes no more: with the reason, or without one where nobody
 * reads it any more.
 */
export function openOutput(onBroken: (problem?: string) => void): LineWriter {
  return new LineWriter({
    pendingMax: PENDING_OUTPUT_MAX,
    write: (bytes) => Deno.stdout.write(bytes),
    onBroken: (error) => onBroken(isReaderGone(error) ? undefined : fileProblem(error)),
  });
}

/** Whether a pipe, or a terminal, has no other end any more. */
function isReaderGone(error: unknown): boolean {
  return error === undefined || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Error && "code" in error && error.code === "EIO";
}

/**
 * Prints a text on standard output; settles when it is written.
 *
 * @returns why it cannot be written; undefined also where nobody reads it any more.
 */
export async function printText(text: string): Promise<string | undefined> {
  let problem: string | undefined;
  const output = openOutput((reason) => problem = reason);
  output.print(text);
  await output.flush();
  return problem;
}

/** Writes to the terminal before it returns: for a process that ends. */
export function writeAtOnce(text: string): void {
  try {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
  } catch {
    // The terminal has gone.
  }
}

/** Has the terminal pass on each key at once without showing it; or ends that. */
export function setRawMode(isRaw: boolean): void {
  try {
    process.stdin.setRawMode(isRaw);
  } catch {
    // The terminal has gone.
  }
}

/** Calls `action` when the size of the terminal changes; returns what ends that. */
export function onWindowChange(action: () => void): () => void {
  if (!HAS_JOB_CONTROL) return () => {};
  Deno.addSignalListener("SIGWINCH", action);
  return () => Deno.removeSignalListener("SIGWINCH", action);
}

/** Calls `action` when this process ends, even by a crash; returns what ends that. */
export function onCrash(action: () => void): () => void {
  const events = ["unload", "error", "unhandledrejection"];
  for (const event of events) globalThis.addEventListener(event, action);
  return () => events.forEach((event) => globalThis.removeEventListener(event, action));
}

/**
 * Whether `deno task` or npm, which set this variable, started this process. They are not suspended
 * with their child, so that the shell would not come back.
 */
export function isUnderTaskRunner(): boolean {
  return environment("INIT_CWD") !== undefined;
}

/**
 * Suspends this process, as Ctrl-Z does; returns when it is resumed.
 *
 * @returns false if Deno does not permit it, as Deno 2.4 never does.
 */
export function stopProcess(): boolean {
  try {
    // Unlike SIGSTOP, the system ignores it where no shell could resume the process.
    Deno.kill(Deno.pid, "SIGTSTP");
    return true;
  } catch {
    return false;
  }
}
