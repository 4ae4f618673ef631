import { assertEquals } from "@std/assert";
import { EntryTokens } from "../../../protocol/directory/entry_token.ts";

const [KEY, OTHER_KEY] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
const [TOKEN, OTHER_TOKEN] = [new Uint8Array(16).fill(7), new Uint8Array(16).fill(8)];
const NO_TOKEN = new Uint8Array(16);

Deno.test("the own token is shown only to the directory with the key that gave it", () => {
  const tokens = new EntryTokens(undefined);
  tokens.take(TOKEN, KEY);
  assertEquals([tokens.shownTo(KEY), tokens.shownTo(OTHER_KEY)], [TOKEN, NO_TOKEN]);
});

Deno.test("a directory with another key gives another token, which is shown to it alone", () => {
  const tokens = new EntryTokens({ token: TOKEN, directoryKey: KEY });
  assertEquals(tokens.take(TOKEN, KEY), { hasChanged: true, isFormer: true });
  assertEquals(tokens.take(TOKEN, KEY), { hasChanged: false, isFormer: false });
  assertEquals(tokens.take(OTHER_TOKEN, OTHER_KEY), { hasChanged: true, isFormer: false });
  assertEquals([tokens.shownTo(KEY), tokens.shownTo(OTHER_KEY)], [NO_TOKEN, OTHER_TOKEN]);
});

Deno.test("a token of zeros continues no earlier run: it was not shown", () => {
  const tokens = new EntryTokens({ token: TOKEN, directoryKey: KEY });
  assertEquals(tokens.take(NO_TOKEN, OTHER_KEY), { hasChanged: true, isFormer: false });
});
