/**
 * A directory that crashes on a signal, for server_screen_test.ts.
 *
 * @module
 */
import { serve } from "../../server/main.ts";
import { Server } from "../../server/server.ts";

if (import.meta.main) {
  Deno.addSignalListener("SIGUSR1", () => {
    throw new Error("Nobody catches this");
  });
  Deno.addSignalListener("SIGUSR2", () => void Promise.reject(new Error("Nobody handles this")));
  Server.prototype.handleDatagram = () => {
    throw new Error("Nobody expects this");
  };
  Deno.exit(await serve(["--port", "0", "--ephemeral"]));
}
