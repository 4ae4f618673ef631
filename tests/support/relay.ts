/**
 * A UDP relay in front of a client, which can lose, repeat and delay the datagrams that it chooses.
 *
 * It stands between a client and its directory, as a NAT does: the directory sees the client at a
 * port of the relay and tells that address to others, so their datagrams come through the relay,
 * too. A client uses it by naming `relay.address` as its `--server`.
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
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../../protocol/wire/frame.ts";

/** A datagram on its way through the relay. */
export interface Passing {
  /** Seen from the client that uses the relay. */
  readonly direction: "fromClient" | "toClient";
  readonly from: Address;
  readonly to: Address;
  readonly bytes: Uint8Array;
  /** Its frames; none where it is sealed. */
  readonly frames: readonly Frame[];
  /** One of {@linkcode DatagramType}, 0 where it cannot be decoded. */
  readonly type: number;
}

/** What becomes of a datagram. */
export type Fate =
  | "pass"
  | "drop"
  | "duplicate"
  | { delay: number }
  /** These go the same way first. */
  | { inject: readonly Uint8Array[] };

/** Decides on a datagram. */
export type Judge = (passing: Passing) => Fate;

const HOST = "127.0.0.1";

/** A client that uses the relay: one socket towards the world, one for each who writes to it. */
interface Host {
  readonly address: Address;
  outside: Deno.DatagramConn;
  readonly insideOf: Map<string, Deno.DatagramConn>;
}

/** The relay; it works from its construction to its disposal. */
export class Relay implements AsyncDisposable {
  /** What every datagram is asked; may be replaced at any time. */
  judge: Judge;
  readonly #server: Address;
  readonly #front: Deno.DatagramConn;
  readonly #sockets: Deno.DatagramConn[] = [];
  readonly #loops: Promise<void>[] = [];
  readonly #hosts = new Map<string, Host>();
  readonly #delayed = new Set<ReturnType<typeof setTimeout>>();
  readonly #watchers = new Set<(passing: Passing) => void>();
  #isClosed = false;

  /** @param server the directory. */
  constructor(server: Address, judge: Judge = () => "pass") {
    this.#server = server;
    this.judge = judge;
    this.#front = this.#open((bytes, from) => {
      const { outside } = this.#hostAt(from);
      this.#pass("fromClient", bytes, from, this.#server, outside);
    });
  }

  /** What a client behind the relay names as its directory. */
  get address(): string {
    return formatAddress(this.#front.addr as Deno.NetAddr);
  }

  /** The next datagram that satisfies the predicate; the judge has seen it already. */
  waitFor(predicate: (passing: Passing) => boolean, timeout = 20_000): Promise<Passing> {
    const { promise, resolve, reject } = Promise.withResolvers<Passing>();
    const finish = (): void => {
      clearTimeout(timer);
      this.#watchers.delete(watcher);
    };
    const watcher = (passing: Passing): void => {
      if (!predicate(passing)) return;
      finish();
      resolve(passing);
    };
    const timer = setTimeout(() => {
      finish();
      reject(new Error(`The relay saw no datagram for ${predicate} in ${timeout} ms`));
    }, timeout);
    this.#watchers.add(watcher);
    return promise;
  }

  /** Moves every client to a new outside port, as a NAT does that forgot it: the old one is dead. */
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

  /** The socket that stands for a client in the eyes of the world. */
  #openOutside(host: Host): Deno.DatagramConn {
    return this.#open((bytes, from) => {
      const isServer = from.port === this.#server.port && from.hostname === this.#server.hostname;
      const inside = isServer ? this.#front : this.#insideOf(host, from);
      this.#pass("toClient", bytes, from, host.address, inside);
    });
  }

  /** The socket that stands for a peer in the client's eyes. */
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
    const buffer = new Uint8Array(DATAGRAM_SIZE_MAX + 1);
    while (this.#sockets.includes(socket) && !this.#isClosed) {
      try {
        const [bytes, from] = await socket.receive(buffer);
        handle(bytes.slice(), from as Deno.NetAddr);
      } catch {
        // Closed, or on Windows the echo of something that could not be delivered.
      }
    }
  }

  #pass(
    direction: Passing["direction"],
    bytes: Uint8Array,
    from: Address,
    to: Address,
    socket: Deno.DatagramConn,
  ): void {
    const decoded = decodeDatagram(bytes);
    const frames = decoded.ok && decoded.value.sealed === undefined ? decoded.value.frames : [];
    const type = decoded.ok ? decoded.value.header.type : 0;
    const passing: Passing = { direction, from, to, bytes, frames, type };
    const fate = this.judge(passing);
    for (const watcher of this.#watchers) watcher(passing);
    const send = (what = bytes): void => {
      const target: Deno.NetAddr = { transport: "udp", hostname: to.hostname, port: to.port };
      // What cannot be sent is lost, as on any line.
      if (!this.#isClosed) socket.send(what, target).catch(() => {});
    };
    if (fate === "drop") return;
    if (typeof fate === "object" && "inject" in fate) {
      for (const other of fate.inject) send(other);
    } else if (typeof fate === "object") {
      const timer = setTimeout(() => {
        this.#delayed.delete(timer);
        send();
      }, fate.delay);
      this.#delayed.add(timer);
      return;
    }
    send();
    if (fate === "duplicate") send();
  }
}

/** A judge that drops, once, the first datagram that the predicate holds for. */
export function dropOnce(predicate: (passing: Passing) => boolean): Judge {
  let isDropped = false;
  return (passing) => {
    if (isDropped || !predicate(passing)) return "pass";
    isDropped = true;
    return "drop";
  };
}

/**
 * The datagrams that hold one sealed frame: their type, and their sizes. A Termination has an Ack
 * beside it, and perhaps a Connection Keepalive; its ack may have an Ack beside it.
 */
const SEALED_SIZES: Partial<Record<Frame["kind"], readonly [DatagramType, ...number[]]>> = {
  ringing: [DatagramType.Handshake, 39],
  connectionReject: [DatagramType.Handshake, 40],
  connectionAccept: [DatagramType.Handshake, 228],
  connectionKeepalive: [DatagramType.Connection, 35],
  ack: [DatagramType.Connection, 50],
  connectionTerminationAck: [DatagramType.Connection, 43, 61],
  connectionTermination: [DatagramType.Connection, 65, 68],
};
/** Bytes beside the text in the smallest datagram with a Message. */
const MESSAGE_OVERHEAD = 44;

/**
 * Whether a datagram holds a frame of this kind, as far as an onlooker can tell: sealed ones by
 * their size. Texts of 3, 6, 17, 21 or 24 bytes could be taken for a Termination
 * or its ack, of 6 bytes for an Ack.
 */
export function holds({ frames, type, bytes }: Passing, kind: Frame["kind"]): boolean {
  const [sealedType, ...sizes] = SEALED_SIZES[kind] ?? [];
  if (sealedType !== undefined) return type === sealedType && sizes.includes(bytes.length);
  if (kind !== "message") return frames.some((frame) => frame.kind === kind);
  const isOther = (["connectionTermination", "connectionTerminationAck", "ack"] as const)
    .some((other) => SEALED_SIZES[other]?.includes(bytes.length));
  return type === DatagramType.Connection && bytes.length > MESSAGE_OVERHEAD && !isOther;
}
