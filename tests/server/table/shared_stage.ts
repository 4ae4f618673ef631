/**
 * Directories that share a table through a store that is as slow, and fails as often, as a test says;
 * on virtual time.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { randomU32 } from "../../../protocol/machine.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import { type Frame, PUBLIC_KEY_SIZE } from "../../../protocol/wire/frame.ts";
import type { StoreInput, StoreQuestion } from "../../../server/store/store.ts";
import type { MemoryTableOptions } from "../../../server/table/memory_table.ts";
import { SharedTable } from "../../../server/table/shared_table.ts";
import { NO_SLOT, type SharedKeys, type TableHandlers } from "../../../server/table/table.ts";
import type { Prng } from "../../support/random.ts";
import { SimulatedStore } from "../../support/simulated_store.ts";

/** Milliseconds. */
export const LEASE = 45_000;

/** How many clients there may be. */
type Places = Pick<MemoryTableOptions, "maxClients" | "maxPerSource">;

/** What waits on a connection, in order. */
class Line<Item> {
  readonly #items: { readonly at: number; readonly item: Item }[] = [];

  /** When the next one is there. */
  get nextAt(): number {
    return this.#items[0]?.at ?? Infinity;
  }

  add(at: number, item: Item): void {
    this.#items.push({ at: Math.max(at, this.#items.at(-1)?.at ?? 0), item });
  }

  take(now: number): Item | undefined {
    return this.nextAt <= now ? this.#items.shift()!.item : undefined;
  }

  clear(): void {
    this.#items.length = 0;
  }
}

/** One directory's table, and its connections to the store: one for answers, and one for changes. */
export class Directory implements TableHandlers {
  readonly table: SharedTable;
  readonly events: string[] = [];
  readonly frames: Frame[] = [];
  keys: SharedKeys | undefined;
  isUp = false;
  /** Whether it can send no answers. */
  isFull = false;
  /** The number of the change that came last. */
  lastChange = 0;
  readonly #stage: SharedStage;
  readonly #questions = new Line<StoreQuestion>();
  readonly #answers = new Line<StoreInput>();
  readonly #changes = new Line<StoreInput>();

  constructor(stage: SharedStage, readonly number: number, places: Places) {
    this.#stage = stage;
    const random = (size: number): Uint8Array => stage.prng.bytes(size);
    const limits = { ...places, lease: LEASE, nameHold: 600_000 };
    const settings = { ...limits, publicKey: new Uint8Array(PUBLIC_KEY_SIZE) };
    const options = { ...limits, replaysMax: 1000, random, settings };
    this.table = new SharedTable({ ...options, directory: number }, this);
  }

  readonly report: TableHandlers["report"] = (kind, { id, name }) => {
    this.events.push(`${kind} ${id} ${name}`.trim());
  };

  deliver(_now: number, _slot: number, frame: Frame): void {
    this.frames.push(frame);
  }

  useKeys(keys: SharedKeys): void {
    this.keys = keys;
  }

  hasRoom(): boolean {
    return !this.isFull;
  }

  /** Connects it to the store. */
  connect(): void {
    if (this.isUp) return;
    this.isUp = true;
    this.#stage.store.attach(this.number);
  }

  /** Cuts it off; `isNoticed` is not when its connection only falls silent. */
  disconnect(isNoticed = true): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.#stage.store.detach(this.number);
    this.#questions.clear();
    this.#answers.clear();
    this.#changes.clear();
    if (isNoticed) this.table.handleStore(this.#stage.now, { kind: "down", reason: "cut" });
  }

