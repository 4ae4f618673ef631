/**
 * Ports of this machine.
 *
 * @module
 */

/** No system gives these to a program that asks for any port: Linux begins at 32768, others at 49152. */
const FIRST = 10_000;
const LAST = 32_767;

/**
 * A free port of 127.0.0.1, which stays so: no other program is given it by chance, as a port would be
 * that was free because a program ended.
 */
export function freePort(transport: "udp" | "tcp" = "udp"): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    const at = { hostname: "127.0.0.1", port };
    try {
      if (transport === "tcp") Deno.listen(at).close();
      else Deno.listenDatagram({ ...at, transport }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
