/**
 * How often a lease is renewed.
 *
 * @module
 */

/** Milliseconds between two Lease Keepalives at least, however short the lease. */
export const LEASE_KEEPALIVE_MIN = 250;
/** Milliseconds between two at most, so that the mapping of a NAT lives (RFC 4787, 4.3). */
export const LEASE_KEEPALIVE_MAX = 20_000;

/** Milliseconds between two Lease Keepalives for a lease. */
export function keepaliveInterval(lease: number): number {
  return Math.min(Math.max(lease / 3, LEASE_KEEPALIVE_MIN), LEASE_KEEPALIVE_MAX);
}
