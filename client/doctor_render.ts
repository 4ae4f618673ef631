/**
 * What a doctor found, as lines for people and for programs.
 *
 * @module
 */
import { cleanText } from "../protocol/text.ts";
import type { Check, Finding } from "./doctor_findings.ts";
import { ExitStatus } from "./exit.ts";
import { jsonLine } from "./json.ts";

const TITLES: Readonly<Record<Check, string>> = {
  identity: "identity",
  host: "host",
  socket: "socket",
  directory: "directory",
  version: "version",
  address: "address",
  roundTrip: "round trip",
  leave: "leave",
};

/** A line for people. */
export function renderFinding({ check, verdict, message }: Finding): string {
  return `${verdict.padEnd(7)}  ${TITLES[check].padEnd(10)}  ${cleanText(message)}`;
}

/** A line for programs, without its line end. */
export function renderFindingJson(finding: Finding, time: Date): string {
  const { check, verdict, message, fields } = finding;
  return jsonLine("check", time, { check, verdict, message, ...fields });
}

/** The last line for people. */
export function renderVerdict(status: ExitStatus): string {
  switch (status) {
    case ExitStatus.ok:
      return "All well";
    case ExitStatus.serverTimeout:
      return "The directory did not answer";
    case ExitStatus.interrupted:
      return "Interrupted";
    default:
      return "Something is wrong: see the lines that say failed";
  }
}
