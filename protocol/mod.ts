/**
 * The protocol of udp-chat: framing, sequencing and ack timers, as pure state machines.
 *
 * An {@linkcode Endpoint} is one client's end of everything; drive() runs it on a socket. A
 * {@linkcode Registrar} is the cryptography of a directory. `docs/examples/` has a peer that echoes
 * and a directory, in 40 and 50 lines; the wire format is specified in `protocol/README.md`.
 *
 * @module
 */
export type { Result } from "./result.ts";
export type { DatagramMachine, Instant, Machine, Random, Transmit } from "./machine.ts";
export {
  clock,
  type Drive,
  drive,
  openSocket,
  resolveHost,
  type Socket,
  type SocketAddress,
  systemRandom,
  UnstableNetError,
} from "./udp.ts";

export {
  Endpoint,
  type EndpointEvent,
  type EndpointOptions,
  type EndpointProblem,
} from "./endpoint.ts";
export type { Connection } from "./connection/connection.ts";
export type {
  ConnectionEvent,
  ConnectionIds,
  ConnectionState,
  EndedBy,
} from "./connection/connection_event.ts";
export type { IncomingRequest } from "./connection/incoming_requests.ts";
export type { ReceivedText } from "./connection/receive_queue.ts";
export type { OutgoingView, Target } from "./connection/outgoing_requests.ts";
export type {
  Admission,
  Opening,
  RequestEnd,
  RequestEvent,
  RequestFailure,
} from "./connection/request_event.ts";
export { TIMER_POLICIES, type TimerMode, type TimerPolicy } from "./recovery/timer_policy.ts";

export { Registration } from "./directory/registration.ts";
export type { EntryToken } from "./directory/entry_token.ts";
export type {
  ClientQuery,
  Query,
  RegistrationEvent,
  RegistrationRequest,
} from "./directory/registration_event.ts";
export {
  type DirectoryRequest,
  readRegister,
  readRequest,
  Registrar,
  type RegistrarOptions,
} from "./directory/registrar.ts";

export type { EntryBytes } from "./wire/directory_answer.ts";
export { loadCipher } from "./crypto/sodium.ts";
export { fingerprint } from "./crypto/fingerprint.ts";
export { KeyPair, makeKeyPair } from "./crypto/x25519.ts";

export type { Address } from "./wire/address.ts";
export type { MoveReason } from "./directory/directory_choice.ts";
export type { PathKind } from "./wire/remote.ts";
export {
  type Datagram,
  decodeDatagram,
  type DecodeError,
  encodeDatagram,
} from "./wire/datagram.ts";
export * from "./wire/frame.ts";
