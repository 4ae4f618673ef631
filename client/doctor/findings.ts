/**
 * The results of the checks, in words.
 *
 * @module
 */
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { formatLatency } from "../../cli/format.ts";

/** The checks, in order. */
export type Check =
  | "identity"
  | "host"
  | "socket"
  | "directory"
  | "version"
  | "key"
  | "address"
  | "roundTrip"
  | "leave";

/** The result of a check. */
export interface Finding {
  readonly check: Check;
  /** `warning`: it works, with a limitation. */
  readonly verdict: "ok" | "warning" | "failed";
  readonly message: string;
  /** The content of the message, for programs. */
  readonly fields?: Readonly<Record<string, number | string | boolean>>;
}

/**
 * The last datagram from the directory's address. `authentic`: an answer; `forged`: one that has not
 * the secret, or is not sealed as it should be; `unrelated`: of another protocol.
 */
export type LastDatagram = "none" | "authentic" | "forged" | "unrelated";

/** The address at which the directory sees this machine, whose socket has this port. */
export function addressFinding(seenAt: Address, port: number, isOwnHost: boolean): Finding {
  const isNat = seenAt.port !== port || !isOwnHost;
  const at = formatAddress(seenAt);
  const fields = { host: seenAt.hostname, port: seenAt.port, nat: isNat };
  if (!isNat) {
    const message = `seen at ${at}, an address of this machine: no NAT in between`;
    return { check: "address", verdict: "ok", message, fields };
  }
  const local = seenAt.port === port ? "" : ` (port ${port} here)`;
  const message = `seen at ${at}${local}: there is a NAT in between, and others may not reach ` +
    "you; call them, or forward a UDP port to this machine and name it with --port";
  return { check: "address", verdict: "warning", message, fields };
}

/** Why the registration did not succeed. */
export function silenceFinding(
  server: Address,
  lastDatagram: LastDatagram,
  hasSecret: boolean,
): { reason: string; message: string } {
  const at = formatAddress(server);
  switch (lastDatagram) {
    case "authentic":
      return {
        reason: "loss",
        message: `the directory at ${at} answers, but too many datagrams get lost on the way`,
      };
    case "unrelated":
      return {
        reason: "foreign",
        message: `something answers at ${at}, but it is no directory of udp-chat`,
      };
    case "forged":
      return {
        reason: "secret",
        message: `the directory at ${at} does not have your secret: it is public, or has another`,
      };
    case "none": {
      const secret = hasSecret ? "has another secret" : "is private and needs --secret";
      return {
        reason: "silence",
        message: `nothing comes back from ${at}: UDP may be blocked here, or the directory is ` +
          `down, or it ${secret}`,
      };
    }
  }
}

/** The round trip; `samples` has the milliseconds of the answered probes. */
export function roundTripFinding(samples: readonly number[], probes: number): Finding {
  const answered = `${samples.length} of ${probes} probes answered`;
  const fields = { probes, answered: samples.length };
  if (samples.length === 0) {
    return { check: "roundTrip", verdict: "failed", message: answered, fields };
  }
  const sorted = samples.toSorted((a, b) => a - b);
  const min = sorted[0]!;
  const median = sorted[sorted.length >> 1]!;
  const loss = samples.length < probes ? ": datagrams get lost" : "";
  return {
    check: "roundTrip",
    verdict: loss === "" ? "ok" : "warning",
    message: `median ${formatLatency(median)}, minimum ${formatLatency(min)} · ${answered}${loss}`,
    fields: { ...fields, medianMs: round(median), minMs: round(min) },
  };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
