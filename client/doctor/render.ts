/**
 * Findings as lines for people and for programs.
 *
 * @module
 */
import { styles } from "../../cli/style.ts";
import { cleanText } from "../../cli/text.ts";
import type { Finding } from "./findings.ts";
import { ExitStatus } from "../exit.ts";
import { jsonLine } from "../output/json.ts";
import { hang } from "../../cli/wrap.ts";

const COLORS = { ok: "green", warning: "yellow", failed: "red" } as const;

/** A line for people; with `columns`, rows of that width. */
export function renderFinding(
  { check, verdict, message }: Finding,
  isColored: boolean,
  columns?: number,
): string {
  const word = styles(isColored)[COLORS[verdict]](verdict);
  const title = check === "roundTrip" ? "round trip" : check;
  const prefix = `${word}${" ".repeat(9 - verdict.length)}${title.padEnd(12)}`;
  return hang(prefix, 21, cleanText(message), 21, columns);
}

/** A line for programs, without its line end. */
export function renderFindingJson(finding: Finding, time: Date): string {
  const { check, verdict, message, fields } = finding;
  return jsonLine("check", time, { check, verdict, message, ...fields });
}

/** The last line for people. */
export function renderVerdict(status: ExitStatus, hasWarning: boolean): string {
  switch (status) {
    case ExitStatus.ok:
      return hasWarning ? "It works: see the lines that say warning" : "All well";
    case ExitStatus.interrupted:
      return "Interrupted";
    default:
      return "Something is wrong: see the lines that say failed";
  }
}
