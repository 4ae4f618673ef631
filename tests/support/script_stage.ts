/**
 * A script with a client that the test plays.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { ClientEvent, ErrorCode } from "../../client/event.ts";
import type { Peer } from "../../client/peer.ts";
import { ExitStatus } from "../../client/exit.ts";
import { JsonScript } from "../../client/commands/json_script.ts";
import {
  type AnyScript,
  Script,
  type ScriptOptions,
  type Step,
} from "../../client/commands/script.ts";
import { findConversation, type ScriptView } from "../../client/commands/script_view.ts";
import type { ConversationView } from "../../client/view.ts";

export const CAROL = { id: 3, name: "carol" };
export const ANA = { id: 1, name: "ana" };
export const BOB = { id: 2, name: "bob" };
const KEY = new Uint8Array(32);

/** A script with a client that the test plays. */
export class Stage {
  readonly script: AnyScript;
  now = 0;
  view: ScriptView = {
    state: "registering",
    peer: undefined,
    others: [],
    outgoing: undefined,
    calls: [],
    requests: [],
  };

  /** @param options `isProgram`: its lines are those of a program. */
  constructor(
    { isProgram = false, ...given }: Partial<ScriptOptions> & { isProgram?: boolean } = {},
    ...lines: string[]
  ) {
    const options: ScriptOptions = {
      connect: undefined,
      send: undefined,
      waitReply: undefined,
      timeout: undefined,
      acceptAll: false,
      isTyped: false,
      ...given,
    };
    this.script = isProgram ? new JsonScript(options) : new Script(options);
    for (const line of lines) this.script.feed({ text: line });
  }

  /** The same, with a client that is registered. */
  static registered(...args: ConstructorParameters<typeof Stage>): Stage {
    const stage = new Stage(...args);
    stage.registers();
    return stage;
  }

  /** What the script does now: commands as typed, and messages of reports. */
  steps(): string[] {
    const steps: string[] = [];
    const poll = (): Step | undefined => this.script.poll(this.now, this.view);
    for (let step = poll(); step; step = poll()) {
      if (step.kind === "run") {
        const { ref, ...command } = step.command;
        steps.push([...Object.values(command), ...ref === undefined ? [] : [`#${ref}`]].join(" "));
        // The client does these at once.
        if (step.command.command === "send") this.#queue(step.command.peer);
        if (step.command.command === "leave") this.become("leaving");
        if (step.command.command === "connect") this.#requests(step.command.peer);
        if (step.command.command === "terminate") this.#terminates(step.command.peer);
      } else if (step.kind === "report") {
        steps.push(step.event.message + (step.ref === undefined ? "" : ` #${step.ref}`));
      } else {
        steps.push(step.kind);
        this.become("left");
      }
    }
    return steps;
  }

  /** What the script does when so many seconds have passed. */
  stepsAfter(seconds: number): string[] {
    this.now += seconds * 1000;
    return this.steps();
  }

