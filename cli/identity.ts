/**
 * The file with the static key of a client or a directory: its text.
 *
 * The file has four lines, each ended by a line feed:
 *
 * ```
 * udp-chat identity 1
 * # Secret: who has this file can pass for you.
 * private 77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a
 * checksum 13f31d661d74720e
 * ```
 *
 * The first line names the format and its version; lines that begin with `#` are comments.
 * `private` is followed by the 32 bytes of an X25519 private key, and `checksum`, in the last line,
 * by the first 8 bytes of the SHA-256 of everything before that line, both in hexadecimal.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { KEY_SIZE } from "../protocol/crypto/x25519.ts";
import { failure, type Result, success } from "../protocol/result.ts";
import { fromHex, toHex } from "./hex.ts";

/** The format of the file. */
const TITLE = "udp-chat identity";
/** The version that this program writes, and the only one it reads. */
const VERSION = "1";
/** Bytes of the hash that make the checksum. */
const CHECKSUM_SIZE = 8;

/** Bytes in the largest file that can be an identity. */
export const IDENTITY_SIZE_MAX = 4096;

/** Makes the text of the file for a private key. */
export function formatIdentity(privateKey: Uint8Array): string {
  const body = `${TITLE} ${VERSION}\n` +
    "# Secret: who has this file can pass for you.\n" +
    `private ${toHex(privateKey)}\n`;
  return `${body}checksum ${checksum(body)}\n`;
}

/**
 * Reads the private key from the text of a file; accepts only what formatIdentity() can write.
 *
 * The error is a predicate of the file, such as `is damaged: it has no key`.
 */
export function parseIdentity(text: string): Result<Uint8Array> {
  const version = /^udp-chat identity (\S+)$/m.exec(text.split("\n", 1)[0] ?? "")?.[1];
  if (version === undefined) return failure("is no identity of udp-chat");
  if (version !== VERSION) {
    return failure(
      `is an identity of version ${version.slice(0, 10)}; this program reads ${VERSION}`,
    );
  }
  const { body = "", sum } = /^(?<body>.*\n)checksum (?<sum>\S+)\n$/s.exec(text)?.groups ?? {};
  if (sum !== checksum(body)) return failure("is damaged: the checksum is wrong");
  const lines = body.split("\n").slice(1, -1).filter((line) => !line.startsWith("#"));
  const privateKey = fromHex(/^private (\S+)$/.exec(lines[0] ?? "")?.[1] ?? "", KEY_SIZE);
  if (lines.length !== 1 || privateKey === undefined) return failure("is damaged: it has no key");
  return success(privateKey);
}

function checksum(body: string): string {
  return toHex(createHash("sha256").update(body).digest().subarray(0, CHECKSUM_SIZE));
}
