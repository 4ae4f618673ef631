/**
 * A client on the simulated network, and the checks on everything that it sends and reports.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { ClientOptions, ClientView, ConversationView } from "../../client/view.ts";
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { PENDING_REQUESTS_MAX } from "../../protocol/connection/incoming_requests.ts";
import { isSameKey, type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { FORGERY_PATIENCE } from "../../protocol/directory/unproven.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { Prng } from "../support/random.ts";
import type { Datagram } from "./datagram.ts";
import type { Run } from "./delivery_checker.ts";
import { RegistrationWatch, RetransmissionCheck, RingCheck } from "./invariants.ts";
import type { Host } from "./network.ts";
import type { Side } from "./sites.ts";
import { DIRECTORY, SECRET, type World } from "./world.ts";

/** Milliseconds that a slow reader takes to show a message, at most. */
const READER_DELAY_MAX = 2_000;

/** A client and its user. */
export class SimUser {
  readonly name: string;
  readonly mode: TimerMode;
  /** The same in all runs. */
  readonly identity: KeyPair;
  /** Changes of address. */
  moves = 0;
  protected readonly world: World;
  protected readonly prng: Prng;
  readonly #side: Side | undefined;
  #address: Address;
  #host: Host<ClientEvent> | undefined;
  #client: Client | undefined;
  #run: Run | undefined;
  #retransmission: RetransmissionCheck;
  #retransmissions = 0;
  #rings = new RingCheck();
  #registrations = new RegistrationWatch();
  /** When this run started, or last heard something authentic from the directory. */
  #heardAt: Instant = 0;
  #isHeard = false;

  /** @param side its network, where that is not the internet. */
  constructor(world: World, number: number, mode: TimerMode, side?: Side) {
    this.world = world;
    this.prng = world.network.prng;
    this.name = `c${number}`;
    this.mode = mode;
    this.#side = side;
    this.#address = side?.address ?? { hostname: `10.0.1.${number}`, port: 40_000 };
    this.#retransmission = new RetransmissionCheck(mode);
    this.identity = makeKeyPair(this.prng.bytes);
    world.checker.addHost(this.name, this.identity.publicKey);
  }

  get address(): Address {
    return this.#address;
  }

  /** What is seen of the client; undefined where none runs. */
  get view(): ClientView | undefined {
    return this.#client?.view();
  }

  /** The connections that are open. */
  get open(): ConversationView[] {
    const { peer, others = [] } = this.view ?? {};
    return [peer, ...others].filter((each) =>
      each !== undefined && !each.isEnding
    ) as ConversationView[];
  }

