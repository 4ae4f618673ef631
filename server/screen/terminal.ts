/**
 * The terminal that a directory is shown on, and how it is given back.
 *
 * @module
 */
import { Live, type LiveSystem, type LiveTexts, RESTORE } from "./live_screen.ts";
import type { ScreenSize } from "./screen.ts";
import type { Server } from "../server.ts";

const NOT_STOPPED = "Ctrl-Z does not work here:";

/** The size where the terminal does not tell any. */
const SIZE_DEFAULT: ScreenSize = { columns: 80, rows: 24 };

/** Whether standard output is a terminal that understands colors and how to redraw. */
export function hasTerminal(): boolean {
  return Deno.stdout.isTerminal() && environment("TERM") !== "dumb";
}

/** A variable of the environment, where Deno was given access to it. */
function environment(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

/** A directory on the terminal, until it is closed. */
export interface OpenScreen {
  readonly live: Live;
  /** Gives the terminal back; settles when it has taken all. */
  close(): Promise<void>;
}

/** Shows the directory on the terminal. */
export function openScreen(
  texts: LiveTexts,
  server: Server,
  isColored: boolean,
  system: Pick<LiveSystem, "moment" | "after">,
): OpenScreen {
  const encoder = new TextEncoder();
  setEcho(false);
  const live = new Live(texts, server, isColored, {
    ...system,
    size,
    async write(text) {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
    },
  });
  const redraw = (): void => live.redraw();
  const resume = (): void => {
    setEcho(false);
    redraw();
  };
  // A bug that ends the process ends it here, too.
  const restore = (): void => {
    setEcho(true);
    try {
      Deno.stdout.writeSync(encoder.encode(RESTORE));
    } catch {
      // The terminal has gone.
    }
  };
  let isOpen = true;
  /** Ctrl-Z: gives the terminal back, stops, and takes it over again. */
  const stop = async (): Promise<void> => {
    // A task runner would not stop, and the shell would wait for it.
    if (environment("INIT_CWD") !== undefined) {
      return live.note(`${NOT_STOPPED} deno task or npx is in between`);
    }
    setEcho(true);
    await live.suspend();
    if (!isOpen) return;
    // Without a listener the signal does what it does to every program.
    Deno.removeSignalListener("SIGTSTP", stop);
    try {
      Deno.kill(Deno.pid, "SIGTSTP");
    } catch {
      // As in Deno 2.4.
      live.note(`${NOT_STOPPED} Deno was not given the right to`);
    }
    Deno.addSignalListener("SIGTSTP", stop);
    resume();
  };
  const signals: readonly [Deno.Signal, () => void][] = Deno.build.os === "windows"
    ? []
    : [["SIGWINCH", redraw], ["SIGCONT", resume], ["SIGTSTP", stop]];
  const bugs = ["error", "unhandledrejection"];
  for (const [signal, listener] of signals) Deno.addSignalListener(signal, listener);
  for (const bug of bugs) addEventListener(bug, restore);
  return {
    live,
    async close(): Promise<void> {
      isOpen = false;
      for (const [signal, listener] of signals) Deno.removeSignalListener(signal, listener);
      for (const bug of bugs) removeEventListener(bug, restore);
      setEcho(true);
      await live.close();
    },
  };
}

/** Whether the terminal shows what is typed, which would stand in the picture. */
function setEcho(isOn: boolean): void {
  try {
    // On Windows this would keep Ctrl-C from the process.
    if (Deno.build.os === "windows" || !Deno.stdin.isTerminal()) return;
    Deno.stdin.setRaw(!isOn, { cbreak: !isOn });
  } catch {
    // The terminal has gone.
  }
}

function size(): ScreenSize {
  try {
    const { columns, rows } = Deno.consoleSize();
    return columns > 0 && rows > 0 ? { columns, rows } : SIZE_DEFAULT;
  } catch {
    // The terminal has gone: the directory stays.
    return SIZE_DEFAULT;
  }
}
