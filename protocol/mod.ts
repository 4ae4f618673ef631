/**
 * The protocol of udp-chat: framing, sequencing and ack timers, as pure state machines.
 *
 * The wire format is specified in `protocol/README.md`.
 *
 * @module
 */
export { type Result } from "./result.ts";
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

export { type Address, formatAddress, sameAddress } from "./wire/address.ts";
export {
  DatagramWriter,
  decodeDatagram,
  type DecodedDatagram,
  type DecodedFrames,
  type DecodeError,
  decodeFrames,
  encodeDatagram,
  encodeVersionAnswer,
} from "./wire/datagram.ts";
export * from "./wire/frame.ts";

export { fingerprint, parseFingerprint, shortAuthenticationString } from "./crypto/fingerprint.ts";
export { Opener, Sealer } from "./crypto/seal.ts";
export { KeyPair, makeKeyPair } from "./crypto/x25519.ts";

export type { Seals, SessionKeys } from "./session/handshake.ts";

export { nameKey, nameProblem } from "./directory/name.ts";
export {
  type Query,
  Registration,
  type RegistrationEvent,
  type RegistrationRequest,
} from "./directory/registration.ts";

export {
  Connection,
  type ConnectionEvent,
  type ConnectionIds,
  type ConnectionState,
  type EndedBy,
} from "./connection/connection.ts";
export {
  OutgoingRequest,
  type OutgoingRequestEvent,
  type RequestIds,
} from "./connection/outgoing_request.ts";
export { RttEstimator } from "./recovery/rtt.ts";
export { TIMER_POLICIES, type TimerMode, type TimerPolicy } from "./recovery/timer_policy.ts";
