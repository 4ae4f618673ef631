/**
 * Runs commands, and prints their answers.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { type Result, success } from "../../protocol/result.ts";
import type { Client } from "../client.ts";
import { type ClientEvent, type ErrorEvent, errorEvent } from "../event.ts";
import { type Answer, fingerprintOf, type PeerMemory } from "../identity/peer_memory.ts";
import type { Printer } from "../output/printer.ts";
import type { Transcript } from "../output/transcript.ts";
import type { Peer } from "../peer.ts";
import type { CommandRefs } from "./command_refs.ts";
import type { Command } from "./command_table.ts";
import { commandHelp } from "./help.ts";
import { findConversation } from "./script_view.ts";

/** What commands act on. */
export interface CommandContext {
  readonly client: Client;
  readonly memory: PeerMemory;
  readonly printer: Printer;
  readonly transcript: Transcript;
  readonly refs: CommandRefs;
  /**
   * Which sent messages are printed; `several`: where the typed line stays on the screen, those that
   * could be for more than one peer.
   */
  readonly showsOwn: "all" | "several" | "none";
  date(): Date;
  /** Gives the client an input. */
  input(action: (now: Instant) => void): void;
  /** Takes an event as one of the client, which the command with this reference caused. */
  handleEvent(event: ClientEvent, ref: string | undefined): void;
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
    const { printer, input } = this.#context;
    switch (command.command) {
      case "help":
        return printer.help(commandHelp(command.topic), command.ref);
      case "log":
        return this.#log(command.file, command.ref);
      case "show":
        return printer.showFullMessage(command.ref);
      default:
        return input((now) => this.#runTimed(now, command));
    }
  }

  #log(file: string | undefined, ref: string | undefined): void {
    const { printer, transcript, handleEvent } = this.#context;
    const result = transcript.handleCommand(file);
    if (!result.ok) return handleEvent(errorEvent("log", result.error), ref);
    const { line, event } = result.value;
    printer.answer([line], event, ref);
  }

  /** Runs a command; what it causes at once is known to be its doing. */
  #runTimed(now: Instant, command: TimedCommand): void {
    const { client, refs, printer, handleEvent } = this.#context;
    this.#runAt(now, command);
    let hasFailed = false;
    for (let event = client.pollEvent(); event !== undefined; event = client.pollEvent()) {
      const ref = refs.handle(event);
      const isOfTwo = event.kind === "cancelled" && command.ref !== undefined && ref !== undefined;
      if (isOfTwo) printer.eventFor(event, ref);
      handleEvent(event, command.ref ?? ref);
      hasFailed ||= event.kind === "error";
    }
    if (!hasFailed) refs.note(command);
  }

  #runAt(now: Instant, command: TimedCommand): void {
    const { client, memory } = this.#context;
    switch (command.command) {
      case "fingerprint":
        return this.#answer(now, success(memory.ownFingerprint()), command.ref);
      case "verify":
        return this.#answer(now, memory.verify(this.#connected(command.peer)), command.ref);
      case "block":
        return this.#answer(now, memory.block(command.peer), command.ref);
      case "trust":
        return this.#answer(now, memory.trust(command.peer, this.#context.date()), command.ref);
      case "unblock":
        return this.#answer(now, memory.unblock(command.peer), command.ref);
      case "connect":
        return client.connect(now, command.peer);
      case "send":
        return this.#send(now, command);
      case "switch":
        return client.switchTo(now, command.peer);
      case "terminate":
        return this.#terminate(now, command);
      case "requests":
        return client.listRequests(now);
      case "accept":
        return client.accept(now, command.peer);
      case "reject":
        return this.#reject(now, command.peer, command.ref);
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
  #answer(now: Instant, result: Result<Answer, ErrorEvent>, ref: string | undefined): void {
    const { client, memory, printer, handleEvent } = this.#context;
    if (!result.ok) return handleEvent(result.error, ref);
    const { lines, event, blocked, hasTrusted } = result.value;
    printer.answer(lines, event, ref);
    if (hasTrusted) client.releaseTrusted();
    if (blocked === undefined) return;
    const isPending = client.view().requests.some(({ id }) => memory.hasKey(id, blocked));
    // By the key: other clients may claim the same id.
    if (isPending) this.#reject(now, fingerprintOf(blocked), ref);
  }

  /** The client id of a connected peer, or of the current one. */
  #connected(peer: Peer | undefined): number | undefined {
    const view = this.#context.client.view();
    return peer === undefined ? view.peer?.id : findConversation(peer, view)?.id;
  }

  #terminate(now: Instant, { peer, ref }: Extract<Command, { command: "terminate" }>): void {
    const { client, refs } = this.#context;
    const id = this.#connected(peer);
    if (id !== undefined && ref !== undefined) refs.noteEnd(id, ref);
    client.terminate(now, peer);
  }

  /** Sends a message, and prints it if the client took it. */
  #send(now: Instant, { text, peer: to, ref }: Extract<Command, { command: "send" }>): void {
    const { client, printer, transcript, refs, showsOwn } = this.#context;
    const { name, others } = client.view();
    const sent = client.send(now, text, to);
    if (sent === undefined) return;
    if (ref !== undefined) refs.noteMessage(sent.peer, sent.seq, ref);
    const isOneOfSeveral = others.length > 0;
    const message = { peer: sent.peer, name, text, ...isOneOfSeveral && { to: sent.name } };
    transcript.own(message);
    if (showsOwn === "all" || showsOwn === "several" && isOneOfSeveral) printer.own(message);
    if (!sent.isHeld) return;
    printer.note([`Not sent yet: it waits until you type trust ${sent.name || sent.peer}`]);
  }

  /** Rejects a request, and prints that. */
  #reject(now: Instant, peer: Peer | undefined, ref: string | undefined): void {
    const { client, printer } = this.#context;
    const before = client.view().requests;
    client.reject(now, peer);
    const after = new Set(client.view().requests.map(({ id }) => id));
    const rejected = before.find(({ id }) => !after.has(id));
    if (rejected !== undefined) printer.rejection(rejected, ref);
  }
}
