/**
 * Where the directory is by now: its name is resolved again while it does not answer, or cannot
 * register this client, and when the client went to another one.
 *
 * @module
 */
import { type Address, formatAddress } from "../protocol/wire/address.ts";
import { isOnThisMachine } from "./directory_addresses.ts";
import type { ClientEvent } from "./event.ts";

/** Milliseconds between two look-ups of the name of a directory that is of no use now. */
export const RESOLVE_INTERVAL = 10_000;

/** What a {@linkcode DirectoryFinder} is made with. */
export interface DirectoryFinderOptions {
  /** The addresses that the name had at the start. */
  readonly addresses: readonly Address[];
  /** The addresses that it has now; rejects where it has none. */
  resolve(): Promise<readonly Address[]>;
  /** Calls `action` again and again; returns what ends that. */
  every(ms: number, action: () => void): () => void;
  /** Called with the new addresses. */
  onMoved(addresses: readonly Address[]): void;
}

/** Events that tell that the directory is of no use now. */
const STARTS: readonly ClientEvent["kind"][] = ["serverQuiet", "serverLost", "serverUnavailable"];
/** Events that tell that it is of use again. */
const ENDS: readonly ClientEvent["kind"][] = ["registered", "serverBack", "serverMoved"];

/** Finds a directory whose name has other addresses than at the start. */
export class DirectoryFinder {
  readonly #options: DirectoryFinderOptions;
  #addresses: readonly Address[];
  #stop: (() => void) | undefined;
  #isClosed = false;

  constructor(options: DirectoryFinderOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
  }

  /** Takes an event of the client. */
  handle({ kind }: ClientEvent): void {
    if (STARTS.includes(kind)) this.#start();
    else if (ENDS.includes(kind)) this.#rest();
    // Another directory may have taken the place of the one that was left.
    if (kind === "serverMoved") void this.#look(() => !this.#isClosed);
  }

  /** Looks no more. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
  }

  #rest(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #start(): void {
    if (this.#stop !== undefined) return;
    const look = (): void => void this.#look(() => this.#stop !== undefined);
    this.#stop = this.#options.every(RESOLVE_INTERVAL, look);
    look();
  }

  /** @param isAwaited whether an answer is still of use when it comes. */
  async #look(isAwaited: () => boolean): Promise<void> {
    let found: readonly Address[];
    try {
      found = await this.#options.resolve();
    } catch {
      // The resolver may not answer either: it is asked again.
      return;
    }
    const isWanted = isAwaited() && namesOf(found) !== namesOf(this.#addresses) &&
      // Whether its key is remembered depends on this, so it would not be the same directory.
      isOnThisMachine(found) === isOnThisMachine(this.#addresses);
    if (!isWanted) return;
    this.#addresses = found;
    this.#options.onMoved(found);
  }
}

/** The same for the same addresses in another order. */
function namesOf(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).sort().join(" ");
}
