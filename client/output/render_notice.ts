/**
 * Notices: all events but messages, in words for people.
 *
 * @module
 */
import { formatAddress } from "../../protocol/wire/address.ts";
import { RejectReason } from "../../protocol/wire/frame.ts";
import type { Brush, Style } from "../../cli/style.ts";
import { cleanText } from "../../cli/text.ts";
import { aboutDirectories, directoriesAt, oneDirectory } from "../directory_addresses.ts";
import type { ClientEvent, IdentityEvent, Repeatable } from "../event.ts";
import { identityLines } from "./render_identity.ts";
import { requestLine, requestLines } from "./render_requests.ts";
import { type Peer, subject } from "../peer.ts";
import { calledPeer, label, typedAs, undelivered, who } from "./words.ts";

/** Clients in a list beyond which the user is told how to shorten it. */
const LONG_LIST = 20;

/** What a notice depends on, beside the event. */
export interface NoticeContext {
  /** Whether there is a user to give hints on what to type. */
  readonly isTyped: boolean;
  /** Whether a prompt shows the state of the client. */
  readonly hasPrompt: boolean;
  /** The id of this client before the event, 0 for none. */
  readonly ownId: number;
  readonly ownName: string;
  /** The ids of the connected peers. */
  readonly connected: ReadonlySet<number>;
  readonly time: Date;
  /** With a request: the identity of its sender. */
  readonly identity: IdentityEvent | undefined;
}

/** The lines for an event, undefined for one that is not shown. */
export function noticeOf(
  event: Exclude<ClientEvent, { kind: "message" }>,
  context: NoticeContext,
): string | string[] | undefined {
  const hint = (text: string): string => context.isTyped ? ` · ${text}` : "";
  switch (event.kind) {
    case "registered":
      return registered(event, context);
    case "serverQuiet": {
      const advice = event.start === undefined ? "" : ` · ${event.start} starts one`;
      const silent = aboutDirectories(event.server, "does not answer", "do not answer");
      return `${silent} yet${advice}`;
    }
    case "serverLost": {
      const isFirst = context.ownId === 0;
      const advice = isFirst ? hint("udp-chat serve starts one, --server names another") : "";
      const silent = aboutDirectories(event.server, "does not answer", "do not answer");
      return `${silent} · trying again${advice}`;
    }
    case "serverBack":
      return `${oneDirectory(event.server)} answers again`;
    case "serverUnavailable":
      return `The ${directoriesAt(event.server)} cannot answer now · trying again`;
    case "serverMoved": {
      const why = event.why === "silent" ? "does not answer" : "cannot answer now";
      return `The directory at ${formatAddress(event.before)} ${why} · ` +
        `registered at ${formatAddress(event.address)} now`;
    }
    case "requesting":
      return requesting(event, context);
    case "unanswered":
      return event.by === "directory"
        ? `The directory does not answer yet where ${calledPeer(event)} is · trying on`
        : `Nothing came back from ${calledPeer(event)} yet: its client was closed, its network ` +
          "is down or blocks UDP, or there is no way to it and the directory carries nothing · " +
          "trying on";
    case "ringing":
      return `${subject(event.peer, cleanText(event.name))} is ringing`;
    case "inactive":
      return inactive(event.peer);
    case "rejected": {
      const why = event.reason === RejectReason.busy ? ": busy" : "";
      return `Connection Reject from ${label(event.peer, event.name)}${why}`;
    }
    case "cancelled":
      return `Connection Request to ${calledPeer(event)} cancelled`;
    case "request": {
      const peer = typedAs(event.peer, event.name);
      const answer = hint(`accept ${peer} or reject ${peer}`);
      return `${requestLine(event, context.identity)}${answer}`;
    }
    case "requestEnded":
      return `Connection Request from ${label(event.peer, event.name)} ${WHY_ENDED[event.why]}`;
    case "connected": {
      const next = event.isAside
        ? `type switch ${typedAs(event.peer, event.name)} to talk`
        : "type to talk, terminate to end";
      const way = event.path === "carried" ? ", carried by the directory" : "";
      return `Connected to ${label(event.peer, event.name)}${way}${hint(next)}`;
    }
    case "path": {
      if (event.isQuiet === true) return undefined;
      const peer = label(event.peer, event.name);
      if (event.path === "carried") {
        return `Now carried by the directory: nothing direct gets through to ${peer}`;
      }
      return event.before === "carried" ? `Now direct with ${peer}` : undefined;
    }
    case "returned":
      if (event.isQuiet === true) return undefined;
      return event.who === "peer"
        ? `${label(event.peer, event.name)} is back${moreTimes(event)}: ` +
          "what was not delivered follows"
        : `${label(context.ownId, context.ownName)} is back: ` +
          `the conversation with ${label(event.peer, event.name)} goes on`;
    case "current":
      return `You talk with ${label(event.peer, event.name)}${event.why === "ended" ? " now" : ""}`;
    case "requests":
      return requestLines(event);
    case "identity":
      return identityLines(event, context.time);
    case "terminated":
      return terminated(event);
    case "notReturned":
      return `The conversation with ${label(event.peer, event.name)} does not go on: it is over ` +
        "there, or nothing comes back";
    case "entry":
    case "renewed":
    case "sent":
    case "unconfirmed":
    case "delivered":
      return undefined;
    case "list":
      return list(event, context);
    case "left": {
      if (context.ownId === 0) return undefined;
      const ack = event.acknowledged ? "acknowledged" : "not acknowledged by the directory";
      return `Client Leave ${ack}${undelivered(event.undelivered)}`;
    }
    case "error":
      return cleanText(event.message);
  }
}

