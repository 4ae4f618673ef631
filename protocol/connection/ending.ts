/**
 * How long the end of a connection takes.
 *
 * @module
 */

/** How often a Termination is sent before the connection is ended without its ack. */
export const TERMINATION_TRIES = 3;
/** Milliseconds that the retransmission timeout of a Termination is at least. */
export const TERMINATION_RTO_MIN = 1_000;
/** Milliseconds that either end waits for what was in flight at a termination. */
export const FLUSH_TIMEOUT = 30_000;
/** Milliseconds that an ended connection still acknowledges repeats. */
export const LINGER = 30_000;
