/**
 * Questions to a store, as tests put them.
 *
 * @module
 */
import type { CommitQuestion } from "../../server/store/store.ts";

/** A commit that changes only this. */
export function commitQuestion(number: number, changes: Partial<CommitQuestion>): CommitQuestion {
  const nothing = { checks: [], over: [], removes: [], puts: [], lease: undefined, change: "" };
  return { kind: "commit", number, ...nothing, ...changes };
}
