/**
 * The edge to the system: the socket, the clock, the one sleep, and the loop that drives a machine.
 *
 * @module
 */
import { lookup } from "node:dns";
import { ClockJumps } from "./clock_jumps.ts";
import { loadCipher } from "./crypto/sodium.ts";
import { type Address, inTurn, mappedHost, sameAddress, unmapped } from "./wire/address.ts";
import type { DatagramMachine, Instant, Transmit } from "./machine.ts";
import { PACKET_SIZE_MAX } from "./wire/frame.ts";

/** Receive errors in a row after which there is a pause: they may come faster than anything else. */
const RECEIVE_ERRORS_MAX = 100;

/** Milliseconds of that pause. */
const RECEIVE_PAUSE = 50;

/** Addresses of one host that are used: each that is tried costs datagrams. */
export const HOST_ADDRESSES_MAX = 8;

/** Milliseconds between two looks at whether the machine slept. */
const SLEEP_CHECK_INTERVAL = 3_000;

/** All addresses of a family, to bind to. */
const ANY_IPV6 = "::";
const ANY_IPV4 = "0.0.0.0";

/** Milliseconds on the monotonic clock. */
export function clock(): Instant {
  return performance.now();
}

/** Random bytes from the system's cryptographic source. */
export function systemRandom(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** Deno was started without the flag that makes UDP sockets available. */
export class UnstableNetError extends Error {
  /** The name of this class, for code that does not import it. */
  override name = "UnstableNetError";

  /** Makes an error that says how to start Deno. */
  constructor() {
    super("Deno has no UDP sockets without --unstable-net; run it with that, or with deno task");
  }
}

/**
 * Opens a UDP socket.
 *
 * @param port 0 for any free one.
 * @throws {UnstableNetError} without `--unstable-net`, or `"unstable": ["net"]` in `deno.json`.
 * @throws what `Deno.listenDatagram` throws: the port in use, the host not of this machine, …
 */
export function openSocket(hostname: string, port: number): Deno.DatagramConn {
  if (Deno.listenDatagram === undefined) throw new UnstableNetError();
  return Deno.listenDatagram({ transport: "udp", hostname, port });
}

/**
 * Opens a UDP socket at the first of these addresses that this machine has.
 *
 * @param open opens one at an address.
 * @throws what `open` throws for the last of them, or where the port is in use.
 */
export function openFirstSocket(
  hostnames: readonly string[],
  port: number,
  open: typeof openSocket = openSocket,
): Deno.DatagramConn {
  for (const hostname of hostnames.slice(0, -1)) {
    try {
      return open(hostname, port);
    } catch (error) {
      // At another address it may be free, but what goes to this one would get lost.
      if (error instanceof Deno.errors.AddrInUse) throw error;
    }
  }
  return open(hostnames.at(-1)!, port);
}

/**
 * The IP addresses for a host name as this machine resolves it, at most {@linkcode HOST_ADDRESSES_MAX}
 * and at least one, those of IPv6 and IPv4 in turn.
 */
export function resolveHost(host: string): Promise<string[]> {
  // With a callback, because `node:dns/promises` prints a warning on Deno 2.4.
  return new Promise((resolve, reject) => {
    lookup(host, { all: true, verbatim: true }, (error, found = []) => {
      const hosts = new Set(found.map(({ address }) => address));
      if (hosts.size === 0) reject(error ?? new Error(`no address for "${host}"`));
      else resolve(inTurn([...hosts]).slice(0, HOST_ADDRESSES_MAX));
    });
  });
}

/** The addresses of this machine's interfaces; none where Deno may not look, or cannot. */
export function interfaceAddresses(): string[] {
  try {
    return Deno.networkInterfaces().map(({ address }) => address);
  } catch {
    return [];
  }
}

/**
 * Whether a socket at `::` serves IPv6 alone: by default so on Windows, and not on Linux and macOS,
 * whose settings may differ. False where there is no IPv6.
 *
 * @param open opens a socket at an address.
 */
export function isIpv6Only(open: typeof openSocket = openSocket): boolean {
  let socket: Deno.DatagramConn | undefined;
  try {
    socket = open(ANY_IPV6, 0);
    // One that serves both families has the port in both.
    open(ANY_IPV4, (socket.addr as Deno.NetAddr).port).close();
    return true;
  } catch {
    return false;
  } finally {
    socket?.close();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** An address as sockets name it. */
export type SocketAddress = Deno.Addr;

/** What drive() needs of a socket: that of the system, or one around it. */
export interface Socket {
  /** Where it is bound. One at an IPv6 address names IPv4 hosts in their mapped form. */
  readonly addr?: SocketAddress | undefined;
  /** Sends a datagram; resolves to its size. */
  send(bytes: Uint8Array, to: SocketAddress): Promise<number>;
  /** Receives a datagram into the buffer. */
  receive(buffer: Uint8Array): Promise<[bytes: Uint8Array, from: SocketAddress]>;
  /** Closes it; what waits to receive is rejected. */
  close(): void;
}

function isBoundToIpv6({ addr }: Socket): boolean {
  return addr !== undefined && "hostname" in addr && addr.hostname.includes(":");
}

/** A machine running on a socket. */
export interface Drive {
  /** Lets `input` act on the machine at this instant, then drains it. */
  input(input: (now: Instant) => void): void;
  /** Closes the socket, once what is being sent is out. */
  close(): Promise<void>;
  /** Settles when the socket is closed; rejects where it broke. */
  readonly finished: Promise<void>;
}

/**
 * Runs a machine on a socket: datagrams, timeouts and inputs go in one at a time. After each its
 * events are told, and at the end of the turn of the event loop everything is sent. The sends are
 * awaited one by one, because Deno may reorder them otherwise. On a socket of both families the
 * machine has IPv4 hosts in their own form. After a sleep of this computer it is told so.
 *
 * @param wallClock the time of the day, in milliseconds.
 * @param onSocketError called at each error of the socket; it ends nothing but loses a datagram.
 */
export function drive<Event>(
  machine: DatagramMachine<Event>,
  socket: Socket,
  onEvent: (event: Event) => void,
  wallClock: () => number = Date.now,
  onSocketError: (error: unknown) => void = () => {},
): Drive {
  let isClosed = false;
  let isClosing = false;
  let isSending = false;
  let sending = Promise.resolve();
  let sleep: { timer: ReturnType<typeof setTimeout>; until: Instant } | undefined;
  const isIpv6 = isBoundToIpv6(socket);
  /** The last address, also as the socket wants it: most datagrams go where the one before went. */
  let last: Address = { hostname: "", port: 0 };
  let to: Deno.NetAddr = { transport: "udp", ...last };
  const jumps = new ClockJumps(clock(), wallClock());
  const sleepCheck = machine.handleWake && setInterval(noticeSleep, SLEEP_CHECK_INTERVAL);

  async function send(): Promise<void> {
    isSending = true;
    try {
      // What else comes in this turn of the event loop goes into the same datagrams.
      await loadCipher();
    } catch {
      // `finished` says why.
      return;
    }
    for (let next = poll(); next !== undefined; next = poll()) {
      if (!sameAddress(last, next.to)) {
        const { hostname, port } = next.to;
        last = { hostname, port };
        to = { transport: "udp", hostname: isIpv6 ? mappedHost(hostname) : hostname, port };
      }
      try {
        await socket.send(next.bytes, to);
      } catch (error) {
        // A datagram that cannot be sent is a lost datagram: the timers see to it.
        onSocketError(error);
      }
    }
    isSending = false;
    // Transmitting makes events, too: "sent".
    emit();
    rearm();
  }

  function poll(): Transmit | undefined {
    return isClosed ? undefined : machine.pollTransmit(clock());
  }

  function emit(): void {
    for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) {
      onEvent(event);
    }
  }

  function drain(): void {
    if (isClosing) return;
    emit();
    // Where the system's buffer is full, timers wait with the rest: nothing could be sent.
    if (!isSending) sending = send();
  }

  function rearm(): void {
    const until = isClosing ? undefined : machine.nextTimeout();
    // Deadlines move with almost every datagram: waking too early costs less than a new timer each.
    if (until !== undefined && sleep !== undefined && sleep.until <= until) return;
    if (sleep !== undefined) clearTimeout(sleep.timer);
    sleep = undefined;
    if (until === undefined) return;
    sleep = { until, timer: setTimeout(wake, Math.max(0, Math.ceil(until - clock()))) };
  }

  function noticeSleep(): void {
    const jump = jumps.take(clock(), wallClock());
    if (jump === undefined) return;
    machine.handleWake?.(clock(), Math.max(0, jump));
    drain();
  }

  function wake(): void {
    sleep = undefined;
    noticeSleep();
    const now = clock();
    if ((machine.nextTimeout() ?? Infinity) > now) return rearm();
    machine.handleTimeout(now);
    drain();
  }

  async function receive(): Promise<void> {
    // What comes before waits in the socket; what goes out, in the machine.
    await loadCipher();
    const buffer = new Uint8Array(PACKET_SIZE_MAX + 1);
    for (let errors = 0; !isClosed;) {
      let received: [Uint8Array, Deno.Addr];
      try {
        received = await socket.receive(buffer);
      } catch (error) {
        // On Windows a "port unreachable" for something sent earlier is an error of this call, and so
        // is a datagram that is too long: what others can cause must not end anything.
        if (isClosed) return;
        if (error instanceof Deno.errors.BadResource) throw error;
        onSocketError(error);
        if (++errors % RECEIVE_ERRORS_MAX === 0) await pause(RECEIVE_PAUSE);
        continue;
      }
      if (isClosing) continue;
      errors = 0;
      const [bytes, from] = received;
      const sender = unmapped(from as Deno.NetAddr);
      if (machine.handleDatagram(clock(), bytes, sender) === false) continue;
      drain();
      // What is to be sent now leaves before the next look at the socket.
      await undefined;
    }
  }

  const finished = receive();
  drain();
  return {
    finished,
    input(input): void {
      if (isClosing) return;
      noticeSleep();
      input(clock());
      drain();
    },
    async close(): Promise<void> {
      if (isClosing) return await finished;
      // Nothing more goes in, so what is to be sent comes to an end.
      isClosing = true;
      rearm();
      clearInterval(sleepCheck);
      await sending;
      isClosed = true;
      socket.close();
      await finished;
    },
  };
}
