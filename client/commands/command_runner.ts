/**
 * Runs commands, and prints their answers.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { type Result, success } from "../../protocol/result.ts";
import type { Client } from "../client.ts";
import type { ClientEvent, ErrorEvent } from "../event.ts";
import { type Answer, fingerprintOf, type PeerMemory } from "../identity/peer_memory.ts";
import type { Printer } from "../output/printer.ts";
import type { Transcript } from "../output/transcript.ts";
import type { Peer } from "../peer.ts";
import type { Command } from "./command_table.ts";
import { commandHelp } from "./help.ts";

/** What commands act on. */
export interface CommandContext {
  readonly client: Client;
  readonly memory: PeerMemory;
  readonly printer: Printer;
  readonly transcript: Transcript;
  /**
   * Which sent messages are printed; `several`: where the typed line stays on the screen, those that
   * could be for more than one peer.
   */
  readonly showsOwn: "all" | "several" | "none";
  date(): Date;
  /** Gives the client an input. */
  input(action: (now: Instant) => void): void;
  /** Takes an event as one of the client. */
  handleEvent(event: ClientEvent): void;
}

/** A command to the client or the memory, which needs the time. */
type TimedCommand = Exclude<Command, { command: "help" | "log" | "show" }>;

/** Runs commands. */
export class CommandRunner {
  readonly #context: CommandContext;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  /** Runs a command. */
  run(command: Command): void {
    const { printer, transcript, input } = this.#context;
    switch (command.command) {
      case "help":
        return printer.help(commandHelp(command.topic));
      case "log":
        return printer.note([transcript.handleCommand(command.file)]);
      case "show":
        return printer.showFullMessage();
      default:
        return input((now) => this.#runAt(now, command));
    }
  }

  #runAt(now: Instant, command: TimedCommand): void {
    const { client, memory } = this.#context;
    switch (command.command) {
      case "fingerprint":
        return this.#answer(now, success(memory.ownFingerprint()));
      case "verify":
        return this.#answer(now, memory.verify(client.view().peer?.id));
      case "block":
        return this.#answer(now, memory.block(command.peer));
      case "trust":
        return this.#answer(now, memory.trust(command.peer, this.#context.date()));
      case "unblock":
        return this.#answer(now, memory.unblock(command.peer));
      case "connect":
        return client.connect(now, command.peer);
      case "send":
        return this.#send(now, command.text, command.peer);
      case "switch":
        return client.switchTo(now, command.peer);
      case "terminate":
        return client.terminate(now, command.peer);
      case "requests":
        return client.listRequests(now);
      case "accept":
        return client.accept(now, command.peer);
      case "reject":
        return this.#reject(now, command.peer);
      case "list":
        return client.list(now, command.pattern);
      case "nick":
        return client.rename(now, command.name);
      case "leave":
        return client.leave(now);
    }
  }

  /** Prints the answer to a command; rejects the pending requests of a peer that it blocked, and sends
   * what waited for one that it trusted. */
  #answer(now: Instant, result: Result<Answer, ErrorEvent>): void {
    const { client, memory, printer, handleEvent } = this.#context;
    if (!result.ok) return handleEvent(result.error);
    const { lines, blocked, hasTrusted } = result.value;
    printer.note(lines);
    if (hasTrusted) client.releaseTrusted();
    if (blocked === undefined) return;
    const isPending = client.view().requests.some(({ id }) => memory.hasKey(id, blocked));
    // By the key: other clients may claim the same id.
    if (isPending) this.#reject(now, fingerprintOf(blocked));
  }

  /** Sends a message, and prints it if the client took it. */
  #send(now: Instant, text: string, to: Peer | undefined): void {
    const { client, printer, transcript, showsOwn } = this.#context;
    const { name, others } = client.view();
    const sent = client.send(now, text, to);
    if (sent === undefined) return;
    const isOneOfSeveral = others.length > 0;
    const message = { peer: sent.peer, name, text, ...isOneOfSeveral && { to: sent.name } };
    transcript.own(message);
    if (showsOwn === "all" || showsOwn === "several" && isOneOfSeveral) printer.own(message);
    if (!sent.isHeld) return;
    printer.note([`Not sent yet: it waits until you type trust ${sent.name || sent.peer}`]);
  }

  /** Rejects a request, and prints that. */
  #reject(now: Instant, peer: Peer | undefined): void {
    const { client, printer } = this.#context;
    const before = client.view().requests;
    client.reject(now, peer);
    const after = new Set(client.view().requests.map(({ id }) => id));
    const rejected = before.find(({ id }) => !after.has(id));
    if (rejected !== undefined) printer.rejection(rejected);
  }
}
