/**
 * The identity on the disk: read, or created at the first start.
 *
 * @module
 */
import { join } from "node:path";
import type { Random } from "../../protocol/machine.ts";
import { KEY_SIZE, KeyPair } from "../../protocol/crypto/x25519.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import { configFolder } from "../../cli/config_folder.ts";
import { PLATFORM } from "../../cli/environment.ts";
import { createFile, fileProblem, hasFile, makeFolder, readFile } from "../../cli/files.ts";
import { formatIdentity, IDENTITY_SIZE_MAX, parseIdentity } from "./identity.ts";

/** The identity that a client uses. */
export interface OpenedIdentity {
  readonly identity: KeyPair;
  /** The file with the key, undefined where it is in no file. */
  readonly file: string | undefined;
  /** What the user should know about it. */
  readonly notice?: string;
}

/** The options that decide which identity is used. */
export interface IdentityChoice {
  /** The file that the user named. */
  readonly identity: string | undefined;
  /** Whether to use no file. */
  readonly isEphemeral: boolean;
}

/**
 * Reads the identity, or creates it where there is none yet; never overwrites one.
 *
 * A machine without a folder for it, such as a container, still gets a key for this run.
 */
export function openIdentity(choice: IdentityChoice, random: Random): Result<OpenedIdentity> {
  if (choice.isEphemeral) return success(ephemeral(random));
  if (choice.identity !== undefined) return openNamed(choice.identity, random);
  const folder = configFolder(PLATFORM);
  if (folder === undefined) {
    const missing = PLATFORM.isWindows ? "APPDATA" : "HOME";
    return success(ephemeral(random, `${missing} is not set`));
  }
  const file = join(folder, "identity");
  try {
    makeFolder(folder);
    if (!hasFile(file)) create(file, random);
  } catch (error) {
    // There is none, or the folder cannot be read.
    return success(ephemeral(random, `cannot use ${folder}: ${fileProblem(error)}`));
  }
  return read(file);
}

/** Describes the identity that a client would use; creates none. */
export function inspectIdentity(identity: string | undefined): Result<string> {
  const folder = configFolder(PLATFORM);
  const file = identity ?? (folder === undefined ? undefined : join(folder, "identity"));
  if (file === undefined) {
    return success("no folder to keep one in: each run would use a new key; see --identity");
  }
  try {
    if (!hasFile(file)) return success(`${file}: none yet, the first start makes it`);
  } catch (error) {
    return failure(`cannot look at ${file}: ${fileProblem(error)}`);
  }
  const opened = read(file);
  return opened.ok ? success(`${file}: sound, and only you can read it`) : opened;
}

function openNamed(file: string, random: Random): Result<OpenedIdentity> {
  try {
    if (!hasFile(file)) create(file, random);
  } catch (error) {
    return failure(`Cannot make the identity ${file}: ${fileProblem(error)}`);
  }
  return read(file);
}

function create(file: string, random: Random): void {
  createFile(file, formatIdentity(random(KEY_SIZE)));
}

function read(file: string): Result<OpenedIdentity> {
  const cannot = `Cannot use the identity ${file}`;
  try {
    const { text, isPrivate } = readFile(file, IDENTITY_SIZE_MAX);
    if (!isPrivate) return failure(`${cannot}: others may read it; chmod 600 keeps them out`);
    const parsed = parseIdentity(text);
    if (parsed.ok) return success({ identity: new KeyPair(parsed.value), file });
    return failure(`${cannot}: it ${parsed.error}; restore it, or name another with --identity`);
  } catch (error) {
    return failure(`${cannot}: ${fileProblem(error)}`);
  }
}

/** A key for this run only. */
function ephemeral(random: Random, why?: string): OpenedIdentity {
  const opened = { identity: new KeyPair(random(KEY_SIZE)), file: undefined };
  if (why === undefined) return opened;
  return { ...opened, notice: `${why}: using a key for this run only, and remembering nobody` };
}
