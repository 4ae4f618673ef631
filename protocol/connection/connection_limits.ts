/**
 * The states of a connection, and how long it waits for what.
 *
 * @module
 */

/** Milliseconds of silence from the other after which a Connection Keepalive asks for an Ack. */
export const CONNECTION_KEEPALIVE = 10_000;
/** Milliseconds of silence from the other after which the connection is ended locally. */
export const CONNECTION_TIMEOUT = 60_000;
/** How often an Accept is sent for each Request: to an address that nobody has shown to be good. */
export const ACCEPT_TRIES = 3;
/** How often a Termination is sent before the connection is ended without its ack. */
export const TERMINATION_TRIES = 3;
/** Milliseconds that the retransmission timeout of a Termination is at least. */
export const TERMINATION_RTO_MIN = 1_000;
/** Milliseconds that either end waits for what was in flight at a termination. */
export const FLUSH_TIMEOUT = 30_000;
/** Milliseconds that an ended connection still acknowledges repeats. */
export const LINGER = 30_000;

/** Milliseconds by which a datagram may leave too early: no timer is finer. */
export const TIMER_SLACK = 1;

/** Where a connection stands. */
export type ConnectionState =
  | "open"
  /** The user terminated; what was queued before is still being sent. */
  | "draining"
  /** A Termination was sent; its ack, or something below the final seq in it, is missing. */
  | "terminating"
  /** The other terminated; what was in flight is still being sent. */
  | "flushing"
  /** Over, but repeats are still acknowledged. */
  | "closed"
  /** Nothing is left to do. */
  | "gone";
