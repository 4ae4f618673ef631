/**
 * The address to bind to.
 *
 * @module
 */

/** The address to bind to, so that the server is reached; only this machine where it is local. */
export function localHost(server: string): string {
  if (server.includes(":")) return server === "::1" ? "::1" : "::";
  return server.startsWith("127.") ? "127.0.0.1" : "0.0.0.0";
}
