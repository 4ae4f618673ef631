/**
 * Where a directory is.
 *
 * @module
 */
import { HOST_ADDRESSES_MAX, resolveHost } from "../protocol/udp.ts";
import {
  type Address,
  bytesToHost,
  formatAddress,
  hostToBytes,
  isLoopback,
} from "../protocol/wire/address.ts";

/** The UDP port of a directory that names no other. */
export const SERVER_PORT = 7070;

/** A host and a port. */
interface Place {
  readonly host: string;
  readonly port: number;
}

/** The addresses of the directories that the user named, each as it was last found. */
export class DirectoryNames<Name extends Place> {
  readonly #names: readonly Name[];
  readonly #resolve: (name: Name) => Promise<readonly Address[]>;
  readonly #found = new Map<Name, readonly Address[]>();

  /** @param resolve finds the addresses of one of them, one at least. */
  constructor(
    names: readonly Name[],
    resolve: (name: Name) => Promise<readonly Address[]> = resolveDirectory,
  ) {
    this.#names = names;
    this.#resolve = resolve;
  }

  /** Those that were never found. */
  get missing(): readonly Name[] {
    return this.#names.filter((name) => !this.#found.has(name));
  }

  /** Finds them again: one address of each in turn; rejects where none of them is found now. */
  async resolve(): Promise<Address[]> {
    const results = await Promise.allSettled(this.#names.map((name) => this.#resolve(name)));
    for (const [index, result] of results.entries()) {
      if (result.status === "fulfilled") this.#found.set(this.#names[index]!, result.value);
    }
    const [first] = results;
    const isNone = results.every(({ status }) => status === "rejected");
    if (isNone && first?.status === "rejected") throw first.reason;
    return inTurn(this.#names.map((name) => this.#found.get(name) ?? []));
  }
}

/** The first of each list, the second of each, and so on: each address once, as many as are used. */
function inTurn(lists: readonly (readonly Address[])[]): Address[] {
  const turns = Array.from(
    { length: HOST_ADDRESSES_MAX },
    (_, turn) => lists.map((list) => list[turn]),
  );
  const all = turns.flat().filter((each) => each !== undefined);
  const byText = new Map(all.map((each) => [formatAddress(each), each]));
  return [...byText.values()].slice(0, HOST_ADDRESSES_MAX);
}

/** The addresses of a directory that the user named, one at least. */
export async function resolveDirectory({ host, port }: Place): Promise<Address[]> {
  const bytes = hostToBytes(host);
  const hosts = bytes === undefined ? await resolveHost(host) : [bytesToHost(bytes)];
  return hosts.map((hostname) => ({ hostname, port }));
}

/** In words, what the user named: one directory, or several with commas. */
export function directoriesAt(server: string): string {
  const names = server.split(",");
  const last = names.pop()!;
  return names.length === 0
    ? `directory at ${last}`
    : `directories at ${names.join(", ")} and ${last}`;
}

/** The subject of a sentence about one of those that the user named. */
export function oneDirectory(server: string): string {
  return `${server.includes(",") ? "One of the" : "The"} ${directoriesAt(server)}`;
}

/** A sentence about what the user named: what one directory does, or several do. */
export function aboutDirectories(server: string, one: string, several: string): string {
  return `The ${directoriesAt(server)} ${server.includes(",") ? several : one}`;
}

/** Whether a directory is on this machine, whichever of its addresses answers. */
export function isOnThisMachine(addresses: readonly Address[]): boolean {
  return addresses.every(({ hostname }) => isLoopback(hostname));
}

/** How to start a directory where these addresses are, undefined if that is not this machine. */
export function startCommand(addresses: readonly Address[]): string | undefined {
  const [first] = addresses;
  if (first === undefined || !isOnThisMachine(addresses)) return undefined;
  return first.port === SERVER_PORT ? "udp-chat serve" : `udp-chat serve --port ${first.port}`;
}
