/**
 * Folders for the programs that a test starts, so that none touches the files of whoever runs it.
 *
 * @module
 */

/** Folders by name; all of them are removed in the end. */
export class Folders implements Disposable {
  #root: string | undefined;

  /** The folder of that name, made when it is asked for first. */
  get(name: string): string {
    this.#root ??= Deno.makeTempDirSync({ prefix: "udp-chat-" });
    const folder = `${this.#root}/${name}`;
    Deno.mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** What has a client of that name keep its configuration here, on every system. */
  env(name: string): Record<string, string> {
    const folder = this.get(`config-${name}`);
    return { XDG_CONFIG_HOME: folder, APPDATA: folder };
  }

  /** The folder that the client of that name keeps its own files in. */
  config(name: string): string {
    return this.get(`config-${name}/udp-chat`);
  }

  [Symbol.dispose](): void {
    if (this.#root !== undefined) Deno.removeSync(this.#root, { recursive: true });
  }
}

/** Windows has no sockets without this variable. */
export function systemEnv(): Record<string, string> {
  const root = Deno.build.os === "windows" ? Deno.env.get("SystemRoot") : undefined;
  return root === undefined ? {} : { SystemRoot: root };
}
