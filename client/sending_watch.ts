/**
 * A socket whose user is told when the system lets nothing out: without a network, for example.
 *
 * @module
 */
import { fileProblem } from "../cli/files.ts";
import type { Instant } from "../protocol/machine.ts";
import type { Socket } from "../protocol/udp.ts";

/** Milliseconds in which no datagram could be sent after which the user is told. */
export const UNSENT_AFTER = 5_000;

/**
 * Watches what is sent. That one address cannot be reached is no problem, while others can: many are
 * tried.
 *
 * @param note tells the user that it works again.
 * @param noteTrouble tells the user what is wrong.
 */
export function watchSending(
  socket: Socket,
  clock: () => Instant,
  { note, noteTrouble }: Readonly<Record<"note" | "noteTrouble", (message: string) => void>>,
): Socket {
  let failingSince: Instant | undefined;
  let isTold = false;

  function noteSent(size: number): number {
    failingSince = undefined;
    if (isTold) note("Datagrams can be sent again");
    isTold = false;
    return size;
  }

  function noteFailed(error: unknown): never {
    failingSince ??= clock();
    if (!isTold && clock() - failingSince >= UNSENT_AFTER) {
      isTold = true;
      noteTrouble(`No datagram can be sent: ${fileProblem(error)} · trying on`);
    }
    throw error;
  }

  return {
    addr: socket.addr,
    send: (bytes, to) => socket.send(bytes, to).then(noteSent, noteFailed),
    receive: (buffer) => socket.receive(buffer),
    close: () => socket.close(),
  };
}
