/**
 * The file system: the only file of the client that touches it, and that reads the environment for it.
 *
 * @module
 */
import { dirname } from "node:path";
import type { SecretSources } from "./secret.ts";
import type { Place } from "../client/identity/identity.ts";

/** The files and the environment of this process. */
export const secretSources: SecretSources = {
  readFile: (path) => Deno.readFileSync(path),
  readVariable(name) {
    // Who does not let the program look into the environment has no secret there for it.
    const { state } = Deno.permissions.querySync({ name: "env", variable: name });
    return state === "granted" ? Deno.env.get(name) : undefined;
  },
};

/** Only the user may read and write. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** What of a file's mode lets others read, write or execute it. */
const OTHERS = 0o077;

const IS_WINDOWS = Deno.build.os === "windows";

/** Where this process keeps its configuration. */
export const PLACE: Place = {
  isWindows: IS_WINDOWS,
  isMac: Deno.build.os === "darwin",
  env(name) {
    try {
      return Deno.env.get(name);
    } catch {
      // Deno was not given access to it.
      return undefined;
    }
  },
};

/** Whether something has this name, be it a link to nowhere; throws where that cannot be told. */
export function hasFile(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Makes a folder, and those around it, for the user alone. */
export function makeFolder(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
}

/** The text of a file, and whether nobody else may read it; throws if it is larger than `sizeMax`. */
export function readFile(path: string, sizeMax: number): { text: string; isPrivate: boolean } {
  using file = Deno.openSync(path);
  // Asked of the open file, so that it is the one that is read. Windows has no such modes.
  const { mode } = file.statSync();
  const isPrivate = IS_WINDOWS || mode === null || (mode & OTHERS) === 0;
  const buffer = new Uint8Array(sizeMax + 1);
  let size = 0;
  while (size < buffer.length) {
    const read = file.readSync(buffer.subarray(size));
    if (read === null) break;
    size += read;
  }
  if (size > sizeMax) throw new Error(`It has more than ${sizeMax} bytes`);
  return {
    text: new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, size)),
    isPrivate,
  };
}

/** Makes a file, whole or not at all; where somebody else was quicker, theirs stays. */
export function createFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text);
  try {
    // Unlike a rename, a link does not replace what is there.
    Deno.linkSync(temporary, path);
    syncFolder(path);
  } catch {
    // Somebody else was quicker, or the file system has no links.
    if (!hasFile(path)) createInPlace(path, text);
  } finally {
    Deno.removeSync(temporary);
  }
}

/** Puts a text in the place of what a file holds, at once: whoever reads it sees either. */
export function replaceFile(path: string, text: string): void {
  // Where it is a link to another place, that stays.
  const target = hasFile(path) ? Deno.realPathSync(path) : path;
  const temporary = writeTemporary(target, text);
  try {
    Deno.renameSync(temporary, target);
  } catch (error) {
    Deno.removeSync(temporary);
    throw error;
  }
  syncFolder(target);
}

/** Adds a text to the end of a file, which is made where it is missing. */
export function appendFile(path: string, text: string): void {
  using file = Deno.openSync(path, { append: true, create: true, mode: FILE_MODE });
  writeText(file, text);
}

/** A file that was opened to add to its end, made for the user alone if it is missing. */
export class AppendedFile {
  readonly #file: Deno.FsFile;
  /** Where it is, from the root. */
  readonly path: string;

  /** @param path may begin with `~/`. */
  constructor(path: string) {
    const home = PLACE.env(IS_WINDOWS ? "USERPROFILE" : "HOME");
    const full = home === undefined ? path : path.replace(/^~(?=[\\/])/, home);
    // Opening a pipe waits for whoever reads it, and the chat with it.
    if (hasFile(full) && Deno.statSync(full).isFifo) throw new Error("It is a pipe");
    this.#file = Deno.openSync(full, { append: true, create: true, mode: FILE_MODE });
    this.path = Deno.realPathSync(full);
  }

  /** Adds to its end; throws where that fails, as on a full disk. */
  append(text: string): void {
    writeText(this.#file, text);
  }

  /** Closes it. */
  close(): void {
    this.#file.close();
  }
}

/** Does something while no other process does it under a lock of this name. */
export async function withLock(path: string, action: () => void): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, mode: FILE_MODE });
  // Some network file systems have no locks: two clients at the same instant are unlikely enough.
  await file.lock(true).catch(() => {});
  action();
}

/** Whether this process gave up all access to files. */
let hasRenounced = false;

/** Gives up all access to files: nothing is to be read or written any more. */
export function renounceFiles(): void {
  hasRenounced = true;
  for (const name of ["read", "write"] as const) Deno.permissions.revokeSync({ name });
}

/** Why a file cannot be used, without the details that Deno adds. */
export function fileProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    if (hasRenounced) {
      return "This client keeps no files and gave up access to them; start it with --log FILE";
    }
    return "Deno was not given access to it; allow it with --allow-read and --allow-write";
  }
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\).*$/s, "");
}

/** A new file beside `path` with this text, on the disk. */
function writeTemporary(path: string, text: string): string {
  // Made with a mode that lets nobody else read it.
  const temporary = Deno.makeTempFileSync({ dir: dirname(path), prefix: ".udp-chat-" });
  try {
    using file = Deno.openSync(temporary, { write: true });
    writeAll(file, text);
    return temporary;
  } catch (error) {
    Deno.removeSync(temporary);
    throw error;
  }
}

function createInPlace(path: string, text: string): void {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: FILE_MODE });
  try {
    writeAll(file, text);
  } catch (error) {
    Deno.removeSync(path);
    throw error;
  }
}

function writeAll(file: Deno.FsFile, text: string): void {
  writeText(file, text);
  file.syncSync();
}

function writeText(file: Deno.FsFile, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** Puts the names in the folder of a file on the disk, where the system can. */
function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(dirname(path));
    folder.syncSync();
  } catch {
    // Windows does not open folders; the file itself is on the disk.
  }
}
