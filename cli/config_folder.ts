/**
 * The folder of this program's files.
 *
 * @module
 */

/** What the folder depends on. */
export interface Platform {
  readonly isWindows: boolean;
  readonly isMac: boolean;
  /** The value of an environment variable, where it is set and may be read. */
  env(name: string): string | undefined;
}

/** The folder of this program's files; undefined where the environment names no place for it. */
export function configFolder({ isWindows, isMac, env }: Platform): string | undefined {
  const name = "udp-chat";
  if (isWindows) {
    const appData = absolute(env("APPDATA"), /^[A-Za-z]:[\\/]|^\\\\/);
    if (appData !== undefined) return `${appData}\\${name}`;
    const profile = absolute(env("USERPROFILE"), /^[A-Za-z]:[\\/]|^\\\\/);
    return profile === undefined ? undefined : `${profile}\\AppData\\Roaming\\${name}`;
  }
  // The XDG Base Directory Specification has relative paths ignored.
  const xdg = absolute(env("XDG_CONFIG_HOME"), /^\//);
  if (xdg !== undefined) return `${xdg}/${name}`;
  const home = absolute(env("HOME"), /^\//);
  if (home === undefined) return undefined;
  return `${home}/${isMac ? "Library/Application Support" : ".config"}/${name}`;
}

function absolute(path: string | undefined, root: RegExp): string | undefined {
  return path !== undefined && root.test(path) ? path.replace(/[\\/]+$/, "") : undefined;
}
