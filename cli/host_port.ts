/**
 * A host and a port as users write them.
 *
 * @module
 */
import { type Result, success } from "../protocol/result.ts";
import { unexpected } from "./options.ts";

/** A host, and the port where one is given. */
export interface HostPort {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/** What a text has to be. */
export interface HostPortForm {
  /** As error messages say it. */
  readonly expected: string;
  /** The lowest port: 0 where the system may choose one. */
  readonly portMin: number;
}

/** Parses `host`, `host:port`, `[::1]:port`, `[::1]` or `::1`. */
export function parseHostPort(text: string, { expected, portMin }: HostPortForm): Result<HostPort> {
  const match = /^\[(?<v6>[^\[\]]+)\](?::(?<v6Port>.*))?$/.exec(text) ??
    /^(?<bare>[^\[\]\s]*:[^\[\]\s]*:[^\[\]\s]*)$/.exec(text) ??
    /^(?<name>[^\[\]:\s]+)(?::(?<namePort>.*))?$/.exec(text);
  const { v6, v6Port, bare, name, namePort } = match?.groups ?? {};
  const host = v6 ?? bare ?? name;
  if (host === undefined) return unexpected(expected, text);
  const port = v6Port ?? namePort;
  if (port === undefined) return success({ host, port });
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= portMin && Number(port) <= 65_535;
  if (!isPort) return unexpected(`a port from ${portMin} to 65535`, port);
  return success({ host, port: Number(port) });
}
