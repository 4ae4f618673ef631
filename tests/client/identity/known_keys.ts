/**
 * Keys, dates and a file of known peers, for the tests of what a client remembers.
 *
 * @module
 */

export const MONDAY = new Date("2026-01-05T10:00:00.123Z");
export const TUESDAY = new Date("2026-01-06T11:30:00.456Z");

/** A key in hexadecimal. */
export function keyOf(number: number): string {
  return number.toString(16).padStart(64, "0");
}

export const BOB = keyOf(1);
export const EVE = keyOf(2);
/** Bob is known, eve is blocked. */
export const KNOWN_PEERS = `# udp-chat known_peers 1
${BOB} 2026-01-05T10:00:00Z 2026-01-06T11:30:00Z known bob
${EVE} - - blocked eve
`;
