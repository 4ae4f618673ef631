/**
 * The identity on the disk: read, or created at the first start.
 *
 * @module
 */
import { join } from "node:path";
import type { Random } from "../protocol/machine.ts";
import { KEY_SIZE, KeyPair } from "../protocol/crypto/x25519.ts";
import { failure, type Result, success } from "../protocol/result.ts";
import { configFolder } from "./config_folder.ts";
import { PLATFORM } from "./environment.ts";
import { createFile, fileProblem, HAS_MODES, hasFile, makeFolder, readFile } from "./files.ts";
import { formatIdentity, IDENTITY_SIZE_MAX, parseIdentity } from "./identity.ts";

/** What differs between the identities of a client and of a directory. */
export interface IdentityKind {
  /** The name of the file in the configuration folder. */
  readonly fileName: string;
  /** What follows from a key that is in no file. */
  readonly ifEphemeral: string;
}

/** That of a client. */
export const CLIENT_IDENTITY: IdentityKind = {
  fileName: "identity",
  ifEphemeral: "using a key for this run only, and remembering nobody",
};

/** That of a directory. */
export const DIRECTORY_IDENTITY: IdentityKind = {
  fileName: "directory_identity",
  ifEphemeral: "using a key for this run only, which clients will not know again",
};

/** The identity in use. */
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
 * A machine without a folder for it, such as a container, still gets a key for this run; not so where a
 * folder cannot be read, which may have one.
 */
export function openIdentity(
  { fileName, ifEphemeral }: IdentityKind,
  choice: IdentityChoice,
  random: Random,
): Result<OpenedIdentity> {
  const ephemeral = { identity: new KeyPair(random(KEY_SIZE)), file: undefined };
  if (choice.isEphemeral) return success(ephemeral);
  if (choice.identity !== undefined) return openNamed(choice.identity, random);
  const folder = configFolder(PLATFORM);
  if (folder === undefined) {
    const missing = PLATFORM.isWindows ? "APPDATA" : "HOME";
    return success({ ...ephemeral, notice: `${missing} is not set: ${ifEphemeral}` });
  }
  const file = join(folder, fileName);
  try {
    if (hasFile(file)) return read(file);
  } catch (error) {
    // There may be one: another key in its place would make a stranger of its owner.
    const advice = "give access to it, or use --identity or --ephemeral";
    return failure(`Cannot use the identity ${file}: ${fileProblem(error)}; ${advice}`);
  }
  try {
    makeFolder(folder);
    create(file, random);
  } catch (error) {
    const notice = `cannot use ${folder}: ${fileProblem(error)}: ${ifEphemeral}`;
    return success({ ...ephemeral, notice });
  }
  return read(file);
}

/** The file with the identity of a client that names none; undefined for no folder to keep it in. */
export function defaultIdentityFile(): string | undefined {
  const folder = configFolder(PLATFORM);
  return folder === undefined ? undefined : join(folder, CLIENT_IDENTITY.fileName);
}

/**
 * Describes the identity that a client would use; creates none.
 *
 * @param hasModes whether the file says who may read it.
 */
export function inspectIdentity(
  identity: string | undefined,
  hasModes: boolean = HAS_MODES,
): Result<string> {
  const file = identity ?? defaultIdentityFile();
  if (file === undefined) {
    return success("no folder to keep one in: each run would use a new key; see --identity");
  }
  try {
    if (!hasFile(file)) return success(`${file}: none yet, the first start makes it`);
  } catch (error) {
    return failure(`cannot look at ${file}: ${fileProblem(error)}`);
  }
  const opened = read(file);
  if (!opened.ok) return opened;
  return success(`${file}: sound${hasModes ? ", and only you can read it" : ""}`);
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
