/**
 * The results of the checks, in words.
 *
 * @module
 */
import { type Address, formatAddress, isIpv6, isLoopback } from "../../protocol/wire/address.ts";
import { isPrivate } from "../../protocol/wire/remote.ts";
import { isOnThisMachine } from "../directory_addresses.ts";
import type { Mapping } from "./mapping_probe.ts";
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
  | "mapping"
  | "ipv6"
  | "calls"
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

/** Whether there is a NAT between this machine, whose socket has this port, and who sees it there. */
export function isNat(seenAt: Address, port: number, isOwnHost: boolean): boolean {
  return seenAt.port !== port || !isOwnHost;
}

/** The address at which the directory sees this machine. */
export function addressFinding(seenAt: Address, port: number, isOwnHost: boolean): Finding {
  const [nat, at] = [isNat(seenAt, port, isOwnHost), formatAddress(seenAt)];
  const fields = { host: seenAt.hostname, port: seenAt.port, nat };
  const local = seenAt.port === port ? "" : ` (port ${port} here)`;
  const what = nat ? `${local}: there is a NAT in between` : ", an address of this machine";
  return { check: "address", verdict: "ok", message: `seen at ${at}${what}`, fields };
}

/** What the NAT does with ports, and with what this machine sends to its own public address. */
export function mappingFinding(mapping: Mapping, hairpin: boolean, secondPort: number): Finding {
  const back = hairpin
    ? "what you send to your own public address comes back"
    : "what you send to your own public address does not come back";
  const words: Record<Mapping, string> = {
    same: "the NAT uses one port for all destinations",
    different: "the NAT uses another port for each destination",
    unknown: `no answer from port ${secondPort} of the directory, so it is not known whether the ` +
      "NAT uses another port for each destination",
  };
  return {
    check: "mapping",
    verdict: mapping === "different" ? "warning" : "ok",
    message: `${words[mapping]}; ${back}`,
    fields: { mapping, hairpin },
  };
}

/** Whether this machine has a public IPv6 address. */
export function ipv6Finding(ipv6: boolean): Finding {
  const message = ipv6
    ? "this machine has a public IPv6 address"
    : "this machine has no public IPv6 address";
  return { check: "ipv6", verdict: "ok", message, fields: { ipv6 } };
}

/** Of which families peers learn an address of this machine. */
export interface SeenBy {
  readonly isSeenByIpv4: boolean;
  readonly isSeenByIpv6: boolean;
}

/**
 * Which peers can be called directly.
 *
 * @param mapping undefined where there is no NAT.
 */
export function callsFinding(
  seenAt: Address,
  mapping: Mapping | undefined,
  { isSeenByIpv4, isSeenByIpv6 }: SeenBy,
): Finding {
  const carries = "the directory carries";
  const firewall = "a firewall cannot be seen from here, but does no harm: both sides send at once";
  if (isLoopback(seenAt.hostname) || isPrivate(seenAt.hostname)) {
    const message = "the directory is in your own network, where calls are direct; how others " +
      "would reach you is not known";
    return calls("ok", "local", message);
  }
  if (isIpv6(seenAt) && !isSeenByIpv4) {
    const message =
      `direct with people who have IPv6, whoever calls; ${carries} the calls of those ` +
      "who have IPv4 alone: slower, and no long texts. To change that, use a network with IPv4, too, " +
      "and a name of the directory that has both";
    return calls("warning", "some", message);
  }
  switch (mapping) {
    case undefined:
      return calls("ok", "most", `direct with most people, whoever calls; ${firewall}`);
    case "same":
      return calls(
        "ok",
        "most",
        "direct with most people, whoever calls, whatever your NAT lets in: both sides send at " +
          "once; where the other side's NAT uses another port for each destination, " +
          `${carries} the call`,
      );
    case "different": {
      const [who, what] = isSeenByIpv6
        ? ["with people who have IPv6, and else only with those", "another network,"]
        : ["only with people", "another network or IPv6,"];
      return calls(
        "warning",
        "some",
        `direct ${who} who have a public address or a router that lets anybody in, and in your own ` +
          `network; ${carries} the rest: slower, and no long texts. To change that, use ${what} or ` +
          "let the router keep ports (often called full cone)",
      );
    }
    case "unknown":
      return calls(
        "ok",
        "unknown",
        `direct with most people if the NAT is that of a home router, else with some; ${carries} ` +
          "the rest",
      );
  }
}

function calls(verdict: Finding["verdict"], direct: string, message: string): Finding {
  return { check: "calls", verdict, message, fields: { direct } };
}

/** The addresses of a directory, as in a sentence. */
export function formatAddresses(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).join(" or ");
}

/** Why the registration did not succeed. */
export function silenceFinding(
  addresses: readonly Address[],
  lastDatagram: LastDatagram,
  hasSecret: boolean,
): { reason: string; message: string } {
  const at = formatAddresses(addresses);
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
      const cause = isOnThisMachine(addresses)
        ? "no directory runs there"
        : "UDP does not get out of this network, or no directory runs there";
      const secret = hasSecret ? "has another secret" : "is private and needs --secret";
      return {
        reason: "silence",
        message: `nothing comes back from ${at}: ${cause}, or it ${secret}`,
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
