/**
 * A UDP relay in front of a client, which can drop, duplicate and delay datagrams.
 *
 * It works like a NAT: the directory sees the client at a port of the relay and gives that address
 * to peers, so their datagrams pass the relay as well. A client uses it with `--server` and
 * `relay.address`. Its peer uses the relay's `mirror()`, because each client sends to where the other
 * one is, too.
 *
 * ```
 * client ◄──► front ─ relay ─ outside port of this client ◄──► directory
 *        ◄──► inside port of that peer ─────────┘         ◄──► peer
 * ```
 *
 * @module
 */
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  DatagramType,
  type Frame,
  NAMED_PACKET_SIZE,
  PACKET_SIZE_MAX,
} from "../../protocol/wire/frame.ts";

/** A datagram that passes the relay. */
export interface RelayedDatagram {
  /** From the view of the client that uses the relay. */
  readonly direction: "fromClient" | "toClient";
  readonly from: Address;
  readonly to: Address;
  readonly bytes: Uint8Array;
  /** One of {@linkcode DatagramType}; 0 if it cannot be decoded. */
  readonly type: number;
}

/** What the relay does with a datagram. */
export type Verdict =
  | "pass"
  | "drop"
  | "duplicate"
  | { delay: number }
  /** Sends these in the same direction first. */
  | { inject: readonly Uint8Array[] };

/** Decides on a datagram. */
export type Filter = (datagram: RelayedDatagram) => Verdict;

const HOST = "127.0.0.1";
const OPPOSITE = { fromClient: "toClient", toClient: "fromClient" } as const;

/** A client that uses the relay: it has one outside socket, and one inside socket for each peer. */
interface Host {
  readonly address: Address;
  outside: Deno.DatagramConn;
  readonly insideOf: Map<string, Deno.DatagramConn>;
}

/** The relay; it works from its construction to its disposal. */
export class Relay implements AsyncDisposable {
  /** Decides on every datagram; may be replaced at any time. */
  filter: Filter;
  readonly #server: Address;
  readonly #front: Deno.DatagramConn;
  readonly #sockets: Deno.DatagramConn[] = [];
  readonly #loops: Promise<void>[] = [];
  readonly #hosts = new Map<string, Host>();
  readonly #delayed = new Set<ReturnType<typeof setTimeout>>();
  readonly #watchers = new Set<(datagram: RelayedDatagram) => void>();
  #judge: Filter = (datagram) => {
    const verdict = this.filter(datagram);
    for (const watcher of this.#watchers) watcher(datagram);
    return verdict;
  };
  #isClosed = false;

  /** @param server the directory. */
  constructor(server: Address, filter: Filter = () => "pass") {
    this.#server = server;
    this.filter = filter;
    this.#front = this.#open((bytes, from) => {
      const { outside } = this.#hostAt(from);
      this.#pass("fromClient", bytes, from, this.#server, outside);
    });
  }

  /** The address to use as the directory's. */
  get address(): string {
    return formatAddress(this.#front.addr as Deno.NetAddr);
  }

  /** A relay for the peer of the client behind this one: the filter and the watchers see all of it. */
  mirror(): Relay {
    const mirrored = new Relay(this.#server);
    mirrored.#judge = ({ direction, ...datagram }) =>
      this.#judge({ ...datagram, direction: OPPOSITE[direction] });
    return mirrored;
  }

  /** The next datagram that satisfies the predicate; the filter was called already. */
  waitFor(
    predicate: (datagram: RelayedDatagram) => boolean,
    timeout = 20_000,
  ): Promise<RelayedDatagram> {
    const { promise, resolve, reject } = Promise.withResolvers<RelayedDatagram>();
    const finish = (): void => {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    };
    const watcher = (datagram: RelayedDatagram): void => {
      if (!predicate(datagram)) return;
      finish();
      resolve(datagram);
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`The relay saw no datagram for ${predicate} in ${timeout} ms`));
    }, timeout);
    this.#watchers.add(watcher);
    return promise;
  }

  /** Moves every client to a new outside port and closes the old one, like a NAT rebinding. */
  rebind(): void {
    for (const host of this.#hosts.values()) {
      const old = host.outside;
      host.outside = this.#openOutside(host);
      this.#sockets.splice(this.#sockets.indexOf(old), 1);
      old.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#delayed) clearTimeout(timer);
    for (const socket of this.#sockets) socket.close();
    await Promise.all(this.#loops);
  }

  #hostAt(address: Address): Host {
    const key = formatAddress(address);
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    const host: Host = { address, outside: this.#front, insideOf: new Map() };
    host.outside = this.#openOutside(host);
    this.#hosts.set(key, host);
    return host;
  }

  /** The socket at which the directory and peers see a client. */
  #openOutside(host: Host): Deno.DatagramConn {
    return this.#open((bytes, from) => {
      const isServer = from.port === this.#server.port && from.hostname === this.#server.hostname;
      const inside = isServer ? this.#front : this.#insideOf(host, from);
      this.#pass("toClient", bytes, from, host.address, inside);
    });
  }

  /** The socket at which a client sees a peer. */
  #insideOf(host: Host, peer: Address): Deno.DatagramConn {
    const key = formatAddress(peer);
    const known = host.insideOf.get(key);
    if (known !== undefined) return known;
    const inside = this.#open((bytes, from) => {
      this.#pass("fromClient", bytes, from, peer, host.outside);
    });
    host.insideOf.set(key, inside);
    return inside;
  }

  #open(handle: (bytes: Uint8Array, from: Address) => void): Deno.DatagramConn {
    const socket = Deno.listenDatagram({ transport: "udp", hostname: HOST, port: 0 });
    this.#sockets.push(socket);
    this.#loops.push(this.#receive(socket, handle));
    return socket;
  }

  async #receive(
    socket: Deno.DatagramConn,
    handle: (bytes: Uint8Array, from: Address) => void,
  ): Promise<void> {
    const buffer = new Uint8Array(PACKET_SIZE_MAX + 1);
    while (this.#sockets.includes(socket) && !this.#isClosed) {
      try {
        const [bytes, from] = await socket.receive(buffer);
        handle(bytes.slice(), from as Deno.NetAddr);
      } catch {
        // Closed; or, on Windows, an earlier datagram was undeliverable.
      }
    }
  }

  #pass(
    direction: RelayedDatagram["direction"],
    bytes: Uint8Array,
    from: Address,
    to: Address,
    socket: Deno.DatagramConn,
  ): void {
    const decoded = decodeDatagram(bytes);
    const type = decoded.ok ? decoded.value.header.type : 0;
    const datagram: RelayedDatagram = { direction, from, to, bytes, type };
    const verdict = this.#judge(datagram);
    const send = (what = bytes): void => {
      const target: Deno.NetAddr = { transport: "udp", hostname: to.hostname, port: to.port };
      // A datagram that cannot be sent is lost.
      if (!this.#isClosed) socket.send(what, target).catch(() => {});
    };
    if (verdict === "drop") return;
    if (typeof verdict === "object" && "inject" in verdict) {
      for (const other of verdict.inject) send(other);
    } else if (typeof verdict === "object") {
      const timer = setTimeout(() => {
        this.#delayed.delete(timer);
        send();
      }, verdict.delay);
      this.#delayed.add(timer);
      return;
    }
    send();
    if (verdict === "duplicate") send();
  }
}

