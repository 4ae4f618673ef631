/**
 * The name of a client whose user names none.
 *
 * @module
 */
import type { User } from "../cli/environment.ts";
import { goodName, NAME_LENGTH_MAX, normalName } from "../protocol/name/name.ts";

/** The highest number that is added to a name that is not free. */
export const NAME_NUMBER_MAX = 9;

/** What cannot stand in a name as it is. */
const FOREIGN = /[^\p{L}\p{M}\p{N}_]+/gu;

/** A name made of that of a login, such as `jean.dupont` or `CORP\jdoe`; empty where that has none. */
export function nameOfLogin(login: string): string {
  const own = normalName(login).replace(/^.*\\/s, "").replace(/@.*$/s, "");
  const words = own.replace(FOREIGN, (run) => /^[.'-]$/.test(run) ? run : "-");
  // With room for a number.
  const short = [...words].slice(0, NAME_LENGTH_MAX - 2).join("");
  return goodName(short.replace(/^[.'-]+|[.'-]+$/g, ""));
}

/**
 * What the user is called where nothing was asked for at the start, empty for nothing: the
 * environment wins over the configuration file, and that over what the system calls everybody.
 *
 * @param configured the name in the configuration file, empty for none.
 * @param user undefined where nobody types: scripts are known by their numbers.
 */
export function usualName(configured: string, user: User | undefined): string {
  const name = user === undefined ? "" : nameOfLogin(user.name);
  return user?.isChosen ? name || configured : configured || name;
}

/** The names to ask for where this one is not free, in turn; at last none. */
export function numberedNames(name: string): string[] {
  const stem = /\d$/.test(name) ? `${name}-` : name;
  const numbers = Array.from({ length: NAME_NUMBER_MAX - 1 }, (_, index) => index + 2);
  return [...numbers.map((number) => `${stem}${number}`), ""];
}

/** What a client is to be called, and by what name else. */
export interface WantedNames {
  /** Empty for none. */
  readonly name: string;
  /** Those that do as well, where it is the program that chose. */
  readonly otherNames: readonly string[];
}

/**
 * The names to ask for.
 *
 * @param given what the user asked for at the start; that, and no other.
 * @param usual what the user is called where nothing was asked for, empty for nothing.
 * @param former what an earlier run was called that is to be continued.
 */
export function wantedNames(given: string, usual: string, former: string | undefined): WantedNames {
  if (given !== "") return { name: given, otherNames: [] };
  const name = former || usual;
  if (name === "") return { name, otherNames: [] };
  const all = usual === "" ? [name, ""] : [name, usual, ...numberedNames(usual)];
  return { name, otherNames: [...new Set(all)].slice(1) };
}
