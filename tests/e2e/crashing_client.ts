/**
 * Crashes while it uses the terminal, for screen_test.ts.
 *
 * @module
 */
import { Terminal } from "../../client/screen/terminal.ts";

const nothing = (): void => {};

if (import.meta.main) {
  const terminal = new Terminal({
    prompt: () => "about to crash > ",
    complete: () => [[], ""],
    onKey: () => {},
    onDraftStart: nothing,
    onLine(line) {
      if (line === "reject") Promise.reject(new Error("Nobody handles this"));
      else throw new Error("Nobody catches this");
      return true;
    },
    onHistoryLine: nothing,
    onPaste: nothing,
    onInterrupt: nothing,
    onEnd: nothing,
    onEndOfInput: nothing,
    after: () => nothing,
    onLeftOut: nothing,
    onStopFailed: nothing,
  }, []);
  terminal.print("Ready");
}
