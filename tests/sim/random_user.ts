/**
 * A client on the simulated network whose user acts at random.
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
import type { DeliveryChecker, Run } from "./delivery_checker.ts";
import type { Datagram } from "./datagram.ts";
import type { Host, SimNetwork } from "./network.ts";
import type { Profile } from "./profile.ts";
import { PacketNumberCheck, RetransmissionCheck } from "./invariants.ts";

/** The address of the directory. */
export const DIRECTORY: Address = { hostname: "10.0.0.1", port: 7070 };
/** The secret of a private directory. */
export const SECRET: Uint8Array = new Uint8Array(32).fill(5);
const FILLINGS = ["x", "héllo ", "€", "👋🏽", "line\n"];

/** A client and its user. */
export class RandomUser {
  readonly name: string;
  #address: Address;
  /** Changes of address. */
  moves = 0;
  readonly mode: TimerMode;
  /** The same in all runs. */
  readonly #identity: KeyPair;
  retransmission: RetransmissionCheck;
  #packetNumbers = new PacketNumberCheck();
  readonly #network: SimNetwork;
  readonly #checker: DeliveryChecker;
  readonly #prng: Prng;
  /** All users, by number less 1. */
  readonly #users: readonly RandomUser[];
  readonly #profile: Profile;
  #host: Host<ClientEvent> | undefined;
  #client: Client | undefined;
  #run: Run | undefined;
  #isSettling = false;

  constructor(
    network: SimNetwork,
    checker: DeliveryChecker,
    users: readonly RandomUser[],
    number: number,
    mode: TimerMode,
    profile: Profile,
  ) {
    this.#network = network;
    this.#checker = checker;
    this.#prng = network.prng;
    this.#users = users;
    this.name = `c${number}`;
    this.#address = { hostname: `10.0.1.${number}`, port: 40_000 };
    this.mode = mode;
    this.#profile = profile;
    this.retransmission = new RetransmissionCheck(mode);
    this.#identity = makeKeyPair(this.#prng.bytes);
    checker.addHost(this.name, this.#identity.publicKey);
  }

  get address(): Address {
    return this.#address;
  }

  /** Changes the address, running or not, as a NAT rebinding or a laptop's new network does. */
  move(): void {
    const { hostname, port } = this.#address;
    const isElsewhere = this.#prng.chance(0.3);
    const moved = isElsewhere ? hostname.replace(/^10\.\d+/, `10.${2 + this.moves}`) : hostname;
    this.moves++;
    this.#address = { hostname: moved, port: port + 1 };
    this.#host?.move(this.#address);
  }

  /** Checks a datagram that the client sent. */
  onSent(datagram: Datagram): void {
    this.retransmission.onSent(datagram);
    this.#packetNumbers.onSent(datagram);
  }

  /** Records a datagram that reached the client. */
  onDelivered(datagram: Datagram): void {
    this.retransmission.onDelivered(datagram);
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
    this.retransmission = new RetransmissionCheck(this.mode);
    this.#packetNumbers = new PacketNumberCheck();
    this.#client = client;
    this.#run = this.#checker.start(this.name);
    if (this.#host !== undefined) return this.#host.start(client);
    this.#host = this.#network.add<ClientEvent>(this.name, this.address, () => client);
    this.#host.onEvent = (event) => this.#onEvent(event);
  }

  /** Acts once, at random. */
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
    if (open.length > 0 && prng.chance(0.6)) return this.#converse(prng.pick(open)!.id);
    if (outgoing !== undefined) {
      if (prng.chance(0.1)) this.#do((client, now) => client.cancel(now));
      return;
    }
    if (requests.length > 0) return;
    this.#connect();
  }

  /** Ends all connections and requests, but stays registered. */
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

  /** Starts a new run if this one has left. */
  returnIfLeft(): void {
    if (this.#client?.view().state === "left") this.start();
  }

  /** Checks that only the registration is left. */
  assertIdle(): void {
    const { state, requests, others, serverLostSince } = this.#client!.view();
    assertEquals(state, "idle", `${this.name} is not idle`);
    assertEquals([requests, others, serverLostSince], [[], [], undefined], this.name);
  }

  /** Leaves. */
  leave(): void {
    this.#do((client, now) => client.leave(now));
  }

  /** Checks that the client left and has no timeout. */
  assertLeft(): void {
    this.retransmission.end(this.#network.now);
    assert(this.#run?.left !== undefined, `${this.name} did not leave`);
    assertEquals(this.#client?.nextTimeout(), undefined);
  }

  #onEvent(event: ClientEvent): void {
    const run = this.#run!;
    const connection = event.kind === "terminated"
      ? run.connections.get(event.peer)?.remoteConnection
      : undefined;
    this.#checker.onEvent(this.#network.now, run, event);
    if (connection !== undefined) this.retransmission.end(this.#network.now, connection);
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
    const other = 1 + this.#prng.int(this.#users.length);
    const peer = this.#prng.chance(0.5) ? other : `c${other}`;
    this.#do((client, now) => client.connect(now, peer));
    // At times both connect at once.
    const crossing = this.#users[other - 1]!;
    if (crossing === this || this.#prng.chance(0.7)) return;
    const at = this.#network.now + this.#prng.next() * 300;
    this.#network.at(at, () => {
      if (!this.#isSettling) crossing.#do((client, now) => client.connect(now, this.name));
    });
  }

  /** Sends to a connected peer, or terminates. */
  #converse(peer: number): void {
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
      const text = this.#checker.makeText(run, peer, prng.pick(FILLINGS).repeat(size));
      this.#checker.addText(run, peer, text);
      texts.push(text);
    }
    this.#do((client, now) => texts.forEach((text) => client.send(now, text, name)));
    if (prng.chance(this.#profile.terminating / 3)) {
      this.#do((client, now) => client.terminate(now, name));
    }
  }

  /** Crashes, or stops after leaving. */
  #stop(): void {
    this.retransmission.end(this.#network.now);
    this.#host?.crash();
    this.#checker.crash(this.#run!);
    this.#client = undefined;
  }

  #do(action: (client: Client, now: number) => void): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#host?.input((now) => action(client, now));
  }
}
