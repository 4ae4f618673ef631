/**
 * The directory of a test: with a table of its own, or, where `UDP_CHAT_TABLE=shared`, with one in a
 * store that answers at once. So every test tries both.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { Server } from "../../server/server.ts";
import type { ServerOptions } from "../../server/server_options.ts";
import { StoredServer } from "./stored_server.ts";

/** Whether tests use a shared table. */
export const IS_SHARED: boolean = Deno.env.get("UDP_CHAT_TABLE") === "shared";

/** Makes a directory. */
export function newServer(options: ServerOptions): Server {
  return IS_SHARED ? new StoredServer(options) : new Server(options);
}

/** When its table changes by itself; not known with a store, which is asked all the time. */
export function ownTimeout(server: Server): Instant | undefined {
  return IS_SHARED ? undefined : server.nextTimeout();
}
