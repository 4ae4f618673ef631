/**
 * Standard input and output of the client, and the process as its terminal sees it.
 *
 * @module
 */
import process from "node:process";
import { environment, PLATFORM } from "./environment.ts";
import { type Line, LineSplitter } from "./line_splitter.ts";
import { Output } from "./line_writer.ts";

// Deno's node:dns warns, in the middle of the screen, of its own use of a deprecated module.
Object.assign(process, { noDeprecation: true });

/** Bytes read at once. */
const READ_SIZE = 64 * 1024;
/** Columns and rows where the terminal does not tell. */
const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/** Whether the system has a signal for a resize, and can stop a process and let it go on. */
export const HAS_JOB_CONTROL = !PLATFORM.isWindows;

/** What stands at both ends. */
export interface StdioInfo {
  /** Whether somebody types. */
  readonly isTyped: boolean;
  /** Whether somebody reads. */
  readonly isScreen: boolean;
  /** Whether the screen can show colors, and whoever sits there has not set NO_COLOR. */
  readonly wantsColor: boolean;
  /** Whether both are a terminal that can redraw a line. */
  readonly isInteractive: boolean;
}

/** Looks what standard input and output are. */
export function inspectStdio(): StdioInfo {
  const isTyped = Deno.stdin.isTerminal();
  const isScreen = Deno.stdout.isTerminal();
  const isSmart = isScreen && environment("TERM") !== "dumb";
  return {
    isTyped,
    isScreen,
    wantsColor: isSmart && !Deno.noColor,
    isInteractive: isTyped && isSmart,
  };
}

/** Columns of the terminal. */
export function screenColumns(): number {
  return process.stdout.columns || COLUMNS_DEFAULT;
}

/** Rows of the terminal. */
export function screenRows(): number {
  return process.stdout.rows || ROWS_DEFAULT;
}

/** The lines of standard input; reads on only when they are asked for. */
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

/** Standard output where it is no terminal with a prompt. */
export function openOutput(onBroken: () => void): Output {
  return new Output((bytes) => Deno.stdout.write(bytes), onBroken);
}

/** Prints a text on standard output; settles when it is written. */
export async function printText(text: string): Promise<void> {
  const output = openOutput(() => {});
  output.print(text);
  await output.finish();
}

/** Has the terminal pass on every key at once, and show none; or take lines again. */
export function setRawMode(isRaw: boolean): void {
  try {
    process.stdin.setRawMode(isRaw);
  } catch {
    // The terminal has gone.
  }
}

/** Has something done when the size of the terminal changes; returns what ends that. */
export function onWindowChange(action: () => void): () => void {
  if (!HAS_JOB_CONTROL) return () => {};
  Deno.addSignalListener("SIGWINCH", action);
  return () => Deno.removeSignalListener("SIGWINCH", action);
}

/** Has something done when this process ends, also by a crash; returns what ends that. */
export function onCrash(action: () => void): () => void {
  const events = ["unload", "error", "unhandledrejection"];
  for (const event of events) globalThis.addEventListener(event, action);
  return () => events.forEach((event) => globalThis.removeEventListener(event, action));
}

/**
 * Whether `deno task` or npm started this process, which set a variable. Such a parent does not stop
 * with its child, so that the shell would not come back.
 */
export function isUnderTaskRunner(): boolean {
  return environment("INIT_CWD") !== undefined;
}

/**
 * Stops this process, as Ctrl-Z does where a shell minds its jobs; returns when it goes on.
 *
 * @returns false where Deno does not permit it.
 */
export function stopProcess(): boolean {
  try {
    // Not SIGSTOP: the system ignores this one where there is no shell to bring the process back.
    Deno.kill(Deno.pid, "SIGTSTP");
    return true;
  } catch {
    return false;
  }
}
