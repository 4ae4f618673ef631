/**
 * A user of a simulated network who does random things.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import type { Prng } from "../support/random.ts";
import type { Book, Run } from "./delivery_checker.ts";
import type { Datagram } from "./datagram.ts";
import type { Host, SimNetwork } from "./network.ts";
import type { Profile } from "./profile.ts";
import { PacketRule, RetransmissionRule } from "./invariants.ts";

/** Where the directory is. */
export const DIRECTORY: Address = { hostname: "10.0.0.1", port: 7070 };
/** Of a directory that is private. */
export const SECRET: Uint8Array = new Uint8Array(32).fill(5);
const FILLINGS = ["x", "héllo ", "€", "👋🏽", "line\n"];

/** A client with a user who does random things. */
export class Player {
  readonly name: string;
  #address: Address;
  /** How often it moved. */
  moves = 0;
  readonly mode: TimerMode;
  /** The same in all runs. */
  readonly #identity: KeyPair;
  rule: RetransmissionRule;
  #packetRule = new PacketRule();
  readonly #network: SimNetwork;
  readonly #book: Book;
  readonly #prng: Prng;
  /** All players, by number less 1. */
  readonly #others: readonly Player[];
  readonly #profile: Profile;
  #host: Host<ClientEvent> | undefined;
  #client: Client | undefined;
  #run: Run | undefined;
  #isSettling = false;

  constructor(
    network: SimNetwork,
    book: Book,
    others: readonly Player[],
    number: number,
    mode: TimerMode,
    profile: Profile,
  ) {
    this.#network = network;
    this.#book = book;
    this.#prng = network.prng;
    this.#others = others;
    this.name = `c${number}`;
    this.#address = { hostname: `10.0.1.${number}`, port: 40_000 };
    this.mode = mode;
    this.#profile = profile;
    this.rule = new RetransmissionRule(mode);
    this.#identity = makeKeyPair(this.#prng.bytes);
    book.introduce(this.name, this.#identity.publicKey);
  }

  get address(): Address {
    return this.#address;
  }

  /** Moves to another address, running or not: as a NAT that rebinds, or a laptop that wakes up. */
  move(): void {
    const { hostname, port } = this.#address;
    const isElsewhere = this.#prng.chance(0.3);
    const moved = isElsewhere ? hostname.replace(/^10\.\d+/, `10.${2 + this.moves}`) : hostname;
    this.moves++;
    this.#address = { hostname: moved, port: port + 1 };
    this.#host?.move(this.#address);
  }

  /** Takes a datagram that the client sent. */
  noteSent(datagram: Datagram): void {
    this.rule.noteSent(datagram);
    this.#packetRule.noteSent(datagram);
  }

  /** Takes a datagram that reached the client. */
  noteDelivered(datagram: Datagram): void {
    this.rule.noteDelivered(datagram);
  }

  /** Starts a run. */
  start(): void {
    const random = this.#prng.bytes;
    const client = new Client(this.#network.instant(), {
      server: DIRECTORY,
      serverName: "directory",
      id: 0,
      name: this.name,
      port: 40_000,
      timers: this.mode,
      acceptAll: this.#prng.chance(0.3),
      identity: this.#identity,
      isBlocked: () => false,
      secret: this.#network.hasSecret ? SECRET : undefined,
      epoch: 0,
      random,
    });
    this.rule = new RetransmissionRule(this.mode);
    this.#packetRule = new PacketRule();
    this.#client = client;
    this.#run = this.#book.start(this.name);
    if (this.#host !== undefined) return this.#host.start(client);
    this.#host = this.#network.add<ClientEvent>(this.name, this.address, () => client);
    this.#host.onEvent = (event) => this.#take(event);
  }

  /** Does something. */
  act(): void {
    if (this.#client === undefined) return this.start();
    const prng = this.#prng;
    const { state, outgoing, requests, peer, others } = this.#client.view();
    const roll = prng.next();
    if (state === "left") return this.#stop();
    const { stopping, leaving } = this.#profile;
    if (roll < stopping) return this.#stop();
    if (roll < stopping + leaving) {
      this.#run!.isOver = true;
      const isGentle = roll < stopping + leaving / 1.5;
      return this.#do((client, now) => isGentle ? client.leave(now) : client.abandon(now));
    }
    if (roll < 0.1) return this.#do((client, now) => client.list(now));
    const open = [peer, ...others].filter((each) => each !== undefined && !each.isEnding);
    if (open.length > 0 && prng.chance(0.6)) return this.#talk(prng.pick(open)!.id);
    if (outgoing !== undefined) {
      if (prng.chance(0.1)) this.#do((client, now) => client.cancel(now));
      return;
    }
    if (requests.length > 0) return;
    this.#connect();
  }

  /** Ends what is going on, but stays registered. */
  settle(): void {
    this.#isSettling = true;
    const state = this.#client?.view().state;
    if (state === undefined || state === "left") return this.start();
    this.#do((client, now) => {
      for (const { id } of client.view().requests) client.reject(now, id);
      const { peer, others, outgoing } = client.view();
      if (outgoing !== undefined) client.cancel(now);
      for (const each of [peer, ...others]) if (each !== undefined) client.terminate(now, each.id);
    });
  }

