/**
 * The signals of the system, which are not the same on each.
 *
 * @module
 */

/** What to call at which signals. */
export type SignalListeners = Partial<Record<Deno.Signal, () => void>>;

/** How the system takes listeners. */
export interface SignalSource {
  /** Throws a TypeError for a signal that the system lacks, or that this version of Deno does. */
  add(signal: Deno.Signal, listener: () => void): void;
  /** Removes one. */
  remove(signal: Deno.Signal, listener: () => void): void;
}

const SYSTEM: SignalSource = {
  add: (signal, listener) => Deno.addSignalListener(signal, listener),
  remove: (signal, listener) => Deno.removeSignalListener(signal, listener),
};

/**
 * Listens to those of the signals that there are here; returns what ends that. Windows has SIGBREAK
 * for Ctrl-Break, and since Deno 2.9 SIGHUP for a console that is closed, and SIGTERM for the end of
 * the user's session and of the system; it has no SIGCONT, and ends the process soon after.
 */
export function listenToSignals(
  listeners: SignalListeners,
  source: SignalSource = SYSTEM,
): () => void {
  const added = (Object.entries(listeners) as [Deno.Signal, () => void][])
    .filter(([signal, listener]) => tryAdd(source, signal, listener));
  return () => {
    for (const [signal, listener] of added) source.remove(signal, listener);
  };
}

function tryAdd(source: SignalSource, signal: Deno.Signal, listener: () => void): boolean {
  try {
    source.add(signal, listener);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
