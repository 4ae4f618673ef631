/**
 * The environment of this process, and the system that it runs on.
 *
 * @module
 */
import type { Platform } from "./config_folder.ts";

/** An environment variable; undefined if it is not set, or Deno was not given access to it. */
export function environment(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}

/** The system that this process runs on. */
export const PLATFORM: Platform = {
  isWindows: Deno.build.os === "windows",
  isMac: Deno.build.os === "darwin",
  env: environment,
};

/** Whether an environment variable is set, to more than nothing. */
export function isSet(name: string): boolean {
  // This one needs no permission.
  return name === "NO_COLOR" ? Deno.noColor : (environment(name) ?? "") !== "";
}

/** What the environment calls the user. */
export interface User {
  /** Empty where the environment does not say. */
  readonly name: string;
  /** Whether the user chose it: where the system sets `USER`, `LOGNAME` is the same. */
  readonly isChosen: boolean;
}

/** What the environment calls the user. */
export function currentUser(env: (name: string) => string | undefined = environment): User {
  const user = env("USER") ?? "";
  if (user === "") return { name: env("USERNAME") ?? "", isChosen: false };
  return { name: user, isChosen: user !== env("LOGNAME") };
}
