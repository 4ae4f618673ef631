/**
 * What a client of a test is started with, where the test is not about it.
 *
 * @module
 */
import type { ClientOptions } from "../../client/view.ts";
import { TRUSTING } from "./trust.ts";

/** What each client has of its own. */
type Own = "directoryAddresses" | "name" | "port" | "identity" | "random";

/** Options of a client that trusts everybody. */
export function clientOptions(
  own: Pick<ClientOptions, Own> & Partial<ClientOptions>,
): ClientOptions {
  return {
    serverName: "directory",
    id: 0,
    timers: "adaptive",
    acceptAll: false,
    isBlocked: () => false,
    isKnown: () => true,
    isTrustedPeer: () => true,
    trust: TRUSTING,
    ...own,
  };
}
