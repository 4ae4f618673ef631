/**
 * A real terminal for the tests: a pane of a tmux server, one server for each test.
 *
 * @module
 */
import { PATIENCE } from "./lines.ts";
import type { CommandLine } from "./process.ts";

/** Milliseconds between two polls of the screen. */
const LOOK_INTERVAL = 25;

/** For the names of tests that need a terminal. */
export const TMUX = hasTmux()
  ? { ignore: false, note: "" }
  : { ignore: true, note: " (skipped: tmux is not installed)" };

// deno-lint-ignore no-control-regex
const SGR = /\x1b\[([\d;]*)m/;

/** Whether text is underlined after SGR codes with these parameters. */
function isUnderlinedAfter(before: boolean, parameters = ""): boolean {
  const last = parameters.split(";").findLast((each) => ["", "0", "4", "24"].includes(each));
  return last === undefined ? before : last === "4";
}

function hasTmux(): boolean {
  if (Deno.build.os === "windows") return false;
  try {
    return new Deno.Command("tmux", { args: ["-V"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Polls until there is a result. */
async function until<T>(
  look: () => Promise<T | undefined>,
  what: () => string,
  timeout = PATIENCE,
): Promise<T> {
  const deadline = performance.now() + timeout;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) {
      throw new Error(`${timeout} ms went by waiting for ${what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL));
  }
}

/** A terminal with a shell in it. */
export class Screen implements AsyncDisposable {
  /** The configuration folder of its programs. */
  readonly folder = Deno.makeTempDirSync({ prefix: "udp-chat-" });

  readonly #processFile = `${this.folder}/process`;

  private constructor() {}

  /** Opens a terminal whose prompt is `$ `. */
  static async open(columns = 80, rows = 24): Promise<Screen> {
    const screen = new Screen();
    const size = ["-x", `${columns}`, "-y", `${rows}`];
    const shell = "exec env PS1='$ ' ENV= sh";
    await screen.#tmux(["-f", "/dev/null", "new-session", "-d", ...size, shell]);
    await screen.#tmux(["set-option", "-g", "status", "off"]);
    await screen.waitFor((rows) => rows.at(-1) === "$");
    return screen;
  }

  /** Types a command of the shell, and starts it. */
  async run(
    { program, args, isExecutable }: CommandLine,
    more: readonly string[],
    variables: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;
    // Stores its process id, which stays the same.
    const noting = `/bin/sh -c 'echo $$ > "$0"; exec "$@"' ${quoted(this.#processFile)}`;
    const words = [program, ...args, ...more].map(quoted);
    const alone = isExecutable ? '-i TERM="$TERM" ' : "";
    const own = { XDG_CONFIG_HOME: this.folder, ...variables };
    const env = Object.entries(own).map(([name, value]) => `${name}=${quoted(value)}`);
    // The tests are run by a task, the program is not.
    await this.type(
      `clear; env -u INIT_CWD -u USER -u USERNAME ${alone}${env.join(" ")} ${noting} ${
        words.join(" ")
      }`,
    );
    await this.press("Enter");
  }

  /** Sends a signal to the program that was started last. */
  signal(signal: Deno.Signal): void {
    Deno.kill(Number(Deno.readTextFileSync(this.#processFile)), signal);
  }

  /** Types a text. */
  async type(text: string): Promise<void> {
    await this.#tmux(["send-keys", "-l", "--", text]);
  }

  /** Presses keys by their tmux names: `Enter`, `Up`, `Tab`, `C-c`, … */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux(["send-keys", "--", ...keys]);
  }

  /** Pastes a text as a terminal does, with marks around it if the program asks for them. */
  async paste(text: string): Promise<void> {
    await this.#tmux(["load-buffer", "-"], text);
    await this.#tmux(["paste-buffer", "-p", "-r"]);
  }

  /** Changes the size of the terminal, and waits for SIGWINCH, which tmux delays. */
  async resize(columns: number, rows: number): Promise<void> {
    await this.resizeAtOnce(columns, rows);
    await until(async () => {
      const size = (await this.#stty("size")).trim();
      return size === `${rows} ${columns}` ? true : undefined;
    }, () => `the size ${columns} × ${rows}`);
  }

  /** Has the terminal take no output: Ctrl-S, which the program has turned off. */
  async stall(): Promise<void> {
    await this.#stty("ixon");
    await this.press("C-s");
  }

  /** Has it take output again. */
  async flow(): Promise<void> {
    await this.press("C-q");
    await this.#stty("-ixon");
  }

  async #stty(setting: string): Promise<string> {
    const tty = (await this.#tmux(["display-message", "-p", "#{pane_tty}"])).trim();
    const args = ["-c", 'stty "$1" < "$2"', "sh", setting, tty];
    return new TextDecoder().decode((await new Deno.Command("sh", { args }).output()).stdout);
  }

  /** Changes the size of the terminal, without waiting until its program can know. */
  async resizeAtOnce(columns: number, rows: number): Promise<void> {
    await this.#tmux(["resize-window", "-x", `${columns}`, "-y", `${rows}`]);
  }

  /** The rows of the screen down to the last that is not empty. */
  async rows(): Promise<string[]> {
    const rows = (await this.#tmux(["capture-pane", "-p"])).split("\n");
    return rows.map((row) => row.trimEnd()).slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** The rows of the screen, after those that scrolled away. */
  async allRows(): Promise<string[]> {
    const rows = (await this.#tmux(["capture-pane", "-p", "-S", "-"])).split("\n");
    return rows.map((row) => row.trimEnd()).slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** The rows of the screen with their SGR codes. */
  async styledRows(): Promise<string[]> {
    const { length } = await this.rows();
    return (await this.#tmux(["capture-pane", "-e", "-p"])).split("\n").slice(0, length);
  }

  /** The same, but rows that the terminal broke by itself are one. */
  async joinedRows(): Promise<string[]> {
    const rows = (await this.#tmux(["capture-pane", "-p", "-J"])).split("\n");
    return rows.map((row) => row.trimEnd());
  }

  /** Which of the rows of the screen begin underlined. */
  async underlined(): Promise<boolean[]> {
    let isUnderlined = false;
    return (await this.styledRows()).map((row) => {
      const parts = row.split(SGR);
      // Codes at the very beginning count; the text before a code is at even places.
      for (let at = 1; at < parts.length && parts[at - 1] === ""; at += 2) {
        isUnderlined = isUnderlinedAfter(isUnderlined, parts[at]);
      }
      const begins = isUnderlined;
      for (let at = 1; at < parts.length; at += 2) {
        isUnderlined = isUnderlinedAfter(isUnderlined, parts[at]);
      }
      return begins;
    });
  }

  /** Column and row of the cursor, from 0. */
  async cursor(): Promise<[column: number, row: number]> {
    const at = (await this.#tmux(["display-message", "-p", "#{cursor_x} #{cursor_y}"])).split(" ");
    return [Number(at[0]), Number(at[1])];
  }

  /** Whether the cursor is visible and the normal screen is active. */
  async isPlain(): Promise<boolean> {
    const format = "#{cursor_flag} #{alternate_on}";
    return (await this.#tmux(["display-message", "-p", format])).trim() === "1 0";
  }

  /** Waits until the terminal has this title. */
  async waitForTitle(title: string): Promise<void> {
    let shown = "";
    await until(async () => {
      shown = (await this.#tmux(["display-message", "-p", "#{pane_title}"])).trim();
      return shown === title ? true : undefined;
    }, () => `the title "${title}"; it is "${shown}"`);
  }

  /**
   * Records every byte that programs write from now on; returns a function that reads them, all that
   * the screen shows among them.
   */
  async record(): Promise<() => Promise<string>> {
    let count = 0;
    const file = (): string => `${this.folder}/record-${count}`;
    const start = (): string[] => {
      count++;
      return ["pipe-pane", `cat > '${file()}.part' && mv '${file()}.part' '${file()}'`];
    };
    await this.#tmux(start());
    let all = "";
    return async () => {
      const written = file();
      // The one that writes the file ends with its pipe.
      await this.#tmux(["pipe-pane", ";", ...start()]);
      const read = () => Deno.readTextFile(written).catch(() => undefined);
      return all += await until(read, () => `the end of ${written}`);
    };
  }

  /** Waits until the rows satisfy the predicate; returns them. */
  async waitFor(
    predicate: RegExp | ((rows: string[]) => boolean | Promise<boolean>),
    timeout = PATIENCE,
  ): Promise<string[]> {
    const holds = predicate instanceof RegExp
      ? (rows: string[]) => predicate.test(rows.join("\n"))
      : predicate;
    let rows: string[] = [];
    const shown = (): string => rows.map((row) => `  ▏${row}`).join("\n");
    return await until(
      async () => {
        rows = await this.rows();
        return await holds(rows) ? rows : undefined;
      },
      () => `${predicate}; the screen:\n${shown()}`,
      timeout,
    );
  }

  /** Waits until the program has ended; returns its exit status and the settings of the terminal. */
  async afterwards(timeout = PATIENCE): Promise<{ status: number; settings: string }> {
    await this.waitFor((rows) => rows.at(-1) === "$", timeout);
    await this.type("s=$?; clear; stty -a; echo status=$s");
    await this.press("Enter");
    const rows = await this.waitFor(/^status=\d+\n\$$/m);
    const status = Number(/^status=(\d+)$/m.exec(rows.join("\n"))?.[1]);
    return { status, settings: rows.join(" ") };
  }

  /** Closes the window, as with a mouse: its programs have no terminal any more. */
  async closeWindow(): Promise<void> {
    await this.#tmux(["new-window", "-d"]);
    await this.#tmux(["kill-window"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tmux(["kill-server"]);
    // Its programs get SIGHUP, and may write a file before they end.
    const remove = () => Deno.remove(this.folder, { recursive: true });
    await until(() => remove().then(() => true, () => undefined), () => "an empty folder");
  }

  async #tmux(args: string[], input?: string): Promise<string> {
    const child = new Deno.Command("tmux", {
      args: ["-u", "-S", `${this.folder}/tmux`, ...args],
      env: { LC_ALL: "C.UTF-8" },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(input));
      await writer.close();
    }
    const { success, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`tmux ${args[0]}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}
