/**
 * A program that crashes with the terminal in its hands, for screen_test.ts.
 *
 * @module
 */
import { Terminal } from "../../client/screen/terminal.ts";

const nothing = (): void => {};

if (import.meta.main) {
  const terminal = new Terminal({
    prompt: () => "about to crash > ",
    complete: () => [[], ""],
    onBegin: nothing,
    onLine(line) {
      if (line === "reject") Promise.reject(new Error("Nobody handles this"));
      else throw new Error("Nobody catches this");
      return true;
    },
    onRecallable: nothing,
    onPaste: nothing,
    onDrop: nothing,
    onInterrupt: nothing,
    onEnd: nothing,
    onNotStopped: nothing,
  }, []);
  terminal.print("Ready");
}
