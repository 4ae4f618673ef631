/**
 * A process of a benchmark: `worker.ts ROLE CONFIG`.
 *
 * @module
 */
import { LineStream } from "./child.ts";
import { directoryProcess } from "./chat_wire.ts";
import { fillDirectory } from "./directory_fill.ts";
import { echoProcess, loadProcess } from "./directory_load.ts";
import { talk } from "./talk.ts";

/** The channel between a worker and the process that started it. */
export interface Line {
  tell(value: unknown): void;
  /** The next command; undefined at the end. */
  hear(): Promise<unknown>;
}

// Each role gets the configuration from its benchmark.
// deno-lint-ignore no-explicit-any
const ROLES: Record<string, (config: any, line: Line) => Promise<void>> = {
  talk,
  directory: directoryProcess,
  echo: echoProcess,
  load: loadProcess,
  fill: fillDirectory,
};

const encoder = new TextEncoder();
const reader = Deno.stdin.readable.pipeThrough(new TextDecoderStream())
  .pipeThrough(new LineStream()).getReader();

const [role = "", config = "{}"] = Deno.args;
await ROLES[role]!(JSON.parse(config), {
  tell: (value) => void Deno.stdout.writeSync(encoder.encode(`${JSON.stringify(value)}\n`)),
  async hear(): Promise<unknown> {
    const { value } = await reader.read();
    return value === undefined ? undefined : JSON.parse(value);
  },
});
Deno.exit(0);
