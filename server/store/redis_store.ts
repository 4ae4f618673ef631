/**
 * A store on Redis or Valkey.
 *
 * One connection carries the questions and, in RESP3, what is published, so that all that a directory
 * gets is in the order in which the store made it. A connection that fails is closed; another is
 * opened after a while, and reads all anew.
 *
 * @module
 */
import { errorMessage } from "../../cli/errors.ts";
import { formatAddress } from "../../protocol/wire/address.ts";
import { type Channels, channelsOf, readChange, readReply, scriptCall } from "./commands.ts";
import { LAST_KEY, type ScriptName, SCRIPTS } from "./scripts.ts";
import type { StoreInput, StoreQuestion } from "./store.ts";
import type { StoreUrl } from "./store_url.ts";

/** Questions without an answer; further ones are dropped. */
const QUESTIONS_MAX = 10_000;
/** Characters in the questions without an answer; further ones are dropped. */
const CHARACTERS_MAX = 16 * 1024 * 1024;

/** Milliseconds that opening a connection may take. */
const OPEN_TIMEOUT = 3000;
/** Milliseconds before a connection is tried again: doubled each time, up to the maximum. */
const RETRY_MIN = 100;
const RETRY_MAX = 1000;

/** Milliseconds from one ping to the next, and how many of these an answer may take. */
const PING_INTERVAL = 1000;
const UNANSWERED_MAX = 4;

/** What Deno says, by its version, of a certificate from an authority that it does not know. */
const UNKNOWN_AUTHORITY = /unable to (?:verify|get)|self.signed|UnknownIssuer/;

/** A store that is open, also while it cannot be reached. */
export interface OpenStore {
  /** Asks questions in order, all of one turn of the event loop together; not while it is down. */
  ask(questions: readonly StoreQuestion[]): void;
  close(): void;
}

/** What is used of the client of Redis. */
interface Client {
  connect(): Promise<unknown>;
  subscribe(
    channels: string[],
    listener: (message: string, channel: string) => void,
  ): Promise<void>;
  sendCommand(args: string[]): Promise<unknown>;
  on(event: "error", listener: (error: unknown) => void): unknown;
  destroy(): void;
}

/** Opens a store for a directory, by the number that it chose; its inputs come from then on. */
export function openStore(
  url: StoreUrl,
  directory: number,
  onInput: (input: StoreInput) => void,
): OpenStore {
  return new RedisStore(url, directory, onInput);
}

class RedisStore implements OpenStore {
  readonly #url: StoreUrl;
  readonly #directory: number;
  readonly #onInput: (input: StoreInput) => void;
  #connection: Connection | undefined;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retryInterval = RETRY_MIN;
  /** Why it is down, as it was reported. */
  #reported: string | undefined;

  constructor(url: StoreUrl, directory: number, onInput: (input: StoreInput) => void) {
    this.#url = url;
    this.#directory = directory;
    this.#onInput = onInput;
    this.#open();
  }

  ask(questions: readonly StoreQuestion[]): void {
    for (const question of questions) this.#connection?.ask(question);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#connection?.close();
  }

  #open(): void {
    const connection = new Connection(this.#url, this.#directory, {
      onInput: (input) => this.#take(connection, input),
      onProven: () => this.#retryInterval = RETRY_MIN,
      onLost: (why) => this.#retry(connection, why),
    });
    this.#connection = connection;
    connection.open();
  }

  #take(connection: Connection, input: StoreInput): void {
    if (this.#isClosed || connection !== this.#connection) return;
    if (input.kind === "up") this.#reported = undefined;
    this.#onInput(input);
  }

  #retry(connection: Connection, why: string): void {
    if (this.#isClosed || connection !== this.#connection) return;
    this.#connection = undefined;
    this.#timer = setTimeout(() => this.#open(), this.#retryInterval);
    this.#retryInterval = Math.min(2 * this.#retryInterval, RETRY_MAX);
    const { host: hostname, port } = this.#url;
    const hint = UNKNOWN_AUTHORITY.test(why) ? "; DENO_CERT names the file of its authority" : "";
    const reason = `Cannot use the store at ${formatAddress({ hostname, port })}: ${why}${hint}`;
    if (reason === this.#reported) return;
    this.#reported = reason;
    this.#onInput({ kind: "down", reason });
  }
}

/** What a connection reports. */
interface Listeners {
  onInput(input: StoreInput): void;
  /** It has worked for a while. */
  onProven(): void;
  /** It has failed, and is closed. */
  onLost(why: string): void;
}

/** A connection, from its opening until it fails. */
class Connection {
  readonly #url: StoreUrl;
  readonly #channels: Channels;
  readonly #directory: number;
  readonly #listeners: Listeners;
  #client: Client | undefined;
  #state: "opening" | "up" | "closed" = "opening";
  /** The digests by which the scripts are called. */
  #digests: ReadonlyMap<ScriptName, string> = new Map();
  #questions = 0;
  #characters = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How many times it was to be pinged since the ping that is not answered. */
  #unanswered = 0;

