/**
 * The prompt: how the client stands, at a glance.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { ClientView } from "../view.ts";
import { seconds } from "../output/duration.ts";
import { label, peerText } from "../output/words.ts";
import { cutToWidth, screenWidth } from "../../cli/wrap.ts";

/** Columns that the prompt leaves for typing, by leaving out what matters least. */
const TYPING_COLUMNS = 10;
/** As many while a request is under way, when there is hardly anything to type. */
const WAITING_COLUMNS = 4;

/** What the prompt shows beside the view. */
export interface PromptContext {
  now: Instant;
  /** The directory as the user wrote it. */
  server: string;
  /** Messages that are unconfirmed since 5 s or more. */
  overdue: number;
  /** When the directory fell silent, as `14:02`. */
  lostSince: string;
  columns: number;
}

/**
 * A part of the prompt, and what stands there where there is little room; the lower the rank, the
 * longer it stays.
 */
type Part = readonly [text: string, rank: number, short?: string];

/** The prompt, such as `bob · 2 unconfirmed > `. */
export function prompt(view: ClientView, context: PromptContext): string {
  if (view.state === "left") return "";
  const parts = [...stateParts(view, context)];
  if (view.state === "connected" && view.outgoing !== undefined) {
    for (const [text, rank] of requestingParts(view, context.now)) parts.push([text, rank + 1]);
  }
  const isLost = view.serverLostSince !== undefined;
  const isOffline = view.state === "registering" && isLost;
  if (isOffline) parts.splice(0, 1, ["offline", 0]);
  if (isLost) {
    const what = isOffline ? "no directory" : "directory lost";
    parts.push([context.lostSince === "" ? what : `${what} since ${context.lostSince}`, 5, what]);
  }
  if (context.overdue > 0) parts.push([`${context.overdue} unconfirmed`, 4]);
  const unread = view.others.filter((each) => each.unread > 0);
  const [from] = unread;
  if (from !== undefined) {
    const short = `${unread.reduce((sum, each) => sum + each.unread, 0)} unread`;
    const isOne = unread.length === 1;
    parts.push([isOne ? `${short} from ${label(from.id, from.name)}` : short, 4, short]);
  }
  const [request] = view.requests;
  if (view.requests.length > 1) parts.push([`${view.requests.length} requests`, 3]);
  else if (request !== undefined) {
    parts.push([`request from ${label(request.id, request.name)}`, 3]);
  }
  return fit(parts, context.columns - (view.outgoing ? WAITING_COLUMNS : TYPING_COLUMNS));
}

/** The parts that fit, in short if need be; of the last one at least the beginning. */
function fit(parts: readonly Part[], columns: number): string {
  const whole = parts.map(([part]) => part).join(" · ");
  if (screenWidth(whole) + 3 <= columns) return `${whole} > `;
  let kept = parts;
  for (;;) {
    const text = kept.map(([part, , short]) => short ?? part).join(" · ");
    if (screenWidth(text) + 3 <= columns) return `${text} > `;
    if (kept.length === 1) return `${cutToWidth(text, Math.max(1, columns - 3))} > `;
    const last = Math.max(...kept.map(([, rank]) => rank));
    kept = kept.filter(([, rank]) => rank !== last);
  }
}

/** Whether the prompt changes with the time alone. */
export function hasCountdown(view: ClientView): boolean {
  return view.leaveBy !== undefined || (view.outgoing?.attempt ?? 0) > 0;
}

function stateParts(view: ClientView, { now, server }: PromptContext): readonly Part[] {
  switch (view.state) {
    case "registering":
      return [[`registering at ${server}`, 0, "registering"]];
    case "requesting":
      return requestingParts(view, now);
    case "connected":
      return [[peerOf(view), 0]];
    case "terminating":
      return [[`ending with ${peerOf(view)}`, 0]];
    case "leaving": {
      const left = view.leaveBy;
      const end: Part[] = left === undefined ? [] : [[`gives up in ${seconds(left - now)}`, 1]];
      return [["leaving", 0], ...end, ["Ctrl-C leaves at once", 2]];
    }
    case "idle":
    case "left":
      return [["idle", 0]];
  }
}

function requestingParts({ outgoing }: ClientView, now: Instant): readonly Part[] {
  if (outgoing === undefined) return [["requesting", 0]];
  const whom = typeof outgoing.peer === "number"
    ? `client ${outgoing.peer}`
    : peerText(outgoing.peer);
  const cancels: Part = ["Ctrl-C cancels", 2];
  if (outgoing.attempt === 0) return [[`looking up ${whom}`, 0], cancels];
  return [
    [`${outgoing.isRinging ? "ringing" : "requesting"} ${whom}`, 0],
    [`attempt ${outgoing.attempt}`, 6],
    [`next in ${seconds(outgoing.nextAt - now)}`, 1],
    cancels,
  ];
}

function peerOf({ peer }: ClientView): string {
  return peer === undefined ? "nobody" : label(peer.id, peer.name);
}
