/**
 * A path to a TCP server that can be slow, or be cut.
 *
 * @module
 */

/** Forwards connections to a port of this machine. */
export class TcpProxy implements Disposable {
  /** Milliseconds that everything takes, each way. */
  delay = 0;
  /** Whether it forwards nothing, so that no side learns of it; what came meanwhile is lost. */
  isCut = false;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #connections = new Set<Deno.TcpConn>();
  /** Each ends a wait. */
  readonly #waits = new Set<() => void>();
  readonly #to: number;

  constructor(to: number) {
    this.#to = to;
    this.#accept();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Closes all connections; new ones are possible. */
  reset(): void {
    for (const connection of this.#connections) close(connection);
    this.#connections.clear();
    for (const end of this.#waits) end();
  }

  [Symbol.dispose](): void {
    this.#listener.close();
    this.reset();
  }

  /** Resolves when something has taken its time, or is not awaited any more. */
  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waits.delete(end);
        resolve();
      };
      const timer = setTimeout(end, this.delay);
      this.#waits.add(end);
    });
  }

  async #accept(): Promise<void> {
    try {
      for await (const near of this.#listener) this.#connect(near);
    } catch {
      // It was closed.
    }
  }

  async #connect(near: Deno.TcpConn): Promise<void> {
    this.#connections.add(near);
    try {
      const far = await Deno.connect({ hostname: "127.0.0.1", port: this.#to });
      this.#connections.add(far);
      this.#forward(near, far);
      this.#forward(far, near);
    } catch {
      close(near);
    }
  }

  async #forward(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    let sent = Promise.resolve();
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let size = await from.read(buffer); size !== null; size = await from.read(buffer)) {
        const bytes = buffer.slice(0, size);
        const isDue = this.#wait();
        sent = sent.then(() => isDue).then(() => this.isCut ? undefined : writeAll(to, bytes));
        sent.catch(() => {});
      }
    } catch {
      // One of them was closed.
    }
    await sent.catch(() => {});
    close(from);
    close(to);
  }
}

async function writeAll(to: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await to.write(bytes.subarray(at));
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // It was closed before.
  }
}
