/**
 * Temporary folders for the programs that a test starts, so that they do not touch the user's files.
 *
 * @module
 */

/** Folders by name; all are removed at the end. */
export class Folders implements Disposable {
  #root: string | undefined;

  /** The folder of a name; the first call makes it. */
  get(name: string): string {
    this.#root ??= Deno.makeTempDirSync({ prefix: "udp-chat-" });
    const folder = `${this.#root}/${name}`;
    Deno.mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** Environment variables that put the configuration of a client here, on every system. */
  env(name: string): Record<string, string> {
    const folder = this.get(`config-${name}`);
    return { XDG_CONFIG_HOME: folder, APPDATA: folder };
  }

  /** The configuration folder of a client. */
  config(name: string): string {
    return this.get(`config-${name}/udp-chat`);
  }

  [Symbol.dispose](): void {
    if (this.#root !== undefined) Deno.removeSync(this.#root, { recursive: true });
  }
}

/** On Windows sockets need this variable. */
export function systemEnv(): Record<string, string> {
  const root = Deno.build.os === "windows" ? Deno.env.get("SystemRoot") : undefined;
  return root === undefined ? {} : { SystemRoot: root };
}