  get nextAt(): number {
    const { nextAt: question } = this.#questions;
    const timeout = this.table.nextTimeout() ?? Infinity;
    return Math.min(timeout, question, this.#answers.nextAt, this.#changes.nextAt);
  }

  /** Does what is due. */
  step(): void {
    const { now } = this.#stage;
    if ((this.table.nextTimeout() ?? Infinity) <= now) this.table.handleTimeout(now);
    for (const line of [this.#answers, this.#changes]) {
      for (let input = line.take(now); input; input = line.take(now)) {
        if (input.kind === "change") this.lastChange = input.number;
        this.table.handleStore(now, input);
      }
    }
    this.pump();
  }

  /** Hands over what it asks, and what the store has for it. */
  pump(): void {
    const { now, store, prng } = this.#stage;
    for (let next = this.table.pollQuestion(now); next; next = this.table.pollQuestion(now)) {
      if (this.isUp) this.#questions.add(now + this.#stage.delay(), next);
    }
    for (let next = this.#questions.take(now); next; next = this.#questions.take(now)) {
      store.ask(now, this.number, next);
    }
    for (let input = store.poll(this.number); input; input = store.poll(this.number)) {
      const isChange = ["up", "change", "message"].includes(input.kind);
      const line = isChange ? this.#changes : this.#answers;
      line.add(now + this.#stage.delay(), input);
      if (prng.chance(this.#stage.repeats)) line.add(now + this.#stage.delay(), input);
    }
  }
}

/** A client as the tables see it. */
export class TableUser {
  token: Uint8Array = new Uint8Array(16);
  id = 0;
  /** Where it is registered, as far as it knows. */
  home: Directory | undefined;
  refusal: number | undefined;
  /** How often it was registered. */
  grants = 0;
  readonly publicKey: Uint8Array;
  readonly #stage: SharedStage;

  constructor(
    stage: SharedStage,
    readonly n: number,
    public name: string,
    public port: number,
    readonly hostname = "192.0.2.1",
  ) {
    this.#stage = stage;
    this.publicKey = new Uint8Array(32).fill(n).fill(n >> 8, 0, 1);
  }

  get endpoint(): Uint8Array {
    const endpoint = new Uint8Array(ENDPOINT_SIZE);
    writeEndpoint(endpoint, { hostname: this.hostname, port: this.port });
    return endpoint;
  }

  /** Asks a directory to register it. */
  register(at: Directory, wantedId = this.id, sessionKey = this.#stage.prng.bytes(32)): void {
    const { token, publicKey, name, endpoint } = this;
    const session = randomU32(this.#stage.prng.bytes.bind(this.#stage.prng));
    const rest = { token, wantedId, publicKey, name, endpoint, packet: 0 };
    at.table.register(this.#stage.now, { sessionKey, session, ...rest }, (result) => {
      this.refusal = result.ok ? undefined : result.error;
      if (!result.ok) return;
      this.grants++;
      this.home = at;
      this.token = at.table.entries.token(result.value);
      this.id = at.table.entries.id(result.value);
    });
    at.pump();
  }

  /** Renews its lease, or finds out that it has none. */
  keepAlive(): void {
    const slot = this.#slot;
    if (slot === NO_SLOT) this.home = undefined;
    else this.home!.table.renew(this.#stage.now, slot);
    this.#stage.pump();
  }

  /** Tells its directory one of its addresses of the other family. */
  tellOther(n: number): void {
    const other = new Uint8Array(ENDPOINT_SIZE);
    writeEndpoint(other, { hostname: `2001:db8::${n}`, port: this.port });
    const slot = this.#slot;
    if (slot !== NO_SLOT) this.home!.table.setOtherEndpoint(this.#stage.now, slot, other);
    this.#stage.pump();
  }

  leave(): void {
    const slot = this.#slot;
    if (slot !== NO_SLOT) this.home!.table.remove(this.#stage.now, slot);
    this.home = undefined;
    this.#stage.pump();
  }

  get #slot(): number {
    const isRunning = this.home !== undefined && this.#stage.directories.includes(this.home);
    const { table } = isRunning ? this.home! : {};
    const slot = table?.find(this.id) ?? NO_SLOT;
    const isOwn = slot !== NO_SLOT && table!.isHere(slot) &&
      table!.entries.isAt(slot, this.endpoint) && table!.entries.hasKey(slot, this.publicKey);
    return isOwn ? slot : NO_SLOT;
  }
}

/** Some directories and their store. */
export class SharedStage {
  now = 1_000_000;
  readonly store: SimulatedStore;
  directories: Directory[] = [];
  /** Milliseconds that a question, an answer or a change is under way at most. */
  delayMax = 0;
  /** The share of what the store says that comes twice. */
  repeats = 0;
  readonly #places: Places;
  #number = 100;

  constructor(
    readonly prng: Prng,
    count: number,
    { maxClients = 1000, maxPerSource, pageLength = 7 }: Partial<Places> & {
      readonly pageLength?: number;
    } = {},
  ) {
    this.#places = { maxClients, maxPerSource };
    this.store = new SimulatedStore(pageLength);
    for (let i = 0; i < count; i++) this.start();
    this.run(0);
  }

  delay(): number {
    return this.prng.int(this.delayMax + 1);
  }

  /** Starts a directory. */
  start(places = this.#places): Directory {
    const directory = new Directory(this, ++this.#number, places);
    this.directories.push(directory);
    directory.connect();
    directory.pump();
    return directory;
  }

  /** Kills a directory, and starts another in its place. */
  restart(directory: Directory): Directory {
    directory.disconnect(false);
    this.directories = this.directories.filter((each) => each !== directory);
    return this.start();
  }

  pump(): void {
    for (const each of this.directories) each.pump();
  }

  /** Lets so many milliseconds pass. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.pump();
      const next = Math.min(...this.directories.map(({ nextAt }) => nextAt));
      if (next > end) break;
      this.now = Math.max(this.now, next);
      for (const each of this.directories) each.step();
    }
    this.now = end;
  }

  /** Checks that no client is served by two directories that have seen the same changes. */
  assertServedOnce(): void {
    const live = this.directories.filter(({ table }) => table.isAvailable);
    const last = Math.max(...live.map(({ lastChange }) => lastChange));
    const served = live.filter(({ lastChange }) => lastChange === last).flatMap(({ table }) =>
      [...table.listAbove(0)].filter((slot) => table.isHere(slot))
        .map((slot) => table.entries.id(slot))
    );
    assertEquals(new Set(served).size, served.length, "a client is served twice");
  }

  /** Checks that all directories have the same table, in which nothing comes twice; returns it. */
  assertSame(): string[] {
    const [first = [], ...others] = this.directories.map(({ table }) => {
      assert(table.isAvailable, "the table is not available");
      return Array.from(table.listAbove(0), (slot) => {
        const { id, name, address } = table.entries.client(slot);
        return `${id} ${name} ${address.port}`;
      });
    });
    for (const other of others) assertEquals(other, first);
    const [otherFamily, ...others6] = this.directories.map(({ table }) =>
      Array.from(table.listAbove(0), (slot) => table.entries.otherEndpoint(slot)?.slice())
    );
    for (const other of others6) assertEquals(other, otherFamily, "addresses differ");
    assertEquals(new Set(first.map((each) => each.split(" ")[0])).size, first.length);
    const [{ table }] = this.directories as [Directory];
    const addresses = Array.from(table.listAbove(0), (slot) => `${table.entries.endpoint(slot)}`);
    assertEquals(new Set(addresses).size, first.length);
    const names = first.map((each) => each.split(" ")[1]!).filter((name) => name !== "");
    assertEquals(new Set(names).size, names.length);
    return first;
  }
}
