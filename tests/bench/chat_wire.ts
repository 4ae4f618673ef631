/**
 * This program as a {@linkcode Wire}: two clients that found each other through a directory, each on
 * a socket. The only file of the benchmarks that makes clients.
 *
 * @module
 */
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { clock, type Drive, drive, openSocket, systemRandom } from "../../protocol/udp.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { clientOptions } from "../support/client_options.ts";
import { Server } from "../../server/server.ts";
import type { Amount, Arrived, Opening, Wire, WireOptions } from "./wire.ts";
import type { Line } from "./worker.ts";

/** Messages that flood() keeps under way. */
const FLOOD_MESSAGES_MAX = 16_384;
/** The same in bytes, less than a connection queues. */
const FLOOD_BYTES_MAX = 2 * 1024 * 1024;

/** A directory for the clients: reports its address, and runs until the end of its input. */
export async function directoryProcess(
  { hostname }: { hostname: string },
  line: Line,
): Promise<void> {
  const socket = openSocket(hostname, 0);
  const identity = makeKeyPair(systemRandom);
  const server = new Server({ maxClients: 1000, lease: 45_000, identity, random: systemRandom });
  const running = drive(server, socket, () => {});
  line.tell(socket.addr);
  await line.hear();
  await running.close();
}

/** Opens a client; the end with a peer requests the connection, the other end accepts. */
export function openChat({ hostname, size, peer, directory, name = "" }: WireOptions): Opening {
  const socket = openSocket(hostname, 0);
  const wire = new ChatWire(socket, size, { directory: directory!, name, peer });
  return { address: wire.registered, wire: wire.open() };
}

interface Meeting {
  readonly directory: Address;
  /** The name of the end that accepts. */
  readonly name: string;
  readonly peer: Address | undefined;
}

class ChatWire implements Wire {
  onMessage: (message: Arrived) => void | Promise<void> = () => {};
  datagrams = 0;
  readonly #meeting: Meeting;
  readonly #client: Client;
  readonly #drive: Drive;
  readonly #outstandingMax: number;
  #outstanding = 0;
  #nextSeq = 0;
  #pending: string[] = [];
  #flood:
    | { message: string; left: number; until: number; onSent: (sent: number) => void }
    | undefined;
  #sent = 0;
  #isScheduled = false;
  #onIdle = Promise.withResolvers<void>();
  readonly #registered = Promise.withResolvers<Address>();
  readonly #connected = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<void>();

  constructor(socket: Deno.DatagramConn, size: number, meeting: Meeting) {
    this.#meeting = meeting;
    this.#outstandingMax = Math.min(FLOOD_MESSAGES_MAX, Math.floor(FLOOD_BYTES_MAX / size));
    const send = socket.send.bind(socket);
    socket.send = (bytes, to) => {
      this.datagrams++;
      return send(bytes, to);
    };
    this.#client = new Client(
      clock(),
      clientOptions({
        directoryAddresses: [meeting.directory],
        name: meeting.peer === undefined ? meeting.name : "",
        port: (socket.addr as Deno.NetAddr).port,
        acceptAll: true,
        identity: makeKeyPair(systemRandom),
        random: systemRandom,
      }),
    );
    this.#drive = drive(this.#client, socket, (event) => this.#handle(event));
  }

  /** Resolves to its address when it is registered. */
  get registered(): Promise<Address> {
    return this.#registered.promise;
  }

  async open(): Promise<Wire> {
    await this.#connected.promise;
    return this;
  }

  send(message: string): void {
    this.#pending.push(message);
    this.#outstanding++;
    this.#schedule();
  }

  async flood(
    message: string,
    { ms = Infinity, messages = Infinity }: Amount,
    onSent: (messages: number) => void = () => {},
  ): Promise<void> {
    this.#onIdle = Promise.withResolvers();
    this.#sent = 0;
    this.#flood = { message, left: messages, until: performance.now() + ms, onSent };
    this.#schedule();
    await this.#onIdle.promise;
  }

  async close(): Promise<void> {
    this.#drive.input((now) => this.#client.leave(now));
    await this.#left.promise;
    await this.#drive.close();
  }

  #handle(event: ClientEvent): void {
    switch (event.kind) {
      case "delivered":
        this.#outstanding--;
        if (this.#flood !== undefined || this.#outstanding === 0) this.#schedule();
        return;
      case "message":
        if (event.textSeq !== this.#nextSeq++) {
          throw new Error(`Message ${event.textSeq} is out of order`);
        }
        this.onMessage(event.text);
        return;
      case "registered":
        this.#registered.resolve(event.address);
        if (this.#meeting.peer !== undefined) queueMicrotask(() => this.#connect());
        return;
      case "connected":
        return this.#connected.resolve();
      case "left":
        return this.#left.resolve();
      case "terminated":
        if (event.undelivered > 0) throw new Error(`${event.undelivered} messages are lost`);
        return;
      case "error":
      case "inactive":
      case "rejected":
        throw new Error(`The client failed: ${Deno.inspect(event)}`);
    }
  }

  #connect(): void {
    this.#drive.input((now) => this.#client.connect(now, this.#meeting.name));
  }

  /** Runs later, once for all events until then: events come in the middle of inputs. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#fill());
  }

  #fill(): void {
    this.#isScheduled = false;
    const pending = this.#pending;
    this.#pending = [];
    const more = this.#nextOfFlood();
    if (pending.length > 0 || more > 0) {
      this.#drive.input((now) => {
        for (const message of pending) this.#client.send(now, message);
        for (let count = 0; count < more; count++) this.#client.send(now, this.#flood!.message);
      });
      this.#outstanding += more;
    }
    if (this.#flood === undefined && this.#outstanding === 0) this.#onIdle.resolve();
  }

  /** The number of messages that the flood may send now; ends the flood. */
  #nextOfFlood(): number {
    const flood = this.#flood;
    if (flood === undefined) return 0;
    flood.onSent(this.#sent);
    const isOver = flood.left <= 0 || performance.now() > flood.until;
    if (isOver) {
      this.#flood = undefined;
      return 0;
    }
    const more = Math.min(this.#outstandingMax - this.#outstanding, flood.left);
    // In steps, to amortise each input.
    if (more < this.#outstandingMax / 8 && more < flood.left) return 0;
    flood.left -= more;
    this.#sent += more;
    return more;
  }
}
