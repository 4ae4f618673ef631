/**
 * The exit statuses.
 *
 * @module
 */
import type { ErrorCode } from "./event.ts";

/** The exit statuses of the process. */
export const ExitStatus = {
  ok: 0,
  /** Something unexpected. */
  failure: 1,
  /** Wrong usage. */
  usage: 2,
  /** The directory did not answer, or cannot now. */
  serverTimeout: 3,
  /** The peer is inactive. */
  inactive: 4,
  /** The peer rejected. */
  rejected: 5,
  /** Messages were left undelivered. */
  undelivered: 6,
  /** A key is not the one that was trusted. */
  untrustedKey: 7,
  /** Nothing came within `--timeout` or `--wait-reply`. */
  timeout: 8,
  /** Ended by Ctrl-C. */
  interrupted: 130,
} as const;
/** One of the {@linkcode ExitStatus} numbers. */
export type ExitStatus = typeof ExitStatus[keyof typeof ExitStatus];

/** A line for each status, for the help text. */
export const EXIT_STATUS_HELP: readonly (readonly [ExitStatus, string])[] = [
  [ExitStatus.ok, "all well"],
  [ExitStatus.failure, "something unexpected"],
  [ExitStatus.usage, "wrong usage"],
  [ExitStatus.serverTimeout, "the directory did not answer, or cannot now"],
  [ExitStatus.inactive, "the peer is inactive"],
  [ExitStatus.rejected, "the peer rejected the Connection Request"],
  [ExitStatus.undelivered, "messages were left undelivered"],
  [ExitStatus.untrustedKey, "the directory or the peer has another key than the trusted one"],
  [ExitStatus.timeout, "nothing came within --timeout or --wait-reply"],
  [ExitStatus.interrupted, "ended by Ctrl-C"],
];

/** The status for an error of the client. `isSending`: whether a send caused it. */
export function statusOfError(code: ErrorCode, isSending: boolean): ExitStatus {
  switch (code) {
    case "serverTimeout":
    case "serverUnavailable":
      return ExitStatus.serverTimeout;
    case "peerTimeout":
      return ExitStatus.inactive;
    case "tooLong":
    case "encoding":
    case "queueFull":
      return ExitStatus.undelivered;
    case "notConnected":
      return isSending ? ExitStatus.undelivered : ExitStatus.failure;
    case "usage":
      return ExitStatus.usage;
    case "serverKey":
    case "peerKey":
      return ExitStatus.untrustedKey;
    case "timeout":
      return ExitStatus.timeout;
    default:
      return ExitStatus.failure;
  }
}
