/**
 * Entries of the log for what a directory prints, too.
 *
 * @module
 */
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import { renderChange, renderTotals } from "../screen/render.ts";
import type { ChangeKind, SharedSettings, TableClient } from "../table/table.ts";
import type { Totals } from "../totals.ts";
import type { LogEntry } from "./log.ts";

/** In milliseconds. */
const DAY = 24 * 60 * 60 * 1000;

/** Where a directory listens, and its key. */
export interface Listening {
  readonly address: Address;
  readonly fingerprint: string;
  readonly isPrivate: boolean;
}

/** The directory has started. */
export function describeStart({ address, fingerprint, isPrivate }: Listening): LogEntry {
  const { hostname: host, port } = address;
  const kind = isPrivate ? "UDP, private" : "UDP";
  return {
    level: "info",
    event: "started",
    message: `Listening on ${formatAddress(address)} (${kind}); fingerprint ${fingerprint}`,
    fields: { host, port, fingerprint, private: isPrivate },
  };
}

/** The directory has stopped. */
export function describeStop(totals: Totals): LogEntry {
  const { clients } = totals;
  return { level: "info", event: "stopped", message: renderTotals(totals), fields: { clients } };
}

/** What files were named, and were read again. */
export function describeReload(
  { limitsFile, secretFile }: { limitsFile: string | undefined; secretFile: string | undefined },
): LogEntry {
  const files = [
    ...limitsFile === undefined ? [] : ["the limits"],
    ...secretFile === undefined ? [] : ["the secret"],
  ];
  const message = files.length === 0
    ? "Nothing to read again: neither --limits nor --secret names a file"
    : `Read ${files.join(" and ")} again`;
  return { level: "info", event: "reloaded", message };
}

/** The entry of one client has changed. */
export function describeClient(
  { kind, client }: { kind: ChangeKind; client: TableClient },
): LogEntry {
  const { id, name, address: { hostname: host, port } } = client;
  return {
    level: "debug",
    event: "client",
    message: renderChange(kind, client, false),
    fields: { change: kind, id, name, host, port },
  };
}

/** A directory has used the same store with other settings; undefined where they are the same. */
export function describeOtherSettings(
  own: SharedSettings,
  other: SharedSettings,
): LogEntry | undefined {
  const others = optionsOf(other);
  const differences = optionsOf(own).flatMap(([option, value], index) => {
    const otherValue = others[index]![1];
    return value === otherValue ? [] : [`${option} ${otherValue}, here ${value}`];
  });
  if (differences.length === 0) return undefined;
  const message = `The store is used with ${differences.join("; ")}: ` +
    "start all directories with the same";
  return { level: "warn", event: "otherSettings", message };
}

/** The settings in words: those that have an option by that. */
function optionsOf(
  { publicKey, maxClients, maxPerSource, lease, nameHold }: SharedSettings,
): [string, string][] {
  return [
    ["the key", fingerprint(publicKey)],
    ["--max-clients", `${maxClients}`],
    ["--max-per-source", `${maxPerSource ?? "any"}`],
    ["--lease", `${lease / 1000}`],
    ["--name-hold", `${nameHold / DAY}`],
  ];
}
