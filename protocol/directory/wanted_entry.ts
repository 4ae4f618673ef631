/**
 * The id and the name that a client asks the directory for, and what is asked for after a refusal.
 *
 * @module
 */
import { RefusalReason } from "../wire/frame.ts";

/** Milliseconds after which an id or a name that was not free is asked for again. */
export const REFUSED_RETRY = 10_000;
/** Milliseconds that another client of the same key is waited for: the longest lease, and a little. */
export const OWN_ENTRY_PATIENCE = 60_000;

/** What a client asks for. */
export class WantedEntry {
  #id: number;
  #name: string;
  #lostName = "";
  #isRegaining = false;

  /**
   * Starts with what the user wants.
   *
   * @param id 0 for any.
   * @param name empty for none.
   */
  constructor(id: number, name: string) {
    this.#id = id;
    this.#name = name;
  }

  /** The name that the directory knows the client by, once it is registered. */
  get name(): string {
    return this.#name;
  }

  /** The name that somebody else took meanwhile, and that is asked for until it is free; else empty. */
  get lostName(): string {
    return this.#lostName;
  }

  /** Whether the exchange under way asks for the lost name: without an answer nothing is worse. */
  get isRegaining(): boolean {
    return this.#isRegaining;
  }

  /** What the exchange under way asks for. */
  get asked(): { id: number; name: string } {
    return { id: this.#id, name: this.#isRegaining ? this.#lostName : this.#name };
  }

  /** Notes what the next exchange is for. */
  begin(isRegaining: boolean): void {
    this.#isRegaining = isRegaining;
  }

  /** Notes that what was asked for was granted, under this id. */
  grant(id: number): void {
    const { name } = this.asked;
    this.#id = id;
    this.#name = name;
    if (name !== "") this.#lostName = "";
    this.#isRegaining = false;
  }

  /** Asks for less after a refusal: for another id, or without the name. */
  refuse(reason: number): void {
    const { idTaken, nameTaken, nameHeld, ownEntry } = RefusalReason;
    if (reason === idTaken || reason === ownEntry) this.#id = 0;
    if (reason !== nameTaken && reason !== nameHeld && reason !== ownEntry) return;
    if (this.#name !== "") this.#lostName = this.#name;
    this.#name = "";
  }
}
