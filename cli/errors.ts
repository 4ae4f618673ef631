/**
 * Errors of the system in words for people.
 *
 * @module
 */

/** An error that ends a program at its start. */
export interface StartProblem {
  /** For programs: the `code` of the event `error`. */
  readonly code: string;
  /** For people: what failed, why, and what to do about it. */
  readonly message: string;
}

/** How the socket was to be opened. */
export interface SocketAttempt {
  /** What failed, as in `Cannot listen on 127.0.0.1:7070`. */
  readonly failed: string;
  /** The host whose name was resolved. */
  readonly host: string;
  /** The option that names it, as in `--host`. */
  readonly hostOption: string;
  /** The option that names the port; `--port` where it is left out. */
  readonly portOption?: string;
}

/** Explains what resolveHost() or openSocket() threw. */
export function socketProblem(
  error: unknown,
  { failed, host, hostOption, portOption = "--port" }: SocketAttempt,
): StartProblem {
  const problem = (code: string, why: string): StartProblem => {
    return { code, message: `${failed}: ${why}` };
  };
  switch (kindOf(error)) {
    case "AddrInUse":
      return problem("portInUse", `the port is in use; choose another with ${portOption}`);
    case "AddrNotAvailable":
      return problem(
        "addressNotAvailable",
        `this machine does not have that address; check ${hostOption}`,
      );
    case "PermissionDenied":
      return problem(
        "notPermitted",
        `the system does not permit it; choose a port from 1024 up with ${portOption}`,
      );
    case "NotCapable":
    case "EPERM":
      return problem(
        "notPermitted",
        "Deno was not given network access; allow it with --allow-net",
      );
    case "UnstableNetError":
      return problem("notPermitted", errorMessage(error));
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return {
        code: "hostNotFound",
        message: `Cannot find the host "${host}"; check ${hostOption}, or give an IP address`,
      };
    default:
      return problem("unexpected", errorMessage(error));
  }
}

/** The message of what was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The name that Deno gives an error, or the code that Node gives it. */
function kindOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined;
  return error.name === "Error" && "code" in error ? error.code : error.name;
}