/** How often it happened without a line. */
function moreTimes({ quietBefore = 0 }: Repeatable): string {
  return quietBefore > 0 ? `, after ${quietBefore} more times` : "";
}

const WHY_ENDED = {
  cancelled: "withdrawn",
  expired: "expired",
  busy: "rejected: you are busy",
} as const;

function registered(
  { id, name, lostName, address, server, serverAddress }: Extract<
    ClientEvent,
    { kind: "registered" }
  >,
  { isTyped, ownId, ownName }: NoticeContext,
): string | string[] {
  if (ownId === id && name !== ownName && lostName === "") return `You are ${label(id, name)} now`;
  const again = ownId === 0 ? "" : "again ";
  const loss = lostName === ""
    ? ""
    : ` · the name ${lostName} is taken meanwhile, and is yours again as soon as it is free`;
  // Where several were named, the one that it is.
  const where = server.includes(",") ? formatAddress(serverAddress) : server;
  const line = `Registered ${again}at ${where} as ${who(id, name)}${loss}`;
  if (!isTyped) return `${line}, seen at ${formatAddress(address)}`;
  const hint = "Type list to see who is here, connect NAME to call, help for more";
  return ownId === 0 ? [line, hint] : line;
}

/** Each attempt gets a line, unless a prompt shows them. */
function requesting(
  { peer, name, attempt }: Extract<ClientEvent, { kind: "requesting" }>,
  { hasPrompt }: NoticeContext,
): string | undefined {
  const sent = `Connection Request sent to ${label(peer, name)}`;
  if (attempt === 1) return sent;
  return hasPrompt ? undefined : `${sent} again · attempt ${attempt}`;
}

/** The specification's words for an id; a name is what a user may have got wrong. */
function inactive(peer: Peer): string {
  if (typeof peer === "number") return `Client ${peer} Inactive`;
  const name = cleanText(peer);
  return `Client ${name} Inactive · nobody called ${name} is here`;
}

function terminated(event: Extract<ClientEvent, { kind: "terminated" }>): string {
  const { peer: id, name } = event;
  const rest = undelivered(event.undelivered);
  switch (event.by) {
    case "local":
      return `You ended the conversation with ${label(id, name)}${rest}`;
    case "peer":
      return `${subject(id, cleanText(name))} ended the conversation${rest}`;
    case "timeout":
      return `The conversation with ${label(id, name)} ended: no answer${rest}`;
  }
}

function list(
  { clients, pattern, total = clients.length }: Extract<ClientEvent, { kind: "list" }>,
  { ownId, connected, isTyped }: NoticeContext,
): string[] {
  const all = total === 1 ? "1 active client" : `${total} active clients`;
  if (clients.length === 0) {
    return [
      pattern === undefined ? "No active clients" : `None of ${all} matches ${cleanText(pattern)}`,
    ];
  }
  const width = Math.max(...clients.map(({ id }) => `${id}`.length));
  const rows = clients.map(({ id, name }) => {
    const use = id === ownId ? "(you)" : connected.has(id) ? "(connected)" : "";
    return [`${id}`.padStart(width), cleanText(name), use].filter((part) => part !== "").join("  ");
  });
  if (pattern !== undefined) return [`${clients.length} of ${all}: ${cleanText(pattern)}`, ...rows];
  const isLong = isTyped && total > LONG_LIST;
  return [all, ...rows, ...isLong ? [`${all} · list PATTERN shows some of them`] : []];
}

/** The color of an event's lines. */
export function brushOf(event: ClientEvent, { bold, cyan, dim, red, yellow }: Style): Brush {
  switch (event.kind) {
    case "error":
      return red;
    case "inactive":
    case "rejected":
    case "serverLost":
    case "serverUnavailable":
    case "notReturned":
    case "serverQuiet":
    case "unanswered":
      return yellow;
    case "terminated":
    case "left":
      return event.undelivered > 0 ? yellow : dim;
    case "request":
    case "connected":
      return cyan;
    case "identity":
      return event.known === "changed" ? (text) => bold(red(text)) : dim;
    default:
      return dim;
  }
}
