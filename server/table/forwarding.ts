/**
 * Frames for clients that are registered with another directory of the same store.
 *
 * @module
 */
import { DatagramWriter, decodeFrames } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame, HEADER_SIZE } from "../../protocol/wire/frame.ts";
import { decodeMessage, encodeMessage } from "./client_record.ts";

/** The most frames that wait to be asked for. */
export const FORWARDED_MAX = 1024;

/** Writes them as messages of a store, and reads them. */
export class Forwarding {
  readonly #writer = new DatagramWriter();
  #waiting = 0;

  /** The message with a frame for the client with this id; undefined where too many wait. */
  add(id: number, frame: Frame): string | undefined {
    if (this.#waiting >= FORWARDED_MAX) return undefined;
    this.#waiting++;
    this.#writer.start({ type: DatagramType.Notice, session: 0, packet: 0 });
    this.#writer.add(frame);
    return encodeMessage(id, this.#writer.finish().subarray(HEADER_SIZE));
  }

  /** One has been asked for. */
  noteSent(): void {
    this.#waiting--;
  }

  /** The client and the frame in a message; undefined where it has none that may come this way. */
  read(message: string): { readonly id: number; readonly frame: Frame } | undefined {
    const [id, bytes] = decodeMessage(message) ?? [0, new Uint8Array(0)];
    const frame = decodeFrames(bytes)?.frames[0];
    return frame?.kind === "meeting" || frame?.kind === "carried" ? { id, frame } : undefined;
  }
}