  constructor(url: StoreUrl, directory: number, listeners: Listeners) {
    this.#url = url;
    this.#channels = channelsOf(url.database);
    this.#directory = directory;
    this.#listeners = listeners;
  }

  open(): void {
    const late = `no answer within ${OPEN_TIMEOUT / 1000} s`;
    this.#timer = setTimeout(() => this.#fail(late), OPEN_TIMEOUT);
    this.#connect().then(() => this.#start(), (error) => this.#fail(errorMessage(error)));
  }

  ask(question: StoreQuestion): void {
    if (this.#state !== "up") return;
    if (question.kind === "send") {
      const { directory, message } = question;
      this.#send(["PUBLISH", this.#channels.messagesTo(directory), message], () => {});
      return;
    }
    const { name, args } = scriptCall(question, this.#channels);
    const call = ["EVALSHA", this.#digests.get(name)!, "1", LAST_KEY, ...args];
    const take = (reply: unknown): void => {
      const input = readReply(question, reply);
      if (input !== undefined) this.#listeners.onInput(input);
    };
    this.#send(call, take, ["EVAL", SCRIPTS[name], "1", LAST_KEY, ...args]);
  }

  close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#client?.destroy();
  }

  async #connect(): Promise<void> {
    const client = this.#client = await createClient(this.#url);
    client.on("error", (error) => this.#fail(errorMessage(error)));
    // It was closed while the client was loaded.
    if (this.#state === "closed") return client.destroy();
    await client.connect();
    const { changes, messagesTo } = this.#channels;
    const own = messagesTo(this.#directory);
    await client.subscribe([changes, own], (message, channel) => {
      const input = channel === own ? { kind: "message", message } as const : readChange(message);
      // An exception of the directory is not one of the client, which would take it for its own.
      if (input !== undefined) queueMicrotask(() => this.#give(input));
    });
    const load = async (name: ScriptName): Promise<[ScriptName, string]> => {
      return [name, String(await client.sendCommand(["SCRIPT", "LOAD", SCRIPTS[name]]))];
    };
    const loading = (Object.keys(SCRIPTS) as ScriptName[]).map(load);
    const [, ...digests] = await Promise.all([client.sendCommand(["PING"]), ...loading]);
    this.#digests = new Map(digests);
    // Whether it may do all that it has to, and there is room.
    await client.sendCommand(["EVALSHA", this.#digests.get("probe")!, "1", LAST_KEY, own]);
  }

  #start(): void {
    if (this.#state === "closed") return;
    this.#state = "up";
    clearTimeout(this.#timer);
    this.#timer = setInterval(() => this.#ping(), PING_INTERVAL);
    this.#listeners.onInput({ kind: "up" });
  }

  #give(input: StoreInput): void {
    if (this.#state === "up") this.#listeners.onInput(input);
  }

  /** Counts, so that a process that was suspended does not take its own silence for the store's. */
  #ping(): void {
    if (this.#unanswered === UNANSWERED_MAX) {
      return this.#fail(`no answer for ${UNANSWERED_MAX * PING_INTERVAL / 1000} s`);
    }
    if (this.#unanswered++ > 0) return;
    this.#client?.sendCommand(["PING"]).then(() => {
      this.#unanswered = 0;
      this.#listeners.onProven();
    }, (error) => this.#fail(errorMessage(error)));
  }

  /** Sends a command, or the other one where the store has lost the script. */
  #send(command: string[], take: (reply: unknown) => void, withScript?: string[]): void {
    const size = command.reduce((sum, { length }) => sum + length, 0);
    if (this.#questions === QUESTIONS_MAX || this.#characters + size > CHARACTERS_MAX) return;
    this.#questions++;
    this.#characters += size;
    const done = (): void => {
      this.#questions--;
      this.#characters -= size;
    };
    this.#client!.sendCommand(command).then((reply) => {
      done();
      if (this.#state === "up") take(reply);
    }, (error) => {
      done();
      const message = errorMessage(error);
      if (withScript === undefined || !message.startsWith("NOSCRIPT")) this.#fail(message);
      else if (this.#state === "up") this.#send(withScript, take);
    });
  }

  #fail(why: string): void {
    if (this.#state === "closed") return;
    this.close();
    this.#listeners.onLost(why);
  }
}

/** Loads the client of Redis, which nothing else needs, and makes one. */
async function createClient(url: StoreUrl): Promise<Client> {
  const { host, port, username, password, database, isSecure } = url;
  const redis = await import("@redis/client");
  const socket = { host, port, connectTimeout: OPEN_TIMEOUT, reconnectStrategy: false } as const;
  return redis.createClient({
    RESP: 3,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
    database,
    socket: isSecure ? { ...socket, tls: true } : socket,
    disableOfflineQueue: true,
    // Each of these sends commands that a directory has no use for, or reads the environment.
    disableClientInfo: true,
    maintNotifications: "disabled",
    // The pings find out; a timer for each command would cost more than the command.
    commandOptions: { timeout: 0 },
  });
}