  /** Starts a new run where this one is over. */
  returnIfLeft(): void {
    if (this.#client?.view().state === "left") this.start();
  }

  /** Checks that nothing is left but the registration. */
  assertIdle(): void {
    const { state, requests, others, serverLostSince } = this.#client!.view();
    assertEquals(state, "idle", `${this.name} is not idle`);
    assertEquals([requests, others, serverLostSince], [[], [], undefined], this.name);
  }

  /** Leaves. */
  leave(): void {
    this.#do((client, now) => client.leave(now));
  }

  /** Checks that the client left, with nothing more to do. */
  assertLeft(): void {
    this.rule.end(this.#network.now);
    assert(this.#run?.left !== undefined, `${this.name} did not leave`);
    assertEquals(this.#client?.nextTimeout(), undefined);
  }

  #take(event: ClientEvent): void {
    const run = this.#run!;
    const connection = event.kind === "terminated"
      ? run.talks.get(event.peer)?.remoteConnection
      : undefined;
    this.#book.take(this.#network.now, run, event);
    if (connection !== undefined) this.rule.end(this.#network.now, connection);
    if (event.kind === "request") this.#answer(event.peer);
    const isRefused = event.kind === "error" && ["tooLong", "queueFull"].includes(event.code);
    assert(!isRefused, "a text was not queued");
  }

  #answer(peer: number): void {
    const prng = this.#prng;
    const run = this.#run;
    const roll = prng.next();
    if (roll < 0.1 && !this.#isSettling) return;
    const isAccepted = roll < 0.8 && !this.#isSettling;
    this.#network.at(this.#network.now + prng.next() * prng.pick(this.#profile.answerTimes), () => {
      if (this.#run !== run || (isAccepted && this.#isSettling)) return;
      this.#do((client, now) => isAccepted ? client.accept(now, peer) : client.reject(now, peer));
    });
  }

  #connect(): void {
    const other = 1 + this.#prng.int(this.#others.length);
    const peer = this.#prng.chance(0.5) ? other : `c${other}`;
    this.#do((client, now) => client.connect(now, peer));
    // At times the other has the same idea.
    const crossing = this.#others[other - 1]!;
    if (crossing === this || this.#prng.chance(0.7)) return;
    const at = this.#network.now + this.#prng.next() * 300;
    this.#network.at(at, () => {
      if (!this.#isSettling) crossing.#do((client, now) => client.connect(now, this.name));
    });
  }

  /** Sends to one of those with whom it talks, or talks with it no more. */
  #talk(peer: number): void {
    const prng = this.#prng;
    if (prng.chance(0.3)) this.#do((client, now) => client.switchTo(now, peer));
    const isCurrent = this.#client?.view().peer?.id === peer;
    const name = isCurrent && prng.chance(0.5) ? undefined : peer;
    if (!prng.chance(this.#profile.terminating)) this.#send(peer, name);
    else this.#do((client, now) => client.terminate(now, name));
  }

  #send(peer: number, name: number | undefined): void {
    const prng = this.#prng;
    const run = this.#run!;
    const texts: string[] = [];
    for (let count = prng.chance(0.2) ? prng.int(40) : 1; count > 0; count--) {
      const size = prng.chance(this.#profile.longTexts)
        ? prng.int(TEXT_SIZE_MAX / 12)
        : prng.int(40);
      const text = this.#book.text(run, peer, prng.pick(FILLINGS).repeat(size));
      this.#book.send(run, peer, text);
      texts.push(text);
    }
    this.#do((client, now) => texts.forEach((text) => client.send(now, text, name)));
    if (prng.chance(this.#profile.terminating / 3)) {
      this.#do((client, now) => client.terminate(now, name));
    }
  }

  /** Stops without a word, or goes home after leaving. */
  #stop(): void {
    this.rule.end(this.#network.now);
    this.#host?.crash();
    this.#book.crash(this.#run!);
    this.#client = undefined;
  }

  #do(action: (client: Client, now: number) => void): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#host?.input((now) => action(client, now));
  }
}
