/**
 * All files with vectors, by their paths: `write.ts` writes them, and a test compares them.
 *
 * @module
 */
import { toHex } from "../../support/hex.ts";
import { badJson, directoryJson, framesJson, handshakeJson, keysJson } from "./json.ts";
import { BEGINNING, readmeText } from "./readme.ts";
import { conversation } from "./scenes.ts";

const FOLDER = new URL("../", import.meta.url);
/** The specification. */
export const SPECIFICATION: URL = new URL("../../../protocol/README.md", import.meta.url);

/** What the vectors are, by the name of their JSON file; loadCipher() has to come first. */
export function vectorFiles(): Readonly<Record<string, unknown>> {
  return {
    "keys.json": keysJson(),
    "frames.json": framesJson(),
    "directory.json": directoryJson(),
    "handshake.json": handshakeJson(),
    "bad.json": badJson(),
    "conversation.json": conversationJson(),
  };
}

/** Where a file is. */
export function vectorFile(name: string): URL {
  return new URL(name, FOLDER);
}

/** The specification with its last two sections made anew. */
export function specification(text: string): string {
  const at = text.indexOf(`\n${BEGINNING}`);
  return `${(at < 0 ? text : text.slice(0, at)).trimEnd()}\n\n${readmeText()}`;
}

function conversationJson(): unknown {
  const { lines, ephemeral } = conversation();
  return {
    ephemeral: Object.fromEntries(Object.entries(ephemeral).map(([k, key]) => [k, toHex(key)])),
    datagrams: lines.map(({ time, from, to, bytes, key, plain }) => ({
      ...{ time, from, to, bytes: toHex(bytes) },
      ...key === undefined ? {} : { key: toHex(key), plain: toHex(plain) },
    })),
  };
}
