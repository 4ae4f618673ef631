/**
 * Ana at a terminal and Bob in a pipe, for the tests of what is on Ana's screen.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { commandLine, type Program, type RunningServer, Stage } from "./process.ts";
import { Screen, TMUX } from "./tmux.ts";

/** Ana at a terminal, Bob in a pipe, connected. */
export interface Scene {
  readonly stage: Stage;
  readonly server: RunningServer;
  readonly screen: Screen;
  readonly bob: Program;
  /** Starts Ana's client again. */
  readonly start: () => Promise<void>;
}

/** How Ana sits there. */
export interface Setting {
  readonly columns: number;
  readonly rows: number;
  /** What she starts her client with. */
  readonly options: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

/** Plays a test between Ana at a terminal and Bob in a pipe. */
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
      const server = await stage.serve();
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
  await screen.waitFor(/Connection Request from client 1\s+\(bob\)/);
  await enter(screen, "accept");
  await bob.waitForEvent("connected");
  await screen.waitFor(/Connected to client 1 \(bob\)[^]*\nbob >/);
}

/** Types a line and enters it. */
export async function enter(screen: Screen, line: string): Promise<void> {
  await screen.type(line);
  await screen.press("Enter");
}

/** How many of the rows match. */
export function count(rows: string[], pattern: RegExp): number {
  return rows.filter((row) => pattern.test(row)).length;
}

/** Asserts that the terminal takes lines and shows what is typed, as before. */
export async function assertSane(screen: Screen, status: number): Promise<void> {
  const after = await screen.afterwards();
  assertEquals(after.status, status);
  for (const setting of ["echo", "icanon", "isig", "icrnl", "opost"]) {
    assertMatch(after.settings, new RegExp(` ${setting}\\b`), `${setting} is on`);
  }
}
