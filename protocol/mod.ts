/**
 * The protocol of udp-chat: framing, sequencing and ack timers, as pure state machines.
 *
 * The wire format is specified in `protocol/README.md`.
 *
 * @module
 */
export * from "./wire/address.ts";
export * from "./crypto/aead.ts";
export * from "./recovery/congestion.ts";
export * from "./connection/connection.ts";
export * from "./wire/datagram.ts";
export * from "./machine.ts";
export * from "./crypto/fingerprint.ts";
export * from "./wire/frame.ts";
export * from "./session/handshake.ts";
export * from "./crypto/hmac.ts";
export * from "./connection/incoming_requests.ts";
export * from "./recovery/loss_detection.ts";
export * from "./directory/name.ts";
export * from "./crypto/noise.ts";
export * from "./connection/outgoing_request.ts";
export * from "./session/path.ts";
export * from "./session/path_mtu.ts";
export * from "./crypto/proof.ts";
export * from "./connection/receive_queue.ts";
export * from "./directory/registration.ts";
export * from "./crypto/replay_window.ts";
export * from "./recovery/rtt.ts";
export * from "./crypto/seal.ts";
export * from "./connection/send_queue.ts";
export * from "./timers.ts";
export * from "./udp.ts";
export * from "./crypto/x25519.ts";
