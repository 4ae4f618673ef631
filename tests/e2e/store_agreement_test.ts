// Random questions from two directories: the store that other tests play gives the same inputs as Redis.
import { assertEquals } from "@std/assert";
import type { Lease, Put, StoreInput, StoreQuestion } from "../../server/store/store.ts";
import { Prng, seedFromEnv } from "../support/random.ts";
import { scaled } from "../support/scale.ts";
import { SimulatedStore } from "../support/simulated_store.ts";
import { commitQuestion } from "../support/store_questions.ts";
import { REDIS, RedisServer } from "./redis_server.ts";
import { StoreClient } from "./store_client.ts";

const DIRECTORIES = [1, 2] as const;
const KEYS = ["id:1", "id:2", "name:ana", "name:\u00e9 \u2602\n", 'q"\\', "1"];
const LEASES: readonly Lease[] = [["id:1", "name:ana"], ["id:2"], ["id:2", 'q"\\'], KEYS.slice(3)];
/** Milliseconds that nothing outlives which is not kept long, and that a step takes at least. */
const SHORT = 2;
const LONG = 600_000;

/** One of the two stores, as the test asks it. */
interface Side {
  ask(directory: number, question: StoreQuestion): void;
  /** What has come for a directory since, once all is answered. */
  take(directory: number): Promise<StoreInput[]>;
  forget(): Promise<void>;
  /** The number before the first one since it was emptied. */
  base: number;
}

/** The one that tests play, on the time of the real one. */
function simulated(): Side {
  const store = new SimulatedStore();
  for (const directory of DIRECTORIES) store.attach(directory);
  return {
    base: 0,
    ask: (directory, question) => store.ask(Date.now(), directory, question),
    take(directory): Promise<StoreInput[]> {
      const inputs: StoreInput[] = [];
      for (let input = store.poll(directory); input; input = store.poll(directory)) {
        inputs.push(input);
      }
      return Promise.resolve(inputs);
    },
    forget: () => Promise.resolve(store.forget()),
  };
}

function real(server: RedisServer, clients: readonly StoreClient[]): Side {
  const taken = [0, 0];
  return {
    base: 0,
    ask: (directory, question) => clients[directory - 1]!.ask(question),
    async take(directory): Promise<StoreInput[]> {
      const client = clients[directory - 1]!;
      // All that was asked before is answered then.
      await client.due();
      const inputs = client.inputs.slice(taken[directory - 1]).filter((input) =>
        !(input.kind === "due" && input.number > 0)
      );
      taken[directory - 1] = client.inputs.length;
      return inputs;
    },
    forget: async () => void await server.command("FLUSHALL"),
  };
}

/** Makes questions whose versions are counted from 0, for both stores. */
class Asker {
  readonly #prng: Prng;
  /** The versions of what was loaded last. */
  readonly versions = new Map<string, number>();

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  question(): StoreQuestion {
    const prng = this.#prng;
    const kind = prng.pick(["commit", "commit", "commit", "renew", "due", "load", "send"] as const);
    switch (kind) {
      case "commit":
        return this.#commit();
      case "renew":
        return { kind, leases: this.#leases(), ttl: this.#ttl() };
      case "due":
        return { kind, number: 0 };
      case "load":
        return { kind, number: 0, cursor: "" };
      case "send":
        return { kind, directory: prng.pick(DIRECTORIES), message: `${prng.u32()}` };
    }
  }

  #commit(): StoreQuestion {
    const prng = this.#prng;
    const keys = KEYS.filter(() => prng.chance(0.2));
    const lease = prng.chance(0.6) ? { keys: prng.pick(LEASES), ttl: this.#ttl() } : undefined;
    const puts = KEYS.filter(() => prng.chance(0.3)).map((key): Put => {
      const value = `${prng.u32()} ${key}`;
      return lease !== undefined && prng.chance(0.7)
        ? { key, value }
        : { key, value, ttl: this.#ttl() };
    });
    return commitQuestion(prng.int(10), {
      checks: keys.map((
        key,
      ) => [key, prng.chance(0.9) ? this.versions.get(key) ?? 0 : prng.int(9)]),
      over: prng.chance(0.2) ? [prng.pick(LEASES)] : [],
      removes: this.#leases(),
      puts,
      lease,
      change: `change ${prng.u32()}`,
    });
  }

  #leases(): Lease[] {
    return LEASES.filter(() => this.#prng.chance(0.2));
  }

  #ttl(): number {
    return this.#prng.chance(0.3) ? SHORT : LONG;
  }
}

/** A question for a store, whose numbers begin elsewhere. */
function withBase(question: StoreQuestion, base: number): StoreQuestion {
  if (question.kind !== "commit") return question;
  const checks = question.checks.map(([key, version]) => [key, version && base + version] as const);
  return { ...question, checks };
}

/** Inputs without what differs: the beginning of the numbers, the time, and which of some came first. */
function comparable(inputs: readonly StoreInput[], side: Side): unknown {
  const count = (number: number): number => number && number - side.base;
  const first = inputs.find((input) => input.kind === "change");
  if (side.base === 0 && first !== undefined) side.base = first.number - 1;
  const compared = inputs.map((input) => {
    switch (input.kind) {
      case "change":
        return { ...input, number: count(input.number), time: 0 };
      case "commit":
        return { ...input, last: count(input.last) };
      case "due":
        return { ...input, leases: input.leases.toSorted(), last: count(input.last) };
      case "page": {
        const records = input.records.toSorted((a, b) => a.key < b.key ? -1 : 1)
          .map(({ version, ...rest }) => ({ ...rest, version: count(version) }));
        return { ...input, records, time: 0 };
      }
      default:
        return input;
    }
  });
  return Object.groupBy(compared, ({ kind }) => kind);
}

const STEPS = scaled(2000, 200);

Deno.test({
  name: `${STEPS} random questions get the same inputs from a simulated store${REDIS.note}`,
  ignore: REDIS.ignore,
  async fn() {
    const seed = seedFromEnv();
    const prng = new Prng(seed);
    await using server = await RedisServer.start();
    const clients = await Promise.all(DIRECTORIES.map((i) => StoreClient.open(server.url, i)));
    const sides = [simulated(), real(server, clients)];
    const asker = new Asker(prng);
    try {
      for (let step = 0; step < STEPS; step++) await compare(sides, prng, asker);
    } catch (error) {
      throw new Error(`With UDP_CHAT_SEED=${seed}: ${error}`, { cause: error });
    } finally {
      for (const client of clients) client[Symbol.dispose]();
    }
  },
});

/** Asks both stores the same, once all that was to be short is over. */
async function compare(sides: readonly Side[], prng: Prng, asker: Asker): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 2 * SHORT));
  if (prng.chance(0.01)) {
    for (const side of sides) {
      await side.forget();
      side.base = 0;
    }
    asker.versions.clear();
  }
  const directory = prng.pick(DIRECTORIES);
  const question = asker.question();
  for (const side of sides) side.ask(directory, withBase(question, side.base));
  // The one that asked first: what it caused is on its way to the other then.
  for (const each of [directory, ...DIRECTORIES.filter((other) => other !== directory)]) {
    const [expected, actual] = [await sides[0]!.take(each), await sides[1]!.take(each)];
    assertEquals(comparable(actual, sides[1]!), comparable(expected, sides[0]!));
    for (const input of expected) {
      if (input.kind !== "page") continue;
      asker.versions.clear();
      for (const { key, version } of input.records) {
        asker.versions.set(key, version - sides[0]!.base);
      }
    }
  }
}
