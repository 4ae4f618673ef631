/**
 * Notices: all events but messages, in words for people.
 *
 * @module
 */
import { formatAddress } from "../../protocol/wire/address.ts";
import { RejectReason } from "../../protocol/wire/frame.ts";
import type { Brush, Style } from "../../cli/style.ts";
import { cleanText } from "../../cli/text.ts";
import type { ClientEvent, IdentityEvent } from "../event.ts";
import { identityLines } from "./render_identity.ts";
import { requestLine, requestLines } from "./render_requests.ts";
import { peerWords } from "../peer.ts";
import { label, peerText, undelivered, who } from "./words.ts";

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
      return `The directory at ${event.server} does not answer yet${advice}`;
    }
    case "serverLost": {
      const isFirst = context.ownId === 0;
      const advice = isFirst ? hint("udp-chat serve starts one, --server names another") : "";
      return `The directory at ${event.server} does not answer · trying again${advice}`;
    }
    case "serverBack":
      return `The directory at ${event.server} answers again`;
    case "requesting":
      return requesting(event, context);
    case "unanswered":
      return event.by === "directory"
        ? `The directory does not answer yet where ${peerWords(event.peer)} is · trying on`
        : `Nothing came back from ${peerWords(event.peer)} yet: its network may be down or block ` +
          "UDP, or its client was closed · trying on";
    case "ownEntry": {
      const what = event.name === "" ? `Client id ${event.id}` : `"${event.name}"`;
      return `${what} is still taken by a client with your key, an earlier run perhaps · waiting ` +
        "until its lease ends, for less than a minute";
    }
    case "ringing":
      return `Client ${event.peer} is ringing`;
    case "inactive":
      return `Client ${peerText(event.peer)} Inactive`;
    case "rejected": {
      const why = event.reason === RejectReason.busy ? ": busy" : "";
      return `Connection Reject from client ${event.peer}${why}`;
    }
    case "cancelled":
      return `Connection Request to client ${peerText(event.peer)} cancelled`;
    case "request": {
      const answer = hint(`accept ${event.peer} or reject ${event.peer}`);
      return `${requestLine(event, context.identity)}${answer}`;
    }
    case "requestEnded":
      return `Connection Request from ${who(event.peer, event.name)} ${WHY_ENDED[event.why]}`;
    case "connected": {
      const next = event.isAside
        ? `type switch ${event.peer} to talk`
        : "type to talk, terminate to end";
      const way = event.path === "carried" ? ", carried by the directory" : "";
      return `Connected to ${who(event.peer, event.name)}${way}${hint(next)}`;
    }
    case "path": {
      const peer = label(event.peer, event.name);
      if (event.path === "carried") {
        return `Now carried by the directory: nothing direct gets through to ${peer}`;
      }
      return event.before === "carried" ? `Now direct with ${peer}` : undefined;
    }
    case "returned":
      return event.who === "peer"
        ? `${label(event.peer, event.name)} is back: what was not delivered follows`
        : `${label(context.ownId, context.ownName)} is back: ` +
          `the conversation with ${label(event.peer, event.name)} goes on`;
    case "current":
      return `You talk with ${who(event.peer, event.name)}${event.why === "ended" ? " now" : ""}`;
    case "requests":
      return requestLines(event);
    case "identity":
      return identityLines(event, context.time);
    case "terminated":
      return terminated(event);
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

const WHY_ENDED = {
  cancelled: "withdrawn",
  expired: "expired",
  busy: "rejected: you are busy",
} as const;

function registered(
  { id, name, lostName, address, server }: Extract<ClientEvent, { kind: "registered" }>,
  { isTyped, ownId }: NoticeContext,
): string | string[] {
  const again = ownId === 0 ? "" : "again ";
  const loss = lostName === ""
    ? ""
    : ` · the name ${lostName} is taken meanwhile, and is yours again as soon as it is free`;
  const line = `Registered ${again}at ${server} as ${who(id, name)}${loss}`;
  if (!isTyped) return `${line}, seen at ${formatAddress(address)}`;
  const hint = "Type list to see who is here, connect NAME to call, help for more";
  return ownId === 0 ? [line, hint] : line;
}

/** Each attempt gets a line, unless a prompt shows them. */
function requesting(
  { peer, attempt }: Extract<ClientEvent, { kind: "requesting" }>,
  { hasPrompt }: NoticeContext,
): string | undefined {
  if (attempt === 1) return `Connection Request sent to client ${peer}`;
  if (hasPrompt) return undefined;
  return `Connection Request sent to client ${peer} again · attempt ${attempt}`;
}

function terminated(event: Extract<ClientEvent, { kind: "terminated" }>): string {
  const peer = who(event.peer, event.name);
  const rest = undelivered(event.undelivered);
  switch (event.by) {
    case "local":
      return `Connection Termination by you, with ${peer}${rest}`;
    case "peer":
      return `Connection Termination by ${peer}${rest}`;
    case "timeout":
      return `Connection with ${peer} ended: no answer${rest}`;
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
    case "serverQuiet":
    case "unanswered":
    case "ownEntry":
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
