/**
 * What `--send -` reads, as a text to send.
 *
 * @module
 */
import { formatSize } from "../../cli/format.ts";
import { TEXT_SIZE_MAX } from "../../protocol/connection/send_queue.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import { type ErrorEvent, errorEvent } from "../event.ts";
import { LINE_PROBLEMS } from "./script.ts";

/** Bytes of the longest input: a text of the largest size, and a line end. */
export const TEXT_INPUT_MAX: number = TEXT_SIZE_MAX + "\r\n".length;

/** The text in the input: UTF-8, without the line end after its last line. */
export function textToSend(input: Uint8Array): Result<string, ErrorEvent> {
  const end = /\r?\n$/.exec(String.fromCharCode(...input.subarray(-2)))?.[0].length ?? 0;
  const bytes = input.subarray(0, input.length - end);
  if (bytes.length === 0) return failure(errorEvent("usage", "Cannot send: the input is empty"));
  if (bytes.length > TEXT_SIZE_MAX) {
    const message = `Cannot send the input: a message has at most ${formatSize(TEXT_SIZE_MAX)}`;
    return failure(errorEvent("tooLong", message));
  }
  try {
    return success(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return failure(LINE_PROBLEMS.notUtf8);
  }
}
