/**
 * The options of `udp-chat doctor`.
 *
 * @module
 */
import { type Help, optionSection, section } from "../../cli/help.ts";
import { flag, type OptionTable, type OptionValues } from "../../cli/options.ts";
import { ExitStatus } from "../exit.ts";
import { OPTIONS } from "../options.ts";

/** All options, in the order of the help. */
export const DOCTOR_OPTIONS = {
  server: OPTIONS.server,
  serverKey: OPTIONS.serverKey,
  identity: OPTIONS.identity,
  secretFile: OPTIONS.secretFile,
  isJson: flag("json", "print one JSON object a line"),
} satisfies OptionTable;

/** The values of the {@linkcode DOCTOR_OPTIONS}. */
export type DoctorOptions = OptionValues<typeof DOCTOR_OPTIONS>;

/** A line for each status, for the help text. */
export const DOCTOR_STATUS_HELP: readonly (readonly [ExitStatus, string])[] = [
  [ExitStatus.ok, "all well, or nothing worse than a warning"],
  [ExitStatus.failure, "a check failed"],
  [ExitStatus.usage, "wrong usage"],
  [ExitStatus.serverTimeout, "the directory did not answer, or cannot now"],
  [ExitStatus.untrustedKey, "the directory has another key than the trusted one"],
  [ExitStatus.interrupted, "ended by Ctrl-C"],
];

/** The help of `udp-chat doctor`. */
export const DOCTOR_HELP: Help = {
  usage: "udp-chat doctor [OPTIONS]",
  blocks: [
    "Finds out how the directory is reached from here: registers without a name,\n" +
    "measures, and leaves again. A line for each check: ok, warning or failed.",
    optionSection(DOCTOR_OPTIONS),
    section("Exit status", DOCTOR_STATUS_HELP.map(([status, help]) => [`${status}`, help])),
    section("Examples", [
      ["udp-chat doctor", "the directory on this machine"],
      ["udp-chat doctor --server chat.example", "one elsewhere"],
    ]),
  ],
};