/** A filter that drops the first datagram that satisfies the predicate. */
export function dropOnce(predicate: (datagram: RelayedDatagram) => boolean): Filter {
  let isDropped = false;
  return (datagram) => {
    if (isDropped || !predicate(datagram)) return "pass";
    isDropped = true;
    return "drop";
  };
}

type Direction = RelayedDatagram["direction"];

/**
 * Where Packets with a frame go, and how large they are, in a conversation that the other client
 * begins and ends. A Termination comes with an Ack, and perhaps with a Connection Keepalive; its ack
 * perhaps with an Ack.
 */
const PACKETS: Partial<Record<Frame["kind"], { direction: Direction; sizes: number[] }>> = {
  connectionRequest: { direction: "toClient", sizes: [NAMED_PACKET_SIZE] },
  ringing: { direction: "fromClient", sizes: [39] },
  connectionReject: { direction: "fromClient", sizes: [40] },
  connectionAccept: { direction: "fromClient", sizes: [NAMED_PACKET_SIZE] },
  connectionTermination: { direction: "toClient", sizes: [61, 64] },
  connectionTerminationAck: { direction: "fromClient", sizes: [43, 61] },
};
/** Bytes of a Packet with up to four Path Challenges or Responses. */
const PATH_SIZES = [43, 54, 65, 76];
/** Bytes of the smallest Ack. */
const ACK_SIZE = 50;
/** Bytes besides the text in the smallest Packet with a Message. */
const MESSAGE_OVERHEAD = 44;
/** Bytes of a Connection Keepalive. */
const KEEPALIVE_SIZE = 3;

/** Whether a datagram is as long as one with this text, and perhaps with a Connection Keepalive. */
export function hasText({ type, bytes: { length } }: RelayedDatagram, text: string): boolean {
  const rest = length - MESSAGE_OVERHEAD - text.length;
  return type === DatagramType.Packet && (rest === 0 || rest === KEEPALIVE_SIZE);
}

/**
 * Whether a datagram contains a frame of this kind.
 *
 * The relay has no keys, so it knows sealed frames by their direction and size, in a conversation
 * that the other client begins and ends: a text of 6, 10, 17, 20, 21 or 32 bytes looks like something else.
 */
export function contains(datagram: RelayedDatagram, kind: Frame["kind"]): boolean {
  const { type, direction, bytes: { length } } = datagram;
  if (kind === "initiation") return type === DatagramType.Initiation;
  if (kind === "response") return type === DatagramType.Response;
  if (type !== DatagramType.Packet) return false;
  if (kind === "ack") return length === ACK_SIZE;
  const isLike = (packet = PACKETS[kind]): boolean =>
    packet?.direction === direction && packet.sizes.includes(length);
  if (kind !== "message") return isLike();
  const isOther = length === ACK_SIZE || PATH_SIZES.includes(length) ||
    Object.values(PACKETS).some(isLike);
  return length > MESSAGE_OVERHEAD && !isOther;
}
