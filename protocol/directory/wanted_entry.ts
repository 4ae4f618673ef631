/**
 * The id and the name that a client asks the directory for, and what is asked for after a refusal.
 *
 * @module
 */
import { RefusalReason } from "../wire/frame.ts";

/** Milliseconds after which an id or a name that was not free is asked for again. */
export const REFUSED_RETRY = 10_000;

/** What a client asks for. */
export class WantedEntry {
  #id: number;
  #name: string;
  #lostName = "";
  /** The names that are asked for in turn where this one is not free at the first registration. */
  #otherNames: readonly string[];
  #optionalName: string | undefined;
  /** What was granted last. */
  #granted: { readonly id: number; readonly name: string; readonly lostName: string } | undefined;

  /**
   * Starts with what the user wants.
   *
   * @param id 0 for any.
   * @param name empty for none.
   * @param otherNames those that do as well.
   */
  constructor(id: number, name: string, otherNames: readonly string[] = []) {
    this.#id = id;
    this.#name = name;
    this.#otherNames = otherNames;
  }

  /** The name that the directory knows the client by, once it is registered. */
  get name(): string {
    return this.#name;
  }

  /** The name that somebody else took meanwhile, and that is asked for until it is free; else empty. */
  get lostName(): string {
    return this.#lostName;
  }

  /**
   * The name that the exchange under way asks for in place of the own one: without an answer nothing
   * is worse.
   */
  get optionalName(): string | undefined {
    return this.#optionalName;
  }

  /** What the exchange under way asks for. */
  get asked(): { id: number; name: string } {
    return { id: this.#id, name: this.#optionalName ?? this.#name };
  }

  /** Notes what the next exchange asks for: the own name, unless it is another one. */
  begin(optionalName?: string): void {
    this.#optionalName = optionalName;
  }

  /** Notes that what was asked for was granted, under this id. */
  grant(id: number): void {
    const { name } = this.asked;
    this.#id = id;
    this.#name = name;
    if (name !== "") this.#lostName = "";
    this.#optionalName = undefined;
    this.#granted = { id, name, lostName: this.#lostName };
  }

  /** Asks for what was granted again, as the registration stays: less was asked for in vain. */
  keep(): void {
    if (this.#granted === undefined) return;
    ({ id: this.#id, name: this.#name, lostName: this.#lostName } = this.#granted);
  }

  /** Goes on to the next name that does as well, after a refusal; false where none is left. */
  takeOtherName(reason: number): boolean {
    const [next, ...rest] = this.#otherNames;
    if (next === undefined || !isAboutName(reason)) return false;
    this.#name = next;
    this.#otherNames = rest;
    return true;
  }

  /** Asks for less after a refusal, for another id or without the name; false where that is no less. */
  refuse(reason: number): boolean {
    const { idTaken, ownEntry } = RefusalReason;
    const [id, name] = [this.#id, this.#name];
    if (reason === idTaken || reason === ownEntry) this.#id = 0;
    if (isAboutName(reason)) {
      if (this.#name !== "") this.#lostName = this.#name;
      this.#name = "";
    }
    return id !== this.#id || name !== this.#name;
  }
}

/** Whether another name may be granted after this refusal. */
function isAboutName(reason: number): boolean {
  const { nameTaken, nameHeld, ownEntry } = RefusalReason;
  return reason === nameTaken || reason === nameHeld || reason === ownEntry;
}
