/**
 * The protocol of udp-chat: framing, sequencing and ack timers, as pure state machines.
 *
 * The wire format is specified in `protocol/README.md`.
 *
 * @module
 */
export * from "./address.ts";
export * from "./aead.ts";
export * from "./congestion.ts";
export * from "./connection.ts";
export * from "./datagram.ts";
export * from "./driven.ts";
export * from "./ends.ts";
export * from "./fingerprint.ts";
export * from "./frame.ts";
export * from "./handshake.ts";
export * from "./hmac.ts";
export * from "./incoming_requests.ts";
export * from "./loss_detection.ts";
export * from "./name.ts";
export * from "./noise.ts";
export * from "./outgoing_request.ts";
export * from "./path.ts";
export * from "./path_mtu.ts";
export * from "./proof.ts";
export * from "./receive_queue.ts";
export * from "./registration.ts";
export * from "./replay_window.ts";
export * from "./rtt.ts";
export * from "./seal.ts";
export * from "./secret.ts";
export * from "./send_queue.ts";
export * from "./text.ts";
export * from "./timers.ts";
export * from "./udp.ts";
export * from "./x25519.ts";
