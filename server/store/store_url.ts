/**
 * Where a store is, as users write it.
 *
 * @module
 */
import { failure, type Result, success } from "../../protocol/result.ts";

/** The environment variable with the URL of the store, for one with a password. */
export const STORE_VARIABLE = "UDP_CHAT_STORE";

const PROBLEM = "expected redis://[USER:PASSWORD@]HOST[:PORT][/DB], or rediss:// for TLS, with " +
  "characters such as @ : / # % in a name or password as %40 %3A %2F %23 %25";

const PORT_DEFAULT = 6379;
/** The highest number of a database; servers have 16 of them where they are not told otherwise. */
const DATABASE_MAX = 65_535;

/** Where a store is, and what it lets a directory in by. */
export interface StoreUrl {
  /** A name or an IP address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Empty for the default user. */
  readonly username: string;
  /** Empty for none. */
  readonly password: string;
  readonly database: number;
  /** Whether the connection is TLS. */
  readonly isSecure: boolean;
}

/** Parses the URL of a store. Messages show nothing of it, since it may have a password. */
export function parseStoreUrl(text: string): Result<StoreUrl> {
  const url = URL.parse(text.trim());
  const database = url === null ? undefined : parseDatabase(url.pathname);
  const user = url === null ? undefined : decodeUser(url);
  const isUsual = url !== null && /^rediss?:$/.test(url.protocol) && url.hostname !== "" &&
    url.port !== "0" && url.search === "" && url.hash === "";
  if (!isUsual || user === undefined || database === undefined) return failure(PROBLEM);
  return success({
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? PORT_DEFAULT : Number(url.port),
    ...user,
    database,
    isSecure: url.protocol === "rediss:",
  });
}

/** The store that the option names, or else the environment; undefined for neither. */
export function findStore(
  option: StoreUrl | undefined,
  readVariable: (name: string) => string | undefined,
): Result<StoreUrl | undefined> {
  const value = readVariable(STORE_VARIABLE);
  if (option !== undefined || value === undefined) return success(option);
  const parsed = parseStoreUrl(value);
  return parsed.ok ? parsed : failure(`Cannot use ${STORE_VARIABLE}: ${parsed.error}`);
}

function parseDatabase(path: string): number | undefined {
  if (path === "" || path === "/") return 0;
  const database = Number(path.slice(1));
  return /^\/\d+$/.test(path) && database <= DATABASE_MAX ? database : undefined;
}

/** Undefined for a `%` that is not one of an encoding. */
function decodeUser(
  { username, password }: URL,
): Pick<StoreUrl, "username" | "password"> | undefined {
  try {
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  } catch {
    return undefined;
  }
}
