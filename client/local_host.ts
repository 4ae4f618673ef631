/**
 * The address that a client binds its socket to.
 *
 * @module
 */

/** The address to bind to for a directory at `server`: loopback where that is local. */
export function localHost(server: string): string {
  if (server.includes(":")) return server === "::1" ? "::1" : "::";
  return server.startsWith("127.") ? "127.0.0.1" : "0.0.0.0";
}
