/**
 * Which command caused an event that comes some time after it, by the reference of the command.
 *
 * @module
 */
import type { ClientEvent } from "../event.ts";
import type { Command } from "./command_table.ts";

/**
 * The references of the commands that are not done. It is bounded by what the client has under way:
 * a call, a list, a leave, the ends of its connections, and the messages in their send queues.
 */
export class CommandRefs {
  #call: string | undefined;
  #list: string | undefined;
  #leave: string | undefined;
  /** The terminations, by peer. */
  readonly #ends = new Map<number, string>();
  /** The messages that are not delivered, by peer and number. */
  readonly #messages = new Map<number, Map<number, string>>();

  /** Notes a command that the client took. */
  note({ command, ref }: Command): void {
    if (command === "connect") this.#call = ref;
    if (command === "list") this.#list = ref;
    if (command === "leave") this.#leave = ref;
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
        return this.#call;
      case "inactive":
      case "rejected":
      case "cancelled":
        return this.#takeCall();
      case "connected":
        if (event.calledAs === undefined) return undefined;
        // The error about the peer's key follows.
        return event.isHeld === true ? this.#call : this.#takeCall();
      case "sent":
      case "unconfirmed":
        return this.#messages.get(event.peer)?.get(event.textSeq);
      case "delivered":
        return this.#takeMessage(event.peer, event.textSeq);
      case "list":
        return this.#takeList();
      case "terminated":
        return this.#takeEnd(event);
      case "left":
        return this.#leave;
      case "error":
        if (event.of === "connect") return this.#takeCall();
        return event.of === "list" ? this.#takeList() : undefined;
      default:
        return undefined;
    }
  }

  #takeCall(): string | undefined {
    const ref = this.#call;
    this.#call = undefined;
    return ref;
  }

  #takeList(): string | undefined {
    const ref = this.#list;
    this.#list = undefined;
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
