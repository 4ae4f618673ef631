/**
 * The protocol of udp-chat: framing, sequencing and ack timers, as pure state machines.
 *
 * The wire format is specified in `protocol/README.md`.
 *
 * @module
 */
export * from "./address.ts";
export * from "./connection.ts";
export * from "./datagram.ts";
export * from "./driven.ts";
export * from "./frame.ts";
export * from "./incoming_requests.ts";
export * from "./name.ts";
export * from "./outgoing_request.ts";
export * from "./receive_queue.ts";
export * from "./registration.ts";
export * from "./rtt.ts";
export * from "./send_queue.ts";
export * from "./text.ts";
export * from "./timers.ts";
export * from "./udp.ts";