  /** The run under way, or the last one. */
  get run(): Run {
    assert(this.#run !== undefined, `${this.name} never started`);
    return this.#run;
  }

  /** What was sent more than once, in all runs. */
  get retransmissions(): number {
    return this.#retransmissions + this.#retransmission.retransmissions;
  }

  /** The events of all runs. */
  get events(): readonly { time: Instant; event: ClientEvent }[] {
    return this.#host?.events ?? [];
  }

  /** Changes the address, running or not, as a NAT rebinding or a laptop's new network does. */
  move(address: Address): void {
    this.moves++;
    this.#address = address;
    this.#host?.move(address);
  }

  /** An address where this user has not been. */
  newAddress(): Address {
    const { hostname, port } = this.#address;
    const isElsewhere = this.prng.chance(0.3);
    const moved = isElsewhere ? hostname.replace(/^10\.\d+/, `10.${2 + this.moves}`) : hostname;
    return { hostname: moved, port: port + 1 };
  }

  /** Starts a run. */
  start(options: Partial<ClientOptions> = {}): void {
    const { world, name, mode, identity } = this;
    const client = new Client(world.network.instant(), {
      directoryAddresses: this.#side?.directoryAddresses ?? [DIRECTORY],
      localAddresses: () => [this.#address],
      serverName: "directory",
      id: 0,
      name,
      port: 40_000,
      timers: mode,
      acceptAll: false,
      identity,
      isBlocked: () => false,
      isKnown: (key) => key[0]! % 2 === 0,
      isTrustedPeer: () => true,
      holdsTexts: true,
      secret: world.network.isPrivate ? SECRET : undefined,
      trust: {
        isTrusted: (key) => isSameKey(key, world.identity.publicKey),
        refusal: () => "has another key",
      },
      random: this.prng.bytes,
      ...options,
    });
    this.#retransmissions = this.retransmissions;
    this.#retransmission = new RetransmissionCheck(mode);
    this.#rings = new RingCheck();
    this.#registrations = new RegistrationWatch();
    this.#heardAt = world.network.now;
    this.#isHeard = false;
    this.#client = client;
    this.#run = world.checker.start(name);
    if (this.#host !== undefined) return this.#host.start(client);
    this.#host = world.network.add<ClientEvent>(
      name,
      this.#side ?? this.address,
      () => client,
      (event) => this.handleEvent(event),
    );
  }

  /** Crashes, or stops after leaving. */
  stop(): void {
    this.#retransmission.end(this.world.network.now);
    this.#host?.crash();
    if (this.#client !== undefined) this.world.checker.crash(this.run);
    this.#client = undefined;
  }

  /** Gives the client a command; nothing happens where none runs. */
  do(command: (client: Client, now: Instant) => void): void {
    const client = this.#client;
    if (client === undefined) return;
    this.#host?.input((now) => command(client, now));
  }

  /** Requests a connection. */
  connect(peer: number | string): void {
    this.#retransmission.startRequest();
    this.do((client, now) => client.connect(now, peer));
  }

  /**
   * Sends texts to a connected peer.
   *
   * @param name how the user names the peer: undefined for the current one.
   */
  send(peer: number, fillings: readonly string[], name: number | undefined): void {
    const texts = fillings.map((filling) => {
      const text = this.world.checker.makeText(this.run, peer, filling);
      this.world.checker.addText(this.run, peer, text);
      return text;
    });
    this.do((client, now) => texts.forEach((text) => client.send(now, text, name)));
  }

  /** Answers a request. */
  answer(peer: number, isAccepted: boolean): void {
    this.#rings.answer(peer);
    this.do((client, now) => isAccepted ? client.accept(now, peer) : client.reject(now, peer));
  }

  /** Checks a datagram that the client sent. */
  onSent(datagram: Datagram): void {
    this.#retransmission.onSent(datagram);
    this.#registrations.onSent(datagram);
  }

  /** Whether the client can open what the directory sends unasked in this datagram. */
  opensUnasked(datagram: Datagram): boolean {
    return this.#registrations.isCurrent(datagram);
  }

  /** Records a datagram that reached the client. */
  onDelivered(datagram: Datagram): void {
    this.#retransmission.onDelivered(this.world.network.now, datagram);
    this.#rings.onDelivered(datagram, this.world.requesters);
    const isRegistered = this.#registrations.onDelivered(datagram);
    const isKept = datagram.frame("leaseKeepaliveAck") !== undefined;
    const isHeard = isRegistered || isKept && this.#registrations.isCurrent(datagram);
    if (datagram.isForged || !isHeard) return;
    this.#heardAt = this.world.network.now;
    this.#isHeard = true;
  }

  /** Checks the bounds of what is seen of the client, and that no request ended silently. */
  check(): void {
    const { view } = this;
    if (view === undefined || view.state === "left") return;
    const { peer, others, requests } = view;
    assert(others.length + Number(peer !== undefined) <= CONNECTIONS_MAX);
    assert(requests.length <= PENDING_REQUESTS_MAX);
    if (!this.run.isOver && view.state !== "leaving") this.#rings.check(view);
  }

  /** Checks that only the registration is left. */
  assertIdle(): void {
    const { state, requests, others, serverLostSince } = this.view!;
    assertEquals(state, "idle", `${this.name} is not idle`);
    assertEquals([requests, others, serverLostSince], [[], [], undefined], this.name);
  }

  /** Checks that the client left and has no timeout. */
  assertLeft(): void {
    this.#retransmission.end(this.world.network.now);
    assert(this.run.left !== undefined, `${this.name} did not leave`);
    assertEquals(this.#client?.nextTimeout(), undefined);
  }

  /** Checks an event. */
  protected handleEvent(event: ClientEvent): void {
    const { run } = this;
    const { checker, network } = this.world;
    const carrier = "peer" in event && typeof event.peer === "number"
      ? run.connections.get(event.peer)?.carrier
      : undefined;
    checker.onEvent(run, event);
    if (event.kind === "message") this.#takeMessage();
    const host = event.kind === "request" ? checker.hostOf(event.key) : undefined;
    this.#rings.onEvent(event, host);
    switch (event.kind) {
      case "terminated":
      case "returned":
      case "renewed":
        if (carrier?.session !== run.connections.get(event.peer)?.carrier.session) {
          this.#retransmission.end(network.now, carrier?.session);
        }
        return;
      case "list":
        return this.#retransmission.endList();
      case "connected":
      case "rejected":
      case "cancelled":
      case "inactive":
        return this.#retransmission.endRequest();
      case "error":
        return this.#checkError(event.code);
    }
  }

  /** Takes a message at once, or as a slow terminal does. */
  #takeMessage(): void {
    const { network } = this.world;
    const reader = this.#client;
    const delay = this.prng.chance(0.05) ? this.prng.next() * READER_DELAY_MAX : 0;
    network.at(network.now + delay, () => {
      if (reader === this.#client) this.do((client, now) => client.takeMessage(now));
    });
  }

  #checkError(code: string): void {
    assert(!["tooLong", "queueFull"].includes(code), "a text was not queued");
    const isUnavailable = code === "serverUnavailable";
    if (code === "peerTimeout" || isUnavailable) this.#retransmission.endRequest();
    if (code === "serverTimeout" || isUnavailable) this.#retransmission.endList();
    // What anybody can forge is believed only if nothing authentic comes.
    const silence = this.world.network.now - this.#heardAt;
    if (code === "serverKey") assert(silence >= FORGERY_PATIENCE, `after ${silence} ms: ${code}`);
    const isEnd = code === "version" && this.view?.state === "left";
    assert(!isEnd || !this.#isHeard, "another version, after an authentic answer");
  }
}
