/**
 * The listener for metrics: a bounded number of connections, each for a bounded time.
 *
 * `Deno.serve()` bounds neither: a request that never ends keeps its connection, and its memory, for as
 * long as its sender likes.
 *
 * @module
 */
import { answerRequest, HEAD_SIZE_MAX, isComplete, type Pages } from "./http.ts";
import type { Timing } from "./loop_delay.ts";

/** Connections that are open at a time; a further one takes the place of the oldest. */
const CONNECTIONS_MAX = 8;
/** Times that a connection is read from: its sender may send single bytes, or never stop. */
const READS_MAX = 64;
/** Milliseconds that a connection may take. */
const CONNECTION_TIMEOUT = 5_000;
/** Milliseconds from one connection to the next; others wait with the system. */
const ACCEPT_INTERVAL = 20;

/** A listener that is open. */
export interface MetricsListener {
  /** Closes it, and all connections. */
  close(): void;
}

/** Answers requests of HTTP. */
export function listenForMetrics(
  listener: Deno.TcpListener,
  pages: Pages,
  { after }: Pick<Timing, "after">,
): MetricsListener {
  /** In the order of their start. */
  const open = new Set<Deno.TcpConn>();
  let isClosed = false;

  function pause(): Promise<void> {
    return new Promise((resolve) => after(ACCEPT_INTERVAL, resolve));
  }

  async function accept(): Promise<void> {
    while (!isClosed) {
      try {
        const connection = await listener.accept();
        const [oldest] = open;
        if (open.size >= CONNECTIONS_MAX && oldest !== undefined) end(oldest);
        serve(connection);
      } catch {
        // It is closed, or the system has no room for a connection now.
      }
      if (!isClosed) await pause();
    }
  }

  async function serve(connection: Deno.TcpConn): Promise<void> {
    open.add(connection);
    const cancel = after(CONNECTION_TIMEOUT, () => end(connection));
    try {
      await answer(connection, pages);
    } catch {
      // The other end has gone, or its time is over.
    }
    cancel();
    end(connection);
  }

  function end(connection: Deno.TcpConn): void {
    if (open.delete(connection)) connection.close();
  }

  accept();
  return {
    close(): void {
      isClosed = true;
      listener.close();
      for (const connection of open) end(connection);
    },
  };
}

async function answer(connection: Deno.TcpConn, pages: Pages): Promise<void> {
  const reader = new Reader(connection);
  const head = await reader.readHead();
  if (head === "") return;
  const bytes = new TextEncoder().encode(answerRequest(head, pages));
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  await connection.closeWrite();
  // To close with bytes unread would reset the connection, and the answer might get lost.
  await reader.drain();
}

/** Reads what a connection sends, a bounded number of times. */
class Reader {
  readonly #connection: Deno.TcpConn;
  readonly #buffer = new Uint8Array(HEAD_SIZE_MAX);
  #readsLeft = READS_MAX;

  constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** The head of a request, cut off where it is too long; empty where none came. */
  async readHead(): Promise<string> {
    const decoder = new TextDecoder();
    let head = "";
    for (let size = 0; size < HEAD_SIZE_MAX && !isComplete(head);) {
      const read = await this.#read(size);
      if (read === 0) return "";
      size += read;
      head = decoder.decode(this.#buffer.subarray(0, size));
    }
    return head;
  }

  /** Reads on until the end. */
  async drain(): Promise<void> {
    while (await this.#read(0) > 0);
  }

  /** Reads into the buffer from `at` on; 0 at the end. */
  async #read(at: number): Promise<number> {
    if (this.#readsLeft-- <= 0) return 0;
    return await this.#connection.read(this.#buffer.subarray(at)) ?? 0;
  }
}
