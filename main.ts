/**
 * The command line: `udp-chat serve` and `udp-chat client`.
 *
 * @module
 */
import { client } from "./client/main.ts";
import config from "./deno.json" with { type: "json" };
import { VERSION } from "./protocol/frame.ts";
import { serve } from "./server/main.ts";

const HELP = `Chat over UDP: a directory introduces clients, who then talk directly to each other

Usage: udp-chat serve [options]     run a directory, where clients find each other
       udp-chat client [options]    register with a directory, and talk
       udp-chat serve --help        the options of either
       udp-chat client --help
       udp-chat --version           the versions of the program, the protocol and Deno

To try it, in three terminals:
  udp-chat serve
  udp-chat client --name ana
  udp-chat client --connect ana`;

/** Runs what the arguments ask for, and returns the exit status. */
async function main(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "serve":
      return await serve(rest);
    case "client":
      return await client(rest);
    case "-h":
    case "--help":
      console.log(HELP);
      return 0;
    case "-V":
    case "--version":
      console.log(`udp-chat ${config.version} (protocol ${VERSION}, Deno ${Deno.version.deno})`);
      return 0;
    case undefined:
      console.error(HELP);
      return 2;
    default: {
      const shown = JSON.stringify(command);
      console.error(`Unknown command ${shown}: expected serve or client; try udp-chat --help`);
      return 2;
    }
  }
}

// Exits rather than ends: a read of standard input that is under way would keep the process alive.
if (import.meta.main) Deno.exit(await main(Deno.args));
