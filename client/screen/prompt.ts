/**
 * The prompt: the state of the client, at a glance.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { ClientView } from "../view.ts";
import { formatWait } from "../../cli/format.ts";
import { calledPeer, label } from "../output/words.ts";
import type { Unread } from "./unread.ts";
import { cutToWidth, screenWidth } from "../../cli/wrap.ts";

/** Columns that the prompt leaves for the draft; the least important parts are left out. */
const TYPING_COLUMNS = 10;
/** The same while a request is pending, when there is little to type. */
const WAITING_COLUMNS = 4;

/** What the prompt depends on, beside the view. */
export interface PromptContext {
  now: Instant;
  /** The directory as the user wrote it. */
  server: string;
  /** The number of messages that are unconfirmed after 5 s. */
  overdue: number;
  /** When the directory stopped answering, as `14:02`. */
  lostSince: string;
  columns: number;
  /** What is unread of a peer that is not the current one. */
  unreadOf(peer: number): Unread;
}

/** A part of the prompt, and its short form for a narrow screen; the highest rank goes first. */
type Part = readonly [text: string, rank: number, short?: string];

/** Makes the prompt, such as `bob · 2 unconfirmed > `. */
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
  parts.push(...asideParts(view, context));
  const [request] = view.requests;
  if (view.requests.length > 1) parts.push([`${view.requests.length} requests`, 3]);
  else if (request !== undefined) {
    parts.push([`request from ${label(request.id, request.name)}`, 3]);
  }
  return fit(parts, context.columns - (view.outgoing ? WAITING_COLUMNS : TYPING_COLUMNS));
}

/** What came in the other conversations: what scrolled away unseen, and which peers sent something new. */
function asideParts({ others }: ClientView, { unreadOf }: PromptContext): Part[] {
  const all = others.map(({ id, name }) => ({ from: label(id, name), ...unreadOf(id) }));
  const unread = all.filter(({ count }) => count > 0);
  const fresh = all.filter(({ count, isNew }) => isNew && count === 0);
  const parts: Part[] = [];
  const sum = unread.reduce((before, { count }) => before + count, 0);
  if (sum > 0) parts.push([`${sum} unread${fromOne(unread)}`, 4, `${sum} unread`]);
  if (fresh.length > 0) parts.push([`new${fromOne(fresh) || ` from ${fresh.length}`}`, 4, "new"]);
  return parts;
}

function fromOne([one, ...others]: readonly { from: string }[]): string {
  return one === undefined || others.length > 0 ? "" : ` from ${one.from}`;
}

/** The parts that fit, in short form if necessary; at least the beginning of the last one. */
function fit(parts: readonly Part[], columns: number): string {
  const all = parts.map(([part]) => part).join(" · ");
  if (screenWidth(all) + 3 <= columns) return `${all} > `;
  let kept = parts;
  for (;;) {
    const text = kept.map(([part, , short]) => short ?? part).join(" · ");
    if (screenWidth(text) + 3 <= columns) return `${text} > `;
    if (kept.length === 1) return `${cutToWidth(text, Math.max(1, columns - 3))} > `;
    const last = Math.max(...kept.map(([, rank]) => rank));
    kept = kept.filter(([, rank]) => rank !== last);
  }
}

/** Whether the prompt changes with time alone. */
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
      return [
        [currentPeer(view), 0],
        ...view.peer?.isHeld ? [["key not trusted", 1]] satisfies Part[] : [],
        ...view.peer?.isCarried
          ? [["carried by the directory", 4, "carried"]] satisfies Part[]
          : [],
      ];
    case "terminating":
      return [[`ending with ${currentPeer(view)}`, 0]];
    case "leaving": {
      const left = view.leaveBy;
      const end: Part[] = left === undefined ? [] : [[`gives up in ${formatWait(left - now)}`, 1]];
      return [["leaving", 0], ...end, ["Ctrl-C leaves at once", 2]];
    }
    case "idle":
      return [[label(view.id ?? 0, view.name), 6], ["idle", 0]];
    case "left":
      return [];
  }
}

function requestingParts({ outgoing, calls }: ClientView, now: Instant): readonly Part[] {
  if (outgoing === undefined) return [["requesting", 0]];
  const peer = calledPeer(outgoing);
  if (calls.length > 1) {
    const all = calls.map(calledPeer).join(", ");
    const short = `calling ${calls.length} clients`;
    return [[`calling ${all}`, 0, short], [`Ctrl-C cancels ${peer}`, 2, "Ctrl-C cancels"]];
  }
  const cancels: Part = ["Ctrl-C cancels", 2];
  if (outgoing.attempt === 0) return [[`looking up ${peer}`, 0], cancels];
  return [
    [`${outgoing.isRinging ? "ringing" : "requesting"} ${peer}`, 0],
    [`attempt ${outgoing.attempt}`, 6],
    [`next in ${formatWait(outgoing.nextAt - now)}`, 1],
    cancels,
  ];
}

function currentPeer({ peer }: ClientView): string {
  return peer === undefined ? "nobody" : label(peer.id, peer.name);
}
