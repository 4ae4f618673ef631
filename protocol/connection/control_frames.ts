/**
 * The frames of a connection that carry no texts.
 *
 * @module
 */
import { type Frame, RejectReason } from "../wire/frame.ts";

/** Those that have nothing but their sender, in the order in which a packet has them. */
const CONTROLS = ["keepalive", "reject", "terminationAck", "termination"] as const;

/** One of them. */
export type Control = typeof CONTROLS[number];

/** The frames for those that are due; `finalSeq`: one above the highest seq that the sender used. */
export function controlFrames(
  due: ReadonlySet<string>,
  sender: number,
  finalSeq: number,
): Frame[] {
  return CONTROLS.filter((each) => due.has(each)).map((each) => frameOf(each, sender, finalSeq));
}

function frameOf(control: Control, sender: number, finalSeq: number): Frame {
  switch (control) {
    case "keepalive":
      return { kind: "connectionKeepalive" };
    case "reject":
      return { kind: "connectionReject", responder: sender, reason: RejectReason.declined };
    case "terminationAck":
      return { kind: "connectionTerminationAck", sender, finalSeq };
    case "termination":
      return { kind: "connectionTermination", sender, finalSeq };
  }
}
