/**
 * Which commands of a program are for the same peer, and so wait for each other.
 *
 * @module
 */
import { nameKey } from "../../protocol/name/name.ts";
import type { Peer } from "../peer.ts";
import type { Command } from "./command_table.ts";
import { findConversation, refersTo, type ScriptView } from "./script_view.ts";

/** Whom commands are for. */
export interface Target {
  /**
   * Undefined for whoever calls next, for an `accept` without a name, and for whoever is current when
   * the commands before are done.
   */
  peer: Peer | undefined;
  /** The commands for it that are not done. */
  waiting: number;
}

/** A command that is not done. */
export interface LaneItem {
  readonly command: Command;
  /** Undefined where it is for no peer. */
  readonly target: Target | undefined;
  /** Whether it is under way. */
  readonly isRunning: boolean;
}

/** The targets of the commands that are not done. */
export class Targets {
  /** Those with a peer. */
  readonly #named = new Map<string, Target>();
  /** The peer of a command that names none. */
  #current: Target = unnamed();

  /** Whether commands for that peer are still waiting. */
  get isExpected(): boolean {
    return this.#current.waiting > 0;
  }

  /** A client connected without a command, and is current: one that names nobody may be for it. */
  offer(peer: number): void {
    if (!this.isExpected) this.#current = this.#get(peer);
  }

  /** Takes a command that is new; returns its target. */
  add(command: Command): Target | undefined {
    const target = this.#targetOf(command);
    if (target !== undefined) target.waiting++;
    return target;
  }

  /** Takes away a command that is done. */
  remove(target: Target | undefined): void {
    if (target === undefined || --target.waiting > 0 || target.peer === undefined) return;
    this.#named.delete(keyOf(target.peer));
  }

  #targetOf(command: Command): Target | undefined {
    switch (command.command) {
      case "connect":
      case "switch":
      case "accept":
        return this.#current = this.#get(command.peer);
      case "reject":
        return this.#get(command.peer);
      case "send":
      case "verify":
        return command.peer === undefined ? this.#current : this.#get(command.peer);
      case "terminate": {
        const target = command.peer === undefined ? this.#current : this.#get(command.peer);
        if (target === this.#current) this.#current = unnamed();
        return target;
      }
      case "block":
      case "trust":
      case "unblock":
        return command.peer === undefined ? undefined : this.#get(command.peer);
      default:
        return undefined;
    }
  }

  #get(peer: Peer | undefined): Target {
    if (peer === undefined) return unnamed();
    const key = keyOf(peer);
    const isCurrent = this.#current.peer !== undefined && keyOf(this.#current.peer) === key;
    const target = this.#named.get(key) ?? (isCurrent ? this.#current : { peer, waiting: 0 });
    this.#named.set(key, target);
    return target;
  }
}

/** Goes through the commands that are not done, in the order in which they came. */
export class LaneOrder {
  readonly #view: ScriptView;
  readonly #keys = new Map<Target, string | Target>();
  /** The peers of the commands so far, and whether all of these are calls under way. */
  readonly #lanes = new Map<string | Target, boolean>();

  constructor(view: ScriptView) {
    this.#view = view;
  }

  /** Takes the next command; returns whether nothing that it has to wait for came before it. */
  enter({ command: { command }, target, isRunning }: LaneItem): boolean {
    if (target === undefined) return true;
    const key = this.#keyOf(target);
    const onlyCalls = this.#lanes.get(key);
    this.#lanes.set(key, (onlyCalls ?? true) && isRunning && command === "connect");
    // A call that rings is cancelled by what ends it.
    if (onlyCalls !== undefined) return onlyCalls && command === "terminate";
    const isForCurrent = target.peer === undefined && command !== "accept" && command !== "reject";
    return !isForCurrent || this.#lanes.size === 1;
  }

  /** The same for an id and a name of one client, where it is connected or calls. */
  #keyOf(target: Target): string | Target {
    const known = this.#keys.get(target);
    if (known !== undefined) return known;
    const { peer } = target;
    const request = this.#view.requests.find((each) => peer !== undefined && refersTo(peer, each));
    const id = peer === undefined ? undefined : (findConversation(peer, this.#view) ?? request)?.id;
    const key = peer === undefined ? target : keyOf(id ?? peer);
    this.#keys.set(target, key);
    return key;
  }
}

function unnamed(): Target {
  return { peer: undefined, waiting: 0 };
}

function keyOf(peer: Peer): string {
  return typeof peer === "number" ? `${peer}` : nameKey(peer);
}
