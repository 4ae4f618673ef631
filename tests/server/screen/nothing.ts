/**
 * The totals of a directory that has done nothing.
 *
 * @module
 */
import type { Totals } from "../../../server/totals.ts";

export const NOTHING: Totals = {
  clients: 0,
  registrations: 0,
  lookUps: 0,
  introductions: 0,
  carriedDatagrams: 0,
  carriedBytes: 0,
  refused: {},
  dropped: {},
};
