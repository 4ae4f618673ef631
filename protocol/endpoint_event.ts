/**
 * What an endpoint is started with, and what it reports.
 *
 * @module
 */
import type { Connection } from "./connection/connection.ts";
import type { ConnectionEvent } from "./connection/connection_event.ts";
import type { IncomingRequest } from "./connection/incoming_requests.ts";
import type { Admission, RequestEvent } from "./connection/request_event.ts";
import type { RegistrationEvent, RegistrationRequest } from "./directory/registration_event.ts";
import type { Address } from "./wire/address.ts";

/** What an endpoint is started with. */
export interface EndpointOptions extends RegistrationRequest {
  /** Decides on a Connection Request; without it, all ring. */
  readonly admit?: ((request: IncomingRequest) => Admission) | undefined;
  /** Whether a static key is known: strangers have a part of the places. Without it, all are known. */
  readonly isKnown?: ((key: Uint8Array) => boolean) | undefined;
  /** Whether texts are acknowledged only when `take()` of a connection says that the user has them. */
  readonly holdsTexts?: boolean | undefined;
  /** Whether the owner of a static key may be met; without it, all may. */
  readonly mayMeet?: ((key: Uint8Array) => boolean) | undefined;
  /**
   * Where this client may be reached in its own network: only a peer in the same one is told, never the
   * directory.
   */
  readonly localAddresses?: (() => readonly Address[]) | undefined;
}

/** Why a command cannot be carried out. */
export type EndpointProblem =
  | "notRegistered"
  | "leaving"
  | "self"
  | "alreadyConnected"
  | "alreadyRequesting"
  | "tooManyConnections"
  | "noRequest";

/** What an endpoint reports. `left` is the last event. */
export type EndpointEvent =
  | Exclude<
    RegistrationEvent,
    { kind: "timeout" | "unavailable" | "found" | "inactive" | "left" | "meeting" | "carried" }
  >
  /** The directory did not answer: to the first registration, or when asked for the list. */
  | { kind: "registrationTimeout" }
  | { kind: "listTimeout" }
  /** No directory can answer now: the first registration is tried again, and the list is not. */
  | { kind: "registrationUnavailable" }
  | { kind: "listUnavailable" }
  /** `acknowledged`: by the directory; `undelivered`: texts, of all connections. */
  | { kind: "left"; acknowledged: boolean; undelivered: number }
  | RequestEvent
  | ConnectionEvent & { connection: Connection };
