/**
 * Does what a command asks for, and prints the answer.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Client } from "../client.ts";
import type { Command } from "./command_table.ts";
import type { ClientEvent } from "../event.ts";
import type { Peer } from "../peer.ts";
import { commandHelp } from "./help.ts";
import { type Answer, type PeerMemory, printOf } from "../identity/peer_memory.ts";
import type { Printer } from "../output/printer.ts";
import type { Transcript } from "../output/transcript.ts";
import { label } from "../output/words.ts";

/** What commands are about. */
export interface CommandRunnerParts {
  readonly client: Client;
  readonly memory: PeerMemory;
  readonly printer: Printer;
  readonly transcript: Transcript;
  /** Whether a message is printed when it is sent: not where it stands as it was typed. */
  readonly showsOwn: boolean;
  /** Gives the client an input. */
  input(action: (now: Instant) => void): void;
  /** Takes a failure like one of the client's. */
  handleEvent(event: ClientEvent): void;
}

/** What the client itself or the memory does, at an instant. */
type TimedCommand = Exclude<Command, { command: "help" | "log" | "show" }>;

/** Does what commands ask for. */
export class CommandRunner {
  readonly #parts: CommandRunnerParts;

  constructor(parts: CommandRunnerParts) {
    this.#parts = parts;
  }

  /** Does what a command asks for. */
  perform(command: Command): void {
    const { printer, transcript, input } = this.#parts;
    switch (command.command) {
      case "help":
        return printer.help(commandHelp(command.topic));
      case "log":
        return printer.note([transcript.perform(command.file)]);
      case "show":
        return printer.whole();
      default:
        return input((now) => this.#performAt(now, command));
    }
  }

  #performAt(now: Instant, command: TimedCommand): void {
    const { client, memory } = this.#parts;
    switch (command.command) {
      case "fingerprint":
        return this.#answer(now, memory.ownFingerprint());
      case "verify":
        return this.#answer(now, memory.verify(client.view().peer?.id));
      case "block":
        return this.#answer(now, memory.block(command.peer));
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
        return client.list(now);
      case "leave":
        return client.leave(now);
    }
  }

  /** Shows the answer to a command; rejects the requests of whom it blocked. */
  #answer(now: Instant, answer: Answer): void {
    const { client, memory, printer, handleEvent } = this.#parts;
    if (answer.kind === "error") return handleEvent(answer);
    printer.note(answer.lines);
    const { blocked } = answer;
    if (blocked === undefined) return;
    const isPending = client.view().requests.some(({ id }) => memory.hasKey(id, blocked));
    // By the key: others may claim the same id.
    if (isPending) this.#reject(now, printOf(blocked));
  }

  /** Sends, and shows the message where the client took it. */
  #send(now: Instant, text: string, to: Peer | undefined): void {
    const { client, printer, transcript, showsOwn } = this.#parts;
    const { name, peer } = client.view();
    const sent = client.send(now, text, to);
    if (sent === undefined) return;
    const shown = sent.peer === peer?.id
      ? name
      : `${name || "you"} to ${label(sent.peer, sent.name)}`;
    transcript.own({ peer: sent.peer, name, shown, text });
    if (showsOwn) printer.own(sent.peer, shown, text);
  }

  /** Rejects, and shows it. */
  #reject(now: Instant, peer: Peer | undefined): void {
    const { client, printer } = this.#parts;
    const before = client.view().requests;
    client.reject(now, peer);
    const after = new Set(client.view().requests.map(({ id }) => id));
    const rejected = before.find(({ id }) => !after.has(id));
    if (rejected !== undefined) printer.rejection(rejected);
  }
}
