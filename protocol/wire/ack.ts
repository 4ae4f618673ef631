/**
 * Ack frames, laid out by hand: there is one in almost every Packet of a conversation.
 *
 * @module
 */
import { type Reader, readU16, readU32, type Writer } from "./field.ts";
import { type Ack, type AckRange, FRAME_HEADER_SIZE } from "./frame.ts";
import { LAYOUTS } from "./layout.ts";

const [ACK_TYPE] = LAYOUTS.ack;
/** Where the fields of an Ack are, from the start of its frame. */
const SIZE_AT = 1;
const CUMULATIVE_SEQ_AT = FRAME_HEADER_SIZE;
const LARGEST_PACKET_AT = CUMULATIVE_SEQ_AT + 4;
const DELAY_AT = LARGEST_PACKET_AT + 4;
const PACKET_BITMAP_AT = DELAY_AT + 2;
const RANGE_COUNT_AT = PACKET_BITMAP_AT + 4;
const RANGES_AT = RANGE_COUNT_AT + 1;
const RANGE_SIZE = 8;
const NO_RANGES: readonly AckRange[] = [];

/** Writes an Ack. */
export function writeAck(writer: Writer, ack: Ack): void {
  const { view, bytes } = writer;
  const { ranges } = ack;
  const size = RANGES_AT + ranges.length * RANGE_SIZE;
  const at = writer.take(size);
  if (writer.isFull) return;
  bytes[at] = ACK_TYPE;
  view.setUint16(at + SIZE_AT, size - FRAME_HEADER_SIZE);
  view.setUint32(at + CUMULATIVE_SEQ_AT, ack.cumulativeSeq);
  view.setUint32(at + LARGEST_PACKET_AT, ack.largestPacket);
  view.setUint16(at + DELAY_AT, ack.delay);
  view.setUint32(at + PACKET_BITMAP_AT, ack.packetBitmap);
  bytes[at + RANGE_COUNT_AT] = ranges.length;
  let end = at + RANGES_AT;
  for (const { first, last } of ranges) {
    view.setUint32(end, first);
    view.setUint32(end + 4, last);
    end += RANGE_SIZE;
  }
}

/** Reads the next frame if it is a well-formed Ack. */
export function readAck(reader: Reader): Ack | undefined {
  const { bytes, offset: at } = reader;
  if (bytes[at] !== ACK_TYPE || at + RANGES_AT > bytes.length) return undefined;
  const count = bytes[at + RANGE_COUNT_AT]!;
  const end = at + RANGES_AT + count * RANGE_SIZE;
  const isWhole = readU16(bytes, at + SIZE_AT) === end - at - FRAME_HEADER_SIZE;
  if (!isWhole || end > bytes.length) return undefined;
  reader.offset = end;
  return {
    kind: "ack",
    cumulativeSeq: readU32(bytes, at + CUMULATIVE_SEQ_AT),
    largestPacket: readU32(bytes, at + LARGEST_PACKET_AT),
    delay: readU16(bytes, at + DELAY_AT),
    packetBitmap: readU32(bytes, at + PACKET_BITMAP_AT),
    ranges: count === 0 ? NO_RANGES : readRanges(bytes, at + RANGES_AT, count),
  };
}

function readRanges(bytes: Uint8Array, at: number, count: number): AckRange[] {
  return Array.from({ length: count }, (_, index) => {
    const first = at + index * RANGE_SIZE;
    return { first: readU32(bytes, first), last: readU32(bytes, first + 4) };
  });
}
