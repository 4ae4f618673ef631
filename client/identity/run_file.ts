/**
 * The file of a run, beside the identity: locked while the client runs, and gone once it has left.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { changedAt, ClaimedFile, fileProblem, listFolder, makeOwnFolder } from "../../cli/files.ts";
import { toHex } from "../../cli/hex.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import type { Run } from "../view.ts";
import { formatRun, parseRun, RUN_RECORD_SIZE_MAX } from "./run_record.ts";

/** Runs of one user that are started alike and have a file, at a time. */
export const ALIKE_RUNS_MAX = 32;
/** Milliseconds in which a file that no other client has is locked. */
export const CLAIM_PATIENCE = 500;
/** Milliseconds after which the file of a run that was killed is removed: its token is long worth nothing. */
export const RUN_LIFE = 7 * 86_400_000;
/** Old files that one start removes. */
export const OLD_RUNS_MAX = 16;
/** What follows the path of the identity in that of the folder of its files. */
const FOLDER_SUFFIX = ".runs";
/** Bytes of the hash that names a file. */
const FILE_NAME_SIZE = 8;
/** The name of a file: the hash, and a number. What has another name is not touched. */
const FILE_NAME = /^([0-9a-f]{16})-([1-9]\d?)$/;

/** What makes a run the same client as one before. */
export interface RunStart {
  /** The client's static key. */
  readonly publicKey: Uint8Array;
  /** The directory as the user wrote it. */
  readonly server: string;
  /** The client id that is asked for, 0 for any. */
  readonly id: number;
  /** The name that is asked for, empty for none. */
  readonly name: string;
}

/** The file of the run at hand. */
export class RunFile {
  /** What the run before left here, which was killed. */
  readonly former: Run | undefined;
  readonly #file: ClaimedFile;
  readonly #onProblem: (message: string) => void;
  #text: string | undefined;

  constructor(file: ClaimedFile, onProblem: (message: string) => void) {
    this.#file = file;
    this.#onProblem = onProblem;
    this.former = readFormer(file);
  }

  /** Keeps what the run needs to be continued; nothing as long as there is nothing. */
  save(run: Run | undefined): void {
    const text = run && formatRun(run);
    if (text === undefined || text === this.#text) return;
    const isFirstProblem = this.#text !== "";
    try {
      this.#file.write(text);
      this.#text = text;
    } catch (error) {
      this.#text = "";
      const why = fileProblem(error);
      if (isFirstProblem) this.#onProblem(`Cannot keep what brings this client back: ${why}`);
    }
  }

  /**
   * Ends the run.
   *
   * @param hasLeft whether the directory has its entry no more.
   */
  end(run: Run | undefined, hasLeft: boolean): void {
    if (hasLeft || run === undefined && this.former === undefined) return this.#file.remove();
    this.save(run && { ...run, conversations: [] });
    this.abandon();
  }

  /** Leaves the file as it is to a later run. */
  abandon(): void {
    this.#file.close();
  }
}

function readFormer(file: ClaimedFile): Run | undefined {
  try {
    return parseRun(file.read(RUN_RECORD_SIZE_MAX));
  } catch {
    return undefined;
  }
}

/**
 * Claims the file of a run that was started alike and was killed, or one that is new. Without a file,
 * as on a disk that cannot be written, a client runs as well, and so do more of them than have one.
 *
 * @param patience settles after {@linkcode CLAIM_PATIENCE}.
 */
export async function openRunFile(
  identityFile: string,
  start: RunStart,
  patience: () => Promise<void>,
  onProblem: (message: string) => void,
): Promise<Result<RunFile | undefined>> {
  const folder = `${identityFile}${FOLDER_SUFFIX}`;
  const name = nameOf(start);
  try {
    makeOwnFolder(folder);
    const former = await claimFormer(folder, name, patience());
    const file = former ?? await claimNew(folder, name, patience);
    if (former === undefined && file !== undefined) removeOld(folder, file, patience());
    return success(file && new RunFile(file, onProblem));
  } catch (error) {
    return failure(`Cannot use ${folder}: ${fileProblem(error)}`);
  }
}

/** The same for runs that are started alike. */
function nameOf({ publicKey, server, id, name }: RunStart): string {
  const start = JSON.stringify([toHex(publicKey), server, id, name]);
  return toHex(createHash("sha256").update(start).digest().subarray(0, FILE_NAME_SIZE));
}

/** Of the files that are there, the first one that no other client has. */
async function claimFormer(
  folder: string,
  name: string,
  patience: Promise<void>,
): Promise<ClaimedFile | undefined> {
  const paths = numbersIn(folder, name).map((number) => join(folder, `${name}-${number}`));
  // One that cannot be used is no reason not to use another.
  const claims = paths.map((path) => claimPrivate(path, patience).catch(() => undefined));
  let claimed: ClaimedFile | undefined;
  for (const claim of claims) {
    if (claimed === undefined) claimed = await claim;
    else claim.then((file) => file?.close());
  }
  return claimed;
}

/** Claims a file. One that others may have open, or have written, is removed: no token goes there. */
async function claimPrivate(
  path: string,
  patience: Promise<void>,
): Promise<ClaimedFile | undefined> {
  const file = await ClaimedFile.claim(path, patience);
  if (file === undefined || file.isPrivate) return file;
  file.remove();
  return undefined;
}

async function claimNew(
  folder: string,
  name: string,
  patience: () => Promise<void>,
): Promise<ClaimedFile | undefined> {
  const taken = numbersIn(folder, name);
  for (let number = 1; number <= ALIKE_RUNS_MAX; number++) {
    if (taken.includes(number)) continue;
    const file = await ClaimedFile.claim(join(folder, `${name}-${number}`), patience());
    if (file !== undefined) return file;
  }
  return undefined;
}

/** Removes the files of runs that were killed long before this file was made. */
function removeOld(folder: string, file: ClaimedFile, patience: Promise<void>): void {
  const paths = listFolder(folder).filter((name) => FILE_NAME.test(name))
    .map((name) => join(folder, name))
    .filter((path) => changedAt(path) < changedAt(file.path) - RUN_LIFE);
  for (const path of paths.slice(0, OLD_RUNS_MAX)) {
    ClaimedFile.claim(path, patience).then((old) => old?.remove()).catch(() => {});
  }
}

/** The numbers of the files of runs that are started alike. */
function numbersIn(folder: string, name: string): number[] {
  return listFolder(folder).map((each) => FILE_NAME.exec(each))
    .flatMap((match) => match?.[1] === name ? [Number(match[2])] : [])
    .sort((a, b) => a - b);
}