  #queue(to: Peer | undefined): void {
    const all = [this.view.peer, ...this.view.others].filter((each) => each !== undefined);
    const peer = all.find(({ id, name }) => to === undefined || to === id || to === name);
    const error = { kind: "error", code: "notConnected", message: "" } as const;
    if (peer === undefined) this.script.handle(error);
    else this.#set(peer.id, { unconfirmed: peer.unconfirmed + 1 });
  }

  #set(id: number, change: Partial<ConversationView>): void {
    const update = (each: ConversationView): ConversationView =>
      each.id === id ? { ...each, ...change } : each;
    const { peer, others } = this.view;
    this.view = { ...this.view, peer: peer && update(peer), others: others.map(update) };
  }

  /** Cancels the call where there is no such connection. */
  #terminates(peer: Peer | undefined): void {
    const conversation = findConversation(peer, this.view);
    if (conversation === undefined) this.#endCall((called) => called === peer);
    else this.#set(conversation.id, { isEnding: true });
  }

  #endCall(isIt: (peer: Peer) => boolean): void {
    const calls = this.view.calls.filter(({ peer }) => !isIt(peer));
    this.view = { ...this.view, calls, outgoing: calls.at(-1) };
  }

  #requests(peer: Peer): void {
    const name = typeof peer === "string" ? peer : "";
    const call = { peer, name, attempt: 1, nextAt: 0, isRinging: false };
    this.view = {
      ...this.view,
      state: this.view.peer === undefined ? "requesting" : "connected",
      outgoing: call,
      calls: [...this.view.calls, call],
    };
  }

  /** Delivers all; then the script ends the connection, and leaves. */
  assertEnds(termination = "terminate"): void {
    this.delivers();
    assertEquals(this.steps(), [termination]);
    this.terminates("local");
    assertEquals(this.steps(), ["leave"]);
    assertEquals(this.leaves(), ExitStatus.ok);
  }

  /** The directory has told who the called client is. */
  finds({ id: peer, name } = BOB): void {
    const calls = this.view.calls.map((call) =>
      call.peer === peer || call.peer === name ? { ...call, peer, name } : call
    );
    this.view = { ...this.view, calls, outgoing: calls.at(-1) };
  }

  become(state: ScriptView["state"]): void {
    this.view = { ...this.view, state };
  }

  registers({ id, name } = ANA): void {
    this.become("idle");
    const address = { hostname: "127.0.0.1", port: 40001 };
    const server = "localhost:7070";
    const serverAddress = { hostname: "127.0.0.1", port: 7070 };
    const directory = { address, server, serverAddress, serverKey: KEY };
    this.script.handle({ kind: "registered", id, name, lostName: "", ...directory });
  }

  rings(...requests: { id: number; name: string }[]): void {
    this.view = { ...this.view, requests };
    for (const { id: peer, name } of requests) {
      this.script.handle({ kind: "request", peer, name, key: KEY });
    }
  }

  /** @param calledAs what this client called the peer by, if it called. */
  connects(peer = BOB, calledAs: Peer | undefined = undefined): void {
    const { peer: before, others } = this.view;
    this.view = {
      ...this.view,
      state: "connected",
      peer: {
        ...peer,
        unconfirmed: 0,
        isEnding: false,
        isHeld: false,
        isCarried: false,
      },
      others: before === undefined ? others : [...others, before],
      requests: [],
    };
    this.#endCall((called) => called === peer.id || called === peer.name);
    this.script.handle({
      kind: "connected",
      peer: peer.id,
      name: peer.name,
      key: KEY,
      hash: KEY,
      path: "direct",
      ...calledAs !== undefined && { calledAs },
    });
  }

  /** A connected peer came back after a restart, or the client itself. */
  returns({ id: peer, name } = BOB, who: "peer" | "self" = "peer"): void {
    this.script.handle({
      kind: "returned",
      who,
      peer,
      name,
      key: KEY,
      hash: KEY,
    });
  }

  delivers(count = this.view.peer?.unconfirmed ?? 0): void {
    this.#set(2, { unconfirmed: (this.view.peer?.unconfirmed ?? 0) - count });
    for (let seq = 0; seq < count; seq++) {
      this.script.handle({ kind: "delivered", peer: 2, textSeq: seq, rttMs: 1 });
    }
  }

  terminates(by: "local" | "peer" | "timeout", undelivered = 0): void {
    this.view = { ...this.view, state: "idle", peer: undefined };
    this.script.handle({ kind: "terminated", peer: 2, name: "bob", by, undelivered });
  }

  /** The current connection ends, and the last of the others is current again. */
  ends(by: "local" | "peer"): void {
    const { peer: ended, others } = this.view;
    const next = others.at(-1)!;
    this.view = { ...this.view, peer: next, others: others.slice(0, -1) };
    const { id: peer, name } = ended!;
    this.script.handle({ kind: "terminated", peer, name, by, undelivered: 0 });
    this.script.handle({ kind: "current", peer: next.id, name: next.name, why: "ended" });
  }

  /** The request failed. */
  fails(event: Extract<ClientEvent, { kind: "inactive" | "rejected" }> | ErrorCode): void {
    if (this.view.state === "requesting") this.become("idle");
    const ended = typeof event === "string" ? this.view.outgoing?.peer : event.peer;
    this.#endCall((peer) => peer === ended);
    const error = (code: ErrorCode): ClientEvent => ({ kind: "error", code, message: code });
    this.script.handle(typeof event === "string" ? error(event) : event);
  }

  leaves(undelivered = 0, acknowledged = true): ExitStatus {
    this.become("left");
    this.script.handle({ kind: "left", undelivered, acknowledged });
    assertEquals(this.steps(), []);
    return this.script.status;
  }
}
