/**
 * A fixture for tests of the client's screen: Ana in a terminal, and Bob on a pipe.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { commandLine, type Program, type RunningServer, Stage } from "./process.ts";
import { Screen, TMUX } from "./tmux.ts";

/** Ana in a terminal, Bob on a pipe, both registered. */
export interface Scene {
  readonly stage: Stage;
  readonly server: RunningServer;
  readonly screen: Screen;
  readonly bob: Program;
  /** Starts Ana's client again. */
  readonly start: () => Promise<void>;
}

/** Ana's terminal and options. */
export interface Setting {
  readonly columns: number;
  readonly rows: number;
  /** The options of her client. */
  readonly options: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** Columns and rows of the terminals of most people, of large ones, and of small ones. */
export const SIZES = [[80, 24], [120, 35], [40, 10]] as const;

/** Registers a test for each of these sizes. */
export function testScenes(
  name: string,
  play: (scene: Scene) => Promise<void>,
  sizes: readonly (readonly [number, number])[] = SIZES,
): void {
  for (const [columns, rows] of sizes) {
    testScene(`at ${columns} × ${rows} ${name}`, play, { columns, rows });
  }
}

/** Registers a test between Ana in a terminal and Bob on a pipe. */
export function testScene(
  name: string,
  play: (scene: Scene) => Promise<void>,
  { columns = 80, rows = 24, options = [], variables = {} }: Partial<Setting> = {},
): void {
  Deno.test({
    name: `terminal: ${name}${TMUX.note}`,
    ignore: TMUX.ignore,
    async fn() {
      await using stage = new Stage();
      // Any client may take any name.
      const server = await stage.serve("--name-hold", "0");
      await using screen = await Screen.open(columns, rows);
      const bob = await stage.jsonClient("bob", server);
      const start = async (): Promise<void> => {
        const all = ["--server", server.address, "--name", "ana", ...options];
        await screen.run(commandLine("client"), all, variables);
        await screen.waitFor(/Registered at [^]* as\s+client 2 \(ana\)/);
      };
      await start();
      await play({ stage, server, screen, bob, start });
    },
  });
}

/** Connects the two: Bob asks, Ana accepts. */
export async function connect({ screen, bob }: Scene): Promise<void> {
  await bob.type("connect ana");
  await screen.waitFor(/Connection Request from bob/);
  await enter(screen, "accept");
  await bob.waitForEvent("connected");
  await screen.waitFor(/Connected to bob[^]*\nbob >/);
}

/** Types a line and enters it. */
export async function enter(screen: Screen, line: string): Promise<void> {
  await screen.type(line);
  await screen.press("Enter");
}

/** The number of rows that match. */
export function count(rows: string[], pattern: RegExp): number {
  return rows.filter((row) => pattern.test(row)).length;
}

/** Checks the exit status, and that the terminal has its former settings. */
export async function assertSane(screen: Screen, status: number): Promise<void> {
  const after = await screen.afterwards();
  assertEquals(after.status, status);
  for (const setting of ["echo", "icanon", "isig", "icrnl", "opost"]) {
    assertMatch(after.settings, new RegExp(` ${setting}\\b`), `${setting} is on`);
  }
}
