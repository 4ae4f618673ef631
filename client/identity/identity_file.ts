/**
 * The identity on the disk: found, or made at the first start.
 *
 * @module
 */
import { join } from "node:path";
import type { Random } from "../../protocol/machine.ts";
import { KEY_SIZE, KeyPair } from "../../protocol/crypto/x25519.ts";
import { createFile, fileProblem, hasFile, makeFolder, PLACE, readFile } from "../../cli/files.ts";
import { configFolder, formatIdentity, IDENTITY_SIZE_MAX, parseIdentity } from "./identity.ts";

/** Who this client is, or why it cannot be that. */
export type OpenedIdentity =
  /** `file`: where the key is kept, undefined for nowhere; `notice`: what the user should know. */
  | { kind: "opened"; identity: KeyPair; file: string | undefined; notice?: string }
  | { kind: "problem"; message: string };

/** What decides which identity is used. */
export interface IdentityChoice {
  /** The file that the user named. */
  readonly identity: string | undefined;
  /** Whether no file is to be used. */
  readonly isEphemeral: boolean;
}

/**
 * Reads the identity, or makes it where there is none yet; never puts a new key in the place of one.
 *
 * A machine without a folder for it, as a container may be, still gets a key, for this run.
 */
export function openIdentity(choice: IdentityChoice, random: Random): OpenedIdentity {
  if (choice.isEphemeral) return ephemeral(random);
  if (choice.identity !== undefined) return openNamed(choice.identity, random);
  const folder = configFolder(PLACE);
  if (folder === undefined) {
    return ephemeral(random, PLACE.isWindows ? "APPDATA is not set" : "HOME is not set");
  }
  const file = join(folder, "identity");
  try {
    makeFolder(folder);
    if (!hasFile(file)) make(file, random);
  } catch (error) {
    // There is none, or none that could be told from none.
    return ephemeral(random, `cannot use ${folder}: ${fileProblem(error)}`);
  }
  return read(file);
}

/** How the identity stands that a client would use; makes none. */
export function inspectIdentity(
  identity: string | undefined,
): { isSound: boolean; file: string | undefined; message: string } {
  const folder = configFolder(PLACE);
  const file = identity ?? (folder === undefined ? undefined : join(folder, "identity"));
  if (file === undefined) {
    const message = "no folder to keep one in: each run would use a new key; see --identity";
    return { isSound: true, file, message };
  }
  try {
    if (!hasFile(file)) {
      return { isSound: true, file, message: `${file}: none yet, the first start makes it` };
    }
  } catch (error) {
    return { isSound: false, file, message: `cannot look at ${file}: ${fileProblem(error)}` };
  }
  const opened = read(file);
  if (opened.kind === "problem") return { isSound: false, file, message: opened.message };
  return { isSound: true, file, message: `${file}: sound, and only you can read it` };
}

function openNamed(file: string, random: Random): OpenedIdentity {
  try {
    if (!hasFile(file)) make(file, random);
  } catch (error) {
    return { kind: "problem", message: `Cannot make the identity ${file}: ${fileProblem(error)}` };
  }
  return read(file);
}

function make(file: string, random: Random): void {
  createFile(file, formatIdentity(random(KEY_SIZE)));
}

function read(file: string): OpenedIdentity {
  const cannot = `Cannot use the identity ${file}`;
  try {
    const { text, isPrivate } = readFile(file, IDENTITY_SIZE_MAX);
    if (!isPrivate) {
      return {
        kind: "problem",
        message: `${cannot}: others may read it; chmod 600 keeps them out`,
      };
    }
    const parsed = parseIdentity(text);
    if (parsed.kind === "key") {
      return { kind: "opened", identity: new KeyPair(parsed.privateKey), file };
    }
    const advice = "restore it, or name another with --identity";
    return { kind: "problem", message: `${cannot}: it ${parsed.message}; ${advice}` };
  } catch (error) {
    return { kind: "problem", message: `${cannot}: ${fileProblem(error)}` };
  }
}

/** A key for this run. */
function ephemeral(random: Random, why?: string): OpenedIdentity {
  const opened = {
    kind: "opened",
    identity: new KeyPair(random(KEY_SIZE)),
    file: undefined,
  } as const;
  if (why === undefined) return opened;
  return { ...opened, notice: `${why}: using a key for this run only, and remembering nobody` };
}
