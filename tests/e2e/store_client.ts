/**
 * A directory's end of a store, for tests: asks, and waits for inputs.
 *
 * @module
 */
import { type OpenStore, openStore } from "../../server/store/redis_store.ts";
import type {
  CommitQuestion,
  Lease,
  StoreInput,
  StoreQuestion,
  StoreRecord,
} from "../../server/store/store.ts";
import { parseStoreUrl } from "../../server/store/store_url.ts";
import { commitQuestion } from "../support/store_questions.ts";
import { PATIENCE } from "./lines.ts";

/** An input of one kind. */
export type InputOf<Kind extends StoreInput["kind"]> = Extract<StoreInput, { kind: Kind }>;

/** What comes from an open store. */
export class StoreClient implements Disposable {
  /** All inputs that came. */
  readonly inputs: StoreInput[] = [];
  readonly #store: OpenStore;
  #number = 0;
  /** The inputs before this one were returned by next(), or skipped. */
  #seen = 0;
  #look = (): void => {};

  constructor(url: string, directory = 1) {
    const parsed = parseStoreUrl(url);
    if (!parsed.ok) throw new Error(parsed.error);
    this.#store = openStore(parsed.value, directory, (input) => {
      this.inputs.push(input);
      this.#look();
    });
  }

  /** A store that is up. */
  static async open(url: string, directory = 1): Promise<StoreClient> {
    const client = new StoreClient(url, directory);
    await client.next("up");
    return client;
  }

  ask(...questions: StoreQuestion[]): void {
    this.#store.ask(questions);
  }

  /** Commits, and waits for the answer. */
  async commit(changes: Partial<CommitQuestion>): Promise<InputOf<"commit">> {
    const number = ++this.#number;
    this.ask(commitQuestion(number, changes));
    return await this.next("commit", (input) => input.number === number);
  }

  async due(): Promise<InputOf<"due">> {
    const number = ++this.#number;
    this.ask({ kind: "due", number });
    return await this.next("due", (input) => input.number === number);
  }

  /** Asks until a lease is over. */
  async untilDue(): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while ((await this.due()).leases.length === 0) {
      if (Date.now() > deadline) throw new Error(`No lease is over within ${PATIENCE} ms`);
    }
  }

  async renew(leases: readonly Lease[], ttl: number): Promise<readonly Lease[]> {
    this.ask({ kind: "renew", leases, ttl });
    return (await this.next("renew")).missing;
  }

  async page(cursor: string): Promise<InputOf<"page">> {
    const number = ++this.#number;
    this.ask({ kind: "load", number, cursor });
    return await this.next("page", (input) => input.number === number);
  }

  /** All records by rising keys, each once. */
  async load(): Promise<StoreRecord[]> {
    const records = new Map<string, StoreRecord>();
    let cursor = "";
    do {
      const page = await this.page(cursor);
      for (const record of page.records) records.set(record.key, record);
      cursor = page.cursor;
    } while (cursor !== "");
    return [...records.values()].toSorted((a, b) => a.key < b.key ? -1 : 1);
  }

  /** The next input of a kind that is as it should be. */
  async next<Kind extends StoreInput["kind"]>(
    kind: Kind,
    isWanted: (input: InputOf<Kind>) => boolean = () => true,
    timeout = PATIENCE,
  ): Promise<InputOf<Kind>> {
    const found = Promise.withResolvers<InputOf<Kind>>();
    const timer = setTimeout(() => {
      const last = JSON.stringify(this.inputs.slice(-5));
      found.reject(new Error(`No ${kind} within ${timeout} ms, after ${last}`));
    }, timeout);
    this.#look = () => {
      while (this.#seen < this.inputs.length) {
        const input = this.inputs[this.#seen++]!;
        if (input.kind === kind && isWanted(input as InputOf<Kind>)) {
          this.#look = () => {};
          return found.resolve(input as InputOf<Kind>);
        }
      }
    };
    this.#look();
    return await found.promise.finally(() => clearTimeout(timer));
  }

  /** The inputs of a kind. */
  of<Kind extends StoreInput["kind"]>(kind: Kind): InputOf<Kind>[] {
    return this.inputs.filter((input): input is InputOf<Kind> => input.kind === kind);
  }

  [Symbol.dispose](): void {
    this.#store.close();
  }
}
