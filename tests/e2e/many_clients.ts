/**
 * A process with many clients, each on a socket of its own; the first ones talk in pairs.
 *
 * It prints events as the client does with `--json`: `spread`, where the clients are registered,
 * whenever that changes; `talking`, when all conversations have begun; and `report`, for each line of
 * its input.
 *
 * @module
 */
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import { jsonLine } from "../../client/output/json.ts";
import { loadCipher } from "../../protocol/crypto/sodium.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { clock, type Drive, drive, openSocket, systemRandom } from "../../protocol/udp.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { clientOptions } from "../support/client_options.ts";

/** What such a process is started with. */
export interface ManyClientsConfig {
  readonly directories: readonly Address[];
  readonly clients: number;
  /** What their names begin with. */
  readonly prefix: string;
  /** Pairs of clients that talk. */
  readonly conversations: number;
  /** Whether they know one directory each, in turn, and nothing reaches them but through that. */
  readonly isApart?: boolean;
}

/** What has become of a client. */
export interface ClientReport {
  readonly id: number;
  readonly name: string;
  /** The port of the directory that answered last. */
  readonly at: number;
  /** Its events, by kind; moves to another directory by what they were for: `moved silent`. */
  readonly events: Readonly<Record<string, number>>;
  /** The ways that its conversation went, by the events that told. */
  readonly paths: readonly string[];
  readonly sent: number;
  readonly received: number;
  /** Whether a message was missing, or came twice. */
  readonly isBroken: boolean;
  /** The longest time between two messages that came, in milliseconds. */
  readonly longestSilence: number;
}

/** Milliseconds between two messages of a client. */
const TALK_INTERVAL = 100;
/** Milliseconds in which changes of where clients are become one event. */
const SPREAD_DELAY = 20;

const encoder = new TextEncoder();

function print(event: string, fields: Record<string, unknown>): void {
  Deno.stdout.writeSync(encoder.encode(`${jsonLine(event, new Date(), fields)}\n`));
}

class OneClient {
  readonly #client: Client;
  readonly #drive: Drive;
  readonly #onMove: () => void;
  readonly #onConnected: () => void;
  readonly #name: string;
  readonly #events: Record<string, number> = {};
  readonly #paths: string[] = [];
  #id = 0;
  #at = 0;
  #sent = 0;
  #received = 0;
  #isBroken = false;
  #receivedAt = 0;
  #longestSilence = 0;

  constructor(
    name: string,
    directoryAddresses: readonly Address[],
    isApart: boolean,
    onMove: () => void,
    onConnected: () => void,
  ) {
    this.#name = name;
    this.#onMove = onMove;
    this.#onConnected = onConnected;
    const socket = openSocket("127.0.0.1", 0);
    const receive = socket.receive.bind(socket);
    socket.receive = async (buffer) => {
      for (;;) {
        const [bytes, from] = await receive(buffer);
        const { port } = from as Deno.NetAddr;
        if (!isApart || directoryAddresses.some((each) => each.port === port)) return [bytes, from];
      }
    };
    this.#client = new Client(
      clock(),
      clientOptions({
        directoryAddresses,
        name,
        port: (socket.addr as Deno.NetAddr).port,
        acceptAll: true,
        identity: makeKeyPair(systemRandom),
        random: systemRandom,
      }),
    );
    this.#drive = drive(this.#client, socket, (event) => this.#handle(event));
  }

  /** The port of the directory where it is registered, 0 for none. */
  get at(): number {
    return this.#at;
  }

  connect(name: string): void {
    this.#drive.input((now) => this.#client.connect(now, name));
  }

  talk(): void {
    this.#receivedAt = clock();
    setInterval(() => {
      this.#drive.input((now) => this.#client.send(now, `${this.#sent++}`));
    }, TALK_INTERVAL);
  }

  report(): ClientReport {
    return {
      id: this.#id,
      name: this.#client.view().name,
      at: this.#at,
      events: this.#events,
      paths: this.#paths,
      sent: this.#sent,
      received: this.#received,
      isBroken: this.#isBroken,
      longestSilence: Math.round(this.#longestSilence),
    };
  }

  #handle(event: ClientEvent): void {
    const { kind } = event;
    const counted = kind === "serverMoved" ? `moved ${event.why}` : kind;
    this.#events[counted] = (this.#events[counted] ?? 0) + 1;
    if (kind === "connected" || kind === "path") this.#paths.push(event.path);
    if (kind === "registered") {
      this.#id = event.id;
      this.#move(event.serverAddress.port);
    } else if (kind === "serverMoved") this.#move(event.address.port);
    else if (kind === "connected") this.#onConnected();
    else if (kind === "message") {
      if (event.text !== `${this.#received++}`) this.#isBroken = true;
      const silence = clock() - this.#receivedAt;
      this.#longestSilence = Math.max(this.#longestSilence, silence);
      this.#receivedAt += silence;
    } else if (kind === "error") print("problem", { client: this.#name, ...event });
  }

  #move(port: number): void {
    this.#at = port;
    this.#onMove();
  }
}

async function run(config: ManyClientsConfig): Promise<void> {
  const { directories, clients: count, conversations, prefix, isApart = false } = config;
  await loadCipher();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let begun = 0;
  const onMove = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      print("spread", { at: spread(clients) });
    }, SPREAD_DELAY);
  };
  const onConnected = (): void => {
    if (++begun !== 2 * conversations) return;
    for (const each of clients.slice(0, 2 * conversations)) each.talk();
    print("talking", {});
  };
  const clients = Array.from({ length: count }, (_, index) => {
    const known = isApart ? [directories[index % directories.length]!] : directories;
    return new OneClient(`${prefix}${index}`, known, isApart, onMove, onConnected);
  });
  const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream());
  for await (const command of lines) {
    if (command === "talk\n") {
      for (let each = 0; each < 2 * conversations; each += 2) {
        clients[each]!.connect(`${prefix}${each + 1}`);
      }
    } else print("report", { clients: clients.map((each) => each.report()) });
  }
}

/** How many clients are at each directory, by its port. */
function spread(clients: readonly OneClient[]): Record<string, number> {
  const at: Record<string, number> = {};
  for (const each of clients) if (each.at !== 0) at[each.at] = (at[each.at] ?? 0) + 1;
  return at;
}

if (import.meta.main) {
  await run(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}
