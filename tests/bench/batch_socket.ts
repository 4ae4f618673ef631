/**
 * A datagram socket that sends from any loopback address, and sends and receives many datagrams per
 * call, with `sendmmsg` and `recvmmsg`, so that the load costs less than the answers. 64-bit Linux
 * only.
 *
 * @module
 */

/** Most datagrams in one call. */
export const BATCH = 128;
/** Size of the longest datagram. */
const SIZE_MAX = 2048;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const IP_PKTINFO = 8;
const MSG_WAITFORONE = 0x10000;
/** Size of the receive buffer, for all outstanding datagrams. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;
/** Sizes of `struct sockaddr_in`, `iovec`, `mmsghdr` and of the control message. */
const ADDRESS_SIZE = 16;
const IOVEC_SIZE = 16;
const HEADER_SIZE = 64;
const CONTROL_SIZE = 32;
/** Offsets in `mmsghdr`. */
const NAME_SIZE_AT = 8;
const IOVEC_AT = 16;
const IOVEC_COUNT_AT = 24;
const CONTROL_AT = 32;
const CONTROL_SIZE_AT = 40;
const LENGTH_AT = 56;

const SYMBOLS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  sendmmsg: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvmmsg: { parameters: ["i32", "buffer", "u32", "i32", "pointer"], result: "i32" },
} as const;

/** Why this machine has no such socket. */
export function batchProblem(): string | undefined {
  if (Deno.build.os !== "linux") return "needs Linux (sendmmsg)";
  try {
    Deno.dlopen("libc.so.6", SYMBOLS).close();
    return undefined;
  } catch {
    return "needs the GNU C library";
  }
}

/** One direction: headers that point to datagrams. */
class Batch {
  readonly headers = new Uint8Array(BATCH * HEADER_SIZE);
  readonly view = new DataView(this.headers.buffer);
  readonly bytes = new Uint8Array(BATCH * SIZE_MAX);
  readonly iovecs = new Uint8Array(BATCH * IOVEC_SIZE);
  readonly iovecView = new DataView(this.iovecs.buffer);

  constructor() {
    for (let index = 0; index < BATCH; index++) {
      this.iovecView.setBigUint64(index * IOVEC_SIZE, place(this.bytes, index * SIZE_MAX), true);
      this.setSize(index, SIZE_MAX);
      const at = index * HEADER_SIZE;
      this.view.setBigUint64(at + IOVEC_AT, place(this.iovecs, index * IOVEC_SIZE), true);
      this.view.setBigUint64(at + IOVEC_COUNT_AT, 1n, true);
    }
  }

  setSize(index: number, size: number): void {
    this.iovecView.setUint32(index * IOVEC_SIZE + 8, size, true);
  }
}

function place(bytes: Uint8Array<ArrayBuffer>, offset: number): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)) + BigInt(offset);
}

/** The address 127.1.0.0 and those above it, by number. */
function source(number: number): [number, number, number, number] {
  return [127, 1 + (number >> 16), number >> 8 & 0xff, number & 0xff];
}

/** The socket. */
export class BatchSocket {
  readonly #library = Deno.dlopen("libc.so.6", SYMBOLS);
  readonly #socket: number;
  readonly #out = new Batch();
  readonly #in = new Batch();
  readonly #control = new Uint8Array(BATCH * CONTROL_SIZE);
  readonly #server = new Uint8Array(ADDRESS_SIZE);
  #queued = 0;

  /**
   * Opens it.
   *
   * @param port the port of the receiver at 127.0.0.1.
   * @param patience milliseconds that receive() waits.
   */
  constructor(port: number, patience: number) {
    const { symbols } = this.#library;
    this.#socket = symbols.socket(AF_INET, SOCK_DGRAM, 0);
    const any = new Uint8Array(ADDRESS_SIZE);
    new DataView(any.buffer).setUint16(0, AF_INET, true);
    this.#check(symbols.bind(this.#socket, any, ADDRESS_SIZE), "bind");
    const size = new Uint8Array(Int32Array.of(RECEIVE_BUFFER).buffer);
    symbols.setsockopt(this.#socket, SOL_SOCKET, SO_RCVBUF, size, size.length);
    const time = new Uint8Array(BigInt64Array.of(0n, BigInt(1000 * patience)).buffer);
    symbols.setsockopt(this.#socket, SOL_SOCKET, SO_RCVTIMEO, time, time.length);
    this.#server.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1]);
    const control = new DataView(this.#control.buffer);
    for (let index = 0; index < BATCH; index++) {
      const at = index * HEADER_SIZE;
      const { view } = this.#out;
      view.setBigUint64(at, place(this.#server, 0), true);
      view.setUint32(at + NAME_SIZE_AT, ADDRESS_SIZE, true);
      view.setBigUint64(at + CONTROL_AT, place(this.#control, index * CONTROL_SIZE), true);
      view.setBigUint64(at + CONTROL_SIZE_AT, BigInt(CONTROL_SIZE), true);
      // struct cmsghdr: its size, IPPROTO_IP, the type; then in_pktinfo.
      control.setBigUint64(index * CONTROL_SIZE, 28n, true);
      control.setUint32(index * CONTROL_SIZE + 12, IP_PKTINFO, true);
    }
  }

  /** Queues a datagram from the loopback address with this number. */
  queue(bytes: Uint8Array, from: number): void {
    if (this.#queued === BATCH) this.flush();
    const index = this.#queued++;
    this.#out.bytes.set(bytes, index * SIZE_MAX);
    this.#out.setSize(index, bytes.length);
    this.#control.set(source(from), index * CONTROL_SIZE + 20);
  }

  /** Sends the queue. */
  flush(): void {
    // One call may send fewer; the others count as lost.
    const { symbols } = this.#library;
    if (this.#queued > 0) symbols.sendmmsg(this.#socket, this.#out.headers, this.#queued, 0);
    this.#queued = 0;
  }

  /** Waits for datagrams; returns their number. */
  receive(): number {
    const { symbols } = this.#library;
    const count = symbols.recvmmsg(this.#socket, this.#in.headers, BATCH, MSG_WAITFORONE, null);
    return Math.max(0, count);
  }

  /** One of the received datagrams; valid until the next receive(). */
  received(index: number): Uint8Array {
    const size = this.#in.view.getUint32(index * HEADER_SIZE + LENGTH_AT, true);
    return this.#in.bytes.subarray(index * SIZE_MAX, index * SIZE_MAX + size);
  }

  #check(result: number, what: string): void {
    if (result < 0) throw new Error(`Cannot ${what} the socket`);
  }
}
