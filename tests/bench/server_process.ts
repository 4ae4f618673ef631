/**
 * A directory in a process of its own.
 *
 * @module
 */
import { commandLine } from "../e2e/process.ts";
import { LineStream } from "./child.ts";

/** `udp-chat serve` in a process. */
export class ServerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  /** @param more further options. */
  constructor(clientsMax: number, more: readonly string[] = []) {
    const { program, args } = commandLine("serve");
    const options = ["--quiet", "--json", "--no-source-limits", "--lease", "3600", "--port", "0"];
    const all = [...args, ...options, "--max-clients", String(clientsMax), ...more];
    this.#process = new Deno.Command(program, {
      args: all,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  }

  get pid(): number {
    return this.#process.pid;
  }

  async port(): Promise<number> {
    const lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new LineStream()).getReader();
    const { value = "{}" } = await lines.read();
    return JSON.parse(value).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}
