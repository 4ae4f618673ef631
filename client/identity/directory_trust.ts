/**
 * Which static key a directory may have: the one that it showed first, or the one that was named.
 *
 * @module
 */
import { fromHex, toHex } from "../../cli/hex.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import { KEY_SIZE } from "../../protocol/crypto/x25519.ts";
import { formatAddress } from "../../protocol/wire/address.ts";
import type { DirectoryTrust } from "../view.ts";
import type { KnownDirectories } from "./known_directories.ts";

/** Keeps the known directories. */
export interface DirectoryStore {
  /** What is known by now. */
  readonly content: KnownDirectories;
  /** The path of the file, undefined for none. */
  readonly path: string | undefined;
  /** Changes what is known: in memory at once, in the file soon. */
  change(change: (directories: KnownDirectories) => void): void;
}

/** What decides on the key of one directory, or of several that share a table and a key. */
export interface PinnedDirectoryOptions {
  readonly store: DirectoryStore;
  /** The hosts and the ports, as the user names them. */
  readonly names: readonly string[];
  /** The fingerprint of `--server-key`. */
  readonly expected: string | undefined;
  /** Whether the directory is on this machine: it needs no key to be told from others. */
  readonly isLoopback: boolean;
}

/** The name that a directory is remembered by, whichever way the user writes it. */
export function directoryName({ host, port }: { host: string; port: number }): string {
  return formatAddress({ hostname: host.toLowerCase(), port });
}

/**
 * One directory, whose key is remembered at the first registration. Where it has several names, all
 * stand for one key: that of the first one that is remembered.
 */
export class PinnedDirectory implements DirectoryTrust {
  readonly #options: PinnedDirectoryOptions;

  constructor(options: PinnedDirectoryOptions) {
    this.#options = options;
  }

  /** See {@linkcode DirectoryTrust}. */
  isTrusted(directoryKey: Uint8Array): boolean {
    const { expected, isLoopback } = this.#options;
    if (expected !== undefined) return fingerprint(directoryKey) === expected;
    const pinned = this.#pinned;
    return isLoopback || pinned === undefined || pinned.key === toHex(directoryKey);
  }

  /** See {@linkcode DirectoryTrust}. */
  refusal(directoryKey: Uint8Array): string {
    const { expected, store } = this.#options;
    const shown = `has the key ${fingerprint(directoryKey)}`;
    const between = "somebody may be between you and it";
    if (expected !== undefined) return `${shown}, not the one of --server-key: ${between}`;
    const { key = "", lastSeen = "" } = this.#pinned ?? {};
    const before = fingerprint(fromHex(key, KEY_SIZE) ?? new Uint8Array());
    const file = store.path === undefined ? "" : ` (in ${store.path})`;
    return `${shown}, but until ${lastSeen.slice(0, 10)} it had ${before}${file}: ${between}. ` +
      "If its operator says that the key is new, name it with --server-key";
  }

  /**
   * Remembers the key of a registration for each name that has no other; that of `--server-key` for
   * all. Returns whether it is new here.
   */
  record(directoryKey: Uint8Array, date: Date): boolean {
    const { store, names, expected, isLoopback } = this.#options;
    if (isLoopback) return false;
    const key = toHex(directoryKey);
    const isNew = this.#pinned?.key !== key;
    store.change((directories) => {
      for (const name of names) {
        const { key: before = key } = directories.get(name) ?? {};
        if (before === key || expected !== undefined) directories.record(name, key, date);
      }
    });
    return isNew;
  }

  get #pinned(): { key: string; lastSeen: string } | undefined {
    const { store, names } = this.#options;
    return names.map((name) => store.content.get(name)).find((known) => known !== undefined);
  }
}
