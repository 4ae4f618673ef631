/**
 * Whether an executable has the packages of JSR in it, or the stand-ins of `offline/`, which are for
 * machines that cannot reach JSR.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { fromJsr, STAND_INS } from "../offline/names.ts";

/**
 * What is wrong with an executable, undefined where it has the packages. `deno compile` puts the
 * import map into it as it is; where none is found, nothing is known, and that is wrong, too.
 */
export function standInProblem(executable: Uint8Array): string | undefined {
  const bytes = Buffer.from(executable.buffer, executable.byteOffset, executable.byteLength);
  const names = Object.keys(STAND_INS);
  const replaced = names.filter((name) => bytes.includes(`"${STAND_INS[name]}\\"`));
  if (replaced.length > 0) {
    return `it has stand-ins for ${replaced.join(", ")}: compile it where JSR can be reached`;
  }
  const jsr = fromJsr();
  const missing = names.filter((name) => !bytes.includes(`"${jsr[name]}\\"`));
  return missing.length === 0
    ? undefined
    : `no ${missing.join(", ")} of JSR can be found in it, so stand-ins may be`;
}
