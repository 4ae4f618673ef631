/**
 * Which command caused an event that comes some time after it, by the reference of the command.
 *
 * @module
 */
import type { ClientEvent } from "../event.ts";
import { matchesIdOrName, type Peer } from "../peer.ts";
import type { Command } from "./command_table.ts";

/**
 * The references of the commands that are not done. It is bounded by what the client has under way:
 * calls, a list, a name, a leave, the ends of its connections, and the messages in their send queues.
 */
export class CommandRefs {
  /** The calls, by what the command calls the peer. */
  readonly #calls = new Map<Peer, string>();
  readonly #questions = new Map<"list" | "nick", string | undefined>();
  #leave: string | undefined;
  /** The terminations, by peer. */
  readonly #ends = new Map<number, string>();
  /** The messages that are not delivered, by peer and number. */
  readonly #messages = new Map<number, Map<number, string>>();

  /** Notes a command that the client took. */
  note(given: Command): void {
    if (given.command === "connect") this.#noteCall(given.peer, given.ref);
    if (given.command === "list" || given.command === "nick") {
      this.#questions.set(given.command, given.ref);
    }
    if (given.command === "leave") this.#leave = given.ref;
  }

  /** Notes a message that the client took. */
  noteMessage(peer: number, seq: number, ref: string): void {
    const messages = this.#messages.get(peer) ?? new Map<number, string>();
    this.#messages.set(peer, messages.set(seq, ref));
  }

  /** Notes that a command ends the connection with a peer. */
  noteEnd(peer: number, ref: string): void {
    this.#ends.set(peer, ref);
  }

  /** Takes an event; returns the reference of the command that caused it, if it has one. */
  handle(event: ClientEvent): string | undefined {
    switch (event.kind) {
      case "requesting":
      case "ringing":
      case "unanswered":
        return this.#calls.get(this.#called(event));
      case "inactive":
      case "rejected":
      case "cancelled":
        return this.#takeCall(this.#called(event));
      case "connected":
        if (event.calledAs === undefined) return undefined;
        // The error about the peer's key follows.
        return event.isHeld === true
          ? this.#calls.get(event.calledAs)
          : this.#takeCall(event.calledAs);
      case "sent":
      case "unconfirmed":
        return this.#messages.get(event.peer)?.get(event.textSeq);
      case "delivered":
        return this.#takeMessage(event.peer, event.textSeq);
      case "list":
        return this.#takeQuestion("list");
      case "registered":
        return this.#takeQuestion("nick");
      case "terminated":
        return this.#takeEnd(event);
      case "left":
        return this.#leave;
      case "error":
        if (event.of === undefined) return undefined;
        return typeof event.of === "object"
          ? this.#takeCall(event.of.calledAs)
          : this.#takeQuestion(event.of);
      default:
        return undefined;
    }
  }

  #noteCall(peer: Peer, ref: string | undefined): void {
    if (ref === undefined) this.#calls.delete(peer);
    else this.#calls.set(peer, ref);
  }

  /** What the command calls the peer of an event. */
  #called({ peer, name = "" }: { peer: Peer; name?: string }): Peer {
    if (this.#calls.has(peer)) return peer;
    const id = typeof peer === "number" ? peer : 0;
    return this.#calls.keys().find((each) => matchesIdOrName(each, id, name)) ?? peer;
  }

  #takeCall(peer: Peer): string | undefined {
    const ref = this.#calls.get(peer);
    this.#calls.delete(peer);
    return ref;
  }

  #takeQuestion(asked: "list" | "nick"): string | undefined {
    const ref = this.#questions.get(asked);
    this.#questions.delete(asked);
    return ref;
  }

  #takeMessage(peer: number, seq: number): string | undefined {
    const messages = this.#messages.get(peer);
    const ref = messages?.get(seq);
    messages?.delete(seq);
    return ref;
  }

  #takeEnd({ peer, by }: Extract<ClientEvent, { kind: "terminated" }>): string | undefined {
    const ref = this.#ends.get(peer) ?? (by === "local" ? this.#leave : undefined);
    this.#ends.delete(peer);
    this.#messages.delete(peer);
    return ref;
  }
}
