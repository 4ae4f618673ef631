/**
 * `deno task picture`: plays a conversation in real terminals, and draws what they show.
 *
 * A directory and two clients, each in a terminal of tmux and with folders of its own; two more
 * clients come, and one goes, so that there is something in the table.
 *
 * @module
 */
import { formatIdentity } from "../../cli/identity.ts";
import { CLIENT_IDENTITY, DIRECTORY_IDENTITY } from "../../cli/identity_file.ts";
import { SERVER_PORT } from "../../client/directory_addresses.ts";
import { KEY_SIZE } from "../../protocol/crypto/x25519.ts";
import { commandLine, type Side, Stage } from "../../tests/e2e/process.ts";
import { Screen, TMUX } from "../../tests/e2e/tmux.ts";
import { picture, type Terminal } from "./svg.ts";

const FILE = new URL("picture.svg", import.meta.url);
const LABEL = "The table of a directory, and two clients in conversation, in three terminals";
const CLIENT_COLUMNS = 59;
const CLIENT_ROWS = 20;
const SERVER_COLUMNS = 68;
const SERVER_ROWS = 14;
/** Keys whose colors are easy to tell apart, and that of the directory. */
const KEYS: Readonly<Record<string, number>> = { ana: 5, bob: 3, directory: 1 };

/** A program in a terminal, and the title above it. */
class Window {
  readonly screen: Screen;
  readonly #title: string;
  readonly #columns: number;

  private constructor(screen: Screen, title: string, columns: number) {
    this.screen = screen;
    this.#title = title;
    this.#columns = columns;
  }

  /** `key`: what the bytes of the identity are. */
  static async open(
    side: Side,
    args: readonly string[],
    columns: number,
    rows: number,
    key?: number,
  ): Promise<Window> {
    const screen = await Screen.open(columns, rows);
    if (key !== undefined) {
      Deno.mkdirSync(`${screen.folder}/udp-chat`);
      const { fileName } = side === "serve" ? DIRECTORY_IDENTITY : CLIENT_IDENTITY;
      const identity = formatIdentity(new Uint8Array(KEY_SIZE).fill(key));
      Deno.writeTextFileSync(`${screen.folder}/udp-chat/${fileName}`, identity, { mode: 0o600 });
    }
    await screen.run(commandLine(side), args);
    return new Window(screen, ["udp-chat", side, ...args].join(" "), columns);
  }

  /** Types a line, and waits for the result. */
  async enter(line: string, result: RegExp): Promise<void> {
    await this.screen.type(line);
    await this.screen.press("Enter");
    await this.screen.waitFor(result);
  }

  async show(hasCursor: boolean): Promise<Terminal> {
    const { screen } = this;
    const drawn = { title: this.#title, columns: this.#columns, rows: await screen.styledRows() };
    return hasCursor ? { ...drawn, cursor: await screen.cursor() } : drawn;
  }
}

/** Whether nothing listens on the usual port, so that it need not be named. */
function isUsualPortFree(): boolean {
  try {
    Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: SERVER_PORT }).close();
    return true;
  } catch {
    return false;
  }
}

async function play(): Promise<string> {
  const serverArgs = isUsualPortFree() ? [] : ["--port", "0"];
  const size = [SERVER_COLUMNS, SERVER_ROWS] as const;
  const server = await Window.open("serve", serverArgs, ...size, KEYS["directory"]);
  await using _server = server.screen;
  await using stage = new Stage();
  const listening = (await server.screen.waitFor(/Listening on \S+/))[0]!;
  const address = /Listening on (\S+)/.exec(listening)![1]!;
  const where = serverArgs.length === 0 ? [] : ["--server", address];
  const openClient = async (name: string): Promise<Window> => {
    const args = ["--name", name, ...where];
    const window = await Window.open("client", args, CLIENT_COLUMNS, CLIENT_ROWS, KEYS[name]);
    await window.screen.waitFor(/· idle >$/m);
    return window;
  };
  const ana = await openClient("ana");
  await using _ana = ana.screen;
  // Not all at once, so that the ages differ.
  await server.screen.waitFor(/ ana .* 4s$/m);
  const bob = await openClient("bob");
  await using _bob = bob.screen;
  await server.screen.waitFor(/ bob .* 3s$/m);
  await stage.jsonClient("mia", { address });
  const tom = await stage.jsonClient("tom", { address });
  await ana.enter("connect bob", /ringing/);
  await bob.screen.waitFor(/Connection Request/);
  await bob.enter("accept", /Connected/);
  await ana.screen.waitFor(/^bob >$/m);
  const say = async (from: Window, to: Window, text: string): Promise<void> => {
    await from.enter(text, new RegExp(`✓.*${text.slice(0, 9)}`));
    await to.screen.waitFor(new RegExp(text.slice(0, 9)));
  };
  await say(ana, bob, "Tea at four?");
  await say(bob, ana, "With pleasure. I bring the cake 🍰");
  await say(ana, bob, "Make it half past: the trains are late again, all of them.");
  await say(bob, ana, "Half past four it is.");
  await ana.screen.type("See you th");
  await ana.screen.waitFor(/See you th$/m);
  await server.screen.waitFor(/ mia .* 2s$/m);
  await tom.endInput();
  await tom.exit;
  await server.screen.waitFor(/\(tom\) left/);
  const clients = [await ana.show(true), await bob.show(true)];
  const rows = Math.max(...clients.map((client) => client.rows.length));
  const filled = clients.map((client) => ({
    ...client,
    rows: [...client.rows, ...Array<string>(rows - client.rows.length).fill("")],
  }));
  return picture([[await server.show(false)], filled], LABEL);
}

if (TMUX.ignore) {
  console.error("Cannot make the picture: tmux is not installed");
  Deno.exit(1);
}
Deno.writeTextFileSync(FILE, await play());
