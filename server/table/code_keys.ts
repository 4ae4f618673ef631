/**
 * The keys that all directories of a table make codes with, new ones in each time slot.
 *
 * @module
 */
import { COOKIE_SLOT } from "../../protocol/directory/timed_mac.ts";
import type { Instant, Random } from "../../protocol/machine.ts";
import { KEYS_KEY, type KeysRecord, SHARED_KEY_SIZE } from "./client_record.ts";
import { CommitDraft } from "./commit_draft.ts";
import type { StoreFeed } from "./store_feed.ts";
import type { SharedKeys, SharedSettings } from "./table.ts";

/** Milliseconds after which new keys that nobody has made are asked for again. */
const RETRY = 1_000;

/** What keys need of their table. */
export interface CodeKeysOptions {
  readonly feed: Pick<StoreFeed, "isLive" | "storeTime" | "instantOf">;
  readonly random: Random;
  /** For the other directories to compare with theirs. */
  readonly settings: SharedSettings;
  /** Asks the store to write new keys: each directory does, and one is first. */
  readonly commit: (draft: CommitDraft, keys: KeysRecord) => void;
  /** There are new keys. */
  readonly onKeys: (keys: SharedKeys) => void;
}

/** The keys as one directory knows them. */
export class CodeKeys {
  readonly #options: CodeKeysOptions;
  #keys: KeysRecord | undefined;
  /** The number of the change that wrote them; 0 where the store may have none. */
  #version = 0;
  #rotateAt: Instant | undefined;
  /** The store was away, and nobody could make new ones. */
  #isLate = false;

  constructor(options: CodeKeysOptions) {
    this.#options = options;
  }

  /** It is not known what keys the store has. */
  forgetVersion(): void {
    this.#version = 0;
    this.#isLate = true;
  }

  /** Takes what the store has, as the change of this number wrote it. */
  take(keys: KeysRecord, version: number): void {
    if (version <= this.#version) return;
    this.#keys = keys;
    this.#version = version;
    this.#options.onKeys(keys);
    this.#rotateAt = this.#options.feed.instantOf((keys.slot + 1) * COOKIE_SLOT);
  }

  /** Makes the keys of this time slot, where nobody has. */
  rotate(now: Instant): void {
    const { feed, random, settings, commit } = this.#options;
    this.#rotateAt = undefined;
    if (!feed.isLive) return;
    const slot = Math.floor(feed.storeTime(now) / COOKIE_SLOT);
    const age = slot - (this.#keys?.slot ?? 0);
    const isDue = age > 0 || this.#version === 0;
    this.#rotateAt = isDue ? now + RETRY : feed.instantOf((slot + 1) * COOKIE_SLOT);
    if (!isDue) return;
    // What was good when the store went away is good for one more slot.
    const former = age <= 1 || this.#isLate ? this.#keys?.current : undefined;
    this.#isLate = false;
    const current = random(SHARED_KEY_SIZE);
    const keys = { current, previous: former ?? random(SHARED_KEY_SIZE), slot, settings };
    const draft = new CommitDraft();
    draft.expect([KEYS_KEY], this.#version);
    commit(draft, keys);
  }

  handleTimeout(now: Instant): void {
    if (this.#rotateAt !== undefined && now >= this.#rotateAt) this.rotate(now);
  }

  nextTimeout(): Instant | undefined {
    return this.#rotateAt;
  }
}
