/**
 * The files of a release, from the executables.
 *
 * @module
 */
import { toHex } from "../cli/hex.ts";
import { archive, type Entry } from "./archive.ts";
import { standInProblem } from "./stand_ins.ts";
import { archiveStem, compiledName, type Target, TARGETS } from "./targets.ts";
import { fill, readTemplate, templateNames } from "./templates.ts";

/** What a release is made of. */
export interface Source {
  readonly version: string;
  /** The address of the repository, as in `https://github.com/owner/name`. */
  readonly repository: string;
  /** When it was made: the time of all files in the archives. */
  readonly changed: Date;
  /** What goes into each archive beside the executable. */
  readonly documents: readonly Entry[];
  /** The executable for a target, by the name it was compiled to; undefined where there is none. */
  readExecutable(name: string): Uint8Array<ArrayBuffer> | undefined;
  /** Writes a file of the release. */
  writeFile(name: string, bytes: Uint8Array): void;
  /** Whether it is only tried: with the executables that there are, and with stand-ins in them. */
  readonly isTrial: boolean;
  /** Told what a trial lacks. */
  note(message: string): void;
}

/** Makes a release. Throws where something is missing or wrong, unless it is a trial. */
export async function makeRelease(source: Source): Promise<void> {
  const sums = new Map<string, string>();
  const add = async (name: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> => {
    source.writeFile(name, bytes);
    const sum = await sha256(bytes);
    sums.set(name, sum);
    return sum;
  };
  const values = valuesOf(source);
  for (const target of TARGETS) {
    const bytes = await pack(source, target);
    if (bytes === undefined) continue;
    const name = `${archiveStem(target, source.version)}.${target.format}`;
    values.set(`sha256:${target.triple}`, await add(name, bytes));
  }
  for (const [template, name] of templateNames(values.get("owner")!)) {
    const filled = fill(readTemplate(template), values);
    if (filled.ok) await add(name, new TextEncoder().encode(filled.value));
    else reportDefect(source, `Cannot make ${name}: ${filled.error}`);
  }
  const lines = [...sums].map(([name, sum]) => `${sum}  ${name}\n`).join("");
  source.writeFile("SHA256SUMS", new TextEncoder().encode(lines));
}

/** The archive of a target; in a trial undefined where it has no executable. */
async function pack(
  source: Source,
  target: Target,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const name = compiledName(target);
  const bytes = source.readExecutable(name);
  if (bytes === undefined) return void reportDefect(source, `There is no ${name}`);
  const problem = standInProblem(bytes);
  if (problem !== undefined) reportDefect(source, `Cannot release ${name}: ${problem}`);
  const executable = { path: target.executable, bytes, isExecutable: true };
  const folder = archiveStem(target, source.version);
  const entries = [executable, ...source.documents]
    .map((entry) => ({ ...entry, path: `${folder}/${entry.path}` }));
  return await archive(target.format, entries, source.changed);
}

/** Reports what no release may lack, and a trial may. */
function reportDefect({ isTrial, note }: Source, message: string): void {
  if (!isTrial) throw new Error(message);
  note(message);
}

function valuesOf({ version, repository }: Source): Map<string, string> {
  const url = `${repository}/releases/download/v${version}`;
  const owner = new URL(repository).pathname.split("/")[1] ?? "";
  if (owner === "") throw new Error(`Cannot use the repository ${repository}: it has no owner`);
  return new Map([["version", version], ["repository", repository], ["url", url], [
    "owner",
    owner,
  ]]);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
