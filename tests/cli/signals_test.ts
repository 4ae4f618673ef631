import { assertEquals, assertThrows } from "@std/assert";
import { listenToSignals, type SignalSource } from "../../cli/signals.ts";

/** A system with these signals. */
class System implements SignalSource {
  readonly listening = new Map<string, () => void>();

  constructor(readonly signals: readonly Deno.Signal[]) {}

  add(signal: Deno.Signal, listener: () => void): void {
    if (!this.signals.includes(signal)) throw new TypeError(`Invalid signal: ${signal}`);
    this.listening.set(signal, listener);
  }

  remove(signal: Deno.Signal, listener: () => void): void {
    if (this.listening.get(signal) !== listener) throw new Error(`No listener to ${signal}`);
    this.listening.delete(signal);
  }
}

const SYSTEMS: Record<string, readonly Deno.Signal[]> = {
  "Linux and macOS": ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP", "SIGCONT"],
  "Windows": ["SIGINT", "SIGBREAK", "SIGTERM", "SIGQUIT", "SIGHUP"],
  "Windows, with Deno 2.4": ["SIGINT", "SIGBREAK"],
};

for (const [name, signals] of Object.entries(SYSTEMS)) {
  Deno.test(`listenToSignals() listens to what there is on ${name}`, () => {
    const system = new System(signals);
    const heard: string[] = [];
    const wanted = [...new Set(Object.values(SYSTEMS).flat())];
    const stop = listenToSignals(
      Object.fromEntries(wanted.map((signal) => [signal, () => heard.push(signal)])),
      system,
    );
    for (const listener of system.listening.values()) listener();
    assertEquals(heard.toSorted(), signals.toSorted());
    stop();
    assertEquals(system.listening.size, 0);
  });
}

Deno.test("listenToSignals() does not hide other errors", () => {
  const broken: SignalSource = {
    add: () => {
      throw new RangeError("too many");
    },
    remove: () => {},
  };
  assertThrows(() => listenToSignals({ SIGINT: () => {} }, broken), RangeError);
});

Deno.test("listenToSignals() listens to this system, whichever it is", () => {
  const action = (): void => {};
  listenToSignals({ SIGINT: action, SIGBREAK: action, SIGTERM: action, SIGHUP: action })();
});
