/**
 * The terminal that a directory is shown on: taken over, and given back.
 *
 * @module
 */
import { PLATFORM } from "../../cli/environment.ts";
import {
  HAS_JOB_CONTROL,
  isUnderTaskRunner,
  onCrash,
  onWindowChange,
  screenColumns,
  screenRows,
  stopProcess,
  writeAtOnce,
} from "../../cli/tty.ts";
import {
  type DirectoryState,
  LiveScreen,
  type LiveScreenSystem,
  type LiveScreenTexts,
  RESTORE,
} from "./live_screen.ts";
import { pageTurns } from "./page_keys.ts";

/** Bytes of keys that are read at once. */
const KEYS_SIZE = 256;
const NOT_STOPPED = "Ctrl-Z does not work here:";

/** A directory on the terminal, until it is closed. */
export interface OpenScreen {
  readonly live: LiveScreen;
  /** Gives the terminal back; settles when everything is written. */
  close(): Promise<void>;
}

/** Shows the directory on the terminal. */
export function openScreen(
  texts: LiveScreenTexts,
  directory: DirectoryState,
  isColored: boolean,
  system: Pick<LiveScreenSystem, "readClock" | "after">,
): OpenScreen {
  const encoder = new TextEncoder();
  const hasKeys = setEcho(false);
  const live = new LiveScreen(texts, directory, isColored, {
    ...system,
    size: () => ({ columns: screenColumns(), rows: screenRows() }),
    hasKeys,
    async write(text) {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
    },
  });
  if (hasKeys) readKeys((typed) => pageTurns(typed).forEach((turn) => live.turnPage(turn)));
  const resume = (): void => {
    setEcho(false);
    live.redraw();
  };
  const restore = (): void => {
    setEcho(true);
    writeAtOnce(RESTORE);
  };
  let isOpen = true;
  /** Ctrl-Z: gives the terminal back, stops, and takes it over again. */
  const stop = async (): Promise<void> => {
    if (isUnderTaskRunner()) return live.showNote(`${NOT_STOPPED} deno task or npx is in between`);
    setEcho(true);
    await live.suspend();
    if (!isOpen) return;
    // Without a listener the signal suspends the process.
    Deno.removeSignalListener("SIGTSTP", stop);
    if (!stopProcess()) live.showNote(`${NOT_STOPPED} this program may not stop itself`);
    Deno.addSignalListener("SIGTSTP", stop);
    resume();
  };
  const stopListening = [onWindowChange(() => live.redraw()), onCrash(restore)];
  if (HAS_JOB_CONTROL) {
    Deno.addSignalListener("SIGCONT", resume);
    Deno.addSignalListener("SIGTSTP", stop);
  }
  return {
    live,
    async close(): Promise<void> {
      isOpen = false;
      for (const stop of stopListening) stop();
      if (HAS_JOB_CONTROL) {
        Deno.removeSignalListener("SIGCONT", resume);
        Deno.removeSignalListener("SIGTSTP", stop);
      }
      setEcho(true);
      await live.close();
    },
  };
}

/**
 * Whether the terminal shows what is typed, which would be written across the screen; while it does not,
 * keys come at once.
 *
 * @returns whether that could be set.
 */
function setEcho(isOn: boolean): boolean {
  try {
    // On Windows raw mode would keep Ctrl-C from the process.
    if (PLATFORM.isWindows || !Deno.stdin.isTerminal()) return false;
    Deno.stdin.setRaw(!isOn, { cbreak: !isOn });
    return true;
  } catch {
    // The terminal has gone.
    return false;
  }
}

/** Hands over what is typed, until the terminal has gone. */
async function readKeys(take: (typed: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(KEYS_SIZE);
  try {
    for (;;) {
      const size = await Deno.stdin.read(buffer);
      if (size === null) return;
      take(decoder.decode(buffer.subarray(0, size), { stream: true }));
    }
  } catch {
    // The terminal has gone.
  }
}
