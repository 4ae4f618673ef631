/**
 * The prompt: how the client stands, at a glance.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";
import type { Instant } from "../protocol/driven.ts";
import type { ClientView } from "./view.ts";
import { label, peerText } from "./render.ts";

/** Columns that the prompt leaves for typing, by leaving out what matters least. */
const TYPING_COLUMNS = 10;

/** What the prompt shows beside the view. */
export interface PromptContext {
  now: Instant;
  /** Messages that are unconfirmed since 5 s or more. */
  overdue: number;
  columns: number;
}

/** The prompt, such as `bob · 2 unconfirmed > `. */
export function prompt(view: ClientView, context: PromptContext): string {
  // The most important parts come first; the last ones go where there is no room.
  if (view.state === "left") return "";
  const parts = [...stateParts(view, context.now)];
  if (view.isServerLost) parts.push("directory lost");
  if (context.overdue > 0) parts.push(`${context.overdue} unconfirmed`);
  const [request] = view.requests;
  if (view.requests.length > 1) parts.push(`${view.requests.length} requests`);
  else if (request !== undefined) parts.push(`request from ${label(request.id, request.name)}`);
  while (parts.length > 1 && widthOf(parts) + TYPING_COLUMNS > context.columns) parts.pop();
  return `${parts.join(" · ")} > `;
}

/** Whether the prompt changes with the time alone. */
export function hasCountdown(view: ClientView): boolean {
  return view.leaveBy !== undefined || (view.outgoing?.attempt ?? 0) > 0;
}

function widthOf(parts: readonly string[]): number {
  return unicodeWidth(parts.join(" · ")) + 3;
}

function stateParts(view: ClientView, now: Instant): readonly string[] {
  switch (view.state) {
    case "registering":
      return ["registering"];
    case "requesting":
      return requestingParts(view, now);
    case "connected":
      return [peerOf(view)];
    case "terminating":
      return [`ending with ${peerOf(view)}`];
    case "leaving": {
      const parts = ["leaving"];
      if (view.leaveBy !== undefined) parts.push(`gives up in ${seconds(view.leaveBy - now)}`);
      return [...parts, "Ctrl-C leaves at once"];
    }
    case "idle":
    case "left":
      return ["idle"];
  }
}

function requestingParts({ outgoing }: ClientView, now: Instant): readonly string[] {
  if (outgoing === undefined) return ["requesting"];
  const whom = typeof outgoing.peer === "number"
    ? `client ${outgoing.peer}`
    : peerText(outgoing.peer);
  if (outgoing.attempt === 0) return [`looking up ${whom}`, "Ctrl-C cancels"];
  return [
    `${outgoing.isRinging ? "ringing" : "requesting"} ${whom}`,
    `attempt ${outgoing.attempt}`,
    `next in ${seconds(outgoing.nextAt - now)}`,
    "Ctrl-C cancels",
  ];
}

function peerOf({ peer }: ClientView): string {
  return peer === undefined ? "nobody" : label(peer.id, peer.name);
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}
