/**
 * What an endpoint reports.
 *
 * @module
 */
import type { Connection } from "./connection/connection.ts";
import type { ConnectionEvent } from "./connection/connection_event.ts";
import type { RequestEvent } from "./connection/request_event.ts";
import type { RegistrationEvent } from "./directory/registration_event.ts";

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
    { kind: "timeout" | "found" | "inactive" | "left" | "meeting" | "carried" }
  >
  /** The directory did not answer: to the first registration, or when asked for the list. */
  | { kind: "registrationTimeout" }
  | { kind: "listTimeout" }
  /** `acknowledged`: by the directory; `undelivered`: texts, of all connections. */
  | { kind: "left"; acknowledged: boolean; undelivered: number }
  | RequestEvent
  | ConnectionEvent & { connection: Connection };
