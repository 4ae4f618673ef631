/**
 * A fixture: a directory and two clients, each in a network of its own, that call each other.
 *
 * @module
 */
import { HostsFile } from "./hosts_file.ts";
import { DIRECTORY, type Line, NatLab } from "./nat_lab.ts";
import { type CommandLine, type JsonEvent, type Program, Stage } from "./process.ts";

/** The two clients; each has the name of its host. */
export type Side = "a" | "b";

/** How a connection goes. */
export type PathKind = "lan" | "direct" | "carried";

/** What `call()` took, in ms from the first `requesting`. */
export interface CallTimes {
  /** To the callee's `request`. */
  readonly toRing: number;
  /** To the caller's `ringing`. */
  readonly toRinging: number;
}

/** The name of the directory, which has addresses of both families. */
const DIRECTORY_NAME = "directory";
/** Milliseconds to wait for a connection. */
const PATIENCE = 30_000;
const DEFAULT_LINE: Line = { ms: 25, loss: 0 };

/** The peer. */
export function otherOf(side: Side): Side {
  return side === "a" ? "b" : "a";
}

/** A directory and two registered clients in a topology. */
export class Encounter implements AsyncDisposable {
  readonly lab: NatLab;
  readonly directory: Program;
  readonly a: Program;
  readonly b: Program;
  readonly #open: AsyncDisposableStack;

  private constructor(
    lab: NatLab,
    [directory, a, b]: readonly [Program, Program, Program],
    open: AsyncDisposableStack,
  ) {
    this.lab = lab;
    this.directory = directory;
    this.a = a;
    this.b = b;
    this.#open = open;
  }

  /** Builds the topology, and starts the programs in it; `serveArgs` are more for the directory. */
  static async open(
    topology: string,
    line: Partial<Line> = {},
    serveArgs: readonly string[] = [],
  ): Promise<Encounter> {
    await using open = new AsyncDisposableStack();
    const lab = open.use(await NatLab.build(topology, { ...DEFAULT_LINE, ...line }));
    const hosts = open.use(new HostsFile(DIRECTORY_NAME, [DIRECTORY.ipv6, DIRECTORY.ipv4]));
    const wrap = (name: string, command: CommandLine): CommandLine =>
      lab.wrap(name, hosts.wrap(command));
    const stage = open.use(new Stage({ wrap, env: lab.env }));
    const programs = await startPrograms(stage, topology, serveArgs);
    return new Encounter(lab, programs, open.move());
  }

  /** One calls, and the other accepts once it rings; returns when both are connected. */
  async call(from: Side): Promise<CallTimes> {
    const [caller, callee] = [this[from], this[otherOf(from)]];
    await caller.type(`connect ${otherOf(from)}`);
    const start = await caller.waitForEvent("requesting", { attempt: 1 });
    const [request, ringing] = await Promise.all([
      callee.waitForEvent("request", {}, PATIENCE),
      caller.waitForEvent("ringing", {}, PATIENCE),
    ]);
    await callee.type("accept");
    await this.#connected();
    return { toRing: between(start, request), toRinging: between(start, ringing) };
  }

  /** Both call at once; returns the ms from the first `requesting` until both are connected. */
  async callBoth(): Promise<number> {
    await Promise.all([this.a.type("connect b"), this.b.type("connect a")]);
    const connected = await this.#connected();
    const starts = [this.a, this.b].flatMap((each) => each.events().filter(isStart).slice(-1));
    const first = Math.min(...starts.map(timeOf));
    return Math.max(...connected.map(timeOf)) - first;
  }

  #connected(): Promise<JsonEvent[]> {
    return this.#both("connected");
  }

  #both(event: string): Promise<JsonEvent[]> {
    return Promise.all([this.a, this.b].map((each) => each.waitForEvent(event, {}, PATIENCE)));
  }

  /** Waits until the connection goes that way at both ends. */
  async waitForPath(kind: PathKind): Promise<void> {
    await Promise.all([this.a, this.b].map((each) => waitForPath(each, kind)));
  }

  /** Ends the connection. */
  async terminate(): Promise<void> {
    await this.a.type("terminate");
    await this.#both("terminated");
  }

  /** The directory's totals, after both clients have left. */
  async end(): Promise<JsonEvent> {
    await Promise.all([this.a.type("leave"), this.b.type("leave")]);
    await this.#both("left");
    this.directory.signal("SIGINT");
    return await this.directory.waitForEvent("totals");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.disposeAsync();
  }
}

async function startPrograms(
  stage: Stage,
  topology: string,
  serveArgs: readonly string[],
): Promise<[Program, Program, Program]> {
  const directory = stage.start("directory", "serve", ["--host", "::", "--json", ...serveArgs]);
  await directory.waitForEvent("listening");
  const start = (side: Side): Promise<Program> => {
    return stage.jsonClient(side, { address: directoryFor(topology, side) });
  };
  return [directory, ...await Promise.all([start("a"), start("b")])];
}

/** The directory's address in the family that a side has; its name where that has both. */
function directoryFor(topology: string, side: Side): string {
  const kind = topology.split("+")[side === "a" ? 0 : 1];
  if (kind === "dual") return DIRECTORY_NAME;
  return kind === "v6" ? `[${DIRECTORY.ipv6}]` : DIRECTORY.ipv4;
}

function isStart({ event, attempt }: JsonEvent): boolean {
  return event === "requesting" && attempt === 1;
}

function timeOf({ time }: JsonEvent): number {
  return Date.parse(time);
}

function between(start: JsonEvent, end: JsonEvent): number {
  return timeOf(end) - timeOf(start);
}

/** The way that the connection of a client goes, as it has told so far. */
function pathOf(client: Program): unknown {
  const last = client.events().findLast(({ event }) => event === "connected" || event === "path");
  return last?.event === "path" ? last.kind : last?.path;
}

async function waitForPath(client: Program, kind: PathKind): Promise<void> {
  if (pathOf(client) !== kind) await client.waitForEvent("path", { kind });
}
