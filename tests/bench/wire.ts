/**
 * The transports that the benchmarks compare: each sends messages between two processes.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";

/** The transports: this program, a bare Deno datagram socket, and TCP in Deno with TCP_NODELAY. */
export type WireKind = "chat" | "udp" | "tcp";

/** A received message; bytes are valid until the handler returns. */
export type Arrived = Uint8Array | string;

/** The bounds of flood(). */
export interface Amount {
  /** Milliseconds, or undefined for no limit. */
  readonly ms?: number;
  readonly messages?: number;
}

/** One end. All messages of a wire have one size. */
export interface Wire {
  /** Called with each message in order; its result is awaited before the next one. */
  onMessage: (message: Arrived) => void | Promise<void>;
  /** Sends a message. */
  send(message: string): void | Promise<void>;
  /**
   * Sends a message repeatedly, as fast as the wire allows; waits for acks if the wire has any.
   *
   * @param onSent called from time to time with the number of messages so far.
   */
  flood(message: string, amount: Amount, onSent?: (messages: number) => void): Promise<void>;
  /** Datagrams sent so far; 0 for TCP. */
  readonly datagrams: number;
  /** Closes it in order. */
  close(): Promise<void>;
}

/** The options of an end. */
export interface WireOptions {
  readonly size: number;
  /** The address to bind to. */
  readonly hostname: string;
  /** The address of the other end, for the one that opens second. */
  readonly peer?: Address | undefined;
  /** The directory, for "chat". */
  readonly directory?: Address | undefined;
  /** For "chat": the name of the end that listens. */
  readonly name?: string | undefined;
}

/** An end that waits for the other one. */
export interface Opening {
  /** Resolves to its address when it listens. */
  readonly address: Promise<Address>;
  /** Resolves when both ends are connected. */
  readonly wire: Promise<Wire>;
}

/** Messages between two readings of the clock. */
export const CLOCK_STRIDE = 64;

const encoder = new TextEncoder();

/** A bare Deno datagram socket: one datagram per message. */
export function openUdp({ hostname, size, peer }: WireOptions): Opening {
  const socket = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
  const address = socket.addr as Deno.NetAddr;
  let other: Deno.NetAddr | undefined = peer && { transport: "udp", ...peer };
  let datagrams = 0;
  const wire: Wire = {
    onMessage: () => {},
    async send(message) {
      datagrams++;
      await socket.send(encoder.encode(message), other!);
    },
    async flood(message, { ms = Infinity, messages = Infinity }) {
      const bytes = encoder.encode(message);
      const end = performance.now() + ms;
      for (let sent = 0; sent < messages; sent++) {
        if (sent % CLOCK_STRIDE === 0 && performance.now() > end) break;
        await socket.send(bytes, other!);
        datagrams++;
      }
    },
    get datagrams(): number {
      return datagrams;
    },
    async close() {
      socket.close();
      await receiving;
    },
  };
  async function receive(): Promise<void> {
    const buffer = new Uint8Array(size + 1);
    try {
      for (;;) {
        const [bytes, from] = await socket.receive(buffer);
        other ??= from as Deno.NetAddr;
        const pending = wire.onMessage(bytes);
        if (pending !== undefined) await pending;
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted)) {
        throw error;
      }
    }
  }
  const receiving = receive();
  return { address: Promise.resolve(address), wire: Promise.resolve(wire) };
}

/** TCP in Deno with TCP_NODELAY: one write per message, split again by the size. */
export function openTcp({ hostname, size, peer }: WireOptions): Opening {
  if (peer !== undefined) {
    const wire = Deno.connect({ ...peer }).then((connection) => tcpWire(connection, size));
    return { address: Promise.resolve(peer), wire };
  }
  const listener = Deno.listen({ hostname, port: 0 });
  const wire = listener.accept().then((connection) => tcpWire(connection, size));
  return { address: Promise.resolve(listener.addr as Deno.NetAddr), wire };
}

function tcpWire(connection: Deno.TcpConn, size: number): Wire {
  connection.setNoDelay(true);
  async function write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  }
  const wire: Wire = {
    onMessage: () => {},
    send: (message) => write(encoder.encode(message)),
    async flood(message, { ms = Infinity, messages = Infinity }) {
      const bytes = encoder.encode(message);
      const end = performance.now() + ms;
      for (let sent = 0; sent < messages; sent++) {
        if (sent % CLOCK_STRIDE === 0 && performance.now() > end) break;
        await write(bytes);
      }
    },
    datagrams: 0,
    async close() {
      connection.close();
      await receiving;
    },
  };
  async function receive(): Promise<void> {
    const buffer = new Uint8Array(Math.max(65_536, 2 * size));
    let filled = 0;
    for (;;) {
      const count = await connection.read(buffer.subarray(filled)).catch(() => null);
      if (count === null) return;
      filled += count;
      let at = 0;
      for (; filled - at >= size; at += size) {
        const pending = wire.onMessage(buffer.subarray(at, at + size));
        if (pending !== undefined) await pending;
      }
      buffer.copyWithin(0, at, filled);
      filled -= at;
    }
  }
  const receiving = receive();
  return wire;
}
