/**
 * Trust in a directory, for tests that are not about it.
 *
 * @module
 */
import type { DirectoryTrust } from "../../client/view.ts";

/** Any key will do. */
export const TRUSTING: DirectoryTrust = {
  isTrusted: () => true,
  refusal: () => "has another key",
};
