/**
 * What is kept of a run while it lasts, so that a client that was killed comes back as itself: its
 * text.
 *
 * ```
 * udp-chat run 1
 * # Secret: who has this file and the identity can pass for this client.
 * directory 8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a
 * token 00000001a3f1d2b4c5968778695a4b3c
 * name ana
 * peer de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f 2 bob
 * end
 * ```
 *
 * `directory` is followed by the static key of the directory that the token is for; `name` is left out
 * where the client has none. Each `peer` is one of an open conversation, the current one first: its
 * static key, its client id, and its name, if any. What follows `end` does not count.
 *
 * @module
 */
import { CONNECTIONS_MAX } from "../../protocol/connection/connections.ts";
import { goodName } from "../../protocol/name/name.ts";
import { fromHex, toHex } from "../../cli/hex.ts";
import { CLIENT_ID_MAX } from "../peer.ts";
import type { OpenConversation, Run } from "../view.ts";

const TITLE = "udp-chat run 1";
const KEY_SIZE = 32;
const TOKEN_SIZE = 16;

/** Bytes in the largest record. */
export const RUN_RECORD_SIZE_MAX = 16_384;

/** Makes the text. */
export function formatRun({ entry: { directoryKey, token }, name, conversations }: Run): string {
  const peers = conversations.slice(0, CONNECTIONS_MAX)
    .map(({ key, id, name }) => ["peer", toHex(key), id, name].join(" ").trimEnd());
  return [
    TITLE,
    "# Secret: who has this file and the identity can pass for this client.",
    `directory ${toHex(directoryKey)}`,
    `token ${toHex(token)}`,
    ...name === "" ? [] : [`name ${name}`],
    ...peers,
    "end",
    "",
  ].join("\n");
}

/** Reads the text; undefined where it is none that formatRun() makes. */
export function parseRun(text: string): Run | undefined {
  const { directory = "", token = "", name = "", peers = "" } =
    /^udp-chat run 1\n#.*\ndirectory (?<directory>\S+)\ntoken (?<token>\S+)\n(?:name (?<name>\S+)\n)?(?<peers>(?:peer .*\n)*)end\n/
      .exec(text)?.groups ?? {};
  const directoryKey = fromHex(directory, KEY_SIZE);
  const bytes = fromHex(token, TOKEN_SIZE);
  const conversations = peers.split("\n").slice(0, -1).map(parsePeer);
  const isWhole = conversations.every((each) => each !== undefined);
  if (directoryKey === undefined || bytes === undefined || !isWhole) return undefined;
  return {
    entry: { directoryKey, token: bytes },
    name: goodName(name),
    conversations: conversations.slice(0, CONNECTIONS_MAX),
  };
}

function parsePeer(line: string): OpenConversation | undefined {
  const [, key, id, name = ""] = line.split(" ");
  const bytes = fromHex(key ?? "", KEY_SIZE);
  const isId = /^\d+$/.test(id ?? "") && Number(id) >= 1 && Number(id) <= CLIENT_ID_MAX;
  return bytes === undefined || !isId
    ? undefined
    : { key: bytes, id: Number(id), name: goodName(name) };
}
