/**
 * The file system: nothing else in the program touches it.
 *
 * @module
 */
import { dirname } from "node:path";
import { environment, PLATFORM } from "./environment.ts";
import { formatSize } from "./format.ts";
import { SECRET_FILE_SIZE_MAX, type SecretSources } from "./secret.ts";

/** The files and the environment of this process. */
export const SECRET_SOURCES: SecretSources = {
  readFile: (path) => readBytes(path, SECRET_FILE_SIZE_MAX).bytes,
  readVariable: environment,
  fileProblem,
};

/** Only the user may read and write. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** The bits of a mode that let others read, write or execute a file. */
const OTHERS = 0o077;
/** Those that let others make, replace or remove what is in a folder. */
const OTHERS_WRITE = 0o022;

/** Whether this path exists, if only as a broken link; throws if that cannot be found out. */
export function hasFile(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    const { NotFound, NotADirectory } = Deno.errors;
    if (error instanceof NotFound || error instanceof NotADirectory) return false;
    throw error;
  }
}

/** Differs where a file was replaced or changed since, or is there only at one of the times. */
export function fileVersion(path: string): string {
  try {
    const { ino, mtime, size } = Deno.statSync(path);
    return `${ino} ${mtime?.getTime()} ${size}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "none";
    throw error;
  }
}

/** When a file was changed, in milliseconds; for one that is not there, never will be. */
export function changedAt(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? Infinity;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return Infinity;
    throw error;
  }
}

/** Makes a folder, and those that it is in, for the user alone. */
export function makeFolder(path: string): void {
  Deno.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
}

/** The same for the last one; throws where there is a link, or a folder that others may write in. */
export function makeOwnFolder(path: string): void {
  makeFolder(path);
  const { isSymlink, mode } = Deno.lstatSync(path);
  if (isSymlink) throw new Error("It is a link, not a folder");
  if (isClosed(mode, OTHERS_WRITE)) return;
  throw new Error("Other users may write in this folder; change its mode to 700");
}

/** Whether files have modes here, which say who may read them. Windows has none. */
export const HAS_MODES = !PLATFORM.isWindows;

/** Whether a mode has none of these bits; taken to be so where there are no modes. */
function isClosed(mode: number | null, bits: number): boolean {
  return !HAS_MODES || mode === null || (mode & bits) === 0;
}

/**
 * The text of a file, and whether only the user may read it; throws if it exceeds `sizeMax`, or is no
 * regular file.
 */
export function readFile(path: string, sizeMax: number): { text: string; isPrivate: boolean } {
  const { bytes, isPrivate } = readBytes(path, sizeMax);
  return { text: decode(bytes), isPrivate };
}

/** Throws where the bytes are none of UTF-8, as from an editor, or a shell of Windows, that writes UTF-16. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("It is not UTF-8");
  }
}

/** The text of a file; undefined where there is none, or Deno was given no access to files. */
export function readFileIfAny(path: string, sizeMax: number): string | undefined {
  try {
    return hasFile(path) ? readFile(path, sizeMax).text : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

function readBytes(path: string, sizeMax: number): { bytes: Uint8Array; isPrivate: boolean } {
  expectRegular(Deno.statSync(path));
  using file = Deno.openSync(path);
  // That of the open file, so that it is that of what is read.
  const info = file.statSync();
  expectRegular(info);
  return { bytes: readAll(file, sizeMax), isPrivate: isClosed(info.mode, OTHERS) };
}

function readAll(file: Deno.FsFile, sizeMax: number): Uint8Array {
  const buffer = new Uint8Array(sizeMax + 1);
  let size = 0;
  while (size < buffer.length) {
    const read = file.readSync(buffer.subarray(size));
    if (read === null) break;
    size += read;
  }
  if (size > sizeMax) throw new Error(`It has more than ${formatSize(sizeMax)}`);
  return buffer.subarray(0, size);
}

/** Throws for what is no regular file: to open a pipe may block, and a device may have no end. */
function expectRegular({ isFile, isDirectory, isFifo }: Deno.FileInfo): void {
  if (isFile) return;
  const kind = isDirectory ? "a folder" : isFifo ? "a pipe" : "a device";
  throw new Error(`It is ${kind}, not a regular file`);
}

/** The same for a path at which there may be nothing. */
function expectRegularOrNone(path: string): void {
  if (hasFile(path)) expectRegular(Deno.statSync(path));
}

/** Makes a file, whole or not at all; one that another process has just made stays. */
export function createFile(path: string, text: string): void {
  const temporary = writeTemporary(path, text);
  try {
    // Unlike a rename, a link does not replace what is there.
    Deno.linkSync(temporary, path);
    syncFolder(path);
  } catch {
    // Another process was first, or the file system has no links.
    if (!hasFile(path)) createInPlace(path, text);
  } finally {
    Deno.removeSync(temporary);
  }
}

/** Replaces the text of a file in one step: readers see the old or the new one. */
export function replaceFile(path: string, text: string): void {
  // A link stays; the file that it leads to is replaced.
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

/** Appends a text to a file, which is made if it is missing. */
export function appendFile(path: string, text: string): void {
  expectRegularOrNone(path);
  using file = Deno.openSync(path, { append: true, create: true, mode: FILE_MODE });
  writeText(file, text);
}

/** A file that is open for appending, made for the user alone if it was missing. */
export class AppendedFile {
  readonly #file: Deno.FsFile;
  /** Its absolute path. */
  readonly path: string;

  /** @param path may begin with `~/`. */
  constructor(path: string) {
    const full = withHome(path);
    // Opening a pipe blocks until another process reads it.
    if (hasFile(full) && Deno.statSync(full).isFifo) throw new Error("It is a pipe");
    this.#file = Deno.openSync(full, { append: true, create: true, mode: FILE_MODE });
    this.path = Deno.realPathSync(full);
  }

  /** Appends a text; throws if that fails, as on a full disk. */
  append(text: string): void {
    writeText(this.#file, text);
  }

  /** Closes it. */
  close(): void {
    this.#file.close();
  }
}

/** The names in a folder, none if it cannot be read; those of folders end with a slash. */
export function listFolder(path: string): string[] {
  try {
    const entries = [...Deno.readDirSync(withHome(path))];
    return entries.map(({ name, isDirectory }) => isDirectory ? `${name}/` : name);
  } catch {
    return [];
  }
}

/** A path with the folder of the user in place of `~`. */
function withHome(path: string): string {
  const home = environment(PLATFORM.isWindows ? "USERPROFILE" : "HOME");
  return home === undefined ? path : path.replace(/^~(?=[\\/])/, home);
}

/** Runs `action` while this process holds the lock that `path` stands for. */
export async function withLock(path: string, action: () => void): Promise<void> {
  expectRegularOrNone(path);
  using file = await Deno.open(path, { write: true, create: true, mode: FILE_MODE });
  // Some network file systems have no locks; two writers at the same instant are unlikely enough.
  await file.lock(true).catch(() => {});
  action();
}

/** A file that no other process has as long as this one has it. */
export class ClaimedFile {
  readonly path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.path = path;
    this.#file = file;
  }

  /**
   * Claims a file, which is made for the user alone if it is missing; undefined where another process
   * has it when `patience` ends, or makes or removes it meanwhile. Throws where files cannot be
   * locked, and for a link, which is not followed.
   */
  static async claim(path: string, patience: Promise<void>): Promise<ClaimedFile | undefined> {
    const file = openUnlinked(path);
    if (file === undefined) return undefined;
    const lock = file.lock(true).then(() => true);
    const isLocked = await Promise.race([lock, patience.then(() => false)]).catch((error) => {
      file.close();
      throw error;
    });
    if (isLocked && isAt(file, path)) return new ClaimedFile(path, file);
    // The lock may come later, or is that of a file that was removed meanwhile.
    lock.catch(() => {}).then(() => file.close());
    return undefined;
  }

  /** Whether only the user may read and write it. */
  get isPrivate(): boolean {
    return isClosed(this.#file.statSync().mode, OTHERS);
  }

  /** Its text; throws if it has more than `sizeMax` bytes. */
  read(sizeMax: number): string {
    this.#file.seekSync(0, Deno.SeekMode.Start);
    return decode(readAll(this.#file, sizeMax));
  }

  /** Replaces its text; where this process ends meanwhile, the rest of the text before follows. */
  write(text: string): void {
    this.#file.seekSync(0, Deno.SeekMode.Start);
    writeText(this.#file, text);
    this.#file.truncateSync(new TextEncoder().encode(text).length);
  }

  /** Gives it up: another process may claim it. */
  close(): void {
    this.#file.close();
  }

  /** Removes it, and gives it up. */
  remove(): void {
    Deno.removeSync(this.path);
    this.close();
  }
}

/** Opens a file, or makes it; undefined where another process makes or removes it meanwhile. */
function openUnlinked(path: string): Deno.FsFile | undefined {
  const isThere = hasFile(path);
  try {
    if (isThere) expectNoLink(Deno.lstatSync(path));
    // To make a new file follows no link; whether one was put there before it opens, isAt() tells.
    return Deno.openSync(path, { read: true, write: true, createNew: !isThere, mode: FILE_MODE });
  } catch (error) {
    const { AlreadyExists, NotFound } = Deno.errors;
    // Where its folder is missing, it cannot be made.
    if (isThere ? error instanceof NotFound : error instanceof AlreadyExists) return undefined;
    throw error;
  }
}

/** Throws for a link, and for what is no regular file. */
function expectNoLink(info: Deno.FileInfo): void {
  if (info.isSymlink) throw new Error("It is a link, not a regular file");
  expectRegular(info);
}

/** Whether an open file is the one at this path: one that a link leads to is not. */
function isAt(file: Deno.FsFile, path: string): boolean {
  try {
    const { isSymlink, ino } = Deno.lstatSync(path);
    return !isSymlink && file.statSync().ino === ino;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

let hasRenounced = false;

/** Gives up all access to files, for good. */
export function renounceFiles(): void {
  hasRenounced = true;
  for (const name of ["read", "write"] as const) Deno.permissions.revokeSync({ name });
}

/** Why a file cannot be used, without the error number that Deno adds. */
export function fileProblem(error: unknown): string {
  if (error instanceof Deno.errors.NotCapable) {
    // Deno keeps these to itself whatever it was given.
    if (error.message.startsWith("Requires all access")) return "It belongs to the system";
    if (hasRenounced) {
      return "This client keeps no files and gave up access to them; start it with --log FILE";
    }
    return "Deno was not given access to it; allow it with --allow-read and --allow-write";
  }
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/ \(os error \d+\).*$/s, "");
}

/** Writes a new file to the disk, in the folder of `path`; returns its path. */
function writeTemporary(path: string, text: string): string {
  // Deno makes it readable for the user alone.
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

/** Writes the names in the folder of a file to the disk, where the system can. */
function syncFolder(path: string): void {
  try {
    using folder = Deno.openSync(dirname(path));
    folder.syncSync();
  } catch {
    // Windows cannot open folders. The file itself is on the disk.
  }
}
